//! Finds bytes that are mostly near: values of logs are short, and a call to a search that is fast over long texts costs more than they do.

/// How many bytes are looked at here, before [`memchr`] goes on.
const NEAR: usize = 32;

/// Where the first of `bytes` (one to three) stands in `text`.
#[inline(always)]
pub(super) fn find<const N: usize>(bytes: [u8; N], text: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::MAX / 255;
    let mut at = 0;
    while let Some(word) = text.get(at..).and_then(<[u8]>::first_chunk).filter(|_| at < NEAR) {
        let word = u64::from_le_bytes(*word);
        // The lowest bit set is that of a byte that was looked for; only those above it may be wrong.
        let hits = bytes.iter().fold(0, |hits, byte| {
            let zero = word ^ (ONES * u64::from(*byte));
            hits | (zero.wrapping_sub(ONES) & !zero & (ONES << 7))
        });
        if hits != 0 {
            return Some(at + hits.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    let rest = &text[at..];
    let found = match bytes[..] {
        _ if rest.len() < 8 => rest.iter().position(|byte| bytes.contains(byte)),
        [a] => memchr::memchr(a, rest),
        [a, b] => memchr::memchr2(a, b, rest),
        [a, b, c] => memchr::memchr3(a, b, c, rest),
        _ => rest.iter().position(|byte| bytes.contains(byte)),
    };
    found.map(|found| at + found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_found_wherever_it_stands() {
        for length in 0..80 {
            for (at, byte) in (0..length).flat_map(|at| [(at, b'"'), (at, b'\\'), (at, 0xff)]) {
                let mut text: Vec<u8> = (0..length).map(|i| [b'!', b'#', b'[', b']', 0, 0x80, 0x7f, 0xfe][i % 8]).collect();
                text[at] = byte;
                for (later, place) in text.iter_mut().enumerate().skip(at + 1) {
                    *place = if later % 3 == 0 { byte } else { byte ^ 1 };
                }
                assert_eq!(find([byte], &text), Some(at), "{text:?}");
                assert_eq!(find([b'"', b'\\', 0xff], &text).map(|found| found <= at), Some(true), "{text:?}");
                assert_eq!(find([b'~', byte], &text), Some(at), "{text:?}");
            }
            assert_eq!(find([b'x', b'y'], &vec![b'a'; length]), None);
        }
    }
}
