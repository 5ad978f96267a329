//! The partitions of a table.

use super::reading::{Reading, is_listed, reading};
use super::types::plain;
use crate::catalog::{Column, Entry, NULL_VALUE, Partition, StorageDescriptor};
use crate::error::{Error, ErrorKind, Result};
use arrow::datatypes::{FieldRef, SchemaRef};
use datafusion::common::ScalarValue;
use std::sync::Arc;

/// A partition, or all of a table that has none.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// One for each partition key.
    pub(super) values: Vec<ScalarValue>,
    pub(super) location: String,
    /// A list names its files.
    pub(super) listed: bool,
    pub(super) reading: Arc<Reading>,
}

/// The partitions that are registered, with their values in the types of `keys`. Each is read as it is stored itself.
///
/// # Errors
/// [`ErrorKind::Input`] for a value that is none of its key's type, [`ErrorKind::Query`] for a partition that can't be read as one of the
/// table.
pub(super) fn registered(entry: &Entry, partitions: &[Partition], keys: &[FieldRef], schema: &SchemaRef) -> Result<Vec<Part>> {
    let mut known: Vec<(StorageDescriptor, Arc<Reading>)> = Vec::new();
    let mut parts = Vec::with_capacity(partitions.len());
    for partition in partitions {
        let said = || format!("partition {} of {}", partition.values.join("/"), entry.full_name());
        if partition.values.len() != keys.len() {
            let message = format!("the {} has {} values, and the table {} keys", said(), partition.values.len(), keys.len());
            return Err(Error::new(ErrorKind::Input, message));
        }
        let values = partition.values.iter().zip(keys).map(|(text, key)| value(text, key)).collect::<Option<Vec<_>>>();
        let values = values.ok_or_else(|| {
            let types: Vec<String> = keys.iter().map(|key| format!("{} {}", key.name(), key.data_type())).collect();
            Error::new(ErrorKind::Input, format!("the values of {} don't match the types of its keys", said()))
                .with_context("keys", types.join(", "))
                .with_context("what to do", "correct the types of the partition keys, or drop the partition")
        })?;
        check_columns(entry, &partition.storage).map_err(|e| e.with_context("partition", partition.values.join("/")))?;
        // Many are stored alike, but for the place.
        let like = StorageDescriptor { location: String::new(), columns: Vec::new(), ..partition.storage.clone() };
        let found = known.iter().find(|(storage, _)| *storage == like).map(|(_, reading)| reading.clone());
        let reading = match found {
            Some(reading) => reading,
            None => {
                let stored = if like.serde.library.is_empty() { &entry.storage } else { &partition.storage };
                let made = reading(entry, stored, schema).map_err(|e| e.with_context("partition", partition.values.join("/")))?;
                known.push((like, Arc::new(made)));
                known[known.len() - 1].1.clone()
            }
        };
        parts.push(Part { values, location: partition.storage.location.clone(), listed: is_listed(&partition.storage), reading });
    }
    Ok(parts)
}

/// The value of `key` that `text` is, if it is one.
pub(super) fn value(text: &str, key: &FieldRef) -> Option<ScalarValue> {
    match text == NULL_VALUE {
        true => ScalarValue::try_from(key.data_type()).ok(),
        false => ScalarValue::try_from_string(text.to_string(), key.data_type()).ok().filter(|value| !value.is_null()),
    }
}

/// Refuses a partition whose columns have other types than those of the table.
fn check_columns(entry: &Entry, storage: &StorageDescriptor) -> Result<()> {
    let differs = |(table, own): &(&Column, &Column)| plain(&table.data_type) != plain(&own.data_type);
    let Some((table, own)) = entry.storage.columns.iter().zip(&storage.columns).find(differs) else { return Ok(()) };
    let message = format!(
        "column {} is {} in the table {} and {} in a partition of it",
        table.name,
        table.data_type,
        entry.full_name(),
        own.data_type
    );
    Err(Error::new(ErrorKind::Query, message)
        .with_context("Athena says", "HIVE_PARTITION_SCHEMA_MISMATCH")
        .with_context("what to do", "register the partition again with the table's columns"))
}
