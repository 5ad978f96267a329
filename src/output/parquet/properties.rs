//! What all files of a format have in common: their schema and the settings of their writer.

use super::super::format::{Codec, FileFormat};
use super::fault::failed;
use crate::error::Result;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowSchemaConverter;
use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterPropertiesPtr};
use parquet::schema::types::SchemaDescriptor;
use std::sync::Arc;

/// The Parquet schema of Arrow columns: INT64 milliseconds for times, strings as UTF-8.
pub(crate) fn parquet_schema(schema: &SchemaRef) -> Result<SchemaDescriptor> {
    ArrowSchemaConverter::new().convert(schema).map_err(failed)
}

pub(super) fn compression(format: FileFormat) -> Compression {
    match format.codec {
        Codec::None => Compression::UNCOMPRESSED,
        Codec::Snappy => Compression::SNAPPY,
        Codec::Gzip(level) => Compression::GZIP(GzipLevel::try_new(level).unwrap_or_default()),
        Codec::Zstd(level) => Compression::ZSTD(ZstdLevel::try_new(level).unwrap_or_default()),
    }
}

/// What all row groups of a file share.
pub(super) fn properties(format: FileFormat) -> WriterPropertiesBuilder {
    WriterProperties::builder()
        .set_compression(compression(format))
        .set_created_by(concat!("etl version ", env!("CARGO_PKG_VERSION")).to_string())
        .set_statistics_enabled(EnabledStatistics::Page)
}

/// The properties of a file, with what made it in its key-value metadata.
pub(crate) fn file_properties(format: FileFormat, metadata: &[(String, String)]) -> WriterPropertiesPtr {
    let pairs = metadata.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone())).collect();
    Arc::new(properties(format).set_key_value_metadata(Some(pairs)).build())
}
