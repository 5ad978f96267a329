//! Which types have a place where.
//!
//! | type | Parquet | JSON | CSV, TSV | Athena |
//! |---|---|---|---|---|
//! | text, bytes, boolean, whole numbers, fractions, dates, times with a day | yes | yes | yes | yes |
//! | decimals of up to 38 digits | yes | yes | yes | yes |
//! | decimals of more digits, or with digits left out before the point | yes | yes | yes | no |
//! | a time of day (`time32`, `time64`) | yes | as text | as text | no |
//! | a duration | no: it would be a number without a unit | as text | as text | no |
//! | an interval of months, or of days and milliseconds | yes | as text | as text | no |
//! | an interval of months, days and nanoseconds | no | as text | as text | no |
//! | lists | yes | yes | no | yes |
//! | a struct | yes | yes | no | with names that Athena takes |
//! | a struct without fields | no | yes | no | no |
//! | a map | yes | with keys of text | no | yes |
//! | a union | no | no | no | no |
//!
//! What is read from Parquet has become plain before: numbers without a sign and `float16` are the next wider ones, a dictionary is its
//! values, and a column without a type, which is NULL throughout, is text.

use super::types::athena_type;
use crate::error::{Error, ErrorKind, Result};
use arrow::datatypes::{DataType, Field, IntervalUnit};
use std::collections::HashSet;

/// Where a column is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Parquet,
    Json,
    Csv,
    Tsv,
    Athena,
}

/// Whether all of `fields` have a place.
///
/// # Errors
/// [`ErrorKind::Usage`] that names the column, with its path where it is within others, its type, and what to do.
pub fn check<'a>(fields: impl IntoIterator<Item = &'a Field>, place: Place) -> Result<()> {
    fields.into_iter().try_for_each(|field| look(field.name(), field.data_type(), place))
}

fn look(path: &str, data_type: &DataType, place: Place) -> Result<()> {
    use DataType::*;
    if matches!(place, Place::Csv | Place::Tsv) && data_type.is_nested() {
        return Err(refused(format!("column {path} is a {data_type}, which {} can't hold", place.name()), "write JSON or Parquet"));
    }
    match (data_type, place) {
        (Struct(fields), Place::Parquet | Place::Athena) if fields.is_empty() => {
            let what = format!("column `{path}` is an object without keys, which {} can't hold", place.name());
            Err(refused(what, "leave it out, or make it text: with SQL, or with the type `string` in a schema (--schema)"))
        }
        (Struct(fields), _) => {
            let mut names = HashSet::new();
            for field in fields {
                let path = format!("{path}.{}", field.name());
                if place == Place::Athena && !names.insert(field.name().to_lowercase()) {
                    let what = format!("`{path}` differs from another field only in case, which Athena ignores");
                    return Err(refused(what, "rename one of them with SQL"));
                }
                look(&path, field.data_type(), place)?;
            }
            // The names of the fields.
            if place == Place::Athena { at(path, athena_type(data_type)) } else { Ok(()) }
        }
        (List(item) | LargeList(item) | ListView(item) | LargeListView(item) | FixedSizeList(item, _), _) => {
            look(&format!("{path}[]"), item.data_type(), place)
        }
        (Map(entries, _), _) => {
            let Struct(pair) = entries.data_type() else { return Err(no_type(path, data_type, place)) };
            let [key, value] = &pair[..] else { return Err(no_type(path, data_type, place)) };
            if place == Place::Json && !key.data_type().is_string() {
                let what = format!("column `{path}` is a map with keys of type {}, but JSON keys are always text", key.data_type());
                return Err(refused(what, "write Parquet, or make the keys text with SQL"));
            }
            look(&format!("{path}{{key}}"), key.data_type(), place)?;
            look(&format!("{path}{{value}}"), value.data_type(), place)
        }
        (Dictionary(_, values), _) => look(path, values, place),
        (RunEndEncoded(_, values), _) => look(path, values.data_type(), place),
        (Union(..), _) | (Duration(_) | Interval(IntervalUnit::MonthDayNano), Place::Parquet) => Err(no_type(path, data_type, place)),
        (_, Place::Athena) => athena_type(data_type).map(|_| ()).map_err(|_| no_type(path, data_type, place)),
        _ => Ok(()),
    }
}

fn at<T>(path: &str, result: Result<T>) -> Result<()> {
    result.map(|_| ()).map_err(|error| error.with_context("column", path))
}

fn no_type(path: &str, data_type: &DataType, place: Place) -> Error {
    let hint = match data_type {
        DataType::Time32(_) | DataType::Time64(_) => "make it text, or a timestamp, with SQL: CAST(… AS varchar)",
        DataType::Duration(_) | DataType::Interval(_) => "make it a number of seconds or text with SQL: CAST(… AS varchar)",
        data_type if data_type.is_decimal() => "make it a decimal of at most 38 digits, a double or text with SQL",
        _ => "leave it out, or make it text, with SQL",
    };
    refused(format!("column `{path}` has type {data_type}, which {} doesn't have", place.name()), hint)
}

fn refused(what: String, hint: &str) -> Error {
    Error::new(ErrorKind::Usage, what).with_context("what to do", hint)
}

impl Place {
    fn name(self) -> &'static str {
        match self {
            Place::Parquet => "Parquet",
            Place::Json => "JSON",
            Place::Csv => "CSV",
            Place::Tsv => "TSV",
            Place::Athena => "Athena",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::{Fields, TimeUnit};
    use std::sync::Arc;

    #[test]
    fn each_type_has_its_places() {
        use Place::*;
        let list = |item: DataType| DataType::List(Arc::new(Field::new_list_field(item, true)));
        let object = |name: &str, inner: DataType| DataType::Struct(vec![Field::new(name, inner, true)].into());
        let map = |key: DataType| {
            let entries: Fields = vec![Field::new("key", key, false), Field::new("value", DataType::Int32, true)].into();
            DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries), false)), false)
        };
        let all = [Parquet, Json, Csv, Tsv, Athena];
        for (data_type, places) in [
            (DataType::UInt64, &all[..]),
            (DataType::Float16, &all),
            (DataType::FixedSizeBinary(16), &all),
            (DataType::Timestamp(TimeUnit::Nanosecond, None), &all),
            (DataType::Decimal128(38, 10), &all),
            (DataType::Decimal256(76, 10), &[Parquet, Json, Csv, Tsv]),
            (DataType::Time32(TimeUnit::Second), &[Parquet, Json, Csv, Tsv]),
            (DataType::Time64(TimeUnit::Nanosecond), &[Parquet, Json, Csv, Tsv]),
            (DataType::Duration(TimeUnit::Second), &[Json, Csv, Tsv]),
            (DataType::Interval(IntervalUnit::YearMonth), &[Parquet, Json, Csv, Tsv]),
            (DataType::Interval(IntervalUnit::MonthDayNano), &[Json, Csv, Tsv]),
            (list(DataType::Utf8), &[Parquet, Json, Athena]),
            (list(DataType::Time32(TimeUnit::Second)), &[Parquet, Json]),
            (object("a", DataType::Int8), &[Parquet, Json, Athena]),
            (object("a:b", DataType::Int8), &[Parquet, Json]),
            (DataType::Struct(Fields::empty()), &[Json]),
            (list(object("a", DataType::Struct(Fields::empty()))), &[Json]),
            (map(DataType::Utf8), &[Parquet, Json, Athena]),
            (map(DataType::Int32), &[Parquet, Athena]),
        ] {
            let field = Field::new("x", data_type.clone(), true);
            for place in all {
                assert_eq!(check([&field], place).is_ok(), places.contains(&place), "{data_type} {place:?}");
            }
        }
        let field = Field::new("x", list(object("a", DataType::Time32(TimeUnit::Millisecond))), true);
        let error = check([&field], Athena).unwrap_err().to_string();
        assert!(error.contains("column `x[].a` has type Time32(ms), which Athena doesn't have"), "{error}");
        let twins: Fields = vec![Field::new("a", DataType::Int8, true), Field::new("A", DataType::Int8, true)].into();
        assert!(check([&Field::new("x", DataType::Struct(twins), true)], Athena).unwrap_err().to_string().contains("`x.A`"));
    }
}
