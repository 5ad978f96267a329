//! How long what Glue is told of a table may be. What is longer is refused before anything is published, and not behind it.
//!
//! Source: the AWS pages on the structures of Glue's API (tables, columns, partitions), which count bytes.

use crate::catalog::entry::Entry;
use crate::catalog::told::Told;
use crate::error::{Error, ErrorKind, Result};
use crate::units::count;

const NAME: usize = 255;
const COMMENT: usize = 255;
const DESCRIPTION: usize = 2_048;
const DATA_TYPE: usize = 131_072;
const PARAMETER: usize = 512_000;
const LOCATION: usize = 2_056;
const VIEW: usize = 409_600;
const PARTITION_VALUE: usize = 1_024;

/// Makes sure that Glue takes what is told.
///
/// # Errors
/// [`ErrorKind::Format`] for the first text that is too long.
pub fn check_limits(told: &Told) -> Result<()> {
    for entry in [&told.entry].into_iter().chain(&told.view) {
        check(entry)?;
    }
    let name = told.entry.full_name();
    for partition in &told.partitions {
        fits(&name, "the location of a partition", &partition.storage.location, LOCATION)?;
        for value in &partition.values {
            fits(&name, "a partition's value", value, PARTITION_VALUE)?;
        }
    }
    Ok(())
}

fn check(entry: &Entry) -> Result<()> {
    let table = entry.full_name();
    let fits = |what: &str, text: &str, most: usize| fits(&table, what, text, most);
    fits("the name of the database", &entry.database, NAME)?;
    fits("the name of the table", &entry.name, NAME)?;
    fits("the description", entry.description.as_deref().unwrap_or_default(), DESCRIPTION)?;
    fits("the location", &entry.storage.location, LOCATION)?;
    fits("the query of the view", entry.view.as_deref().unwrap_or_default(), VIEW)?;
    for column in entry.storage.columns.iter().chain(&entry.partition_keys) {
        fits("the name of a column", &column.name, NAME)?;
        fits(&format!("the type of {}", column.name), &column.data_type, DATA_TYPE)?;
        fits(&format!("the comment of {}", column.name), column.comment.as_deref().unwrap_or_default(), COMMENT)?;
    }
    for (key, value) in &entry.parameters {
        fits("the name of a parameter", key, NAME)?;
        fits(&format!("the parameter {key}"), value, PARAMETER)?;
    }
    Ok(())
}

fn fits(table: &str, what: &str, text: &str, most: usize) -> Result<()> {
    if text.len() <= most {
        return Ok(());
    }
    let message = format!("{what} in {table} has {} bytes, but Glue allows at most {}", count(text.len() as u64), count(most as u64));
    let begin: String = text.chars().take(40).collect();
    Err(Error::new(ErrorKind::Format, message).with_context("text", format!("{begin}…")).with_context("what to do", "make it shorter"))
}
