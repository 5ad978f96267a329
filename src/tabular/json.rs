//! JSON lines: an object a line to typed rows, with a reject for each line that doesn't fit.

use super::infer::{Guess, check_share, check_width};
use super::json_line::{is_deep, keys};
use crate::decode::{Decoded, Decoder, MOST_VALUES, Reject, lead, repaired};
use crate::error::{Error, ErrorKind, Result};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::json::ReaderBuilder;
use arrow::json::reader::infer_json_schema;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Decodes JSON lines of a known schema. A key that the schema hasn't makes a reject: dropping it would lose data.
#[derive(Debug)]
pub struct JsonDecoder {
    file_schema: SchemaRef,
    schema: SchemaRef,
    projection: Option<Vec<usize>>,
    size: RowSize,
    /// Where each column is in the schema, as soon as there is a line to be looked at on its own.
    places: Option<HashMap<String, usize>>,
}

impl JsonDecoder {
    /// A decoder for objects with the keys of `schema`; `projection` are indices of the ones wanted, all where not given.
    pub fn new(schema: SchemaRef, projection: Option<Vec<usize>>) -> Self {
        let projected = match &projection {
            Some(indices) => Arc::new(schema.project(indices).expect("projections are indices of this schema's fields")),
            None => schema.clone(),
        };
        JsonDecoder { size: RowSize::of(&schema), file_schema: schema, schema: projected, projection, places: None }
    }

    /// What is wrong with a line that is not a row. It is read into the columns that it has itself: a batch of all columns for each
    /// line would take many times the memory of the lines.
    fn fault(&mut self, line: &[u8]) -> Option<String> {
        if is_deep(line) {
            return Some("nested too deeply".to_string());
        }
        if self.size.of_line(line) > MOST_LINE_VALUES {
            return Some(format!("more than {MOST_LINE_VALUES} values, with those that its objects lack"));
        }
        let fields = self.file_schema.fields();
        let places =
            self.places.get_or_insert_with(|| fields.iter().enumerate().map(|(index, field)| (field.name().clone(), index)).collect());
        let schema = match keys(line) {
            Some(keys) => {
                let mut own: Vec<usize> = keys.iter().filter_map(|key| places.get(key.as_ref()).copied()).collect();
                own.sort_unstable();
                own.dedup();
                Arc::new(Schema::new(own.into_iter().map(|index| fields[index].clone()).collect::<Vec<_>>()))
            }
            None => self.file_schema.clone(),
        };
        match read(&schema, [line]) {
            Ok(batch) if batch.num_rows() == 1 => None,
            Ok(_) => Some("not one whole JSON object".to_string()),
            Err(why) => Some(plain(&why)),
        }
    }
}

/// All of `lines` as one batch, or what is wrong with one of them.
fn read<'a>(schema: &SchemaRef, lines: impl IntoIterator<Item = &'a [u8], IntoIter: ExactSizeIterator>) -> Result<RecordBatch, String> {
    let lines = lines.into_iter();
    let count = lines.len();
    let builder = ReaderBuilder::new(schema.clone()).with_batch_size(count.max(1)).with_strict_mode(true).with_coerce_primitive(true);
    let mut decoder = builder.build_decoder().map_err(|e| e.to_string())?;
    for (index, line) in lines.enumerate() {
        let taken = decoder.decode(line).map_err(|e| e.to_string())?;
        if taken < line.len() || decoder.len() > index + 1 {
            return Err("more than one value in a line".to_string());
        }
        // Else it would go on in the next line.
        if index + 1 < count && decoder.has_partial_record() {
            return Err("not one whole JSON object".to_string());
        }
    }
    let batch = decoder.flush().map_err(|e| e.to_string())?;
    Ok(batch.unwrap_or_else(|| RecordBatch::new_empty(schema.clone())))
}

/// How many values lines become.
#[derive(Debug, Clone, Copy)]
struct RowSize {
    /// Of the columns, with those in objects.
    columns: usize,
    /// Of an object in a list: there may be any number of them.
    listed: usize,
}

/// The values that a line may become. A list of objects that lack most keys could else be any number of times as large as it is.
const MOST_LINE_VALUES: usize = 2 << 20;
/// From this length on it is looked how many values a line has itself: a number may take three bytes, and many times that in memory.
const LONG_LINE: usize = 1 << 20;

impl RowSize {
    fn of(schema: &Schema) -> RowSize {
        let mut size = RowSize { columns: 0, listed: 0 };
        schema.fields().iter().for_each(|field| size.columns += size.see(field.data_type()));
        size.columns = size.columns.max(1);
        size
    }

    /// The values of one value of a type.
    fn see(&mut self, data_type: &DataType) -> usize {
        match data_type {
            DataType::Struct(fields) => 1 + fields.iter().map(|field| self.see(field.data_type())).sum::<usize>(),
            DataType::List(item) | DataType::LargeList(item) | DataType::Map(item, _) => {
                let values = self.see(item.data_type());
                if values > 1 {
                    self.listed = self.listed.max(values);
                }
                1
            }
            _ => 1,
        }
    }

    /// Not fewer values than `line` becomes, but for those of lists in shorter ones.
    fn of_line(self, line: &[u8]) -> usize {
        let count = |byte: u8| memchr::memchr_iter(byte, line).count();
        let listed = if self.listed > 0 { count(b'{') * self.listed } else { 0 };
        let own = if line.len() > LONG_LINE { count(b',') } else { 0 };
        self.columns + listed + own
    }
}

/// One after the other is decoded of blocks larger than this, which few lines of many megabytes make: on the way to columns a short
/// number takes twenty times its bytes.
const LARGE: usize = 2 << 20;
static LARGE_ONE: Mutex<()> = Mutex::new(());

impl Decoder for JsonDecoder {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn decode(&mut self, block: &Bytes) -> Result<Decoded> {
        let bytes: &[u8] = block;
        let mut spans = Vec::new();
        let mut behind = Vec::new();
        let (mut lines, mut blank, mut start, mut values) = (0u64, 0u64, 0, 0);
        while start < bytes.len() {
            let newline = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |at| start + at);
            let line = bytes[start..newline].trim_ascii_end();
            // Where nothing is behind NUL bytes, they are the line.
            let from = start + Some(lead(line)).filter(|lead| *lead < line.len()).unwrap_or(0);
            let line = &bytes[from..start + line.len()];
            if line.is_empty() {
                blank += 1;
            } else {
                values += self.size.of_line(line);
                if values > MOST_VALUES && !spans.is_empty() {
                    break;
                }
                if from > start {
                    behind.push(lines);
                }
                spans.push((lines, from, from + line.len()));
            }
            lines += 1;
            start = newline + 1;
        }
        let taken = start.min(bytes.len());
        let _one = (taken > LARGE).then(|| LARGE_ONE.lock().unwrap_or_else(PoisonError::into_inner));
        let mut rejects = Vec::new();
        let unread = values > MOST_LINE_VALUES || spans.iter().any(|(_, start, end)| is_deep(&bytes[*start..*end]));
        let read_all = |spans: &[(u64, usize, usize)]| read(&self.file_schema, spans.iter().map(|(_, start, end)| &bytes[*start..*end]));
        let whole = if unread { None } else { read_all(&spans).ok() };
        let whole = whole.filter(|batch| batch.num_rows() == spans.len());
        let batch = match whole {
            Some(batch) => batch,
            // Some line is wrong: find out which.
            None => {
                let mut good = Vec::new();
                for span in spans {
                    let (line, start, end) = span;
                    match self.fault(&bytes[start..end]) {
                        None => good.push(span),
                        Some(reason) => rejects.push(reject(block, line, start, end, &reason)),
                    }
                }
                let read = read(&self.file_schema, good.iter().map(|(_, start, end)| &bytes[*start..*end]));
                read.map_err(|why| Error::new(ErrorKind::Internal, format!("lines that can be read alone can't be read together: {why}")))?
            }
        };
        let batch = match &self.projection {
            Some(indices) => batch.project(indices)?,
            None => batch,
        };
        let repaired = repaired(&behind, &rejects);
        Ok(Decoded { batch, taken, lines, text_lines: lines, blank, repaired, rejects })
    }
}

fn reject(block: &Bytes, line: u64, start: usize, end: usize, reason: &str) -> Reject {
    Reject { line, offset: start as u64, reason: reason.into(), raw: block.slice(start..end), length: (end - start) as u64 }
}

/// The reader's message without the words that only its authors need, and without the value: the same fault has the same text.
fn plain(message: &str) -> String {
    let message = message.trim_start_matches("Json error: ");
    let fault = message.split_once(" got ").map_or(message, |(fault, _)| fault);
    // It may name a key of any length.
    match fault.char_indices().nth(LONGEST_REASON) {
        Some((end, _)) => format!("{}…", &fault[..end]),
        None => fault.to_string(),
    }
}

/// Characters of a reason.
const LONGEST_REASON: usize = 200;

/// The schema of JSON lines from the first of them. Keys keep the order in which they are met.
///
/// # Errors
/// [`ErrorKind::Format`] where no line is an object.
pub fn infer_json(path: &str, start: &[u8]) -> Result<SchemaRef> {
    let mut good: Vec<u8> = Vec::new();
    let (mut lines, mut values) = (0, 0);
    let mut order: Vec<String> = Vec::new();
    let mut met = HashSet::new();
    let mut guesses: BTreeMap<String, Guess> = BTreeMap::new();
    let mut shapes: BTreeMap<String, Shape> = BTreeMap::new();
    for line in start.split(|b| *b == b'\n') {
        let line = &line[lead(line)..];
        let Ok(serde_json::Value::Object(object)) = serde_json::from_slice::<serde_json::Value>(line) else { continue };
        // No type holds both an object and a number: the first line with a value decides, and others become rejects.
        if object.iter().any(|(key, value)| shape(value).is_some_and(|shape| shapes.get(key).is_some_and(|known| *known != shape))) {
            continue;
        }
        shapes.extend(object.iter().filter_map(|(key, value)| Some((key.clone(), shape(value)?))));
        good.extend_from_slice(line);
        good.push(b'\n');
        lines += 1;
        values += object.len() as u64;
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
    check_share(path, order.len(), lines, values)?;
    check_width(path, order.len())?;
    let found: HashMap<&str, &Field> = schema.fields().iter().map(|field| (field.name().as_str(), field.as_ref())).collect();
    let fields = order.iter().filter_map(|key| {
        let field = found.get(key.as_str())?;
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

    fn decode(decoder: &mut JsonDecoder, text: &str) -> Vec<Decoded> {
        crate::decode::parts(decoder, &Bytes::from(text.to_string())).collect::<Result<_>>().unwrap()
    }

    #[test]
    fn short_lines_of_many_columns_come_in_parts() {
        let keys: Vec<String> = (0..1000).map(|i| format!("\"k{i}\":{i}")).collect();
        let first = format!("{{{}}}\n", keys.join(","));
        let mut decoder = JsonDecoder::new(infer_json("x.json", first.as_bytes()).unwrap(), Some(vec![1, 999]));
        let text = format!("{first}{}bad\n{}", "{\"k1\":1}\n".repeat(2000), "{\"k1\":\"x\"}\n\n".repeat(100));
        let parts = decode(&mut decoder, &text);
        assert!(parts.len() > 5 && parts.iter().all(|part| part.batch.num_rows() * 1000 <= MOST_VALUES));
        let sum = |of: fn(&Decoded) -> u64| parts.iter().map(of).sum::<u64>();
        let all = [sum(|p| p.lines), sum(|p| p.batch.num_rows() as u64), sum(|p| p.rejects.len() as u64), sum(|p| p.blank)];
        assert_eq!(all, [2202, 2001, 101, 100]);
        let rejects: Vec<&Reject> = parts.iter().flat_map(|part| &part.rejects).collect();
        assert_eq!((rejects[0].line, rejects[1].line, &rejects[100].raw[..]), (2001, 2002, &b"{\"k1\":\"x\"}"[..]));
        assert!(text[rejects[100].offset as usize..].starts_with("{\"k1\":\"x\"}\n\n"));
        assert!(rejects[1].reason.starts_with("whilst decoding field 'k1'"), "{}", rejects[1].reason);
    }

    #[test]
    fn a_value_ends_in_its_line() {
        let mut decoder = JsonDecoder::new(infer_json("x.json", b"{\"a\":1}").unwrap(), None);
        let parts = decode(&mut decoder, "{\"a\":1}{\"a\":2}\n{\"a\":\n3}\n{\"a\":4}\n");
        assert_eq!((parts[0].batch.num_rows(), parts[0].rejects.len()), (1, 3));
    }

    #[test]
    fn objects_in_lists_have_all_their_keys() {
        let first = format!("{{\"a\":[{{{}}}]}}\n", (0..100).map(|i| format!("\"k{i}\":{i}")).collect::<Vec<_>>().join(","));
        let mut decoder = JsonDecoder::new(infer_json("x.json", first.as_bytes()).unwrap(), None);
        let line = |objects: usize| format!("{{\"a\":[{}]}}\n", vec!["{}"; objects].join(","));
        let parts = decode(&mut decoder, &format!("{first}{}{}", line(30_000), line(2).repeat(5000)));
        assert_eq!(
            &*parts[0].rejects.iter().chain(&parts[1].rejects).next().unwrap().reason,
            "more than 2097152 values, with those that its objects lack"
        );
        assert_eq!(parts.iter().map(|part| part.batch.num_rows()).sum::<usize>(), 5001);
        assert!(parts.len() > 3);
    }

    #[test]
    fn keys_that_are_values_make_no_table() {
        let lines: String = (0..12_000).map(|i| format!("{{\"user{i}\":1}}\n")).collect();
        let error = infer_json("x.json", lines.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("12,000 different keys, and about 1 each"), "{error}");
        let keys: Vec<String> = (0..60_000).map(|i| format!("\"k{i}\":1")).collect();
        let error = infer_json("x.json", format!("{{{}}}", keys.join(",")).as_bytes()).unwrap_err().to_string();
        assert!(error.contains("60,000 columns"), "{error}");
    }
}
