//! How many lines may be rejected, of all and of each file: above that, nothing is published.

use super::accounting::Tally;
use super::options::{ConvertOptions, OnError};
use super::rejects::Rejects;
use crate::error::{Error, ErrorKind, Result};
use crate::input::{Table, TableFormat, is_json_layout};
use crate::secrets::without_values;
use crate::units::{Rate, count, counted};
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
    let is_accepted = |index: usize| {
        let accepted = options.accepted_rejects.get(index).copied().unwrap_or_default();
        accepted > 0 && tallies[index].rejects <= accepted
    };
    let counted: Vec<usize> = (0..tallies.len()).filter(|index| !is_accepted(*index)).collect();
    match options.max_reject_rate {
        Some(limit) => within(limit, table, tallies, &counted, first, rejects),
        None if options.on_error == OnError::Skip => Ok(()),
        None => {
            let unread: Vec<usize> = counted.into_iter().filter(|index| is_unread(table, tallies, first, *index)).collect();
            if unread.is_empty() { Ok(()) } else { Err(unreadable(table, tallies, first, &unread)) }
        }
    }
}

/// Whether the `sources` have no more rejects than `limit` allows: all together, so that many a little bad are seen, and each on
/// its own, so that a bad one isn't hidden among good ones. Of one that has grown the few lines at its end are no file of their own.
fn within(
    limit: Rate,
    table: &Table,
    tallies: &[Tally],
    sources: &[usize],
    first: &[FirstReject],
    rejects: Option<&Rejects>,
) -> Result<()> {
    let is_over = |tally: &Tally| tally.rejects as f64 > limit.0 * tally.lines as f64;
    let mut whole = Tally::default();
    sources.iter().for_each(|index| whole.add(tallies[*index]));
    let bad: Vec<usize> =
        sources.iter().copied().filter(|index| is_over(&tallies[*index]) && table.sources[*index].lines_before() == 0).collect();
    let (whole_is_over, told) = (is_over(&whole), format!("more than the {limit} allowed"));
    if !whole_is_over && bad.is_empty() {
        return Ok(());
    }
    let shares = |tally: &Tally| {
        let verb = if tally.rejects == 1 { "was" } else { "were" };
        format!("{} of {} {verb} rejected", count(tally.rejects), counted(tally.lines, "line"))
    };
    let message = match (whole_is_over, bad.as_slice()) {
        (true, _) => format!("{}, {told}; nothing was published", shares(&whole)),
        (false, [one]) => format!("{}: {}, {told} of a file; nothing was published", table.sources[*one].path, shares(&tallies[*one])),
        (false, more) => format!("{} files have {told} of rejected lines; nothing was published", count(more.len() as u64)),
    };
    let mut error = Error::new(ErrorKind::Rejects, message);
    if table.sources.len() > 1 {
        for index in bad.iter().take(NAMED) {
            error = error.with_context("file", format!("{}: {}", table.sources[*index].path, shares(&tallies[*index])));
        }
        if bad.len() > NAMED {
            error = error.with_context("file", format!("{} more", count((bad.len() - NAMED) as u64)));
        }
    }
    match (whole_is_over, rejects) {
        (true, Some(rejects)) => {
            for example in &rejects.examples {
                error = error.with_context("rejected", format!("{}:{}: {}", example.path, example.line, example.reason));
            }
        }
        _ => error = with_first(error, table, first, &bad),
    }
    let name = "leave such files out, correct them, or accept them for this run with a higher --max-reject-rate";
    Err(error.with_context("what to do", name))
}

/// Names the first rejected line of each of `sources`, as far as they are told.
fn with_first(error: Error, table: &Table, first: &[FirstReject], sources: &[usize]) -> Error {
    sources.iter().take(NAMED).fold(error, |error, index| match &first[*index] {
        Some((line, reason)) => {
            error.with_context("rejected", format!("{}:{line}: {}", table.sources[*index].path, without_values(reason)))
        }
        None => error,
    })
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
fn unreadable(table: &Table, tallies: &[Tally], first: &[FirstReject], unread: &[usize]) -> Error {
    let format = match table.format.name() {
        "custom" => "its LogFormat says",
        name => name,
    };
    let (what, rejects) = match unread {
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
    let mut error = with_first(Error::new(ErrorKind::Rejects, message), table, first, unread);
    if unread.len() > NAMED {
        error = error.with_context("rejected", format!("{} more files", count((unread.len() - NAMED) as u64)));
    }
    for note in &table.notes {
        error = error.with_context("note", note);
    }
    let name = match table.format {
        TableFormat::Log { .. } => "set their format (--log-format)",
        _ if unread.iter().any(|index| is_laid_out_otherwise(&first[*index])) => "convert them to one object per line first, as jq -c does",
        _ => "describe their columns (--schema)",
    };
    let otherwise = "--max-reject-rate 100%, or in a pipeline max_reject_rate: 100%, continues without such lines";
    error.with_context("what to do", format!("{name}, or leave such files out; {otherwise}"))
}
