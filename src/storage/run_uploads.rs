//! Files that grow into objects: sent in parts, many at a time, in bounded memory.
//!
//! An object is seen when it is whole, and unless asked otherwise not before [`Uploads::commit`]: what is small waits until then, in
//! memory or on local disk; of what is big the parts are in the store, but the upload is not completed.

use super::blocking::wait;
use super::completion::complete;
use super::objects::Storage;
use super::spool::{Spool, Spooled};
use super::upload::Upload;
use crate::error::{Error, ErrorKind, Result};
use futures::{StreamExt, TryStreamExt, stream};
use object_store::{Attribute, Attributes, GetOptions, MultipartUpload};
use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
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
const IN_FLIGHT: usize = 64 << 20;
/// What a permit stands for: as each request takes one at least, it bounds their number too.
const PERMIT: usize = 1 << 20;
/// How many objects are completed at a time.
const AT_ONCE: usize = 64;
/// How long a run that failed tries to take back what it wrote.
const PATIENCE: Duration = Duration::from_secs(30);
/// The name of the metadata that tells which run wrote an object.
const RUN: &str = "etl-run";

/// The objects that one run writes to a storage. Dropped without [`Uploads::commit`], it takes back what it wrote.
#[derive(Debug)]
pub struct Uploads(Arc<Shared>);

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) storage: Storage,
    pub(super) appear: Appear,
    cancel: Arc<AtomicBool>,
    run: String,
    budget: Arc<Semaphore>,
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
    committed: bool,
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

impl Uploads {
    /// Uploads to `storage`; `cancel` is set from outside to stop them.
    pub fn new(storage: Storage, appear: Appear, cancel: Arc<AtomicBool>) -> Uploads {
        static RUNS: AtomicU64 = AtomicU64::new(0);
        let nanos = std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_nanos());
        let run = format!("{nanos:x}-{:x}-{:x}", std::process::id(), RUNS.fetch_add(1, Ordering::Relaxed));
        Uploads(Arc::new(Shared {
            storage,
            appear,
            cancel,
            run,
            budget: Arc::new(Semaphore::new(IN_FLIGHT / PERMIT)),
            held: AtomicUsize::new(0),
            spool: Spool::default(),
            state: Mutex::default(),
        }))
    }

    /// Begins the object at `key`.
    pub fn begin(&self, key: &str) -> Upload {
        Upload::new(self.0.clone(), key)
    }

    /// Makes all objects that were finished seen, and waits for it. `replaced` tells the keys that may be there already. Where one
    /// fails, the new ones are taken back.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] where another run wrote an object meanwhile, [`ErrorKind::Output`] where the store refuses one,
    /// [`ErrorKind::Interrupted`] where the run was cancelled.
    pub fn commit(&self, replaced: impl Fn(&str) -> bool) -> Result<()> {
        let (ended, completing) = {
            let mut state = lock(&self.0.state);
            (std::mem::take(&mut state.ended), std::mem::take(&mut state.completing))
        };
        let shared = self.0.clone();
        let ended: Vec<(Ended, bool)> = ended.into_iter().map(|ended| (!replaced(&ended.key), ended)).map(|(new, e)| (e, new)).collect();
        let work = async move {
            for task in completing {
                // One that failed has said so.
                let _ = task.await;
            }
            if let Some(error) = lock(&shared.state).error.take() {
                return Err(error);
            }
            let all = stream::iter(ended).map(|(ended, new)| complete(shared.clone(), ended, new));
            all.buffer_unordered(AT_ONCE).try_collect::<()>().await
        };
        let done = self.0.unless_cancelled(work).and_then(|done| done);
        match done {
            Ok(()) => {
                lock(&self.0.state).committed = true;
                Ok(())
            }
            Err(error) => {
                self.take_back();
                match lock(&self.0.state).replaced {
                    true => Err(error.with_context("what is there now", "some files of the new run and some of the old; run it again")),
                    false => Err(error),
                }
            }
        }
    }

    /// Ends all uploads in parts on the server, and removes new objects.
    fn take_back(&self) {
        let (open, written, completing) = {
            let mut state = lock(&self.0.state);
            (std::mem::take(&mut state.open), std::mem::take(&mut state.written), std::mem::take(&mut state.completing))
        };
        completing.iter().for_each(JoinHandle::abort);
        if open.is_empty() && written.is_empty() && completing.is_empty() {
            return;
        }
        let shared = self.0.clone();
        let work = async move {
            for task in completing {
                let _ = task.await;
            }
            stream::iter(open.into_values()).for_each_concurrent(AT_ONCE, |multipart| async move { multipart.abort().await }).await;
            let ours = stream::iter(written).map(|(key, sure)| {
                let shared = shared.clone();
                async move { (sure || shared.is_ours(&key).await).then_some(key) }
            });
            let ours: Vec<String> = ours.buffer_unordered(AT_ONCE).filter_map(std::future::ready).collect().await;
            let paths: Vec<_> = ours.iter().filter_map(|key| shared.storage.object(key).ok()).map(|(_, path)| Ok(path)).collect();
            if let Ok((store, _)) = shared.storage.object("") {
                store.delete_stream(stream::iter(paths).boxed()).for_each(|_| std::future::ready(())).await;
            }
        };
        // What can't be taken back now is no object yet, or lies where nobody looks.
        let _ = wait(async move { tokio::time::timeout(PATIENCE, work).await });
    }
}

impl Drop for Uploads {
    fn drop(&mut self) {
        if !lock(&self.0.state).committed {
            self.take_back();
        }
    }
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
        let message = format!("another run wrote {} meanwhile; nothing of this one is there", self.storage.location().join(key));
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
    async fn abort(&self) {
        let parts = std::mem::take(&mut *lock(&self.parts));
        parts.iter().for_each(JoinHandle::abort);
        for part in parts {
            let _ = part.await;
        }
        // Where this fails, what is left is no object, and the bucket's rules or a vacuum end it.
        let _ = self.upload.lock().await.abort().await;
    }
}
