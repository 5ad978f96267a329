//! CSV and TSV: records to typed rows, with a reject for each record that doesn't fit.

use super::fields::{RowField, trimmed_end};
use super::misfits::Misfits;
use super::record::{Alone, lead_of_record};
use super::syntax::RowSyntax;
use super::typed::{Typing, typed};
use crate::decode::{Decoded, Decoder, Layout, MOST_REJECTS, MOST_VALUES, Reject, repaired};
use crate::error::Result;
use crate::text_column::{Care, TextColumn};
use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use bytes::Bytes;
use std::collections::HashSet;
use std::sync::Arc;

/// Decodes CSV or TSV of a known schema. NULL is in CSV an empty field without quotes, in TSV `\N`; other fields of nothing are empty texts.
#[derive(Debug)]
pub struct RowDecoder {
    syntax: RowSyntax,
    typing: Typing,
    /// All columns of the file.
    file_schema: SchemaRef,
    /// The columns that are read: those wanted, then those that only tell whether a record fits.
    read: Vec<usize>,
    /// How many of them are wanted.
    wanted: usize,
    schema: SchemaRef,
    fields: Vec<RowField>,
    /// What the records decoded so far tell of the rest of their block; nothing at its end.
    alone: Alone,
    /// How many fields a record of this file has, and which of them is each column that is read.
    width: usize,
    places: Vec<Option<usize>>,
}

impl RowDecoder {
    /// A decoder for files with the columns of `schema`; `projection` are indices of the ones wanted, all where not given.
    pub fn new(syntax: RowSyntax, schema: SchemaRef, typing: Typing, projection: Option<Vec<usize>>) -> Self {
        let projection = projection.unwrap_or_else(|| (0..schema.fields().len()).collect());
        let projected = Arc::new(schema.project(&projection).expect("projections are indices of this schema's fields"));
        let wanted = projection.len();
        let mut read = projection;
        // Which records are rejects doesn't depend on the columns that are wanted.
        let chosen: HashSet<usize> = read.iter().copied().collect();
        let typed = |index: &usize| *schema.field(*index).data_type() != DataType::Utf8View;
        read.extend((0..schema.fields().len()).filter(|index| !chosen.contains(index)).filter(typed));
        let typing = Typing { base64: matches!(syntax, RowSyntax::Tsv { .. }), ..typing };
        let mut decoder = RowDecoder {
            syntax,
            typing,
            file_schema: schema,
            read,
            wanted,
            schema: projected,
            fields: Vec::new(),
            alone: Alone::default(),
            width: 0,
            places: Vec::new(),
        };
        decoder.arrange(None);
        decoder
    }

    /// Whether an empty text is NULL in the column at `index`.
    fn is_null(&self, index: usize) -> bool {
        self.syntax.empty_is_null() && !matches!(self.file_schema.field(index).data_type(), DataType::Utf8View | DataType::Binary)
    }

    /// Turns the texts into the schema's types; what becomes of rows with a text that isn't of its column's type is in `misfits`.
    fn typed(&self, texts: Vec<ArrayRef>, rows: usize, misfits: &mut Misfits) -> Result<RecordBatch> {
        let mut columns = Vec::with_capacity(texts.len());
        for (text, index) in texts.into_iter().zip(&self.read) {
            let mut found = Vec::new();
            columns.push(typed(&text, self.file_schema.field(*index).data_type(), self.typing, &mut found)?);
            misfits.add(*index, found);
        }
        columns.truncate(self.wanted);
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        misfits.kept(RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)?)
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

impl Decoder for RowDecoder {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn arrange(&mut self, layout: Option<&Arc<Layout>>) {
        self.width = layout.map_or(self.file_schema.fields().len(), |layout| layout.width);
        self.places = self.read.iter().map(|index| layout.map_or(Some(*index), |layout| layout.fields[*index])).collect();
    }

    fn decode(&mut self, block: &Bytes) -> Result<Decoded> {
        let bytes: &[u8] = block;
        let care = Care { valid_utf8: simdutf8::basic::from_utf8(bytes).is_ok(), unescape: false };
        let width = self.width;
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
            let split = self.syntax.split(bytes, start, &mut self.alone, width, &mut self.fields);
            at = split.next;
            let record = Record { line: text_line, start, end: trimmed_end(bytes, start, at) };
            lines += 1;
            text_line += memchr::memchr_iter(b'\n', &bytes[start..at]).count() as u64;
            if record.start == record.end && !self.syntax.nothing_is_a_record(width) {
                blank += 1;
                continue;
            }
            if let Some(fault) = split.fault {
                rejects.push(record.reject(block, fault.reason().into()));
                continue;
            }
            if split.count != width {
                let reason = format!("{} fields where the header has {width}", split.count);
                rejects.push(record.reject(block, reason.into()));
                continue;
            }
            for ((column, index), place) in columns.iter_mut().zip(&self.read).zip(&self.places) {
                let Some(place) = place else {
                    column.push_null();
                    continue;
                };
                let field = self.fields[*place];
                let value = &bytes[field.start..field.end];
                if field.null || (value.is_empty() && self.is_null(*index)) {
                    column.push_null();
                } else if field.escaped {
                    unescaped.clear();
                    self.syntax.unescape(value, &mut unescaped);
                    column.push_changed(&unescaped);
                } else {
                    column.push(value, field.start as u32, care);
                }
            }
            records.push(record);
        }
        self.alone.until = self.alone.until.saturating_sub(at);
        let texts = columns.iter_mut().map(|c| c.finish(block)).collect();
        let mut misfits = Misfits::new(&self.file_schema, self.typing);
        let batch = self.typed(texts, records.len(), &mut misfits)?;
        let (wrong, mismatches) = misfits.done();
        if !wrong.is_empty() {
            rejects.extend(wrong.into_iter().map(|(row, reason)| records[row].reject(block, reason)));
            rejects.sort_by_key(|reject| reject.offset);
        }
        // The input's last line may have no newline.
        let text_lines = text_line + u64::from(bytes[..at].last().is_some_and(|last| *last != b'\n'));
        let repaired = repaired(&behind, &rejects);
        Ok(Decoded { batch, taken: at, lines, text_lines, blank, repaired, rejects, mismatches })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CsvOptions, infer_rows};
    use super::*;
    use arrow::array::AsArray;

    const SALES: &str = "date,shop_id,note,price\n31.01.2014,25,\"a \"\"b\"\", c\",1.5\n01.02.2014,26,,\n02.02.2014,27,\"\",3\n";

    const CSV: RowSyntax = RowSyntax::Csv(CsvOptions { delimiter: b',', header: true, dialect: super::super::CsvDialect::Rfc4180 });
    const TSV: RowSyntax = RowSyntax::Tsv { header: true };

    fn decoder(text: &str, syntax: RowSyntax) -> RowDecoder {
        RowDecoder::new(syntax, infer_rows("x", text.as_bytes(), syntax).unwrap(), Typing::default(), None)
    }

    #[test]
    fn records_become_typed_rows() {
        let mut decoder = decoder(SALES, CSV);
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
        let decoded = decoder(SALES, CSV).decode(&Bytes::from(body)).unwrap();
        assert_eq!((decoded.lines, decoded.batch.num_rows(), decoded.blank), (4, 1, 1));
        let rejects: Vec<_> = decoded.rejects.iter().map(|r| (r.line, r.offset, &*r.reason, &r.raw[..])).collect();
        assert_eq!(
            rejects,
            [
                (0, 0, "column shop_id is not of type bigint", &b"31.01.2014,x,a,1"[..]),
                (2, 19, "3 fields where the header has 4", b"1,2,3")
            ]
        );
    }

    #[test]
    fn rejects_have_the_line_of_the_text_and_do_not_depend_on_the_columns_wanted() {
        let schema = infer_rows("x.csv", SALES.as_bytes(), CSV).unwrap();
        for projection in [None, Some(vec![]), Some(vec![2]), Some(vec![3, 1])] {
            let mut decoder = RowDecoder::new(CSV, schema.clone(), Typing::default(), projection);
            let decoded = decoder.decode(&Bytes::from("a,26,\"multi\nline\",2\na,x,b,2\na,1,b,x\n")).unwrap();
            assert_eq!((decoded.lines, decoded.batch.num_rows()), (3, 1));
            assert_eq!(decoded.rejects.iter().map(|r| r.line).collect::<Vec<_>>(), [2, 3]);
        }
    }

    #[test]
    fn lines_of_tsv_become_typed_rows() {
        let text = "n\tt\tb\n1\ta\\tb\ttrue\n\\N\t\\N\t\\N\n-3\t\tfalse\n";
        let mut decoder = decoder(text, TSV);
        let types: Vec<_> = decoder.schema().fields().iter().map(|f| f.data_type().clone()).collect();
        assert_eq!(types, [DataType::Int64, DataType::Utf8View, DataType::Boolean]);
        let body = &text[text.find('\n').unwrap() + 1..];
        let decoded = decoder.decode(&Bytes::from(format!("{body}\n4\t\\\\N\ttrue\n\t\t\n5\tx\n6\t\\q\ttrue\n7\t\\"))).unwrap();
        assert_eq!((decoded.lines, decoded.batch.num_rows(), decoded.blank), (9, 4, 1));
        let texts = decoded.batch.column(1).as_string_view();
        assert_eq!(texts.iter().collect::<Vec<_>>(), [Some("a\tb"), None, Some(""), Some("\\N")]);
        let rejects: Vec<_> = decoded.rejects.iter().map(|r| (r.line, &*r.reason)).collect();
        assert_eq!(
            rejects,
            [
                (5, "column n is not of type bigint"),
                (6, "2 fields where the header has 3"),
                (7, "a backslash before a letter or digit that TSV has no escape of"),
                (8, "a backslash at the end of the line"),
            ]
        );
    }

    #[test]
    fn a_line_of_nothing_is_a_text_where_there_is_one_column() {
        let decoded = decoder("t\n\n", TSV).decode(&Bytes::from("\na\n\r\n\\N\n")).unwrap();
        assert_eq!((decoded.lines, decoded.blank), (4, 0));
        let texts = decoded.batch.column(0).as_string_view();
        assert_eq!(texts.iter().collect::<Vec<_>>(), [Some(""), Some("a"), Some(""), None]);
    }

    #[test]
    fn bytes_are_base64_in_tsv() {
        use arrow::datatypes::{Field, Schema};
        let schema = Arc::new(Schema::new(vec![Field::new("b", DataType::Binary, true)]));
        let mut decoder = RowDecoder::new(TSV, schema, Typing::default(), None);
        let decoded = decoder.decode(&Bytes::from("AP8=\n\n\\N\nAP8\n00ff\n")).unwrap();
        let bytes = decoded.batch.column(0).as_binary::<i32>();
        assert_eq!(bytes.iter().collect::<Vec<_>>(), [Some(&b"\0\xff"[..]), Some(b""), None, Some(b"\xd3\x47\xdf")]);
        assert_eq!(decoded.rejects.iter().map(|r| r.line).collect::<Vec<_>>(), [3]);
    }

    /// What each record of `text` is by the rule as it is said: where it starts, where it ends, and why it is rejected.
    fn told(text: &[u8]) -> Vec<(usize, usize, Option<&'static str>)> {
        let (mut found, mut start) = (Vec::new(), 0);
        while start < text.len() {
            let line_end = text[start..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |at| start + at + 1);
            let (mut at, mut quoted, mut field_start) = (start, false, true);
            let (mut end, mut fault) = (text.len(), None);
            while at < text.len() {
                let rest = &text[at..];
                if quoted {
                    if rest.starts_with(b"\"\"") {
                        at += 1;
                    } else if rest[0] == b'"' {
                        quoted = false;
                        if ![&b"\","[..], b"\"\n", b"\"\r\n"].iter().any(|good| rest.starts_with(good)) && !matches!(rest, b"\"" | b"\"\r")
                        {
                            (end, fault) = (line_end, Some("text behind a closing quote"));
                            break;
                        }
                    }
                } else if rest[0] == b'"' && field_start {
                    quoted = true;
                } else if rest[0] == b'\n' {
                    end = at + 1;
                    break;
                }
                field_start = rest[0] == b',' && !quoted;
                at += 1;
            }
            if quoted && fault.is_none() {
                (end, fault) = (line_end, Some("a quote that is never closed"));
            }
            found.push((start, end, fault));
            start = end;
        }
        found
    }

    #[test]
    fn broken_quotes_cost_their_own_line_wherever_the_text_is_cut() {
        let schema: SchemaRef = Arc::new(arrow::datatypes::Schema::new(vec![arrow::datatypes::Field::new("a", DataType::Utf8View, true)]));
        let decode = |text: &[u8]| {
            let mut decoder = RowDecoder::new(CSV, schema.clone(), Typing::default(), None);
            let (mut places, mut lines) = (Vec::new(), 0);
            for decoded in crate::decode::parts(&mut decoder, &Bytes::copy_from_slice(text)) {
                let decoded = decoded.unwrap();
                lines += decoded.lines;
                places.extend(decoded.rejects.iter().map(|r| (r.offset as usize, r.reason.to_string())));
            }
            (lines, places)
        };
        let mut seed = 7u64;
        let mut random = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % below
        };
        for _ in 0..20_000 {
            let text: Vec<u8> = (0..random(24)).map(|_| b"\"\"\"\n\n,ax\r"[random(9)]).collect();
            let expected = told(&text);
            let (lines, places) = decode(&text);
            let shown = String::from_utf8_lossy(&text);
            assert_eq!(lines as usize, expected.len(), "{shown:?}");
            let faults = expected.iter().filter_map(|(start, _, fault)| Some((*start, (*fault)?.to_string())));
            let quotes: Vec<_> = places.into_iter().filter(|(_, reason)| !reason.contains("fields")).collect();
            assert_eq!(quotes, faults.collect::<Vec<_>>(), "{shown:?}");
            // Of any part of the text it is known how much of it can be told.
            let known = &text[..random(text.len() + 1)];
            if let Some(cut) = CSV.last_end(known, 1 << 20) {
                let (first, second) = (decode(&text[..cut]), decode(&text[cut..]));
                assert_eq!(first.0 + second.0, lines, "{shown:?} cut at {cut}");
                let reasons = first.1.into_iter().chain(second.1).map(|(_, reason)| reason).collect::<Vec<_>>();
                assert_eq!(reasons, decode(&text).1.into_iter().map(|(_, reason)| reason).collect::<Vec<_>>(), "{shown:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn many_open_quotes_take_no_longer_than_their_bytes() {
        // Each line but the first would be within a quoted field up to the end, and each one alone would be too.
        let text = "x\",y,\"z\n".repeat(200_000);
        let started = std::time::Instant::now();
        assert_eq!(CSV.last_end(text.as_bytes(), 1 << 30), None);
        let mut decoder = decoder("a,b,c\nx,y,z\n", CSV);
        let parts: Vec<_> = crate::decode::parts(&mut decoder, &Bytes::from(text)).map(Result::unwrap).collect();
        assert_eq!(parts.iter().map(|part| part.rejects.len()).sum::<usize>(), 200_000);
        assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    }
}
