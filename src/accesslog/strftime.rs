//! Reads the text of `%t` and `%{…}t`: Apache's own words (`sec`, `msec_frac`, …) and strftime(3) patterns.

use super::digits::{digits, number};
use super::instant::{Parts, part};
use super::zone::{hours, offset, zone};
use std::ops::Range;

/// One piece of a time's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeItem {
    /// This byte.
    Literal(u8),
    /// Any white space, also none.
    Space,
    Year,
    /// Two digits: 69 to 99 are the 1900s, as POSIX has it.
    Year2,
    Month,
    MonthName,
    /// Day of the month, padded by a zero or a blank.
    Day,
    DayOfYear,
    Hour,
    Hour12,
    AmPm,
    Minute,
    Second,
    /// `+hhmm`, `+hh:mm` or `Z`.
    Offset,
    /// An abbreviation such as `EST`.
    ZoneName,
    /// Seconds since 1970.
    Epoch,
    /// Seconds since 1970 with more digits right behind them.
    EpochTenDigits,
    EpochMillis,
    EpochMicros,
    /// Three digits.
    MillisFraction,
    /// Six digits.
    MicrosFraction,
    /// A point and up to six digits, or nothing.
    PointFraction,
    /// As `PointFraction`, with more digits than an instant has, which are cut off.
    LongFraction,
    /// As `Offset`, or nothing, which is UTC.
    UtcOrOffset,
    /// Letters that say nothing more: the name of the weekday.
    Name,
    /// So many digits that say nothing more: the week, the century.
    Digits(usize),
}

impl TimeItem {
    /// Whether it has digits behind the milliseconds.
    pub(super) fn has_micros(self) -> bool {
        matches!(self, TimeItem::EpochMicros | TimeItem::MicrosFraction | TimeItem::PointFraction | TimeItem::LongFraction)
    }

    /// Which part of an instant this gives, as a bit of [`part`].
    pub(super) fn part(self) -> u32 {
        match self {
            TimeItem::Year | TimeItem::Year2 => part::YEAR,
            TimeItem::Month | TimeItem::MonthName => part::MONTH,
            TimeItem::Day => part::DAY,
            TimeItem::DayOfYear => part::DAY_OF_YEAR,
            TimeItem::Hour => part::HOUR,
            TimeItem::Hour12 => part::HOUR12,
            TimeItem::AmPm => part::AM_PM,
            TimeItem::Minute => part::MINUTE,
            TimeItem::Second => part::SECOND,
            TimeItem::Offset | TimeItem::UtcOrOffset | TimeItem::ZoneName => part::ZONE,
            TimeItem::Epoch | TimeItem::EpochTenDigits => part::EPOCH,
            TimeItem::EpochMillis | TimeItem::EpochMicros => part::EPOCH | part::FRACTION,
            TimeItem::MillisFraction | TimeItem::MicrosFraction | TimeItem::PointFraction | TimeItem::LongFraction => part::FRACTION,
            TimeItem::Literal(_) | TimeItem::Space | TimeItem::Name | TimeItem::Digits(_) => 0,
        }
    }

    /// Whether `text` begins as its text does, where that is always the same byte.
    pub(super) fn begins(self, text: &[u8]) -> bool {
        matches!(self, TimeItem::Literal(byte) if text.first() == Some(&byte))
    }

    /// Whether its text begins with a digit, so that digits before it can't tell where they end.
    pub(super) fn starts_with_digit(self) -> bool {
        use TimeItem::*;
        !matches!(self, Literal(_) | Space | MonthName | AmPm | Offset | UtcOrOffset | PointFraction | LongFraction | ZoneName | Name)
    }
}

/// The text of `%t`: `[10/Oct/2000:13:55:36 -0700]`.
pub(super) const COMMON: [TimeItem; 15] = {
    use TimeItem::*;
    [
        Literal(b'['),
        Day,
        Literal(b'/'),
        MonthName,
        Literal(b'/'),
        Year,
        Literal(b':'),
        Hour,
        Literal(b':'),
        Minute,
        Literal(b':'),
        Second,
        Literal(b' '),
        Offset,
        Literal(b']'),
    ]
};

/// ISO 8601, as AWS writes it: with or without parts of seconds, and without a zone where it is UTC.
pub(super) const ISO: [TimeItem; 13] = {
    use TimeItem::*;
    let (dash, colon) = (Literal(b'-'), Literal(b':'));
    [Year, dash, Month, dash, Day, Literal(b'T'), Hour, colon, Minute, colon, Second, PointFraction, UtcOrOffset]
};

type Refusal = (Range<usize>, String);

/// Reads the parameter of `%{…}t`: whether it is the request's end that is meant, and the pattern.
pub(super) fn parse(parameter: &str) -> Result<(bool, Vec<TimeItem>), Refusal> {
    let (end, offset, pattern) = if let Some(rest) = parameter.strip_prefix("begin:") {
        (false, 6, rest)
    } else if let Some(rest) = parameter.strip_prefix("end:") {
        (true, 4, rest)
    } else if parameter == "begin" || parameter == "end" {
        (parameter == "end", parameter.len(), "")
    } else {
        (false, 0, parameter)
    };
    let items = match pattern {
        "" => COMMON.to_vec(),
        "sec" => vec![TimeItem::Epoch],
        "msec" => vec![TimeItem::EpochMillis],
        "usec" => vec![TimeItem::EpochMicros],
        "msec_frac" => vec![TimeItem::MillisFraction],
        "usec_frac" => vec![TimeItem::MicrosFraction],
        pattern => {
            let mut items = Vec::new();
            expand(pattern, &mut items).map_err(|(at, why)| (at.start + offset..at.end + offset, why))?;
            items
        }
    };
    Ok((end, items))
}

fn expand(pattern: &str, items: &mut Vec<TimeItem>) -> Result<(), Refusal> {
    use TimeItem::*;
    let bytes = pattern.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'%' {
            items.push(Literal(bytes[at]));
            at += 1;
            continue;
        }
        let start = at;
        at += 1;
        if matches!(bytes.get(at), Some(b'E' | b'O')) {
            at += 1;
        }
        // The patterns that stand for others are expanded as the POSIX locale has them.
        let longer = match bytes.get(at) {
            Some(b'c') => "%a %b %e %H:%M:%S %Y",
            Some(b'D' | b'x') => "%m/%d/%y",
            Some(b'F') => "%Y-%m-%d",
            Some(b'r') => "%I:%M:%S %p",
            Some(b'R') => "%H:%M",
            Some(b'T' | b'X') => "%H:%M:%S",
            Some(b'+') => "%a %b %e %H:%M:%S %Z %Y",
            _ => "",
        };
        if longer.is_empty() {
            items.push(match bytes.get(at) {
                Some(b'%') => Literal(b'%'),
                Some(b'n' | b't') => Space,
                Some(b'Y') => Year,
                Some(b'y') => Year2,
                Some(b'm') => Month,
                Some(b'b' | b'B' | b'h') => MonthName,
                Some(b'd' | b'e') => Day,
                Some(b'j') => DayOfYear,
                Some(b'H' | b'k') => Hour,
                Some(b'I' | b'l') => Hour12,
                Some(b'p' | b'P') => AmPm,
                Some(b'M') => Minute,
                Some(b'S') => Second,
                Some(b's') => Epoch,
                Some(b'z') => Offset,
                Some(b'Z') => ZoneName,
                Some(b'a' | b'A') => Name,
                Some(b'u' | b'w') => Digits(1),
                Some(b'C' | b'g' | b'U' | b'V' | b'W') => Digits(2),
                Some(b'G') => Digits(4),
                Some(_) => {
                    let end = (at + 1..=bytes.len()).find(|i| pattern.is_char_boundary(*i)).unwrap_or(bytes.len());
                    return Err((start..end, "no such strftime conversion".to_string()));
                }
                None => return Err((start..bytes.len(), "this `%` has no conversion letter".to_string())),
            });
        } else {
            expand(longer, items).map_err(|_| (start..at + 1, "no such strftime conversion".to_string()))?;
        }
        at += 1;
    }
    Ok(())
}

/// Reads `items` at the start of `text` into `parts`; gives how many bytes they took, or nothing where they don't fit.
pub(super) fn read(items: &[TimeItem], text: &[u8], parts: &mut Parts) -> Option<usize> {
    use TimeItem::*;
    let mut at = 0;
    for item in items {
        let rest = text.get(at..)?;
        at += match item {
            Literal(byte) => (rest.first() == Some(byte)).then_some(1)?,
            Space => rest.iter().take(LONGEST_WORD).take_while(|b| b.is_ascii_whitespace()).count(),
            Year => {
                parts.year = number(rest, 4, 4)? as i32;
                4
            }
            Year2 => {
                let year = number(rest, 2, 2)? as i32;
                parts.year = if year >= 69 { 1900 + year } else { 2000 + year };
                2
            }
            Month => {
                parts.month = number(rest, 2, 2)? as u8;
                2
            }
            MonthName => {
                let (month, length) = month(rest)?;
                parts.month = month;
                length
            }
            Day => {
                let padded = usize::from(rest.first() == Some(&b' '));
                parts.day = number(&rest[padded..], 1, 2 - padded)? as u8;
                padded + digits(&rest[padded..], 2 - padded)
            }
            DayOfYear => {
                parts.day_of_year = number(rest, 3, 3)? as u16;
                3
            }
            Hour | Hour12 => {
                let padded = usize::from(rest.first() == Some(&b' '));
                parts.hour = number(&rest[padded..], 1, 2 - padded)? as u8;
                padded + digits(&rest[padded..], 2 - padded)
            }
            AmPm => {
                parts.pm = match rest.get(..2)?.to_ascii_lowercase().as_slice() {
                    b"am" => false,
                    b"pm" => true,
                    _ => return None,
                };
                2
            }
            Minute => {
                parts.minute = number(rest, 2, 2)? as u8;
                2
            }
            Second => {
                parts.second = number(rest, 2, 2)? as u8;
                2
            }
            Offset => {
                let (seconds, length) = offset(rest)?;
                parts.zone = seconds;
                length
            }
            UtcOrOffset => {
                let (seconds, length) = offset(rest).unwrap_or((0, 0));
                parts.zone = seconds;
                length
            }
            LongFraction => match rest.first() {
                Some(b'.') => {
                    let length = digits(&rest[1..], LONGEST_WORD);
                    let kept = length.min(6);
                    parts.fraction_micros = number(&rest[1..], 1, kept)? as u32 * 10u32.pow(6 - kept as u32);
                    1 + length
                }
                _ => {
                    parts.fraction_micros = 0;
                    0
                }
            },
            PointFraction => match rest.first() {
                Some(b'.') => {
                    let length = digits(&rest[1..], 7);
                    parts.fraction_micros = number(&rest[1..], 1, 6)? as u32 * 10u32.checked_pow(6u32.checked_sub(length as u32)?)?;
                    1 + length
                }
                _ => {
                    parts.fraction_micros = 0;
                    0
                }
            },
            ZoneName => {
                let length = letters(rest);
                let (seconds, length) = match zone(&rest[..length]) {
                    Some(seconds) => (seconds, length),
                    // Beside seconds since 1970 the zone's name changes nothing.
                    None if items.contains(&Epoch) && length > 0 => (0, length),
                    // Zones without an abbreviation of letters, as Brazil's, have `-03`, `+0545`.
                    None => offset(rest).or_else(|| hours(rest))?,
                };
                parts.zone = seconds;
                length
            }
            Epoch | EpochTenDigits | EpochMillis | EpochMicros => {
                let negative = usize::from(rest.first() == Some(&b'-'));
                let most = if *item == EpochTenDigits { 10 } else { 18 };
                let length = digits(&rest[negative..], most);
                // Nobody writes zeros before a number, nor a zero below zero.
                if rest.get(negative) == Some(&b'0') && length + negative > 1 {
                    return None;
                }
                let value = number(&rest[negative..], 1, length)? * if negative == 1 { -1 } else { 1 };
                let micros = match item {
                    Epoch | EpochTenDigits => value.checked_mul(1_000_000)?,
                    EpochMillis => value.checked_mul(1_000)?,
                    _ => value,
                };
                parts.epoch_micros = micros;
                negative + length
            }
            MillisFraction => {
                parts.fraction_micros = number(rest, 3, 3)? as u32 * 1_000;
                3
            }
            MicrosFraction => {
                parts.fraction_micros = number(rest, 6, 6)? as u32;
                6
            }
            Name => match letters(rest) {
                0 => return None,
                length => length,
            },
            Digits(count) => (digits(rest, *count) == *count).then_some(*count)?,
        };
    }
    Some(at)
}

/// How many letters, or blanks, are looked at: a line of nothing else shall not be looked at in full from each of its bytes.
const LONGEST_WORD: usize = 64;

fn letters(text: &[u8]) -> usize {
    text.iter().take(LONGEST_WORD).take_while(|b| b.is_ascii_alphabetic()).count()
}

/// The month, 1 to 12, whose English name or its first three letters `text` begins with, and their length. Capitals are where
/// strftime(3) and Apache write them.
pub(super) fn month(text: &[u8]) -> Option<(u8, usize)> {
    const NAMES: [&[u8]; 12] = [
        b"January",
        b"February",
        b"March",
        b"April",
        b"May",
        b"June",
        b"July",
        b"August",
        b"September",
        b"October",
        b"November",
        b"December",
    ];
    let begins = |name: &[u8]| text.starts_with(name);
    let index = NAMES.iter().position(|full| begins(&full[..3]))?;
    Some((index as u8 + 1, if begins(NAMES[index]) { NAMES[index].len() } else { 3 }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accesslog::instant::millis;

    fn parsed(pattern: &str, text: &str) -> Option<i64> {
        let (_, items) = parse(pattern).unwrap();
        let mut parts = Parts::default();
        let length = read(&items, text.as_bytes(), &mut parts)?;
        let mask = items.iter().fold(0, |mask, item| mask | item.part());
        (length == text.len()).then(|| millis(&parts, mask)).flatten()
    }

    #[test]
    fn patterns_read_what_strftime_writes() {
        assert_eq!(parsed("", "[10/Oct/2000:13:55:36 -0700]"), Some(971_211_336_000));
        assert_eq!(parsed("%F %T %Z", "2019-05-20 14:54:43 EDT"), Some(1_558_378_483_000));
        assert_eq!(parsed("%D%%%T", "05/06/19%13:42:26"), Some(1_557_150_146_000));
        assert_eq!(parsed("%s %Z", "1558378254 XXX"), Some(1_558_378_254_000));
        assert_eq!(parsed("end:usec", "1795327416188466"), Some(1_795_327_416_188));
        assert_eq!(parsed("%Y%n%m%t%d%H", "2019 \t 05 \n 1912"), Some(1_558_267_200_000));
        assert_eq!(parsed("%Y %j %I %p", "2020 060 12 AM"), Some(1_582_934_400_000));
        assert_eq!(parsed("%F %T %Z", "2019-05-20 11:54:43 -03"), Some(1_558_364_083_000));
        assert_eq!(parsed("%d%bT%C%y %T", "19MayT2019 17:54:43"), Some(1_558_288_483_000));
        assert_eq!(parsed("%a %B %d %T %Y", "Sun May 19 17:54:43 2019"), Some(1_558_288_483_000));
        assert_eq!(parsed("sec", "999999999999999999"), None);
        assert_eq!(parsed("%F %T", "2019-02-29 00:00:00"), None);
        assert_eq!(parsed("%F %T %Z", "2019-02-20 00:00:00 XXX"), None);
        assert_eq!(parsed("", "[01/Nov/2017:07:28:29 +9999]"), None);
    }
}
