//! Up to when each pipeline has been run, so that a process that starts knows what passed while none ran.

use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::Pipeline;
use crate::publish::keys;
use crate::storage::{Location, Storage};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Held while a file is read and replaced: threads of this process that do so at once would lose what the other wrote.
static WRITING: Mutex<()> = Mutex::new(());

/// Where that is kept.
#[derive(Debug, Clone)]
pub enum Memory {
    /// In the lake of each pipeline, as `_etl/schedule/<pipeline>.json`.
    Lakes,
    /// In one file for all pipelines.
    File(PathBuf),
}

/// The object in a lake.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// Of this format; 1.
    version: u32,
    /// Times up to this one need no run any more.
    last: DateTime<Utc>,
}

/// The file.
#[derive(Debug, Serialize, Deserialize)]
struct KeptFile {
    version: u32,
    pipelines: BTreeMap<String, DateTime<Utc>>,
}

impl Memory {
    /// Up to when `pipeline` has been run; nothing where it never was.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where that can't be read.
    pub fn last(&self, pipeline: &Pipeline) -> Result<Option<DateTime<Utc>>> {
        match self {
            Memory::File(path) => Ok(read(path)?.pipelines.get(&pipeline.name).copied()),
            Memory::Lakes => {
                let location = Location::parse(&pipeline.lake.location)?;
                // A lake that isn't there yet is made by the first run.
                if matches!(&location, Location::Folder(path) if !path.exists()) {
                    return Ok(None);
                }
                let (storage, key) = (Storage::open_with(location, &pipeline.lake.store)?, key(pipeline));
                let Some(object) = storage.get(&key)? else { return Ok(None) };
                let kept: Kept = serde_json::from_slice(&object.bytes).map_err(|error| damaged(storage.location().join(&key), error))?;
                Ok(Some(kept.last))
            }
        }
    }

    /// Keeps that `pipeline` has been run up to `time`.
    ///
    /// # Errors
    /// [`ErrorKind::Output`] where that can't be written.
    pub fn keep(&self, pipeline: &Pipeline, time: DateTime<Utc>) -> Result<()> {
        match self {
            Memory::File(path) => {
                let _alone = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
                let mut kept = read(path)?;
                kept.pipelines.insert(pipeline.name.clone(), time);
                write(path, &json(&kept)?)
            }
            Memory::Lakes => {
                let storage = Storage::create_with(Location::parse(&pipeline.lake.location)?, &pipeline.lake.store)?;
                storage.put(&key(pipeline), json(&Kept { version: 1, last: time })?)
            }
        }
    }
}

fn key(pipeline: &Pipeline) -> String {
    format!("{}/{}.json", keys::SCHEDULE, pipeline.name)
}

fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| Error::new(ErrorKind::Internal, "a schedule's state is no JSON").with_source(error))
}

fn damaged(place: impl std::fmt::Display, error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Input, format!("{place} is not the state of a schedule"))
        .with_source(error)
        .with_context("what to do", "remove it; times that passed while nothing ran are then not caught up")
}

fn read(path: &Path) -> Result<KeptFile> {
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| damaged(path.display(), error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(KeptFile { version: 1, pipelines: BTreeMap::new() }),
        Err(error) => Err(Error::input(path.display(), error)),
    }
}

/// Replaces the file as a whole: whoever reads it never sees half of it.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let unwritable = |error| Error::output(path.display(), error);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(unwritable)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(unwritable)?;
    file.persist(path).map_err(|error| unwritable(error.error)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::tests::pipeline;

    #[test]
    fn what_is_kept_is_known_again() {
        let place = tempfile::tempdir().unwrap();
        let mut daily = pipeline("daily", "0 3 * * *");
        daily.lake.location = place.path().join("lake").display().to_string();
        let time = "2024-01-01T00:00:00Z".parse().unwrap();
        for memory in [Memory::Lakes, Memory::File(place.path().join("state.json"))] {
            assert_eq!(memory.last(&daily).unwrap(), None);
            memory.keep(&daily, time).unwrap();
            memory.keep(&pipeline("other", "0 3 * * *"), time).ok();
            assert_eq!(memory.last(&daily).unwrap(), Some(time));
        }
    }

    #[test]
    fn a_damaged_state_is_told() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("state.json");
        std::fs::write(&path, "{").unwrap();
        let error = Memory::File(path).last(&pipeline("daily", "0 3 * * *")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input);
        assert!(error.to_string().contains("not the state of a schedule"));
        let nowhere = Memory::File(place.path().join("no/such/folder.json"));
        let error = nowhere.keep(&pipeline("daily", "0 3 * * *"), "2024-01-01T00:00:00Z".parse().unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Output);
    }
}
