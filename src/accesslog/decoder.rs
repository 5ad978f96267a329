//! The push decoder: a block of log lines in, a record batch out, in one pass over the bytes.
//!
//! Each line is read in two steps. First its values are found, in the order of the LogFormat, without copying any; a line
//! that doesn't fit costs nothing more. Then the columns that were asked for are filled.

use super::building::{Building, escaped_json, push_json};
use super::column::{Nothing, RequestPiece, Source};
use super::docker::{self, Unwrapped};
use super::format::LogFormat;
use super::formats::LogFormats;
use super::heading;
use super::line::LineValues;
use super::misfit::{Misfit, Reasons};
use super::prefix::Prefix;
use super::request::{self, RequestLine};
use super::seconds;
use crate::decode::{Decoded, Decoder, MOST_REJECTS, Reject, lead};
use crate::error::{Error, ErrorKind, Result};
use crate::text_column::Care;
use arrow::array::ArrayRef;
use arrow::datatypes::{Field, SchemaRef, TimeUnit};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::Arc;

/// The most bytes that are decoded at once. A text column's offsets are 31 bits, and a byte may become the four of `\xhh`.
const LARGEST_BLOCK: usize = (i32::MAX / 4) as usize;

/// What to decode and how.
#[derive(Debug, Clone, Default)]
pub struct DecodeOptions {
    /// Indices of the columns to fill, in the order wanted; all of them where not given.
    pub projection: Option<Vec<usize>>,
    /// Whether Apache's escapes in values are decoded.
    pub unescape: bool,
}

/// Decodes access logs of one format, or of the first of some that fits a line.
///
/// ```
/// use etl::accesslog::{DecodeOptions, LogDecoder, Preset};
/// use etl::decode::Decoder;
///
/// let mut decoder = LogDecoder::new(Preset::Common.format(), DecodeOptions::default());
/// let decoded = decoder.decode(&b"::1 - - [29/Feb/2020:00:00:18 +0000] \"GET / HTTP/1.0\" 200 -\n"[..].into())?;
/// assert_eq!((decoded.lines, decoded.batch.num_rows(), decoded.rejects.len()), (1, 1, 0));
/// # Ok::<(), etl::Error>(())
/// ```
#[derive(Debug)]
pub struct LogDecoder {
    schema: SchemaRef,
    /// The columns of the table, not only those that are asked for.
    all: SchemaRef,
    columns: Vec<Building>,
    unescape: bool,
    ways: Vec<Way>,
    headed: Option<Headed>,
}

/// Which lines are read how, of logs whose lines say it.
#[derive(Debug, Default)]
struct Headed {
    /// The way of each heading that was seen, or why there is none.
    known: HashMap<Vec<u8>, Turn>,
    turn: Turn,
    /// The heading of the next line, which tells what is between its fields.
    pending: Option<Bytes>,
}

/// How the lines behind a heading are read.
#[derive(Debug, Clone, Default)]
enum Turn {
    /// By the first format that fits: there was no heading.
    #[default]
    Any,
    /// By the way of this index.
    Way(usize),
    /// Not at all: they have columns that the table hasn't.
    Unknown(Arc<str>),
}

/// How lines of one format are read.
#[derive(Debug)]
struct Way {
    format: Arc<LogFormat>,
    /// Where the value of each column that was asked for comes from; nothing for one that the format hasn't.
    sources: Vec<Option<Source>>,
    /// Whether the columns asked for need the request line of a step split.
    splits: Vec<bool>,
    /// Whether the origins of URLs have a column.
    has_origin: bool,
    line: LineValues,
    reasons: Reasons,
}

impl LogDecoder {
    /// A decoder of `formats`. Projected indices that don't exist are ignored.
    pub fn new(formats: impl Into<LogFormats>, options: DecodeOptions) -> Self {
        let formats = formats.into();
        let all = formats.schema();
        let projection = options.projection.unwrap_or_else(|| (0..all.fields().len()).collect());
        let chosen: Vec<usize> = projection.into_iter().filter(|i| *i < all.fields().len()).collect();
        let schema = Arc::new(all.project(&chosen).expect("the indices were checked on the line above"));
        let columns = schema.fields().iter().map(|field| Building::of(field.data_type())).collect();
        let is_one = formats.single().is_some();
        let way = |(index, format): (usize, &Arc<LogFormat>)| {
            let before = if is_one { String::new() } else { format!("as {} (format {}): ", format.name(), index + 1) };
            Way::new(format.clone(), &schema, &before)
        };
        let ways = formats.all().iter().enumerate().map(way).collect();
        let headed = formats.have_headings().then(Headed::default);
        LogDecoder { schema, columns, unescape: options.unescape, ways, headed, all }
    }

    /// From `line` on lines are read as the heading before it says.
    fn turn(&mut self, line: &[u8]) {
        let Some(headed) = &mut self.headed else { return };
        let Some(heading) = headed.pending.take() else { return };
        if let Some(known) = headed.known.get(&heading[..]) {
            headed.turn = known.clone();
            return;
        }
        let turn = match heading::format_of(&heading, Some(line)) {
            Err(error) => Turn::Unknown(error.to_string().lines().next().unwrap_or_default().into()),
            Ok(format) => match self.ways.iter().position(|way| way.format.text() == format.text()) {
                Some(way) => Turn::Way(way),
                None => {
                    let lacking = |field: &&Arc<Field>| {
                        self.all.field_with_name(field.name()).ok().is_none_or(|known| known.data_type() != field.data_type())
                    };
                    match format.schema().fields().iter().find(lacking) {
                        Some(column) => {
                            let told = format!("behind a heading with the field {}, which the table hasn't", column.name());
                            Turn::Unknown(told.into())
                        }
                        None => {
                            self.ways.push(Way::new(format, &self.schema, ""));
                            Turn::Way(self.ways.len() - 1)
                        }
                    }
                }
            },
        };
        headed.turn = turn.clone();
        headed.known.insert(heading.to_vec(), turn);
    }

    /// Whether `line` is none of the log's, but says how it is written.
    #[inline]
    fn is_heading(&self, line: &[u8]) -> bool {
        // One of other fields is a heading, too: lines behind it must not be read by the one before.
        let is_own = |way: &Way| way.format.heading.as_ref().is_some_and(|heading| line.starts_with(heading));
        self.headed.is_some() && (self.ways.iter().any(is_own) || heading::is_heading(line))
    }

    /// Finds the values of `line`, by the first format that it fits; else says what is wrong with it, as the format has it that it fits the
    /// furthest.
    fn read(&mut self, line: &[u8]) -> std::result::Result<usize, Arc<str>> {
        match self.headed.as_ref().map(|headed| &headed.turn) {
            Some(Turn::Way(index)) => {
                let (index, way) = (*index, &mut self.ways[*index]);
                return match way.line.read(&way.format, line) {
                    Ok(()) => Ok(index),
                    Err((misfit, _)) => Err(way.reasons.of_misfit(misfit)),
                };
            }
            Some(Turn::Unknown(why)) => return Err(why.clone()),
            Some(Turn::Any) | None => {}
        }
        let mut furthest: Option<(usize, Misfit, usize)> = None;
        for (index, way) in self.ways.iter_mut().enumerate() {
            match way.line.read(&way.format, line) {
                Ok(()) => return Ok(index),
                Err((misfit, at)) if furthest.is_none_or(|(_, _, most)| at > most) => furthest = Some((index, misfit, at)),
                Err(_) => {}
            }
        }
        let (way, misfit, _) = furthest.expect("there is a format, and the line fits none");
        Err(self.ways[way].reasons.of_misfit(misfit))
    }
}

impl Way {
    /// The way of `format`, for the columns of `schema`; `before` is what stands before each reason.
    fn new(format: Arc<LogFormat>, schema: &SchemaRef, before: &str) -> Way {
        let source = |name: &String| format.columns().iter().find(|column| column.name == *name).map(|column| column.source);
        let sources: Vec<Option<Source>> = schema.fields().iter().map(|field| source(field.name())).collect();
        let mut splits = vec![false; format.steps.len()];
        for source in &sources {
            if let Some(Source::Request { step, .. }) = source {
                splits[*step] = true;
            }
        }
        let mut line = LineValues::new(&format);
        line.keeps_extra = sources.contains(&Some(Source::Extra));
        let reasons = Reasons::of(&format, before);
        let is_origin = |column: &super::Column| matches!(column.source, Source::Request { piece: RequestPiece::Origin, .. });
        let has_origin = format.columns().iter().any(is_origin);
        Way { format, sources, splits, has_origin, line, reasons }
    }

    /// Whether `text` is more than what the server writes for nothing.
    fn is_something(&self, text: &[u8]) -> bool {
        !Nothing::of(self.format.escapes).is(text)
    }

    /// The `piece` of the request line `whole`, which is split into `request` where it could be.
    fn piece<'a>(&self, piece: RequestPiece, whole: &'a [u8], request: Option<RequestLine<'a>>) -> Option<&'a [u8]> {
        match (request, piece) {
            (Some(r), RequestPiece::Method) => Some(r.method),
            (Some(r), RequestPiece::Origin) => request::origin(r.path).map(|(origin, _)| origin),
            (Some(r), RequestPiece::Path) if self.has_origin => Some(request::origin(r.path).map_or(r.path, |(_, path)| path)),
            (Some(r), RequestPiece::Path) => Some(r.path),
            (Some(r), RequestPiece::Query) => r.query,
            (Some(r), RequestPiece::Protocol) => r.protocol,
            (None, RequestPiece::Unsplit) if self.is_something(whole) => Some(whole),
            _ => None,
        }
    }

    /// Fills the `columns` from the line that was just read.
    fn append(&self, columns: &mut [Building], line: &[u8], base: u32, care: Care) {
        let values = &self.line;
        let text = |step: usize| {
            let (start, end) = values.spans[step];
            line.get(start as usize..end as usize)
        };
        let is_json = self.format.escapes.is_json();
        // A format has one request line but for odd ones, so the last split is kept.
        let mut split: Option<(usize, Option<RequestLine<'_>>)> = None;
        for (source, building) in self.sources.iter().zip(columns) {
            let Some(source) = source else {
                building.push_null();
                continue;
            };
            match (*source, building) {
                (Source::Text { step, nothing }, Building::Text(column)) => match text(step) {
                    Some(value) if !nothing.is(value) => match is_json {
                        // `null` without quotes.
                        true if value == b"null" && self.format.steps[step].is_token() => column.push_null(),
                        true if push_json(column, value) => {}
                        _ => column.push(value, base + values.spans[step].0, care),
                    },
                    _ => column.push_null(),
                },
                (Source::Query { step }, Building::Text(column)) if is_json && text(step).is_some_and(|text| text.contains(&b'\\')) => {
                    let decoded = text(step).and_then(escaped_json).unwrap_or_default();
                    column.push_changed_or_null(Some(decoded.strip_prefix(b"?").unwrap_or(&decoded)));
                }
                (Source::Query { step }, Building::Text(column)) => match text(step) {
                    None | Some(b"" | b"-") => column.push_null(),
                    Some([b'?', query @ ..]) => column.push(query, base + values.spans[step].0 + 1, care),
                    // Apache writes the `?`, but who doesn't shall not lose the query.
                    Some(query) => column.push(query, base + values.spans[step].0, care),
                },
                (Source::Target { step, is_query }, Building::Text(column)) => {
                    let raw = text(step).filter(|asked| self.is_something(asked));
                    if let Some(decoded) = raw.filter(|_| is_json).and_then(escaped_json) {
                        let (path, query) = request::target(&decoded);
                        column.push_changed_or_null(if is_query { query } else { Some(path) });
                        continue;
                    }
                    let asked = raw.map(request::target);
                    match asked.and_then(|(path, query)| if is_query { query } else { Some(path) }) {
                        Some(value) => column.push(value, base + offset_in(line, value), care),
                        None => column.push_null(),
                    }
                }
                (Source::Extra, Building::Text(column)) => match &values.extra[..] {
                    [] => column.push_null(),
                    members => column.push_changed(&[members, b"}"].concat()),
                },
                (Source::Sum { step }, Building::Double(column, nulls)) => {
                    let sum = text(step).and_then(seconds::sum);
                    column.push(sum.unwrap_or_default());
                    nulls.append(sum.is_some());
                }
                (Source::Request { step, piece }, Building::Text(column)) => {
                    let Some(whole) = text(step) else {
                        column.push_null();
                        continue;
                    };
                    if let Some(decoded) = Some(whole).filter(|_| is_json).and_then(escaped_json) {
                        let request = if self.splits[step] { request::split(&decoded) } else { None };
                        column.push_changed_or_null(self.piece(piece, &decoded, request));
                        continue;
                    }
                    let request = match split {
                        Some((known, request)) if known == step => request,
                        _ => {
                            let request = if self.splits[step] { request::split(whole) } else { None };
                            split = Some((step, request));
                            request
                        }
                    };
                    match self.piece(piece, whole, request) {
                        Some(value) => column.push(value, base + offset_in(line, value), care),
                        None => column.push_null(),
                    }
                }
                (Source::Number { step }, Building::Int(column, nulls)) => {
                    column.push(values.numbers[step].unwrap_or_default() as i32);
                    nulls.append(values.numbers[step].is_some());
                }
                (Source::Number { step }, Building::Long(column, nulls)) => {
                    column.push(values.numbers[step].unwrap_or_default());
                    nulls.append(values.numbers[step].is_some());
                }
                (Source::Number { step }, Building::Double(column, nulls)) => {
                    column.push(values.numbers[step].map_or(0.0, |bits| f64::from_bits(bits as u64)));
                    nulls.append(values.numbers[step].is_some());
                }
                (Source::Time { group }, Building::Time(column, nulls, unit)) => {
                    let instant = values.instants[group].unwrap_or_default();
                    // Another format's times are finer. These were cut from microseconds, so that they fit again.
                    let is_coarser = *unit == TimeUnit::Microsecond && self.format.groups[group].unit == TimeUnit::Millisecond;
                    column.push(if is_coarser { instant * 1_000 } else { instant });
                    nulls.append(values.instants[group].is_some());
                }
                _ => unreachable!("a column's builder was made from the same source"),
            }
        }
    }
}

/// Where `part`, a slice of `line`, starts in it.
fn offset_in(line: &[u8], part: &[u8]) -> u32 {
    (part.as_ptr() as usize - line.as_ptr() as usize) as u32
}

impl Decoder for LogDecoder {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn head(&mut self, heading: Option<&Bytes>) {
        if let Some(headed) = &mut self.headed {
            headed.turn = Turn::Any;
            headed.pending = heading.cloned();
        }
    }

    fn decode(&mut self, block: &Bytes) -> Result<Decoded> {
        match self.ways.iter().any(|way| way.format.before == Prefix::Docker) {
            true => self.unwrapped(block),
            false => self.lines(block),
        }
    }
}

impl LogDecoder {
    /// Decodes the lines within Docker's.
    fn unwrapped(&mut self, block: &Bytes) -> Result<Decoded> {
        let Unwrapped { lines, ends } = docker::unwrap(block);
        let mut decoded = self.lines(&lines)?;
        let start = |line: u64| if line == 0 { 0 } else { ends[line as usize - 1] };
        for reject in &mut decoded.rejects {
            let (from, end) = (start(reject.line), ends[reject.line as usize]);
            let end = if block[..end].ends_with(b"\n") { end - 1 } else { end };
            (reject.offset, reject.length, reject.raw) = (from as u64, (end - from) as u64, block.slice(from..end));
        }
        decoded.taken = start(decoded.lines);
        Ok(decoded)
    }

    fn lines(&mut self, block: &Bytes) -> Result<Decoded> {
        let bytes: &[u8] = block;
        if bytes.len() > LARGEST_BLOCK {
            return Err(Error::new(
                ErrorKind::Internal,
                format!("a block of {} bytes of log was to be decoded at once; at most {LARGEST_BLOCK} can be", bytes.len()),
            ));
        }
        let care = Care { valid_utf8: simdutf8::basic::from_utf8(bytes).is_ok(), unescape: self.unescape };
        let has_nul = memchr::memchr(0, bytes).is_some();
        let (mut lines, mut blank, mut repaired, mut rows) = (0u64, 0u64, 0u64, 0usize);
        let mut rejects = Vec::new();
        let mut start = 0;
        while start < bytes.len() && rejects.len() < MOST_REJECTS {
            let newline = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |at| start + at);
            let end = if newline > start && bytes[newline - 1] == b'\r' { newline - 1 } else { newline };
            // Where nothing is behind NUL bytes, they are the line.
            let from = match start + lead(&bytes[start..end]) {
                from if from == end => start,
                from => from,
            };
            let line = &bytes[from..end];
            if self.is_heading(line) {
                if let Some(headed) = self.headed.as_mut().filter(|_| heading::is_heading(line)) {
                    headed.pending = Some(block.slice_ref(line));
                }
                (blank, lines, start) = (blank + 1, lines + 1, newline + 1);
                continue;
            }
            if self.headed.as_ref().is_some_and(|headed| headed.pending.is_some()) {
                self.turn(line);
            }
            let read = if has_nul && memchr::memchr(0, line).is_some() { Err(self.ways[0].reasons.nul.clone()) } else { self.read(line) };
            match read {
                Ok(way) => {
                    self.ways[way].append(&mut self.columns, line, from as u32, care);
                    rows += 1;
                    repaired += u64::from(from > start);
                }
                // Only a line that is not of the format is blank: `%{User-Agent}i` logs an empty header as an empty line.
                Err(_) if line.trim_ascii().is_empty() => blank += 1,
                Err(reason) => rejects.push(Reject {
                    line: lines,
                    offset: from as u64,
                    reason,
                    raw: block.slice(from..end),
                    length: (end - from) as u64,
                }),
            }
            lines += 1;
            start = newline + 1;
        }
        let arrays: Vec<ArrayRef> = self.columns.iter_mut().map(|building| building.finish(block)).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options)?;
        Ok(Decoded { batch, taken: start.min(bytes.len()), lines, text_lines: lines, blank, repaired, rejects, mismatches: Vec::new() })
    }
}
