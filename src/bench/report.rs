//! The comparison as one model; terminal, CSV, JSON and page are drawn from it.

use super::cell::Cell;
use super::encodings::EncodedColumn;
use super::estimate::Monthly;
use super::making::Made;
use super::prices::Prices;
use super::question::Question;
use super::settings::Caches;
use super::timing::Timing;
use serde::Serialize;

/// What was compared, how, and what came of it.
#[derive(Debug, Clone, Serialize)]
pub struct BenchReport {
    pub etl: String,
    /// Who answered: `DataFusion on this machine`, `Athena in workgroup etl`.
    pub engine: String,
    /// Of this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
    pub rows: Rows,
    pub runs: u32,
    pub seed: u64,
    /// Of this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caches: Option<Caches>,
    /// USD that all queries cost together, in Athena.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usd: Option<f64>,
    pub questions: Vec<Question>,
    pub data_sets: Vec<Made>,
    pub cells: Vec<Cell>,
    /// By column; nothing where that was not asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub encodings: Vec<EncodedColumn>,
    /// Estimates, not measured.
    pub monthly: Vec<Monthly>,
    pub queries_per_day: u32,
    pub prices: Prices,
    pub recommendation: Vec<String>,
    pub notes: Vec<String>,
    /// Where the data sets are.
    pub data: String,
}

/// The rows that all data sets have.
#[derive(Debug, Clone, Serialize)]
pub struct Rows {
    /// Where they come from.
    pub source: String,
    /// What it is, as `combined`.
    pub format: String,
    pub bytes: u64,
    /// Not known where no data set could be made.
    pub rows: Option<u64>,
}

impl BenchReport {
    /// What was measured of a question to a data set.
    pub fn cell(&self, data_set: &str, question: &str) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.data_set == data_set && cell.question == question)
    }

    /// The times of it.
    pub fn timing(&self, data_set: &str, question: &str) -> Option<&Timing> {
        self.cell(data_set, question)?.seconds.as_ref()
    }

    /// Seconds that all questions take of a data set, one after the other; nothing where one of them failed.
    pub fn seconds_of_all(&self, data_set: &str) -> Option<f64> {
        self.questions.iter().map(|question| Some(self.timing(data_set, &question.name)?.mean)).sum()
    }

    /// The data sets as series: those of one form and the same folders, by their numbers of files.
    pub fn series(&self) -> Vec<(String, Vec<&Made>)> {
        let mut series: Vec<(String, Vec<&Made>)> = Vec::new();
        for made in &self.data_sets {
            let by = if made.data_set.partition_by.is_empty() {
                String::new()
            } else {
                format!(" by {}", made.data_set.partition_by.join(", "))
            };
            let title = format!("{}{by}", made.data_set.form.title());
            match series.iter_mut().find(|(known, _)| *known == title) {
                Some((_, sets)) => sets.push(made),
                None => series.push((title, vec![made])),
            }
        }
        series
    }

    /// All numbers of files, in their order.
    pub fn splits(&self) -> Vec<u64> {
        let mut splits: Vec<u64> = self.data_sets.iter().map(|made| made.data_set.splits).collect();
        splits.sort_unstable();
        splits.dedup();
        splits
    }

    /// How many cells failed.
    pub fn failed(&self) -> usize {
        self.cells.iter().filter(|cell| cell.error.is_some()).count()
    }
}
