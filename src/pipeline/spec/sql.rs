//! SQL in a pipeline's file: whether it can be read, and which tables it names.

use crate::query::{PARSER_CALLS, TOO_DEEP, check_limits, deep};
use crate::yaml::{Place, Problems, Text};
use datafusion::common::TableReference;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::resolve::resolve_table_references;
use datafusion::sql::sqlparser::ast;
use std::collections::HashSet;

/// A table that SQL names.
#[derive(Debug)]
pub(super) struct TableUse {
    /// As it is resolved: what has no quotes in lower case; its parts with dots between them.
    pub(super) name: String,
    /// How many parts the name has.
    pub(super) parts: usize,
}

impl TableUse {
    /// Where `sql` names it.
    pub(super) fn place(&self, sql: &Text, problems: &Problems<'_>) -> Place {
        find_word(sql, problems.text(), &self.name).unwrap_or_else(|| sql.place.clone())
    }

    /// The last part of its name.
    pub(super) fn last(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or_default()
    }
}

/// The tables of a query, without those that it defines itself; nothing where it can't be read, which has been told.
pub(super) fn tables(sql: &Text, problems: &mut Problems<'_>) -> Option<Vec<TableUse>> {
    tables_of_all(&[sql], problems).pop().flatten()
}

/// The same of many queries: to start a thread that is deep enough takes longer than to read most of them.
pub(super) fn tables_of_all(queries: &[&Text], problems: &mut Problems<'_>) -> Vec<Option<Vec<TableUse>>> {
    let read = deep(|| queries.iter().map(|sql| referenced(&sql.text)).collect::<Vec<_>>());
    let read = read.unwrap_or_else(|error| queries.iter().map(|_| Err(Fault { message: error.to_string(), at: None })).collect());
    queries.iter().zip(read).map(|(sql, read)| told(sql, read, problems)).collect()
}

/// The tables that were read of `sql`; what is wrong with it is told.
fn told(sql: &Text, read: Result<Vec<Vec<String>>, Fault>, problems: &mut Problems<'_>) -> Option<Vec<TableUse>> {
    match read {
        Ok(tables) => Some(tables.into_iter().map(|parts| TableUse { name: parts.join("."), parts: parts.len() }).collect()),
        Err(Fault { message, at }) => {
            let at = at.filter(|_| !problems.is_full());
            let place = at.and_then(|(line, column)| place_of(sql, problems.text(), line, column, 0)).unwrap_or_else(|| sql.place.clone());
            problems.error(&place, sql.explain(message));
            None
        }
    }
}

/// What is wrong with SQL, and its line and column where that is known.
struct Fault {
    message: String,
    at: Option<(usize, usize)>,
}

/// The names, in parts, of the tables that the one query of `sql` reads; called where the stack is [`deep`].
fn referenced(sql: &str) -> Result<Vec<Vec<String>>, Fault> {
    check_limits(sql).map_err(|excess| {
        let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        Fault { message: excess.message, at: Some((number(excess.line), number(excess.column))) }
    })?;
    let statement = parse(sql)?;
    twin(&statement).map_or(Ok(()), Err)?;
    let (tables, _) = resolve_table_references(&statement, true).map_err(|error| fault(&error.strip_backtrace()))?;
    let parts = |table: &TableReference| [table.catalog(), table.schema(), Some(table.table())].map(|part| part.map(str::to_string));
    Ok(tables.iter().map(|table| parts(table).into_iter().flatten().collect()).collect())
}

/// The one query that `sql` is.
fn parse(sql: &str) -> Result<Statement, Fault> {
    let plain = |message: &str| Fault { message: message.to_string(), at: None };
    let parser = DFParserBuilder::new(sql).with_recursion_limit(PARSER_CALLS).build();
    let statements = parser.and_then(|mut parser| parser.parse_statements());
    let mut statements = statements.map_err(|error| fault(&error.strip_backtrace()))?;
    let statement = statements.pop_front().ok_or_else(|| plain("expected a query, SELECT …, not an empty string"))?;
    if !statements.is_empty() {
        return Err(plain("expected one query; this is more than one"));
    }
    match &statement {
        Statement::Statement(inner) if matches!(**inner, ast::Statement::Query(_)) => Ok(statement),
        _ => Err(plain("expected a query that only reads: SELECT … or WITH … SELECT …")),
    }
}

/// Of the columns that a query gives, one that is called as another before it: no table can have both.
fn twin(statement: &Statement) -> Option<Fault> {
    let Statement::Statement(inner) = statement else { return None };
    let ast::Statement::Query(query) = &**inner else { return None };
    let mut bodies = vec![&*query.body];
    while let Some(body) = bodies.pop() {
        match body {
            ast::SetExpr::Query(query) => bodies.push(&query.body),
            ast::SetExpr::SetOperation { left, right, .. } => bodies.extend([&**right, &**left]),
            ast::SetExpr::Select(select) => {
                let mut seen = HashSet::new();
                let aliases = select.projection.iter().filter_map(|item| match item {
                    ast::SelectItem::ExprWithAlias { alias, .. } => Some(alias),
                    _ => None,
                });
                for alias in aliases {
                    let name = if alias.quote_style.is_some() { alias.value.clone() } else { alias.value.to_ascii_lowercase() };
                    let message =
                        format!("another column of this query is already called `{}`; unquoted names are lower case", name.escape_debug());
                    if !seen.insert(name) {
                        let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
                        return Some(Fault { message, at: Some((number(alias.span.start.line), number(alias.span.start.column))) });
                    }
                }
            }
            _ => {}
        }
    }
    None
}

/// Reads the place out of the parser's message.
fn fault(message: &str) -> Fault {
    if message.contains("RecursionLimitExceeded") {
        return Fault { message: TOO_DEEP.to_string(), at: None };
    }
    let message = message.split_once("ParserError(\"").map_or(message, |(_, rest)| rest.trim_end().trim_end_matches("\")"));
    let message = message.strip_prefix("SQL error: ").unwrap_or(message);
    let message = message.trim_start_matches("TokenizerError(\"").trim_end().trim_end_matches("\")").replace("\\\"", "\"");
    let at = message.rfind(" at Line: ").and_then(|start| {
        let numbers = message[start..].strip_prefix(" at Line: ")?;
        let (line, column) = numbers.split_once(", Column: ")?;
        let column: String = column.chars().take_while(char::is_ascii_digit).collect();
        Some((start, (line.parse().ok()?, column.parse().ok()?)))
    });
    let words = at.map_or(message.as_str(), |(start, _)| &message[..start]);
    let words = words.trim().replace("Expected: ", "expected ").replace(", found: EOF", " before its end").replace(", found: ", ", found ");
    Fault { message: format!("this SQL can't be read: {words}"), at: at.map(|(_, at)| at) }
}

/// Where in the file line and column of `sql` are: lines of a block are the file's, further in; other texts start at their place.
/// Nothing where the file has it otherwise, as where `${…}` was filled in. `length` is that of the word, 0 where not known.
fn place_of(sql: &Text, text: &str, line: usize, column: usize, length: usize) -> Option<Place> {
    let wanted = sql.text.lines().nth(line.checked_sub(1)?)?;
    let at = wanted.char_indices().nth(column.checked_sub(1)?).map_or(wanted.len(), |(at, _)| at);
    let number = sql.place.line + line - 1;
    let whole = text.lines().nth(number.checked_sub(1)?)?;
    let indent = match line {
        1 => {
            let quote = usize::from(text.get(sql.place.bytes.clone())?.starts_with(['"', '\'']));
            let start = sql.place.bytes.start - text[..sql.place.bytes.start].rfind('\n').map_or(0, |end| end + 1);
            start + quote
        }
        _ => whole.find(wanted).filter(|indent| whole[..*indent].trim().is_empty())?,
    };
    let start = whole.get(indent..)?.starts_with(wanted).then_some(indent + at)?;
    let rest = whole.get(start..)?;
    let word = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')).unwrap_or(rest.len()).max(1).min(rest.len());
    Some(Place::in_line(text, number, start..start + if length > 0 { length.min(rest.len()) } else { word }))
}

/// Where `name` stands in `sql` as a word, in any case of letters.
fn find_word(sql: &Text, text: &str, name: &str) -> Option<Place> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    for (number, line) in sql.text.lines().enumerate() {
        let lower = line.to_ascii_lowercase();
        for (at, found) in lower.match_indices(&name.to_ascii_lowercase()) {
            let before = lower[..at].chars().next_back();
            let after = lower[at + found.len()..].chars().next();
            if before.is_some_and(|c| is_part(c) || c == '.') || after.is_some_and(is_part) {
                continue;
            }
            return place_of(sql, text, number + 1, line[..at].chars().count() + 1, found.len());
        }
    }
    None
}
