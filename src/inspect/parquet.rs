//! Inspects Parquet: mostly by what the footers say.

use super::model::{ColumnInspection, ColumnStorage, FileInspection, Inspection, ParquetInspection};
use super::profile::Profile;
use crate::error::{Error, ErrorKind, Result};
use crate::input::{RandomAccess, RowGroup, Source, Table, caught, footer, growth};
use arrow::array::{Array, ArrayRef};
use arrow::compute::cast;
use arrow::datatypes::{DataType, SchemaRef};
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};

/// Reads the footers of the table's files, and the columns whose different values are to be counted.
pub(super) fn inspect(table: &Table) -> Result<Inspection> {
    let schema = table.format.schema();
    let mut columns: Vec<ParquetColumn> = schema.fields().iter().map(|_| ParquetColumn::default()).collect();
    let mut found = ParquetInspection::default();
    let mut files = Vec::new();
    for source in &table.sources {
        let file = source.open_random()?.ok_or_else(|| Error::new(ErrorKind::Usage, "Parquet can't be read from standard input"))?;
        let metadata = footer(&file, &source.path)?;
        found.add(metadata.metadata());
        let rows = metadata.metadata().file_metadata().num_rows().max(0) as u64;
        for (field, column) in schema.fields().iter().zip(&mut columns) {
            match metadata.schema().index_of(field.name()) {
                Ok(index) => {
                    column.see_storage(metadata.metadata(), index);
                    caught(|| column.see_statistics(&metadata, index, field.data_type())).map_err(|panic| damaged(source, panic))??;
                }
                // A file that hasn't the column has no value of it.
                Err(_) => column.nulls = Some(column.nulls.unwrap_or(0) + rows),
            }
        }
        count_distinct(&file, &metadata, source, &schema, &mut columns)?;
        files.push(FileInspection { path: source.path.clone(), bytes: source.size.unwrap_or_default(), rows, compression: None });
    }
    let columns = schema.fields().iter().zip(columns).map(|(field, column)| column.finish(field)).collect();
    let rows = files.iter().map(|f| f.rows).sum();
    Ok(Inspection {
        format: "parquet".to_string(),
        notes: table.notes.iter().cloned().chain(table.alike()).chain(growth(&table.sources)).collect(),
        files,
        rows,
        columns,
        parquet: Some(found),
        ..Default::default()
    })
}

fn damaged(source: &Source, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    source.blamed(Error::new(ErrorKind::Input, format!("can't read {}", source.path)).with_source(error))
}

impl ParquetInspection {
    /// Takes a file into account.
    fn add(&mut self, metadata: &ParquetMetaData) {
        let file = metadata.file_metadata();
        if let Some(writer) = file.created_by().filter(|writer| !self.created_by.iter().any(|known| known == writer)) {
            self.created_by.push(writer.to_string());
        }
        if self.row_groups == 0 {
            let pairs = file.key_value_metadata().into_iter().flatten().filter(|pair| pair.key != "ARROW:schema");
            self.metadata = pairs.map(|pair| (pair.key.clone(), pair.value.clone().unwrap_or_default())).collect();
        }
        for group in metadata.row_groups() {
            let rows = group.num_rows().max(0) as u64;
            let (least, most) = self.row_group_rows.unwrap_or((rows, rows));
            self.row_group_rows = Some((least.min(rows), most.max(rows)));
            self.row_groups += 1;
            self.compressed_bytes += group.compressed_size().max(0) as u64;
            self.uncompressed_bytes += group.total_byte_size().max(0) as u64;
        }
    }
}

/// A column of the table, which is one leaf of the file where it isn't nested.
#[derive(Debug, Default)]
struct ParquetColumn {
    storage: ColumnStorage,
    chunks: u64,
    paged: u64,
    /// Nothing as soon as a file doesn't tell.
    nulls: Option<u64>,
    untold: bool,
    profile: Profile,
}

impl ParquetColumn {
    fn see_storage(&mut self, metadata: &ParquetMetaData, index: usize) {
        for group in metadata.row_groups() {
            let schema = group.schema_descr();
            let ours = (0..group.num_columns()).filter(|leaf| schema.get_column_root_idx(*leaf) == index);
            ours.for_each(|leaf| self.see_chunk(group.column(leaf)));
        }
    }

    fn see_chunk(&mut self, chunk: &ColumnChunkMetaData) {
        let storage = &mut self.storage;
        storage.physical_type = chunk.column_type().to_string();
        for encoding in chunk.encodings().map(|e| format!("{e:?}")) {
            if !storage.encodings.contains(&encoding) {
                storage.encodings.push(encoding);
            }
        }
        let compression = chunk.compression().to_string().split('(').next().unwrap_or_default().to_lowercase();
        if !storage.compression.contains(&compression) {
            storage.compression.push(compression);
        }
        storage.compressed_bytes += chunk.compressed_size().max(0) as u64;
        storage.uncompressed_bytes += chunk.uncompressed_size().max(0) as u64;
        storage.bloom_filter |= chunk.bloom_filter_offset().is_some();
        self.chunks += 1;
        self.paged += u64::from(chunk.column_index_offset().is_some() && chunk.offset_index_offset().is_some());
    }

    /// Sees minima, maxima and NULLs, where the type has such statistics; the column is of `data_type` in the table.
    fn see_statistics(&mut self, metadata: &ArrowReaderMetadata, index: usize, data_type: &DataType) -> Result<()> {
        let schema = metadata.schema();
        let groups = || metadata.metadata().row_groups().iter();
        let name = schema.field(index).name();
        let told = StatisticsConverter::try_new(name, schema, metadata.parquet_schema()).and_then(|statistics| {
            let statistics = statistics.with_missing_null_counts_as_zero(false);
            let nulls = statistics.row_group_null_counts(groups())?;
            Ok((statistics.row_group_mins(groups())?, statistics.row_group_maxes(groups())?, nulls))
        });
        match told {
            Ok((mins, maxes, nulls)) => {
                // Files may have it in narrower types.
                let in_type = |array: &ArrayRef| cast(array, data_type).unwrap_or_else(|_| array.clone());
                self.profile.see_extremes(&in_type(&mins), &in_type(&maxes))?;
                self.untold |= nulls.null_count() > 0;
                self.nulls = Some(self.nulls.unwrap_or(0) + nulls.iter().flatten().sum::<u64>());
            }
            Err(_) => self.untold = true,
        }
        Ok(())
    }

    fn finish(self, field: &arrow::datatypes::Field) -> ColumnInspection {
        let mut storage = self.storage;
        storage.page_index = self.chunks > 0 && self.paged == self.chunks;
        storage.ratio = match storage.compressed_bytes {
            0 => 1.0,
            compressed => (storage.uncompressed_bytes as f64 / compressed as f64 * 100.0).round() / 100.0,
        };
        ColumnInspection {
            nulls: self.nulls.filter(|_| !self.untold),
            storage: Some(storage),
            directive: field.metadata().get("directive").cloned(),
            ..self.profile.column(field)
        }
    }
}

/// Counts the different values of each column. Footers don't have that, so the columns are read.
fn count_distinct(
    file: &RandomAccess,
    footer: &ArrowReaderMetadata,
    source: &Source,
    schema: &SchemaRef,
    columns: &mut [ParquetColumn],
) -> Result<()> {
    let flat: Vec<usize> = (0..columns.len()).filter(|i| !schema.field(*i).data_type().is_nested()).collect();
    for group in 0..footer.metadata().num_row_groups() {
        for batch in RowGroup::of(file, source, footer, group, schema, Some(&flat))? {
            let batch = batch.map_err(|e| source.blamed(e))?;
            for (index, array) in flat.iter().zip(batch.columns()) {
                let column = &mut columns[*index];
                column.profile.see_distinct(array);
                // Footers don't tell the extremes of these.
                if column.storage.physical_type == "INT96" {
                    column.profile.see_extremes(array, array)?;
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Distinct, inspect};
    use crate::input::{Table, TableOptions, resolve};
    use arrow::array::{ArrayRef, Int64Array, StringArray};
    use arrow::record_batch::RecordBatch;
    use parquet::arrow::ArrowWriter;
    use parquet::basic::{Compression, ZstdLevel};
    use parquet::file::metadata::KeyValue;
    use parquet::file::properties::WriterProperties;
    use std::sync::Arc;

    #[test]
    fn footers_and_values_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.parquet");
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..10_000));
        let texts: ArrayRef = Arc::new(StringArray::from_iter((0..10_000).map(|i| (i % 3 > 0).then(|| format!("text {}", i % 3)))));
        let batch = RecordBatch::try_from_iter([("number", numbers), ("text", texts)]).unwrap();
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(6_000))
            .set_key_value_metadata(Some(vec![KeyValue::new("made by".to_string(), "a test".to_string())]))
            .build();
        let mut writer = ArrowWriter::try_new(std::fs::File::create(&path).unwrap(), batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let table = Table::open(resolve(&[path.display().to_string()]).unwrap(), &TableOptions::default()).unwrap();
        let found = inspect(&table).unwrap();
        let parquet = found.parquet.unwrap();
        assert_eq!((found.rows, parquet.row_groups, parquet.row_group_rows), (10_000, 2, Some((4_000, 6_000))));
        assert_eq!(parquet.metadata["made by"], "a test");
        assert!(parquet.created_by[0].starts_with("parquet-rs"));
        let [number, text] = &found.columns[..] else { panic!() };
        assert_eq!((number.min.as_deref(), number.max.as_deref(), number.nulls), (Some("0"), Some("9999"), Some(0)));
        assert!(number.distinct.is_some_and(|d| d.estimated && d.count.abs_diff(10_000) < 500), "{:?}", number.distinct);
        assert_eq!((text.distinct, text.nulls), (Some(Distinct { count: 2, estimated: false }), Some(3_334)));
        let storage = text.storage.as_ref().unwrap();
        assert_eq!((storage.physical_type.as_str(), &storage.compression[..]), ("BYTE_ARRAY", &["zstd".to_string()][..]));
        assert!(storage.encodings.contains(&"RLE_DICTIONARY".to_string()) && storage.page_index && storage.compressed_bytes > 0);
    }
}
