//! Whole numbers, as servers write them.

use super::format::Lex;
use super::seconds::{double, millis};

/// The number of a step at the start of `text`, or the `-` for none, and its length.
#[inline]
pub(super) fn digits(lex: &Lex, text: &[u8]) -> Option<(Option<i64>, usize)> {
    match (lex, text) {
        (Lex::Number { long, signed: true, .. }, [b'-', digits @ ..]) if digits.first().is_some_and(u8::is_ascii_digit) => {
            number(digits, *long, false).map(|(number, length)| (number.map(|number| -number), 1 + length))
        }
        (Lex::Number { long, empty, .. }, _) => number(text, *long, *empty),
        (Lex::Millis { empty }, _) => millis(text, *empty),
        (Lex::Double { empty }, _) => double(text, *empty),
        (_, [a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', ..]) => {
            Some((Some(i64::from(a - b'0') * 100 + i64::from(b - b'0') * 10 + i64::from(c - b'0')), 3))
        }
        (_, [b'-', ..]) => Some((None, 1)),
        _ => None,
    }
}

/// The number, of 64 bits where it is `long` and else of 32, or the `-` for none, that `text` begins with, and its length.
#[inline]
fn number(text: &[u8], long: bool, empty: bool) -> Option<(Option<i64>, usize)> {
    /// The digits of `i64::MAX`. More are no number, not even after zeros, so that a look at digits is bounded.
    const MOST: usize = 19;
    let mut value: i64 = 0;
    let mut length = 0;
    while let Some(digit) = text.get(length).map(|b| b.wrapping_sub(b'0')).filter(|d| *d < 10) {
        if length == MOST {
            return None;
        }
        // Eighteen digits always fit.
        value = if length < MOST - 1 { value * 10 + i64::from(digit) } else { value.checked_mul(10)?.checked_add(i64::from(digit))? };
        length += 1;
    }
    match (length, text.first()) {
        (0, _) if empty && text.starts_with(b"null") => Some((None, 4)),
        (0, _) if empty => Some((None, 0)),
        (0, Some(b'-')) => Some((None, 1)),
        (0, _) => None,
        _ if !long && value > i64::from(i32::MAX) => None,
        // Nobody writes zeros before a number: it may be part of another one.
        _ if length > 1 && text[0] == b'0' => None,
        _ => Some((Some(value), length)),
    }
}
