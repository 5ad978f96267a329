//! Partitions, many at a time. An answer of success may still hold errors of single partitions; each is looked at.

use super::client::{GlueCatalog, incomplete};
use super::shapes::partition_input;
use crate::catalog::entry::Partition;
use crate::error::{Error, ErrorKind, Result};
use aws_sdk_glue::types::{BatchUpdatePartitionRequestEntry, ErrorDetail, PartitionValueList};
use futures::{StreamExt, TryStreamExt, stream};

/// As many as Glue takes in one call.
const CREATED_AT_ONCE: usize = 100;
const UPDATED_AT_ONCE: usize = 100;
const DELETED_AT_ONCE: usize = 25;
/// So many calls are on their way at once: more are throttled.
const CALLS_AT_ONCE: usize = 8;

/// What is to be written of the partitions of a table.
#[derive(Debug, Default)]
pub(super) struct Batches {
    pub(super) create: Vec<Partition>,
    pub(super) update: Vec<Partition>,
    /// By their values.
    pub(super) delete: Vec<Vec<String>>,
}

/// Writes them: what is new and what moves first, so that no row is missing in between that was there.
///
/// # Errors
/// [`ErrorKind::Output`] with the first partition that Glue refused, and how many; [`ErrorKind::Conflict`] where somebody else was faster.
pub(super) async fn write(glue: &GlueCatalog, database: &str, table: &str, batches: &Batches) -> Result<()> {
    let name = format!("{database}.{table}");
    let created = batches.create.chunks(CREATED_AT_ONCE).map(|chunk| create(glue, database, table, chunk));
    all(&name, created).await?;
    let updated = batches.update.chunks(UPDATED_AT_ONCE).map(|chunk| update(glue, database, table, chunk));
    all(&name, updated).await?;
    let deleted = batches.delete.chunks(DELETED_AT_ONCE).map(|chunk| delete(glue, database, table, chunk));
    all(&name, deleted).await
}

/// A partition that Glue refused: its values, and what Glue says.
type Refused = (Vec<String>, Option<ErrorDetail>);

async fn all<F: Future<Output = Result<Vec<Refused>>>>(table: &str, calls: impl Iterator<Item = F>) -> Result<()> {
    // Not one after the other, and not all at once.
    let calls: Vec<F> = calls.collect();
    let refused: Vec<Vec<Refused>> = stream::iter(calls).buffer_unordered(CALLS_AT_ONCE).try_collect().await?;
    let refused: Vec<Refused> = refused.into_iter().flatten().collect();
    let Some((values, detail)) = refused.first() else { return Ok(()) };
    let code = detail.as_ref().and_then(ErrorDetail::error_code).unwrap_or("no code");
    let said = detail.as_ref().and_then(ErrorDetail::error_message).unwrap_or("no reason");
    let kind = match code {
        "AlreadyExistsException" | "EntityNotFoundException" | "ConcurrentModificationException" => ErrorKind::Conflict,
        _ => ErrorKind::Output,
    };
    let more = if refused.len() > 1 { format!(", and {} more partitions", refused.len() - 1) } else { String::new() };
    let message = format!("Glue refused the partition {} of {table}{more}: {code}: {said}", values.join("/"));
    Err(Error::new(kind, message).with_context("what to do", "`etl catalog sync`, or the next run, continues from here"))
}

async fn create(glue: &GlueCatalog, database: &str, table: &str, partitions: &[Partition]) -> Result<Vec<Refused>> {
    let inputs = partitions.iter().map(partition_input).collect::<Result<Vec<_>, _>>().map_err(incomplete)?;
    let call = glue.client.batch_create_partition().set_catalog_id(glue.catalog_id()).database_name(database).table_name(table);
    let answer = call.set_partition_input_list(Some(inputs)).send().await;
    let answer = answer.map_err(|error| glue.failed(&format!("can't register partitions of {database}.{table}"), &error))?;
    Ok(answer.errors().iter().map(|error| (error.partition_values().to_vec(), error.error_detail().cloned())).collect())
}

async fn update(glue: &GlueCatalog, database: &str, table: &str, partitions: &[Partition]) -> Result<Vec<Refused>> {
    let entry = |partition: &Partition| {
        let entry = BatchUpdatePartitionRequestEntry::builder().set_partition_value_list(Some(partition.values.clone()));
        entry.partition_input(partition_input(partition)?).build()
    };
    let entries = partitions.iter().map(entry).collect::<Result<Vec<_>, _>>().map_err(incomplete)?;
    let call = glue.client.batch_update_partition().set_catalog_id(glue.catalog_id()).database_name(database).table_name(table);
    let answer = call.set_entries(Some(entries)).send().await;
    let answer = answer.map_err(|error| glue.failed(&format!("can't update partitions of {database}.{table}"), &error))?;
    Ok(answer.errors().iter().map(|error| (error.partition_value_list().to_vec(), error.error_detail().cloned())).collect())
}

async fn delete(glue: &GlueCatalog, database: &str, table: &str, partitions: &[Vec<String>]) -> Result<Vec<Refused>> {
    let list = |values: &Vec<String>| PartitionValueList::builder().set_values(Some(values.clone())).build();
    let lists = partitions.iter().map(list).collect::<Result<Vec<_>, _>>().map_err(incomplete)?;
    let call = glue.client.batch_delete_partition().set_catalog_id(glue.catalog_id()).database_name(database).table_name(table);
    let answer = call.set_partitions_to_delete(Some(lists)).send().await;
    let answer = answer.map_err(|error| glue.failed(&format!("can't remove partitions of {database}.{table}"), &error))?;
    // What is gone already is as it should be.
    let refused = answer.errors().iter().filter(|error| code_of(error.error_detail()) != Some("EntityNotFoundException"));
    Ok(refused.map(|error| (error.partition_values().to_vec(), error.error_detail().cloned())).collect())
}

fn code_of(detail: Option<&ErrorDetail>) -> Option<&str> {
    detail?.error_code()
}
