//! The columns of Parquet files that are one table: told by their names, wherever they stand.

use super::lacking::note_lacking;
use crate::error::{Error, ErrorKind, Result};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use std::collections::HashMap;
use std::sync::Arc;

/// How the columns of a file lie to those of its table, where they aren't the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileColumns {
    /// The columns of the file that are read, in its order.
    pub read: Vec<usize>,
    /// Of each column that is wanted its place among those that are read; nothing for one that the file hasn't, which is NULL.
    pub places: Vec<Option<usize>>,
    /// The columns that are wanted, as the table has them.
    pub wanted: SchemaRef,
}

impl FileColumns {
    /// Those of a file whose columns are `own`, of a table of `schema` of which the columns at `projection` are wanted, all where not given;
    /// nothing where the file's columns are the table's.
    pub fn of(own: &Fields, schema: &Schema, projection: Option<&[usize]>) -> Option<FileColumns> {
        if own == schema.fields() {
            return None;
        }
        let by_name: HashMap<&str, usize> = own.iter().enumerate().map(|(at, field)| (field.name().as_str(), at)).collect();
        let fields = match projection {
            Some(projection) => projection.iter().map(|column| schema.fields()[*column].clone()).collect(),
            None => schema.fields().clone(),
        };
        let found: Vec<Option<usize>> = fields.iter().map(|field| by_name.get(field.name().as_str()).copied()).collect();
        let mut read: Vec<usize> = found.iter().flatten().copied().collect();
        read.sort_unstable();
        read.dedup();
        let places = found.into_iter().map(|at| read.binary_search(&at?).ok()).collect();
        Some(FileColumns { read, places, wanted: Arc::new(Schema::new(fields)) })
    }
}

/// The columns that files have together, file by file.
#[derive(Debug, Default)]
pub(super) struct Together {
    fields: Vec<Field>,
    /// Where each column is.
    places: HashMap<String, usize>,
    /// What is known of earlier runs, which holds where no file has it.
    known: usize,
    /// Of each column how many files have it, and one that hasn't.
    found: Vec<(u64, Option<String>)>,
    /// The columns of the file before, which those of most files are.
    last: Option<SchemaRef>,
    files: u64,
    first: Option<String>,
}

impl Together {
    /// Begins with the columns that an earlier run found; the files say again of what types they are.
    pub(super) fn knowing(known: Option<&SchemaRef>) -> Together {
        let fields: Vec<Field> = known.iter().flat_map(|known| known.fields()).map(|field| Field::clone(field)).collect();
        let places = fields.iter().enumerate().map(|(at, field)| (field.name().clone(), at)).collect();
        Together { known: fields.len(), found: vec![(0, None); fields.len()], fields, places, ..Together::default() }
    }

    /// Takes the columns of the file at `path` in.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where it has no column of those that are there, or one of a type that has no wider one in common with that of others.
    pub(super) fn take(&mut self, path: &str, schema: &SchemaRef) -> Result<()> {
        self.files += 1;
        if self.last.as_ref().is_some_and(|last| last.fields() == schema.fields()) {
            schema.fields().iter().for_each(|field| self.found[self.places[field.name()]].0 += 1);
            return Ok(());
        }
        let shares = schema.fields().iter().any(|field| self.places.contains_key(field.name()));
        if !self.fields.is_empty() && !shares {
            let other = self.first.as_deref().map_or("those that were read before", |first| first);
            return Err(Error::new(ErrorKind::Input, format!("{path} and {other} have no columns in common; they are not one table"))
                .with_context("what to do", "name them one at a time"));
        }
        for field in schema.fields() {
            match self.places.get(field.name()) {
                Some(at) => {
                    let (known, is_told) = (&self.fields[*at], self.found[*at].0 > 0 || *at >= self.known);
                    // What an earlier run found is told in fewer words than a file has for it.
                    let joined = if is_told { wider(known.data_type(), field.data_type()) } else { Some(field.data_type().clone()) };
                    let Some(data_type) = joined else {
                        let message =
                            format!("column `{}` is {} in {path}, and {} in others", field.name(), field.data_type(), known.data_type());
                        return Err(Error::new(ErrorKind::Input, message)
                            .with_context("what to do", "read the files as two tables, and combine them in SQL with CAST"));
                    };
                    self.fields[*at] = Field::new(field.name(), data_type, true);
                    self.found[*at].0 += 1;
                }
                None => {
                    self.places.insert(field.name().clone(), self.fields.len());
                    self.found.push((1, self.first.clone()));
                    self.fields.push(Field::clone(field));
                }
            }
        }
        for (field, found) in self.fields.iter().zip(&mut self.found) {
            if found.1.is_none() && schema.index_of(field.name()).is_err() {
                found.1 = Some(path.to_string());
            }
        }
        self.first.get_or_insert_with(|| path.to_string());
        self.last = Some(schema.clone());
        Ok(())
    }

    /// The columns; what the user should know goes to `notes`. Nothing where there was no file.
    pub(super) fn done(self, notes: &mut Vec<String>) -> Option<SchemaRef> {
        self.last.as_ref()?;
        let all = self.fields.iter().zip(&self.found).filter(|(_, (files, _))| *files < self.files);
        let lacking: Vec<(&str, u64, &str)> =
            all.map(|(field, (files, lacks))| (field.name().as_str(), self.files - files, lacks.as_deref().unwrap_or("files"))).collect();
        note_lacking(&lacking, notes);
        Some(Arc::new(Schema::new(self.fields)))
    }
}

/// A type that holds each value of both exactly.
fn wider(one: &DataType, other: &DataType) -> Option<DataType> {
    use DataType::{Decimal128, Float32, Float64, Int8, Int16, Int32, Int64, Timestamp};
    let width = |data_type: &DataType| [Int8, Int16, Int32, Int64].iter().position(|known| known == data_type);
    let fineness = |unit: &TimeUnit| {
        [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond].iter().position(|known| known == unit)
    };
    if one == other {
        return Some(one.clone());
    }
    match (one, other) {
        (one, other) if width(one).is_some() && width(other).is_some() => {
            Some(if width(one) > width(other) { one.clone() } else { other.clone() })
        }
        (Float32 | Float64, Float32 | Float64) | (Float64, Int8 | Int16 | Int32) | (Int8 | Int16 | Int32, Float64) => Some(Float64),
        (Timestamp(unit, zone), Timestamp(other_unit, other_zone)) if zone == other_zone => {
            Some(Timestamp(if fineness(unit) > fineness(other_unit) { *unit } else { *other_unit }, zone.clone()))
        }
        (Decimal128(digits, scale), Decimal128(other_digits, other_scale)) => {
            let whole = (i16::from(*digits) - i16::from(*scale)).max(i16::from(*other_digits) - i16::from(*other_scale));
            let scale = *scale.max(other_scale);
            let digits = u8::try_from(whole + i16::from(scale)).ok().filter(|digits| *digits <= 38)?;
            Some(Decimal128(digits, scale))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DataType::{Decimal128, Float64, Int32, Int64, Utf8View};

    fn schema(columns: &[(&str, DataType)]) -> SchemaRef {
        Arc::new(Schema::new(columns.iter().map(|(name, data_type)| Field::new(*name, data_type.clone(), true)).collect::<Vec<_>>()))
    }

    #[test]
    fn columns_are_told_by_name() {
        let table = schema(&[("a", Int64), ("b", Utf8View), ("c", Int64)]);
        let own = schema(&[("c", Int64), ("a", Int64)]);
        let all = FileColumns::of(own.fields(), &table, None).unwrap();
        assert_eq!((all.read, all.places), (vec![0, 1], vec![Some(1), None, Some(0)]));
        let some = FileColumns::of(own.fields(), &table, Some(&[0, 1])).unwrap();
        assert_eq!((some.read, some.places), (vec![1], vec![Some(0), None]));
        assert_eq!(FileColumns::of(table.fields(), &table, Some(&[1])), None);
    }

    #[test]
    fn files_have_their_columns_together() {
        let mut together = Together::default();
        together.take("1", &schema(&[("a", Int32), ("b", Utf8View)])).unwrap();
        together.take("2", &schema(&[("d", Decimal128(5, 2)), ("a", Int64)])).unwrap();
        together.take("3", &schema(&[("a", Int32), ("d", Decimal128(6, 1))])).unwrap();
        let mut notes = Vec::new();
        let columns = together.done(&mut notes).unwrap();
        assert_eq!(columns, schema(&[("a", Int64), ("b", Utf8View), ("d", Decimal128(7, 2))]));
        assert!(notes[0].contains("column `b` is not in 2"), "{notes:?}");
        let mut together = Together::default();
        together.take("1", &schema(&[("a", Int64)])).unwrap();
        assert!(together.take("4", &schema(&[("x", Int32)])).unwrap_err().to_string().contains("4 and 1 have no columns in common"));
        let wrong = together.take("5", &schema(&[("a", Float64)])).unwrap_err().to_string();
        assert!(wrong.contains("column `a` is Float64 in 5, and Int64 in others"), "{wrong}");
    }

    #[test]
    fn what_was_known_stays() {
        let mut together = Together::knowing(Some(&schema(&[("a", Int32), ("b", Utf8View)])));
        together.take("1", &schema(&[("b", Utf8View), ("c", Int32), ("a", Int64)])).unwrap();
        assert_eq!(together.done(&mut Vec::new()).unwrap(), schema(&[("a", Int64), ("b", Utf8View), ("c", Int32)]));
        assert_eq!(Together::default().done(&mut Vec::new()), None);
    }
}
