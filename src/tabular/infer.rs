//! Guesses a column's type from its texts. A guess is only as wide as is safe: `007` stays text.

use crate::accesslog::time_type;
use crate::error::{Error, ErrorKind, Result};
use crate::units::count;
use arrow::datatypes::DataType;

/// The columns that a table may have: each takes some memory in every step, however few rows there are.
pub(super) const MOST_COLUMNS: usize = 50_000;

/// Whether a table may have so many columns as the file `path` has.
///
/// # Errors
/// [`ErrorKind::Format`] where they are too many.
pub(super) fn check_width(path: &str, columns: usize) -> Result<()> {
    if columns <= MOST_COLUMNS {
        return Ok(());
    }
    let message = format!("{path} has {} columns, and a table may have {}", count(columns as u64), count(MOST_COLUMNS as u64));
    Err(Error::new(ErrorKind::Format, message)
        .with_context("what to do", "write what varies as rows, or as one column of lists or of text"))
}

/// From so many columns on, lines that have next to none of them each make no table.
const MANY_COLUMNS: usize = 10_000;

/// Whether `values` in `lines` lines speak for a table of so many columns: where keys are values, rows of them are nearly all NULL.
///
/// # Errors
/// [`ErrorKind::Format`] where a line has less than a thousandth of the columns.
pub(super) fn check_share(path: &str, columns: usize, lines: u64, values: u64) -> Result<()> {
    if columns <= MANY_COLUMNS || values.saturating_mul(1000) >= lines.saturating_mul(columns as u64) {
        return Ok(());
    }
    let each = values.div_ceil(lines.max(1));
    let message = format!("the first lines of {path} have {} different keys, and about {} each", count(columns as u64), count(each));
    Err(Error::new(ErrorKind::Format, message)
        .with_context("what to do", "name the columns that are wanted with --schema; keys that are values make no table"))
}

/// The narrowest type that every text seen fits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guess {
    seen: bool,
    long: bool,
    double: bool,
    boolean: bool,
    date: bool,
    timestamp: bool,
}

impl Default for Guess {
    fn default() -> Self {
        Guess { seen: false, long: true, double: true, boolean: true, date: true, timestamp: true }
    }
}

impl Guess {
    /// Takes one more text into account.
    pub(super) fn see(&mut self, text: &[u8]) {
        self.seen = true;
        self.long &= is_long(text);
        self.double &= is_double(text);
        self.boolean &= text.eq_ignore_ascii_case(b"true") || text.eq_ignore_ascii_case(b"false");
        self.date &= is_date(text);
        self.timestamp &= is_timestamp(text);
    }

    /// The type of the column; text where nothing was seen.
    pub(super) fn data_type(self) -> DataType {
        match self {
            Guess { seen: false, .. } => DataType::Utf8View,
            Guess { long: true, .. } => DataType::Int64,
            Guess { double: true, .. } => DataType::Float64,
            Guess { boolean: true, .. } => DataType::Boolean,
            Guess { date: true, .. } => DataType::Date32,
            Guess { timestamp: true, .. } => time_type(),
            _ => DataType::Utf8View,
        }
    }

    /// The type, where only dates and times are told from text: JSON says itself what is a number.
    pub(super) fn date_or_text(self) -> DataType {
        Guess { long: false, double: false, boolean: false, ..self }.data_type()
    }
}

fn is_long(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let leading_zero = digits.len() > 1 && digits[0] == b'0';
    !leading_zero && !digits.is_empty() && digits.len() <= 18 && digits.iter().all(u8::is_ascii_digit)
}

fn is_double(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let starts = digits.first().is_some_and(|b| b.is_ascii_digit() || *b == b'.');
    let leading_zero = digits.len() > 1 && digits[0] == b'0' && digits[1].is_ascii_digit();
    let long = digits.iter().filter(|b| b.is_ascii_digit()).count() > 17;
    starts && !leading_zero && !long && std::str::from_utf8(text).is_ok_and(|t| t.parse::<f64>().is_ok_and(f64::is_finite))
}

fn is_date(text: &[u8]) -> bool {
    if !fits(text, b"0000-00-00") {
        return false;
    }
    let number = |range: std::ops::Range<usize>| text[range].iter().fold(0u32, |n, digit| n * 10 + u32::from(digit - b'0'));
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    // Some databases write 0000-00-00 where they have no date.
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => 0,
    };
    year > 0 && (1..=days).contains(&day)
}

fn is_timestamp(text: &[u8]) -> bool {
    let Some((main, rest)) = text.split_at_checked(19) else { return false };
    if !fits(main, b"0000-00-00 00:00:00") && !fits(main, b"0000-00-00T00:00:00") {
        return false;
    }
    let within = |at: usize, limit: &[u8; 2]| main[at..at + 2] < limit[..];
    if !is_date(&main[..10]) || !within(11, b"24") || !within(14, b"60") || !within(17, b"60") {
        return false;
    }
    let rest = rest.strip_suffix(b"Z").unwrap_or(rest);
    // Milliseconds are kept, so text with more digits stays text.
    matches!(rest, [] | [b'.', b'0'..=b'9'] | [b'.', b'0'..=b'9', b'0'..=b'9'] | [b'.', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9'])
}

/// Whether `text` has a digit where `shape` has `0`, and the same bytes elsewhere.
fn fits(text: &[u8], shape: &[u8]) -> bool {
    text.len() == shape.len() && text.iter().zip(shape).all(|(t, s)| if *s == b'0' { t.is_ascii_digit() } else { t == s })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(texts: &[&str]) -> DataType {
        let mut guess = Guess::default();
        texts.iter().for_each(|t| guess.see(t.as_bytes()));
        guess.data_type()
    }

    #[test]
    fn guesses_lose_nothing() {
        assert_eq!(guess(&["1", "-20"]), DataType::Int64);
        assert_eq!(guess(&["1", "2.5"]), DataType::Float64);
        assert_eq!(guess(&["007"]), DataType::Utf8View);
        assert_eq!(guess(&["12345678901234567890"]), DataType::Utf8View);
        assert_eq!(guess(&["true", "False"]), DataType::Boolean);
        assert_eq!(guess(&["2014-01-31"]), DataType::Date32);
        assert_eq!(guess(&["31.01.2014"]), DataType::Utf8View);
        assert_eq!(guess(&["0000-00-00"]), DataType::Utf8View);
        assert_eq!(guess(&["2014-02-29"]), DataType::Utf8View);
        assert_eq!(guess(&["2020-02-29 24:00:00"]), DataType::Utf8View);
        assert_eq!(guess(&["1e999"]), DataType::Utf8View);
        assert_eq!(guess(&["2020-02-29 00:00:02.000", "2020-02-29T00:00:02Z"]), time_type());
        assert_eq!(guess(&["2020-02-29 00:00:02.000001"]), DataType::Utf8View);
        assert_eq!(guess(&[]), DataType::Utf8View);
    }
}
