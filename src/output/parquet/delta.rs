//! DELTA_BINARY_PACKED: numbers as packed differences.
//! <https://parquet.apache.org/docs/file-format/data-pages/encodings/#DELTAENC>

use super::hybrid::{pack, varint};

const BLOCK: usize = 128;
const MINIBLOCKS: usize = 4;
const MINIBLOCK: usize = BLOCK / MINIBLOCKS;

/// Appends `values`; `bits` is the width of the column's type, in which differences wrap.
pub(super) fn write(values: &[i64], bits: u32, out: &mut Vec<u8>) {
    let wrap = |difference: i64| if bits == 32 { i64::from(difference as i32) } else { difference };
    varint(BLOCK as u64, out);
    varint(MINIBLOCKS as u64, out);
    varint(values.len() as u64, out);
    varint(zigzag(values.first().copied().unwrap_or_default()), out);
    let mut deltas = [0i64; BLOCK];
    let mut at = 1;
    while at < values.len() {
        let count = BLOCK.min(values.len() - at);
        for (i, delta) in deltas[..count].iter_mut().enumerate() {
            *delta = wrap(values[at + i].wrapping_sub(values[at + i - 1]));
        }
        at += count;
        let least = deltas[..count].iter().copied().min().unwrap_or_default();
        varint(zigzag(least), out);
        let widths = out.len();
        out.resize(widths + MINIBLOCKS, 0);
        for (i, miniblock) in deltas[..count].chunks(MINIBLOCK).enumerate() {
            let above =
                |delta: &i64| if bits == 32 { u64::from(delta.wrapping_sub(least) as u32) } else { delta.wrapping_sub(least) as u64 };
            let most = miniblock.iter().map(above).fold(0, |a, b| a | b);
            let width = 64 - most.leading_zeros();
            out[widths + i] = width as u8;
            if width > 0 {
                pack(miniblock.iter().map(above), MINIBLOCK, width, out);
            }
        }
    }
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}
