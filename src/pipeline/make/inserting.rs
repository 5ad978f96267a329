//! Rows that Athena makes: it writes them below the folder of the run, and they are counted on both sides.
//!
//! Athena writes to a table that is there for that alone, and lies in that folder. Source: the AWS pages on INSERT INTO, which writes at most 100
//! partitions at a time, and on CTAS, whose place an enforced workgroup refuses to be told.

use super::version::columns;
use super::writing::{Written, split_columns};
use crate::catalog::{Catalog, Entry, GlueCatalog, LAKE, TABLE, There, Told, VERSION, describe};
use crate::convert::ConvertReport;
use crate::error::{Error, ErrorKind, Result};
use crate::input::{LocalFile, ObjectFile, Place, Source, each, footer};
use crate::pipeline::athena_engine::{glue, open};
use crate::pipeline::model::{Output, Pipeline, Transform};
use crate::publish::{DataFile, Lease};
use crate::query::Runtime;
use crate::query::athena::AthenaEngine;
use crate::schema::times::with_unit;
use crate::sql_text::{quoted, without_end};
use crate::storage::{Location, Storage};
use crate::units::count;
use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, Schema, SchemaRef, TimeUnit};
use chrono::DateTime;
use object_store::ObjectMeta;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// A statement writes so many partitions at most.
const PARTITIONS_AT_ONCE: usize = 100;
/// The parameter of a table that is there while a run writes to it.
const TEMPORARY: &str = "etl.temporary";

/// A run that has Athena make rows.
pub(crate) struct Inserting<'a> {
    pub(crate) pipeline: &'a Pipeline,
    pub(crate) storage: &'a Storage,
    pub(crate) runtime: &'a Runtime,
    pub(crate) run: &'a str,
    pub(crate) cancel: &'a Arc<AtomicBool>,
}

/// The values of the partition keys of a partition, as texts; nothing for NULL.
type Values = Vec<Option<String>>;

impl Inserting<'_> {
    /// Has Athena write the rows of `transform` to the folder with the key `folder`.
    ///
    /// # Errors
    /// [`ErrorKind::Query`] where the SQL is wrong or fails, [`ErrorKind::Output`] where the rows that were written are not those that are there.
    pub(crate) fn write(&self, output: &Output, transform: &Transform, folder: &str) -> Result<Written> {
        let started = Instant::now();
        let at = |error: Error| error.with_context("transform", &transform.name).with_context("at", &transform.place);
        let engine = self.runtime.block_on(|| open(self.pipeline, self.cancel))?;
        let schema = self.runtime.block_on(|| schema(&engine, &transform.sql)).map_err(at)?;
        let (files, keys) = split_columns(output, &schema)?;
        let (plain, partition_keys) = columns(output, &files, &keys)?;
        let names: Vec<String> = plain.iter().chain(&partition_keys).map(|column| column.name.clone()).collect();
        let key_names: Vec<String> = partition_keys.iter().map(|key| key.name.clone()).collect();
        let sql = without_end(&transform.sql);
        let partitions = self.runtime.block_on(|| partitions(&engine, sql, &key_names)).map_err(at)?;
        let glue = glue(self.pipeline)?;
        let (storage, mut parameters) = describe(output.format, plain, folder);
        let database = glue.settings().database(&output.table.database);
        let name = format!("{}__{}", output.table.table, self.run.to_lowercase().replace('-', "_"));
        parameters.extend([
            ("parquet.compression".to_string(), output.format.codec.name().to_uppercase().replace("NONE", "UNCOMPRESSED")),
            (TEMPORARY.to_string(), self.run.to_string()),
            (LAKE.to_string(), self.storage.location().to_string()),
            (TABLE.to_string(), name.clone()),
            (VERSION.to_string(), "0".to_string()),
        ]);
        let entry = Entry {
            database: database.clone(),
            name: name.clone(),
            description: None,
            table_type: crate::catalog::EXTERNAL_TABLE.to_string(),
            storage: crate::catalog::StorageDescriptor { location: format!("{}/", self.storage.location().join(folder)), ..storage },
            partition_keys,
            parameters,
            view: None,
        };
        let told = Told { columns: entry.storage.columns.clone(), entry, partitions: Vec::new(), lists: Vec::new(), view: None };
        self.remove_left(&glue, &database, &output.table.table)?;
        glue.register(&There::default(), &told, false)?;
        // However it ends: nobody is to find the table later.
        let _table = Temporary { glue: &glue, database: &database, name: &name };
        let mut inserted = 0;
        for slice in slices(&partitions) {
            let statement = statement(&database, &name, &names, &key_names, sql, slice);
            inserted += self.runtime.block_on(|| insert(&engine, &statement)).map_err(at)?;
        }
        let files_written = self.files(folder)?;
        let there: u64 = files_written.iter().map(|file| file.rows).sum();
        let counted = partitions.as_ref().map(|partitions| partitions.iter().map(|(_, rows)| rows).sum::<u64>());
        if there != inserted || counted.is_some_and(|counted| counted != inserted) {
            let counted = counted.map(|rows| format!(", counted {} before", count(rows))).unwrap_or_default();
            let message =
                format!("Athena wrote {} rows of {}{counted}, and its files hold {}", count(inserted), output.table, count(there));
            return Err(at(Error::new(ErrorKind::Output, message).with_context(
                "what to do",
                "run it again; rows can't be counted if the tables it reads change meanwhile, or its SQL is random",
            )));
        }
        let report = ConvertReport {
            format: "athena".to_string(),
            lines: 0,
            rows: there,
            rejects: 0,
            blank: 0,
            repaired: 0,
            bytes_in: 0,
            bytes_decoded: 0,
            bytes_out: files_written.iter().map(|file| file.bytes).sum(),
            seconds: started.elapsed().as_secs_f64(),
            files: Vec::new(),
            rejects_by_reason: BTreeMap::new(),
            mismatches_by_column: BTreeMap::new(),
            reject_examples: Vec::new(),
            sources: Vec::new(),
            notes: Vec::new(),
            losses: Default::default(),
        };
        Ok(Written { folder: folder.to_string(), files: files_written, columns: files, partition_keys: keys, report })
    }

    /// Removes the tables that runs left which were killed while Athena wrote for them.
    fn remove_left(&self, glue: &GlueCatalog, database: &str, table: &str) -> Result<()> {
        let lake = self.storage.location().to_string();
        let is_ours = |entry: &Entry| entry.parameters.get(LAKE) == Some(&lake) && entry.name.starts_with(&format!("{table}__"));
        let left: Vec<Entry> =
            glue.tables(database)?.into_iter().filter(|entry| entry.parameters.contains_key(TEMPORARY) && is_ours(entry)).collect();
        if left.is_empty() {
            return Ok(());
        }
        let signs = Lease::signs(self.storage, Some(&self.pipeline.name), None)?;
        let alive: Vec<&str> = signs.iter().filter(|sign| !sign.is_dead).filter_map(|sign| Some(sign.run.as_ref()?.as_str())).collect();
        for entry in left.iter().filter(|entry| entry.parameters.get(TEMPORARY).is_some_and(|run| !alive.contains(&run.as_str()))) {
            glue.drop_table(database, &entry.name)?;
        }
        Ok(())
    }

    /// The files that are there now, with their rows as their footers tell.
    fn files(&self, folder: &str) -> Result<Vec<DataFile>> {
        let listed = self.storage.list(folder)?;
        let sources = listed.iter().map(|entry| self.source(&entry.key, entry.size)).collect::<Result<Vec<_>>>()?;
        let rows = each(&sources, |source: &Source| {
            let file = source.open_random()?.ok_or_else(|| Error::new(ErrorKind::Input, format!("{} can't be opened", source.path)))?;
            Ok(u64::try_from(footer(&file, &source.path)?.metadata().file_metadata().num_rows()).unwrap_or_default())
        });
        let files = listed.iter().zip(rows).map(|(entry, rows)| {
            let below = entry.key.strip_prefix(folder).unwrap_or(&entry.key).trim_start_matches('/');
            let partition = below.rsplit_once('/').map_or("", |(partition, _)| partition).to_string();
            // Its bytes are not read here: they may be too many for one machine.
            Ok(DataFile { key: entry.key.clone(), partition, rows: rows?, bytes: entry.size, sha256: String::new() })
        });
        files.collect()
    }

    fn source(&self, key: &str, size: u64) -> Result<Source> {
        let location = self.storage.location().join(key);
        let place = match &location {
            Location::Folder(path) => Place::File(Arc::new(LocalFile::at(path))),
            Location::Bucket { .. } => {
                let (store, path) = self.storage.object(key)?;
                let meta = ObjectMeta { location: path, last_modified: DateTime::UNIX_EPOCH, size, e_tag: None, version: None };
                Place::Object(Arc::new(ObjectFile::new(self.storage.clone(), store, meta)))
            }
        };
        Ok(Source::new(location.to_string(), place, Some(size)))
    }
}

/// The table that Athena writes to; it goes when this does, its files stay.
struct Temporary<'a> {
    glue: &'a GlueCatalog,
    database: &'a str,
    name: &'a str,
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        // A table of no use is no reason to call a run failed; it says whose it was.
        let _ = self.glue.drop_table(self.database, self.name);
    }
}

/// The columns that a query gives.
///
/// # Errors
/// [`ErrorKind::Query`] where it is wrong.
pub(crate) async fn schema(engine: &AthenaEngine, sql: &str) -> Result<SchemaRef> {
    let sql = without_end(sql);
    // Nothing is scanned for it; a comment may end the query.
    let result = engine.query(&format!("SELECT * FROM ({sql}\n) LIMIT 0")).await?;
    if let Some((name, called)) = result.opaque().next() {
        let message = format!("column {name} has type {called}, which tables made by Athena can't have here");
        return Err(Error::new(ErrorKind::Query, message).with_context(
            "what to do",
            "give its elements columns of their own, or CAST it: to timestamp, or by json_format(CAST(… AS JSON)) to text",
        ));
    }
    let schema = result.schema();
    let unnamed =
        schema.fields().iter().position(|field| field.name().strip_prefix("_col").is_some_and(|rest| rest.parse::<u32>().is_ok()));
    if let Some(at) = unnamed {
        return Err(Error::new(ErrorKind::Query, format!("column {} of the query has no name", at + 1))
            .with_context("what to do", "give it one with AS"));
    }
    // Its tables have milliseconds, whatever a query says.
    let fields = schema.fields().iter().map(|field| {
        let data_type = with_unit(field.data_type(), TimeUnit::Millisecond);
        field.as_ref().clone().with_data_type(data_type)
    });
    Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
}

/// The partitions that the rows of a query are in, with how many; nothing where there are no keys.
async fn partitions(engine: &AthenaEngine, sql: &str, keys: &[String]) -> Result<Option<Vec<(Values, u64)>>> {
    if keys.is_empty() {
        return Ok(None);
    }
    let texts: Vec<String> = keys.iter().map(|key| format!("CAST({} AS varchar)", quoted(key))).collect();
    let numbers: Vec<String> = (1..=keys.len()).map(|number| number.to_string()).collect();
    let (order, texts) = (numbers.join(", "), texts.join(", "));
    let mut result = engine.query(&format!("SELECT {texts}, count(*) FROM ({sql}\n) GROUP BY {order} ORDER BY {order}")).await?;
    let mut partitions = Vec::new();
    while let Some(batch) = result.next().await? {
        let texts = batch.columns()[..keys.len()].iter().map(|column| cast(column, &DataType::Utf8)).collect::<Result<Vec<_>, _>>()?;
        let rows = cast(batch.column(keys.len()), &DataType::Int64)?;
        for row in 0..batch.num_rows() {
            let value = |column: &Arc<dyn Array>| {
                let column = column.as_string::<i32>();
                (!column.is_null(row)).then(|| column.value(row).to_string())
            };
            let number = u64::try_from(rows.as_primitive::<Int64Type>().value(row)).unwrap_or_default();
            partitions.push((texts.iter().map(value).collect(), number));
        }
    }
    Ok(Some(partitions))
}

/// The partitions that each statement writes; one that writes all where there are few, or none at all.
fn slices(partitions: &Option<Vec<(Values, u64)>>) -> Vec<&[(Values, u64)]> {
    match partitions {
        Some(partitions) if partitions.len() > PARTITIONS_AT_ONCE => partitions.chunks(PARTITIONS_AT_ONCE).collect(),
        _ => vec![&[]],
    }
}

/// The statement that writes the rows of the partitions in `slice`, or all.
fn statement(database: &str, table: &str, names: &[String], keys: &[String], sql: &str, slice: &[(Values, u64)]) -> String {
    let columns: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    let one = |(values, _): &(Values, u64)| {
        let each = keys.iter().zip(values).map(|(key, value)| match value {
            Some(value) => format!("CAST({} AS varchar) = '{}'", quoted(key), value.replace('\'', "''")),
            None => format!("{} IS NULL", quoted(key)),
        });
        format!("({})", each.collect::<Vec<_>>().join(" AND "))
    };
    let chosen = match slice.is_empty() {
        true => String::new(),
        false => format!(" WHERE {}", slice.iter().map(one).collect::<Vec<_>>().join(" OR ")),
    };
    format!("INSERT INTO {}.{} SELECT {} FROM ({sql}\n){chosen}", quoted(database), quoted(table), columns.join(", "))
}

/// Runs a statement that writes, and gives how many rows it wrote.
async fn insert(engine: &AthenaEngine, statement: &str) -> Result<u64> {
    let mut result = engine.query(statement).await?;
    if let Some(rows) = result.written() {
        return Ok(rows);
    }
    // As Trino tells it: a result of one number.
    let batch = result.next().await?;
    let number = batch.and_then(|batch| cast(batch.column(0), &DataType::Int64).ok());
    let rows = number.and_then(|numbers| u64::try_from(numbers.as_primitive::<Int64Type>().value(0)).ok());
    // Where nothing is said nothing was written; the files tell whether that is so.
    Ok(rows.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_write_a_hundred_partitions_each() {
        let of = |number: usize| (vec![Some(format!("it's {number}")), None], 1);
        let partitions = Some((0..250).map(of).collect::<Vec<_>>());
        let cut = slices(&partitions);
        assert_eq!(cut.iter().map(|slice| slice.len()).collect::<Vec<_>>(), [100, 100, 50]);
        let names = ["a", "b", "c"].map(str::to_string);
        let sql = statement("d", "t", &names, &names[1..], "SELECT 1 -- x", &cut[0][..1]);
        assert_eq!(
            sql,
            "INSERT INTO \"d\".\"t\" SELECT \"a\", \"b\", \"c\" FROM (SELECT 1 -- x\n) WHERE (CAST(\"b\" AS varchar) = 'it''s 0' AND \"c\" IS NULL)"
        );
        assert_eq!(slices(&Some(vec![of(1)])), [&[] as &[(Values, u64)]]);
        assert!(!statement("d", "t", &names, &[], "SELECT 1", &[]).contains("WHERE"));
    }
}
