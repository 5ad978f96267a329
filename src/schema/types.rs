//! The type table: Arrow's types and the names of Athena's and Glue's.
//!
//! Athena has no unsigned types: they become the next wider signed one, and 64 bits become `decimal(20,0)`.

use crate::diagnostic::nearest;
use crate::error::{Error, ErrorKind, Result};
use arrow::datatypes::{DataType, Field, Fields, TimeUnit};
use std::ops::Range;
use std::sync::Arc;

/// The names without parameters, with their Arrow types.
const SIMPLE: [(&str, DataType); 11] = [
    ("string", DataType::Utf8View),
    ("boolean", DataType::Boolean),
    ("tinyint", DataType::Int8),
    ("smallint", DataType::Int16),
    ("int", DataType::Int32),
    ("integer", DataType::Int32),
    ("bigint", DataType::Int64),
    ("float", DataType::Float32),
    ("double", DataType::Float64),
    ("date", DataType::Date32),
    ("binary", DataType::Binary),
];

/// The names with parameters, and `timestamp`, whose Arrow type has some.
const OTHER: [&str; 5] = ["timestamp", "decimal", "array", "struct", "map"];

/// How deep types may nest. Glue stops earlier.
const DEEPEST: usize = 32;

/// The most digits of a decimal.
const MOST_DIGITS: u8 = 38;

/// What people call a type that a file has: Athena's name for it, and of times their unit, as `timestamp(us, UTC)`.
pub fn described_type(data_type: &DataType) -> String {
    match data_type {
        DataType::Timestamp(unit, zone) => {
            let zone = zone.as_ref().map(|zone| format!(", {zone}")).unwrap_or_default();
            format!("timestamp({unit}{zone})")
        }
        DataType::Time32(unit) | DataType::Time64(unit) => format!("time({unit})"),
        DataType::Interval(_) | DataType::Duration(_) => "interval".to_string(),
        other => athena_type(other).unwrap_or_else(|_| other.to_string().to_lowercase()),
    }
}

/// The name that Athena and Glue have for an Arrow type.
///
/// ```
/// use arrow::datatypes::DataType;
/// assert_eq!(etl::schema::types::athena_type(&DataType::UInt32)?, "bigint");
/// # Ok::<(), etl::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Format`] where Athena has no such type.
pub fn athena_type(data_type: &DataType) -> Result<String> {
    use DataType::*;
    let name = match data_type {
        // A column that is all NULL can be read as any type.
        Utf8 | LargeUtf8 | Utf8View | Null => "string",
        Boolean => "boolean",
        Int8 => "tinyint",
        Int16 | UInt8 => "smallint",
        Int32 | UInt16 => "int",
        Int64 | UInt32 => "bigint",
        UInt64 => "decimal(20,0)",
        Float16 | Float32 => "float",
        Float64 => "double",
        Date32 | Date64 => "date",
        Timestamp(..) => "timestamp",
        Binary | LargeBinary | BinaryView | FixedSizeBinary(_) => "binary",
        Decimal32(digits, scale) | Decimal64(digits, scale) | Decimal128(digits, scale) | Decimal256(digits, scale)
            if *digits <= MOST_DIGITS && (0..=*digits as i8).contains(scale) =>
        {
            return Ok(format!("decimal({digits},{scale})"));
        }
        List(item) | LargeList(item) | ListView(item) | LargeListView(item) | FixedSizeList(item, _) => {
            return Ok(format!("array<{}>", athena_type(item.data_type())?));
        }
        Struct(fields) if !fields.is_empty() => return athena_struct(fields),
        Map(entries, _) => {
            if let Struct(fields) = entries.data_type()
                && let [key, value] = &fields[..]
            {
                return Ok(format!("map<{},{}>", athena_type(key.data_type())?, athena_type(value.data_type())?));
            }
            return Err(unknown(data_type));
        }
        Dictionary(_, value) => return athena_type(value),
        RunEndEncoded(_, values) => return athena_type(values.data_type()),
        _ => return Err(unknown(data_type)),
    };
    Ok(name.to_string())
}

fn athena_struct(fields: &Fields) -> Result<String> {
    let mut members = Vec::with_capacity(fields.len());
    for field in fields {
        if field.name().is_empty() || field.name().contains([',', ':', '<', '>', '(', ')', ' ']) {
            let message = format!("a field of a struct can't be called `{}` in Athena; use letters, digits and `_`", field.name());
            return Err(Error::new(ErrorKind::Format, message));
        }
        members.push(format!("{}:{}", field.name().to_lowercase(), athena_type(field.data_type())?));
    }
    Ok(format!("struct<{}>", members.join(",")))
}

fn unknown(data_type: &DataType) -> Error {
    let message = format!("Athena has no type for {data_type}; convert the column to a string, number, date or timestamp first");
    Error::new(ErrorKind::Format, message)
}

/// What is wrong with the name of a type, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeFault {
    /// The bytes of the name that are wrong.
    pub span: Range<usize>,
    /// What was expected.
    pub message: String,
}

/// The Arrow type of one of Athena's names: `int`, `decimal(10,2)`, `array<struct<name:string,size:bigint>>`.
///
/// # Errors
/// Where the name is unknown or incomplete.
pub fn arrow_type(name: &str) -> Result<DataType, TypeFault> {
    let mut parser = Parser { text: name, at: 0 };
    let data_type = parser.parse(0)?;
    match parser.peek() {
        None => Ok(data_type),
        Some(_) => Err(parser.fault(parser.at..name.len(), "nothing may follow the type")),
    }
}

/// Reads a type's name from left to right.
struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn parse(&mut self, depth: usize) -> Result<DataType, TypeFault> {
        let (name, span) = self.word();
        if depth > DEEPEST {
            return Err(self.fault(span, "the type is nested too deeply"));
        }
        let name = name.to_ascii_lowercase();
        if let Some((_, data_type)) = SIMPLE.iter().find(|(known, _)| *known == name) {
            return Ok(data_type.clone());
        }
        match name.as_str() {
            "timestamp" => Ok(DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()))),
            "decimal" => self.decimal(),
            "array" => {
                self.expect('<')?;
                let item = self.parse(depth + 1)?;
                self.expect('>')?;
                Ok(DataType::new_list(item, true))
            }
            "struct" => self.fields(depth),
            "map" => {
                self.expect('<')?;
                let key = self.parse(depth + 1)?;
                self.expect(',')?;
                let value = self.parse(depth + 1)?;
                self.expect('>')?;
                let entries = Fields::from(vec![Field::new("key", key, false), Field::new("value", value, true)]);
                Ok(DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries), false)), false))
            }
            _ => Err(self.unknown(&name, span)),
        }
    }

    fn fields(&mut self, depth: usize) -> Result<DataType, TypeFault> {
        self.expect('<')?;
        let mut fields: Vec<Field> = Vec::new();
        loop {
            let (name, span) = self.word();
            if name.is_empty() {
                return Err(self.fault(span, "expected the name of a field"));
            }
            if fields.iter().any(|field| field.name() == name) {
                return Err(self.fault(span, "the struct has this field twice"));
            }
            self.expect(':')?;
            fields.push(Field::new(name, self.parse(depth + 1)?, true));
            if self.peek() != Some(',') {
                break;
            }
            self.expect(',')?;
        }
        self.expect('>')?;
        Ok(DataType::Struct(fields.into()))
    }

    /// The parameters of a decimal; `decimal` alone is `decimal(10,0)`, as in Hive.
    fn decimal(&mut self) -> Result<DataType, TypeFault> {
        if self.peek() != Some('(') {
            return Ok(DataType::Decimal128(10, 0));
        }
        self.expect('(')?;
        let digits = self.number(1..=MOST_DIGITS, "digits, of 1 to 38")?;
        let mut scale = 0;
        if self.peek() == Some(',') {
            self.expect(',')?;
            scale = self.number(0..=digits, "digits after the point, at most as many as there are digits")?;
        }
        self.expect(')')?;
        Ok(DataType::Decimal128(digits, scale as i8))
    }

    fn number(&mut self, range: std::ops::RangeInclusive<u8>, what: &str) -> Result<u8, TypeFault> {
        let (word, span) = self.word();
        let number = word.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| self.fault(span, &format!("expected a number of {what}")))
    }

    fn unknown(&self, name: &str, span: Range<usize>) -> TypeFault {
        let known = SIMPLE.iter().map(|(known, _)| *known).chain(OTHER);
        match nearest(name, known) {
            Some(near) if !name.is_empty() => self.fault(span, &format!("no such type; did you mean `{near}`?")),
            _ => {
                let names: Vec<&str> = SIMPLE.iter().map(|(known, _)| *known).chain(OTHER).collect();
                self.fault(span, &format!("expected one of {}", names.join(", ")))
            }
        }
    }

    /// The letters, digits and signs up to the next delimiter.
    fn word(&mut self) -> (&'a str, Range<usize>) {
        self.peek();
        let rest = &self.text[self.at..];
        let length = rest.find(['<', '>', '(', ')', ',', ':', ' ']).unwrap_or(rest.len());
        let span = self.at..self.at + length;
        self.at = span.end;
        (&self.text[span.clone()], span)
    }

    /// The next character that is not blank.
    fn peek(&mut self) -> Option<char> {
        let rest = self.text[self.at..].trim_start();
        self.at = self.text.len() - rest.len();
        rest.chars().next()
    }

    fn expect(&mut self, delimiter: char) -> Result<(), TypeFault> {
        let found = self.peek();
        if found == Some(delimiter) {
            self.at += delimiter.len_utf8();
            return Ok(());
        }
        Err(self.fault(self.at..self.at + found.map_or(0, char::len_utf8), &format!("expected `{delimiter}`")))
    }

    fn fault(&self, span: Range<usize>, message: &str) -> TypeFault {
        TypeFault { span, message: message.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_arrow_and_back() {
        for name in [
            "string",
            "boolean",
            "tinyint",
            "smallint",
            "int",
            "bigint",
            "float",
            "double",
            "date",
            "timestamp",
            "binary",
            "decimal(10,2)",
            "decimal(38,38)",
            "array<int>",
            "struct<name:string,size:bigint>",
            "map<string,array<double>>",
            "array<struct<at:timestamp,tags:map<string,string>,price:decimal(20,0)>>",
        ] {
            assert_eq!(athena_type(&arrow_type(name).unwrap()).unwrap(), name);
        }
        assert_eq!(arrow_type("string"), Ok(DataType::Utf8View));
        assert_eq!(arrow_type("timestamp"), Ok(DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()))));
        assert_eq!(arrow_type(" DECIMAL ( 12 , 2 ) "), Ok(DataType::Decimal128(12, 2)));
        assert_eq!(arrow_type("decimal"), Ok(DataType::Decimal128(10, 0)));
        assert_eq!(arrow_type("integer"), Ok(DataType::Int32));
    }

    #[test]
    fn arrow_types_find_the_name_that_holds_them() {
        let text = Arc::new(Field::new_list_field(DataType::Utf8, true));
        for (data_type, name) in [
            (DataType::UInt8, "smallint"),
            (DataType::UInt16, "int"),
            (DataType::UInt32, "bigint"),
            (DataType::UInt64, "decimal(20,0)"),
            (DataType::LargeUtf8, "string"),
            (DataType::Timestamp(TimeUnit::Nanosecond, None), "timestamp"),
            (DataType::FixedSizeBinary(16), "binary"),
            (DataType::Decimal256(38, 9), "decimal(38,9)"),
            (DataType::LargeList(text), "array<string>"),
            (DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)), "string"),
        ] {
            assert_eq!(athena_type(&data_type).unwrap(), name);
        }
        for none in [
            DataType::Time64(TimeUnit::Microsecond),
            DataType::Decimal256(60, 2),
            DataType::Decimal128(5, -2),
            DataType::Struct(Fields::empty()),
            DataType::Struct(vec![Field::new("a:b", DataType::Int8, true)].into()),
        ] {
            assert_eq!(athena_type(&none).unwrap_err().kind(), ErrorKind::Format, "{none}");
        }
    }

    #[test]
    fn faults_say_where_and_what() {
        for (name, span, message) in [
            ("sting", 0..5, "no such type; did you mean `string`?"),
            ("array<bigit>", 6..11, "no such type; did you mean `bigint`?"),
            ("array", 5..5, "expected `<`"),
            ("array<int", 9..9, "expected `>`"),
            ("struct<a:int,a:int>", 13..14, "the struct has this field twice"),
            ("struct<:int>", 7..7, "expected the name of a field"),
            ("map<string>", 10..11, "expected `,`"),
            ("decimal(39)", 8..10, "expected a number of digits, of 1 to 38"),
            ("int int", 4..7, "nothing may follow the type"),
        ] {
            assert_eq!(arrow_type(name), Err(TypeFault { span, message: message.to_string() }), "{name}");
        }
        assert!(arrow_type("").unwrap_err().message.starts_with("expected one of string, boolean"));
        assert!(arrow_type(&"array<".repeat(100_000)).unwrap_err().message.contains("too deep"));
    }
}
