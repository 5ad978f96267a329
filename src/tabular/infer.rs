//! Guesses a column's type from its texts. A guess loses nothing of any of them: `007` stays text, and so does what has more digits than
//! a number holds.

use super::values::{boolean, date, exact_double, is_special, plain_timestamp, whole};
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
    let message = format!("{path} has {} columns, but a table can have at most {}", count(columns as u64), count(MOST_COLUMNS as u64));
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
        .with_context("what to do", "list the columns you want with --schema; keys that are really values don't make a table"))
}

/// The narrowest type that every text seen fits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guess {
    seen: bool,
    /// A number was seen, and not only `NaN` and its like.
    number: bool,
    long: bool,
    double: bool,
    boolean: bool,
    date: bool,
    timestamp: bool,
}

impl Default for Guess {
    fn default() -> Self {
        Guess { seen: false, number: false, long: true, double: true, boolean: true, date: true, timestamp: true }
    }
}

impl Guess {
    /// Takes one more text into account.
    pub(super) fn see(&mut self, text: &[u8]) {
        self.seen = true;
        self.number |= !is_special(text);
        self.long = self.long && whole(text).is_some();
        self.double = self.double && exact_double(text).is_some();
        self.boolean = self.boolean && boolean(text).is_some();
        // In the year 0 are those that some databases write where they have none.
        let dated = !text.starts_with(b"0000");
        self.date = self.date && dated && date(text).is_some();
        self.timestamp = self.timestamp && dated && plain_timestamp(text).is_some();
    }

    /// The guess of all that either has seen.
    pub(super) fn and(self, other: Guess) -> Guess {
        Guess {
            seen: self.seen || other.seen,
            number: self.number || other.number,
            long: self.long && other.long,
            double: self.double && other.double,
            boolean: self.boolean && other.boolean,
            date: self.date && other.date,
            timestamp: self.timestamp && other.timestamp,
        }
    }

    /// The type of the column; text where nothing was seen.
    pub(super) fn data_type(self) -> DataType {
        match self {
            Guess { seen: false, .. } => DataType::Utf8View,
            Guess { long: true, .. } => DataType::Int64,
            Guess { double: true, number: true, .. } => DataType::Float64,
            Guess { boolean: true, .. } => DataType::Boolean,
            Guess { date: true, .. } => DataType::Date32,
            Guess { timestamp: true, .. } => time_type(),
            _ => DataType::Utf8View,
        }
    }

    /// The type of texts that are no numbers and no truths, as JSON says itself what is one.
    pub(super) fn date_or_text(self) -> DataType {
        Guess { long: false, double: false, boolean: false, ..self }.data_type()
    }
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
        assert_eq!(guess(&["+5"]), DataType::Utf8View);
        assert_eq!(guess(&["-0"]), DataType::Float64);
        assert_eq!(guess(&["1", "9223372036854775807"]), DataType::Int64);
        for lossy in ["18446744073709551615", "1.2345678901234567890", "9007199254740993.5", "32E0134", "1E5"] {
            assert_eq!(guess(&["1.5", lossy]), DataType::Utf8View, "{lossy}");
        }
        assert_eq!(guess(&["1.5", "9007199254740993"]), DataType::Utf8View);
        assert_eq!(guess(&["1.5", "9007199254740992", "0.30000000000000004", "1e-05", "NaN", "inf"]), DataType::Float64);
        assert_eq!(guess(&["NaN", "inf"]), DataType::Utf8View);
        assert_eq!(guess(&["2020-02-29T00:00:02+02:00"]), DataType::Utf8View);
        assert_eq!(guess(&["2020-02-29 00:00:02.000", "2020-02-29T00:00:02Z"]), time_type());
        assert_eq!(guess(&["2020-02-29 00:00:02.000001"]), DataType::Utf8View);
        assert_eq!(guess(&[]), DataType::Utf8View);
    }
}
