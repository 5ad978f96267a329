//! The columns of a CSV: those that its header names, and their types.

use super::dialect::CsvOptions;
use super::fields::{CsvField, split_record, unescape};
use super::infer::{Guess, MOST_COLUMNS, check_width};
use super::record::Alone;
use crate::error::{Error, ErrorKind, Result};
use arrow::datatypes::{Field, Schema, SchemaRef};
use std::collections::HashSet;
use std::sync::Arc;

/// The names in the header that `start`, of the file `path`, begins with.
///
/// # Errors
/// [`ErrorKind::Format`] where it has a quote that is broken.
pub fn csv_header(path: &str, start: &[u8], options: CsvOptions) -> Result<Vec<String>> {
    let mut fields = Vec::new();
    let split = split_record(start, 0, &mut Alone::default(), options, MOST_COLUMNS, &mut fields);
    if let Some(fault) = split.fault {
        return Err(Error::new(ErrorKind::Format, format!("{path}:1: the header has {}", fault.reason()))
            .with_context("what to do", "repair that line; --no-header if it is no header"));
    }
    let name = |field: &CsvField| {
        let mut name = Vec::new();
        unescape(&start[field.start..field.end], options.dialect, &mut name);
        String::from_utf8_lossy(&name).trim().to_string()
    };
    Ok(fields.iter().map(name).collect())
}

/// Whether the header `names` of the file `path` is that of `schema`. `Shop ID` may be called `shop_id` there.
///
/// # Errors
/// [`ErrorKind::Format`] where it is not, as columns are told by their places.
pub fn check_header(path: &str, names: &[String], schema: &Schema) -> Result<()> {
    let plain = |name: &str| name.to_lowercase().replace(|c: char| !c.is_alphanumeric(), "_");
    let expected: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    if names.len() == expected.len() && names.iter().zip(&expected).all(|(name, expected)| plain(name) == plain(expected)) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Format, format!("{path}:1: the header is `{}`", names.join(",").escape_debug()))
        .with_context("expected", expected.join(","))
        .with_context("what to do", "convert files with other columns, or in another order, one at a time; --no-header if it is no header"))
}

/// The schema of a CSV from its first records; `start` begins with the header, where there is one.
///
/// # Errors
/// [`ErrorKind::Format`] where the header has a name twice or none, or too many.
pub fn infer_csv(path: &str, start: &[u8], options: CsvOptions) -> Result<SchemaRef> {
    let (mut fields, mut alone) = (Vec::new(), Alone::default());
    let first = split_record(start, 0, &mut alone, options, MOST_COLUMNS, &mut fields);
    check_width(path, first.count)?;
    let names = match options.header {
        true => csv_header(path, start, options)?,
        false => (1..=fields.len()).map(|number| format!("column_{number}")).collect(),
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
    let mut at = if options.header { first.next } else { 0 };
    let mut guesses = vec![Guess::default(); names.len()];
    while at < start.len() {
        let split = split_record(start, at, &mut alone, options, names.len(), &mut fields);
        at = split.next;
        // What is rejected says nothing of the types.
        if split.fault.is_some() || split.count != names.len() {
            continue;
        }
        for (guess, field) in guesses.iter_mut().zip(&fields) {
            if field.start < field.end {
                guess.see(&start[field.start..field.end]);
            }
        }
    }
    let columns = names.into_iter().zip(guesses).map(|(name, guess)| Field::new(name, guess.data_type(), true));
    Ok(Arc::new(Schema::new(columns.collect::<Vec<_>>())))
}
