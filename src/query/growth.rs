//! How large the results of functions would be, told by their arguments.

use crate::error::{Error, ErrorKind};
use crate::units::count;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::compute::kernels::length::length;
use arrow::datatypes::{DataType, Int64Type, IntervalMonthDayNanoType, IntervalUnit};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::ColumnarValue;
use std::cell::Cell;

/// Bytes of a value that a function makes.
const VALUE: u64 = 64 << 20;
/// Bytes of the values that it makes for the rows of one batch.
pub(super) const BATCH: u64 = 256 << 20;
/// Bytes of a constant that a plan holds, which is copied for each row of a batch, and of all larger ones.
const CONSTANT: u64 = 1 << 10;
const KEEP: u64 = 128 << 10;

/// What makes a function's result large.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Growth {
    /// The second argument says how often the first stands there.
    Repeated,
    /// The second argument says how long it is.
    Long,
    /// It holds all numbers or times from one to another.
    Range,
    /// It holds all arguments.
    Joined,
    /// The last argument may stand in it for each byte of the first.
    Replaced,
    /// It has up to so many bytes for each of the argument of that index.
    Widened(usize, u64),
    /// It is no larger than the arguments, and a copy of them.
    Copied,
}

thread_local! {
    /// Bytes of constants that the plan which is being made may still make; nothing while none is made.
    static CONSTANTS: Cell<Option<u64>> = const { Cell::new(None) };
    /// Bytes of larger constants that may stay in the plan which is being optimized; nothing while none is.
    static KEPT: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Does a step of `work`, which makes a plan with constants of up to `left` bytes; gives what is left of them, too.
pub(super) fn planning<T>(left: u64, work: impl FnOnce() -> T) -> (T, u64) {
    CONSTANTS.set(Some(left));
    let done = work();
    // It may have ended by a panic that became an error.
    KEPT.set(None);
    (done, CONSTANTS.take().unwrap_or_default())
}

/// Does `work`, which optimizes a plan.
pub(super) fn optimizing<T>(work: impl FnOnce() -> T) -> T {
    KEPT.set(Some(KEEP));
    let done = work();
    KEPT.set(None);
    done
}

impl Growth {
    /// That of a function; nothing where it gives no more than it is given.
    pub(super) fn of(function: &str) -> Option<Growth> {
        match function {
            "repeat" | "array_repeat" => Some(Growth::Repeated),
            "lpad" | "rpad" | "array_resize" => Some(Growth::Long),
            "range" | "generate_series" => Some(Growth::Range),
            "||" | "concat" | "concat_ws" | "array_concat" | "array_append" | "array_prepend" | "make_array" | "overlay" | "map"
            | "struct" | "named_struct" | "array_union" | "arrays_zip" => Some(Growth::Joined),
            "replace" | "regexp_replace" | "array_to_string" | "array_replace" | "array_replace_n" | "array_replace_all" => {
                Some(Growth::Replaced)
            }
            // Two digits for a byte.
            "encode" => Some(Growth::Widened(0, 2)),
            // A byte becomes a character of four at most, or an item of a list.
            "translate" | "string_to_array" => Some(Growth::Widened(0, 4)),
            // `%+` is a time of up to 35 bytes.
            "to_char" => Some(Growth::Widened(1, 18)),
            "upper" | "lower" | "initcap" | "reverse" | "decode" | "left" | "right" | "substr" | "substr_index" | "split_part"
            | "btrim" | "ltrim" | "rtrim" | "regexp_match" | "flatten" | "array_compact" | "array_distinct" | "array_except"
            | "array_intersect" | "array_reverse" | "array_slice" | "array_sort" | "array_remove" | "array_remove_all"
            | "array_remove_n" | "array_pop_back" | "array_pop_front" | "map_extract" => Some(Growth::Copied),
            _ => None,
        }
    }

    /// # Errors
    /// Where the values that `function` would make of `args` are too large.
    pub(super) fn check(self, function: &str, args: &[ColumnarValue], rows: usize) -> Result<()> {
        // What is the same for all rows is made once, and copied for each.
        let (rows, copies) = if args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_))) { (1, rows as u64) } else { (rows, 1) };
        let sizes = |index: usize| args.get(index).map_or(Ok(Measured::Same(0)), sizes);
        let numbers = |index: usize| args.get(index).map_or(Ok(Measured::Same(0)), numbers);
        let made: Box<dyn Fn(usize) -> u64> = match self {
            Growth::Repeated => {
                let (size, times) = (sizes(0)?, numbers(1)?);
                Box::new(move |row| size.at(row).max(1).saturating_mul(times.at(row)))
            }
            Growth::Long => {
                let (length, item, least) = (numbers(1)?, sizes(2)?, if function == "array_resize" { 8 } else { 1 });
                let each = move |row| if least > 1 { item.at(row).max(least) } else { least };
                Box::new(move |row| length.at(row).saturating_mul(each(row)))
            }
            Growth::Range => range(args)?,
            Growth::Joined => {
                let parts = args.iter().map(self::sizes).collect::<Result<Vec<_>>>()?;
                // What stands between the others.
                let between = if function == "concat_ws" { parts.len().saturating_sub(2) as u64 } else { 0 };
                let joined = move |row: usize| parts.iter().map(|part| part.at(row)).sum::<u64>() + parts[0].at(row) * between;
                if args.is_empty() {
                    return Ok(());
                }
                Box::new(joined)
            }
            Growth::Replaced => {
                let last = if function == "array_to_string" { 1 } else { 2 };
                let (text, by) = (sizes(0)?, sizes(last)?);
                Box::new(move |row| text.at(row).saturating_add(1).saturating_mul(by.at(row)).saturating_add(text.at(row)))
            }
            Growth::Widened(index, factor) => {
                let size = sizes(index)?;
                Box::new(move |row| size.at(row).saturating_mul(factor))
            }
            Growth::Copied => return Ok(()),
        };
        // A replacement for each byte is the worst that can come; it is seldom so bad, so it is looked at only where it is very bad.
        let most = if self == Growth::Replaced { (VALUE * 16, BATCH * 16) } else { (VALUE, BATCH) };
        let mut all: u64 = 0;
        for row in 0..rows {
            let size = made(row);
            all = all.saturating_add(size.saturating_mul(copies));
            if size > most.0 || all > most.1 {
                return Err(refuse(function, size.max(all), size > most.0));
            }
        }
        let constant = rows == 1 && args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        if constant { make_constant(function, all) } else { Ok(()) }
    }
}

/// # Errors
/// Where a plan is being made that would hold too much with a constant of `bytes`. It is made when the query is run, then.
fn make_constant(function: &str, bytes: u64) -> Result<()> {
    let Some(left) = CONSTANTS.get() else { return Ok(()) };
    let kept = KEPT.get().filter(|_| bytes > CONSTANT);
    let (Some(left), Some(kept)) = (left.checked_sub(bytes), kept.map_or(Some(None), |kept| kept.checked_sub(bytes).map(Some))) else {
        let message = format!(
            "{function} would make a constant of {} bytes, and {} MiB is the most of all of a query; \
             ask it for less",
            count(bytes),
            BATCH >> 20
        );
        return Err(DataFusionError::External(Box::new(Error::new(ErrorKind::Query, message))));
    };
    CONSTANTS.set(Some(left));
    if kept.is_some() {
        KEPT.set(kept);
    }
    Ok(())
}

fn refuse(function: &str, bytes: u64, one: bool) -> DataFusionError {
    let (what, most) = if one { ("a value", VALUE) } else { ("the values of a batch of rows", BATCH) };
    let message = format!(
        "{function} would make {what} of {} bytes, but at most {} MiB are allowed; reduce it, or read fewer rows",
        count(bytes),
        most >> 20
    );
    DataFusionError::External(Box::new(Error::new(ErrorKind::Query, message)))
}

/// A number for each row.
enum Measured {
    Same(u64),
    Each(ArrayRef),
}

impl Measured {
    fn at(&self, row: usize) -> u64 {
        match self {
            Measured::Same(number) => *number,
            Measured::Each(numbers) => {
                let numbers = numbers.as_primitive::<Int64Type>();
                if row < numbers.len() && numbers.is_valid(row) { u64::try_from(numbers.value(row)).unwrap_or(0) } else { 0 }
            }
        }
    }

    fn of(array: &ArrayRef, one: bool) -> Result<Measured> {
        let each = Measured::Each(cast(array, &DataType::Int64)?);
        Ok(if one { Measured::Same(each.at(0)) } else { each })
    }
}

/// The bytes of each value; of lists and what else has no length, what they take on average.
fn sizes(value: &ColumnarValue) -> Result<Measured> {
    let (array, one) = array(value)?;
    match array.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
            match length(&array) {
                Ok(lengths) => Measured::of(&lengths, one),
                Err(_) => Ok(Measured::Same(average(&array))),
            }
        }
        _ => Ok(Measured::Same(average(&array))),
    }
}

fn average(array: &ArrayRef) -> u64 {
    let bytes = array.to_data().get_slice_memory_size().unwrap_or_else(|_| array.get_array_memory_size());
    bytes.div_ceil(array.len().max(1)) as u64
}

fn numbers(value: &ColumnarValue) -> Result<Measured> {
    let (array, one) = array(value)?;
    Measured::of(&array, one)
}

fn array(value: &ColumnarValue) -> Result<(ArrayRef, bool)> {
    match value {
        ColumnarValue::Array(array) => Ok((array.clone(), false)),
        ColumnarValue::Scalar(scalar) => Ok((scalar.to_array_of_size(1)?, true)),
    }
}

/// How many bytes the numbers or times from the first argument to the second take.
fn range(args: &[ColumnarValue]) -> Result<Box<dyn Fn(usize) -> u64>> {
    const DAY: i128 = 86_400_000_000_000;
    let whole = |index: usize| -> Result<Option<(ArrayRef, bool, i128)>> {
        let Some(arg) = args.get(index) else { return Ok(None) };
        let (array, one) = array(arg)?;
        let (array, unit) = match array.data_type() {
            DataType::Date32 => (cast(&array, &DataType::Int32)?, DAY),
            DataType::Interval(IntervalUnit::MonthDayNano) => return Ok(Some((array, one, 1))),
            _ => (array, 1),
        };
        Ok(Some((cast(&array, &DataType::Int64)?, one, unit)))
    };
    let value = |of: &Option<(ArrayRef, bool, i128)>, row: usize, absent: i128| -> i128 {
        let Some((array, one, unit)) = of else { return absent };
        let row = if *one { 0 } else { row };
        if row >= array.len() || array.is_null(row) {
            return 0;
        }
        match array.as_primitive_opt::<IntervalMonthDayNanoType>() {
            Some(intervals) => {
                let interval = intervals.value(row);
                i128::from(interval.months) * 28 * DAY + i128::from(interval.days) * DAY + i128::from(interval.nanoseconds)
            }
            None => i128::from(array.as_primitive::<Int64Type>().value(row)) * unit,
        }
    };
    let (first, second, step) = (whole(0)?, whole(1)?, whole(2)?);
    Ok(Box::new(move |row| {
        let (from, to) = match second {
            Some(_) => (value(&first, row, 0), value(&second, row, 0)),
            None => (0, value(&first, row, 0)),
        };
        let step = value(&step, row, 1);
        // One that stands still, or goes the other way, is told by the function.
        if step == 0 || (to - from).signum() == -step.signum() {
            return 0;
        }
        u64::try_from(((to - from) / step).saturating_mul(8)).unwrap_or(u64::MAX)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int64Array, StringViewArray};
    use datafusion::common::ScalarValue;
    use std::sync::Arc;

    fn text(value: &str) -> ColumnarValue {
        ColumnarValue::Scalar(ScalarValue::from(value))
    }

    fn number(value: i64) -> ColumnarValue {
        ColumnarValue::Scalar(ScalarValue::from(value))
    }

    fn checked(function: &str, args: &[ColumnarValue], rows: usize) -> Result<()> {
        Growth::of(function).unwrap().check(function, args, rows)
    }

    #[test]
    fn what_would_be_too_large_is_refused_before_it_is_made() {
        let long = text(&"x".repeat(40 << 20));
        for (function, args) in [
            ("repeat", vec![text("x"), number(2_000_000_000)]),
            ("repeat", vec![text("xy"), number(40 << 20)]),
            ("array_repeat", vec![number(1), number(20 << 20)]),
            ("lpad", vec![text("x"), number(1 << 30)]),
            ("range", vec![number(1_000_000_000)]),
            ("generate_series", vec![number(0), number(-1_000_000_000), number(-2)]),
            ("concat", vec![long.clone(), long.clone()]),
            ("||", vec![long.clone(), long.clone()]),
            ("make_array", vec![long.clone(), long.clone()]),
            ("concat_ws", vec![long.clone(), text("a"), text("b"), text("c")]),
            ("encode", vec![long.clone(), text("hex")]),
            ("translate", vec![long.clone(), text("x"), text("€")]),
            ("string_to_array", vec![long.clone(), text("x")]),
            ("to_char", vec![number(0), long.clone()]),
            ("array_resize", vec![number(1), number(1_000), text(&"x".repeat(1 << 20))]),
            ("replace", vec![long, text("x"), text(&"y".repeat(1_000))]),
        ] {
            let error = checked(function, &args, 1).unwrap_err().to_string();
            assert!(error.contains(&format!("{function} would make")) && error.contains("are allowed"), "{error}");
        }
        for (function, args) in [
            ("repeat", vec![text("x"), number(1_000_000)]),
            ("repeat", vec![text("x"), number(-5)]),
            ("range", vec![number(0), number(1_000_000), number(1)]),
            ("range", vec![number(10), number(0), number(1)]),
            ("concat", vec![text("a"), text("b")]),
        ] {
            checked(function, &args, 1).unwrap();
        }
    }

    #[test]
    fn columns_are_looked_at_row_by_row_and_as_a_batch() {
        let texts: ArrayRef = Arc::new(StringViewArray::from(vec!["a", "bb"]));
        let times = |of: [i64; 2]| ColumnarValue::Array(Arc::new(Int64Array::from(of.to_vec())));
        checked("repeat", &[ColumnarValue::Array(texts.clone()), times([3, 5])], 2).unwrap();
        let one = checked("repeat", &[ColumnarValue::Array(texts), times([3, 50 << 20])], 2).unwrap_err();
        assert!(one.to_string().contains("a value"), "{one}");
        let many: ArrayRef = Arc::new(StringViewArray::from(vec!["x"; 8192]));
        let all = checked("repeat", &[ColumnarValue::Array(many), number(1 << 20)], 8192).unwrap_err();
        assert!(all.to_string().contains("a batch of rows"), "{all}");
    }

    #[test]
    fn a_plan_holds_few_constants() {
        let repeated = |times: i64| checked("repeat", &[text("x"), number(times)], 1);
        let (done, left) = planning(1_000_000, || {
            // Some are made and dropped while a query is read.
            repeated(500_000).unwrap();
            repeated(600_000).unwrap_err();
            optimizing(|| {
                repeated(100_000).unwrap();
                repeated(100_000).unwrap_err();
                repeated(1_000)
            })
        });
        assert!(done.is_ok() && left == 399_000, "{left}");
        repeated(60_000_000).unwrap();
        // What is the same for all rows is copied for each.
        checked("repeat", &[text("x"), number(1 << 20)], 8_192).unwrap_err();
    }
}
