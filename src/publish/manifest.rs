//! What a run wrote to a table, and what of: kept in the lake before anybody reads it.

use crate::error::{Error, ErrorKind, Result};
use crate::input::FileContent;
use crate::storage::Storage;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The files of one run for one table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Of this format; 1.
    pub format: u32,
    pub pipeline: String,
    pub output: String,
    pub table: String,
    pub run: String,
    pub created: DateTime<Utc>,
    pub etl_version: String,
    /// SHA-256 of all that the pipeline says of this output.
    pub definition: String,
    /// What was read, by the name of the source.
    pub inputs: BTreeMap<String, Input>,
    /// In the order of the rows.
    pub files: Vec<DataFile>,
}

/// What was read of a source.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// A preset's name, `custom`, `csv`, `tsv`, `json` or `parquet`.
    pub format: String,
    /// The LogFormat of a log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_format: Option<String>,
    /// Name and Athena's type of each column.
    pub columns: Vec<(String, String)>,
    pub files: Vec<SourceFile>,
    /// Files that were not read as their content is known: under other names, or changed without other lines in them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<SourceFile>,
}

/// An input file as it was when it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    pub path: String,
    /// In bytes, as stored.
    pub size: u64,
    /// When it changed last, to the nanosecond, or its ETag.
    pub mark: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// What was in it up to the last line that was read, where files are known by that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<FileContent>,
    /// The byte of the content from which on this run read it, and how many lines are before.
    #[serde(default, skip_serializing_if = "is_none")]
    pub from: u64,
    #[serde(default, skip_serializing_if = "is_none")]
    pub from_line: u64,
    /// A name for the file that stays while it grows and moves, made of its first content and name; nothing while it has those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<String>,
    /// Bytes at its end that are no whole line yet, and were left for later.
    #[serde(default, skip_serializing_if = "is_none")]
    pub held_back: u64,
    /// Lines that were rejected of what this run read.
    #[serde(default, skip_serializing_if = "is_none")]
    pub rejects: u64,
    /// None of the lines that this run read of it is a row: whoever misses the file misses no row.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rowless: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_none(number: &u64) -> bool {
    *number == 0
}

impl SourceFile {
    /// The digest of its content; empty where that is not known.
    pub fn digest(&self) -> &str {
        self.content.as_ref().map_or("", |content| &content.digest)
    }

    /// What is the same of a file as it grows and moves: its first content, and the name that it had then.
    pub fn lineage(&self) -> String {
        let made = || hex::encode(&Sha256::digest(format!("{} {}", self.digest(), self.path))[..16]);
        self.lineage.clone().unwrap_or_else(made)
    }
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFile {
    /// Below the lake's folder.
    pub key: String,
    /// The partition's folder; empty where there is none.
    pub partition: String,
    pub rows: u64,
    pub bytes: u64,
    pub sha256: String,
}

impl Manifest {
    /// Keeps it at `key`.
    ///
    /// # Errors
    /// [`ErrorKind::Output`] where it can't be written.
    pub fn write(&self, storage: &Storage, key: &str) -> Result<()> {
        let text =
            serde_json::to_vec(self).map_err(|e| Error::new(ErrorKind::Internal, "a manifest can't be written as JSON").with_source(e))?;
        storage.put(key, text)
    }

    /// Reads the ones at `keys`, in their order.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where one is gone or is none.
    pub fn read_all(storage: &Storage, keys: &[String]) -> Result<Vec<Manifest>> {
        let objects = storage.get_all(keys)?;
        let parsed = objects.into_iter().zip(keys).map(|(object, key)| {
            let shown = storage.location().join(key);
            let hint = |error: Error| error.with_context("what to do", format!("`etl catalog repair --lake {}`", storage.location()));
            let object = object.ok_or_else(|| hint(Error::new(ErrorKind::Input, format!("{shown} is gone"))))?;
            let wrong = |e| Error::new(ErrorKind::Input, format!("{shown} is not a run's manifest")).with_source(e);
            serde_json::from_slice(&object.bytes).map_err(|e| hint(wrong(e)))
        });
        parsed.collect()
    }
}
