//! The clocks of a log: they read `%t` and times of ISO 8601, and remember what they read last.

use super::instant::{self, Parts};
use super::strftime::{self, COMMON, ISO, TimeItem};
use super::zone;

/// How the times of a group of directives are read.
#[derive(Debug)]
pub(super) enum GroupClock {
    /// A `%t` alone.
    Common(Clock),
    /// One time of ISO 8601.
    Iso(IsoClock),
    /// From the parts that its directives have.
    Parts,
}

impl GroupClock {
    /// The clock of a group whose only directive has these items; nothing where it has several.
    pub(super) fn of(items: Option<&[TimeItem]>) -> GroupClock {
        match items {
            Some(items) if *items == COMMON => GroupClock::Common(Clock::default()),
            Some(items) if *items == ISO => GroupClock::Iso(IsoClock::default()),
            _ => GroupClock::Parts,
        }
    }

    /// The instant of the time that `text` begins with, in the group's unit, and its length; nothing where its directives must be read
    /// first.
    #[inline]
    pub(super) fn read(&mut self, text: &[u8]) -> Option<Option<(i64, usize)>> {
        match self {
            GroupClock::Common(clock) => Some(clock.read(text).map(|millis| (millis, Clock::LENGTH))),
            GroupClock::Iso(clock) => Some(clock.read(text)),
            GroupClock::Parts => None,
        }
    }
}

/// Reads `2026-11-01T13:55:36.123456Z`, as [`ISO`] has it.
#[derive(Debug, Default)]
pub(super) struct IsoClock {
    date: Option<[u8; 10]>,
    /// Microseconds from 1970 to the `date`.
    midnight: i64,
}

impl IsoClock {
    /// Microseconds since 1970, and the length of the text.
    #[inline]
    fn read(&mut self, text: &[u8]) -> Option<(i64, usize)> {
        match self.plain(text) {
            None => Self::parse(text),
            read => read,
        }
    }

    /// A time of the date read last, with up to six digits behind the point and in UTC; nothing for any other.
    #[inline]
    fn plain(&mut self, text: &[u8]) -> Option<(i64, usize)> {
        let begin: &[u8; 19] = text.first_chunk()?;
        let date: &[u8; 10] = text.first_chunk()?;
        if self.date.as_ref() != Some(date) {
            (self.midnight, _) = Self::parse(&[&date[..], b"T00:00:00Z"].concat())?;
            self.date = Some(*date);
        }
        let digit = |at: usize| begin[at].wrapping_sub(b'0');
        let digits = [digit(11), digit(12), digit(14), digit(15), digit(17), digit(18)];
        if begin[10] != b'T' || begin[13] != b':' || begin[16] != b':' || digits.iter().any(|digit| *digit > 9) {
            return None;
        }
        let two = |at: usize| i64::from(digits[at] * 10 + digits[at + 1]);
        let (hour, minute, second) = (two(0), two(2), two(4));
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let (mut micros, mut at) = (0, 19);
        if text.get(at) == Some(&b'.') {
            let mut unit = 1_000_000;
            while let Some(digit) = text.get(at + 1).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10 && unit > 1) {
                unit /= 10;
                micros += i64::from(digit) * unit;
                at += 1;
            }
            if unit == 1_000_000 {
                return None;
            }
            at += 1;
        }
        let seconds = (hour * 60 + minute) * 60 + second;
        (text.get(at) == Some(&b'Z')).then_some((self.midnight + seconds * 1_000_000 + micros, at + 1))
    }

    #[cold]
    fn parse(text: &[u8]) -> Option<(i64, usize)> {
        let mut parts = Parts::default();
        let length = strftime::read(&ISO, text, &mut parts)?;
        let mask = ISO.iter().fold(0, |mask, item| mask | item.part());
        Some((instant::micros(&parts, mask)?, length))
    }
}

/// Reads `%t`'s `[10/Oct/2000:13:55:36 -0700]`. Logs are in the order of time, so most times are the one before, or of its day.
#[derive(Debug, Default)]
pub(super) struct Clock {
    last: [u8; 26],
    last_millis: i64,
    /// Days since 1970 of the date in `last`.
    days: i64,
}

impl Clock {
    pub(super) const LENGTH: usize = 28;
    /// Apache's clock counts from 1970, which is 1969 still in the west.
    pub(super) const FIRST_YEAR: i32 = 1969;

    #[inline]
    pub(super) fn read(&mut self, text: &[u8]) -> Option<i64> {
        let text: &[u8; 28] = text.first_chunk()?;
        if text[0] != b'[' || text[27] != b']' {
            return None;
        }
        let inner: &[u8; 26] = text[1..27].first_chunk()?;
        if *inner == self.last {
            return Some(self.last_millis);
        }
        self.parse(inner)
    }

    fn parse(&mut self, text: &[u8; 26]) -> Option<i64> {
        let two = |at: usize| {
            let (tens, ones) = (text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0'));
            (tens < 10 && ones < 10).then(|| tens * 10 + ones)
        };
        let mut days = self.days;
        if text[..12] != self.last[..12] {
            if text[2] != b'/' || text[6] != b'/' || text[11] != b':' {
                return None;
            }
            let year = i32::from(two(7)?) * 100 + i32::from(two(9)?);
            if year < Clock::FIRST_YEAR {
                return None;
            }
            let (month, _) = strftime::month(&text[3..6])?;
            let mask = instant::part::YEAR | instant::part::MONTH | instant::part::DAY | instant::part::HOUR;
            let parts = Parts { year, month, day: two(0)?, ..Parts::default() };
            days = instant::millis(&parts, mask)?.div_euclid(86_400_000);
        }
        if text[14] != b':' || text[17] != b':' || text[20] != b' ' {
            return None;
        }
        let (hour, minute, second) = (two(12)?, two(15)?, two(18)?);
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let (zone, _) = zone::offset(&text[21..]).filter(|(_, length)| *length == 5)?;
        let of_day = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
        self.days = days;
        self.last = *text;
        self.last_millis = (days * 86_400 + of_day - i64::from(zone)) * 1000;
        Some(self.last_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_times_are_read_as_all_are() {
        let mut clock = IsoClock::default();
        let dates = ["2026-11-01", "2024-02-29", "2023-02-29", "1969-12-31", "2026-13-01", "2026-11- 1", "02026-1-1"];
        let times = ["T00:00:00", "T23:59:60", "T23:59:61", "T24:00:00", "T12:60:00", "T1:02:03", " 01:02:03", "T01:02:03"];
        let ends = ["", "Z", "z", ".Z", ".1Z", ".123456Z", ".1234567Z", ".5", ".25+02:00", "+0200", "-12:00 x", "Z x", "Zulu", ",5Z"];
        for date in dates {
            for (time, end) in times.iter().flat_map(|time| ends.map(|end| (time, end))) {
                let text = format!("{date}{time}{end}");
                assert_eq!(clock.read(text.as_bytes()), IsoClock::parse(text.as_bytes()), "{text}");
            }
        }
        assert_eq!(clock.read(b"1970-01-02T00:00:01.5Z"), Some((86_401_500_000, 22)));
    }
}
