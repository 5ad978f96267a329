//! What kind of file is written, and how it is compressed.

use crate::error::{Error, ErrorKind, Result};
use crate::tabular::CsvDialect;
use arrow::datatypes::TimeUnit;
use serde::{Deserialize, Serialize};

/// The kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Csv,
    /// As Hive's LazySimpleSerDe reads it.
    Tsv,
    Json,
    Parquet,
}

/// How bytes are compressed, with the level where the codec has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Codec {
    None,
    /// Levels 1 to 9.
    Gzip(u32),
    Snappy,
    /// Levels 1 to 22.
    Zstd(i32),
}

/// In which unit times are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timestamps {
    /// Text keeps all digits; in Parquet micro- and milliseconds stay what they are, and nanoseconds, which neither Athena nor Spark
    /// reads, become milliseconds.
    #[default]
    Auto,
    Millis,
    Micros,
    /// What the rows have.
    Keep,
}

impl Timestamps {
    /// The unit that times of `unit` are written in, to files of `kind`.
    pub(super) fn unit(self, kind: Kind, unit: TimeUnit) -> TimeUnit {
        match (self, kind, unit) {
            (Timestamps::Millis, ..) => TimeUnit::Millisecond,
            (Timestamps::Micros, ..) => TimeUnit::Microsecond,
            (Timestamps::Auto, Kind::Parquet, TimeUnit::Nanosecond) => TimeUnit::Millisecond,
            // Parquet has no seconds.
            (_, Kind::Parquet, TimeUnit::Second) => TimeUnit::Millisecond,
            (_, _, unit) => unit,
        }
    }
}

/// A kind of file with all its settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub struct FileFormat {
    pub kind: Kind,
    pub codec: Codec,
    /// Of CSV.
    pub dialect: CsvDialect,
    #[serde(skip)]
    pub timestamps: Timestamps,
}

impl FileFormat {
    /// Checks that `kind` can be compressed by a codec of this name; each kind has a codec that is taken where none is named.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] naming what the kind can have.
    pub fn new(kind: Kind, compression: Option<&str>, level: Option<i32>, dialect: CsvDialect) -> Result<FileFormat> {
        let text = kind != Kind::Parquet;
        let level_in = |default: i32, most: i32| match level.unwrap_or(default) {
            level if (1..=most).contains(&level) => Ok(level),
            level => Err(Error::new(ErrorKind::Usage, format!("compression level {level} is out of range; expected 1 to {most}"))),
        };
        let codec = match (compression, text) {
            (None | Some("none"), true) | (Some("none"), false) => Codec::None,
            (Some("gzip"), _) => Codec::Gzip(level_in(6, 9)? as u32),
            (Some("snappy"), false) => Codec::Snappy,
            (None | Some("zstd"), false) => Codec::Zstd(level_in(3, 22)?),
            (Some(other), _) => {
                let known = if text { "none or gzip" } else { "none, snappy, zstd or gzip" };
                return Err(Error::new(ErrorKind::Usage, format!("{} can't be compressed with {other}; expected {known}", kind.name())));
            }
        };
        if level.is_some() && matches!(codec, Codec::None | Codec::Snappy) {
            return Err(Error::new(ErrorKind::Usage, "a compression level needs a codec that has levels: gzip or zstd"));
        }
        Ok(FileFormat { kind, codec, dialect, timestamps: Timestamps::default() })
    }

    /// The same with times in these units.
    #[must_use]
    pub fn with_timestamps(self, timestamps: Timestamps) -> FileFormat {
        FileFormat { timestamps, ..self }
    }

    /// The ending of file names, such as `.csv.gz`.
    pub fn extension(self) -> &'static str {
        match (self.kind, self.codec) {
            (Kind::Csv, Codec::Gzip(_)) => ".csv.gz",
            (Kind::Csv, _) => ".csv",
            (Kind::Tsv, Codec::Gzip(_)) => ".tsv.gz",
            (Kind::Tsv, _) => ".tsv",
            (Kind::Json, Codec::Gzip(_)) => ".json.gz",
            (Kind::Json, _) => ".json",
            (Kind::Parquet, _) => ".parquet",
        }
    }
}

impl Codec {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Codec::None => "none",
            Codec::Gzip(_) => "gzip",
            Codec::Snappy => "snappy",
            Codec::Zstd(_) => "zstd",
        }
    }
}

impl Kind {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Csv => "csv",
            Kind::Tsv => "tsv",
            Kind::Json => "json",
            Kind::Parquet => "parquet",
        }
    }
}
