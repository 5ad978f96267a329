//! Tables and partitions in Glue's shapes, and back.

use crate::catalog::entry::{EXTERNAL_TABLE, Entry, Partition, VIRTUAL_VIEW};
use crate::catalog::readers::Foreign;
use crate::catalog::serde::SerDe;
use crate::catalog::table::{Column, StorageDescriptor};
use aws_sdk_glue::error::BuildError;
use aws_sdk_glue::types;
use std::collections::{BTreeMap, HashMap};

/// What Presto, Trino and Athena write in the place of a view's expanded text.
const PRESTO_VIEW: &str = "/* Presto View */";

/// The table as Glue is told it.
pub(super) fn table_input(entry: &Entry, foreign: &Foreign) -> Result<types::TableInput, BuildError> {
    let view = entry.table_type == VIRTUAL_VIEW;
    let keys: Vec<types::Column> = entry.partition_keys.iter().map(column).collect::<Result<_, _>>()?;
    types::TableInput::builder()
        .name(&entry.name)
        .set_description(entry.description.clone())
        .set_owner(foreign.owner.clone())
        .retention(foreign.retention)
        .table_type(&entry.table_type)
        .set_parameters(Some(entry.parameters.clone().into_iter().collect()))
        // Also where there are none: Athena asks for the list.
        .set_partition_keys(Some(keys))
        .storage_descriptor(descriptor(&entry.storage, &foreign.storage)?)
        .set_view_original_text(entry.view.clone())
        .set_view_expanded_text(view.then(|| PRESTO_VIEW.to_string()))
        .build()
}

/// The partition as Glue is told it.
pub(super) fn partition_input(partition: &Partition) -> Result<types::PartitionInput, BuildError> {
    let built = types::PartitionInput::builder()
        .set_values(Some(partition.values.clone()))
        .storage_descriptor(descriptor(&partition.storage, &BTreeMap::new())?)
        .set_parameters(Some(partition.parameters.clone().into_iter().collect()));
    Ok(built.build())
}

fn descriptor(storage: &StorageDescriptor, parameters: &BTreeMap<String, String>) -> Result<types::StorageDescriptor, BuildError> {
    let columns: Vec<types::Column> = storage.columns.iter().map(column).collect::<Result<_, _>>()?;
    // Of a view there is none, and readers want it said all the same.
    let library = Some(storage.serde.library.clone()).filter(|library| !library.is_empty());
    let serde = types::SerDeInfo::builder()
        .set_serialization_library(library)
        .set_parameters(Some(storage.serde.parameters.clone().into_iter().collect()));
    let built = types::StorageDescriptor::builder()
        .set_columns(Some(columns))
        .location(&storage.location)
        .compressed(storage.compressed)
        .set_parameters(Some(parameters.clone().into_iter().collect()).filter(|_| !parameters.is_empty()))
        .input_format(&storage.input_format)
        .output_format(&storage.output_format)
        .serde_info(serde.build());
    Ok(built.build())
}

fn column(column: &Column) -> Result<types::Column, BuildError> {
    types::Column::builder().name(&column.name).r#type(&column.data_type).set_comment(column.comment.clone()).build()
}

/// What others may have written of the table.
pub(super) fn foreign(table: &types::Table) -> Foreign {
    Foreign {
        owner: said(table.owner()),
        retention: table.retention(),
        storage: sorted(table.storage_descriptor().and_then(types::StorageDescriptor::parameters)),
    }
}

/// The table that Glue has.
pub(super) fn entry(table: &types::Table) -> Entry {
    Entry {
        database: table.database_name().unwrap_or_default().to_string(),
        name: table.name().to_string(),
        description: said(table.description()),
        table_type: table.table_type().unwrap_or(EXTERNAL_TABLE).to_string(),
        storage: storage(table.storage_descriptor()),
        partition_keys: table.partition_keys().iter().map(known_column).collect(),
        parameters: sorted(table.parameters()),
        view: said(table.view_original_text()),
    }
}

/// The partition that Glue has.
pub(super) fn partition(partition: &types::Partition) -> Partition {
    Partition {
        values: partition.values().to_vec(),
        storage: storage(partition.storage_descriptor()),
        parameters: sorted(partition.parameters()),
    }
}

fn storage(descriptor: Option<&types::StorageDescriptor>) -> StorageDescriptor {
    let text = |text: Option<&str>| text.unwrap_or_default().to_string();
    let serde = descriptor.and_then(types::StorageDescriptor::serde_info);
    StorageDescriptor {
        columns: descriptor.iter().flat_map(|descriptor| descriptor.columns()).map(known_column).collect(),
        location: text(descriptor.and_then(types::StorageDescriptor::location)),
        input_format: text(descriptor.and_then(types::StorageDescriptor::input_format)),
        output_format: text(descriptor.and_then(types::StorageDescriptor::output_format)),
        compressed: descriptor.is_some_and(types::StorageDescriptor::compressed),
        serde: SerDe {
            library: text(serde.and_then(types::SerDeInfo::serialization_library)),
            parameters: sorted(serde.and_then(types::SerDeInfo::parameters)),
        },
    }
}

fn known_column(column: &types::Column) -> Column {
    Column { name: column.name().to_string(), data_type: column.r#type().unwrap_or_default().to_string(), comment: said(column.comment()) }
}

fn sorted(map: Option<&HashMap<String, String>>) -> BTreeMap<String, String> {
    map.iter().flat_map(|map| map.iter()).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Some tools write empty texts where there is none.
fn said(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_string)
}
