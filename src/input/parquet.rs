//! Parquet files as tables: their columns, in types that every output has, and their row groups.

use super::blocks::BlockReader;
use super::compression::Compression;
use super::framing::Framing;
use super::int96;
use super::many::each;
use super::parquet_columns::Together;
use super::parquet_footer::footer;
use super::random_access::RandomAccess;
use super::row_group::{GroupRows, as_written};
use super::source::Source;
use crate::error::{Error, ErrorKind, Result};
use arrow::datatypes::SchemaRef;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use std::collections::HashSet;
use std::ops::Range;

/// The rows of one row group.
pub type RowGroup = GroupRows<RandomAccess>;

impl GroupRows<RandomAccess> {
    /// Opens row group `index` of `source`, whose footer is `footer` and whose columns are those of `schema`; `projection` are the ones
    /// wanted, all where not given.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where the file is damaged.
    pub fn open(
        source: &Source,
        footer: &ArrowReaderMetadata,
        index: usize,
        schema: &SchemaRef,
        projection: Option<&[usize]>,
    ) -> Result<RowGroup> {
        let Some(file) = source.open_random()? else { return Err(not_a_file(source)) };
        RowGroup::of(&file, source, footer, index, schema, projection)
    }

    /// As [`RowGroup::open`], where `file` is `source` and open already.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where the file is damaged.
    pub fn of(
        file: &RandomAccess,
        source: &Source,
        footer: &ArrowReaderMetadata,
        index: usize,
        schema: &SchemaRef,
        projection: Option<&[usize]>,
    ) -> Result<RowGroup> {
        let files = |chunks: &[(usize, Range<u64>)]| {
            let file = file.with(chunks.iter().map(|(_, range)| range.clone())).map_err(|e| Error::input(&source.path, e))?;
            let again = || file.try_clone().map_err(|e| Error::input(&source.path, e));
            let (second, third) = (again()?, again()?);
            Ok([file, second, third])
        };
        GroupRows::new(files, &source.path, footer, index, schema, projection).map_err(|e| source.blamed(e))
    }
}

fn not_a_file(source: &Source) -> Error {
    let message = format!("Parquet can't be read from a pipe, as {} is one: its footer comes last; save it to a file first", source.path);
    Error::new(ErrorKind::Usage, message)
}

/// The columns that all files have together, told by their names; `known` are those that an earlier run found.
///
/// # Errors
/// [`ErrorKind::Input`] where a file is not Parquet or none of this table, [`ErrorKind::Format`] where two columns have one name.
pub(super) fn parquet_schema(sources: &[Source], known: Option<&SchemaRef>, notes: &mut Vec<String>) -> Result<SchemaRef> {
    let mut together = Together::knowing(known);
    let mut int96 = Vec::new();
    for (source, found) in sources.iter().zip(each(sources, schema_of)) {
        let (schema, found) = found?;
        if int96.is_empty() {
            int96 = found;
        }
        together.take(&source.path, &schema)?;
    }
    if !int96.is_empty() {
        notes.push(format!("times of INT96 are read to the microsecond: {}", int96.join(", ")));
    }
    together.done(notes).ok_or_else(|| Error::new(ErrorKind::Usage, "there is no input"))
}

/// The columns of a file, and the names of those that have times of INT96.
fn schema_of(source: &Source) -> Result<(SchemaRef, Vec<String>)> {
    let Some(file) = source.open_random()? else { return Err(not_a_file(source)) };
    let metadata = footer(&file, &source.path).map_err(|error| match sniff(source) {
        Compression::None => source.blamed(error),
        other => error.with_context("note", format!("it is compressed with {}", other.name())),
    })?;
    let schema = as_written(metadata.schema());
    let mut names = HashSet::new();
    if let Some(twice) = schema.fields().iter().find(|field| !names.insert(field.name())) {
        let message = format!("{} has two columns called `{}`; rename one", source.path, twice.name());
        return Err(Error::new(ErrorKind::Format, message));
    }
    let int96 = int96::roots(metadata.parquet_schema()).into_iter().map(|root| schema.field(root).name().clone());
    let int96 = int96.collect();
    Ok((schema, int96))
}

fn sniff(source: &Source) -> Compression {
    BlockReader::peek(source, Framing::Lines).map_or(Compression::None, |reader| reader.compression())
}
