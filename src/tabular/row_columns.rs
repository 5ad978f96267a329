//! The columns of CSV and TSV: those that a header names, and their types.

use super::column_name::plain_name;
use super::delimiter::{delimiter_name, find_delimiter};
use super::dialect::CsvOptions;
use super::fields::{RowField, trimmed_end};
use super::infer::{Guess, MOST_COLUMNS, check_width};
use super::record::{Alone, lead_of_record};
use super::renames::Renames;
use super::syntax::RowSyntax;
use crate::decode::lead;
use crate::error::{Error, ErrorKind, Result};
use crate::escape::escape_invalid;
use arrow::datatypes::{Field, Schema, SchemaRef};
use std::collections::HashSet;
use std::sync::Arc;

/// The names in the header that `start`, of the file `path`, begins with.
///
/// # Errors
/// [`ErrorKind::Format`] where it has a quote or an escape that is broken.
pub fn header_names(path: &str, start: &[u8], syntax: RowSyntax) -> Result<Vec<String>> {
    let start = &start[lead(start)..];
    let mut fields = Vec::new();
    let split = syntax.split(start, 0, &mut Alone::default(), MOST_COLUMNS, &mut fields);
    if let Some(fault) = split.fault {
        return Err(Error::new(ErrorKind::Format, format!("{path}:1: the header has {}", fault.reason()))
            .with_context("what to do", "repair that line; --no-header if it is no header"));
    }
    let name = |field: &RowField| {
        let (mut name, mut escaped) = (Vec::new(), Vec::new());
        if !field.null {
            syntax.unescape(&start[field.start..field.end], &mut name);
        }
        escape_invalid(&name, &mut escaped);
        String::from_utf8_lossy(&escaped).trim().to_string()
    };
    Ok(fields.iter().map(name).collect())
}

/// Whether the header that `start`, of the file `path`, begins with is that of `schema`. `Shop ID` may be called `shop_id` there.
///
/// # Errors
/// [`ErrorKind::Format`] where it is not, or where it is broken.
pub fn check_header(path: &str, start: &[u8], syntax: RowSyntax, schema: &Schema) -> Result<()> {
    let plain = plain_name;
    let expected: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    let fits = |names: &[String]| {
        names.len() == expected.len() && names.iter().zip(&expected).all(|(name, expected)| plain(name) == plain(expected))
    };
    let names = header_names(path, start, syntax)?;
    if fits(&names) {
        return Ok(());
    }
    if let RowSyntax::Csv(options) = syntax {
        let other = find_delimiter(start, options.delimiter, options, Some(expected.len()));
        if other != options.delimiter && fits(&header_names(path, start, CsvOptions { delimiter: other, ..options }.into())?) {
            let (other, delimiter) = (delimiter_name(other), delimiter_name(options.delimiter));
            return Err(Error::new(
                ErrorKind::Format,
                format!("{path}:1: its delimiter is {other}, and the files are read with {delimiter}"),
            )
            .with_context("what to do", "convert files of each delimiter on their own, with --delimiter"));
        }
    }
    let delimiter = char::from(syntax.delimiter()).to_string();
    Err(Error::new(ErrorKind::Format, format!("{path}:1: the header is `{}`", names.join(&delimiter).escape_debug()))
        .with_context("expected", expected.join(&delimiter).escape_debug())
        .with_context(
            "what to do",
            "convert files with other columns one at a time, or name all columns with --schema; --no-header if it is no header",
        ))
}

/// The schema of a CSV or TSV from its first records; `start` begins with the header, where there is one.
///
/// # Errors
/// [`ErrorKind::Format`] where the header has a name twice or none, or too many.
pub fn infer_rows(path: &str, start: &[u8], syntax: RowSyntax) -> Result<SchemaRef> {
    guess_rows(path, start, syntax).map(|guess| guess.schema())
}

/// What the first records of files with one header tell of their columns.
#[derive(Debug)]
pub struct RowGuess(Vec<(String, Guess)>);

impl RowGuess {
    /// The names of the columns.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The columns with their types.
    pub fn schema(&self) -> SchemaRef {
        let columns = self.0.iter().map(|(name, guess)| Field::new(name, guess.data_type(), true));
        Arc::new(Schema::new(columns.collect::<Vec<_>>()))
    }

    /// The same, with the names that columns have now.
    #[must_use]
    pub fn renamed(mut self, renames: &Renames) -> RowGuess {
        self.0.iter_mut().for_each(|(name, _)| *name = renames.now(name).to_string());
        self
    }

    /// The columns of both, told by their names; what is only in `other` comes last.
    #[must_use]
    pub fn merged(mut self, other: RowGuess) -> RowGuess {
        for (name, guess) in other.0 {
            let exact = self.0.iter().position(|(known, _)| *known == name);
            let alike = || self.0.iter().position(|(known, _)| plain_name(known) == plain_name(&name));
            match exact.or_else(alike) {
                Some(at) => self.0[at].1 = self.0[at].1.and(guess),
                None => self.0.push((name, guess)),
            }
        }
        self
    }
}

/// What the first records of a CSV or TSV tell of its columns; `start` begins with the header, where there is one.
///
/// # Errors
/// As [`infer_rows`].
pub fn guess_rows(path: &str, start: &[u8], syntax: RowSyntax) -> Result<RowGuess> {
    let (mut fields, mut alone) = (Vec::new(), Alone::default());
    // A header's quotes open a field also behind bytes that are none of it.
    let start = if syntax.has_header() { &start[lead(start)..] } else { start };
    let mut first = syntax.split(start, 0, &mut alone, MOST_COLUMNS, &mut fields);
    if !syntax.has_header() {
        let mut at = 0;
        // A blank line, or one that is rejected, has no columns.
        while first.fault.is_some() || trimmed_end(start, at, first.next) == at {
            at = first.next;
            if at >= start.len() {
                let message = format!("{path} has no record in its first lines that tells how many columns there are");
                return Err(Error::new(ErrorKind::Format, message).with_context("what to do", "name them with --schema"));
            }
            first = syntax.split(start, at, &mut alone, MOST_COLUMNS, &mut fields);
        }
        alone = Alone::default();
    }
    check_width(path, first.count)?;
    let names = match syntax.has_header() {
        true => header_names(path, start, syntax)?,
        false => (1..=first.count).map(|number| format!("column_{number}")).collect(),
    };
    let mut seen = HashSet::new();
    for (index, name) in names.iter().enumerate() {
        let wrong = match name.is_empty() {
            true => Some(format!("column {} of the header has no name", index + 1)),
            false if name.contains('\r') && !name.contains('\n') => {
                let message = format!("{path}: its lines end in a carriage return alone; convert them first: tr '\\r' '\\n'");
                return Err(Error::new(ErrorKind::Format, message));
            }
            false => (!seen.insert(name)).then(|| format!("the header names `{name}` twice")),
        };
        if let Some(wrong) = wrong {
            return Err(Error::new(ErrorKind::Format, format!("{path}:1: {wrong}; give every column a name of its own, or --no-header")));
        }
    }
    let mut at = if syntax.has_header() { first.next } else { 0 };
    let mut guesses = vec![Guess::default(); names.len()];
    while at < start.len() {
        at += lead_of_record(&start[at..]);
        let split = syntax.split(start, at, &mut alone, names.len(), &mut fields);
        at = split.next;
        // What is rejected says nothing of the types.
        if split.fault.is_some() || split.count != names.len() {
            continue;
        }
        for (guess, field) in guesses.iter_mut().zip(&fields) {
            let value = &start[field.start..field.end];
            // A type that would make NULL of a text that is empty is none that loses nothing.
            if !(field.null || value.is_empty() && syntax.empty_is_null()) {
                guess.see(value);
            }
        }
    }
    Ok(RowGuess(names.into_iter().zip(guesses).collect()))
}
