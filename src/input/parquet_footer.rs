//! Footers of Parquet files, looked at before they are believed: what they say decides where is read and how much memory is taken.

use super::faults::caught;
use super::thrift::{Kind, Parsed, Thrift};
use super::told_types::readable;
use crate::error::{Error, ErrorKind, Result};
use crate::units::{ByteSize, count};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::reader::ChunkReader;
use std::ops::Range;
use std::sync::Arc;

/// What ends a file: the length of its footer, and the magic bytes.
pub const TAIL: u64 = 8;
/// A footer may have this many bytes. In memory it takes some twenty times as many.
const BYTES: u64 = 16 << 20;
/// How many column chunks there may be: columns times row groups.
const CHUNKS: usize = 250_000;
/// How deep columns may be nested.
const DEPTH: usize = 32;
/// The magic bytes at both ends of a file.
const MAGIC: &[u8] = b"PAR1";

/// The footer of `file`, which `path` names, and its columns as Arrow has them; times of INT96 are microseconds.
///
/// # Errors
/// [`ErrorKind::Input`] where the file isn't whole, or its footer says what can't be.
pub fn footer(file: &impl ChunkReader, path: &str) -> Result<ArrowReaderMetadata> {
    let size = file.len();
    let read = |range: Range<u64>| file.get_bytes(range.start, (range.end - range.start) as usize).map_err(|e| unreadable(path, e));
    let tail = read(size.saturating_sub(TAIL)..size)?;
    let place = footer_place(&tail, size, path)?;
    let metadata = parse_footer(&read(place.clone())?, place.start, path)?;
    let arrow = caught(|| ArrowReaderMetadata::try_new(Arc::new(metadata), ArrowReaderOptions::new()));
    match arrow {
        Ok(Ok(arrow)) => Ok(arrow),
        Ok(Err(e)) => Err(damaged(path, &e)),
        Err(panic) => Err(damaged(path, &panic)),
    }
}

/// Where the footer of a file of `size` bytes lies, by its last [`TAIL`] bytes.
///
/// # Errors
/// [`ErrorKind::Input`] where the file doesn't end as Parquet does.
pub fn footer_place(tail: &[u8], size: u64, path: &str) -> Result<Range<u64>> {
    let whole = |what: String| Error::new(ErrorKind::Input, format!("{path} is not a whole Parquet file: {what}"));
    let Some((length, magic)) = tail.split_first_chunk::<4>() else {
        return Err(whole(format!("it has {size} bytes, fewer than any footer")));
    };
    if magic == b"PARE" {
        return Err(Error::new(ErrorKind::Input, format!("the footer of {path} is encrypted, which etl can't read")));
    }
    if magic != MAGIC {
        return Err(whole("it doesn't end with PAR1, so it is another format, was cut off, or is still being written".to_string()));
    }
    let length = u64::from(u32::from_le_bytes(*length));
    let end = size - TAIL;
    let Some(start) = end.checked_sub(length).filter(|start| *start >= MAGIC.len() as u64) else {
        return Err(whole(format!("it has {size} bytes, but claims a footer of {length}")));
    };
    if length > BYTES {
        let (length, most) = (ByteSize(length), ByteSize(BYTES).as_given());
        return Err(too_big(path, format!("{length}, more than the limit of {most}")));
    }
    Ok(start..end)
}

/// What a footer says, which begins at byte `start` of the file; times of INT96 are microseconds in it, and no column is a dictionary.
///
/// # Errors
/// [`ErrorKind::Input`] where that can't be.
pub fn parse_footer(bytes: &[u8], start: u64, path: &str) -> Result<ParquetMetaData> {
    let (leaves, groups) = look(bytes).map_err(|what| damaged(path, &what))?;
    if leaves.saturating_mul(groups.max(1)) > CHUNKS {
        let what = format!(
            "{} columns in {} row groups, more than the limit of {} column chunks",
            count(leaves as u64),
            count(groups as u64),
            count(CHUNKS as u64)
        );
        return Err(too_big(path, what));
    }
    let metadata = match caught(|| ParquetMetaDataReader::decode_metadata(bytes)) {
        Ok(Ok(metadata)) => metadata,
        Ok(Err(e)) => return Err(damaged(path, &e)),
        Err(panic) => return Err(damaged(path, &panic)),
    };
    check(&metadata, start).map_err(|what| damaged(path, &what))?;
    match caught(|| readable(metadata)) {
        Ok(Ok(metadata)) => Ok(metadata),
        Ok(Err(e)) => Err(damaged(path, &e)),
        Err(panic) => Err(damaged(path, &panic)),
    }
}

fn unreadable(path: &str, e: parquet::errors::ParquetError) -> Error {
    match e {
        parquet::errors::ParquetError::External(e) => match e.downcast::<std::io::Error>() {
            Ok(e) => Error::input(path, *e),
            Err(e) => Error::new(ErrorKind::Input, format!("can't read {path}")).with_source(e),
        },
        other => Error::new(ErrorKind::Input, format!("can't read {path}")).with_source(other),
    }
}

fn damaged(path: &str, what: &dyn std::fmt::Display) -> Error {
    Error::new(ErrorKind::Input, format!("the footer of {path} is damaged: {what}"))
        .with_context("what to do", "fetch the file again, or have it written again")
}

fn too_big(path: &str, what: String) -> Error {
    Error::new(ErrorKind::Input, format!("the footer of {path} is too big: {what}"))
        .with_context("what to do", "have the data written as several files, or with larger row groups")
}

/// Goes through a footer without believing it; gives how many columns (their leaves) and row groups it has.
fn look(bytes: &[u8]) -> Parsed<(usize, usize)> {
    const SCHEMA: i64 = 2;
    const ROW_GROUPS: i64 = 4;
    let mut thrift = Thrift::new(bytes);
    let (mut last, mut leaves, mut groups) = (0, 0, 0);
    while let Some((field, kind)) = thrift.field(&mut last)? {
        match (field, kind) {
            (SCHEMA, Kind::List) => leaves = look_at_schema(&mut thrift)?,
            (ROW_GROUPS, Kind::List) => {
                groups = thrift.clone().list()?.1;
                thrift.skip(kind)?;
            }
            _ => thrift.skip(kind)?,
        }
    }
    Ok((leaves, groups))
}

/// Goes through a schema, a tree in which each element says how many follow below it; gives the number of its leaves.
fn look_at_schema(thrift: &mut Thrift<'_>) -> Parsed<usize> {
    const CHILDREN: i64 = 5;
    let (Kind::Struct, elements) = thrift.list()? else { return Err("its schema is no list of columns") };
    let (mut leaves, mut below) = (0, Vec::new());
    for element in 0..elements {
        let (mut last, mut children) = (0, 0);
        while let Some((field, kind)) = thrift.field(&mut last)? {
            match (field, kind) {
                (CHILDREN, Kind::Number) => children = thrift.int()?,
                _ => thrift.skip(kind)?,
            }
        }
        let children = usize::try_from(children).map_err(|_| "a column claims a negative number of columns below it")?;
        match below.last_mut() {
            Some(left) => *left -= 1,
            None if element > 0 => return Err("some columns belong to no other"),
            None => {}
        }
        if children > elements {
            return Err("a column claims more columns below it than there are");
        }
        leaves += usize::from(children == 0);
        below.push(children);
        if below.len() > DEPTH {
            return Err("its columns are nested deeper than 32 times");
        }
        while below.last() == Some(&0) {
            below.pop();
        }
    }
    if below.is_empty() { Ok(leaves) } else { Err("it has fewer columns than it claims") }
}

/// Whether what the footer says fits together, and into the file, whose data end at byte `end`.
fn check(metadata: &ParquetMetaData, end: u64) -> Result<(), String> {
    let (mut rows, mut ranges) = (0i64, Vec::new());
    for (index, group) in metadata.row_groups().iter().enumerate() {
        let told = group.num_rows();
        rows = rows.checked_add(told).filter(|_| told >= 0).ok_or_else(|| format!("row group {index} claims {told} rows"))?;
        for column in group.columns() {
            let wrong = |what: String| format!("row group {index}, column `{}`: {what}", column.column_path().string());
            ranges.push(chunk_range(column, end).map_err(wrong)?);
            let (values, flat) = (column.num_values(), column.column_descr().max_rep_level() == 0);
            if values < 0 || flat && values != told {
                return Err(wrong(format!("it claims {values} values in {told} rows")));
            }
        }
    }
    let file_rows = metadata.file_metadata().num_rows();
    if rows != file_rows {
        return Err(format!("it claims {file_rows} rows, but its row groups have {rows}"));
    }
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    match ranges.windows(2).find(|pair| pair[0].end > pair[1].start) {
        Some(pair) => Err(format!("two columns claim to be at byte {}", pair[1].start)),
        None => Ok(()),
    }
}

/// Where a column chunk lies in a file whose data end at byte `end`.
fn chunk_range(column: &ColumnChunkMetaData, end: u64) -> Result<Range<u64>, String> {
    let start = column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset());
    let (length, data) = (column.compressed_size(), column.data_page_offset());
    let wrong = || format!("it claims {length} bytes from byte {start} on, but the data ends at byte {end}");
    let range = place(start, length, end).ok_or_else(wrong)?;
    if column.uncompressed_size() < 0 || data < start || (length > 0 && u64::try_from(data).is_ok_and(|data| data >= range.end)) {
        return Err(wrong());
    }
    let mut beside = [
        (column.column_index_offset(), column.column_index_length()),
        (column.offset_index_offset(), column.offset_index_length()),
        (column.bloom_filter_offset(), Some(column.bloom_filter_length().unwrap_or(0))),
    ]
    .into_iter();
    match beside.find(|(start, length)| start.is_some_and(|start| place(start, length.unwrap_or(0).into(), end).is_none())) {
        Some((start, length)) => Err(format!(
            "its index claims to be at byte {}, with {} bytes, but the data ends at byte {end}",
            start.unwrap_or_default(),
            length.unwrap_or_default()
        )),
        None => Ok(range),
    }
}

/// The bytes from `start` on, where a file's data end at byte `end`.
fn place(start: i64, length: i64, end: u64) -> Option<Range<u64>> {
    let (start, length) = (u64::try_from(start).ok()?, u64::try_from(length).ok()?);
    let stop = start.checked_add(length)?;
    (start >= MAGIC.len() as u64 && stop <= end).then_some(start..stop)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A footer with a schema whose list is said to have `told` elements, and has those that say that so many follow below them.
    fn schema(told: u8, below: &[u8]) -> Vec<u8> {
        // Field 2, a list of structs; in each of them field 5, a number.
        let elements = below.iter().flat_map(|below| [0x55, below * 2, 0]);
        [0x29, 0xfc, told].into_iter().chain(elements).chain([0]).collect()
    }

    #[test]
    fn a_schema_is_not_believed() {
        assert_eq!(look(&schema(4, &[2, 1, 0, 0])), Ok((2, 0)));
        assert_eq!(look(&schema(100, &[1; 100])), Err("its columns are nested deeper than 32 times"));
        assert_eq!(look(&schema(127, &[1, 0])), Err("a list in it claims to be longer than the rest"));
        assert_eq!(look(&schema(2, &[60, 0])), Err("a column claims more columns below it than there are"));
        assert_eq!(look(&schema(3, &[1, 0, 0])), Err("some columns belong to no other"));
        assert_eq!(look(&schema(2, &[2, 0])), Err("it has fewer columns than it claims"));
    }

    #[test]
    fn a_footer_lies_in_its_file() {
        let tail = |length: u32| [&length.to_le_bytes(), MAGIC].concat();
        assert_eq!(footer_place(&tail(100), 200, "x").unwrap(), 92..192);
        for (tail, size, what) in [
            (tail(190), 200, "it has 200 bytes, but claims a footer of 190"),
            (tail(2_000_000_000), 3_000_000_000, "the footer of x is too big: 2.00 GB"),
            (b"1234PARE".to_vec(), 200, "is encrypted"),
            (b"12345678".to_vec(), 200, "it doesn't end with PAR1"),
            (b"1".to_vec(), 1, "it has 1 bytes"),
        ] {
            let error = footer_place(&tail, size, "x").unwrap_err();
            assert!(error.to_string().contains(what), "{error}");
        }
    }
}
