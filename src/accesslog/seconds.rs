//! Numbers with a point, as servers write seconds.

use super::digits::digits;

/// Digits before the point, and behind it, that are read.
const MOST: usize = 15;

/// The seconds that `text` begins with, with at most three digits behind the point, in milliseconds, or what stands for nothing: no
/// digits where it may be `empty`, and else `-`; and the length.
#[inline]
pub(super) fn millis(text: &[u8], empty: bool) -> Option<(Option<i64>, usize)> {
    let Some((whole, fraction)) = parts(text) else { return nothing(text, empty) };
    let thousandths = match fraction.len() {
        0..=3 => value(fraction) * [1_000, 100, 10, 1][fraction.len()],
        _ => return None,
    };
    Some((Some(value(whole) * 1_000 + thousandths), length(whole, fraction)))
}

/// The number that `text` begins with, as the bits of a double, or what stands for nothing; and the length.
#[inline]
pub(super) fn double(text: &[u8], empty: bool) -> Option<(Option<i64>, usize)> {
    let sign = usize::from(text.first() == Some(&b'-'));
    if let Some((number, length)) = short_double(&text[sign..]) {
        return Some((Some((if sign == 1 { -number } else { number }).to_bits() as i64), sign + length));
    }
    let Some((whole, fraction)) = parts(&text[sign..]) else { return nothing(text, empty) };
    let length = sign + length(whole, fraction);
    let number: f64 = std::str::from_utf8(&text[sign..length]).ok()?.parse().ok()?;
    Some((Some((if sign == 1 { -number } else { number }).to_bits() as i64), length))
}

/// The number of at most [`MOST`] digits that `text` begins with, and its length: most are, and are read in one pass.
#[inline]
fn short_double(text: &[u8]) -> Option<(f64, usize)> {
    let (mut value, mut length, mut point) = (0i64, 0, None);
    loop {
        match text.get(length) {
            Some(digit @ b'0'..=b'9') => value = value * 10 + i64::from(digit - b'0'),
            Some(b'.') if point.is_none() && length > 0 => point = Some(length),
            _ => break,
        }
        length += 1;
        if length > MOST + 1 {
            return None;
        }
    }
    let whole = point.unwrap_or(length);
    let fraction = point.map_or(0, |point| length - point - 1);
    if whole == 0 || (whole > 1 && text[0] == b'0') || (point.is_some() && fraction == 0) || whole + fraction > MOST {
        return None;
    }
    // So few digits are exact, and the division rounds once.
    Some((value as f64 / POWERS[fraction] as f64, length))
}

/// The sum of the numbers in a list of what upstream servers took, as nginx writes it: `0.003, 0.010 : -`. Nothing where there is none, or
/// what is there is no such list.
pub(super) fn sum(text: &[u8]) -> Option<f64> {
    let (mut micros, mut any) = (0i64, false);
    for item in text.split(|byte| matches!(byte, b',' | b':')).map(<[u8]>::trim_ascii).filter(|item| !matches!(*item, b"-" | b"")) {
        let (whole, fraction) = parts(item).filter(|(whole, fraction)| length(whole, fraction) == item.len() && fraction.len() <= 6)?;
        micros = micros.checked_add(value(whole).checked_mul(1_000_000)?)?.checked_add(value(fraction) * POWERS[6 - fraction.len()])?;
        any = true;
    }
    any.then_some(micros as f64 / 1e6)
}

/// The digits before the point and those behind it.
#[inline]
fn parts(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let whole = &text[..digits(text, MOST + 1)];
    // Nobody writes zeros before a number: it may be part of another one.
    if whole.is_empty() || whole.len() > MOST || (whole.len() > 1 && whole[0] == b'0') {
        return None;
    }
    let fraction = match &text[whole.len()..] {
        [b'.', behind @ ..] => &behind[..digits(behind, MOST + 1)],
        _ => return Some((whole, b"")),
    };
    (!fraction.is_empty() && fraction.len() <= MOST).then_some((whole, fraction))
}

/// How long the text of the number of these parts is.
fn length(whole: &[u8], fraction: &[u8]) -> usize {
    whole.len() + if fraction.is_empty() { 0 } else { 1 + fraction.len() }
}

fn value(digits: &[u8]) -> i64 {
    digits.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'))
}

fn nothing(text: &[u8], empty: bool) -> Option<(Option<i64>, usize)> {
    match text {
        [b'0'..=b'9', ..] => None,
        [b'n', b'u', b'l', b'l', ..] if empty => Some((None, 4)),
        _ if empty => Some((None, 0)),
        [b'-', b'0'..=b'9', ..] => None,
        [b'-', ..] => Some((None, 1)),
        _ => None,
    }
}

const POWERS: [i64; MOST + 1] = {
    let mut powers = [1; MOST + 1];
    let mut at = 1;
    while at <= MOST {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_milliseconds() {
        for (text, expected) in [
            ("0.003 x", Some((Some(3), 5))),
            ("12.5", Some((Some(12_500), 4))),
            ("7", Some((Some(7_000), 1))),
            ("-", Some((None, 1))),
            ("0.0001", None),
            ("00.1", None),
            ("1.", None),
            ("", None),
            ("x", None),
            ("999999999999999.999", Some((Some(999_999_999_999_999_999), 19))),
            ("9999999999999999", None),
        ] {
            assert_eq!(millis(text.as_bytes(), false), expected, "{text}");
        }
        assert_eq!((millis(b"\"", true), millis(b"0.5", true)), (Some((None, 0)), Some((Some(500), 3))));
    }

    #[test]
    fn doubles_are_what_rust_reads() {
        for text in ["0.000073", "-1", "0", "123456789.123456", "0.1", "0.30000000000000", "999999999999999.999999999999999", "86400.001"] {
            let (bits, length) = double(text.as_bytes(), false).unwrap();
            assert_eq!((f64::from_bits(bits.unwrap() as u64), length), (text.parse().unwrap(), text.len()), "{text}");
        }
        assert_eq!((double(b"- ", false), double(b"-x", false), double(b"x", false)), (Some((None, 1)), Some((None, 1)), None));
    }

    #[test]
    fn times_of_upstreams_are_summed() {
        for (text, expected) in [
            ("0.003", Some(0.003)),
            ("0.100, 0.200", Some(0.3)),
            ("0.100, - : 0.200, 12", Some(12.3)),
            ("-", None),
            ("", None),
            ("-, -", None),
            ("a, 1", None),
            ("0.1.2", None),
        ] {
            assert_eq!(sum(text.as_bytes()), expected, "{text}");
        }
    }
}
