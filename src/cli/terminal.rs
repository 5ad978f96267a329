//! Standard output and standard error: data goes to the one, all else to the other.

use crate::error::{Error, ErrorKind, Result};
use crate::printable::{is_unseen, printable, printable_lines};
use crate::secrets::{redact, redact_json};
use clap::ValueEnum;
use serde::Serialize;
use std::borrow::Cow;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// Whether only errors and results are told.
static QUIET: AtomicBool = AtomicBool::new(false);
/// 0: colours where there is a terminal; 1: always; 2: never.
static COLOUR: AtomicU8 = AtomicU8::new(0);

/// When what is told is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ColourArg {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    Always,
    Never,
}

/// Sets how things are told, for all of this process.
pub(super) fn set_telling(quiet: bool, colour: ColourArg) {
    QUIET.store(quiet, Ordering::Relaxed);
    let colour = match colour {
        ColourArg::Auto => 0,
        ColourArg::Always => 1,
        ColourArg::Never => 2,
    };
    COLOUR.store(colour, Ordering::Relaxed);
}

/// Whether only errors and results are told.
pub(super) fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// Says what went wrong on standard error, however quiet.
pub(super) fn say_error(error: &Error) {
    tell(&format!("error: {error}"), false);
}

/// Says something to the user on standard error, on one line, unless nothing is to be told. Nobody hearing it is no reason to stop.
pub(super) fn say(message: &str) {
    say_lines(&printable(message), false);
}

/// Says something of several lines: each is ours, and names and values in them are [`printable`]. With `colour` it has the escapes of a
/// terminal in it.
pub(super) fn say_lines(text: &str, colour: bool) {
    if !is_quiet() {
        tell(text, colour);
    }
}

fn tell(text: &str, colour: bool) {
    let _ = writeln!(std::io::stderr().lock(), "{}", shown(&redact(text), colour));
}

/// Writes text for people to standard output, as [`say_lines`] does.
///
/// # Errors
/// Where it can't be written.
pub(super) fn print(text: &str, colour: bool) -> Result<()> {
    write(&shown(&redact(text), colour))
}

/// Writes to standard output what is in the user's files, for people: nothing of it is taken for a secret.
///
/// # Errors
/// Where it can't be written.
pub(super) fn print_data(text: &str) -> Result<()> {
    write(&shown(text, false))
}

/// Writes `value` to standard output, as JSON.
///
/// # Errors
/// Where it can't be written.
pub(super) fn print_json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value);
    print_json_text(&text.map_err(|e| Error::new(ErrorKind::Internal, "can't write JSON").with_source(e))?)
}

/// Writes `json` to standard output.
///
/// # Errors
/// Where it can't be written.
pub(super) fn print_json_text(json: &str) -> Result<()> {
    write(&ascii_controls(&redact_json(json)))
}

/// Writes `json`, of what is in the user's files, to standard output.
///
/// # Errors
/// Where it can't be written.
pub(super) fn print_data_json(json: &str) -> Result<()> {
    write(&ascii_controls(json))
}

fn write(data: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{data}").and_then(|()| out.flush()).map_err(|e| Error::output("standard output", e))
}

/// `json` with what can't be seen written as `\uXXXX`, which means the same.
fn ascii_controls(json: &str) -> Cow<'_, str> {
    let unseen = |c: char| !c.is_ascii_whitespace() && is_unseen(c);
    if !json.contains(unseen) {
        return json.into();
    }
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match unseen(c) {
            true => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| text.push_str(&format!("\\u{unit:04x}"))),
            false => text.push(c),
        }
    }
    text.into()
}

/// `text` as a terminal may have it: whatever else was forgotten, nothing but our colours controls it.
fn shown(text: &str, colour: bool) -> Cow<'_, str> {
    if !colour {
        return printable_lines(text);
    }
    let mut pieces = text.split("\u{1b}[");
    let mut shown = printable_lines(pieces.next().unwrap_or_default()).into_owned();
    for piece in pieces {
        let end = piece.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(piece.len());
        // Only what sets a colour is left; all else that begins like it is shown.
        shown.push_str(if piece[end..].starts_with('m') { "\u{1b}[" } else { "\\u{1b}[" });
        shown.push_str(&printable_lines(piece));
    }
    shown.into()
}

/// Whether what is written to `stream` is coloured: as --color says, else on a terminal, unless NO_COLOR (no-color.org) is set.
pub(super) fn colour_on(stream: &impl IsTerminal) -> bool {
    match COLOUR.load(Ordering::Relaxed) {
        0 => stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        always => always == 1,
    }
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

/// Whether whoever read our output has seen enough (`etl … | head`).
pub(super) fn is_broken_pipe(error: &Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if cause.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe) {
            return true;
        }
        source = cause.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_our_colours_reaches_a_terminal() {
        let text = "\u{1b}[1;31mred\u{1b}[0m \u{1b}[2J\u{1b}]0;title\u{7}\u{202e}\nnext\r";
        assert_eq!(shown(text, false), "\\u{1b}[1;31mred\\u{1b}[0m \\u{1b}[2J\\u{1b}]0;title\\u{7}\\u{202e}\nnext\\r");
        assert_eq!(shown(text, true), "\u{1b}[1;31mred\u{1b}[0m \\u{1b}[2J\\u{1b}]0;title\\u{7}\\u{202e}\nnext\\r");
    }

    #[test]
    fn json_means_the_same_without_what_is_not_seen() {
        let json = serde_json::to_string_pretty(&["\u{202e}\u{7f}\u{e0041}ä\n"]).unwrap();
        let text = ascii_controls(&json);
        assert!(text.contains("\\u202e\\u007f\\udb40\\udc41ä\\n") && text.contains("[\n"), "{text}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&text).unwrap(), ["\u{202e}\u{7f}\u{e0041}ä\n"]);
    }
}
