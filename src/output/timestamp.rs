//! Times as text: `2020-02-29 00:00:02.000`, UTC, as Athena's SerDes read them; with six digits of the second where the column has
//! microseconds, with nine where it has nanoseconds.

use crate::accesslog::instant::civil_from_days;
use crate::error::{Error, ErrorKind, Result};
use arrow::datatypes::TimeUnit;
use std::io::Write;

/// Writes times; neighbours in a column mostly share their second, so the last one's text is kept.
#[derive(Debug)]
pub(super) struct TimestampText {
    second: i64,
    text: [u8; 23],
    /// A second that was to be written and is in no year of four digits.
    beyond: Option<i64>,
}

impl Default for TimestampText {
    fn default() -> Self {
        let mut new = TimestampText { second: 1, text: *b"1970-01-01 00:00:00.000", beyond: None };
        new.set(0);
        new
    }
}

impl TimestampText {
    /// Appends the time of `millis` since 1970-01-01 UTC.
    pub(super) fn write(&mut self, millis: i64, out: &mut Vec<u8>) {
        let second = millis.div_euclid(1000);
        if second != self.second {
            self.set(second);
        }
        let fraction = millis.rem_euclid(1000) as u16;
        self.text[20] = b'0' + (fraction / 100) as u8;
        self.text[21] = b'0' + (fraction / 10 % 10) as u8;
        self.text[22] = b'0' + (fraction % 10) as u8;
        out.extend_from_slice(&self.text);
    }

    /// Appends the time of `value` units since 1970-01-01 UTC.
    pub(super) fn write_in(&mut self, unit: TimeUnit, value: i64, out: &mut Vec<u8>) {
        let (a_second, digits) = match unit {
            TimeUnit::Second => (1, 3),
            TimeUnit::Millisecond => return self.write(value, out),
            TimeUnit::Microsecond => (1_000_000, 6),
            TimeUnit::Nanosecond => (1_000_000_000, 9),
        };
        let second = value.div_euclid(a_second);
        if second != self.second {
            self.set(second);
        }
        out.extend_from_slice(&self.text[..20]);
        let fraction = value.rem_euclid(a_second);
        // Writing to memory can't fail.
        let _ = write!(out, "{fraction:0digits$}");
    }

    /// Says so where a time that was written since it was asked last has no text.
    ///
    /// # Errors
    /// [`ErrorKind::Output`] for a year that has not four digits.
    pub(super) fn check(&mut self) -> Result<()> {
        let Some(second) = self.beyond.take() else { return Ok(()) };
        // So that it is found again where it comes again.
        self.set(0);
        let (year, month, day) = civil_from_days(second.div_euclid(86_400));
        let message = format!("a time in the year {year} ({month:02}-{day:02}) can't be written as text, where years have four digits");
        Err(Error::new(ErrorKind::Output, message).with_context("what to do", "write Parquet, or remove such rows with SQL"))
    }

    #[cold]
    fn set(&mut self, second: i64) {
        let (year, month, day) = civil_from_days(second.div_euclid(86_400));
        let of_day = second.rem_euclid(86_400);
        if !(0..=9999).contains(&year) {
            self.beyond = Some(second);
        }
        let year = year.clamp(0, 9999) as u16;
        two(&mut self.text[0..2], (year / 100) as u8);
        two(&mut self.text[2..4], (year % 100) as u8);
        two(&mut self.text[5..7], month);
        two(&mut self.text[8..10], day);
        two(&mut self.text[11..13], (of_day / 3600) as u8);
        two(&mut self.text[14..16], (of_day / 60 % 60) as u8);
        two(&mut self.text[17..19], (of_day % 60) as u8);
        self.second = second;
    }
}

/// A time as a text that names a folder: `2020-02-29 00:00:02`, with as many digits of the second as are not zero.
///
/// # Errors
/// [`ErrorKind::Output`] for a year that has not four digits.
pub fn time_text(unit: TimeUnit, value: i64) -> Result<String> {
    let (mut text, mut bytes) = (TimestampText::default(), Vec::with_capacity(29));
    text.write_in(unit, value, &mut bytes);
    text.check()?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.trim_end_matches('0').trim_end_matches('.').to_string())
}

fn two(place: &mut [u8], number: u8) {
    place[0] = b'0' + number / 10;
    place[1] = b'0' + number % 10;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc_with_milliseconds() {
        let mut text = TimestampText::default();
        let mut shown = |millis| {
            let mut out = Vec::new();
            text.write(millis, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(shown(0), "1970-01-01 00:00:00.000");
        assert_eq!(shown(1_582_934_402_007), "2020-02-29 00:00:02.007");
        assert_eq!(shown(-1), "1969-12-31 23:59:59.999");
        assert!(text.check().is_ok());
    }

    #[test]
    fn times_have_the_digits_of_their_unit() {
        let mut text = TimestampText::default();
        for (unit, value, expected) in [
            (TimeUnit::Second, -1, "1969-12-31 23:59:59.000"),
            (TimeUnit::Millisecond, -1, "1969-12-31 23:59:59.999"),
            (TimeUnit::Microsecond, -1, "1969-12-31 23:59:59.999999"),
            (TimeUnit::Microsecond, 1_582_934_402_000_007, "2020-02-29 00:00:02.000007"),
            (TimeUnit::Nanosecond, -1, "1969-12-31 23:59:59.999999999"),
            (TimeUnit::Nanosecond, 0, "1970-01-01 00:00:00.000000000"),
            (TimeUnit::Second, 253_402_300_799, "9999-12-31 23:59:59.000"),
        ] {
            let mut out = Vec::new();
            text.write_in(unit, value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
        assert!(text.check().is_ok());
    }

    #[test]
    fn folders_have_the_digits_that_there_are() {
        for (unit, value, expected) in [
            (TimeUnit::Second, 0, "1970-01-01 00:00:00"),
            (TimeUnit::Millisecond, 1_582_934_400_000, "2020-02-29 00:00:00"),
            (TimeUnit::Millisecond, 1_582_934_402_500, "2020-02-29 00:00:02.5"),
            (TimeUnit::Microsecond, -1, "1969-12-31 23:59:59.999999"),
            (TimeUnit::Nanosecond, 10, "1970-01-01 00:00:00.00000001"),
        ] {
            assert_eq!(time_text(unit, value).unwrap(), expected);
        }
        assert_eq!(time_text(TimeUnit::Second, 253_402_300_800).unwrap_err().kind(), ErrorKind::Output);
    }

    #[test]
    fn a_year_of_five_digits_has_no_text() {
        let mut text = TimestampText::default();
        for second in [253_402_300_800, -62_167_219_201, 253_402_300_800] {
            text.write_in(TimeUnit::Second, second, &mut Vec::new());
            text.write_in(TimeUnit::Second, 0, &mut Vec::new());
            assert_eq!(text.check().unwrap_err().kind(), ErrorKind::Output);
            assert!(text.check().is_ok());
        }
    }
}
