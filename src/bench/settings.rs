//! What is compared, and how it is measured.

use super::athena::AthenaSettings;
use super::data_set::{DataSet, Form};
use super::prices::Prices;
use super::question::Question;
use super::source::SourceArguments;
use crate::output::Kind;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A comparison, fully described.
#[derive(Debug, Clone)]
pub struct Settings {
    pub source: SourceArguments,
    /// The rows are taken so many times.
    pub scale: u32,
    pub data_sets: Vec<DataSet>,
    /// The usual ones where there are none.
    pub questions: Vec<Question>,
    /// Whether each column is measured in each encoding of Parquet, too.
    pub encodings: bool,
    /// How often each question is asked of each data set.
    pub runs: u32,
    /// What the order of cells comes from.
    pub seed: u64,
    pub caches: Caches,
    /// Athena answers; this machine where there is none.
    pub athena: Option<AthenaSettings>,
    pub threads: usize,
    /// The folder where data sets are kept; of those in S3, what is known of them.
    pub data: PathBuf,
    /// The program that converts: this one.
    pub program: PathBuf,
    pub prices: Prices,
    /// For the estimate: queries a day.
    pub queries_per_day: u32,
    /// Set from outside to stop.
    pub cancel: Arc<AtomicBool>,
}

/// What the system's cache of files has when a question is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Caches {
    /// All files, as far as there is memory.
    Warm,
    /// None of them.
    Cold,
}

/// The data sets of the published comparison: 21.
pub fn article() -> Vec<DataSet> {
    let form = |format, compression: &str| Form { format, compression: compression.to_string() };
    let mut sets = Vec::new();
    for (form, splits) in [
        (form(Kind::Json, "none"), &[1, 10, 100, 1_000, 10_000][..]),
        (form(Kind::Csv, "none"), &[1, 10, 100, 1_000, 10_000]),
        (form(Kind::Parquet, "zstd"), &[1, 10, 100, 1_000, 10_000]),
        (form(Kind::Json, "gzip"), &[1, 100, 10_000]),
        (form(Kind::Csv, "gzip"), &[1, 100, 10_000]),
    ] {
        sets.extend(splits.iter().map(|splits| DataSet { form: form.clone(), splits: *splits, partition_by: Vec::new() }));
    }
    sets
}

/// Each of `formats` in each of `splits`, compressed by each of `compressions`; where none is said, text as it is and by gzip, and Parquet by zstd.
pub fn matrix(formats: &[Kind], splits: &[u64], compressions: Option<&[String]>) -> Vec<DataSet> {
    let mut sets = Vec::new();
    for format in formats {
        let usual = if *format == Kind::Parquet { vec!["zstd".to_string()] } else { vec!["none".to_string(), "gzip".to_string()] };
        for compression in compressions.unwrap_or(&usual) {
            let form = Form { format: *format, compression: compression.clone() };
            sets.extend(splits.iter().map(|splits| DataSet { form: form.clone(), splits: *splits, partition_by: Vec::new() }));
        }
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_articles_data_sets_are_21() {
        let sets = article();
        assert_eq!(sets.len(), 21);
        assert_eq!(sets.iter().filter(|set| set.form.compression == "gzip").count(), 6);
    }

    #[test]
    fn a_matrix_has_all_pairs() {
        let names = |sets: Vec<DataSet>| sets.iter().map(DataSet::name).collect::<Vec<_>>();
        assert_eq!(names(matrix(&[Kind::Csv], &[1, 2], None)), ["csv_none_1", "csv_none_2", "csv_gzip_1", "csv_gzip_2"]);
        assert_eq!(names(matrix(&[Kind::Parquet, Kind::Json], &[1], Some(&["gzip".into()]))), ["parquet_gzip_1", "json_gzip_1"]);
    }
}
