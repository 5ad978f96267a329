//! The columns of a table as files have them: times in the unit that readers of the files know, names that they can tell apart.

use super::columns::instants;
use super::format::{FileFormat, Kind, Timestamps};
use super::losses::{Loss, Losses};
use crate::error::{Error, ErrorKind, Result};
use crate::nested::{inner_types, with_inner};
use arrow::array::types::{
    ArrowTimestampType, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow::array::{Array, ArrayData, ArrayRef, PrimitiveArray, RecordBatch, UInt32Array, make_array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit};
use std::collections::HashSet;
use std::sync::Arc;

/// Makes the columns of files from those of rows.
#[derive(Debug)]
pub struct Written {
    schema: SchemaRef,
    /// The columns that have another type in the files.
    changed: Vec<usize>,
    /// `name` is called `other` in the files, by the paths of the columns.
    renamed: Vec<(String, String)>,
}

impl Written {
    /// The columns that files of `format` have for those of `schema`.
    pub fn new(format: FileFormat, schema: &SchemaRef) -> Written {
        Written::of(schema, &mut |_, fields| retimed(format.kind, format.timestamps, fields))
    }

    /// The same with other names for those that differ from an earlier one in nothing but case: to most readers they are one.
    pub fn named_apart(format: FileFormat, schema: &SchemaRef) -> Written {
        let mut renamed = Vec::new();
        let mut written = Written::of(schema, &mut |path, fields| {
            let fields = apart(path, fields, &mut renamed);
            retimed(format.kind, format.timestamps, &fields)
        });
        written.renamed = renamed;
        written
    }

    fn of(schema: &SchemaRef, change: &mut dyn FnMut(&str, &Fields) -> Fields) -> Written {
        let fields = walk("", schema.fields(), change);
        let differs = |(index, (old, new)): (usize, (&FieldRef, &FieldRef))| (old.data_type() != new.data_type()).then_some(index);
        let changed = schema.fields().iter().zip(&fields).enumerate().filter_map(differs).collect();
        let schema = if fields == *schema.fields() { schema.clone() } else { Arc::new(Schema::new(fields)) };
        Written { schema, changed, renamed: Vec::new() }
    }

    /// The columns of the files.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// What is to be said of names that are others in the files.
    pub fn notes(&self) -> impl Iterator<Item = String> {
        self.renamed.iter().map(|(name, other)| {
            format!("column `{name}` is written as `{other}`: another name differs only in case, which most readers ignore")
        })
    }

    /// The rows of `batch` as files have them; counts what is lost of them.
    ///
    /// # Errors
    /// [`ErrorKind::Output`] for a time that the unit of the files can't hold.
    pub fn apply(&self, batch: RecordBatch, losses: &mut Losses) -> Result<RecordBatch> {
        if self.changed.is_empty() {
            return Ok(batch);
        }
        let rows = batch.num_rows() as u32;
        let mut columns = batch.columns().to_vec();
        for &index in &self.changed {
            let (field, column) = (self.schema.field(index), &mut columns[index]);
            if column.data_type().is_nested() {
                // Of a slice the values within lists may be those of other rows too.
                *column = take(column, &UInt32Array::from_iter_values(0..rows), None)?;
            }
            let mut cut = Cut::default();
            *column = make_array(changed(column, field.data_type(), &mut cut).map_err(|what| no_place(field.name(), &what))?);
            for (unit, values) in [(TimeUnit::Millisecond, cut.millis), (TimeUnit::Microsecond, cut.micros)] {
                losses.add(Loss::Digits(unit), field.name(), values);
            }
        }
        Ok(RecordBatch::try_new(self.schema.clone(), columns)?)
    }
}

fn no_place(column: &str, what: &str) -> Error {
    Error::new(ErrorKind::Output, format!("column `{column}`: {what}"))
        .with_context("what to do", "write the times in another unit (timestamps: keep), or remove such rows with SQL")
}

/// How many times have lost digits behind a unit.
#[derive(Default)]
struct Cut {
    millis: u64,
    micros: u64,
}

/// Changes the fields of each level, those within first.
fn walk(path: &str, fields: &Fields, change: &mut dyn FnMut(&str, &Fields) -> Fields) -> Fields {
    let inner = |field: &FieldRef, change: &mut dyn FnMut(&str, &Fields) -> Fields| {
        let path = if path.is_empty() { field.name().clone() } else { format!("{path}.{}", field.name()) };
        let data_type = walk_type(&path, field.data_type(), change);
        Arc::new(field.as_ref().clone().with_data_type(data_type))
    };
    let fields: Fields = fields.iter().map(|field| inner(field, change)).collect();
    change(path, &fields)
}

fn walk_type(path: &str, data_type: &DataType, change: &mut dyn FnMut(&str, &Fields) -> Fields) -> DataType {
    // What a list or map is made of is no column with a name of its own.
    let mut item = |field: &FieldRef| {
        let data_type = walk_type(path, field.data_type(), change);
        let alone = Fields::from(vec![field.as_ref().clone().with_data_type(data_type)]);
        change(path, &alone)[0].clone()
    };
    match data_type {
        DataType::Struct(fields) => DataType::Struct(walk(path, fields, change)),
        other => with_inner(other, &mut item).unwrap_or_else(|| other.clone()),
    }
}

/// Times in the unit of the files.
fn retimed(kind: Kind, timestamps: Timestamps, fields: &Fields) -> Fields {
    let unit = |field: &FieldRef| match field.data_type() {
        DataType::Timestamp(unit, zone) => {
            let data_type = DataType::Timestamp(timestamps.unit(kind, *unit), zone.clone());
            Arc::new(field.as_ref().clone().with_data_type(data_type))
        }
        _ => field.clone(),
    };
    fields.iter().map(unit).collect()
}

/// Names that differ in more than case: a second one gets a number, as where a log has a name twice.
fn apart(path: &str, fields: &Fields, renamed: &mut Vec<(String, String)>) -> Fields {
    let mut taken: HashSet<String> = HashSet::with_capacity(fields.len());
    let all: HashSet<String> = fields.iter().map(|field| field.name().to_lowercase()).collect();
    if all.len() == fields.len() {
        return fields.clone();
    }
    let named = |field: &FieldRef| {
        if taken.insert(field.name().to_lowercase()) {
            return field.clone();
        }
        let free = |name: &String| !all.contains(&name.to_lowercase()) && !taken.contains(&name.to_lowercase());
        let name = (2..).map(|number| format!("{}_{number}", field.name())).find(free).unwrap_or_default();
        taken.insert(name.to_lowercase());
        let full = if path.is_empty() { field.name().clone() } else { format!("{path}.{}", field.name()) };
        renamed.push((full, name.clone()));
        Arc::new(Field::clone(field).with_name(name))
    };
    fields.iter().map(named).collect()
}

/// `array` as `wanted`, which differs from its type in units of times and in names only.
fn changed(array: &ArrayRef, wanted: &DataType, cut: &mut Cut) -> Result<ArrayData, String> {
    if array.data_type() == wanted {
        return Ok(array.to_data());
    }
    match (array.data_type(), wanted) {
        (DataType::Timestamp(from, _), DataType::Timestamp(to, zone)) => {
            let values = in_unit(array, *from, *to, cut)?;
            Ok(match to {
                TimeUnit::Second => times::<TimestampSecondType>(values, array, zone),
                TimeUnit::Millisecond => times::<TimestampMillisecondType>(values, array, zone),
                TimeUnit::Microsecond => times::<TimestampMicrosecondType>(values, array, zone),
                TimeUnit::Nanosecond => times::<TimestampNanosecondType>(values, array, zone),
            })
        }
        _ => {
            let data = array.to_data();
            let children =
                data.child_data().iter().zip(inner_types(wanted)).map(|(child, wanted)| changed(&make_array(child.clone()), wanted, cut));
            let children = children.collect::<Result<Vec<_>, _>>()?;
            data.into_builder().data_type(wanted.clone()).child_data(children).build().map_err(|e| e.to_string())
        }
    }
}

fn times<T: ArrowTimestampType>(values: Vec<i64>, array: &ArrayRef, zone: &Option<Arc<str>>) -> ArrayData {
    PrimitiveArray::<T>::new(values.into(), array.nulls().cloned()).with_timezone_opt(zone.clone()).into_data()
}

/// The times of `array` in another unit: the last one that has begun, whose text is that of the time with fewer digits.
fn in_unit(array: &ArrayRef, from: TimeUnit, to: TimeUnit, cut: &mut Cut) -> Result<Vec<i64>, String> {
    let values = instants(array.as_ref(), from);
    let (from_second, to_second) = (a_second(from), a_second(to));
    if to_second >= from_second {
        let factor = to_second / from_second;
        let wider = |(row, value): (usize, &i64)| match value.checked_mul(factor) {
            Some(wider) => Ok(wider),
            None if array.is_null(row) => Ok(0),
            None => Err(format!("the time {value} {} from 1970 is out of range for {}", plural(from), plural(to))),
        };
        return values.iter().enumerate().map(wider).collect();
    }
    let factor = from_second / to_second;
    let inexact = values.iter().enumerate().filter(|(row, value)| *value % factor != 0 && array.is_valid(*row)).count() as u64;
    match to {
        TimeUnit::Microsecond => cut.micros += inexact,
        _ => cut.millis += inexact,
    }
    Ok(values.iter().map(|value| value.div_euclid(factor)).collect())
}

fn a_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

fn plural(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "seconds",
        TimeUnit::Millisecond => "milliseconds",
        TimeUnit::Microsecond => "microseconds",
        TimeUnit::Nanosecond => "nanoseconds",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tabular::CsvDialect;
    use arrow::array::{AsArray, ListArray, StructArray, TimestampNanosecondArray};
    use arrow::buffer::OffsetBuffer;

    fn format(kind: Kind, timestamps: Timestamps) -> FileFormat {
        FileFormat::new(kind, None, None, CsvDialect::default()).unwrap().with_timestamps(timestamps)
    }

    fn nanos(values: Vec<Option<i64>>) -> ArrayRef {
        Arc::new(TimestampNanosecondArray::from(values).with_timezone("UTC"))
    }

    #[test]
    fn digits_that_have_no_place_are_cut_off_and_counted() {
        let times = nanos(vec![Some(1_500_000), None, Some(-1), Some(2_000_000)]);
        let batch = RecordBatch::try_from_iter([("t", times)]).unwrap();
        let mut losses = Losses::default();
        let written = Written::new(format(Kind::Parquet, Timestamps::Auto), &batch.schema());
        let millis = written.apply(batch.clone(), &mut losses).unwrap();
        let values: Vec<Option<i64>> = millis.column(0).as_primitive::<TimestampMillisecondType>().iter().collect();
        // The text of -1 ns is 23:59:59.999999999, and so it is .999 in milliseconds.
        assert_eq!(values, [Some(1), None, Some(-1), Some(2)]);
        let notes: Vec<String> = losses.notes().collect();
        assert!(notes.len() == 1 && notes[0].starts_with("column `t`: 2 times have digits beyond milliseconds"), "{notes:?}");
        for (kind, timestamps, unit) in [
            (Kind::Parquet, Timestamps::Keep, TimeUnit::Nanosecond),
            (Kind::Parquet, Timestamps::Micros, TimeUnit::Microsecond),
            (Kind::Csv, Timestamps::Auto, TimeUnit::Nanosecond),
            (Kind::Json, Timestamps::Millis, TimeUnit::Millisecond),
        ] {
            let written = Written::new(format(kind, timestamps), &batch.schema());
            assert_eq!(written.schema().field(0).data_type(), &DataType::Timestamp(unit, Some("UTC".into())));
        }
    }

    #[test]
    fn times_and_names_within_lists_and_structs_change_too() {
        let fields: Fields =
            ["x", "X", "x_2"].iter().map(|name| Field::new(*name, nanos(vec![]).data_type().clone(), true)).collect::<Vec<_>>().into();
        let inner = StructArray::new(fields, vec![nanos(vec![Some(1), Some(1_000_000), None]); 3], None);
        let item = Arc::new(Field::new_list_field(inner.data_type().clone(), true));
        let lists = ListArray::new(item, OffsetBuffer::from_lengths([2, 1]), Arc::new(inner), None);
        let batch = RecordBatch::try_from_iter([("l", Arc::new(lists) as ArrayRef)]).unwrap();
        let written = Written::named_apart(format(Kind::Parquet, Timestamps::Auto), &batch.schema());
        let mut losses = Losses::default();
        // A slice shares the values within lists with others.
        let first = written.apply(batch.slice(0, 1), &mut losses).unwrap();
        let inner = first.column(0).as_list::<i32>().values().as_struct().clone();
        assert_eq!(inner.column_names(), ["x", "X_3", "x_2"]);
        let values: Vec<Option<i64>> = inner.column(1).as_primitive::<TimestampMillisecondType>().iter().collect();
        assert_eq!(values, [Some(0), Some(1)]);
        let mut expected = Losses::default();
        expected.add(Loss::Digits(TimeUnit::Millisecond), "l", 3);
        assert_eq!(losses, expected);
        assert_eq!(written.notes().count(), 1);
    }

    #[test]
    fn a_time_too_far_for_a_unit_is_an_error() {
        let times: ArrayRef = Arc::new(PrimitiveArray::<TimestampMillisecondType>::from(vec![i64::MAX / 10]));
        let batch = RecordBatch::try_from_iter([("t", times)]).unwrap();
        let written = Written::new(format(Kind::Csv, Timestamps::Micros), &batch.schema());
        let error = written.apply(batch, &mut Losses::default()).unwrap_err();
        assert!(error.to_string().contains("column `t`") && error.kind() == ErrorKind::Output, "{error}");
    }
}
