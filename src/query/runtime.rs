//! Threads for queries: with stacks on which the deepest query that is allowed can be planned and run.

use crate::error::{Error, ErrorKind, Result};
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Of the thread that plans. It is memory of the machine only as far as it is used.
const PLANNING: usize = 256 << 20;
/// Of each thread that computes.
const COMPUTING: usize = 128 << 20;

/// How often it is looked whether to stop.
const PATIENCE: Duration = Duration::from_millis(100);

/// Runs queries to their end.
pub struct Runtime(tokio::runtime::Runtime);

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").finish_non_exhaustive()
    }
}

impl Runtime {
    /// A runtime of `threads` threads.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] where they can't be started.
    pub fn new(threads: usize) -> Result<Runtime> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(threads.max(1)).thread_stack_size(COMPUTING).enable_all().build();
        runtime.map(Runtime).map_err(no_thread)
    }

    /// Runs what `work` starts to its end, on a thread that can plan.
    ///
    /// # Errors
    /// What the work gives; [`ErrorKind::Internal`] where the thread can't be started.
    pub fn block_on<T: Send, F: Future<Output = Result<T>>>(&self, work: impl FnOnce() -> F + Send) -> Result<T> {
        deep(|| self.0.block_on(work()))?
    }

    /// Ends without waiting for threads that are at work.
    pub fn leave(self) {
        self.0.shutdown_background();
    }
}

/// What `work` gives, unless `cancel` is set before, which ends it with this message: a query may be long at work without giving rows.
///
/// # Errors
/// What `work` gives, and [`ErrorKind::Interrupted`].
pub async fn unless_cancelled<T>(cancel: &AtomicBool, message: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    let mut work = pin!(work);
    loop {
        if cancel.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Interrupted, message));
        }
        if let Ok(done) = tokio::time::timeout(PATIENCE, work.as_mut()).await {
            return done;
        }
    }
}

/// What `work` gives on a thread whose stack is deep enough for any SQL that [`super::limits::check`] lets pass.
///
/// # Errors
/// [`ErrorKind::Internal`] where the thread can't be started.
pub fn deep<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("etl-sql".to_string()).stack_size(PLANNING).spawn_scoped(scope, work);
        // A fault of ours on that thread is one here.
        Ok(thread.map_err(no_thread)?.join().unwrap_or_else(|fault| std::panic::resume_unwind(fault)))
    })
}

fn no_thread(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Internal, "no threads could be started").with_source(error)
}
