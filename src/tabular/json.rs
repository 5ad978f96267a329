//! JSON lines: an object a line to typed rows, with a reject for each line that doesn't fit.

use super::json_fault::JsonFault;
use super::json_flat::FlatReader;
use super::json_line::{count_keys, is_deep, keys, twice};
use super::json_places::Places;
use super::misfits::{Misfits, mismatch};
use super::renames::Renames;
use super::typed::{Typing, text_of, typed};
use crate::decode::{Decoded, Decoder, MOST_VALUES, Reject, lead, repaired};
use crate::error::{Error, ErrorKind, Result};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::json::ReaderBuilder;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use bytes::Bytes;
use serde::de::IgnoredAny;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Decodes JSON lines of a known schema. A key that the schema hasn't makes a reject, and so does one that comes twice: dropping it would
/// lose data.
#[derive(Debug)]
pub struct JsonDecoder {
    file_schema: SchemaRef,
    /// The same columns, of texts from which the values are told.
    text_schema: SchemaRef,
    schema: SchemaRef,
    typing: Typing,
    projection: Option<Vec<usize>>,
    size: RowSize,
    /// For blocks of flat objects, where there are such.
    flat: Option<FlatReader>,
    /// Where each column is in the schema, as soon as there is a line to be looked at on its own.
    places: Option<Places>,
    /// Keys that columns had before.
    renames: Renames,
    /// A key that the schema hasn't is passed over.
    ignores_others: bool,
    /// The block before had keys that differ from the columns' names in case: this one has too, most probably.
    respells: bool,
}

impl JsonDecoder {
    /// A decoder for objects with the keys of `schema`; `projection` are indices of the ones wanted, all where not given.
    pub fn new(schema: SchemaRef, typing: Typing, projection: Option<Vec<usize>>) -> Self {
        let projected = match &projection {
            Some(indices) => Arc::new(schema.project(indices).expect("projections are indices of this schema's fields")),
            None => schema.clone(),
        };
        let texts = schema.fields().iter().map(|field| Field::new(field.name(), text_of(field.data_type()), field.is_nullable()));
        let text_schema = Arc::new(Schema::new(texts.collect::<Vec<_>>()));
        JsonDecoder {
            size: RowSize::of(&schema),
            flat: FlatReader::of(&text_schema, &Renames::default()),
            text_schema,
            file_schema: schema,
            schema: projected,
            typing,
            projection,
            places: None,
            renames: Renames::default(),
            ignores_others: false,
            respells: false,
        }
    }

    /// The same, where columns had other keys before.
    #[must_use]
    pub fn renaming(self, renames: Renames) -> JsonDecoder {
        JsonDecoder { flat: FlatReader::of(&self.text_schema, &renames), renames, ..self }
    }

    /// The same, where keys that the schema hasn't are passed over.
    #[must_use]
    pub fn ignoring_other_keys(self) -> JsonDecoder {
        JsonDecoder { ignores_others: true, ..self }
    }

    /// What is wrong with a line that is not a row. It is read into the columns that it has itself: a batch of all columns for each
    /// line would take many times the memory of the lines.
    fn fault(&mut self, line: &[u8]) -> Option<String> {
        if is_deep(line) {
            return Some("nested too deeply".to_string());
        }
        if let Some(fault) = JsonFault::of(line) {
            return Some(fault.reason().to_string());
        }
        if let Some(key) = twice(line) {
            return Some(cut(&format!("the key `{}` comes twice", String::from_utf8_lossy(&key))));
        }
        if self.size.of_line(line) > MOST_LINE_VALUES {
            return Some(format!("more than {MOST_LINE_VALUES} values, with those that its objects lack"));
        }
        let fields = self.text_schema.fields();
        let places = self.places.get_or_insert_with(|| Places::of(&self.text_schema, &self.renames, !self.typing.guessed));
        let schema = match keys(line) {
            Some(keys) => {
                let mut own: Vec<usize> = keys.iter().filter_map(|key| places.get(key)).collect();
                own.sort_unstable();
                own.dedup();
                Arc::new(Schema::new(own.into_iter().map(|index| fields[index].clone()).collect::<Vec<_>>()))
            }
            None => self.text_schema.clone(),
        };
        match read(&schema, !self.ignores_others, [line]) {
            Ok(batch) if batch.num_rows() == 1 => None,
            Ok(_) => Some("not one whole JSON object".to_string()),
            Err(why) => Some(self.reason(&why)),
        }
    }

    /// The reader's message as a reason: without the words that only its authors need, and without the value, so that the same fault has
    /// the same text.
    fn reason(&self, message: &str) -> String {
        let message = message.trim_start_matches("Json error: ");
        // A list or an object where the column has single values, or the other way round.
        if let Some(rest) = message.strip_prefix("whilst decoding field '")
            && message.contains(": expected ")
        {
            let names = |field: &Arc<Field>| rest.strip_prefix(field.name().as_str()).is_some_and(|rest| rest.starts_with("': "));
            if let Some(index) = self.file_schema.fields().iter().position(names) {
                return mismatch(&self.file_schema, index).to_string();
            }
        }
        if let Some(key) = unknown_key(message) {
            return cut(&format!("no column for the key `{key}`"));
        }
        if message.contains("UTF-8") {
            return "bytes that are not UTF-8".to_string();
        }
        if message.contains("surrogate") {
            return "an escape that is half a character".to_string();
        }
        let fault = message.split_once(" got ").map_or(message, |(fault, _)| fault);
        cut(fault)
    }

    /// Turns the texts into the schema's types.
    fn typed(&self, texts: &RecordBatch, misfits: &mut Misfits<'_>) -> Result<RecordBatch> {
        let mut columns = Vec::with_capacity(texts.num_columns());
        for (index, (text, field)) in texts.columns().iter().zip(self.file_schema.fields()).enumerate() {
            let mut found = Vec::new();
            columns.push(typed(text, field.data_type(), self.typing, &mut found)?);
            // A list may have several.
            found.sort_unstable();
            misfits.add(index, found);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(texts.num_rows()));
        let batch = RecordBatch::try_new_with_options(self.file_schema.clone(), columns, &options)?;
        let batch = match &self.projection {
            Some(indices) => batch.project(indices)?,
            None => batch,
        };
        misfits.kept(batch)
    }
}

/// The key, behind those that it is within, of which the reader's message says that there is no column.
fn unknown_key(message: &str) -> Option<String> {
    let (mut rest, mut path) = (message, String::new());
    while let Some((outer, inner)) = rest.strip_prefix("whilst decoding field '").and_then(|rest| rest.split_once("': ")) {
        path.push_str(outer);
        path.push('.');
        rest = inner;
    }
    let key = rest.strip_prefix("column '")?.strip_suffix("' missing from schema")?;
    Some(path + key)
}

/// All of `lines` as one batch, or what is wrong with one of them.
pub(super) fn read<'a>(
    schema: &SchemaRef,
    strict: bool,
    lines: impl IntoIterator<Item = &'a [u8], IntoIter: ExactSizeIterator>,
) -> Result<RecordBatch, String> {
    let lines = lines.into_iter();
    let count = lines.len();
    let builder = ReaderBuilder::new(schema.clone()).with_batch_size(count.max(1)).with_strict_mode(strict).with_coerce_primitive(true);
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

/// Whether `texts` have a value for each key of the lines that they were read from: of a key that comes twice one is lost. A map keeps both,
/// but nobody who looks into it will find them.
fn has_all_values(texts: &RecordBatch, lines: &[u8]) -> bool {
    /// The keys within the values of an array.
    fn within(values: &ArrayRef) -> Option<usize> {
        match values.data_type() {
            DataType::Struct(_) => all(values.as_struct().columns()),
            DataType::List(_) => within(values.as_list::<i32>().values()),
            DataType::Map(..) => None,
            _ => Some(0),
        }
    }
    fn all(columns: &[ArrayRef]) -> Option<usize> {
        columns.iter().map(|column| Some(column.len() - column.null_count() + within(column)?)).sum()
    }
    let (keys, nulls) = count_keys(lines);
    all(texts.columns()).is_some_and(|values| values + nulls == keys)
}

/// A line's number, and where it starts and ends in its block.
type Span = (u64, usize, usize);

/// The lines of a block.
struct Lines<'a> {
    bytes: &'a [u8],
    /// Every key must have a column.
    strict: bool,
    /// What is read instead of a line, by where that starts.
    respelled: HashMap<usize, Vec<u8>>,
}

impl Lines<'_> {
    fn get(&self, (_, start, end): &Span) -> &[u8] {
        match self.respelled.is_empty() {
            true => &self.bytes[*start..*end],
            false => self.respelled.get(start).map_or(&self.bytes[*start..*end], Vec::as_slice),
        }
    }

    fn read(&self, schema: &SchemaRef, spans: &[Span]) -> Result<RecordBatch, String> {
        read(schema, self.strict, spans.iter().map(|span| self.get(span)))
    }

    /// All lines, which are the first `taken` bytes, where nothing is wrong with any of them.
    fn whole(&self, schema: &SchemaRef, spans: &[Span], taken: usize) -> Option<RecordBatch> {
        let texts = self.read(schema, spans).ok().filter(|texts| texts.num_rows() == spans.len())?;
        // The reader takes numbers and texts that are none of JSON's, and goes without commas.
        let is_json = |line: &[u8]| serde_json::from_slice::<IgnoredAny>(line).is_ok();
        let no_key_twice = has_all_values(&texts, &self.bytes[..taken]) || spans.iter().all(|span| twice(self.get(span)).is_none());
        (no_key_twice && spans.iter().all(|span| is_json(self.get(span)))).then_some(texts)
    }
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
        let mut rejects = Vec::new();
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
        let too_many = values > MOST_LINE_VALUES;
        let flat =
            self.flat.as_ref().filter(|_| !too_many).and_then(|flat| flat.read(block, spans.iter().map(|(_, start, end)| (*start, *end))));
        let unread = too_many || (flat.is_none() && spans.iter().any(|(_, start, end)| is_deep(&bytes[*start..*end])));
        let mut lines_of = Lines { bytes, strict: true, respelled: HashMap::new() };
        let mut whole = match flat {
            None if !unread && !self.respells => lines_of.whole(&self.text_schema, &spans, taken),
            flat => flat,
        };
        // Where others are passed over, it must be known first that they are no columns in another case.
        lines_of.strict = !self.ignores_others;
        if whole.is_none() && !(self.typing.guessed && self.renames.is_empty()) {
            let places = self.places.get_or_insert_with(|| Places::of(&self.text_schema, &self.renames, !self.typing.guessed));
            let respelled = spans.iter().filter_map(|(_, start, end)| Some((*start, places.respelled(&bytes[*start..*end])?)));
            lines_of.respelled = respelled.collect();
            if !unread && (self.respells || self.ignores_others || !lines_of.respelled.is_empty()) {
                whole = lines_of.whole(&self.text_schema, &spans, taken);
            }
            self.respells = !lines_of.respelled.is_empty();
        }
        let texts = match whole {
            Some(texts) => texts,
            // Some line is wrong: find out which.
            None => {
                let mut good = Vec::new();
                for span in spans {
                    let (line, start, end) = span;
                    match self.fault(lines_of.get(&span)) {
                        None => good.push(span),
                        Some(reason) => rejects.push(reject(block, line, start, end, &reason)),
                    }
                }
                spans = good;
                lines_of
                    .read(&self.text_schema, &spans)
                    .map_err(|why| Error::new(ErrorKind::Internal, format!("lines that can be read alone can't be read together: {why}")))?
            }
        };
        let mut misfits = Misfits::new(&self.file_schema, self.typing);
        let batch = self.typed(&texts, &mut misfits)?;
        let (wrong, mismatches) = misfits.done();
        for (row, reason) in wrong {
            let (line, start, end) = spans[row];
            rejects.push(reject(block, line, start, end, &reason));
        }
        rejects.sort_by_key(|reject| reject.offset);
        let repaired = repaired(&behind, &rejects);
        Ok(Decoded { batch, taken, lines, text_lines: lines, blank, repaired, rejects, mismatches })
    }
}

fn reject(block: &Bytes, line: u64, start: usize, end: usize, reason: &str) -> Reject {
    Reject { line, offset: start as u64, reason: reason.into(), raw: block.slice(start..end), length: (end - start) as u64 }
}

/// A reason that may name a key of any length.
fn cut(reason: &str) -> String {
    match reason.char_indices().nth(LONGEST_REASON) {
        Some((end, _)) => format!("{}…", &reason[..end]),
        None => reason.to_string(),
    }
}

/// Characters of a reason.
const LONGEST_REASON: usize = 200;

#[cfg(test)]
mod tests {
    use super::super::infer_json;
    use super::*;
    use crate::accesslog::time_type;

    const LINES: &str = "{\"b\":1,\"a\":\"x\",\"t\":\"2020-02-29 00:00:02.000\"}\n{\"b\":null,\"a\":\"\"}\n";

    #[test]
    fn lines_become_typed_rows_and_rejects() {
        let schema = infer_json("x.json", LINES.as_bytes()).unwrap();
        assert_eq!(schema.field_with_name("t").unwrap().data_type(), &time_type());
        let mut decoder = JsonDecoder::new(schema, Typing::default(), None);
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
        let mut decoder = JsonDecoder::new(infer_json("x.json", first.as_bytes()).unwrap(), Typing::default(), Some(vec![1, 999]));
        let text = format!("{first}{}bad\n{}", "{\"k1\":1}\n".repeat(2000), "{\"k1\":\"x\"}\n\n".repeat(100));
        let parts = decode(&mut decoder, &text);
        assert!(parts.len() > 5 && parts.iter().all(|part| part.batch.num_rows() * 1000 <= MOST_VALUES));
        let sum = |of: fn(&Decoded) -> u64| parts.iter().map(of).sum::<u64>();
        let all = [sum(|p| p.lines), sum(|p| p.batch.num_rows() as u64), sum(|p| p.rejects.len() as u64), sum(|p| p.blank)];
        assert_eq!(all, [2202, 2001, 101, 100]);
        let rejects: Vec<&Reject> = parts.iter().flat_map(|part| &part.rejects).collect();
        assert_eq!((rejects[0].line, rejects[1].line, &rejects[100].raw[..]), (2001, 2002, &b"{\"k1\":\"x\"}"[..]));
        assert!(text[rejects[100].offset as usize..].starts_with("{\"k1\":\"x\"}\n\n"));
        assert_eq!(&*rejects[1].reason, "column k1 is not of type bigint");
    }

    #[test]
    fn a_value_ends_in_its_line() {
        let mut decoder = JsonDecoder::new(infer_json("x.json", b"{\"a\":1}").unwrap(), Typing::default(), None);
        let parts = decode(&mut decoder, "{\"a\":1}{\"a\":2}\n{\"a\":\n3}\n{\"a\":4}\n");
        assert_eq!((parts[0].batch.num_rows(), parts[0].rejects.len()), (1, 3));
    }

    #[test]
    fn objects_in_lists_have_all_their_keys() {
        let first = format!("{{\"a\":[{{{}}}]}}\n", (0..100).map(|i| format!("\"k{i}\":{i}")).collect::<Vec<_>>().join(","));
        let mut decoder = JsonDecoder::new(infer_json("x.json", first.as_bytes()).unwrap(), Typing::default(), None);
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
    fn a_key_twice_is_found_among_what_looks_like_one() {
        let text = r#"{"a\\":1,"b":":x","c":{"d":null,"e":[{"f":1},{"f":null}]}}
{"a\\":1,"b":"{\"b\":1}","c":null}
{"a\\":1,"b":"x","b":":null"}
{"c":{"e":[{"f":1,"f":2}]}}
{"a\\":1,"b":"x","c":{}}
"#;
        let schema = infer_json("x.json", text.as_bytes()).unwrap();
        let decoded = JsonDecoder::new(schema, Typing::default(), Some(vec![0])).decode(&Bytes::from(text)).unwrap();
        assert_eq!(decoded.rejects.iter().map(|reject| reject.line).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(decoded.batch.num_rows(), 3);
    }
}
