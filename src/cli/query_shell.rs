//! `etl query` on a terminal: statements are typed, and answered one after the other.

use super::query_result::{ResultArgs, ResultFormat};
use super::query_session::QuerySession;
use super::shell_words::ShellWords;
use super::terminal::{say, say_error, say_lines};
use crate::error::{Error, ErrorKind, Result};
use crate::query::split_statements;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Config, Editor};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

const HELP: &str = "Statements end with ; and may span lines. Tab completes tables, columns, functions, keywords and quoted files.
  \\d            tables              \\d TABLE      columns of a table or quoted file
  \\x            toggle vertical rows \\timing      toggle timing of statements
  \\i FILE       run a file         \\o FILE       write the next result to a file: .csv, .tsv, .json, .parquet
  \\?            this help           \\q            quit, as does Ctrl-D
Ctrl-C cancels the running statement. DESCRIBE, SUMMARIZE, SHOW TABLES, EXPLAIN, FROM t and CREATE TEMPORARY VIEW v AS … are statements, too.";

/// How many lines are kept for later.
const HISTORY: usize = 5_000;

/// What is switched on, and what comes next.
struct Shell<'a> {
    session: &'a QuerySession,
    result: ResultArgs,
    timing: bool,
    /// Set by Ctrl-C.
    cancel: Arc<AtomicBool>,
}

/// Whether `text` is how other shells are left.
pub(super) fn is_leaving(text: &str) -> bool {
    matches!(text.trim().trim_end_matches(';').to_ascii_lowercase().as_str(), ".q" | ".quit" | ".exit" | "quit" | "exit" | "\\q")
}

/// Answers what is typed until its end.
///
/// # Errors
/// [`ErrorKind::Internal`] where the terminal can't be used.
pub(super) fn run(session: &QuerySession, result: &ResultArgs) -> Result<()> {
    let unusable = |e: ReadlineError| Error::new(ErrorKind::Internal, "this terminal doesn't support line editing").with_source(e);
    let config = Config::builder().max_history_size(HISTORY).map_err(unusable)?.build();
    let mut editor: Editor<ShellWords<'_>, FileHistory> = Editor::with_config(config).map_err(unusable)?;
    editor.set_helper(Some(ShellWords::new(session)));
    let history = history_file();
    if let Some(path) = &history {
        // That there is none yet, or that it can't be read, is no reason not to ask.
        let _ = editor.load_history(path);
    }
    let cancel = Arc::new(AtomicBool::new(false));
    let set = cancel.clone();
    // Ctrl-C never ends the shell; where no handler can be set it does.
    let _ = ctrlc::set_handler(move || set.store(true, Ordering::Relaxed));
    let mut shell = Shell { session, result: result.clone(), timing: false, cancel };
    say("etl: \\? for help, \\q to quit");
    session.say_notes();
    loop {
        match editor.readline("etl> ") {
            Ok(typed) if typed.trim().is_empty() => {}
            Ok(typed) if is_leaving(&typed) && !typed.trim_start().starts_with('\\') => say("\\q leaves, as Ctrl-D does"),
            Ok(typed) => {
                let _ = editor.add_history_entry(typed.trim());
                if !shell.take(typed.trim()) {
                    break;
                }
            }
            // What was typed is given up.
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(unusable(error)),
        }
    }
    if let Some(path) = &history {
        let kept =
            path.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(ReadlineError::from).and_then(|()| editor.save_history(path));
        if let Err(error) = kept {
            say(&format!("note: the history could not be saved in {}: {error}", path.display()));
        }
    }
    Ok(())
}

/// Where what was typed is kept, as the XDG base directories have it: state, of this user alone.
fn history_file() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")))?;
    Some(state.join("etl/query_history"))
}

impl Shell<'_> {
    /// Does what was typed; false where it ends the shell.
    fn take(&mut self, typed: &str) -> bool {
        if matches!(typed.trim_end_matches(';').trim().to_ascii_lowercase().as_str(), "exit" | "quit" | "\\q") {
            return false;
        }
        let told = match typed.strip_prefix('\\') {
            Some(command) => self.command(command),
            None => self.statements(typed),
        };
        if let Err(error) = told {
            say_error(&error);
        }
        true
    }

    /// Does what begins with a backslash.
    fn command(&mut self, command: &str) -> Result<()> {
        let command = command.trim().trim_end_matches(';').trim();
        let (name, argument) = command.split_once(char::is_whitespace).map_or((command, ""), |(name, argument)| (name, argument.trim()));
        match (name, argument) {
            ("?" | "h" | "help", _) => {
                say_lines(HELP, false);
                Ok(())
            }
            ("d" | "dt", "") => self.statements("SHOW TABLES"),
            ("d", table) => self.statements(&format!("DESCRIBE {table}")),
            ("x", _) => {
                let upright = self.result.format != Some(ResultFormat::Line);
                self.result.format = upright.then_some(ResultFormat::Line);
                say(if upright { "rows are upright" } else { "vertical rows are off" });
                Ok(())
            }
            ("timing", _) => {
                self.timing = !self.timing;
                say(if self.timing { "timing is on" } else { "timing is off" });
                Ok(())
            }
            ("i", file) if !file.is_empty() => {
                let text = std::fs::read_to_string(file).map_err(|e| Error::input(file, e))?;
                self.statements(&text)
            }
            ("o", file) if !file.is_empty() => {
                let result = ResultArgs { output: Some(PathBuf::from(file)), format: None, ..self.result.clone() };
                result.check()?;
                self.result.output = result.output;
                say(&format!("the next result goes to {file}"));
                Ok(())
            }
            _ => Err(Error::new(ErrorKind::Usage, format!("unknown command `\\{command}`; \\? lists all commands"))),
        }
    }

    fn statements(&mut self, text: &str) -> Result<()> {
        for sql in split_statements(text) {
            let started = Instant::now();
            self.cancel.store(false, Ordering::Relaxed);
            let output = self.result.output.take();
            let format = if output.is_some() { None } else { self.result.format };
            let result = ResultArgs { output, format, ..self.result.clone() };
            let done = self.session.until_cancelled(&self.cancel, || self.session.answer(&sql, &result));
            self.session.say_notes();
            if self.timing {
                say(&format!("{:.3} s", started.elapsed().as_secs_f64()));
            }
            done?;
        }
        Ok(())
    }
}
