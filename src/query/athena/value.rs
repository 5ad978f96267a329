//! Values as Athena writes them, strictly: what is anything else is none.

use arrow::datatypes::TimeUnit;
use chrono::NaiveDate;

pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// A decimal of `digits` in all and `scale` behind the point, in units of its last place.
pub(super) fn decimal(text: &str, digits: u8, scale: i8) -> Option<i128> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let scale = usize::try_from(scale).ok()?;
    let all_digits = whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit());
    if whole.is_empty() || !all_digits || fraction.len() > scale {
        return None;
    }
    let units: i128 = format!("{whole}{fraction:0<scale$}").parse().ok()?;
    let fits = units < 10_i128.checked_pow(digits.into())?;
    fits.then_some(if negative { -units } else { units })
}

/// Days since 1970 of `2020-02-29`; years may have a sign, and more digits.
pub(super) fn date(text: &str) -> Option<i32> {
    let (sign, unsigned) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let mut parts = unsigned.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let number = |text: &str, least: usize, most: usize| {
        let fits = (least..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| text.parse::<u32>().ok())?
    };
    let year = sign * i32::try_from(number(year, 4, 9)?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(month, 2, 2)?, number(day, 2, 2)?)?;
    i32::try_from(date.signed_duration_since(NaiveDate::default()).num_days()).ok()
}

/// The time of `2020-02-29 12:34:56.789` in `unit` since 1970; it must not have more digits than the unit.
pub(super) fn timestamp(text: &str, unit: TimeUnit) -> Option<i64> {
    let (day, time) = text.split_once(' ')?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let digits = digits_of(unit);
    let is_time = time.len() == 8 && time.bytes().enumerate().all(|(at, b)| if at % 3 == 2 { b == b':' } else { b.is_ascii_digit() });
    if !is_time || fraction.len() > digits || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let two = |at: usize| time[at..at + 2].parse::<i64>().ok();
    let (hour, minute, second) = (two(0)?, two(3)?, two(6)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = i64::from(date(day)?) * 86_400 + hour * 3_600 + minute * 60 + second;
    let fraction: i64 = format!("{fraction:0<digits$}0").parse::<i64>().ok()? / 10;
    seconds.checked_mul(10_i64.pow(digits as u32))?.checked_add(fraction)
}

/// The unit in which times with as many digits as `text` has are counted; nothing where none is fine enough.
pub(super) fn unit_of(text: &str) -> Option<TimeUnit> {
    match text.split_once('.').map_or(0, |(_, fraction)| fraction.len()) {
        0..=3 => Some(TimeUnit::Millisecond),
        4..=6 => Some(TimeUnit::Microsecond),
        7..=9 => Some(TimeUnit::Nanosecond),
        _ => None,
    }
}

fn digits_of(unit: TimeUnit) -> usize {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}

/// The bytes of `e4 bd a0`.
pub(super) fn bytes(text: &str) -> Option<Vec<u8>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let byte = |pair: &str| {
        let is_hex = pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit());
        is_hex.then(|| u8::from_str_radix(pair, 16).ok())?
    };
    text.split(' ').map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_all_digits() {
        assert_eq!(decimal("1.50", 10, 2), Some(150));
        assert_eq!(decimal("-0.05", 10, 2), Some(-5));
        assert_eq!(decimal("7", 10, 2), Some(700));
        assert_eq!(decimal(&format!("-{}", "9".repeat(38)), 38, 0), Some(-(10_i128.pow(38) - 1)));
        for bad in ["", "-", ".5", "1.505", "1e2", "1,5", "+1", "100000000.00", " 1"] {
            assert_eq!(decimal(bad, 10, 2), None, "{bad}");
        }
    }

    #[test]
    fn days_and_times_before_1970_and_far_away() {
        assert_eq!(date("1970-01-01"), Some(0));
        assert_eq!(date("1969-12-31"), Some(-1));
        assert_eq!(date("2020-02-29"), Some(18_321));
        assert!(date("-0001-01-01").is_some() && date("+12345-01-01").is_some());
        for bad in ["", "2020-02-30", "2020-2-29", "20-02-29", "2020-02-29 ", "2020-02-29-01", "--2020-01-01", "99999999-01-01"] {
            assert_eq!(date(bad), None, "{bad}");
        }
        assert_eq!(timestamp("1969-12-31 23:59:59.999", TimeUnit::Millisecond), Some(-1));
        assert_eq!(timestamp("1970-01-01 00:00:01", TimeUnit::Millisecond), Some(1_000));
        assert_eq!(timestamp("1970-01-01 00:00:00.5", TimeUnit::Nanosecond), Some(500_000_000));
        assert_eq!(timestamp("1969-12-31 23:59:59.999999", TimeUnit::Microsecond), Some(-1));
        for bad in [
            "",
            "2020-02-29",
            "2020-02-29T00:00:00",
            "2020-02-29 24:00:00",
            "2020-02-29 00:00",
            "2020-02-29 00:00:00.1234",
            "2020-02-29 00:00:00 UTC",
            "2020-02-29 0a:00:00",
            "2020-02-29 00:00:é0",
        ] {
            assert_eq!(timestamp(bad, TimeUnit::Millisecond), None, "{bad}");
        }
        // Nanoseconds end in 2262.
        assert_eq!(timestamp("2300-01-01 00:00:00", TimeUnit::Nanosecond), None);
        assert_eq!(unit_of("1970-01-01 00:00:00.123456"), Some(TimeUnit::Microsecond));
        assert_eq!(unit_of("1970-01-01 00:00:00.123456789012"), None);
    }

    #[test]
    fn bytes_are_pairs_of_digits() {
        assert_eq!(bytes("e4 bd a0"), Some(vec![0xe4, 0xbd, 0xa0]));
        assert_eq!(bytes(""), Some(vec![]));
        for bad in ["e", "e4bd", "e4  bd", " e4", "+4", "zz"] {
            assert_eq!(bytes(bad), None, "{bad}");
        }
    }
}
