//! Headers of pages, in Thrift's compact protocol, with the checksums that the parquet crate doesn't write.
//! <https://parquet.apache.org/docs/file-format/data-pages/checksumming/>

use super::hybrid::varint;
use crate::error::{Error, ErrorKind, Result};
use flate2::Crc;
use parquet::basic::Encoding;

/// Beginnings of fields whose number is one, two or three more than that of the field before.
const NEXT_NUMBER: u8 = 0x15;
const NEXT_FALSE: u8 = 0x12;
const NEXT_STRUCT: u8 = 0x1c;
const THIRD_STRUCT: u8 = 0x3c;
const END: u8 = 0;
/// What the header of a dictionary's page has for its kind.
const DICTIONARY: i32 = 2;

/// The header of a data page (version 1) of `rows` rows, whose bytes as they are stored are `data`.
pub(super) fn data_page(plain_length: usize, data: &[u8], rows: u64, encoding: Encoding) -> Vec<u8> {
    let mut out = begin(0, plain_length, data);
    out.push(NEXT_STRUCT);
    for value in [rows as i32, encoding as i32, Encoding::RLE as i32, Encoding::RLE as i32] {
        number(value, &mut out);
    }
    out.extend([END, END]);
    out
}

/// The header of a dictionary of `values` plain values.
pub(super) fn dictionary_page(plain_length: usize, data: &[u8], values: usize) -> Vec<u8> {
    let mut out = begin(DICTIONARY, plain_length, data);
    out.push(THIRD_STRUCT);
    number(values as i32, &mut out);
    number(Encoding::PLAIN as i32, &mut out);
    out.extend([NEXT_FALSE, END, END]);
    out
}

/// Whether `header` is that of a dictionary.
pub(super) fn is_dictionary(header: &[u8]) -> bool {
    header.get(1) == Some(&(DICTIONARY as u8 * 2))
}

/// `header`, which the parquet crate made for `data`, with the checksum behind its third field.
///
/// # Errors
/// [`ErrorKind::Internal`] where it is no such header.
pub(super) fn with_checksum(header: &[u8], data: &[u8]) -> Result<Vec<u8>> {
    let other = || Error::new(ErrorKind::Internal, "the parquet crate makes headers of pages in another way than is known");
    let mut at = 0;
    for _ in 0..3 {
        let number = header.get(at..).filter(|rest| rest.first() == Some(&NEXT_NUMBER)).ok_or_else(other)?;
        at += 2 + number[1..].iter().take_while(|byte| **byte >= 0x80).count();
    }
    let (before, rest) = header.split_at_checked(at).ok_or_else(other)?;
    let [next @ 0x20..=0xff, rest @ ..] = rest else { return Err(other()) };
    let mut out = before.to_vec();
    number(checksum(data), &mut out);
    // The field that follows is one nearer to the one before it now.
    out.push(next - 0x10);
    out.extend_from_slice(rest);
    Ok(out)
}

fn begin(kind: i32, plain_length: usize, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(48);
    for value in [kind, plain_length as i32, data.len() as i32, checksum(data)] {
        number(value, &mut out);
    }
    out
}

fn checksum(data: &[u8]) -> i32 {
    let mut crc = Crc::new();
    crc.update(data);
    crc.sum() as i32
}

fn number(value: i32, out: &mut Vec<u8>) {
    out.push(NEXT_NUMBER);
    varint(u64::from(((value << 1) ^ (value >> 31)) as u32), out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_is_put_where_it_belongs() {
        let data = b"some values";
        let with = data_page(300, data, 70_000, Encoding::RLE_DICTIONARY);
        let mut without = Vec::new();
        [0, 300, 11].into_iter().for_each(|value| number(value, &mut without));
        let rest = [&[NEXT_STRUCT], &with[with.iter().position(|byte| *byte == NEXT_STRUCT).unwrap() + 1..]].concat();
        without.push(rest[0] + 0x10);
        without.extend_from_slice(&rest[1..]);
        assert_eq!(with_checksum(&without, data).unwrap(), with);
        assert!(!is_dictionary(&with) && is_dictionary(&dictionary_page(300, data, 7)));
        assert!(with_checksum(&[0x15, 0x00, 0x15], data).is_err());
    }
}
