//! A column of a result: its type by what Athena says of it, and its values made of text.

use super::value;
use arrow::array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
};
use arrow::array::{Array, ArrayRef, BinaryArray, BooleanArray, PrimitiveArray, StringArray};
use arrow::datatypes::{DataType, TimeUnit};
use aws_sdk_athena::types::ColumnInfo;
use std::sync::Arc;

/// A column of a result.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) data_type: DataType,
    /// The type as Athena calls it.
    pub(super) called: String,
}

impl Column {
    /// The column that `info` tells of; `first` is the first of its values that is not NULL, where one is known.
    pub(super) fn of(info: &ColumnInfo, first: Option<&str>) -> Column {
        let data_type = match info.r#type() {
            "boolean" => DataType::Boolean,
            "tinyint" => DataType::Int8,
            "smallint" => DataType::Int16,
            "integer" | "int" => DataType::Int32,
            "bigint" => DataType::Int64,
            "float" | "real" => DataType::Float32,
            "double" => DataType::Float64,
            "decimal" => decimal(info.precision(), info.scale()),
            "date" => DataType::Date32,
            "timestamp" => timestamp(info.precision(), first),
            "varbinary" => DataType::Binary,
            // Texts, and what has no form but its text: lists, maps, rows, JSON, times with a zone.
            _ => DataType::Utf8,
        };
        Column { name: info.name().to_string(), data_type, called: info.r#type().to_string() }
    }

    /// The values of texts.
    ///
    /// # Errors
    /// The place of the first that is none of the type.
    pub(super) fn array(&self, texts: &[Option<&str>]) -> Result<ArrayRef, usize> {
        match &self.data_type {
            DataType::Boolean => Ok(Arc::new(BooleanArray::from(parsed(texts, value::boolean)?))),
            DataType::Int8 => primitive::<Int8Type>(texts, |text| text.parse().ok()),
            DataType::Int16 => primitive::<Int16Type>(texts, |text| text.parse().ok()),
            DataType::Int32 => primitive::<Int32Type>(texts, |text| text.parse().ok()),
            DataType::Int64 => primitive::<Int64Type>(texts, |text| text.parse().ok()),
            DataType::Float32 => primitive::<Float32Type>(texts, |text| text.parse().ok()),
            DataType::Float64 => primitive::<Float64Type>(texts, |text| text.parse().ok()),
            DataType::Decimal128(digits, scale) => {
                let units = parsed(texts, |text| value::decimal(text, *digits, *scale))?;
                let array = PrimitiveArray::<Decimal128Type>::from(units);
                Ok(Arc::new(array.with_data_type(self.data_type.clone())))
            }
            DataType::Date32 => primitive::<Date32Type>(texts, value::date),
            DataType::Timestamp(unit @ TimeUnit::Microsecond, _) => {
                primitive::<TimestampMicrosecondType>(texts, |text| value::timestamp(text, *unit))
            }
            DataType::Timestamp(unit @ TimeUnit::Nanosecond, _) => {
                primitive::<TimestampNanosecondType>(texts, |text| value::timestamp(text, *unit))
            }
            DataType::Timestamp(..) => primitive::<TimestampMillisecondType>(texts, |text| value::timestamp(text, TimeUnit::Millisecond)),
            DataType::Binary => {
                let values = parsed(texts, value::bytes)?;
                Ok(Arc::new(values.iter().map(Option::as_deref).collect::<BinaryArray>()))
            }
            _ => Ok(Arc::new(texts.iter().copied().collect::<StringArray>())),
        }
    }
}

fn primitive<T: ArrowPrimitiveType>(texts: &[Option<&str>], parse: impl Fn(&str) -> Option<T::Native>) -> Result<ArrayRef, usize>
where
    PrimitiveArray<T>: From<Vec<Option<T::Native>>> + Array,
{
    Ok(Arc::new(PrimitiveArray::<T>::from(parsed(texts, parse)?)))
}

fn parsed<T>(texts: &[Option<&str>], parse: impl Fn(&str) -> Option<T>) -> Result<Vec<Option<T>>, usize> {
    let value = |(place, text): (usize, &Option<&str>)| match text {
        None => Ok(None),
        Some(text) => parse(text).map(Some).ok_or(place),
    };
    texts.iter().enumerate().map(value).collect()
}

fn decimal(digits: i32, scale: i32) -> DataType {
    match (u8::try_from(digits), i8::try_from(scale)) {
        (Ok(digits @ 1..=38), Ok(scale)) if (0..=i32::from(digits)).contains(&i32::from(scale)) => DataType::Decimal128(digits, scale),
        _ => DataType::Utf8,
    }
}

/// The digits of a column's times are those of its first: all have as many. Athena may say three of them where there are six.
fn timestamp(digits: i32, first: Option<&str>) -> DataType {
    let unit = match first {
        Some(text) => value::unit_of(text),
        None if digits <= 6 => Some(TimeUnit::Microsecond),
        None => Some(TimeUnit::Nanosecond),
    };
    unit.map_or(DataType::Utf8, |unit| DataType::Timestamp(unit, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(called: &str, digits: i32, scale: i32, first: Option<&str>) -> Column {
        let info = ColumnInfo::builder().name("c").r#type(called).precision(digits).scale(scale).build();
        Column::of(&info.expect("it has name and type"), first)
    }

    #[test]
    fn each_type_has_its_values() {
        let cases: [(&str, i32, i32, &[&str], &str); 12] = [
            ("boolean", 0, 0, &["true", "false"], "TRUE"),
            ("tinyint", 3, 0, &["-128", "127"], "128"),
            ("smallint", 5, 0, &["-32768"], "1.5"),
            ("integer", 10, 0, &["2147483647"], "2147483648"),
            ("bigint", 19, 0, &["-9223372036854775808"], "NULL"),
            ("float", 17, 0, &["1.5", "NaN", "-Infinity", "1.0E10"], "1,5"),
            ("double", 17, 0, &["4.9E-324", "Infinity"], ""),
            ("decimal", 10, 2, &["1.50", "-99999999.99"], "100000000.00"),
            ("date", 0, 0, &["1969-12-31"], "1969-12-32"),
            ("timestamp", 3, 0, &["1969-12-31 23:59:59.999"], "1969-12-31"),
            ("varbinary", 0, 0, &["e4 bd a0", ""], "e4bd"),
            ("decimal", 38, 38, &["0.00000000000000000000000000000000000001"], "1"),
        ];
        for (called, digits, scale, good, bad) in cases {
            let column = column(called, digits, scale, good.first().copied());
            assert_ne!(column.data_type, DataType::Utf8, "{called}");
            let texts: Vec<Option<&str>> = good.iter().map(|text| Some(*text)).chain([None]).collect();
            let array = column.array(&texts).unwrap();
            assert_eq!((array.data_type(), array.len(), array.null_count()), (&column.data_type, good.len() + 1, 1), "{called}");
            assert_eq!(column.array(&[None, Some(bad)]), Err(1), "{called} {bad}");
        }
        for called in ["varchar", "char", "string", "array", "map", "row", "json", "timestamp with time zone", "uuid", "what comes"] {
            let column = column(called, 0, 0, None);
            assert_eq!(column.array(&[Some(""), None]).unwrap().null_count(), 1);
        }
    }

    #[test]
    fn times_have_the_digits_of_the_first() {
        let unit = |digits, first| column("timestamp", digits, 0, first).data_type;
        assert_eq!(unit(3, Some("2020-01-01 00:00:00.123456")), DataType::Timestamp(TimeUnit::Microsecond, None));
        assert_eq!(unit(3, Some("2020-01-01 00:00:00")), DataType::Timestamp(TimeUnit::Millisecond, None));
        assert_eq!(unit(3, None), DataType::Timestamp(TimeUnit::Microsecond, None));
        assert_eq!(unit(9, None), DataType::Timestamp(TimeUnit::Nanosecond, None));
        assert_eq!(unit(12, Some("2020-01-01 00:00:00.123456789012")), DataType::Utf8);
    }
}
