//! Files of a table that are read alike, as one scan.

use super::parquet_names::{Footer, footers};
use super::partition::Part;
use super::reading::Reading;
use crate::error::{Error, ErrorKind, Result};
use crate::input::{Place, Source, Table, TableFormat};
use crate::query::partitions::Partitions;
use arrow::datatypes::{Field, FieldRef, Schema, SchemaRef};
use datafusion::common::ScalarValue;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Files that are read alike, each with the values of its partition.
#[derive(Debug, Clone)]
pub(in crate::query) struct Group {
    pub(super) reading: Arc<Reading>,
    pub(in crate::query) sources: Vec<Source>,
    pub(super) values: Vec<Vec<ScalarValue>>,
}

/// The files of `parts`, of which each has those of `files`, grouped by how they are read and by bucket.
pub(super) fn grouped(parts: &[Part], files: Vec<Vec<Source>>) -> Vec<Group> {
    let mut groups: Vec<(usize, Option<usize>, Group)> = Vec::new();
    for (part, sources) in parts.iter().zip(files) {
        for source in sources {
            let store = match &source.place {
                Place::Object(object) => Some(Arc::as_ptr(object.store()).cast::<()>() as usize),
                _ => None,
            };
            let key = (Arc::as_ptr(&part.reading) as usize, store);
            let at = match groups.iter().position(|(reading, store, _)| (*reading, *store) == key) {
                Some(at) => at,
                None => {
                    groups.push((key.0, key.1, Group { reading: part.reading.clone(), sources: Vec::new(), values: Vec::new() }));
                    groups.len() - 1
                }
            };
            let group = &mut groups[at].2;
            group.sources.push(source);
            group.values.push(part.values.clone());
        }
    }
    groups.into_iter().map(|(_, _, group)| group).collect()
}

impl Group {
    /// The columns of the files in the table's order.
    pub(super) fn schema(&self) -> SchemaRef {
        self.reading.format.schema()
    }

    /// Whether they are Parquet, which has footers.
    pub(in crate::query) fn is_parquet(&self) -> bool {
        matches!(self.reading.format, TableFormat::Parquet { .. })
    }

    /// The footers of its files, with what these call the columns at `wanted`.
    ///
    /// # Errors
    /// What is wrong with a file.
    pub(in crate::query) fn footers(&self, wanted: &[usize], name: &str) -> Result<Vec<Footer>> {
        let schema = self.schema();
        let columns: Vec<(usize, &Field)> = wanted.iter().map(|index| (*index, schema.field(*index))).collect();
        footers(&self.sources, &columns, self.reading.by_place, name)
    }

    /// The group as tables: of Parquet one for each way in which files spell the columns `wanted`, with that way.
    ///
    /// # Errors
    /// What is wrong with a file.
    pub(super) fn tables(self, keys: &[FieldRef], wanted: &[usize], name: &str) -> Result<Vec<(Table, Partitions)>> {
        if !self.is_parquet() {
            check_endings(&self.sources)?;
            let format = self.reading.format.clone();
            return Ok(vec![self.table(format, keys)]);
        }
        let schema = self.schema();
        let columns: Vec<(usize, &Field)> = wanted.iter().map(|index| (*index, schema.field(*index))).collect();
        let found = self.footers(wanted, name)?;
        let mut spelled: BTreeMap<Vec<Option<String>>, Group> = BTreeMap::new();
        for ((footer, source), values) in found.into_iter().zip(self.sources).zip(self.values) {
            let names = footer.names.iter().zip(&columns).map(|(name, (_, field))| name.clone().filter(|name| name != field.name()));
            let group = || Group { reading: self.reading.clone(), sources: Vec::new(), values: Vec::new() };
            let group = spelled.entry(names.collect()).or_insert_with(group);
            group.sources.push(source);
            group.values.push(values);
        }
        let table = |(names, group): (Vec<Option<String>>, Group)| {
            let mut fields: Vec<FieldRef> = schema.fields().iter().cloned().collect();
            for ((index, field), name) in columns.iter().zip(names) {
                if let Some(name) = name {
                    fields[*index] = Arc::new((*field).clone().with_name(name));
                }
            }
            group.table(TableFormat::Parquet { schema: Arc::new(Schema::new(fields)) }, keys)
        };
        Ok(spelled.into_iter().map(table).collect())
    }

    fn table(self, format: TableFormat, keys: &[FieldRef]) -> (Table, Partitions) {
        let columns = (0..keys.len()).map(|key| self.values.iter().map(|values| values[key].clone()).collect()).collect();
        let partitions = Partitions::of_values(keys.to_vec(), columns);
        (Table { sources: self.sources, format, notes: Vec::new(), misfits: BTreeMap::new() }, partitions)
    }
}

/// Refuses text that is compressed in a way that is not known here: its bytes would be read as lines.
fn check_endings(sources: &[Source]) -> Result<()> {
    const UNKNOWN: [&str; 5] = [".snappy", ".lz4", ".lzo", ".deflate", ".lzo_deflate"];
    match sources.iter().find(|source| UNKNOWN.iter().any(|ending| source.path.ends_with(ending))) {
        Some(source) => {
            let message = format!("{} is compressed in a way that can't be read here", source.path);
            Err(Error::new(ErrorKind::Input, message).with_context("known", ".gz, .zst, .bz2"))
        }
        None => Ok(()),
    }
}
