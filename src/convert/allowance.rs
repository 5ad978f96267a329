//! How many lines may be rejected: above that, nothing is published.

use super::accounting::Tally;
use super::options::{ConvertOptions, OnError};
use super::rejects::Rejects;
use crate::error::{Error, ErrorKind, Result};
use crate::input::{Table, TableFormat, is_json_layout};
use crate::secrets::without_values;
use crate::units::count;
use std::sync::Arc;

/// The number and the reason of the first rejected line of a source, where it has one.
pub(super) type FirstReject = Option<(u64, Arc<str>)>;

/// How many files are named.
const NAMED: usize = 5;

/// Whether so many lines of each source, which `tallies` and `first` are in the order of, may be rejected. A source of which no line can be
/// read is not what it was taken for, which is no success where nothing was said of rejects.
///
/// # Errors
/// [`ErrorKind::Rejects`] where they may not.
pub(super) fn check(
    options: &ConvertOptions,
    table: &Table,
    tallies: &[Tally],
    first: &[FirstReject],
    rejects: Option<&Rejects>,
) -> Result<()> {
    let mut whole = Tally::default();
    tallies.iter().for_each(|tally| whole.add(*tally));
    match options.max_reject_rate {
        Some(limit) if whole.rejects as f64 > limit.0 * whole.lines as f64 => {
            let message =
                format!("{} of {} lines were rejected, more than the {limit} allowed; nothing was published", whole.rejects, whole.lines);
            let mut error = Error::new(ErrorKind::Rejects, message);
            for example in rejects.iter().flat_map(|rejects| &rejects.examples) {
                error = error.with_context("rejected", format!("{}:{}: {}", example.path, example.line, example.reason));
            }
            Err(error)
        }
        None if options.on_error != OnError::Skip && (0..tallies.len()).any(|index| is_unread(table, tallies, first, index)) => {
            Err(unreadable(table, tallies, first))
        }
        _ => Ok(()),
    }
}

/// Whether the source at `index` has lines and each was rejected, or most because they are JSON that is not an object a line. Of a file
/// that has grown there were others before.
fn is_unread(table: &Table, tallies: &[Tally], first: &[FirstReject], index: usize) -> bool {
    let has_more = table.sources[index].lines_before() > 0;
    let Tally { rows, rejects, .. } = tallies[index];
    rejects > 0 && !has_more && (rows == 0 || (rejects > rows && is_laid_out_otherwise(&first[index])))
}

fn is_laid_out_otherwise(first: &FirstReject) -> bool {
    first.as_ref().is_some_and(|(_, reason)| is_json_layout(reason))
}

/// The error of sources of which no line can be read.
fn unreadable(table: &Table, tallies: &[Tally], first: &[FirstReject]) -> Error {
    let unread: Vec<usize> = (0..tallies.len()).filter(|index| is_unread(table, tallies, first, *index)).collect();
    let format = match table.format.name() {
        "custom" => "its LogFormat says",
        name => name,
    };
    let (what, rejects) = match unread.as_slice() {
        [one] => (table.sources[*one].path.clone(), tallies[*one].rejects),
        more => (
            format!("{} of {} files", count(more.len() as u64), count(tallies.len() as u64)),
            more.iter().map(|index| tallies[*index].rejects).sum(),
        ),
    };
    let message = match unread.iter().all(|index| tallies[*index].rows == 0) {
        true => format!("no line of {what} can be read as {format} ({} rejected); nothing was published", count(rejects)),
        false => format!("most lines of {what} can't be read as {format} ({} rejected); nothing was published", count(rejects)),
    };
    let mut error = Error::new(ErrorKind::Rejects, message);
    for index in unread.iter().take(NAMED) {
        if let Some((line, reason)) = &first[*index] {
            error = error.with_context("rejected", format!("{}:{line}: {}", table.sources[*index].path, without_values(reason)));
        }
    }
    if unread.len() > NAMED {
        error = error.with_context("rejected", format!("{} more files", count((unread.len() - NAMED) as u64)));
    }
    for note in &table.notes {
        error = error.with_context("note", note);
    }
    let name = match table.format {
        TableFormat::Log { .. } => "name the format that they are in (--log-format)",
        _ if unread.iter().any(|index| is_laid_out_otherwise(&first[*index])) => "make an object a line of them first, as jq -c does",
        _ => "name the columns that they have (--schema)",
    };
    let otherwise = "--max-reject-rate 100%, in a pipeline max_reject_rate: 100%, goes on without such lines";
    error.with_context("what to do", format!("{name}, or leave such files out; {otherwise}"))
}
