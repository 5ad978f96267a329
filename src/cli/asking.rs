//! The question before a table is changed.

use crate::error::{Error, ErrorKind, Result};
use crate::printable::printable;
use std::io::{BufRead, IsTerminal, Write};

/// Whether the user wants to do `what`.
///
/// # Errors
/// [`ErrorKind::Usage`] where nobody is there to be asked.
pub(super) fn confirmed(what: &str) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        let error = Error::new(ErrorKind::Usage, format!("can't ask for confirmation to {what}: not a terminal"));
        return Err(error.with_context("what to do", "add --yes"));
    }
    let mut err = std::io::stderr().lock();
    let asked = write!(err, "{}? [y/N] ", printable(what));
    asked.and_then(|()| err.flush()).map_err(|e| Error::output("standard error", e))?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).map_err(|e| Error::input("standard input", e))?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
