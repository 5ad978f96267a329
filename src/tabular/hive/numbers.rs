//! Numbers as Java reads them, in the one way in which they are read here.

use arrow::datatypes::DataType;
use std::borrow::Cow;

/// The text of a number of a column of `data_type` that Java takes for one and that is written otherwise here: with a plus, zeros in front, a letter
/// for its type behind, or, for whole numbers where `cut` says so, digits behind a point, which Hive leaves out. What is no number stays as it is.
pub(super) fn number<'a>(text: &'a [u8], data_type: &DataType, cut: bool) -> Cow<'a, [u8]> {
    let plain = match data_type {
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => whole(text, cut),
        DataType::Float32 | DataType::Float64 => fraction(text),
        DataType::Decimal128(..) => decimal(text),
        _ => None,
    };
    plain.map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Whether columns of `data_type` have numbers.
pub(super) fn is_number(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::Float32
            | DataType::Float64
            | DataType::Decimal128(..)
    )
}

/// The sign of a number, and what is behind it.
fn signed(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

/// Digits without zeros in front, but for the last one.
fn significant(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    &digits[zeros.min(digits.len().saturating_sub(1))..]
}

fn with_sign(is_negative: bool, digits: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(digits.len() + 1);
    if is_negative {
        text.push(b'-');
    }
    text.extend_from_slice(digits);
    text
}

fn are_digits(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_digit)
}

fn whole(text: &[u8], cut: bool) -> Option<Vec<u8>> {
    let (is_negative, rest) = signed(text);
    let digits = match memchr::memchr(b'.', rest).filter(|_| cut) {
        Some(point) if are_digits(&rest[point + 1..]) => &rest[..point],
        _ => rest,
    };
    if digits.is_empty() || !are_digits(digits) {
        return None;
    }
    let digits = significant(digits);
    // There is one zero.
    Some(with_sign(is_negative && digits != b"0", digits))
}

fn fraction(text: &[u8]) -> Option<Vec<u8>> {
    let (is_negative, rest) = signed(text);
    let rest = match rest {
        [number @ .., b'd' | b'D' | b'f' | b'F'] if number.iter().any(u8::is_ascii_digit) => number,
        _ => rest,
    };
    let whole = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !rest.iter().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(byte)) || !rest.iter().any(u8::is_ascii_digit) {
        return None;
    }
    Some(with_sign(is_negative, &[significant(&rest[..whole]), &rest[whole..]].concat()))
}

/// The digits behind the point that a decimal can have.
const MOST: usize = 80;

fn decimal(text: &[u8]) -> Option<Vec<u8>> {
    let (is_negative, rest) = signed(text);
    let (mantissa, exponent) = match rest.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (&rest[..at], std::str::from_utf8(&rest[at + 1..]).ok()?.parse::<i32>().ok()?),
        None => (rest, 0),
    };
    let (before, behind) = match memchr::memchr(b'.', mantissa) {
        Some(point) => (&mantissa[..point], &mantissa[point + 1..]),
        None => (mantissa, &[][..]),
    };
    if before.len() + behind.len() == 0 || !are_digits(before) || !are_digits(behind) || exponent.unsigned_abs() as usize > MOST {
        return None;
    }
    let digits = [before, behind].concat();
    // Where the point stands among the digits.
    let point = before.len() as i32 + exponent;
    let (before, behind) = match point {
        point if point <= 0 => (b"0".to_vec(), [vec![b'0'; point.unsigned_abs() as usize], digits].concat()),
        point if point as usize >= digits.len() => {
            let zeros = vec![b'0'; point as usize - digits.len()];
            ([digits, zeros].concat(), Vec::new())
        }
        point => (digits[..point as usize].to_vec(), digits[point as usize..].to_vec()),
    };
    let mut number = with_sign(is_negative, significant(&before));
    if !behind.is_empty() {
        number.push(b'.');
        number.extend_from_slice(&behind);
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_one_way() {
        let of =
            |text: &str, data_type: &DataType, cut: bool| String::from_utf8(number(text.as_bytes(), data_type, cut).into_owned()).unwrap();
        for (text, plain) in
            [("007", "7"), ("+5", "5"), ("-0", "0"), ("-012", "-12"), ("5.", "5"), ("5.9", "5"), (" 5", " 5"), ("", ""), ("+", "+")]
        {
            assert_eq!(of(text, &DataType::Int64, true), plain, "{text}");
        }
        for (text, plain) in [(".5", ".5"), ("5.x", "5.x"), ("1e3", "1e3"), ("٣", "٣")] {
            assert_eq!(of(text, &DataType::Int32, true), plain, "{text}");
        }
        assert_eq!(of("5.9", &DataType::Int32, false), "5.9");
        for (text, plain) in
            [("1d", "1"), ("+007.50", "7.50"), ("-.5", "-.5"), ("1e3F", "1e3"), ("d", "d"), ("0x10", "0x10"), ("NaN", "NaN")]
        {
            assert_eq!(of(text, &DataType::Float64, true), plain, "{text}");
        }
        for (text, plain) in [
            ("1e1", "10"),
            ("+1.50", "1.50"),
            ("12.5e-2", "0.125"),
            ("-.5", "-0.5"),
            ("1.", "1"),
            ("1e999", "1e999"),
            (".", "."),
            ("1,5", "1,5"),
        ] {
            assert_eq!(of(text, &DataType::Decimal128(10, 2), true), plain, "{text}");
        }
        assert_eq!(of("007", &DataType::Utf8View, true), "007");
    }
}
