//! Which text is a value of which type: one table for CSV, TSV and JSON.
//!
//! A text is a value of a type only where the type holds exactly what it says; everything else is a misfit, never another value. JSON's
//! numbers count as the text that they are written as.
//!
//! | type | its texts |
//! |---|---|
//! | integers | digits, `-` before them, zeros behind a point (`5.0`); within the type's range; no `007`, `+5`, `-0`, `1e3` |
//! | decimal | as integers, with digits behind a point, of which all behind the scale are zeros |
//! | double, float | numbers, also with an exponent; the nearest double; `NaN`, `inf`, `Infinity`; no `007`, `+5`, none out of range |
//! | boolean | `true` and `false`, in any case |
//! | date | `2020-02-29` |
//! | binary | two hexadecimal digits a byte; base64 in TSV |
//! | timestamp | a date, alone or with `10:30`, `10:30:59` or `10:30:59.123` behind a blank or `T`; then `Z` or `+02:00`, or neither |
//!
//! A time that is finer than a timestamp holds is none.
//!
//! A double that was guessed from the first lines takes only numbers whose digits it gives back.

use crate::accesslog::instant::days_from_civil;
use arrow::datatypes::DataType;
use base64::prelude::{BASE64_STANDARD, Engine};

/// A whole number, as a number is usually written.
pub(super) fn whole(text: &[u8]) -> Option<i64> {
    let (negative, digits) = signed(text);
    if digits.is_empty() || digits.len() > 19 || (digits[0] == b'0' && (digits.len() > 1 || negative)) {
        return None;
    }
    let mut value: u64 = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        // 19 digits are fewer than 2^64.
        value = value * 10 + u64::from(digit);
    }
    match negative {
        true => 0i64.checked_sub_unsigned(value),
        false => i64::try_from(value).ok(),
    }
}

/// An integer: a whole number, perhaps with zeros behind a point.
#[inline]
pub(super) fn integer(text: &[u8]) -> Option<i64> {
    whole(text).or_else(|| {
        let point = memchr::memchr(b'.', text)?;
        let zeros = &text[point + 1..];
        if zeros.is_empty() || zeros.iter().any(|byte| *byte != b'0') { None } else { whole(&text[..point]) }
    })
}

/// A number of `digits` digits at most, `scale` of them behind the point.
pub(super) fn decimal(text: &[u8], digits: u8, scale: i8) -> Option<i128> {
    let (negative, number) = signed(text);
    let (before, behind) = match memchr::memchr(b'.', number) {
        Some(point) => (&number[..point], &number[point + 1..]),
        None => (number, &[][..]),
    };
    let scale = usize::try_from(scale).ok()?;
    let (behind, rest) = behind.split_at(behind.len().min(scale));
    if before.len() + behind.len() == 0 || has_leading_zero(before) || rest.iter().any(|byte| *byte != b'0') {
        return None;
    }
    let before_most = usize::from(digits).checked_sub(scale)?;
    if before.len() > before_most && before != b"0" {
        return None;
    }
    let mut value: i128 = 0;
    for byte in before.iter().chain(behind) {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i128::from(byte - b'0');
    }
    value *= 10i128.pow(u32::try_from(scale - behind.len()).ok()?);
    match negative {
        true if value == 0 => None,
        true => Some(-value),
        false => Some(value),
    }
}

/// A number as the double that is nearest.
pub(super) fn double(text: &[u8]) -> Option<f64> {
    match simple_double(text) {
        Some(value) => Some(value),
        None => float(text, |text| text.parse::<f64>().ok(), |value| value.is_finite(), |value| *value == 0.0),
    }
}

/// A number as the float that is nearest.
pub(super) fn single(text: &[u8]) -> Option<f32> {
    float(text, |text| text.parse::<f32>().ok(), |value| value.is_finite(), |value| *value == 0.0)
}

/// What most doubles are: 15 digits at most, without an exponent, of which the value is told by one exact division.
fn simple_double(text: &[u8]) -> Option<f64> {
    const POWERS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let (negative, number) = signed(text);
    if number.is_empty() || number.len() > 16 || has_leading_zero(number) {
        return None;
    }
    let (mut value, mut digits, mut behind, mut point) = (0u64, 0, 0, false);
    for byte in number {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            value = value * 10 + u64::from(digit);
            digits += 1;
            behind += usize::from(point);
        } else if *byte == b'.' && !point {
            point = true;
        } else {
            return None;
        }
    }
    if !(1..=15).contains(&digits) {
        return None;
    }
    let value = value as f64 / POWERS[behind];
    Some(if negative { -value } else { value })
}

fn float<T>(text: &[u8], parse: impl Fn(&str) -> Option<T>, finite: impl Fn(&T) -> bool, zero: impl Fn(&T) -> bool) -> Option<T> {
    if is_special(text) {
        return parse(std::str::from_utf8(text).ok()?);
    }
    let (_, number) = signed(text);
    if !number.first().is_some_and(|byte| byte.is_ascii_digit() || *byte == b'.') || has_leading_zero(number) {
        return None;
    }
    let value = parse(std::str::from_utf8(text).ok()?).filter(finite)?;
    // What is too small to be held is not zero.
    let digits = number.iter().take_while(|byte| !byte.eq_ignore_ascii_case(&b'e'));
    if zero(&value) && digits.into_iter().any(|byte| (b'1'..=b'9').contains(byte)) { None } else { Some(value) }
}

/// The names of what is no number, as they are written to CSV and TSV.
pub(super) fn is_special(text: &[u8]) -> bool {
    matches!(text, b"NaN" | b"inf" | b"-inf" | b"Infinity" | b"-Infinity")
}

/// A number of which a double gives back all digits, written as no id is: `32E0134` is one perhaps, `1.5e-7` is none.
pub(super) fn exact_double(text: &[u8]) -> Option<f64> {
    if let Some(value) = simple_double(text) {
        return Some(value);
    }
    let value = double(text)?;
    if is_special(text) {
        return Some(value);
    }
    if let Some(at) = memchr::memchr2(b'e', b'E', text)
        && !text[..at].contains(&b'.')
        && !matches!(text.get(at + 1), Some(b'-' | b'+'))
    {
        return None;
    }
    let significant = |text: &[u8]| -> Vec<u8> {
        let digits = text.iter().take_while(|byte| !byte.eq_ignore_ascii_case(&b'e')).filter(|byte| byte.is_ascii_digit());
        let digits: Vec<u8> = digits.copied().skip_while(|digit| *digit == b'0').collect();
        digits[..digits.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1)].to_vec()
    };
    (significant(format!("{value:e}").as_bytes()) == significant(text)).then_some(value)
}

pub(super) fn boolean(text: &[u8]) -> Option<bool> {
    match text.len() {
        4 if text.eq_ignore_ascii_case(b"true") => Some(true),
        5 if text.eq_ignore_ascii_case(b"false") => Some(false),
        _ => None,
    }
}

/// Appends the bytes that `text` has the hexadecimal digits of; false where it has none, or half a byte.
pub(super) fn binary(text: &[u8], out: &mut Vec<u8>) -> bool {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let (pairs, half) = text.as_chunks::<2>();
    half.is_empty()
        && pairs.iter().all(|[high, low]| match (digit(*high), digit(*low)) {
            (Some(high), Some(low)) => {
                out.push(high << 4 | low);
                true
            }
            _ => false,
        })
}

/// Appends the bytes that `text` is the base64 of; false where it is none.
pub(super) fn binary_of_base64(text: &[u8], out: &mut Vec<u8>) -> bool {
    BASE64_STANDARD.decode_vec(text, out).is_ok()
}

/// A day of the years 0 to 9999, in days since 1970.
pub(super) fn date(text: &[u8]) -> Option<i32> {
    if text.len() != 10 || text[4] != b'-' || text[7] != b'-' {
        return None;
    }
    let year = number(&text[..4])?;
    let (month, day) = (number(&text[5..7])?, number(&text[8..])?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => 0,
    };
    if !(1..=days).contains(&day) {
        return None;
    }
    i32::try_from(days_from_civil(year as i32, month as u8, day as u8)).ok()
}

/// A time in UTC, in milliseconds since 1970: a date alone is its first moment.
pub(super) fn timestamp(text: &[u8]) -> Option<i64> {
    let (day, rest) = text.split_at_checked(10)?;
    let day = i64::from(date(day)?) * 86_400_000;
    if rest.is_empty() {
        return Some(day);
    }
    let (time, zone) = zone(rest.strip_prefix(b" ").or_else(|| rest.strip_prefix(b"T"))?)?;
    Some(day + time_of_day(time)? - zone)
}

/// As [`timestamp`], without the digits that are finer than milliseconds.
pub(super) fn coarse_timestamp(text: &[u8]) -> Option<i64> {
    let (time, digits) = text.split_at_checked(20).filter(|(time, _)| time.ends_with(b"."))?;
    let finer = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    timestamp(&[time, &digits[..finer.min(3)], &digits[finer..]].concat())
}

/// As [`timestamp`], of a time as it is written where a zone and what is left out say nothing more.
pub(super) fn plain_timestamp(text: &[u8]) -> Option<i64> {
    let plain = text.strip_suffix(b"Z").unwrap_or(text);
    (19..=23)
        .contains(&plain.len())
        .then(|| timestamp(plain))
        .flatten()
        .filter(|_| !plain[19..].contains(&b'+') && !plain[19..].contains(&b'-'))
}

/// `text` without the zone at its end, and that zone in milliseconds east of UTC.
fn zone(text: &[u8]) -> Option<(&[u8], i64)> {
    if let Some(time) = text.strip_suffix(b"Z") {
        return Some((time, 0));
    }
    let Some(sign) = memchr::memchr2(b'+', b'-', text) else { return Some((text, 0)) };
    let (hours, minutes) = match &text[sign + 1..] {
        [h, hh, b':', m, mm] | [h, hh, m, mm] => (number(&[*h, *hh])?, number(&[*m, *mm])?),
        [h, hh] => (number(&[*h, *hh])?, 0),
        _ => return None,
    };
    if hours > 18 || minutes > 59 {
        return None;
    }
    let east = i64::from(hours * 60 + minutes) * 60_000;
    Some((&text[..sign], if text[sign] == b'-' { -east } else { east }))
}

/// The milliseconds of `10:30`, `10:30:59`, `10:30:59.123`.
fn time_of_day(text: &[u8]) -> Option<i64> {
    let part = |at: usize, most: u32| number(text.get(at..at + 2)?).filter(|number| *number <= most);
    let colon = |at: usize| text.get(at) == Some(&b':');
    let minutes = part(0, 23)? * 60 + part(3, 59)?;
    if !colon(2) {
        return None;
    }
    if text.len() == 5 {
        return Some(i64::from(minutes) * 60_000);
    }
    let seconds = minutes * 60 + part(6, 59)?;
    let fraction = match text.get(8) {
        _ if !colon(5) => return None,
        None => 0,
        Some(b'.') => {
            let (held, finer) = text[9..].split_at(text[9..].len().min(3));
            if finer.iter().any(|digit| *digit != b'0') {
                return None;
            }
            number(held)? * 10u32.pow(3 - held.len() as u32)
        }
        Some(_) => return None,
    };
    Some(i64::from(seconds) * 1000 + i64::from(fraction))
}

/// Whether the text is negative, and what stands behind the sign.
#[inline]
fn signed(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    }
}

fn has_leading_zero(number: &[u8]) -> bool {
    matches!(number, [b'0', next, ..] if next.is_ascii_digit())
}

/// The number of a few digits.
fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u32, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))
}

/// What people call a type.
pub(super) fn type_name(data_type: &DataType) -> String {
    let name = match data_type {
        DataType::Boolean => "boolean",
        DataType::Int8 => "tinyint",
        DataType::Int16 => "smallint",
        DataType::Int32 => "int",
        DataType::Int64 => "bigint",
        DataType::Float32 => "float",
        DataType::Float64 => "double",
        DataType::Date32 => "date",
        DataType::Timestamp(..) => "timestamp",
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "string",
        DataType::Decimal128(digits, scale) => return format!("decimal({digits},{scale})"),
        DataType::List(_) | DataType::LargeList(_) => "array",
        DataType::Struct(_) => "struct",
        DataType::Binary => "binary",
        DataType::Map(..) => "map",
        other => return other.to_string(),
    };
    name.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_written_as_such() {
        for (text, value) in [
            ("0", Some(0)),
            ("-20", Some(-20)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("5.0", Some(5)),
            ("5.000", Some(5)),
        ] {
            assert_eq!(integer(text.as_bytes()), value, "{text}");
        }
        for text in [
            "",
            "-",
            "007",
            "+5",
            "1.7",
            "-0",
            "0x10",
            " 1",
            "1 ",
            "1_000",
            "1,5",
            "1e3",
            "5.",
            "9223372036854775808",
            "18446744073709551615",
            "99999999999999999999",
            "NaN",
            "٣",
            "true",
        ] {
            assert_eq!(integer(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_decimal_is_not_rounded() {
        for (text, value) in
            [("1.99", 199), ("-1.9", -190), ("2", 200), ("1.9900", 199), (".5", 50), ("5.", 500), ("0.01", 1), ("12345678.90", 1234567890)]
        {
            assert_eq!(decimal(text.as_bytes(), 10, 2), Some(value), "{text}");
        }
        for text in ["1.999", "123456789", "007", "+5", "1e2", "", ".", "-", "1,5", "-0", " 1", "1.x", "0x1"] {
            assert_eq!(decimal(text.as_bytes(), 10, 2), None, "{text}");
        }
        assert_eq!(decimal(b"0.5", 1, 1), Some(5));
        assert_eq!(decimal(&[b'9'; 38], 38, 0), Some(10i128.pow(38) - 1));
        assert_eq!(decimal(&[b'9'; 400], 38, 0), None);
    }

    #[test]
    fn doubles_are_the_nearest_and_never_none() {
        for text in [
            "0",
            "1.5",
            "-0",
            "-2.50",
            ".5",
            "5.",
            "1e3",
            "1E-7",
            "32E0134",
            "123456789.123456",
            "0.1",
            "9007199254740993",
            "1e308",
            "0.30000000000000004",
            "0e5",
            "4.35",
            "999999999999999",
        ] {
            let expected: f64 = text.parse().unwrap();
            assert_eq!(double(text.as_bytes()).map(f64::to_bits), Some(expected.to_bits()), "{text}");
        }
        for text in [
            "1e400", "-1e400", "1e-400", "007", "+5", "0x10", " 1", "1 ", "1_0", "1,5", "nan", "infinity", "+inf", "", "-", ".", "e5",
            "yes",
        ] {
            assert_eq!(double(text.as_bytes()), None, "{text}");
        }
        assert!(double(b"NaN").is_some_and(f64::is_nan) && double(b"-Infinity") == Some(f64::NEG_INFINITY));
        assert_eq!((single(b"0.1"), single(b"1e40"), single(b"1e-60")), (Some(0.1), None, None));
    }

    #[test]
    fn exact_doubles_give_back_their_digits() {
        for text in [
            "1.5",
            "1.50",
            "-0",
            "0.30000000000000004",
            "1.5e-7",
            "1e-05",
            "1e+20",
            "123456789012345678",
            "1.0E10",
            "12345678901234567e-3",
            "100000000000000000000",
        ] {
            let exact = text.parse::<f64>().unwrap().to_string().parse::<f64>().unwrap();
            let held = exact_double(text.as_bytes());
            assert!(held.is_none() || held == Some(exact), "{text}");
        }
        for text in ["0.30000000000000004", "1.5e-7", "1e-05", "1e+20", "1.0E10", "100000000000000000000", "0.000000000000000000001"] {
            assert!(exact_double(text.as_bytes()).is_some(), "{text}");
        }
        for text in
            ["9007199254740993", "32E0134", "1e5", "1234567890.123456789", "0.12345678901234567890", "12345678901234567890", "1e400"]
        {
            assert!(exact_double(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn times_are_no_coarser_than_they_are_written() {
        assert_eq!((date(b"1970-01-02"), date(b"2020-02-29"), date(b"0001-01-01")), (Some(1), Some(18_321), Some(-719_162)));
        for text in [
            "2019-02-29",
            "0000-00-00",
            "2020-02-29 00:00:00",
            "2020-02-29T00:00:02+02:00",
            "18321",
            "1582934400",
            "20200229",
            "2020-2-9",
            "29.02.2020",
            "2020-02-2x",
        ] {
            assert_eq!(date(text.as_bytes()), None, "{text}");
        }
        let day = 18_321 * 86_400_000;
        for (text, millis) in [
            ("2020-02-29", 0),
            ("2020-02-29 10:30", 37_800_000),
            ("2020-02-29T00:00:02Z", 2000),
            ("2020-02-29 00:00:02.5", 2500),
            ("2020-02-29 00:00:02.123000", 2123),
            ("2020-02-29T00:00:02+02:00", 2000 - 7_200_000),
            ("2020-02-29T00:00:02.001-0130", 2001 + 5_400_000),
            ("2020-02-29 00:00:02+00", 2000),
        ] {
            assert_eq!(timestamp(text.as_bytes()), Some(day + millis), "{text}");
        }
        for text in [
            "2020-02-29 00:00:02.000001",
            "2020-02-29 24:00:00",
            "2020-02-29 00:00:60",
            "2020-02-29 00:60:00",
            "1582934400000",
            "2020-02-29  00:00:02",
            "2020-02-29 1:00:00",
            "2020-02-29 00:00:02.",
            "2020-02-29 00:00:02 Europe/Berlin",
            "2020-02-29 00:00:02+2",
            "2020-02-29 00:00:02+99:00",
            "2020-02-29T",
            "2020-02-30 00:00:00",
            "2020-02-29 00-00:00",
            "2020-02-29 00:00:02Zx",
        ] {
            assert_eq!(timestamp(text.as_bytes()), None, "{text}");
        }
        assert_eq!(coarse_timestamp(b"2020-02-29 00:00:02.123456789Z"), Some(day + 2123));
        assert_eq!((coarse_timestamp(b"2020-02-29 00:00:02"), coarse_timestamp(b"2020-02-29 00:00:02.x")), (None, None));
        for (text, plain) in [
            ("2020-02-29 00:00:02", true),
            ("2020-02-29T00:00:02.123Z", true),
            ("2020-02-29", false),
            ("2020-02-29 10:30", false),
            ("2020-02-29 00:00:02+02", false),
            ("2020-02-29 00:00:02.1234", false),
        ] {
            assert_eq!(plain_timestamp(text.as_bytes()).is_some(), plain, "{text}");
        }
    }

    #[test]
    fn truth_has_two_words() {
        assert_eq!((boolean(b"TRUE"), boolean(b"False")), (Some(true), Some(false)));
        for text in ["yes", "1", "t", "0", "", "on", "Y", "truefalse"] {
            assert_eq!(boolean(text.as_bytes()), None, "{text}");
        }
    }
}
