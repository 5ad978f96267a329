//! Numbers of a known width at the start of a text.

/// How many bytes of digits `text` begins with, at most `most`.
pub(super) fn digits(text: &[u8], most: usize) -> usize {
    text.iter().take(most).take_while(|b| b.is_ascii_digit()).count()
}

/// The number of between `least` and `most` digits that `text` begins with.
pub(super) fn number(text: &[u8], least: usize, most: usize) -> Option<i64> {
    let length = digits(text, most);
    (length >= least && length > 0).then(|| text[..length].iter().fold(0, |n, d| n * 10 + i64::from(d - b'0')))
}
