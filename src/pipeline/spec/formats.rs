//! What kind of files an output is made of.

use super::document::{CompressionText, FormatText, OutputText};
use crate::output::{CsvDialect, FileFormat, Kind, Timestamps};
use crate::pipeline::model::Layout;
use crate::units::ByteSize;
use crate::yaml::{Place, Problems, Text, TextOr, one_of};
use std::num::NonZeroU64;

const KINDS: [(&str, Kind); 4] = [("parquet", Kind::Parquet), ("json", Kind::Json), ("csv", Kind::Csv), ("tsv", Kind::Tsv)];
const CODECS: [(&str, &str); 4] = [("none", "none"), ("gzip", "gzip"), ("snappy", "snappy"), ("zstd", "zstd")];

/// Files of about this size, where nothing else is said: what Athena reads well.
const TARGET_SIZE: ByteSize = ByteSize(128 << 20);

/// The output's format with its compression.
pub(super) fn format(text: &OutputText, problems: &mut Problems<'_>) -> Option<FileFormat> {
    let (kind, dialect) = kind(text.format.as_ref(), problems)?;
    let (codec, level, place) = match &text.compression {
        None => (None, None, &text.place),
        Some(TextOr::Text(name)) => (Some(word(name, &CODECS, problems)?), None, &name.place),
        Some(TextOr::Section(section)) => {
            let (codec, level) = level(section, problems)?;
            (Some(codec), Some(level), &section.place)
        }
    };
    let timestamps = text.timestamps.as_ref().map_or(Timestamps::Millis, |timestamps| timestamps.value);
    if let Some(written) = text.timestamps.as_ref().filter(|_| kind != Kind::Parquet && timestamps != Timestamps::Millis) {
        problems.error(&written.place, "Athena reads times in text files with milliseconds; other units are for Parquet");
    }
    match FileFormat::new(kind, codec, level, dialect) {
        Ok(format) => Some(format.with_timestamps(timestamps)),
        Err(error) => {
            problems.error(place, error.to_string());
            None
        }
    }
}

fn kind(text: Option<&TextOr<FormatText>>, problems: &mut Problems<'_>) -> Option<(Kind, CsvDialect)> {
    let section = match text {
        None => return Some((Kind::Parquet, CsvDialect::Athena)),
        Some(TextOr::Text(name)) => return Some((word(name, &KINDS, problems)?, CsvDialect::Athena)),
        Some(TextOr::Section(section)) => section,
    };
    match (&section.parquet, &section.json, &section.csv, &section.tsv) {
        (Some(_), None, None, None) => Some((Kind::Parquet, CsvDialect::Athena)),
        (None, Some(_), None, None) => Some((Kind::Json, CsvDialect::Athena)),
        (None, None, Some(csv), None) => Some((Kind::Csv, csv.dialect.as_ref().map_or(CsvDialect::Athena, |dialect| dialect.value))),
        (None, None, None, Some(_)) => Some((Kind::Tsv, CsvDialect::Athena)),
        _ if section.wrong => None,
        _ => {
            problems.error(&section.place, format!("expected exactly one of {}", FormatText::KEYS.join(", ")));
            None
        }
    }
}

fn level(text: &CompressionText, problems: &mut Problems<'_>) -> Option<(&'static str, i32)> {
    let (codec, level) = match (&text.gzip, &text.zstd) {
        (Some(level), None) => ("gzip", level),
        (None, Some(level)) => ("zstd", level),
        _ if text.wrong => return None,
        _ => {
            problems.error(&text.place, "expected exactly one codec with its level, as in {zstd: 9}; gzip and zstd have levels");
            return None;
        }
    };
    // What is out of any codec's range is told as such by the format.
    Some((codec, i32::try_from(level.value).unwrap_or(i32::MAX)))
}

/// How rows are spread over files.
pub(super) fn layout(text: &OutputText, problems: &mut Problems<'_>) -> Layout {
    let splits = text.splits.as_ref().map(|splits| (&splits.place, Layout::Splits(splits.value)));
    let rows = text.rows_per_file.as_ref().map(|rows| (&rows.place, Layout::RowsPerFile(rows.value)));
    let size = text.target_size.as_ref().map(|size| (&size.place, Layout::TargetSize(size.value)));
    let mut given: Vec<(&Place, Layout)> = [splits, rows, size].into_iter().flatten().collect();
    given.sort_by_key(|(place, _)| *place);
    if let [_, second, ..] = given.as_slice() {
        problems.error(second.0, "give only one of splits, rows_per_file and target_size");
    }
    let most = NonZeroU64::new(1_000_000);
    if let Some((place, Layout::Splits(splits))) = given.first()
        && Some(*splits) > most
    {
        problems.error(place, "at most 1,000,000 files can be written");
    }
    given.first().map_or(Layout::TargetSize(TARGET_SIZE), |(_, layout)| *layout)
}

fn word<T: Copy>(text: &Text, all: &[(&'static str, T)], problems: &mut Problems<'_>) -> Option<T> {
    match one_of(&text.text, all) {
        Ok(value) => Some(value),
        Err(message) => {
            problems.error(&text.place, text.explain(message));
            None
        }
    }
}
