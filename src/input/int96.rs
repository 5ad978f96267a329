//! Times of INT96, as Spark, Hive and Impala write them: a day and the nanoseconds of that day.
//!
//! No unit of 64 bits holds them all: nanoseconds end in the years 1677 and 2262. They are read as microseconds, which is what Spark has;
//! digits behind those are counted, as they are cut off, and what has no microseconds either is an error.

use crate::nested::{inner_types, with_inner};
use arrow::array::types::{TimestampMicrosecondType, TimestampNanosecondType, TimestampSecondType};
use arrow::array::{Array, ArrayData, ArrayRef, PrimitiveArray, make_array};
use arrow::datatypes::{DataType, FieldRef, Fields, Schema, SchemaRef, TimeUnit};
use parquet::basic::Type;
use parquet::schema::types::SchemaDescriptor;
use std::sync::Arc;

const NANOS: i64 = 1_000_000_000;

/// The columns of a file, which are `schema` in Arrow, with `unit` for the times of INT96; nothing where it has none.
pub(super) fn in_unit(schema: &Schema, parquet: &SchemaDescriptor, unit: TimeUnit) -> Option<SchemaRef> {
    let mut leaves = Leaves { parquet, next: 0, unit, found: false };
    let fields: Fields = schema.fields().iter().map(|field| leaves.field(field)).collect();
    leaves.found.then(|| Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone())))
}

/// The top columns that have times of INT96 in them.
pub(super) fn roots(parquet: &SchemaDescriptor) -> Vec<usize> {
    let leaves = 0..parquet.num_columns();
    let mut roots: Vec<usize> =
        leaves.filter(|leaf| parquet.column(*leaf).physical_type() == Type::INT96).map(|leaf| parquet.get_column_root_idx(leaf)).collect();
    roots.dedup();
    roots
}

/// Walks through the columns as Arrow has them; their leaves are those of Parquet, in the same order.
struct Leaves<'a> {
    parquet: &'a SchemaDescriptor,
    next: usize,
    unit: TimeUnit,
    found: bool,
}

impl Leaves<'_> {
    fn field(&mut self, field: &FieldRef) -> FieldRef {
        let data_type = self.data_type(field.data_type());
        Arc::new(field.as_ref().clone().with_data_type(data_type))
    }

    fn data_type(&mut self, data_type: &DataType) -> DataType {
        if let Some(nested) = with_inner(data_type, &mut |field| self.field(field)) {
            return nested;
        }
        let place = self.next;
        self.next += 1;
        let is_int96 = place < self.parquet.num_columns() && self.parquet.column(place).physical_type() == Type::INT96;
        match data_type {
            DataType::Timestamp(_, zone) if is_int96 => {
                self.found = true;
                DataType::Timestamp(self.unit, zone.clone())
            }
            other => other.clone(),
        }
    }
}

/// The column of type `wanted` that is `seconds`, read as whole seconds, and `nanos`, read as nanoseconds of which the upper bits may be
/// missing. Adds the values that have digits behind the microseconds to `cut`.
///
/// # Errors
/// For a time that has no microseconds.
pub(super) fn joined(seconds: &ArrayRef, nanos: &ArrayRef, wanted: &DataType, cut: &mut u64) -> Result<ArrayRef, String> {
    Ok(make_array(join(seconds.to_data(), nanos.to_data(), wanted, cut)?))
}

fn join(seconds: ArrayData, nanos: ArrayData, wanted: &DataType, cut: &mut u64) -> Result<ArrayData, String> {
    match (seconds.data_type(), nanos.data_type()) {
        (DataType::Timestamp(TimeUnit::Second, zone), DataType::Timestamp(TimeUnit::Nanosecond, _)) => {
            let zone = zone.clone();
            let seconds = PrimitiveArray::<TimestampSecondType>::from(seconds);
            let nanos = PrimitiveArray::<TimestampNanosecondType>::from(nanos);
            let times =
                seconds.iter().zip(nanos.values()).map(|(second, nanos)| second.map_or(Ok(0), |second| micros(second, *nanos, cut)));
            let times = times.collect::<Result<Vec<i64>, String>>()?;
            let times = PrimitiveArray::<TimestampMicrosecondType>::new(times.into(), seconds.nulls().cloned());
            Ok(times.with_timezone_opt(zone).into_data())
        }
        (same, other) if same == other => Ok(seconds),
        _ => {
            let inner = inner_types(wanted);
            let pairs = seconds.child_data().iter().zip(nanos.child_data()).zip(inner);
            let children = pairs.map(|((seconds, nanos), wanted)| join(seconds.clone(), nanos.clone(), wanted, cut));
            let children = children.collect::<Result<Vec<_>, _>>()?;
            seconds.into_builder().data_type(wanted.clone()).child_data(children).build().map_err(|e| e.to_string())
        }
    }
}

/// The microseconds of a time. Both numbers come of the same day and nanosecond, so what they differ by is right also where the
/// nanoseconds have overflowed.
fn micros(second: i64, nanos: i64, cut: &mut u64) -> Result<i64, String> {
    let within = nanos.wrapping_sub(second.wrapping_mul(NANOS));
    *cut += u64::from(within.rem_euclid(1000) != 0);
    let micros = second.checked_mul(1_000_000).and_then(|micros| micros.checked_add(within.div_euclid(1000)));
    micros.ok_or_else(|| format!("a time of INT96 is {second} seconds from 1970, which no timestamp holds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_what_its_day_and_nanoseconds_say() {
        let time = |days: i128, nanos: i128| {
            let all = days * 86_400 * i128::from(NANOS) + nanos;
            let mut cut = 0;
            let second = all.div_euclid(i128::from(NANOS)) as i64;
            micros(second, all as i64, &mut cut).map(|micros| (micros, cut))
        };
        assert_eq!(time(0, 0), Ok((0, 0)));
        assert_eq!(time(0, 1_234_567_891), Ok((1_234_567, 1)));
        assert_eq!(time(-1, 86_399_999_999_000), Ok((-1, 0)));
        // The years 1, 3000 and 9999.
        for days in [-719_162, 376_200, 2_932_896] {
            assert_eq!(time(days, 1_000), Ok(((days * 86_400_000_000 + 1) as i64, 0)));
        }
        assert!(time(i128::from(i32::MAX), 0).is_err() && time(i128::from(i32::MIN), 0).is_err());
    }
}
