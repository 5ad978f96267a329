//! What holds of any text that a decoder of tables reads.

use crate::decode::{Decoded, Decoder, parts};
use arrow::array::Array;
use arrow::compute::concat_batches;
use bytes::Bytes;

/// All of `text`, decoded.
pub fn decode(decoder: &mut dyn Decoder, text: &Bytes) -> Decoded {
    let schema = decoder.schema();
    let mut batches = Vec::new();
    let batch = arrow::record_batch::RecordBatch::new_empty(schema.clone());
    let mut whole =
        Decoded { batch, taken: 0, lines: 0, text_lines: 0, blank: 0, repaired: 0, rejects: Vec::new(), mismatches: Vec::new() };
    for part in parts(decoder, text) {
        let part = part.unwrap();
        whole.taken += part.taken;
        whole.lines += part.lines;
        whole.text_lines += part.text_lines;
        whole.blank += part.blank;
        whole.repaired += part.repaired;
        whole.rejects.extend(part.rejects);
        batches.push(part.batch);
    }
    whole.batch = concat_batches(&schema, &batches).unwrap();
    whole
}

/// Every record is a row, a reject or blank, each reject is what stands in the text, and columns are valid.
pub fn records(whole: &Decoded, text: &[u8]) {
    let newlines = memchr::memchr_iter(b'\n', text).count() as u64;
    assert_eq!((whole.taken, whole.text_lines), (text.len(), newlines + u64::from(!text.is_empty() && !text.ends_with(b"\n"))));
    assert_eq!(whole.lines, whole.batch.num_rows() as u64 + whole.rejects.len() as u64 + whole.blank);
    for reject in &whole.rejects {
        let start = reject.offset as usize;
        assert_eq!(text[start..start + reject.length as usize], reject.raw);
        assert_eq!(memchr::memchr_iter(b'\n', &text[..start]).count() as u64, reject.line);
    }
    for column in whole.batch.columns() {
        column.to_data().validate_full().unwrap();
    }
}

/// The text in two blocks gives what it gives in one; a record ends at `cut`.
pub fn same_when_cut(decoder: &mut dyn Decoder, whole: &Decoded, text: &Bytes, cut: usize) {
    let first = decode(decoder, &text.slice(..cut));
    let second = decode(decoder, &text.slice(cut..));
    assert_eq!(concat_batches(&whole.batch.schema(), [&first.batch, &second.batch]).unwrap(), whole.batch);
    assert_eq!((first.lines + second.lines, first.blank + second.blank), (whole.lines, whole.blank));
    assert_eq!(first.repaired + second.repaired, whole.repaired);
    let reasons = |decoded: &Decoded| decoded.rejects.iter().map(|reject| reject.reason.to_string()).collect::<Vec<_>>();
    assert_eq!([reasons(&first), reasons(&second)].concat(), reasons(whole));
}

/// The first and the last column alone are what they are among all.
pub fn same_alone(whole: &Decoded, text: &Bytes, decoder: impl Fn(usize) -> Box<dyn Decoder>) {
    for column in [0, whole.batch.num_columns() - 1] {
        let alone = decode(decoder(column).as_mut(), text);
        assert_eq!(alone.batch.column(0), whole.batch.column(column));
        assert_eq!((alone.rejects.len(), alone.repaired), (whole.rejects.len(), whole.repaired));
    }
}
