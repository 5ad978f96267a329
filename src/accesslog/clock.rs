//! The clock of a log: reads `%t`, and remembers the time it read last.

use super::instant::{self, Parts};
use super::{strftime, zone};

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
