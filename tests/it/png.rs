//! Reads screenshots, as far as browsers write them: eight bits a channel, not interlaced.

use flate2::read::ZlibDecoder;
use std::io::Read;

/// A picture, row by row.
pub(crate) struct Picture {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pixels: Vec<[u8; 3]>,
}

impl Picture {
    pub(crate) fn at(&self, x: usize, y: usize) -> [u8; 3] {
        self.pixels[y * self.width + x]
    }

    /// How many pixels in a rectangle are of another colour than most of them.
    pub(crate) fn drawn(&self, left: usize, top: usize, width: usize, height: usize) -> usize {
        let rows = top..(top + height).min(self.height);
        let all: Vec<[u8; 3]> =
            rows.flat_map(|y| (left..(left + width).min(self.width)).map(move |x| (x, y))).map(|(x, y)| self.at(x, y)).collect();
        let mut counts = std::collections::HashMap::new();
        all.iter().for_each(|pixel| *counts.entry(*pixel).or_insert(0_usize) += 1);
        all.len() - counts.values().max().copied().unwrap_or_default()
    }

    pub(crate) fn read(bytes: &[u8]) -> Picture {
        assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
        let (mut at, mut packed, mut head) = (8, Vec::new(), [0_u8; 13]);
        while at + 8 <= bytes.len() {
            let length = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
            let (kind, data) = (&bytes[at + 4..at + 8], &bytes[at + 8..at + 8 + length]);
            match kind {
                b"IHDR" => head.copy_from_slice(data),
                b"IDAT" => packed.extend_from_slice(data),
                _ => {}
            }
            at += 12 + length;
        }
        let number = |at: usize| u32::from_be_bytes(head[at..at + 4].try_into().unwrap()) as usize;
        let (width, height) = (number(0), number(4));
        let channels = match (head[8], head[9], head[12]) {
            (8, 2, 0) => 3,
            (8, 6, 0) => 4,
            other => panic!("a picture of another kind: {other:?}"),
        };
        let mut raw = Vec::new();
        ZlibDecoder::new(&packed[..]).read_to_end(&mut raw).unwrap();
        let stride = width * channels;
        let mut before = vec![0_u8; stride];
        let mut pixels = Vec::with_capacity(width * height);
        for row in raw.chunks_exact(stride + 1) {
            let mut line = row[1..].to_vec();
            for at in 0..stride {
                let left = if at < channels { 0 } else { line[at - channels] };
                let corner = if at < channels { 0 } else { before[at - channels] };
                let guess = match row[0] {
                    0 => 0,
                    1 => left,
                    2 => before[at],
                    3 => ((u16::from(left) + u16::from(before[at])) / 2) as u8,
                    _ => paeth(left, before[at], corner),
                };
                line[at] = line[at].wrapping_add(guess);
            }
            pixels.extend(line.chunks_exact(channels).map(|pixel| [pixel[0], pixel[1], pixel[2]]));
            before = line;
        }
        Picture { width, height, pixels }
    }
}

/// The neighbour that is nearest to their sum (PNG, 9.4).
fn paeth(left: u8, above: u8, corner: u8) -> u8 {
    let sum = i16::from(left) + i16::from(above) - i16::from(corner);
    let far = |one: u8| (sum - i16::from(one)).abs();
    match () {
        () if far(left) <= far(above) && far(left) <= far(corner) => left,
        () if far(above) <= far(corner) => above,
        () => corner,
    }
}
