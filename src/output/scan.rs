//! Looks at all bytes of a text at once.

/// The flags of all bytes of `text` together. `flags` has no branch, so that sixteen bytes are looked at in a few instructions; the
/// last sixteen overlap the ones before, which changes nothing.
#[inline(always)]
pub(super) fn any_of(text: &[u8], flags: impl Fn(u8) -> u8) -> u8 {
    const LANES: usize = 16;
    let Some(last) = text.last_chunk::<LANES>() else {
        return text.iter().fold(0, |found, byte| found | flags(*byte));
    };
    let mut found = [0u8; LANES];
    let (chunks, _) = text.as_chunks::<LANES>();
    for chunk in chunks.iter().chain([last]) {
        for lane in 0..LANES {
            found[lane] |= flags(chunk[lane]);
        }
    }
    found.iter().fold(0, |all, lane| all | lane)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_seen_once_or_more() {
        for length in 0..70 {
            let mut text = vec![b'a'; length];
            assert_eq!(any_of(&text, |b| u8::from(b == b'x')), 0);
            for at in 0..length {
                text[at] = b'x';
                assert_eq!(any_of(&text, |b| u8::from(b == b'x')), 1, "{at} of {length}");
                text[at] = b'a';
            }
        }
    }
}
