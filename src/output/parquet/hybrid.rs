//! Parquet's hybrid of run lengths and bit packing, for levels and dictionary indices.
//! <https://parquet.apache.org/docs/file-format/data-pages/encodings/#RLE>

/// Appends `values`, each less than `2^width`.
pub(super) fn write(values: &[u32], width: u32, out: &mut Vec<u8>) {
    let mut packed_from = 0;
    let mut at = 0;
    while at < values.len() {
        let run = values[at..].iter().take_while(|v| **v == values[at]).count();
        if run >= 8 {
            write_packed(&values[packed_from..at], width, out);
            write_run(run, values[at], width, out);
            at += run;
            packed_from = at;
        } else {
            // Packed values come by eights; only the last eight may be filled up.
            at = (at + 8).min(values.len());
        }
    }
    write_packed(&values[packed_from..], width, out);
}

/// Appends a run of `count` times `value`.
pub(super) fn write_run(count: usize, value: u32, width: u32, out: &mut Vec<u8>) {
    varint((count as u64) << 1, out);
    out.extend_from_slice(&value.to_le_bytes()[..width.div_ceil(8) as usize]);
}

fn write_packed(values: &[u32], width: u32, out: &mut Vec<u8>) {
    if !values.is_empty() {
        varint((values.len().div_ceil(8) as u64) << 1 | 1, out);
        pack(values.iter().map(|v| u64::from(*v)), values.len().next_multiple_of(8), width, out);
    }
}

/// Appends `values` in `width` bits each, the lowest bit first, as if there were `count` with zeros for the missing ones.
pub(super) fn pack(values: impl Iterator<Item = u64>, count: usize, width: u32, out: &mut Vec<u8>) {
    let end = out.len() + (count * width as usize).div_ceil(8);
    out.reserve(end - out.len() + 8);
    let (mut bits, mut held) = (0u128, 0);
    for value in values {
        bits |= u128::from(value) << held;
        held += width;
        if held >= 64 {
            out.extend_from_slice(&(bits as u64).to_le_bytes());
            bits >>= 64;
            held -= 64;
        }
    }
    out.extend_from_slice(&(bits as u64).to_le_bytes());
    out.resize(end, 0);
}

/// Appends a ULEB128 number.
pub(super) fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads what `write` wrote, by the book.
    fn read(mut bytes: &[u8], width: u32, count: usize) -> Vec<u32> {
        let mut values = Vec::new();
        while values.len() < count {
            let (mut header, mut shift) = (0u64, 0);
            loop {
                let byte = bytes[0];
                bytes = &bytes[1..];
                header |= u64::from(byte & 0x7f) << shift;
                shift += 7;
                if byte < 0x80 {
                    break;
                }
            }
            if header & 1 == 1 {
                let length = (header >> 1) as usize * width as usize;
                for i in 0..(header >> 1) as usize * 8 {
                    let bit = |b: usize| u32::from(bytes[b / 8] >> (b % 8) & 1);
                    values.push((0..width as usize).map(|w| bit(i * width as usize + w) << w).sum());
                }
                bytes = &bytes[length..];
            } else {
                let mut value = [0; 4];
                let length = width.div_ceil(8) as usize;
                value[..length].copy_from_slice(&bytes[..length]);
                bytes = &bytes[length..];
                values.extend(std::iter::repeat_n(u32::from_le_bytes(value), (header >> 1) as usize));
            }
        }
        assert!(bytes.is_empty());
        values.truncate(count);
        values
    }

    #[test]
    fn what_is_written_reads_back() {
        for width in [1, 3, 8, 13, 20] {
            for count in [1, 7, 8, 9, 100, 1001] {
                let mixed: Vec<u32> =
                    (0..count).map(|i: u32| if i % 50 < 20 { 1 } else { i.wrapping_mul(2_654_435_761) >> (32 - width) }).collect();
                let mut out = Vec::new();
                write(&mixed, width, &mut out);
                assert_eq!(read(&out, width, mixed.len()), mixed);
            }
        }
    }
}
