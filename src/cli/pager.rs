//! A long result is shown by a pager, on a terminal: by `$PAGER`, or `less`. Short ones, and what goes to a pipe, are printed.

use super::terminal::print_data;
use crate::error::Result;
use std::io::{IsTerminal, Write};
use std::process::{Command, Stdio};

/// Shows `text`.
///
/// # Errors
/// Where it can't be written.
pub(super) fn page(text: &str) -> Result<()> {
    let lines = text.lines().count();
    let is_long =
        std::io::stdout().is_terminal() && std::io::stdin().is_terminal() && screen_lines().is_some_and(|screen| lines + 2 > screen);
    if is_long && shown_by_pager(text) { Ok(()) } else { print_data(text) }
}

/// How many lines the terminal has.
fn screen_lines() -> Option<usize> {
    rustix::termios::tcgetwinsize(std::io::stdout()).ok().map(|size| usize::from(size.ws_row)).filter(|rows| *rows > 0)
}

/// Whether a pager has shown it. Its user may have seen enough before the end.
fn shown_by_pager(text: &str) -> bool {
    let named = std::env::var("PAGER").ok().filter(|name| !name.trim().is_empty());
    let mut command = match &named {
        Some(name) if name.trim() == "cat" => return false,
        Some(name) => {
            let mut command = Command::new("sh");
            command.args(["-c", name]);
            command
        }
        None => Command::new("less"),
    };
    if std::env::var_os("LESS").is_none() {
        // Lines are cut at the screen's edge, and what fits on it ends the pager.
        command.env("LESS", "FRSX");
    }
    let Ok(mut child) = command.stdin(Stdio::piped()).spawn() else { return false };
    if let Some(mut input) = child.stdin.take() {
        let _ = writeln!(input, "{text}");
    }
    child.wait().is_ok_and(|status| status.code() != Some(127))
}
