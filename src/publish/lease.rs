//! The sign that a run is at work. Where a run was killed its sign stays, and tells the next run what there is to clean up.
//!
//! In a folder the sign is a file that the run holds locked: the system gives the lock back however the run ends. In a bucket it is an
//! object that the run writes again every few seconds; one that was not written for a minute belongs to nobody.

use super::run_id::RunId;
use crate::error::{Error, ErrorKind, Result};
use crate::storage::{Entry, Location, Storage};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Where the signs of a lake are.
const ACTIVE: &str = "_etl/active";
/// How often a sign in a bucket is written again, and after how long without that it is nobody's.
const BEAT: Duration = Duration::from_secs(10);
const DEAD_AFTER: Duration = Duration::from_secs(60);

/// What a run writes before it is published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    pub run: RunId,
    pub pipeline: String,
    /// The keys of the folders that it writes to; nobody else does.
    pub folders: Vec<String>,
    /// The tables that it publishes to, as `(database, name)`.
    pub tables: Vec<(String, String)>,
}

/// The sign of a run at work. Dropped, it is taken away.
#[derive(Debug)]
pub struct Lease {
    storage: Storage,
    key: String,
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
            Some(path) => {
                let failed = |e| Error::output(path.display(), e);
                if let Some(folder) = path.parent() {
                    fs::create_dir_all(folder).map_err(failed)?;
                }
                // Locked before it has its name: nobody sees it unlocked while its run lives.
                let hidden = path.with_extension("new");
                let file = File::create(&hidden).map_err(failed)?;
                file.lock().map_err(failed)?;
                fs::write(&hidden, &text).and_then(|()| fs::rename(&hidden, &path)).map_err(failed)?;
                Kind::Locked { _file: file }
            }
            None => {
                storage.put(&key, text.clone())?;
                let (stop, stopped) = channel();
                let (storage, key) = (storage.clone(), key.clone());
                let thread = std::thread::Builder::new().name("lease".to_string()).spawn(move || {
                    while stopped.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
                        // One beat that fails is no harm, the next one comes soon.
                        let _ = storage.put(&key, text.clone());
                    }
                });
                let thread = thread.map_err(|e| Error::new(ErrorKind::Internal, "can't start a thread").with_source(e))?;
                Kind::Beating { stop: Some(stop), thread: Some(thread) }
            }
        };
        Ok(Lease { storage: storage.clone(), key, kind })
    }

    /// Whether nobody took the sign away, believing that the run was dead.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where it can't be told.
    pub fn is_held(&self) -> Result<bool> {
        Ok(self.storage.get(&self.key)?.is_some())
    }

    /// The runs at work, of all pipelines.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where signs can't be listed.
    pub fn active(storage: &Storage) -> Result<BTreeSet<RunId>> {
        let entries = storage.list(ACTIVE)?;
        let now = entries.iter().map(|entry| entry.modified).max();
        let name = |entry: &Entry| RunId::of_folder(entry.key.rsplit('/').next()?.strip_suffix(".json")?);
        Ok(entries.iter().filter(|entry| !is_dead(storage, entry, now)).filter_map(name).collect())
    }

    /// What runs of `pipeline` claimed that are no more, with the keys of their signs. The run that asks gave its own sign before.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where signs can't be read.
    pub fn abandoned(storage: &Storage, pipeline: &str) -> Result<Vec<(String, Claim)>> {
        let entries = storage.list(&format!("{ACTIVE}/{pipeline}"))?;
        let now = entries.iter().map(|entry| entry.modified).max();
        let mut abandoned = Vec::new();
        for entry in entries.iter().filter(|entry| entry.key.ends_with(".json") && is_dead(storage, entry, now)) {
            // What nobody wrote to its end claims nothing.
            if let Some(object) = storage.get(&entry.key)?
                && let Ok(claim) = serde_json::from_slice(&object.bytes)
            {
                abandoned.push((entry.key.clone(), claim));
            }
        }
        Ok(abandoned)
    }
}

/// Whether the run of a sign is no more. `now` is told by the store's own clock: when the last of the signs was written.
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
        // A sign that stays is that of a run that is no more; the next run takes it away.
        let _ = self.storage.delete(std::slice::from_ref(&self.key));
    }
}

fn path(storage: &Storage, key: &str) -> Option<PathBuf> {
    match storage.location() {
        Location::Folder(root) => Some(root.join(key)),
        Location::Bucket { .. } => None,
    }
}
