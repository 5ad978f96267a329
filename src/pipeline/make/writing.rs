//! Writes the files of one output below a folder of its own.

use crate::convert::{ConvertOptions, ConvertReport, Counted, OnError, REJECTS_LIMIT, RejectsFile, convert};
use crate::diagnostic::nearest;
use crate::error::{Error, ErrorKind, Result};
use crate::input::Table;
use crate::output::{FileFormat, Timestamps, Written as FileColumns};
use crate::pipeline::model::{Layout, Output};
use crate::progress::Progress;
use crate::publish::{DataFile, Existing, Output as Place};
use crate::storage::{Appear, Storage};
use crate::units::Rate;
use crate::zone::Zone;
use arrow::datatypes::{DataType, Field};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What all conversions of a run have in common.
pub(crate) struct Engine<'a> {
    pub(crate) storage: &'a Storage,
    pub(crate) threads: usize,
    pub(crate) cancel: Arc<AtomicBool>,
    pub(crate) progress: &'a dyn Progress,
}

/// What was written.
#[derive(Debug)]
pub(crate) struct Written {
    /// The key of the folder, without a slash at its end.
    pub(crate) folder: String,
    pub(crate) files: Vec<DataFile>,
    /// The columns of the files, and those of their folders.
    pub(crate) columns: Vec<Field>,
    pub(crate) partition_keys: Vec<Field>,
    pub(crate) report: ConvertReport,
}

/// How lines that can't be read are dealt with.
#[derive(Debug, Clone, Default)]
pub(crate) struct RejectPolicy {
    pub(crate) on_error: OnError,
    pub(crate) max_rate: Option<Rate>,
    /// How many of each file were accepted before.
    pub(crate) accepted: Vec<u64>,
    /// Where it is told what was read, where they are too many.
    pub(crate) counted: Counted,
    /// Where they are kept.
    pub(crate) file: Option<PathBuf>,
}

impl Engine<'_> {
    /// Writes the rows of `table` as `output` says, to the folder with the key `folder`, which nobody else writes to.
    ///
    /// # Errors
    /// What [`convert`] gives.
    pub(crate) fn write(&self, output: &Output, table: Table, folder: &str, rejects: RejectPolicy) -> Result<Written> {
        let schema = table.format.schema();
        let (columns, partition_keys) = split_columns(output, FileColumns::new(output.format, &schema).schema())?;
        let at = Place::below(self.storage, folder)?;
        let options = self.options(table, at, output.format, output.layout, rejects);
        let options = ConvertOptions { partition_by: output.partition_by.clone(), timezone: output.timezone, ..options };
        let report = convert(&options, self.progress).map_err(|e| e.with_context("output", &output.name))?;
        let root = format!("{}/", self.storage.location());
        let mut files = Vec::with_capacity(report.files.len());
        for file in &report.files {
            let key = file.path.strip_prefix(&root).unwrap_or(&file.path).to_string();
            let below = key.strip_prefix(folder).unwrap_or(&key).trim_start_matches('/');
            let partition = below.rsplit_once('/').map_or("", |(partition, _)| partition).to_string();
            files.push(DataFile { partition, rows: file.rows, bytes: file.bytes, sha256: file.sha256.clone().unwrap_or_default(), key });
        }
        Ok(Written { folder: folder.to_string(), files, columns, partition_keys, report })
    }

    /// Writes the rows of `table` to Parquet files in the folder `path` of this machine, to be read again soon.
    ///
    /// # Errors
    /// What [`convert`] gives.
    pub(crate) fn spool(&self, table: Table, path: PathBuf, rejects: RejectPolicy) -> Result<ConvertReport> {
        let format =
            FileFormat::new(crate::output::Kind::Parquet, Some("zstd"), Some(1), Default::default())?.with_timestamps(Timestamps::Keep);
        let layout = Layout::TargetSize(crate::units::ByteSize(256 << 20));
        let options = ConvertOptions { checksums: false, ..self.options(table, Place::Folder(path), format, layout, rejects) };
        convert(&options, self.progress)
    }

    fn options(&self, table: Table, output: Place, format: FileFormat, layout: Layout, rejects: RejectPolicy) -> ConvertOptions {
        ConvertOptions {
            table,
            output,
            // Nobody knows of a run's folder before the run is published.
            appear: Appear::WhenWritten,
            checksums: true,
            format,
            layout,
            partition_by: Vec::new(),
            timezone: Zone::UTC,
            existing: Existing::Refuse,
            on_error: rejects.on_error,
            max_reject_rate: rejects.max_rate,
            accepted_rejects: rejects.accepted,
            counted: rejects.counted,
            rejects: rejects.file.map(RejectsFile::from),
            rejects_limit: REJECTS_LIMIT,
            threads: self.threads,
            cancel: self.cancel.clone(),
        }
    }
}

/// The columns of an output's files, and those that become folders.
///
/// # Errors
/// [`ErrorKind::Usage`] for a key that there is no column for.
pub(crate) fn split_columns(output: &Output, schema: &arrow::datatypes::Schema) -> Result<(Vec<Field>, Vec<Field>)> {
    let mut keys = Vec::new();
    for name in &output.partition_by {
        let is_there = |name: &str| schema.field_with_name(name).is_ok();
        let is_made = matches!(name.as_str(), "dt" | "hour") && is_there("time");
        if !is_there(name) && !is_made {
            let known: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
            let hint = nearest(name, known.iter().copied()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            let message = format!("partition_by uses the column `{name}`, which the rows of {} don't have{hint}", output.table);
            return Err(Error::new(ErrorKind::Usage, message)
                .with_context("at", &output.place)
                .with_context("columns", format!("{}; and dt and hour, which are derived from `time`", known.join(", "))));
        }
        let data_type = match (schema.field_with_name(name), name.as_str()) {
            (Ok(field), _) if folder_type(field.data_type()) => field.data_type().clone(),
            (Err(_), "dt") => DataType::Date32,
            _ => DataType::Utf8View,
        };
        keys.push(Field::new(name, data_type, true));
    }
    let is_key = |field: &Field| output.partition_by.contains(field.name());
    let columns = schema.fields().iter().filter(|field| !is_key(field)).map(|field| field.as_ref().clone()).collect();
    Ok((columns, keys))
}

/// Whether a folder's name gives back a value of this type.
fn folder_type(data_type: &DataType) -> bool {
    data_type.is_numeric() || matches!(data_type, DataType::Date32 | DataType::Boolean | DataType::Timestamp(..))
}
