//! What all uploads of one run share: its budget of memory, what is written but not yet seen, and what went wrong.

use super::blocking::wait;
use super::objects::Storage;
use super::spool::{Spool, Spooled};
use crate::error::{Error, ErrorKind, Result};
use object_store::{Attribute, Attributes, GetOptions, MultipartUpload};
use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

/// When objects are seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Appear {
    /// All of them at the commit, within the time that completing them takes.
    #[default]
    AtCommit,
    /// Each as soon as it is written: for a prefix that nobody knows yet.
    WhenWritten,
}

/// What requests may hold in memory together.
pub(super) const IN_FLIGHT: usize = 64 << 20;
/// What a permit stands for: as each request takes one at least, it bounds their number too.
pub(super) const PERMIT: usize = 1 << 20;
/// The name of the metadata that tells which run wrote an object.
const RUN: &str = "etl-run";

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) storage: Storage,
    pub(super) appear: Appear,
    pub(super) cancel: Arc<AtomicBool>,
    pub(super) run: String,
    pub(super) budget: Arc<Semaphore>,
    pub(super) held: AtomicUsize,
    pub(super) spool: Spool,
    pub(super) state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// The first thing that went wrong with a request that nobody waits for.
    pub(super) error: Option<Error>,
    /// Written to their end, but not yet seen.
    pub(super) ended: Vec<Ended>,
    /// Those that are being completed without a commit.
    pub(super) completing: Vec<JoinHandle<()>>,
    /// Uploads in parts that are neither completed nor aborted.
    pub(super) open: HashMap<u64, Arc<Multipart>>,
    /// New objects that may be there; true where it is sure that this run wrote them.
    pub(super) written: HashMap<String, bool>,
    /// Objects of others were replaced.
    pub(super) replaced: bool,
    pub(super) committed: bool,
}

/// An object whose bytes are all known.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) key: String,
    pub(super) body: Body,
}

#[derive(Debug)]
pub(super) enum Body {
    Small { spooled: Vec<Spooled>, bytes: Vec<u8> },
    Parts(Arc<Multipart>),
}

/// An upload in parts.
#[derive(Debug)]
pub(super) struct Multipart {
    pub(super) number: u64,
    pub(super) upload: tokio::sync::Mutex<Box<dyn MultipartUpload>>,
    /// Whether each part arrived; what went wrong is told to all.
    pub(super) parts: Mutex<Vec<JoinHandle<bool>>>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Waits for `work`; not any longer where the run is cancelled.
    pub(super) fn unless_cancelled<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Result<T> {
        let cancel = self.cancel.clone();
        let cancelled = async move {
            while !cancel.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let done = wait(async move {
            tokio::select! {
                biased;
                done = work => Some(done),
                () = cancelled => None,
            }
        });
        done.ok_or_else(|| Error::new(ErrorKind::Interrupted, "interrupted; nothing was published"))
    }

    pub(super) fn failed(&self) -> io::Result<()> {
        match lock(&self.state).error.take() {
            Some(error) => Err(io::Error::other(error)),
            None => Ok(()),
        }
    }

    pub(super) fn fail(&self, error: Error) {
        lock(&self.state).error.get_or_insert(error);
    }

    pub(super) fn refused(&self, key: &str, error: object_store::Error) -> Error {
        self.storage.unwritable(key, &error)
    }

    pub(super) fn conflict(&self, key: &str) -> Error {
        let message = format!("another run wrote {} in the meantime; nothing of this run was published", self.storage.location().join(key));
        Error::new(ErrorKind::Conflict, message).with_context("what to do", "run it again, or choose another prefix")
    }

    /// Waits until requests for `length` more bytes fit into memory.
    pub(super) async fn permit(&self, length: usize) -> Option<OwnedSemaphorePermit> {
        let permits = length.div_ceil(PERMIT).clamp(1, IN_FLIGHT / PERMIT) as u32;
        // It is never closed.
        self.budget.clone().acquire_many_owned(permits).await.ok()
    }

    /// Whether this run wrote what is at `key`: an answer that was lost leaves that open.
    pub(super) async fn is_ours(&self, key: &str) -> bool {
        let Ok((store, path)) = self.storage.object(key) else { return false };
        let head = store.get_opts(&path, GetOptions { head: true, ..Default::default() }).await;
        head.is_ok_and(|found| found.attributes.get(&Attribute::Metadata(RUN.into())).is_some_and(|run| run.as_ref() == self.run))
    }

    /// What tells that an object is this run's.
    pub(super) fn attributes(&self) -> Attributes {
        Attributes::from_iter([(Attribute::Metadata(RUN.into()), self.run.clone())])
    }
}

impl Multipart {
    /// Removes the parts from the server.
    pub(super) async fn abort(&self) {
        let parts = std::mem::take(&mut *lock(&self.parts));
        parts.iter().for_each(JoinHandle::abort);
        for part in parts {
            let _ = part.await;
        }
        // Where this fails, what is left is no object, and the bucket's rules or a vacuum end it.
        let _ = self.upload.lock().await.abort().await;
    }
}
