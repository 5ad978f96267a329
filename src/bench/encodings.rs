//! Which of Parquet's encodings fits which column: each column alone, in files that differ in nothing else.

use super::data_set::{DataSet, Form};
use super::local::Local;
use super::question::TABLE;
use super::settings::Settings;
use super::shuffle::shuffle;
use super::timing::Timing;
use crate::error::{Error, ErrorKind, Result};
use crate::output::Kind;
use crate::sql_text::quoted;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding as ParquetEncoding, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde::Serialize;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// A column in all encodings that its type has.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EncodedColumn {
    pub column: String,
    pub data_type: String,
    pub encodings: Vec<Encoding>,
}

/// A column in one encoding.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Encoding {
    /// As Parquet calls it; `sorted` stands for a dictionary of rows that are in the order of the column, so that repeats are runs.
    pub name: &'static str,
    /// Of the file, as it is encoded, and compressed by zstd behind that.
    pub bytes: u64,
    pub zstd_bytes: u64,
    /// To read the compressed one.
    pub seconds: Option<Timing>,
}

impl EncodedColumn {
    /// The smallest compressed one of those that leave the rows in their order.
    pub fn smallest(&self) -> Option<&Encoding> {
        self.encodings.iter().filter(|encoding| encoding.name != SORTED).min_by_key(|encoding| encoding.zstd_bytes)
    }
}

const SORTED: &str = "sorted";

/// How a column is written.
#[derive(Clone, Copy)]
enum How {
    Plain(ParquetEncoding),
    Dictionary,
    /// With a dictionary, the rows in the order of the column.
    Sorted,
}

/// All that Parquet has for values of a type ([Encodings](https://parquet.apache.org/docs/file-format/data-pages/encodings/)).
fn ways(kind: &DataType) -> Vec<(&'static str, How)> {
    let plain = How::Plain;
    let mut ways = vec![("plain", plain(ParquetEncoding::PLAIN))];
    if kind.is_nested() {
        return ways;
    }
    if *kind == DataType::Boolean {
        ways.push(("run lengths", plain(ParquetEncoding::RLE)));
        return ways;
    }
    ways.push(("dictionary", How::Dictionary));
    let is_text = matches!(
        kind,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Binary | DataType::LargeBinary | DataType::BinaryView
    );
    let is_whole =
        kind.is_integer() || matches!(kind, DataType::Timestamp(..) | DataType::Date32 | DataType::Time32(_) | DataType::Time64(_));
    if is_text {
        ways.push(("delta", plain(ParquetEncoding::DELTA_BYTE_ARRAY)));
        ways.push(("delta lengths", plain(ParquetEncoding::DELTA_LENGTH_BYTE_ARRAY)));
    }
    if is_whole {
        ways.push(("delta", plain(ParquetEncoding::DELTA_BINARY_PACKED)));
    }
    if is_whole || matches!(kind, DataType::Float32 | DataType::Float64) {
        ways.push(("byte-stream-split", plain(ParquetEncoding::BYTE_STREAM_SPLIT)));
    }
    ways.push((SORTED, How::Sorted));
    ways
}

/// Writes each column of the rows at `place` in each encoding to `folder`, and measures it.
///
/// # Errors
/// What reading and writing give.
pub(super) fn encodings(settings: &Settings, local: &Local, set: &DataSet, place: &str, folder: &Path) -> Result<Vec<EncodedColumn>> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|e| Error::output(folder.display(), e))?;
    }
    fs::create_dir_all(folder).map_err(|e| Error::output(folder.display(), e))?;
    let mut columns = Vec::new();
    let mut files: Vec<(usize, usize, PathBuf)> = Vec::new();
    for (number, field) in local.schema.fields().iter().enumerate() {
        let mut encoded = Vec::new();
        for (name, how) in ways(field.data_type()) {
            let path = |codec: &str| folder.join(format!("{number:03}-{}-{codec}.parquet", name.replace(' ', "-")));
            let (bare, packed) = (path("none"), path("zstd"));
            written(local, set, place, field, how, [&bare, &packed])?;
            let size = |path: &Path| fs::metadata(path).map(|told| told.len()).map_err(|e| Error::input(path.display(), e));
            encoded.push(Encoding { name, bytes: size(&bare)?, zstd_bytes: size(&packed)?, seconds: None });
            files.push((columns.len(), encoded.len() - 1, packed));
        }
        columns.push(EncodedColumn {
            column: field.name().clone(),
            data_type: crate::schema::types::described_type(field.data_type()),
            encodings: encoded,
        });
    }
    let form = DataSet { form: Form { format: Kind::Parquet, compression: "zstd".to_string() }, splits: 1, partition_by: Vec::new() };
    let sql = format!("SELECT * FROM {TABLE}");
    let mut runs: Vec<Vec<f64>> = vec![Vec::new(); files.len()];
    // The first round is none: it finds the files where the others find them.
    for round in 0..=settings.runs {
        let mut order: Vec<usize> = (0..files.len()).collect();
        shuffle(&mut order, settings.seed.wrapping_add(u64::from(round)));
        for at in order {
            let begun = Instant::now();
            let engine = local.open(&form, &files[at].2.display().to_string())?;
            local.rows(&engine, &sql, |_| Ok(()))?;
            if round > 0 {
                runs[at].push(begun.elapsed().as_secs_f64());
            }
        }
    }
    for ((column, encoding, _), runs) in files.into_iter().zip(runs) {
        columns[column].encodings[encoding].seconds = Timing::of(runs);
    }
    Ok(columns)
}

/// Writes a column to two files: bare, and compressed.
fn written(local: &Local, set: &DataSet, place: &str, field: &Arc<Field>, how: How, files: [&Path; 2]) -> Result<()> {
    let properties = |compression| {
        let builder = WriterProperties::builder().set_compression(compression);
        match how {
            How::Plain(encoding) => builder.set_dictionary_enabled(false).set_encoding(encoding),
            How::Dictionary | How::Sorted => builder.set_dictionary_enabled(true),
        }
        .build()
    };
    let name = quoted(field.name());
    let order = if matches!(how, How::Sorted) { format!(" ORDER BY {name}") } else { String::new() };
    let engine = local.open(set, place)?;
    let schema: SchemaRef = Arc::new(Schema::new(vec![field.as_ref().clone().with_nullable(true)]));
    let mut writers = Vec::new();
    for (path, compression) in files.into_iter().zip([Compression::UNCOMPRESSED, Compression::ZSTD(ZstdLevel::default())]) {
        let file = File::create(path).map_err(|e| Error::output(path.display(), e))?;
        writers.push(ArrowWriter::try_new(file, schema.clone(), Some(properties(compression))).map_err(|e| failed(path, e))?);
    }
    local.rows(&engine, &format!("SELECT {name} FROM {TABLE}{order}"), |batch| {
        // The type is that of the rows, whatever form the engine has them in.
        let values = arrow::compute::cast(batch.column(0), field.data_type())?;
        let batch = arrow::record_batch::RecordBatch::try_new(schema.clone(), vec![values])?;
        writers.iter_mut().zip(files).try_for_each(|(writer, path)| writer.write(&batch).map_err(|e| failed(path, e)))
    })?;
    writers.into_iter().zip(files).try_for_each(|(writer, path)| writer.close().map(drop).map_err(|e| failed(path, e)))
}

fn failed(path: &Path, error: parquet::errors::ParquetError) -> Error {
    Error::new(ErrorKind::Output, format!("{} can't be written", path.display())).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_its_ways() {
        let names = |kind: DataType| ways(&kind).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names(DataType::Utf8View), ["plain", "dictionary", "delta", "delta lengths", "sorted"]);
        assert_eq!(names(DataType::Int32), ["plain", "dictionary", "delta", "byte-stream-split", "sorted"]);
        assert_eq!(names(DataType::Float64), ["plain", "dictionary", "byte-stream-split", "sorted"]);
        assert_eq!(names(DataType::Boolean), ["plain", "run lengths"]);
    }
}
