//! The sign that a run is at work. Where a run was killed its sign stays, and tells others what there is to clean up.
//!
//! In a folder the sign is a file that the run holds locked: the system gives the lock back however the run ends. In a bucket it is an
//! object that the run writes again every few seconds; one that was not written for a minute is taken for that of a dead run.
//!
//! That may be wrong: a process can be stopped for any time, and go on. So a run publishes only as long as its sign is there, which comes
//! back never once it is taken away, and who takes one away replaces the lake's head first: see `catalog::condemned`.

use super::keys::ACTIVE;
use super::run_id::RunId;
use crate::error::{Error, ErrorKind, Result};
use crate::storage::{Entry, Location, Storage};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often a sign in a bucket is written again, and after how long without that its run is taken for dead.
const BEAT: Duration = Duration::from_secs(10);
const DEAD_AFTER: Duration = Duration::from_secs(60);
/// What the name of a sign ends with before it is whole, in a folder.
const NEW: &str = "new";

/// What a run writes before it is published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    pub run: RunId,
    pub pipeline: String,
    /// The keys of the folders that it writes to; nobody else does.
    pub folders: Vec<String>,
    /// The tables that it publishes to, as `(database, name)`.
    pub tables: Vec<(String, String)>,
    /// The keys of earlier table versions whose files it may publish again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
}

/// A sign as others see it.
#[derive(Debug, Clone)]
pub struct Sign {
    pub entry: Entry,
    /// The run whose sign it is; nothing for one that was not written to its end.
    pub run: Option<RunId>,
    /// What the run claimed; nothing where that can't be read.
    pub claim: Option<Claim>,
    /// Whether the run seems to be no more.
    pub is_dead: bool,
}

/// The sign of a run at work. Dropped, it is taken away.
#[derive(Debug)]
pub struct Lease {
    storage: Storage,
    key: String,
    run: RunId,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// The lock is held as long as the file is open.
    Locked {
        _file: File,
    },
    Beating {
        stop: Option<Sender<()>>,
        thread: Option<JoinHandle<()>>,
    },
}

impl Lease {
    /// Gives the sign.
    ///
    /// # Errors
    /// [`ErrorKind::Output`] where it can't be written.
    pub fn take(storage: &Storage, claim: &Claim) -> Result<Lease> {
        let key = format!("{ACTIVE}/{}/{}.json", claim.pipeline, claim.run);
        let text =
            serde_json::to_vec(claim).map_err(|e| Error::new(ErrorKind::Internal, "a claim can't be written as JSON").with_source(e))?;
        let kind = match path(storage, &key) {
            Some(path) => Kind::Locked { _file: give(&path, &text).map_err(|e| Error::output(path.display(), e))? },
            None => {
                storage.put(&key, text.clone())?;
                let (stop, stopped) = channel();
                let (storage, key) = (storage.clone(), key.clone());
                let thread = std::thread::Builder::new().name("lease".to_string()).spawn(move || {
                    while stopped.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
                        // One beat that fails is no harm, the next one comes soon. A sign that was taken away must not come back.
                        match storage.get(&key) {
                            Ok(None) => break,
                            Ok(Some(found)) => drop(storage.replace(&key, text.clone(), &found.version)),
                            Err(_) => {}
                        }
                    }
                });
                let thread = thread.map_err(|e| Error::new(ErrorKind::Internal, "can't start a thread").with_source(e))?;
                Kind::Beating { stop: Some(stop), thread: Some(thread) }
            }
        };
        Ok(Lease { storage: storage.clone(), key, run: claim.run.clone(), kind })
    }

    /// The run whose sign it is.
    pub fn run(&self) -> &RunId {
        &self.run
    }

    /// The key of the sign.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether nobody took the sign away, believing that the run was dead.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where it can't be told.
    pub fn is_held(&self) -> Result<bool> {
        Ok(self.storage.get(&self.key)?.is_some())
    }

    /// The signs of the runs of `pipeline`, or of all. Who asks gave its own sign before, by which the store's clock is known; who gave none
    /// says what time it is, `now`.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where signs can't be read.
    pub fn signs(storage: &Storage, pipeline: Option<&str>, now: Option<DateTime<Utc>>) -> Result<Vec<Sign>> {
        let entries = storage.list(&pipeline.map_or(ACTIVE.to_string(), |pipeline| format!("{ACTIVE}/{pipeline}")))?;
        let now = entries.iter().map(|entry| entry.modified).chain(now).max();
        let keys: Vec<String> = entries.iter().map(|entry| entry.key.clone()).collect();
        let objects = storage.get_all(&keys)?;
        let sign = |(entry, object): (Entry, Option<crate::storage::Object>)| {
            // One that is gone meanwhile is that of a run that has ended.
            let object = object?;
            let name = entry.key.rsplit('/').next().unwrap_or_default();
            let run = name.strip_suffix(".json").and_then(RunId::of_folder);
            let claim = run.as_ref().and_then(|_| serde_json::from_slice(&object.bytes).ok());
            Some(Sign { is_dead: is_dead(storage, &entry, now), run, claim, entry })
        };
        Ok(entries.into_iter().zip(objects).filter_map(sign).collect())
    }
}

/// Writes the sign at `path`. It is locked before it has its name: nobody sees it unlocked while its run lives.
fn give(path: &Path, text: &[u8]) -> io::Result<File> {
    let hidden = path.with_extension(NEW);
    let mut tries = 0;
    loop {
        let given = || {
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            let mut file = File::create(&hidden)?;
            file.lock()?;
            // Through the locked file, not by its name: it may have been removed while it was not locked yet.
            file.write_all(text)?;
            fs::rename(&hidden, path).map(|()| file)
        };
        match given() {
            // Others clean up: the folder was empty for a moment, or the file not locked yet.
            Err(e) if e.kind() == io::ErrorKind::NotFound && tries < 100 => tries += 1,
            given => return given,
        }
    }
}

/// Whether the run of a sign seems to be no more. `now` is told by the store's own clock: when the last of the signs was written.
fn is_dead(storage: &Storage, entry: &Entry, now: Option<DateTime<Utc>>) -> bool {
    match path(storage, &entry.key) {
        // Where it can't be told, the run is left alone.
        Some(path) => File::open(path).is_ok_and(|file| file.try_lock().is_ok()),
        None => now.is_some_and(|now| (now - entry.modified).to_std().is_ok_and(|age| age > DEAD_AFTER)),
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Kind::Beating { stop, thread } = &mut self.kind {
            drop(stop.take());
            if let Some(thread) = thread.take() {
                let _ = thread.join();
            }
        }
        // A sign that stays is that of a run that is no more; others take it away.
        let _ = self.storage.delete(std::slice::from_ref(&self.key));
    }
}

fn path(storage: &Storage, key: &str) -> Option<PathBuf> {
    match storage.location() {
        Location::Folder(root) => Some(root.join(key)),
        Location::Bucket { .. } => None,
    }
}
