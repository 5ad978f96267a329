//! Opens the files of a source as a table, the same way on each run.

use super::listing::Listing;
use super::pieces::Piece;
use crate::accesslog::LogFormats;
use crate::convert::SourceReport;
use crate::error::{Error, Result};
use crate::input::{CsvDialect, LogChoice, Table, TableFormat, TableOptions, other_logs};
use crate::pipeline::model::Source;
use crate::publish::{Input, Manifest, SourceFile};
use crate::schema::TableSchema;
use crate::schema::types::{arrow_type, athena_type};
use crate::secrets;
use arrow::datatypes::{Field, Schema, SchemaRef};
use std::sync::Arc;

/// Opens the `pieces` of files of `source` in `listing`. What an earlier run found out of the source is in `known`, and is taken over.
///
/// # Errors
/// [`ErrorKind::Input`](crate::ErrorKind::Input) where there is nothing to read or it can't be read,
/// [`ErrorKind::Format`](crate::ErrorKind::Format) where it can't be told what it is.
pub(crate) fn open(source: &Source, listing: &Listing, pieces: &[Piece], known: Option<&Input>) -> Result<Table> {
    let at = |error: Error| error.with_context("source", &source.name).with_context("at", &source.place);
    let options = options(source, known).map_err(at)?;
    // Where nothing is new, the others tell the columns.
    let all: Vec<Piece> = (0..listing.files.len()).map(Piece::whole).collect();
    let looked_at = if pieces.is_empty() { &all[..] } else { pieces };
    if looked_at.is_empty() {
        let missing = match &listing.missing {
            Some(missing) => Error::of_lines(missing.kind(), missing.to_string()),
            None => Error::new(crate::error::ErrorKind::Input, format!("source {} has no files", source.name)),
        };
        return Err(missing);
    }
    let files: Vec<_> = looked_at.iter().map(|piece| listing.source(piece)).collect();
    let mut table = Table::open(files, &options).map_err(at)?;
    // Earlier files told the format, so nobody has looked whether these are in it.
    if source.log_formats.is_empty() && matches!(options.log, LogChoice::Formats(_)) {
        let note = other_formats(&table, |_| true).map_err(at)?;
        table.notes.extend(note);
    }
    if pieces.is_empty() {
        table.sources.clear();
    }
    Ok(table)
}

/// What is to be said of those files of `table` that are `suspect` and look like logs in another format than it is read in.
///
/// # Errors
/// [`ErrorKind::Input`](crate::ErrorKind::Input) where one can't be read.
pub(crate) fn other_formats(table: &Table, suspect: impl Fn(&str) -> bool) -> Result<Option<String>> {
    // Of several formats the pipeline says itself which there are.
    let TableFormat::Log { formats, .. } = &table.format else { return Ok(None) };
    let Some(format) = formats.single() else { return Ok(None) };
    let suspects: Vec<_> = table.sources.iter().filter(|source| suspect(&source.path)).take(SUSPECTS).cloned().collect();
    other_logs(&suspects, format)
}

/// So many files are looked at for another format.
const SUSPECTS: usize = 1_000;

fn options(source: &Source, known: Option<&Input>) -> Result<TableOptions> {
    let found = known.and_then(|known| known.log_format.as_deref());
    let log = match (&source.log_formats[..], found) {
        ([], None) => LogChoice::default(),
        ([], Some(text)) => LogChoice::Formats(LogFormats::named(&text.split(LogFormats::BETWEEN).collect::<Vec<_>>())?),
        (named, _) => LogChoice::Formats(LogFormats::named(named)?),
    };
    let schema = match (&source.schema, known.filter(has_columns)) {
        (Some(path), _) => Some(TableSchema::load(path)?.arrow_schema()),
        (None, Some(known)) => Some(columns(known)?),
        (None, None) => None,
    };
    Ok(TableOptions {
        format: source.format,
        log,
        unescape: source.unescape,
        delimiter: source.delimiter.and_then(|c| u8::try_from(c).ok()),
        no_header: !source.header,
        dialect: CsvDialect::Rfc4180,
        schema,
        renames: source.renames.clone().into_iter().collect(),
        guessed: source.schema.is_none(),
        on_mismatch: source.on_mismatch,
    })
}

/// Whether the columns of a source's files may change from file to file, so that those which earlier runs found are to be known.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "filters give references")]
fn has_columns(known: &&Input) -> bool {
    matches!(known.format.as_str(), "csv" | "tsv" | "json" | "parquet")
}

/// The columns that an earlier run found.
fn columns(known: &Input) -> Result<SchemaRef> {
    let fields = known.columns.iter().map(|(name, data_type)| {
        let found = arrow_type(data_type);
        found.map(|data_type| Field::new(name, data_type, true)).map_err(|fault| {
            Error::new(crate::error::ErrorKind::Input, format!("a manifest says that column {name} is of the type `{data_type}`"))
                .with_context("wrong", fault.message)
        })
    });
    Ok(Arc::new(Schema::new(fields.collect::<Result<Vec<_>>>()?)))
}

/// What is known of a guessed source together with what its new `pieces` have beside it; nothing where they have no other columns.
///
/// # Errors
/// As [`open`].
pub(crate) fn grown(source: &Source, listing: &Listing, pieces: &[Piece], known: Option<&Input>) -> Result<Option<Input>> {
    let Some(known) = known.filter(has_columns) else { return Ok(None) };
    if pieces.is_empty() || source.schema.is_some() {
        return Ok(None);
    }
    let table = open(source, listing, pieces, Some(known))?;
    let columns = described(&table)?;
    Ok((columns != known.columns).then(|| Input { columns, files: Vec::new(), seen: Vec::new(), ..known.clone() }))
}

/// The columns of `all` that the newest of `manifests` has not so, in words.
pub(crate) fn news(all: &Input, manifests: &[Manifest]) -> String {
    let known: Vec<&(String, String)> =
        manifests.last().iter().flat_map(|manifest| manifest.inputs.values()).flat_map(|input| &input.columns).collect();
    let new = all.columns.iter().filter(|column| !known.contains(column)).map(|(name, data_type)| format!("{name} {data_type}"));
    new.collect::<Vec<_>>().join(", ")
}

/// Name and Athena's type of each column of `table`.
fn described(table: &Table) -> Result<Vec<(String, String)>> {
    let schema = table.format.schema();
    schema.fields().iter().map(|field| Ok((field.name().clone(), athena_type(field.data_type())?))).collect()
}

/// What a run remembers of a source that it read as `table`: `read` tells of each of its `pieces`. `known` are the files that were read before.
///
/// # Errors
/// Where a column is of a type that Athena has not.
pub(crate) fn remember(table: &Table, listing: &Listing, pieces: &[Piece], read: &[&SourceReport], known: &[SourceFile]) -> Result<Input> {
    let columns = described(table)?;
    let log_format = match &table.format {
        TableFormat::Log { formats, .. } => Some(secrets::redact(formats.text())),
        _ => None,
    };
    let file = |(at, piece): (usize, &Piece)| {
        let read = read.get(at);
        let record = listing.record(piece, read.map_or(0, |read| read.lines), known);
        SourceFile { rejects: read.map_or(0, |read| read.rejects), rowless: read.is_some_and(|read| read.rows == 0), ..record }
    };
    let files: Vec<SourceFile> = pieces.iter().enumerate().map(file).collect();
    Ok(Input { format: table.format.name().to_string(), log_format, columns, seen: listing.seen(&files)?, files })
}
