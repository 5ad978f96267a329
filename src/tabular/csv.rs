//! CSV: records to typed rows, with a reject for each record that doesn't fit.

use super::dialect::CsvDialect;
use super::fields::{CsvField, Split, split_record, trimmed_end, unescape};
use super::infer::{Guess, MOST_COLUMNS, check_width};
use crate::decode::{Decoded, Decoder, MOST_REJECTS, MOST_VALUES, Reject, lead, repaired};
use crate::error::{Error, ErrorKind, Result};
use crate::text_column::{Care, TextColumn};
use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::compute::{CastOptions, cast_with_options, filter_record_batch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use bytes::Bytes;
use std::collections::HashSet;
use std::sync::Arc;

/// How a CSV is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CsvOptions {
    pub delimiter: u8,
    /// Whether the first record names the columns.
    pub header: bool,
    pub dialect: CsvDialect,
}

impl Default for CsvOptions {
    fn default() -> Self {
        CsvOptions { delimiter: b',', header: true, dialect: CsvDialect::Rfc4180 }
    }
}

/// Decodes CSV of a known schema. An unquoted empty field is NULL, a quoted one an empty text.
#[derive(Debug)]
pub struct CsvDecoder {
    options: CsvOptions,
    /// All columns of the file.
    file_schema: SchemaRef,
    /// The columns that are read: those wanted, then those that only tell whether a record fits.
    read: Vec<usize>,
    /// How many of them are wanted.
    wanted: usize,
    schema: SchemaRef,
    fields: Vec<CsvField>,
}

impl CsvDecoder {
    /// A decoder for files with the columns of `schema`; `projection` are indices of the ones wanted, all where not given.
    pub fn new(options: CsvOptions, schema: SchemaRef, projection: Option<Vec<usize>>) -> Self {
        let projection = projection.unwrap_or_else(|| (0..schema.fields().len()).collect());
        let projected = Arc::new(schema.project(&projection).expect("projections are indices of this schema's fields"));
        let wanted = projection.len();
        let mut read = projection;
        // Which records are rejects doesn't depend on the columns that are wanted.
        let chosen: HashSet<usize> = read.iter().copied().collect();
        let typed = |index: &usize| *schema.field(*index).data_type() != DataType::Utf8View;
        read.extend((0..schema.fields().len()).filter(|index| !chosen.contains(index)).filter(typed));
        CsvDecoder { options, file_schema: schema, read, wanted, schema: projected, fields: Vec::new() }
    }

    /// Turns the texts into the schema's types; rows with a text that isn't of its column's type become rejects.
    fn typed(
        &self,
        texts: Vec<ArrayRef>,
        rows: usize,
        records: &[Record],
        block: &Bytes,
        rejects: &mut Vec<Reject>,
    ) -> Result<RecordBatch> {
        let mut bad: Vec<Option<Arc<str>>> = Vec::new();
        let mut columns = Vec::with_capacity(texts.len());
        for (text, index) in texts.into_iter().zip(&self.read) {
            let field = self.file_schema.field(*index);
            if *field.data_type() == DataType::Utf8View {
                columns.push(text);
                continue;
            }
            let typed = cast_with_options(&text, field.data_type(), &CastOptions { safe: true, ..Default::default() })?;
            if typed.null_count() > text.null_count() {
                let reason: Arc<str> = format!("column {} is not of type {}", field.name(), field.data_type()).into();
                bad.resize(rows, None);
                for row in (0..rows).filter(|row| typed.is_null(*row) && text.is_valid(*row)) {
                    bad[row].get_or_insert_with(|| reason.clone());
                }
            }
            columns.push(typed);
        }
        columns.truncate(self.wanted);
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)?;
        if bad.is_empty() {
            return Ok(batch);
        }
        for (record, reason) in records.iter().zip(&bad) {
            if let Some(reason) = reason {
                rejects.push(record.reject(block, reason.clone()));
            }
        }
        rejects.sort_by_key(|r| r.line);
        let keep = BooleanArray::from_iter(bad.iter().map(|b| Some(b.is_none())));
        Ok(filter_record_batch(&batch, &keep)?)
    }
}

/// Where a record lies.
#[derive(Debug, Clone, Copy)]
struct Record {
    line: u64,
    start: usize,
    end: usize,
}

impl Record {
    fn reject(&self, block: &Bytes, reason: Arc<str>) -> Reject {
        let length = (self.end - self.start) as u64;
        Reject { line: self.line, offset: self.start as u64, reason, raw: block.slice(self.start..self.end), length }
    }
}

impl Decoder for CsvDecoder {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn decode(&mut self, block: &Bytes) -> Result<Decoded> {
        let bytes: &[u8] = block;
        let care = Care { valid_utf8: simdutf8::basic::from_utf8(bytes).is_ok(), unescape: false };
        let width = self.file_schema.fields().len();
        let mut columns: Vec<TextColumn> = self.read.iter().map(|_| TextColumn::with_capacity(0)).collect();
        let (mut lines, mut text_line, mut blank, mut rejects) = (0, 0, 0, Vec::new());
        let (mut records, mut behind) = (Vec::new(), Vec::new());
        let mut at = 0;
        let mut unescaped = Vec::new();
        let most = (MOST_VALUES / self.read.len().max(1)).max(1);
        while at < bytes.len() && records.len() < most && rejects.len() < MOST_REJECTS {
            let start = at + lead_of_record(&bytes[at..]);
            if start > at {
                behind.push(text_line);
            }
            let split = split_record(bytes, start, self.options, width, &mut self.fields);
            at = split.next;
            let record = Record { line: text_line, start, end: trimmed_end(bytes, start, at) };
            lines += 1;
            text_line += memchr::memchr_iter(b'\n', &bytes[start..at]).count() as u64;
            if record.start == record.end {
                blank += 1;
                continue;
            }
            // A closing quote would lie before the end.
            if self.fields.last().is_some_and(|field| field.quoted && field.end == bytes.len()) {
                rejects.push(record.reject(block, "a quote that is never closed".into()));
                continue;
            }
            if split.count != width {
                let reason = format!("{} fields where the header has {width}", split.count);
                rejects.push(record.reject(block, reason.into()));
                continue;
            }
            for (column, index) in columns.iter_mut().zip(&self.read) {
                let field = self.fields[*index];
                let value = &bytes[field.start..field.end];
                let text = *self.file_schema.field(*index).data_type() == DataType::Utf8View;
                if value.is_empty() && !(field.quoted && text) {
                    column.push_null();
                } else if field.escaped {
                    unescaped.clear();
                    unescape(value, self.options.dialect, &mut unescaped);
                    column.push_changed(&unescaped);
                } else {
                    column.push(value, field.start as u32, care);
                }
            }
            records.push(record);
        }
        let texts = columns.iter_mut().map(|c| c.finish(block)).collect();
        let batch = self.typed(texts, records.len(), &records, block, &mut rejects)?;
        // The input's last line may have no newline.
        let text_lines = text_line + u64::from(bytes[..at].last().is_some_and(|last| *last != b'\n'));
        let repaired = repaired(&behind, &rejects);
        Ok(Decoded { batch, taken: at, lines, text_lines, blank, repaired, rejects })
    }
}

/// How many bytes before a record are none of it. Where nothing is behind them they are the record; and before a quote, too, which opens a
/// field only at the start of it.
fn lead_of_record(bytes: &[u8]) -> usize {
    let lead = lead(bytes);
    match bytes.get(lead) {
        None | Some(b'\n' | b'\r' | b'"') => 0,
        Some(_) => lead,
    }
}

/// The names in the header that `start` begins with.
pub fn csv_header(start: &[u8], options: CsvOptions) -> Vec<String> {
    let mut fields = Vec::new();
    split_record(start, 0, options, MOST_COLUMNS, &mut fields);
    let name = |field: &CsvField| {
        let mut name = Vec::new();
        unescape(&start[field.start..field.end], options.dialect, &mut name);
        String::from_utf8_lossy(&name).trim().to_string()
    };
    fields.iter().map(name).collect()
}

/// Whether the header `names` of the file `path` is that of `schema`. `Shop ID` may be called `shop_id` there.
///
/// # Errors
/// [`ErrorKind::Format`] where it is not, as columns are told by their places.
pub fn check_header(path: &str, names: &[String], schema: &Schema) -> Result<()> {
    let plain = |name: &str| name.to_lowercase().replace(|c: char| !c.is_alphanumeric(), "_");
    let expected: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    if names.len() == expected.len() && names.iter().zip(&expected).all(|(name, expected)| plain(name) == plain(expected)) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Format, format!("{path}:1: the header is `{}`", names.join(",").escape_debug()))
        .with_context("expected", expected.join(","))
        .with_context("what to do", "convert files with other columns, or in another order, one at a time; --no-header if it is no header"))
}

/// The schema of a CSV from its first records; `start` begins with the header, where there is one.
///
/// # Errors
/// [`ErrorKind::Format`] where the header has a name twice or none, or too many.
pub fn infer_csv(path: &str, start: &[u8], options: CsvOptions) -> Result<SchemaRef> {
    let mut fields = Vec::new();
    let Split { next: mut at, count } = split_record(start, 0, options, MOST_COLUMNS, &mut fields);
    check_width(path, count)?;
    let names = match options.header {
        true => csv_header(start, options),
        false => (1..=fields.len()).map(|number| format!("column_{number}")).collect(),
    };
    let mut seen = HashSet::new();
    for (index, name) in names.iter().enumerate() {
        let wrong = match name.is_empty() {
            true => Some(format!("column {} of the header has no name", index + 1)),
            false if name.contains('\r') && !name.contains('\n') => {
                let message = format!("{path}: its lines end in a carriage return alone; convert them first: tr '\\r' '\\n'");
                return Err(Error::new(ErrorKind::Format, message));
            }
            false => (!seen.insert(name)).then(|| format!("the header names `{name}` twice")),
        };
        if let Some(wrong) = wrong {
            return Err(Error::new(ErrorKind::Format, format!("{path}:1: {wrong}; give every column a name of its own, or --no-header")));
        }
    }
    if !options.header {
        at = 0;
    }
    let mut guesses = vec![Guess::default(); names.len()];
    while at < start.len() {
        at = split_record(start, at, options, names.len(), &mut fields).next;
        for (guess, field) in guesses.iter_mut().zip(&fields) {
            if field.start < field.end {
                guess.see(&start[field.start..field.end]);
            }
        }
    }
    let columns = names.into_iter().zip(guesses).map(|(name, guess)| Field::new(name, guess.data_type(), true));
    Ok(Arc::new(Schema::new(columns.collect::<Vec<_>>())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::AsArray;

    const SALES: &str = "date,shop_id,note,price\n31.01.2014,25,\"a \"\"b\"\", c\",1.5\n01.02.2014,26,,\n02.02.2014,27,\"\",3\n";

    fn decoder(text: &str) -> CsvDecoder {
        CsvDecoder::new(CsvOptions::default(), infer_csv("x.csv", text.as_bytes(), CsvOptions::default()).unwrap(), None)
    }

    #[test]
    fn records_become_typed_rows() {
        let mut decoder = decoder(SALES);
        let types: Vec<_> = decoder.schema().fields().iter().map(|f| f.data_type().clone()).collect();
        assert_eq!(types, [DataType::Utf8View, DataType::Int64, DataType::Utf8View, DataType::Float64]);
        let body = &SALES[SALES.find('\n').unwrap() + 1..];
        let decoded = decoder.decode(&Bytes::from(body)).unwrap();
        assert_eq!((decoded.lines, decoded.batch.num_rows(), decoded.rejects.len()), (3, 3, 0));
        let notes = decoded.batch.column(2).as_string_view();
        assert_eq!(notes.iter().collect::<Vec<_>>(), [Some("a \"b\", c"), None, Some("")]);
    }

    #[test]
    fn records_that_do_not_fit_are_rejects() {
        let body = "31.01.2014,x,a,1\r\n\n1,2,3\n01.02.2014,26,\"multi\nline\",2\n";
        let decoded = decoder(SALES).decode(&Bytes::from(body)).unwrap();
        assert_eq!((decoded.lines, decoded.batch.num_rows(), decoded.blank), (4, 1, 1));
        let rejects: Vec<_> = decoded.rejects.iter().map(|r| (r.line, r.offset, &*r.reason, &r.raw[..])).collect();
        assert_eq!(
            rejects,
            [(0, 0, "column shop_id is not of type Int64", &b"31.01.2014,x,a,1"[..]), (2, 19, "3 fields where the header has 4", b"1,2,3")]
        );
    }

    #[test]
    fn rejects_have_the_line_of_the_text_and_do_not_depend_on_the_columns_wanted() {
        let schema = infer_csv("x.csv", SALES.as_bytes(), CsvOptions::default()).unwrap();
        for projection in [None, Some(vec![]), Some(vec![2]), Some(vec![3, 1])] {
            let mut decoder = CsvDecoder::new(CsvOptions::default(), schema.clone(), projection);
            let decoded = decoder.decode(&Bytes::from("a,26,\"multi\nline\",2\na,x,b,2\na,1,b,x\n")).unwrap();
            assert_eq!((decoded.lines, decoded.batch.num_rows()), (3, 1));
            assert_eq!(decoded.rejects.iter().map(|r| r.line).collect::<Vec<_>>(), [2, 3]);
        }
    }
}
