//! Rows as JSON lines. Every key is there in every row, NULLs too, so that readers that guess see all columns.

use super::columns::{Column, instants, plain, write_float};
use super::losses::{Loss, Losses};
use super::map_keys;
use super::scan::any_of;
use super::timestamp::TimestampText;
use crate::error::{Error, ErrorKind, Result};
use arrow::array::types::{Float32Type, Float64Type};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{DataType, FieldRef, Schema, TimeUnit};
use arrow::error::ArrowError;
use arrow::json::writer::{Encoder, EncoderFactory, EncoderOptions, NullableEncoder, make_encoder};
use arrow::record_batch::RecordBatch;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Writes rows as JSON objects.
#[derive(Debug)]
pub(super) struct JsonRows {
    /// `{"name":` or `,"name":` for each column.
    keys: Vec<Vec<u8>>,
    names: Vec<String>,
    /// How arrow writes each column that is a list or struct.
    nested: BTreeMap<usize, EncoderOptions>,
    time: TimestampText,
    /// Of a time within a list or struct that has no text.
    fault: Arc<Mutex<Option<Error>>>,
    /// How many numbers of each column JSON has not.
    not_finite: Vec<Arc<AtomicU64>>,
}

impl JsonRows {
    pub(super) fn new(schema: &Schema) -> JsonRows {
        let keys = schema.fields().iter().enumerate().map(|(index, field)| {
            let mut key = vec![if index == 0 { b'{' } else { b',' }];
            write_text(field.name().as_bytes(), &mut key);
            key.push(b':');
            key
        });
        let keys = keys.collect();
        let fault = Arc::default();
        let not_finite: Vec<Arc<AtomicU64>> = schema.fields().iter().map(|_| Arc::default()).collect();
        let is_nested = |(index, _): &(usize, &Arc<AtomicU64>)| schema.field(*index).data_type().is_nested();
        let nested = not_finite.iter().enumerate().filter(is_nested).map(|(index, not_finite)| {
            let values = NestedValues { fault: Arc::clone(&fault), not_finite: not_finite.clone() };
            (index, EncoderOptions::default().with_explicit_nulls(true).with_encoder_factory(Arc::new(values)))
        });
        let names = schema.fields().iter().map(|field| field.name().clone()).collect();
        JsonRows { keys, names, nested: nested.collect(), time: TimestampText::default(), fault, not_finite }
    }

    /// What was lost of values since it was asked last.
    pub(super) fn losses(&mut self) -> Losses {
        let mut losses = Losses::default();
        for (name, count) in self.names.iter().zip(&self.not_finite) {
            losses.add(Loss::NotFinite, name, count.swap(0, Ordering::Relaxed));
        }
        losses
    }

    /// Appends the rows of `batch`.
    pub(super) fn write(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
        let arrays = plain(batch)?;
        let schema = batch.schema();
        let mut columns = Vec::with_capacity(arrays.len());
        for (index, (array, field)) in arrays.iter().zip(schema.fields()).enumerate() {
            map_keys::check(field.name(), array)?;
            columns.push(JsonColumn::of(array, field, self.nested.get(&index))?);
        }
        let mut digits = itoa::Buffer::new();
        for row in 0..batch.num_rows() {
            for (index, (column, key)) in columns.iter_mut().zip(&self.keys).enumerate() {
                out.extend_from_slice(key);
                let column = match column {
                    JsonColumn::Flat(column) => column,
                    JsonColumn::Nested(encoder) if encoder.is_null(row) => {
                        out.extend_from_slice(b"null");
                        continue;
                    }
                    JsonColumn::Nested(encoder) => {
                        encoder.encode(row, out);
                        continue;
                    }
                };
                if column.is_null(row) {
                    out.extend_from_slice(b"null");
                    continue;
                }
                match column {
                    Column::Text(array) => write_text(array.value(row).as_bytes(), out),
                    Column::Int(array) => out.extend_from_slice(digits.format(array.value(row)).as_bytes()),
                    Column::Long(array) => out.extend_from_slice(digits.format(array.value(row)).as_bytes()),
                    Column::Float(array) if array.value(row).is_finite() => write_float(array.value(row), out),
                    Column::Double(array) if array.value(row).is_finite() => write_float(array.value(row), out),
                    // JSON has no such numbers (RFC 8259, section 6).
                    Column::Float(_) | Column::Double(_) => {
                        self.not_finite[index].fetch_add(1, Ordering::Relaxed);
                        out.extend_from_slice(b"null");
                    }
                    Column::Boolean(array) => out.extend_from_slice(if array.value(row) { b"true" } else { b"false" }),
                    Column::Time(array) => {
                        out.push(b'"');
                        self.time.write(array.value(row), out);
                        out.push(b'"');
                    }
                    Column::OtherTime { values, unit, .. } => {
                        out.push(b'"');
                        self.time.write_in(*unit, values[row], out);
                        out.push(b'"');
                    }
                    Column::Other { formatter, quoted: true, .. } => write_text(formatter.value(row).to_string().as_bytes(), out),
                    Column::Other { formatter, .. } => out.extend_from_slice(formatter.value(row).to_string().as_bytes()),
                }
            }
            out.extend_from_slice(if columns.is_empty() { b"{}\n" } else { b"}\n" });
        }
        match self.fault.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(fault) => Err(fault),
            None => self.time.check(),
        }
    }
}

/// A column as it is written to JSON.
enum JsonColumn<'a> {
    Flat(Column<'a>),
    /// Lists and structs are left to arrow's writer.
    Nested(NullableEncoder<'a>),
}

impl<'a> JsonColumn<'a> {
    fn of(array: &'a ArrayRef, field: &'a FieldRef, options: Option<&'a EncoderOptions>) -> Result<JsonColumn<'a>> {
        let Some(options) = options else { return Column::of(array).map(JsonColumn::Flat) };
        let encoder = make_encoder(field, array.as_ref(), options);
        encoder
            .map(JsonColumn::Nested)
            .map_err(|e| Error::new(ErrorKind::Output, format!("column {} can't be written as JSON", field.name())).with_source(e))
    }
}

/// Writes times and fractions within lists and structs as all others are.
#[derive(Debug)]
struct NestedValues {
    fault: Arc<Mutex<Option<Error>>>,
    not_finite: Arc<AtomicU64>,
}

impl EncoderFactory for NestedValues {
    fn make_default_encoder<'a>(
        &self,
        _: &'a FieldRef,
        array: &'a dyn Array,
        _: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        let not_finite = self.not_finite.clone();
        let encoder: Box<dyn Encoder + 'a> = match array.data_type() {
            DataType::Timestamp(unit, _) => {
                Box::new(Times { values: instants(array, *unit), unit: *unit, text: TimestampText::default(), fault: self.fault.clone() })
            }
            DataType::Float32 => Box::new(Fractions { values: array.as_primitive::<Float32Type>().values(), not_finite }),
            DataType::Float64 => Box::new(Fractions { values: array.as_primitive::<Float64Type>().values(), not_finite }),
            _ => return Ok(None),
        };
        Ok(Some(NullableEncoder::new(encoder, array.nulls().cloned())))
    }
}

struct Fractions<'a, T> {
    values: &'a [T],
    not_finite: Arc<AtomicU64>,
}

impl<T: Copy + Into<f64> + Debug> Encoder for Fractions<'_, T> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        let value = self.values[row];
        if value.into().is_finite() {
            return write_float(value, out);
        }
        self.not_finite.fetch_add(1, Ordering::Relaxed);
        out.extend_from_slice(b"null");
    }
}

struct Times<'a> {
    values: &'a ScalarBuffer<i64>,
    unit: TimeUnit,
    text: TimestampText,
    fault: Arc<Mutex<Option<Error>>>,
}

impl Encoder for Times<'_> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        out.push(b'"');
        self.text.write_in(self.unit, self.values[row], out);
        out.push(b'"');
        if let Err(fault) = self.text.check() {
            *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
        }
    }
}

/// Whether a byte must be escaped.
#[inline]
fn needs_escape(text: &[u8]) -> bool {
    any_of(text, |byte| u8::from(byte < 0x20) | u8::from(byte == b'"') | u8::from(byte == b'\\')) != 0
}

/// Appends a JSON string (RFC 8259, section 7).
fn write_text(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    if needs_escape(text) {
        let mut copied = 0;
        for (at, byte) in text.iter().enumerate() {
            let escape: &[u8] = match byte {
                b'"' => b"\\\"",
                b'\\' => b"\\\\",
                b'\n' => b"\\n",
                b'\r' => b"\\r",
                b'\t' => b"\\t",
                0..0x20 => &[b'\\', b'u', b'0', b'0', b'0' + (byte >> 4), b"0123456789abcdef"[usize::from(byte & 15)]],
                _ => continue,
            };
            out.extend_from_slice(&text[copied..at]);
            out.extend_from_slice(escape);
            copied = at + 1;
        }
        out.extend_from_slice(&text[copied..]);
    } else {
        out.extend_from_slice(text);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{
        Float32Array, Float64Array, StructArray, TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
    };
    use arrow::datatypes::Field;

    #[test]
    fn every_value_is_what_json_has_for_it_also_where_it_is_nested() {
        let micros = || Arc::new(TimestampMicrosecondArray::from(vec![1_582_934_402_000_007]).with_timezone("Europe/Berlin")) as ArrayRef;
        let floats = || Arc::new(Float32Array::from(vec![f32::NEG_INFINITY])) as ArrayRef;
        let inner: Vec<(&str, ArrayRef)> = vec![
            ("ms", Arc::new(TimestampMillisecondArray::from(vec![0]))),
            ("us", micros()),
            ("ns", Arc::new(TimestampNanosecondArray::from(vec![-1]))),
            ("f32", floats()),
            ("f64", Arc::new(Float64Array::from(vec![f64::NAN]))),
            ("one", Arc::new(Float32Array::from(vec![0.1]))),
            ("big", Arc::new(Float32Array::from(vec![2_147_483_648.0]))),
        ];
        let fields = inner.iter().map(|(name, array)| Arc::new(Field::new(*name, array.data_type().clone(), true)));
        let nested = StructArray::new(fields.collect(), inner.iter().map(|(_, array)| array.clone()).collect(), None);
        let batch = RecordBatch::try_from_iter(inner.into_iter().chain([("inner", Arc::new(nested) as ArrayRef)])).unwrap();
        let mut out = Vec::new();
        let mut rows = JsonRows::new(&batch.schema());
        rows.write(&batch, &mut out).unwrap();
        let mut expected = Losses::default();
        [("f32", 1), ("f64", 1), ("inner", 2)].into_iter().for_each(|(column, values)| expected.add(Loss::NotFinite, column, values));
        assert_eq!((rows.losses(), rows.losses()), (expected, Losses::default()));
        let flat = "\"ms\":\"1970-01-01 00:00:00.000\",\"us\":\"2020-02-29 00:00:02.000007\",\"ns\":\"1969-12-31 23:59:59.999999999\",\
                    \"f32\":null,\"f64\":null,\"one\":0.1,\"big\":2147483648.0";
        assert_eq!(String::from_utf8(out).unwrap(), format!("{{{flat},\"inner\":{{{flat}}}}}\n"));
    }

    #[test]
    fn texts_are_escaped_as_json_wants() {
        for text in ["", "plain", "a\"b\\c", "\u{1}\n\t\r\u{1f}", "müller €"] {
            let mut out = Vec::new();
            write_text(text.as_bytes(), &mut out);
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }
}
