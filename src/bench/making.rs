//! Data sets, made once.

use super::data_set::DataSet;
use super::source::Prepared;
use crate::error::{Error, ErrorKind, Result};
use crate::input::{CsvDialect, resolve};
use crate::output::Kind;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A data set, and what it took to make it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Made {
    pub name: String,
    #[serde(flatten)]
    pub data_set: DataSet,
    #[serde(flatten)]
    pub record: Option<Record>,
    /// It was there from an earlier comparison.
    pub reused: bool,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What is kept of a data set beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub files: u64,
    pub rows: u64,
    /// Lines that are no rows.
    pub rejects: u64,
    pub bytes: u64,
    /// Seconds that the conversion took.
    pub conversion_seconds: f64,
    /// The most memory that it held, in bytes, where the system tells.
    pub conversion_memory: Option<u64>,
}

/// What the program says of a conversion.
#[derive(Deserialize)]
struct Converted {
    rows: u64,
    rejects: u64,
    bytes_out: u64,
    seconds: f64,
    peak_memory: Option<u64>,
    files: Vec<serde::de::IgnoredAny>,
}

/// Makes data sets of the same rows.
#[derive(Debug)]
pub(super) struct Maker<'a> {
    pub(super) source: &'a Prepared,
    /// How the rows are read, as arguments of `etl convert`.
    pub(super) reading: &'a [String],
    /// Where data sets are kept: a folder, or `s3://bucket/prefix`.
    pub(super) place: String,
    /// Where it is kept what is known of them.
    pub(super) records: PathBuf,
    /// How CSV is escaped.
    pub(super) dialect: CsvDialect,
    pub(super) program: &'a Path,
    pub(super) threads: usize,
}

impl Maker<'_> {
    /// Where the files of `data_set` lie.
    pub(super) fn place(&self, data_set: &DataSet) -> String {
        format!("{}/{}", self.place, data_set.name())
    }

    /// Makes it, if it is not there as it was made. What fails is told in it.
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`] alone.
    pub(super) fn make(&self, data_set: &DataSet) -> Result<Made> {
        let name = data_set.name();
        let made = |record, reused, error| Made { name: name.clone(), data_set: data_set.clone(), record, reused, error };
        if let Err(error) = data_set.form.check() {
            return Ok(made(None, false, Some(error.message().to_string())));
        }
        if let Some(record) = self.kept(data_set) {
            return Ok(made(Some(record), true, None));
        }
        match self.convert(data_set) {
            Ok(record) => Ok(made(Some(record), false, None)),
            Err(error) if error.kind() == ErrorKind::Interrupted => Err(error),
            Err(error) => Ok(made(None, false, Some(error.to_string()))),
        }
    }

    /// What was kept of it, if its files still are those that were made.
    fn kept(&self, data_set: &DataSet) -> Option<Record> {
        let record: Record = serde_json::from_slice(&fs::read(self.record(data_set)).ok()?).ok()?;
        let files = resolve(&[self.place(data_set)]).ok()?.sources;
        let bytes: u64 = files.iter().filter_map(|file| file.size).sum();
        (files.len() as u64 == record.files && bytes == record.bytes).then_some(record)
    }

    fn record(&self, data_set: &DataSet) -> PathBuf {
        self.records.join(format!("{}.json", data_set.name()))
    }

    /// In a process of its own, whose memory is that of the conversion alone.
    fn convert(&self, data_set: &DataSet) -> Result<Record> {
        let place = self.place(data_set);
        let mut command = Command::new(self.program);
        command.arg("convert").args(self.reading);
        command.args(["--to", data_set.form.format.name(), "--compression", &data_set.form.compression]);
        command.args(["--splits", &data_set.splits.to_string(), "--threads", &self.threads.to_string()]);
        if !data_set.partition_by.is_empty() {
            command.args(["--partition-by", &data_set.partition_by.join(",")]);
        }
        if data_set.form.format == Kind::Csv && self.dialect == CsvDialect::Athena {
            command.args(["--dialect", "athena"]);
        }
        command.arg("--output").arg(&place).args(["--overwrite", "--report", "json", "--"]).args(&self.source.inputs);
        let done = command
            .stdin(Stdio::null())
            .output()
            .map_err(|e| Error::new(ErrorKind::Internal, format!("{} can't be started", self.program.display())).with_source(e))?;
        if done.status.code() == Some(i32::from(ErrorKind::Interrupted.exit_code())) {
            return Err(Error::new(ErrorKind::Interrupted, "interrupted"));
        }
        if !done.status.success() {
            let said = String::from_utf8_lossy(&done.stderr);
            let said = said.trim().trim_start_matches("error: ");
            return Err(Error::of_lines(ErrorKind::Output, if said.is_empty() { "the conversion ended without a report" } else { said }));
        }
        let told: Converted = serde_json::from_slice(&done.stdout)
            .map_err(|e| Error::new(ErrorKind::Internal, "the conversion's report can't be read").with_source(e))?;
        let record = Record {
            files: told.files.len() as u64,
            rows: told.rows,
            rejects: told.rejects,
            bytes: told.bytes_out,
            conversion_seconds: told.seconds,
            conversion_memory: told.peak_memory,
        };
        let json = serde_json::to_vec(&record).map_err(|e| Error::new(ErrorKind::Internal, "can't write JSON").with_source(e))?;
        let path = self.record(data_set);
        fs::write(&path, json).map_err(|e| Error::output(path.display(), e))?;
        Ok(record)
    }
}
