//! What a shell of SQL knows of a line that is being typed: whether it is done, and how a word in it goes on.

use super::query_session::QuerySession;
use crate::query::is_ended;
use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// Words of SQL that are worth completing.
const KEYWORDS: [&str; 48] = [
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP BY",
    "ORDER BY",
    "HAVING",
    "LIMIT",
    "OFFSET",
    "JOIN",
    "LEFT JOIN",
    "USING",
    "ON",
    "AS",
    "WITH",
    "UNION ALL",
    "DISTINCT",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "AND",
    "OR",
    "NOT",
    "IN",
    "LIKE",
    "ILIKE",
    "BETWEEN",
    "IS NULL",
    "IS NOT NULL",
    "ASC",
    "DESC",
    "NULLS LAST",
    "INTERVAL",
    "CAST",
    "TRY_CAST",
    "FILTER",
    "OVER",
    "PARTITION BY",
    "DESCRIBE",
    "SUMMARIZE",
    "SHOW TABLES",
    "EXPLAIN",
    "CREATE TEMPORARY VIEW",
    "FOR VERSION AS OF",
    "VALUES",
    "EXCEPT",
    "ALL",
];

/// The words of a session.
pub(super) struct ShellWords<'a> {
    session: &'a QuerySession,
    files: FilenameCompleter,
    /// The columns of tables that were typed, by what was typed.
    columns: RefCell<BTreeMap<String, Vec<String>>>,
}

impl<'a> ShellWords<'a> {
    pub(super) fn new(session: &'a QuerySession) -> ShellWords<'a> {
        ShellWords { session, files: FilenameCompleter::new(), columns: RefCell::default() }
    }

    /// The columns of all tables that `line` names.
    fn columns_of(&self, line: &str) -> BTreeSet<String> {
        let names = self.session.engine.table_names();
        let words = line.split(|c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')' | ';'));
        let is_table = |word: &&str| {
            (word.len() > 2 && word.starts_with('\'') && word.ends_with('\''))
                || names.iter().any(|name| name == word || name.split_once('.').is_some_and(|(_, table)| table == *word))
        };
        let mut found = BTreeSet::new();
        for word in words.filter(is_table) {
            let mut known = self.columns.borrow_mut();
            let columns = known.entry(word.to_string()).or_insert_with(|| {
                let engine = &self.session.engine;
                let schema = self.session.runtime.block_on(|| async { engine.columns(&format!("FROM {word}")).await });
                schema.map(|schema| schema.fields().iter().map(|field| field.name().clone()).collect()).unwrap_or_default()
            });
            found.extend(columns.iter().cloned());
        }
        found
    }
}

/// Where the word begins that ends at the end of `before`.
fn start_of_word(before: &str) -> usize {
    before
        .rfind(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '\\')))
        .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8))
}

impl Completer for ShellWords<'_> {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, context: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let before = &line[..pos];
        // Within quotes stands a path.
        if before.matches('\'').count() % 2 == 1 {
            return self.files.complete(line, pos, context);
        }
        let start = start_of_word(before);
        let word = &before[start..];
        let as_typed = |name: &str| Pair { display: name.to_string(), replacement: name.to_string() };
        if word.starts_with('\\') {
            let commands = ["\\d", "\\x", "\\timing", "\\i", "\\o", "\\?", "\\q"];
            return Ok((start, commands.into_iter().filter(|command| command.starts_with(word)).map(as_typed).collect()));
        }
        let wanted = word.to_lowercase();
        let mut found: Vec<Pair> = Vec::new();
        let tables = self.session.engine.table_names();
        let short = tables.iter().filter_map(|name| name.split_once('.').map(|(_, table)| table.to_string()));
        let names: BTreeSet<String> = tables.iter().cloned().chain(short).chain(self.columns_of(line)).collect();
        found.extend(names.iter().filter(|name| name.to_lowercase().starts_with(&wanted)).map(|name| as_typed(name)));
        if !wanted.is_empty() {
            let functions = self.session.engine.function_names();
            let keywords = KEYWORDS.into_iter().filter(|keyword| keyword.to_lowercase().starts_with(&wanted));
            found.extend(keywords.map(as_typed));
            let calls = functions.iter().filter(|name| name.starts_with(&wanted));
            found.extend(calls.map(|name| Pair { display: format!("{name}()"), replacement: format!("{name}(") }));
        }
        Ok((start, found))
    }
}

impl Validator for ShellWords<'_> {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let typed = context.input().trim();
        let is_whole = typed.is_empty() || typed.starts_with('\\') || matches!(typed, "exit" | "quit") || is_ended(typed);
        Ok(if is_whole { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

impl Hinter for ShellWords<'_> {
    type Hint = String;
}

impl Highlighter for ShellWords<'_> {}

impl Helper for ShellWords<'_> {}
