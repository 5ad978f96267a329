//! Files that grow into objects: sent in parts, many at a time, in bounded memory.
//!
//! An object is seen when it is whole, and unless asked otherwise not before [`Uploads::commit`]: what is small waits until then, in
//! memory or on local disk; of what is big the parts are in the store, but the upload is not completed.

use super::blocking::wait;
use super::completion::complete;
use super::objects::Storage;
use super::run_state::{Appear, Ended, IN_FLIGHT, PERMIT, Shared, lock};
use super::spool::Spool;
use super::upload::Upload;
use crate::error::Result;
use futures::{StreamExt, TryStreamExt, stream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// How many objects are completed at a time.
const AT_ONCE: usize = 64;
/// How long a run that failed tries to take back what it wrote.
const PATIENCE: Duration = Duration::from_secs(30);

/// The objects that one run writes to a storage. Dropped without [`Uploads::commit`], it takes back what it wrote.
#[derive(Debug)]
pub struct Uploads(Arc<Shared>);

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
