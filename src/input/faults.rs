//! Faults of libraries, as errors: where a file that is damaged or a query makes one panic, the run must not die of it.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

thread_local! {
    /// Whether a panic of this thread is about to become an error, which says what there is to say.
    static CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Files that are being read by tasks, whose panics reach who waits for them.
static READING: Mutex<Vec<Arc<str>>> = Mutex::new(Vec::new());

/// Queries that are at work.
static QUERIES: AtomicUsize = AtomicUsize::new(0);

/// What a library panicked with in tasks, and the files that were being read then.
static IN_TASKS: Mutex<Vec<(String, Vec<Arc<str>>)>> = Mutex::new(Vec::new());

/// Does `work`; where that panics, gives what it panicked with.
///
/// # Errors
/// The message of the panic, which was not printed.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    silence();
    let before = CAUGHT.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    CAUGHT.set(before);
    done.map_err(|panic| message(panic.as_ref()))
}

/// As [`caught`], for work that waits for tasks which read files or are parts of a query: of their panics, those of libraries are errors.
///
/// # Errors
/// The message of the panic, and the files that may be at fault; none where it can't be one.
pub fn caught_in_tasks<T>(work: impl FnOnce() -> T) -> Result<T, (String, Vec<Arc<str>>)> {
    silence();
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let message = message(panic.as_ref());
        match files_of(&message) {
            Some(files) => (message, files),
            None => panic::resume_unwind(panic),
        }
    })
}

/// The files that may be at fault for a panic with `message` in a task, where that was one of a library; it is forgotten then.
pub fn files_of(message: &str) -> Option<Vec<Arc<str>>> {
    let mut known = lock(&IN_TASKS);
    let index = known.iter().position(|(known, _)| known == message)?;
    Some(known.swap_remove(index).1)
}

/// A query that is at work, as long as this lives.
#[derive(Debug)]
pub struct Querying(());

impl Querying {
    /// A query begins.
    pub fn begin() -> Querying {
        silence();
        QUERIES.fetch_add(1, Ordering::Relaxed);
        Querying(())
    }
}

impl Drop for Querying {
    fn drop(&mut self) {
        QUERIES.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A file that tasks read, as long as this lives.
#[derive(Debug)]
pub struct Reading(Arc<str>);

impl Reading {
    /// Reading of the file that errors call `name` begins.
    pub fn begin(name: Arc<str>) -> Reading {
        silence();
        lock(&READING).push(name.clone());
        Reading(name)
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let mut reading = lock(&READING);
        if let Some(index) = reading.iter().position(|name| Arc::ptr_eq(name, &self.0)) {
            reading.swap_remove(index);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on, panics that become errors are not printed.
fn silence() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !CAUGHT.get() && !is_of_library(info) {
                print(info);
            }
        }));
    });
}

/// Whether a library panicked while a task read a file or a query was at work; it is taken note of then.
fn is_of_library(info: &PanicHookInfo<'_>) -> bool {
    /// No more are kept: a run ends by the first one.
    const MOST: usize = 64;
    let inside = |names: &[&str]| info.location().is_some_and(|at| names.iter().any(|name| at.file().contains(name)));
    let files = if inside(&["/parquet-", "/arrow-"]) { lock(&READING).clone() } else { Vec::new() };
    // What the standard library panics with names its own sources where no other is to blame.
    let of_query = QUERIES.load(Ordering::Relaxed) > 0 && inside(&["/parquet-", "/arrow-", "/datafusion-", "/rustc/", "/library/"]);
    if files.is_empty() && !of_query {
        return false;
    }
    let mut known = lock(&IN_TASKS);
    known.truncate(MOST);
    known.push((message(info.payload()), files));
    true
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string).or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "the reader gave up".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message() {
        assert_eq!(caught(|| 7), Ok(7));
        assert_eq!(caught(|| panic!("no {}", "page")), Err::<(), _>("no page".to_string()));
        assert!(!CAUGHT.get());
    }

    #[test]
    fn a_panic_of_a_library_in_a_task_of_a_query_is_an_error() {
        let too_long = || arrow::buffer::OffsetBuffer::<i32>::from_lengths([1 << 30; 3]);
        let task = || std::thread::spawn(too_long).join().unwrap_or_else(|panic| panic::resume_unwind(panic));
        let querying = Querying::begin();
        let (what, files) = caught_in_tasks(task).unwrap_err();
        assert_eq!((what.as_str(), files.len()), ("offset overflow", 0));
        drop(querying);
        // One of ours stays one.
        assert!(catch_unwind(|| caught_in_tasks(|| panic!("ours"))).is_err());
    }
}
