//! Lines of text to typed rows.

use super::csv::QuotedFields;
use super::delimited::DelimitedFields;
use super::java_regex::Pattern;
use super::numbers::{is_number, number};
use super::values::{Value, Values};
use crate::decode::{Decoded, Decoder, MOST_VALUES};
use crate::error::Result;
use crate::tabular::json::JsonDecoder;
use crate::tabular::misfits::Misfits;
use crate::tabular::typed::{OnMismatch, Typing, typed};
use crate::text_column::{Care, TextColumn};
use arrow::array::ArrayRef;
use arrow::compute::cast;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use bytes::Bytes;
use std::borrow::Cow;
use std::sync::Arc;

/// How the lines of files are rows.
#[derive(Debug, Clone)]
pub struct HiveText {
    pub syntax: LineSyntax,
    /// All columns of the files, in their order.
    pub schema: SchemaRef,
    /// Lines at the start of each file that are none of its rows.
    pub header_lines: u64,
}

/// How a line is split.
#[derive(Debug, Clone)]
pub enum LineSyntax {
    Quoted(QuotedFields),
    Delimited(DelimitedFields),
    Pattern(Arc<Pattern>),
    /// An object, whose keys are told by their names, whatever their case; others are passed over.
    Json,
}

impl HiveText {
    /// What reports call it.
    pub fn name(&self) -> &'static str {
        match self.syntax {
            LineSyntax::Quoted(_) => "csv",
            LineSyntax::Delimited(_) => "text",
            LineSyntax::Pattern(_) => "regex",
            LineSyntax::Json => "json",
        }
    }

    /// Whether a value that is none of its column's type is NULL.
    pub fn makes_nulls(&self) -> bool {
        !matches!(self.syntax, LineSyntax::Json)
    }

    /// A decoder of the columns at `projection`, all where not given.
    pub fn decoder(&self, projection: Option<Vec<usize>>) -> Box<dyn Decoder> {
        match self.syntax {
            LineSyntax::Json => {
                let typing = Typing { coarse_times: true, ..Typing::default() };
                Box::new(JsonDecoder::new(self.schema.clone(), typing, projection).ignoring_other_keys())
            }
            _ => Box::new(HiveLines::new(self.clone(), projection)),
        }
    }
}

/// Decodes lines of which each is a row.
#[derive(Debug)]
pub struct HiveLines {
    text: HiveText,
    wanted: Vec<usize>,
    /// How many fields of a line are looked at.
    most: usize,
    schema: SchemaRef,
    values: Values,
}

impl HiveLines {
    fn new(text: HiveText, projection: Option<Vec<usize>>) -> HiveLines {
        let wanted = projection.unwrap_or_else(|| (0..text.schema.fields().len()).collect());
        let schema = Arc::new(text.schema.project(&wanted).expect("projections are indices of this schema's fields"));
        // The last column of a text may have all that is left, so that it must be known which one it is.
        let most = match &text.syntax {
            LineSyntax::Delimited(fields) if fields.last_takes_rest => text.schema.fields().len(),
            _ => wanted.iter().max().map_or(0, |last| last + 1),
        };
        HiveLines { text, wanted, most, schema, values: Values::default() }
    }
}

impl HiveLines {
    /// The numbers that OpenCSVSerde has for days and times: those since 1970, and milliseconds since then.
    fn counted(&self, data_type: &DataType) -> Option<DataType> {
        match (&self.text.syntax, data_type) {
            (LineSyntax::Quoted(_), DataType::Date32) => Some(DataType::Int32),
            (LineSyntax::Quoted(_), DataType::Timestamp(..)) => Some(DataType::Int64),
            _ => None,
        }
    }
}

impl Decoder for HiveLines {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn decode(&mut self, block: &Bytes) -> Result<Decoded> {
        let bytes: &[u8] = block;
        let care = Care { valid_utf8: simdutf8::basic::from_utf8(bytes).is_ok(), unescape: false };
        let mut locations = match &self.text.syntax {
            LineSyntax::Pattern(pattern) => pattern.locations(),
            _ => None,
        };
        let most_rows = (MOST_VALUES / self.wanted.len().max(1)).max(1) as u64;
        // Numbers in CSV are texts for most of its readers, and are read as those have them.
        let cut = matches!(self.text.syntax, LineSyntax::Delimited(_));
        let of_java = cut || matches!(self.text.syntax, LineSyntax::Pattern(_));
        let numbers: Vec<bool> = self.schema.fields().iter().map(|field| of_java && is_number(field.data_type())).collect();
        let is_text: Vec<bool> = self.schema.fields().iter().map(|field| *field.data_type() == DataType::Utf8View).collect();
        let mut columns: Vec<TextColumn> = self.wanted.iter().map(|_| TextColumn::with_capacity(0)).collect();
        let (mut at, mut lines) = (0, 0);
        while at < bytes.len() && lines < most_rows {
            // As Hadoop has it: a carriage return ends a line, too.
            let end = memchr::memchr2(b'\n', b'\r', &bytes[at..]).map_or(bytes.len(), |found| at + found);
            let line = &bytes[at..end];
            if self.most > 0 {
                match &self.text.syntax {
                    LineSyntax::Quoted(fields) => fields.split(line, self.most, &mut self.values),
                    LineSyntax::Delimited(fields) => fields.split(line, self.most, &mut self.values),
                    LineSyntax::Pattern(pattern) => pattern.split(line, self.most, &mut locations, &mut self.values)?,
                    LineSyntax::Json => {}
                }
            }
            for (((column, index), is_text), place) in columns.iter_mut().zip(&self.wanted).zip(&is_text).zip(0..) {
                match self.values.get(*index) {
                    Value::Missing => column.push_null(),
                    // Only texts have a value of no characters.
                    Value::Here(range) | Value::Changed(range) if range.is_empty() && !is_text => column.push_null(),
                    Value::Here(range) if numbers[place] => match number(&line[range.clone()], self.schema.field(place).data_type(), cut) {
                        Cow::Borrowed(text) => column.push(text, (at + range.start) as u32, care),
                        Cow::Owned(text) => column.push_changed(&text),
                    },
                    Value::Here(range) => column.push(&line[range.clone()], (at + range.start) as u32, care),
                    Value::Changed(range) => column.push_changed(&self.values.changed[range.clone()]),
                }
            }
            lines += 1;
            at = match &bytes[end..] {
                [b'\r', b'\n', ..] => end + 2,
                [] => end,
                _ => end + 1,
            };
        }
        let typing = Typing { guessed: false, on_mismatch: OnMismatch::Null, coarse_times: true, base64: true };
        let mut misfits = Misfits::new(&self.text.schema, typing);
        let mut typed_columns: Vec<ArrayRef> = Vec::with_capacity(columns.len());
        for ((column, index), field) in columns.iter_mut().zip(&self.wanted).zip(self.schema.fields()) {
            let mut found = Vec::new();
            let (texts, data_type) = (column.finish(block), field.data_type());
            typed_columns.push(match self.counted(data_type) {
                Some(counted) => cast(&typed(&texts, &counted, typing, &mut found)?, data_type)?,
                None => typed(&texts, data_type, typing, &mut found)?,
            });
            misfits.add(*index, found);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(lines as usize));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), typed_columns, &options)?;
        let (_, mismatches) = misfits.done();
        Ok(Decoded { batch, taken: at, lines, text_lines: lines, blank: 0, repaired: 0, rejects: Vec::new(), mismatches })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::{Field, Int32Type, Schema};

    #[test]
    fn every_line_is_a_row() {
        let schema = Arc::new(Schema::new(vec![
            Field::new("a", DataType::Utf8View, true),
            Field::new("n", DataType::Int32, true),
            Field::new("b", DataType::Utf8View, true),
        ]));
        let syntax = LineSyntax::Quoted(QuotedFields { separator: b',', quote: b'"', escape: b'\\' });
        let text = HiveText { syntax, schema, header_lines: 0 };
        let lines = Bytes::from("x,1,y\r\n\n\"a\"\"b\",z\ra,,c,d");
        let decoded = text.decoder(None).decode(&lines).unwrap();
        assert_eq!((decoded.lines, decoded.batch.num_rows(), decoded.taken), (4, 4, lines.len()));
        assert_eq!(decoded.mismatches, [(1, 1)]);
        let texts = |index: usize| decoded.batch.column(index).as_string_view().iter().map(|t| t.map(str::to_string)).collect::<Vec<_>>();
        assert_eq!(texts(0), [Some("x".to_string()), None, Some("a\"b".to_string()), Some("a".to_string())]);
        assert_eq!(texts(2), [Some("y".to_string()), None, None, Some("c".to_string())]);
        let numbers = decoded.batch.column(1).as_primitive::<Int32Type>();
        assert_eq!((numbers.value(0), numbers.null_count()), (1, 3));
        let counted = text.decoder(Some(Vec::new())).decode(&lines).unwrap();
        assert_eq!((counted.batch.num_rows(), counted.batch.num_columns()), (4, 0));
    }
}
