//! Standard output and standard error: data goes to the one, all else to the other.

use crate::error::{Error, ErrorKind, Result};
use serde::Serialize;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Says something to the user on standard error. Nobody hearing it is no reason to stop.
pub(super) fn say(message: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{message}");
}

/// Writes data to standard output.
///
/// # Errors
/// Where it can't be written.
pub(super) fn print(data: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{data}").and_then(|()| out.flush()).map_err(|e| Error::output("standard output", e))
}

/// Writes `value` to standard output, as JSON.
///
/// # Errors
/// Where it can't be written.
pub(super) fn print_json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value);
    print(&text.map_err(|e| Error::new(ErrorKind::Internal, "can't write JSON").with_source(e))?)
}

/// Whether what is written to `stream` is coloured: on a terminal, unless NO_COLOR (no-color.org) is set.
pub(super) fn colour_on(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// A flag that Ctrl-C (and SIGTERM) sets; at the second Ctrl-C the process ends at once.
pub(super) fn cancel_on_interrupt() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = flag.clone();
    // Where no handler can be set, Ctrl-C ends the process as it always does; what is hidden is removed by the next run.
    let _ = ctrlc::set_handler(move || {
        if set.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    flag
}

/// As many threads as the machine has cores.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get())
}
