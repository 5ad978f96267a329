//! JSON lines: an object a line to typed rows, with a reject for each line that doesn't fit.

use super::infer::Guess;
use crate::decode::{Decoded, Decoder, Reject};
use crate::error::{Error, ErrorKind, Result};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::json::ReaderBuilder;
use arrow::json::reader::infer_json_schema;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;

/// Decodes JSON lines of a known schema. A key that the schema hasn't makes a reject: dropping it would lose data.
#[derive(Debug)]
pub struct JsonDecoder {
    file_schema: SchemaRef,
    schema: SchemaRef,
    projection: Option<Vec<usize>>,
}

impl JsonDecoder {
    /// A decoder for objects with the keys of `schema`; `projection` are indices of the ones wanted, all where not given.
    pub fn new(schema: SchemaRef, projection: Option<Vec<usize>>) -> Self {
        let projected = match &projection {
            Some(indices) => Arc::new(schema.project(indices).expect("projections are indices of this schema's fields")),
            None => schema.clone(),
        };
        JsonDecoder { file_schema: schema, schema: projected, projection }
    }

    /// All of `bytes` as one batch, or what is wrong with one of its lines.
    fn read(&self, bytes: &[u8], lines: usize) -> Result<RecordBatch, String> {
        let builder =
            ReaderBuilder::new(self.file_schema.clone()).with_batch_size(lines.max(1)).with_strict_mode(true).with_coerce_primitive(true);
        let mut decoder = builder.build_decoder().map_err(|e| e.to_string())?;
        let taken = decoder.decode(bytes).map_err(|e| e.to_string())?;
        if taken < bytes.len() {
            return Err("more than one value in a line".to_string());
        }
        let batch = decoder.flush().map_err(|e| e.to_string())?;
        Ok(batch.unwrap_or_else(|| RecordBatch::new_empty(self.file_schema.clone())))
    }
}

impl Decoder for JsonDecoder {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn decode(&mut self, block: &Bytes) -> Result<Decoded> {
        let bytes: &[u8] = block;
        let mut spans = Vec::new();
        let (mut lines, mut blank, mut start) = (0u64, 0u64, 0);
        while start < bytes.len() {
            let newline = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |at| start + at);
            let line = bytes[start..newline].trim_ascii_end();
            if line.is_empty() {
                blank += 1;
            } else {
                spans.push((lines, start, start + line.len()));
            }
            lines += 1;
            start = newline + 1;
        }
        let mut rejects = Vec::new();
        let deep = spans.iter().any(|(_, start, end)| is_deep(&bytes[*start..*end]));
        let whole = if deep { None } else { self.read(bytes, spans.len()).ok() };
        let whole = whole.filter(|batch| batch.num_rows() == spans.len());
        let batch = match whole {
            Some(batch) => batch,
            // Some line is wrong: find out which, one at a time.
            None => {
                let mut good = Vec::new();
                for (line, start, end) in spans {
                    if is_deep(&bytes[start..end]) {
                        rejects.push(reject(block, line, start, end, "nested too deeply"));
                        continue;
                    }
                    match self.read(&bytes[start..end], 1) {
                        Ok(batch) if batch.num_rows() == 1 => good.push(batch),
                        Ok(_) => rejects.push(reject(block, line, start, end, "not one whole JSON object")),
                        Err(why) => rejects.push(reject(block, line, start, end, &plain(&why))),
                    }
                }
                concat_batches(&self.file_schema, &good)?
            }
        };
        let batch = match &self.projection {
            Some(indices) => batch.project(indices)?,
            None => batch,
        };
        Ok(Decoded { batch, lines, blank, rejects })
    }
}

/// How deep values may nest. Readers go down by recursion, and a line must not exhaust their stack.
const DEEPEST: usize = 100;

fn is_deep(line: &[u8]) -> bool {
    // Most lines have no more brackets than that at all.
    if memchr::memchr2_iter(b'[', b'{', line).nth(DEEPEST).is_none() {
        return false;
    }
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for byte in line {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => depth += 1,
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return true;
        }
    }
    false
}

fn reject(block: &Bytes, line: u64, start: usize, end: usize, reason: &str) -> Reject {
    Reject { line, offset: start as u64, reason: reason.into(), raw: block.slice(start..end), length: (end - start) as u64 }
}

/// The reader's message without the words that only its authors need, and without the value: the same fault has the same text.
fn plain(message: &str) -> String {
    let message = message.trim_start_matches("Json error: ");
    message.split_once(" got ").map_or(message, |(fault, _)| fault).to_string()
}

/// The schema of JSON lines from the first of them. Keys keep the order in which they are met.
///
/// # Errors
/// [`ErrorKind::Format`] where no line is an object.
pub fn infer_json(path: &str, start: &[u8]) -> Result<SchemaRef> {
    let mut good: Vec<u8> = Vec::new();
    let mut order: Vec<String> = Vec::new();
    let mut met = HashSet::new();
    let mut guesses: BTreeMap<String, Guess> = BTreeMap::new();
    let mut shapes: BTreeMap<String, Shape> = BTreeMap::new();
    for line in start.split(|b| *b == b'\n') {
        let Ok(serde_json::Value::Object(object)) = serde_json::from_slice::<serde_json::Value>(line) else { continue };
        // No type holds both an object and a number: the first line with a value decides, and others become rejects.
        if object.iter().any(|(key, value)| shape(value).is_some_and(|shape| shapes.get(key).is_some_and(|known| *known != shape))) {
            continue;
        }
        shapes.extend(object.iter().filter_map(|(key, value)| Some((key.clone(), shape(value)?))));
        good.extend_from_slice(line);
        good.push(b'\n');
        if let Ok(Keys(keys)) = serde_json::from_slice(line) {
            for key in keys {
                if met.insert(key.clone()) {
                    order.push(key);
                }
            }
        }
        for (key, value) in &object {
            if let serde_json::Value::String(text) = value {
                guesses.entry(key.clone()).or_default().see(text.as_bytes());
            }
        }
    }
    let found = infer_json_schema(&good[..], None);
    let (schema, _) = found.map_err(|e| Error::new(ErrorKind::Format, format!("can't tell the columns of {path}")).with_source(e))?;
    if schema.fields().is_empty() {
        return Err(Error::new(ErrorKind::Format, format!("{path} has no JSON object in its first lines; expected one object a line")));
    }
    let fields = order.iter().filter_map(|key| {
        let (_, field) = schema.fields().find(key)?;
        let data_type = match field.data_type() {
            DataType::Utf8 => guesses.get(key).map_or(DataType::Utf8View, |g| g.date_or_text()),
            other => known(other),
        };
        Some(Field::new(key, data_type, true))
    });
    Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
}

/// What a value is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Single,
    List,
    Object,
}

fn shape(value: &serde_json::Value) -> Option<Shape> {
    match value {
        serde_json::Value::Null => None,
        serde_json::Value::Array(_) => Some(Shape::List),
        serde_json::Value::Object(_) => Some(Shape::Object),
        _ => Some(Shape::Single),
    }
}

/// The type of a column, where one that only had NULL and empty lists is of text: files can't hold columns of no type.
fn known(data_type: &DataType) -> DataType {
    let inner = |field: &Field| Arc::new(Field::new(field.name(), known(field.data_type()), true));
    match data_type {
        DataType::Null => DataType::Utf8View,
        DataType::List(item) => DataType::List(inner(item)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(|field| inner(field)).collect()),
        other => other.clone(),
    }
}

/// The keys of an object in their order, which a map of values forgets.
struct Keys(Vec<String>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Keys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = Vec::new();
                while let Some((key, IgnoredAny)) = map.next_entry()? {
                    keys.push(key);
                }
                Ok(Keys(keys))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accesslog::time_type;

    const LINES: &str = "{\"b\":1,\"a\":\"x\",\"t\":\"2020-02-29 00:00:02.000\"}\n{\"b\":null,\"a\":\"\"}\n";

    #[test]
    fn lines_become_typed_rows_and_rejects() {
        let schema = infer_json("x.json", LINES.as_bytes()).unwrap();
        assert_eq!(schema.field_with_name("t").unwrap().data_type(), &time_type());
        let mut decoder = JsonDecoder::new(schema, None);
        let decoded = decoder.decode(&Bytes::from(LINES)).unwrap();
        assert_eq!((decoded.lines, decoded.batch.num_rows()), (2, 2));
        let mixed = format!("{LINES}\nnot json\n{{\"b\":2,\"zzz\":1}}\n{{\"b\":\n{{\"b\":3}}");
        let decoded = decoder.decode(&Bytes::from(mixed)).unwrap();
        assert_eq!((decoded.lines, decoded.batch.num_rows(), decoded.blank, decoded.rejects.len()), (7, 3, 1, 3));
        assert_eq!(decoded.rejects[0].line, 3);
    }
}
