//! Faults of the library that reads Parquet, as errors: where a file that is damaged makes it panic, the run must not die of it.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

thread_local! {
    /// Whether a panic of this thread is about to become an error, which says what there is to say.
    static CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Files that are being read by tasks, whose panics reach who waits for them.
static READING: Mutex<Vec<Arc<str>>> = Mutex::new(Vec::new());

/// What the library panicked with in tasks, and the files that were being read then.
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

/// As [`caught`], for work that waits for tasks which read files: of their panics, those of the library are errors.
///
/// # Errors
/// The message of the panic, and the files that may be at fault.
pub fn caught_in_tasks<T>(work: impl FnOnce() -> T) -> Result<T, (String, Vec<Arc<str>>)> {
    silence();
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let message = message(panic.as_ref());
        let mut known = lock(&IN_TASKS);
        match known.iter().position(|(known, _)| *known == message) {
            Some(index) => known.swap_remove(index),
            None => {
                drop(known);
                panic::resume_unwind(panic)
            }
        }
    })
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

/// Whether the library panicked while a task read a file; it is taken note of then.
fn is_of_library(info: &PanicHookInfo<'_>) -> bool {
    /// No more are kept: a run ends by the first one.
    const MOST: usize = 64;
    let inside = info.location().is_some_and(|at| ["/parquet-", "/arrow-"].iter().any(|name| at.file().contains(name)));
    let files = if inside { lock(&READING).clone() } else { Vec::new() };
    if files.is_empty() {
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
}
