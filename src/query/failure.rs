//! Says what is wrong with a query in the words of the one who wrote it.

use super::columns::without;
use super::elsewhere::{COMMON, elsewhere};
use super::limits::{Excess, TOO_DEEP};
use super::plain_words::plain_types;
use crate::diagnostic::{caret, nearest};
use crate::error::{Error, ErrorKind};
use crate::input::files_of;
use crate::printable::printable;
use crate::units::ByteSize;
use arrow::error::ArrowError;
use datafusion::common::{Column, DataFusionError, Location, SchemaError, Span};
use parquet::errors::ParquetError;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// Knows what is needed to explain the failures of one query.
#[derive(Debug)]
pub(super) struct Failures {
    sql: String,
    /// The names that tables have.
    tables: Vec<String>,
    /// The paths that were opened as tables.
    paths: Vec<String>,
    /// What the query may hold.
    memory: ByteSize,
    /// Who asks may not be told what there is: it is said as Athena says it.
    restricted: bool,
}

impl Failures {
    pub(super) fn new(sql: &str, tables: Vec<String>, paths: Vec<String>, memory: ByteSize) -> Self {
        Failures { sql: sql.to_string(), tables, paths, memory, restricted: false }
    }

    /// The same, where the one who asks may not be told what there is.
    pub(super) fn of_restricted(self, restricted: bool) -> Self {
        Failures { restricted, ..self }
    }

    /// The failure, without the layers that it came through.
    pub(super) fn explain(&self, error: DataFusionError) -> Error {
        match Error::within(&error) {
            Some(ours) => ours.copied(),
            None => self.explain_at(error, None),
        }
    }

    fn explain_at(&self, error: DataFusionError, span: Option<Span>) -> Error {
        match error {
            DataFusionError::Diagnostic(diagnostic, inner) => self.explain_at(*inner, diagnostic.span.or(span)),
            DataFusionError::Context(_, inner) => self.explain_at(*inner, span),
            DataFusionError::Collection(mut errors) if !errors.is_empty() => self.explain_at(errors.swap_remove(0), span),
            DataFusionError::External(inner) => match inner.downcast::<DataFusionError>() {
                Ok(nested) => self.explain_at(*nested, span),
                Err(other) => match other.downcast::<ParquetError>() {
                    Ok(parquet) => self.damaged(*parquet),
                    Err(other) => self.told(&other.to_string(), span),
                },
            },
            DataFusionError::Shared(shared) => match Arc::try_unwrap(shared) {
                Ok(inner) => self.explain_at(inner, span),
                Err(shared) => self.shared(&shared, span),
            },
            DataFusionError::ArrowError(inner, _) => match *inner {
                ArrowError::ExternalError(inner) => self.explain_at(DataFusionError::External(inner), span),
                inner @ ArrowError::ParquetError(_) => self.damaged(inner),
                inner => self.unfit(&plain(&inner), span),
            },
            DataFusionError::SchemaError(inner, _) => self.schema(&inner, span),
            DataFusionError::ParquetError(e) => self.damaged(*e),
            DataFusionError::ResourcesExhausted(what) => self.exhausted(&what),
            DataFusionError::ObjectStore(e) => Error::new(ErrorKind::Input, "an input can't be read").with_source(e),
            DataFusionError::IoError(e) => Error::new(ErrorKind::Input, "an input can't be read").with_source(e),
            other => self.planned(&other.message(), span),
        }
    }

    /// An error that other parts of the plan hold too.
    fn shared(&self, error: &DataFusionError, span: Option<Span>) -> Error {
        match error.find_root() {
            DataFusionError::External(inner) => self.told(&inner.to_string(), span),
            DataFusionError::ParquetError(e) => self.damaged(e.to_string()),
            DataFusionError::ArrowError(inner, _) => match inner.as_ref() {
                ArrowError::ParquetError(what) => self.damaged(what.as_str()),
                inner => self.unfit(&plain(inner), span),
            },
            DataFusionError::SchemaError(inner, _) => self.schema(inner, span),
            DataFusionError::ResourcesExhausted(what) => self.exhausted(what),
            other => self.planned(&other.message(), span),
        }
    }

    /// A text that is no value of the type that it is compared with.
    fn unfit(&self, message: &str, span: Option<Span>) -> Error {
        let time = between(message, "Error parsing timestamp from '", "'");
        let Some(text) = time.or_else(|| between(message, "Cannot cast string '", "'")) else { return self.wrong(message, span) };
        let span = span.or_else(|| self.find(&format!("'{text}'")));
        if time.is_some() {
            let error = self.wrong(format!("'{text}' is no time"), span);
            return error.with_context(
                "expected",
                "'2026-03-05', '2026-03-05 12:00' or '2026-03-05 12:00:00', each with a zone behind it if need be",
            );
        }
        self.wrong(message, span)
    }

    /// Where `text` stands in the query, if it stands there once.
    fn find(&self, text: &str) -> Option<Span> {
        let at = self.sql.find(text)?;
        if text.is_empty() || self.sql[at + text.len()..].contains(text) {
            return None;
        }
        let place = |at: usize| {
            let before = &self.sql[..at];
            let start = before.rfind('\n').map_or(0, |newline| newline + 1);
            Location { line: before.matches('\n').count() as u64 + 1, column: before[start..].chars().count() as u64 + 1 }
        };
        Some(Span::new(place(at), place(at + text.len())))
    }

    /// What there is too much of in the query.
    pub(super) fn excess(&self, excess: Excess) -> Error {
        let at = Location { line: excess.line, column: excess.column };
        self.wrong(excess.message, Some(Span::new(at, at)))
    }

    /// The memory is not enough.
    fn exhausted(&self, what: &str) -> Error {
        let message = format!("this query needs more than the {} of memory that it may use", self.memory.as_given());
        let asked = between(what, "allocation failed for ", " with top").or_else(|| between(what, "allocate ", " for "));
        let error = Error::new(ErrorKind::Query, message).with_context(
            "what to do",
            "give it more, as in --memory 4GiB, or ask for less: sorts, groups and joins by equality go on on disk, other joins, windows \
             and long aggregated lists don't",
        );
        error.with_context("where", asked.unwrap_or(what).lines().next().unwrap_or_default())
    }

    /// A Parquet file, one of those that were opened, is not as it should be.
    fn damaged(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        let source = source.into();
        // An error of ours that the reader of Parquet made a text of says all that there is to say.
        if let Some((_, told)) = source.to_string().split_once("External: ")
            && (told.contains("damaged") || told.contains("\n  "))
        {
            return Error::of_lines(ErrorKind::Input, told);
        }
        let error = Error::new(ErrorKind::Input, "a Parquet file is damaged").with_source(source);
        if self.paths.is_empty() { error } else { error.with_context("in", self.paths.join(" or ")) }
    }

    fn schema(&self, error: &SchemaError, span: Option<Span>) -> Error {
        match error {
            SchemaError::FieldNotFound { field, valid_fields } => self.no_column(field, valid_fields, span),
            SchemaError::AmbiguousReference { field } => self.wrong(
                format!("the column `{}` is in more than one table; write which one, as in table.{}", field.name, field.name),
                span.or(field.spans().first()),
            ),
            other => self.wrong(other.to_string(), span),
        }
    }

    fn no_column(&self, field: &Column, valid: &[Column], span: Option<Span>) -> Error {
        let error = self.no_such_column(field, valid, span);
        // In double quotes stand names; whoever compares with one means a text.
        let is_quoted = field.relation.is_none() && self.sql.contains(&format!("\"{}\"", field.name));
        match is_quoted && !self.restricted && !valid.iter().any(|known| known.name.eq_ignore_ascii_case(&field.name)) {
            true => error.with_context("what to do", format!("text goes in single quotes: '{}'", field.name)),
            false => error,
        }
    }

    fn no_such_column(&self, field: &Column, valid: &[Column], span: Option<Span>) -> Error {
        if self.restricted {
            let place = self.place(&field.name, span.or(field.spans().first()));
            let message = format!(
                "COLUMN_NOT_FOUND: {place}Column '{}' cannot be resolved or requester is not authorized to access requested resources",
                field.name
            );
            return Error::new(ErrorKind::Query, message);
        }
        let table = field.relation.as_ref().map(|r| format!(" in `{}`", r.table())).unwrap_or_default();
        let names: Vec<&str> = {
            let mut seen = BTreeSet::new();
            valid.iter().map(|c| c.name.as_str()).filter(|name| seen.insert(*name)).collect()
        };
        let hint = match nearest(&field.name, names.iter().copied()) {
            // SQL makes unquoted names lower case, so a column with capitals is found in quotes only.
            Some(near) if near.to_lowercase() != *near => format!("; did you mean \"{near}\", in double quotes for its capitals?"),
            Some(near) => format!("; did you mean `{near}`?"),
            None => String::new(),
        };
        let error = self.wrong(format!("no column `{}`{table}{hint}", field.name), span.or(field.spans().first()));
        match names.is_empty() {
            true => error,
            false => error.with_context("columns", names.join(", ")),
        }
    }

    fn no_table(&self, resolved: &str, span: Option<Span>) -> Error {
        // DataFusion puts the names of its default catalog and schema before one that has none.
        let name = resolved.strip_prefix("datafusion.").unwrap_or(resolved);
        if self.restricted {
            let (database, table) = name.rsplit_once('.').unwrap_or(("default", name));
            let database = if database == "public" { "default" } else { database };
            let place = self.place(table, span);
            return Error::new(
                ErrorKind::Query,
                format!("TABLE_NOT_FOUND: {place}Table 'awsdatacatalog.{database}.{table}' does not exist"),
            );
        }
        let name = name.strip_prefix("public.").unwrap_or(name);
        if Path::new(name).exists() {
            return self.wrong(format!("no table `{name}`; for the file of that name write '{name}', in quotes"), span);
        }
        let files: Vec<String> = std::fs::read_dir(".")
            .map(|entries| entries.filter_map(|e| e.ok()?.file_name().into_string().ok()).collect())
            .unwrap_or_default();
        // Of a table without its database several lakes' databases may have one.
        let same: Vec<&str> =
            self.tables.iter().map(String::as_str).filter(|known| known.split_once('.').is_some_and(|(_, known)| known == name)).collect();
        if same.len() > 1 {
            return self.wrong(format!("the table name `{name}` is ambiguous; write one of {}", same.join(", ")), span);
        }
        let bare = |table: &'_ String| table.split_once('.').map(|(_, bare)| bare.to_string());
        let near = nearest(name, self.tables.iter().chain(&files).map(String::as_str)).map(str::to_string);
        // A table of a lake may be named without its database.
        let near = near.or_else(|| {
            let bares: Vec<String> = self.tables.iter().filter_map(bare).collect();
            let near = nearest(name, bares.iter().map(String::as_str))?;
            self.tables.iter().find(|table| bare(table).as_deref() == Some(near)).cloned()
        });
        let hint = match near.as_deref() {
            Some(near) if self.tables.iter().any(|t| t == near) => format!("; did you mean `{near}`?"),
            Some(near) => format!("; did you mean the file '{near}'?"),
            None => String::new(),
        };
        let error = self.wrong(format!("there is no table or file `{name}`{hint}"), span);
        match self.tables.is_empty() {
            true if name.contains('.') => error.with_context(
                "expected",
                "a lake for tables as DATABASE.TABLE, by --lake LAKE or ETL_LAKE; or a path in quotes, such as 'out/*.parquet'",
            ),
            true => error.with_context(
                "expected",
                "a path in quotes, such as 'out/*.parquet', a name given by --table NAME=PATH, or a table of the lake that --lake names",
            ),
            false => error.with_context("tables", self.tables.join(", ")),
        }
    }

    /// A failure that others tell by their message only.
    fn told(&self, message: &str, span: Option<Span>) -> Error {
        // A task's.
        match between(message, "panicked with message \"", "\"") {
            Some(what) => fault(what, &files_of(what).unwrap_or_default()),
            None => self.wrong(message, span),
        }
    }

    /// A failure that DataFusion tells by its message only.
    fn planned(&self, message: &str, span: Option<Span>) -> Error {
        if let Some(name) = between(message, "table '", "' not found") {
            return self.no_table(name, span);
        }
        if let Some(name) = between(message, "Invalid function '", "'") {
            if let Some(other) = elsewhere(name) {
                return self.wrong(format!("no function `{name}`; {other}"), span);
            }
            // What many queries have is meant before what few have.
            let near = nearest(name, COMMON.iter().copied()).or_else(|| between(message, "Did you mean '", "'"));
            let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            return self.wrong(format!("no function `{name}`{hint}"), span);
        }
        if let Some(call) = between(message, "argument types '", "'") {
            let takes = message.split_once("Candidate functions:").map_or("", |(_, takes)| takes);
            let mut takes: Vec<String> = takes.lines().map(|line| plain_types(line.trim())).filter(|line| !line.is_empty()).collect();
            takes.dedup();
            let error = self.wrong(format!("{call}: the function exists, but not for these types; cast the arguments"), span);
            return if takes.is_empty() { error } else { error.with_context("expected", takes.join(" or ")) };
        }
        if let Some(name) = between(message, "table function '", "' not found") {
            return self
                .wrong(format!("no table function `{name}`; to read a file write its path in quotes, as in FROM 'access.log'"), span);
        }
        for unsupported in ["DDL not supported: ", "DML not supported: ", "Statement not supported: "] {
            if let Some(what) = message.strip_prefix(unsupported) {
                let error = self.wrong(format!("queries are read-only; `{what}` is not allowed; expected a SELECT"), span);
                return match what.starts_with("Drop") {
                    true => error.with_context("what to do", "`etl catalog drop DATABASE.TABLE --lake LAKE` drops a table of a lake"),
                    false => error,
                };
            }
        }
        if message.contains("supports a single SQL statement") {
            return self.wrong("there is more than one statement here; run one query at a time", span);
        }
        if message.contains("panicked with message") {
            return self.told(message, span);
        }
        if message.contains("RecursionLimitExceeded") {
            return self.wrong(TOO_DEEP, span);
        }
        if let Some(name) = between(message, "column \"", "\" must appear in the GROUP BY clause") {
            let name = self.paths.iter().fold(name.to_string(), |name, path| without(&name, path));
            let plain = name.rsplit('.').next().unwrap_or(&name).trim_matches('"').to_string();
            let span = span.or_else(|| self.find(&plain));
            let message = format!("the column \"{name}\" must appear in the GROUP BY clause, or in an aggregate function");
            return self.wrong(message, span).with_context("what to do", format!("add GROUP BY ALL, or write for example max({plain})"));
        }
        // What follows is for DataFusion's own authors.
        let message = message.split("\n\n").next().unwrap_or(message);
        let message = message.split("\nThis issue was likely caused by").next().unwrap_or(message);
        let message = ["Error during planning: ", "Internal error: ", "While expanding wildcard, "]
            .iter()
            .fold(message.to_string(), |message, inner| message.replace(inner, ""));
        let message = self.paths.iter().fold(message, |message, path| without(&message, path));
        let message = message.trim_start_matches("sql parser error: ").trim_start_matches("ParserError(\"").trim_end_matches("\")");
        match message.split_once(" at Line: ") {
            Some((what, place)) => self.wrong(what, place_of(place).or(span)),
            None if message.ends_with("found: EOF") => {
                self.wrong(message.replace("found: EOF", "found: the end of the query"), self.end().or(span))
            }
            None => self.wrong(message, span),
        }
    }

    /// `line 1:8: `: where `name` is, by `span` or by looking for it.
    fn place(&self, name: &str, span: Option<Span>) -> String {
        let (line, column) = match span {
            Some(span) => (span.start.line, span.start.column),
            None => match self.sql.to_lowercase().find(&name.to_lowercase()) {
                // Lower case may be longer or shorter: then it is where it is.
                Some(at) if self.sql.is_char_boundary(at) => {
                    let before = &self.sql[..at];
                    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
                    (before.matches('\n').count() as u64 + 1, before[start..].chars().count() as u64 + 1)
                }
                _ => return String::new(),
            },
        };
        format!("line {line}:{column}: ")
    }

    /// The place behind the query's last character.
    fn end(&self) -> Option<Span> {
        let (index, line) = self.sql.trim_end().lines().enumerate().last()?;
        let at = Location { line: index as u64 + 1, column: line.chars().count() as u64 + 1 };
        Some(Span::new(at, at))
    }

    /// The message with a caret under the place in the query, where one is known.
    fn wrong(&self, message: impl AsRef<str>, span: Option<Span>) -> Error {
        let message = &plain_types(message.as_ref().trim());
        let shown = span.and_then(|span| {
            let line = self.sql.lines().nth(usize::try_from(span.start.line).ok()?.checked_sub(1)?)?;
            Some(caret(line, columns(line, span), "here"))
        });
        match shown {
            Some(shown) => Error::of_lines(ErrorKind::Query, format!("{}\n{shown}", printable(message))),
            None => Error::new(ErrorKind::Query, message),
        }
    }
}

/// The error of a library that panicked with `what`, while it read one of `files`, if any.
pub(super) fn fault(what: &str, files: &[Arc<str>]) -> Error {
    // No damaged file does this: its offsets are looked at before they are believed.
    let too_long = what.contains("offset overflow");
    if files.is_empty() || too_long {
        let what = if too_long { "values are longer than 2 GiB, the limit for a column of a batch of rows" } else { what };
        return Error::new(ErrorKind::Query, format!("this query can't be completed: {what}"))
            .with_context("what to do", "ask for fewer or shorter values");
    }
    let names: Vec<&str> = files.iter().take(3).map(AsRef::as_ref).collect();
    Error::new(ErrorKind::Input, format!("a Parquet file is damaged: {what}")).with_context("in", names.join(" or "))
}

/// The bytes of `line`, the first of the span's, that the span covers.
fn columns(line: &str, span: Span) -> Range<usize> {
    let byte = |column: u64| line.char_indices().nth(column.saturating_sub(1) as usize).map_or(line.len(), |(at, _)| at);
    let start = byte(span.start.column);
    let end = if span.end.line == span.start.line { byte(span.end.column) } else { line.len() };
    start..end.max(start)
}

/// `3, Column: 14` as the place that it names.
fn place_of(text: &str) -> Option<Span> {
    let (line, column) = text.split_once(", Column: ")?;
    let column = &column[..column.find(|c: char| !c.is_ascii_digit()).unwrap_or(column.len())];
    let at = Location { line: line.parse().ok()?, column: column.parse().ok()? };
    Some(Span::new(at, at))
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let start = text.find(before)? + before.len();
    let length = text[start..].find(after)?;
    Some(&text[start..start + length])
}

/// Arrow's message without the name of its class.
fn plain(error: &ArrowError) -> String {
    match error {
        ArrowError::DivideByZero => "division by zero".to_string(),
        ArrowError::CastError(what)
        | ArrowError::ParseError(what)
        | ArrowError::ComputeError(what)
        | ArrowError::InvalidArgumentError(what)
        | ArrowError::ArithmeticOverflow(what)
        | ArrowError::SchemaError(what) => what.clone(),
        other => other.to_string(),
    }
}
