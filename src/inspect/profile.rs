//! What the values of a column are like.

use super::distinct::DistinctCount;
use super::model::{ColumnInspection, Distinct};
use crate::error::Result;
use crate::schema::times::time_pattern;
use arrow::array::{Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray, StringViewArray};
use arrow::compute::{concat, max_boolean, max_string_view, min_boolean, min_string_view};
use arrow::datatypes::{DataType, Field};
use arrow::downcast_primitive_array;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use std::sync::Arc;

/// The least or the greatest value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Extreme {
    Min,
    Max,
}

/// A column's NULLs, extremes and different values, over all the batches seen.
#[derive(Debug, Default)]
pub(super) struct Profile {
    nulls: u64,
    /// Arrays of one value.
    min: Option<ArrayRef>,
    max: Option<ArrayRef>,
    distinct: DistinctCount,
    /// Its type's values can't be counted.
    uncounted: bool,
}

impl Profile {
    /// Sees the column's values in one more batch.
    pub(super) fn see(&mut self, array: &ArrayRef) -> Result<()> {
        self.nulls += array.null_count() as u64;
        self.see_extremes(array, array)?;
        self.see_distinct(array);
        Ok(())
    }

    /// Sees minima and maxima that others have found.
    pub(super) fn see_extremes(&mut self, minima: &ArrayRef, maxima: &ArrayRef) -> Result<()> {
        self.min = extreme_of(self.min.take(), minima, Extreme::Min)?;
        self.max = extreme_of(self.max.take(), maxima, Extreme::Max)?;
        Ok(())
    }

    /// Sees values to be counted only.
    pub(super) fn see_distinct(&mut self, array: &ArrayRef) {
        self.uncounted |= !self.distinct.see(array);
    }

    /// The least value, as text.
    pub(super) fn min(&self) -> Option<String> {
        self.min.as_ref().and_then(shown)
    }

    /// The greatest value, as text.
    pub(super) fn max(&self) -> Option<String> {
        self.max.as_ref().and_then(shown)
    }

    pub(super) fn distinct(&self) -> Option<Distinct> {
        (!self.uncounted).then(|| self.distinct.count())
    }

    /// What is known of the column `field`.
    pub(super) fn column(&self, field: &Field) -> ColumnInspection {
        ColumnInspection {
            name: field.name().clone(),
            data_type: crate::schema::types::described_type(field.data_type()),
            directive: field.metadata().get("directive").cloned(),
            nulls: Some(self.nulls),
            distinct: self.distinct(),
            min: self.min(),
            max: self.max(),
            storage: None,
        }
    }
}

/// The extreme of `known` and the values of `array`.
fn extreme_of(known: Option<ArrayRef>, array: &ArrayRef, which: Extreme) -> Result<Option<ArrayRef>> {
    Ok(match (known, extreme(array, which)) {
        (Some(known), Some(new)) => extreme(&concat(&[&known, &new])?, which),
        (known, new) => known.or(new),
    })
}

/// The extreme value of `array` as an array of its own; nothing where all are NULL, or the type has no order.
fn extreme(array: &ArrayRef, which: Extreme) -> Option<ArrayRef> {
    match array.data_type() {
        DataType::Utf8View => {
            let texts = array.as_string_view();
            let found = match which {
                Extreme::Min => min_string_view(texts),
                Extreme::Max => max_string_view(texts),
            };
            found.map(|text| Arc::new(StringViewArray::from(vec![text])) as ArrayRef)
        }
        DataType::Utf8 | DataType::LargeUtf8 => extreme(&arrow::compute::cast(array, &DataType::Utf8View).ok()?, which),
        DataType::Boolean => {
            let found = match which {
                Extreme::Min => min_boolean(array.as_boolean()),
                Extreme::Max => max_boolean(array.as_boolean()),
            };
            found.map(|value| Arc::new(BooleanArray::from(vec![value])) as ArrayRef)
        }
        _ => {
            let array: &dyn Array = array.as_ref();
            downcast_primitive_array!(
                array => extreme_number(array, which),
                _ => None,
            )
        }
    }
}

fn extreme_number<T: ArrowPrimitiveType>(array: &PrimitiveArray<T>, which: Extreme) -> Option<ArrayRef> {
    let values = array.iter().flatten();
    let better = |a: &T::Native, b: &T::Native| a.compare(*b);
    let found = match which {
        Extreme::Min => values.min_by(better),
        Extreme::Max => values.max_by(better),
    };
    let one = found.map(|value| PrimitiveArray::<T>::from_value(value, 1).with_data_type(array.data_type().clone()));
    one.map(|one| Arc::new(one) as ArrayRef)
}

/// The value of an array of one, shortened; times as this program writes them.
fn shown(array: &ArrayRef) -> Option<String> {
    const LENGTH: usize = 60;
    let time = time_pattern(array.data_type());
    let options = FormatOptions::new().with_timestamp_format(Some(time)).with_timestamp_tz_format(Some(time));
    let text = ArrayFormatter::try_new(array.as_ref(), &options).ok()?.value(0).to_string();
    let short: String = text.chars().take(LENGTH).collect();
    Some(if short.len() < text.len() { format!("{short}…") } else { text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int32Array, TimestampMillisecondArray};

    #[test]
    fn a_profile_is_of_all_batches() {
        let mut profile = Profile::default();
        for numbers in [vec![Some(3), None], vec![None], vec![Some(-1), Some(3)]] {
            profile.see(&(Arc::new(Int32Array::from(numbers)) as ArrayRef)).unwrap();
        }
        let column = profile.column(&Field::new("n", DataType::Int32, true));
        assert_eq!((column.nulls, column.min.as_deref(), column.max.as_deref()), (Some(2), Some("-1"), Some("3")));
        assert_eq!(column.distinct, Some(Distinct { count: 2, estimated: false }));
    }

    #[test]
    fn times_and_texts_have_extremes_too() {
        let mut times = Profile::default();
        times.see(&(Arc::new(TimestampMillisecondArray::from(vec![1_582_934_418_000, 0]).with_timezone("UTC")) as ArrayRef)).unwrap();
        assert_eq!(times.max().as_deref(), Some("2020-02-29 00:00:18.000"));
        let mut texts = Profile::default();
        texts.see(&(Arc::new(StringViewArray::from(vec!["b", "a"])) as ArrayRef)).unwrap();
        texts.see(&(Arc::new(StringViewArray::from(vec!["x".repeat(100).as_str()])) as ArrayRef)).unwrap();
        assert_eq!(texts.min().as_deref(), Some("a"));
        assert_eq!(texts.max().unwrap().chars().count(), 61);
    }
}
