//! A prefix of a bucket, to which one run writes. There is no rename as in folders: objects are seen when they are completed, which is
//! put off to the end of the run.

use super::parts::part_number;
use super::staging::{Existing, check, first_number};
use crate::error::{Error, ErrorKind, Result};
use crate::storage::{Appear, Storage, Upload, Uploads};
use chrono::{TimeDelta, Utc};
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};
use tempfile::TempDir;

/// The object that is there while a run replaces others. Its name is none that a table's file has.
const TURN: &str = ".etl-replacing";
/// Completing uploads takes no longer: an older sign is that of a run that was killed.
const ABANDONED: TimeDelta = TimeDelta::minutes(15);

/// The sign that a run replaces objects. Dropped, it is taken away.
struct Turn(Storage);

impl Drop for Turn {
    fn drop(&mut self) {
        // One that stays keeps others out for a while, no more.
        let _ = self.0.delete(&[TURN.to_string()]);
    }
}

/// The objects that runs wrote below the prefix, with their ETags.
fn parts(storage: &Storage) -> Result<BTreeMap<String, Option<String>>> {
    let is_part = |key: &str| {
        let (folder, name) = key.rsplit_once('/').unwrap_or(("", key));
        (folder.is_empty() || folder.split('/').all(|part| part.contains('='))) && part_number(name).is_some()
    };
    Ok(storage.list("")?.into_iter().filter(|entry| is_part(&entry.key)).map(|entry| (entry.key, entry.etag)).collect())
}

/// The objects of one run. Dropped without [`BucketStaging::commit`], it takes back what it wrote.
#[derive(Debug)]
pub struct BucketStaging {
    storage: Storage,
    existing: Existing,
    /// The objects that earlier runs wrote, by folder below the prefix.
    old: BTreeMap<PathBuf, Vec<String>>,
    /// The same with their ETags: what was there when the run began.
    seen: BTreeMap<String, Option<String>>,
    uploads: Uploads,
    /// A folder of this machine for what must be read twice.
    scratch: Mutex<Option<TempDir>>,
}

impl BucketStaging {
    /// Prepares to write to `storage` objects whose names end in `extension`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Output`] where there are objects already that may not be touched; [`crate::ErrorKind::Input`] where it can't
    /// be listed.
    pub(super) fn prepare(
        storage: &Storage,
        existing: Existing,
        extension: &str,
        appear: Appear,
        cancel: &Arc<AtomicBool>,
    ) -> Result<BucketStaging> {
        // Some stores show nothing below an object.
        if storage.is_object()? {
            let message = format!("{} is an object; the output is a folder", storage.location());
            return Err(Error::new(ErrorKind::Output, message));
        }
        let seen = parts(storage)?;
        let mut old: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
        for key in seen.keys() {
            let (folder, name) = key.rsplit_once('/').unwrap_or(("", key));
            old.entry(PathBuf::from(folder)).or_default().push(name.to_string());
        }
        check(&storage.location().to_string(), existing, extension, &old)?;
        let uploads = Uploads::new(storage.clone(), appear, cancel.clone());
        Ok(BucketStaging { storage: storage.clone(), existing, old, seen, uploads, scratch: Mutex::default() })
    }

    /// The key of the object at `below`.
    pub fn key(&self, below: &str) -> String {
        match self.storage.location().join(below) {
            crate::storage::Location::Bucket { key, .. } => key,
            crate::storage::Location::Folder(path) => path.display().to_string(),
        }
    }

    /// Begins the object at `below`.
    pub fn begin(&self, below: &str) -> Upload {
        self.uploads.begin(below)
    }

    /// Whether an earlier run wrote the object at `path` to this prefix.
    pub fn is_earlier_part(&self, path: &str) -> bool {
        let below = path.strip_prefix(&self.storage.location().to_string()).map(|below| below.trim_start_matches('/'));
        below.is_some_and(|below| self.has(Path::new(below)))
    }

    fn has(&self, below: &Path) -> bool {
        let names = below.parent().and_then(|folder| self.old.get(folder));
        names.is_some_and(|names| names.iter().any(|name| below.file_name().is_some_and(|own| *own == **name)))
    }

    pub(super) fn first_number(&self, folder: &str) -> u64 {
        first_number(&self.old, self.existing, folder)
    }

    pub(super) fn earlier_file(&self) -> Option<PathBuf> {
        let (folder, names) = self.old.iter().find(|(_, names)| !names.is_empty())?;
        Some(folder.join(names.first()?))
    }

    pub(super) fn storage(&self) -> &Storage {
        &self.storage
    }

    pub(super) fn scratch(&self) -> Result<PathBuf> {
        let mut scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = &*scratch {
            return Ok(folder.path().to_path_buf());
        }
        let folder = tempfile::tempdir().map_err(|e| Error::output("the temporary folder", e))?;
        Ok(scratch.insert(folder).path().to_path_buf())
    }

    /// Keeps other runs from replacing objects at the same time, and makes sure that none has since this one began.
    fn take_turn(&self) -> Result<Turn> {
        let conflict = |what: &str| {
            let message = format!("another run {what} {} meanwhile; nothing of this one is there", self.storage.location());
            Err(Error::new(ErrorKind::Conflict, message).with_context("what to do", "run it again"))
        };
        let mark = format!("{:016x}", getrandom::u64().unwrap_or_default());
        if !self.storage.put_new(TURN, mark.clone())? {
            let taken = self.storage.list("")?.into_iter().find(|entry| entry.key == TURN);
            let abandoned = taken.as_ref().is_some_and(|entry| Utc::now() - entry.modified > ABANDONED);
            let object = if abandoned { self.storage.get(TURN)? } else { None };
            match object {
                // Of two runs that find it abandoned, one replaces it.
                Some(object) if self.storage.replace(TURN, mark, &object.version)? => {}
                _ => return conflict("is writing to"),
            }
        }
        let turn = Turn(self.storage.clone());
        if parts(&self.storage)? != self.seen {
            return conflict("has written to");
        }
        Ok(turn)
    }

    /// Makes the objects at `files` seen, and removes those that they replace.
    pub(super) fn commit(self, files: &[String]) -> Result<Vec<String>> {
        let overwrite = self.existing == Existing::Overwrite;
        let _turn = if overwrite { Some(self.take_turn()?) } else { None };
        self.uploads.commit(|key| overwrite && self.has(Path::new(key)))?;
        if overwrite {
            let new: HashSet<&Path> = files.iter().map(Path::new).collect();
            let old = self.old.iter().flat_map(|(folder, names)| names.iter().map(|name| folder.join(name)));
            let gone: Vec<String> =
                old.filter(|below| !new.contains(below.as_path())).map(|below| below.to_string_lossy().into_owned()).collect();
            self.storage.delete(&gone)?;
        }
        Ok(files.to_vec())
    }
}
