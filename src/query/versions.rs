//! `FOR VERSION AS OF`: tables as they were.

use super::statements::{byte_of, words};
use crate::catalog::{LocalCatalog, Snapshot, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::publish::run_named;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};
use std::borrow::Cow;

/// What is between a table's name and its version, in the names that are looked up. No table of a lake has it in its name.
pub(super) const MARK: char = '@';

/// `sql` with `t FOR VERSION AS OF 3` as `"t@3" AS t`, which a lake looks up: the parser knows no versions. Versions are numbers, runs
/// in quotes, and times: `FOR TIMESTAMP AS OF TIMESTAMP '2026-03-01 03:00:00'`.
pub(super) fn rewritten(sql: &str) -> Cow<'_, str> {
    // Most queries have none, and nothing is looked for in them.
    if !sql.to_ascii_lowercase().contains(" of") {
        return sql.into();
    }
    let Some(words) = words(sql) else { return sql.into() };
    let words: Vec<&TokenWithSpan> = words.iter().filter(|word| !matches!(word.token, Token::Whitespace(_))).collect();
    let is = |at: usize, wanted: &[&str]| match words.get(at).map(|word| &word.token) {
        Some(Token::Word(word)) => word.quote_style.is_none() && wanted.iter().any(|w| word.value.eq_ignore_ascii_case(w)),
        _ => false,
    };
    let mut out = String::new();
    let mut done = 0;
    for at in 1..words.len() {
        let kind = ["version", "system_version", "timestamp", "system_time"];
        if !(is(at, &["for"]) && is(at + 1, &kind) && is(at + 2, &["as"]) && is(at + 3, &["of"])) {
            continue;
        }
        let Token::Word(name) = &words[at - 1].token else { continue };
        let value = at + 4 + usize::from(is(at + 4, &["timestamp"]));
        let (Some(Token::Number(version, _) | Token::SingleQuotedString(version)), Some(last)) =
            (words.get(value).map(|word| &word.token), words.get(value))
        else {
            continue;
        };
        let (from, to) = (byte_of(sql, words[at - 1].span.start), byte_of(sql, last.span.end));
        let plain = if name.quote_style.is_some() { name.value.clone() } else { name.value.to_lowercase() };
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let named = match words.get(value + 1).map(|word| &word.token) {
            // An alias is there already.
            Some(Token::Word(word)) if word.keyword == Keyword::AS || word.keyword == Keyword::NoKeyword || word.quote_style.is_some() => {
                String::new()
            }
            _ => format!(" AS {}", quoted(&plain)),
        };
        let new = format!("{}{named}", quoted(&format!("{plain}{MARK}{version}")));
        out.push_str(&sql[done..from]);
        out.push_str(&new);
        // Places behind it stay where they are, if there is room.
        out.extend(std::iter::repeat_n(' ', sql[from..to].chars().count().saturating_sub(new.chars().count())));
        done = to;
    }
    if done == 0 {
        return sql.into();
    }
    out.push_str(&sql[done..]);
    out.into()
}

/// A moment of a lake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Moment {
    /// A version of a table, by its number.
    Version(u64),
    /// When a run had published.
    Run(String),
    Time(DateTime<Utc>),
}

impl Moment {
    /// What `text` names: a number, a time in UTC, or a run.
    pub(super) fn parse(text: &str) -> Moment {
        let text = text.trim();
        if let Ok(version) = text.parse() {
            return Moment::Version(version);
        }
        let day = || Some(NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_time(NaiveTime::MIN).and_utc());
        let forms = ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"];
        let time = || forms.iter().find_map(|form| Some(NaiveDateTime::parse_from_str(text, form).ok()?.and_utc()));
        let zoned = || Some(DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Utc));
        day().or_else(time).or_else(zoned).map_or_else(|| Moment::Run(text.to_string()), Moment::Time)
    }

    /// The same as a time; nothing where it is the version of one table.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a run that published no table that is there.
    pub(super) fn resolved(&self, catalog: &LocalCatalog, snapshot: &Snapshot) -> Result<Option<DateTime<Utc>>> {
        let run = match self {
            Moment::Version(_) => return Ok(None),
            Moment::Time(time) => return Ok(Some(*time)),
            Moment::Run(run) => run,
        };
        let mut all: Vec<(String, DateTime<Utc>)> = Vec::new();
        let mut lost = Vec::new();
        let mut add = |table: Table| {
            all.extend(table.history.iter().map(|past| (past.run.clone(), past.updated)));
            all.push((table.origin.run, table.updated));
        };
        for (_, _, reference) in snapshot.head.tables() {
            add(catalog.table(reference)?);
        }
        // Tables that were dropped since were there, too.
        for dropped in snapshot.head.dropped.values() {
            match catalog.whole(&dropped.table)? {
                Some(table) => add(table),
                None => lost.push(format!("{}.{} on {}", dropped.database, dropped.name, dropped.at.format("%Y-%m-%d %H:%M UTC"))),
            }
        }
        if let Some(run) = run_named(run, all.iter().map(|(run, _)| run.as_str()))? {
            return Ok(all.iter().filter(|(known, _)| known == run).map(|(_, updated)| *updated).max());
        }
        let message = format!(
            "no run `{run}` published a table of this lake that is there; expected a run, as `etl history` shows them, or a time in UTC"
        );
        let error = Error::new(ErrorKind::Usage, message);
        Err(match lost.is_empty() {
            true => error,
            false => error.with_context("dropped since, and removed by `etl vacuum`", lost.join(", ")),
        })
    }

    /// The version of `table`, which is the current one, that was read at this moment.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where it had none then, [`ErrorKind::Input`] where that is no more.
    pub(super) fn of(&self, table: Table, catalog: &LocalCatalog, snapshot: &Snapshot) -> Result<Table> {
        let time = self.resolved(catalog, snapshot)?;
        let is_it = |version: u64, updated: DateTime<Utc>| match (self, time) {
            (Moment::Version(wanted), _) => version == *wanted,
            (_, Some(time)) => updated <= time,
            (_, None) => false,
        };
        if is_it(table.version, table.updated) {
            return Ok(table);
        }
        let name = format!("{}.{}", table.database, table.name);
        let Some(past) = table.history.iter().rev().find(|past| is_it(past.version, past.updated)) else {
            let versions: Vec<u64> = table.history.iter().map(|past| past.version).chain([table.version]).collect();
            let message = match self {
                Moment::Version(version) => format!("{name} has no version {version}"),
                Moment::Time(time) => format!("{name} did not exist yet at {}", time.format("%Y-%m-%d %H:%M:%S UTC")),
                Moment::Run(_) => format!("{name} did not exist yet"),
            };
            let first = table.history.first().map_or(table.updated, |past| past.updated);
            return Err(Error::new(ErrorKind::Usage, message).with_context(
                "versions",
                format!("{} to {}, the first of {}", versions[0], table.version, first.format("%Y-%m-%d %H:%M:%S UTC")),
            ));
        };
        let gone = |error: Error| {
            let message = format!("version {} of {name} no longer exists: `etl vacuum` removed it", past.version);
            Error::new(ErrorKind::Input, message).with_source(error)
        };
        catalog.table_at(&past.object).map_err(gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_looked_up_by_name() {
        let plain = "SELECT 1 AS of FROM t";
        assert_eq!(rewritten(plain), plain);
        let one = "SELECT * FROM web.access FOR VERSION AS OF 3 WHERE x";
        let new = rewritten(one);
        assert_eq!(new, "SELECT * FROM web.\"access@3\" AS \"access\"     WHERE x");
        assert_eq!(new.len(), one.len());
        let run = "FROM access for system_version as of '20200301T030000000Z-7f3a9c01' a JOIN b FOR TIMESTAMP AS OF TIMESTAMP '2020-01-01' USING (x)";
        let new = rewritten(run);
        assert!(new.starts_with("FROM \"access@20200301T030000000Z-7f3a9c01\"  "), "{new}");
        assert!(new.contains(" a JOIN \"b@2020-01-01\" AS \"b\" "), "{new}");
    }

    #[test]
    fn moments_are_numbers_times_and_runs() {
        assert_eq!(Moment::parse("3"), Moment::Version(3));
        let time = |text: &str| Moment::Time(text.parse().unwrap());
        assert_eq!(Moment::parse("2020-02-29"), time("2020-02-29T00:00:00Z"));
        assert_eq!(Moment::parse("2020-02-29 01:30"), time("2020-02-29T01:30:00Z"));
        assert_eq!(Moment::parse("2020-02-29T01:30:00+01:00"), time("2020-02-29T00:30:00Z"));
        assert_eq!(Moment::parse("20200301T030000000Z-7f3a9c01"), Moment::Run("20200301T030000000Z-7f3a9c01".into()));
    }
}
