//! The push decoder: a block of log lines in, a record batch out, in one pass over the bytes.
//!
//! Each line is read in two steps. First its values are found, in the order of the LogFormat, without copying any; a line
//! that doesn't fit costs nothing more. Then the columns that were asked for are filled.

use super::format::{Lex, LogFormat, RequestPiece, Source, Step};
use super::instant::{self, Parts};
use super::request::{self, RequestLine};
use super::strftime::{self, COMMON};
use crate::decode::{Decoded, Decoder, Reject};
use crate::error::{Error, ErrorKind, Result};
use crate::text_column::{Care, TextColumn};
use arrow::array::{ArrayRef, Int32Array, Int64Array, NullBufferBuilder, TimestampMillisecondArray};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use bytes::Bytes;
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

/// Decodes access logs of one format.
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
    format: Arc<LogFormat>,
    schema: SchemaRef,
    columns: Vec<(Source, Building)>,
    unescape: bool,
    /// Whether the columns asked for need the request line of a step split.
    splits: Vec<bool>,
    line: LineValues,
    reasons: Reasons,
}

/// A column being built.
#[derive(Debug)]
enum Building {
    Text(TextColumn),
    Int(Vec<i32>, NullBufferBuilder),
    Long(Vec<i64>, NullBufferBuilder),
    Time(Vec<i64>, NullBufferBuilder),
}

/// The values of the line being read, one for each step of the format.
#[derive(Debug)]
struct LineValues {
    /// Where a step's text lies in the line.
    spans: Vec<(u32, u32)>,
    /// A step's number, where it is one.
    numbers: Vec<Option<i64>>,
    /// The parts of each time group.
    parts: Vec<Parts>,
    /// Whether a directive of the group was `-`.
    unknown: Vec<bool>,
    /// The instant of each group.
    instants: Vec<Option<i64>>,
    /// Groups that are a `%t` alone, which has a fast path.
    common: Vec<bool>,
    clock: Clock,
}

/// The reasons of rejects, made once.
#[derive(Debug)]
struct Reasons {
    prefix: Arc<str>,
    value: Vec<Arc<str>>,
    after: Vec<Arc<str>>,
    trailing: Arc<str>,
    time: Arc<str>,
    nul: Arc<str>,
    shifted: Arc<str>,
}

/// Why a line doesn't fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Misfit {
    Prefix,
    Value(usize),
    After(usize),
    Trailing,
    Time,
    Shifted,
}

impl LogDecoder {
    /// A decoder of `format`. Projected indices that don't exist are ignored.
    pub fn new(format: Arc<LogFormat>, options: DecodeOptions) -> Self {
        let all = format.schema();
        let projection = options.projection.unwrap_or_else(|| (0..all.fields().len()).collect());
        let chosen: Vec<usize> = projection.into_iter().filter(|i| *i < all.fields().len()).collect();
        let schema = Arc::new(all.project(&chosen).expect("the indices were checked on the line above"));
        let columns: Vec<(Source, Building)> = chosen
            .iter()
            .map(|i| {
                let column = &format.columns()[*i];
                let nulls = NullBufferBuilder::new(0);
                let building = match column.data_type {
                    DataType::Int32 => Building::Int(Vec::new(), nulls),
                    DataType::Int64 => Building::Long(Vec::new(), nulls),
                    DataType::Timestamp(..) => Building::Time(Vec::new(), nulls),
                    _ => Building::Text(TextColumn::with_capacity(0)),
                };
                (column.source, building)
            })
            .collect();
        let mut splits = vec![false; format.steps.len()];
        for (source, _) in &columns {
            if let Source::Request { step, .. } = source {
                splits[*step] = true;
            }
        }
        let groups = format.groups.len();
        let common = (0..groups)
            .map(|group| {
                let mut members = format.steps.iter().filter(|s| matches!(&s.lex, Lex::Time { group: Some(g), .. } if *g == group));
                matches!((members.next().map(|s| &s.lex), members.next()), (Some(Lex::Time { items, .. }), None) if items[..] == COMMON[..])
            })
            .collect();
        let line = LineValues {
            spans: vec![(0, 0); format.steps.len()],
            numbers: vec![None; format.steps.len()],
            parts: vec![Parts::default(); groups],
            unknown: vec![false; groups],
            instants: vec![None; groups],
            common,
            clock: Clock::default(),
        };
        let reasons = Reasons::of(&format);
        LogDecoder { format, schema, columns, unescape: options.unescape, splits, line, reasons }
    }

    /// Fills the columns from the line that was just read.
    fn append(&mut self, line: &[u8], base: u32, care: Care) {
        let values = &self.line;
        let text = |step: usize| {
            let (start, end) = values.spans[step];
            &line[start as usize..end as usize]
        };
        // A format has one request line but for odd ones, so the last split is kept.
        let mut split: Option<(usize, Option<RequestLine<'_>>)> = None;
        for (source, building) in &mut self.columns {
            match (*source, building) {
                (Source::Text { step, dash_is_null }, Building::Text(column)) => match text(step) {
                    b"-" if dash_is_null => column.push_null(),
                    value => column.push(value, base + values.spans[step].0, care),
                },
                (Source::Query { step }, Building::Text(column)) => match text(step) {
                    b"" | b"-" => column.push_null(),
                    [b'?', query @ ..] => column.push(query, base + values.spans[step].0 + 1, care),
                    // Apache writes the `?`, but who doesn't shall not lose the query.
                    query => column.push(query, base + values.spans[step].0, care),
                },
                (Source::Request { step, piece }, Building::Text(column)) => {
                    let whole = text(step);
                    let request = match split {
                        Some((known, request)) if known == step => request,
                        _ => {
                            let request = if self.splits[step] { request::split(whole) } else { None };
                            split = Some((step, request));
                            request
                        }
                    };
                    let value = match (request, piece) {
                        (Some(r), RequestPiece::Method) => Some(r.method),
                        (Some(r), RequestPiece::Path) => Some(r.path),
                        (Some(r), RequestPiece::Query) => r.query,
                        (Some(r), RequestPiece::Protocol) => r.protocol,
                        (None, RequestPiece::Unsplit) if whole != b"-" => Some(whole),
                        _ => None,
                    };
                    match value {
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
                (Source::Time { group }, Building::Time(column, nulls)) => {
                    column.push(values.instants[group].unwrap_or_default());
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

    fn decode(&mut self, block: &Bytes) -> Result<Decoded> {
        let bytes: &[u8] = block;
        if bytes.len() > LARGEST_BLOCK {
            return Err(Error::new(
                ErrorKind::Internal,
                format!("a block of {} bytes of log was to be decoded at once; at most {LARGEST_BLOCK} can be", bytes.len()),
            ));
        }
        let care = Care { valid_utf8: simdutf8::basic::from_utf8(bytes).is_ok(), unescape: self.unescape };
        let has_nul = memchr::memchr(0, bytes).is_some();
        let (mut lines, mut blank, mut rows) = (0u64, 0u64, 0usize);
        let mut rejects = Vec::new();
        let mut start = 0;
        while start < bytes.len() {
            let newline = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |at| start + at);
            let end = if newline > start && bytes[newline - 1] == b'\r' { newline - 1 } else { newline };
            let line = &bytes[start..end];
            let read = if has_nul && memchr::memchr(0, line).is_some() {
                Err(self.reasons.nul.clone())
            } else {
                self.line.read(&self.format, line).map_err(|misfit| self.reasons.of_misfit(misfit))
            };
            match read {
                Ok(()) => {
                    self.append(line, start as u32, care);
                    rows += 1;
                }
                // Only a line that is not of the format is blank: `%{User-Agent}i` logs an empty header as an empty line.
                Err(_) if line.trim_ascii().is_empty() => blank += 1,
                Err(reason) => rejects.push(Reject {
                    line: lines,
                    offset: start as u64,
                    reason,
                    raw: block.slice(start..end),
                    length: (end - start) as u64,
                }),
            }
            lines += 1;
            start = newline + 1;
        }
        let arrays: Vec<ArrayRef> = self.columns.iter_mut().map(|(_, building)| building.finish(block)).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options)?;
        Ok(Decoded { batch, lines, blank, rejects })
    }
}

impl Building {
    fn finish(&mut self, block: &Bytes) -> ArrayRef {
        match self {
            Building::Text(column) => column.finish(block),
            Building::Int(values, nulls) => Arc::new(Int32Array::new(std::mem::take(values).into(), nulls.finish())),
            Building::Long(values, nulls) => Arc::new(Int64Array::new(std::mem::take(values).into(), nulls.finish())),
            Building::Time(values, nulls) => {
                Arc::new(TimestampMillisecondArray::new(std::mem::take(values).into(), nulls.finish()).with_timezone("UTC"))
            }
        }
    }
}

impl LineValues {
    /// Finds the values of `line`, in one pass: each step looks only at what is right of the one before.
    fn read(&mut self, format: &LogFormat, line: &[u8]) -> Result<(), Misfit> {
        if !line.starts_with(&format.prefix) {
            return Err(Misfit::Prefix);
        }
        let mut at = format.prefix.len();
        for (group, parts) in self.parts.iter_mut().enumerate() {
            if !self.common[group] {
                *parts = Parts::default();
            }
            self.unknown[group] = false;
        }
        for (index, step) in format.steps.iter().enumerate() {
            let rest = &line[at..];
            let length = match &step.lex {
                Lex::Number { long } => {
                    number(rest).filter(|(number, _)| *long || number.is_none_or(|n| n <= i64::from(i32::MAX))).map(|(number, length)| {
                        self.numbers[index] = number;
                        length
                    })
                }
                Lex::Time { items, group } => self.time(items, *group, step.conditional, rest),
                Lex::PathBeforeQuery => {
                    self.text(&format.steps[index + 1..], rest).map(|end| memchr::memchr(b'?', &rest[..end]).unwrap_or(end))
                }
                _ => self.text(&format.steps[index..], rest),
            };
            let end = at + length.ok_or(Misfit::Value(index))?;
            // An empty user name is logged as "", a user named "" as \"\".
            let empty_user = step.lex.is_user() && &line[at..end] == b"\"\"";
            self.spans[index] = if empty_user { (at as u32, at as u32) } else { (at as u32, end as u32) };
            if matches!(step.lex, Lex::Anchored { user: true }) && &line[at..end] == b"- -" {
                return Err(Misfit::Shifted);
            }
            if !line[end..].starts_with(&step.after) {
                return Err(Misfit::After(index));
            }
            at = end + step.after.len();
        }
        if at != line.len() {
            return Err(Misfit::Trailing);
        }
        for (group, made) in format.groups.iter().enumerate() {
            if !self.common[group] {
                self.instants[group] = match self.unknown[group] {
                    true => None,
                    false => Some(instant::millis(&self.parts[group], made.mask).ok_or(Misfit::Time)?),
                };
            }
        }
        Ok(())
    }

    /// How long the text of the first of `steps` is at the start of `rest`.
    fn text(&mut self, steps: &[Step], rest: &[u8]) -> Option<usize> {
        let step = &steps[0];
        match step.lex {
            Lex::Quoted { user: true } if rest.starts_with(b"\"\"") && rest[2..].starts_with(&step.after) => Some(2),
            Lex::Quoted { .. } => bare_quote(rest),
            Lex::Anchored { .. } => self.find_anchored(steps, rest),
            Lex::BeforeEnd { .. } => Some(rest.strip_suffix(&step.after[..])?.len()),
            _ => find(rest, &step.after, 0),
        }
    }

    /// Where the bytes after the first of `steps` stand and what follows them fits, as far as it is numbers and times: each place
    /// is looked at once, and each look is bounded by the format.
    fn find_anchored(&mut self, steps: &[Step], rest: &[u8]) -> Option<usize> {
        let after = &steps[0].after;
        let mut from = 0;
        loop {
            let at = find(rest, after, from)?;
            if self.fits(&steps[1..], &rest[at + after.len()..]) {
                return Some(at);
            }
            from = at + 1;
        }
    }

    /// Whether `text` begins as `steps` say, up to the first of them that is neither a number nor a time.
    fn fits(&mut self, steps: &[Step], mut text: &[u8]) -> bool {
        for step in steps {
            let length = match &step.lex {
                Lex::Number { .. } => number(text).map(|(_, length)| length),
                Lex::Time { .. } if step.conditional && is_dash(text) => Some(1),
                Lex::Time { group: Some(group), .. } if self.common[*group] => self.clock.read(text).map(|_| Clock::LENGTH),
                Lex::Time { items, .. } => strftime::read(items, text, &mut Parts::default()),
                _ => return true,
            };
            match length.and_then(|length| text[length..].strip_prefix(&step.after[..])) {
                Some(rest) => text = rest,
                None => return false,
            }
        }
        text.is_empty()
    }

    /// Reads a time at the start of `text`; gives its length.
    fn time(&mut self, items: &[strftime::TimeItem], group: Option<usize>, conditional: bool, text: &[u8]) -> Option<usize> {
        if conditional && is_dash(text) {
            if let Some(group) = group {
                self.unknown[group] = true;
                self.instants[group] = None;
            }
            return Some(1);
        }
        match group {
            Some(group) if self.common[group] => {
                self.instants[group] = Some(self.clock.read(text)?);
                Some(Clock::LENGTH)
            }
            Some(group) => strftime::read(items, text, &mut self.parts[group]),
            None => strftime::read(items, text, &mut Parts::default()),
        }
    }
}

/// Reads `%t`'s `[10/Oct/2000:13:55:36 -0700]`. Logs are in the order of time, so most times are the one before, or of its day.
#[derive(Debug, Default)]
struct Clock {
    last: [u8; 26],
    last_millis: i64,
    /// Days since 1970 of the date in `last`.
    days: i64,
}

impl Clock {
    const LENGTH: usize = 28;

    #[inline]
    fn read(&mut self, text: &[u8]) -> Option<i64> {
        let text: &[u8; 28] = text.first_chunk()?;
        if text[0] != b'[' || text[27] != b']' {
            return None;
        }
        let inner: &[u8; 26] = text[1..27].first_chunk()?;
        if *inner == self.last {
            return Some(self.last_millis);
        }
        self.parse(inner)
    }

    fn parse(&mut self, text: &[u8; 26]) -> Option<i64> {
        let two = |at: usize| {
            let (tens, ones) = (text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0'));
            (tens < 10 && ones < 10).then_some(tens * 10 + ones)
        };
        let mut days = self.days;
        if text[..12] != self.last[..12] {
            if text[2] != b'/' || text[6] != b'/' || text[11] != b':' {
                return None;
            }
            let year = i32::from(two(7)?) * 100 + i32::from(two(9)?);
            let (month, _) = strftime::month(&text[3..6])?;
            let mask = instant::part::YEAR | instant::part::MONTH | instant::part::DAY | instant::part::HOUR;
            let parts = Parts { year, month, day: two(0)?, ..Parts::default() };
            days = instant::millis(&parts, mask)?.div_euclid(86_400_000);
        }
        if text[14] != b':' || text[17] != b':' || text[20] != b' ' {
            return None;
        }
        let (hour, minute, second) = (two(12)?, two(15)?, two(18)?);
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let (zone, _) = strftime::offset(&text[21..]).filter(|(_, length)| *length == 5)?;
        let of_day = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
        self.days = days;
        self.last = *text;
        self.last_millis = (days * 86_400 + of_day - i64::from(zone)) * 1000;
        Some(self.last_millis)
    }
}

/// Whether `text` begins with the `-` of a time that was not logged, not with a negative number.
fn is_dash(text: &[u8]) -> bool {
    text.first() == Some(&b'-') && !text.get(1).is_some_and(u8::is_ascii_digit)
}

/// The first quote that no backslash stands before.
#[inline]
fn bare_quote(text: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + memchr::memchr2(b'"', b'\\', text.get(from..)?)?;
        if text[at] == b'"' {
            return Some(at);
        }
        from = at + 2;
    }
}

/// Where `literal` first stands in `text`, from `from` on.
#[inline]
fn find(text: &[u8], literal: &[u8], mut from: usize) -> Option<usize> {
    let (first, rest) = literal.split_first()?;
    loop {
        let at = from + memchr::memchr(*first, text.get(from..)?)?;
        if text[at + 1..].starts_with(rest) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// The number, or the `-` for none, that `text` begins with, and its length.
#[inline]
fn number(text: &[u8]) -> Option<(Option<i64>, usize)> {
    /// The digits of `i64::MAX`. More are no number, not even after zeros, so that a look at digits is bounded.
    const MOST: usize = 19;
    let mut value: i64 = 0;
    let mut length = 0;
    while let Some(digit) = text.get(length).map(|b| b.wrapping_sub(b'0')).filter(|d| *d < 10) {
        if length == MOST {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(i64::from(digit))?;
        length += 1;
    }
    match (length, text.first()) {
        (0, Some(b'-')) => Some((None, 1)),
        (0, _) => None,
        _ => Some((Some(value), length)),
    }
}

impl Reasons {
    fn of(format: &LogFormat) -> Self {
        let quote = |bytes: &[u8]| format!("`{}`", String::from_utf8_lossy(bytes).escape_debug().to_string().replace("\\\"", "\""));
        let value = format.steps.iter().map(|step| match step.lex {
            Lex::Quoted { .. } => format!("no closing quote after {}", step.text),
            Lex::Number { .. } => format!("{} is not a number", step.text),
            Lex::Time { .. } => format!("{} is not a time", step.text),
            Lex::BeforeEnd { .. } => format!("expected {} at the end", quote(&step.after)),
            _ => format!("no {} after {}", quote(&step.after), step.text),
        });
        let after = format.steps.iter().map(|step| format!("expected {} after {}", quote(&step.after), step.text));
        Reasons {
            prefix: format!("expected {} at the start", quote(&format.prefix)).into(),
            value: value.map(Into::into).collect(),
            after: after.map(Into::into).collect(),
            trailing: "text after the last field".into(),
            time: "the time does not exist".into(),
            nul: "a NUL byte in the line".into(),
            shifted: "one more column than the format has".into(),
        }
    }

    fn of_misfit(&self, misfit: Misfit) -> Arc<str> {
        match misfit {
            Misfit::Prefix => self.prefix.clone(),
            Misfit::Value(step) => self.value[step].clone(),
            Misfit::After(step) => self.after[step].clone(),
            Misfit::Trailing => self.trailing.clone(),
            Misfit::Time => self.time.clone(),
            Misfit::Shifted => self.shifted.clone(),
        }
    }
}
