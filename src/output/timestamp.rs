//! Times as text: `2020-02-29 00:00:02.000`, UTC, as Athena's SerDes read them.

use crate::accesslog::instant::civil_from_days;

/// Writes times; neighbours in a column mostly share their second, so the last one's text is kept.
#[derive(Debug)]
pub(super) struct TimestampText {
    second: i64,
    text: [u8; 23],
}

impl Default for TimestampText {
    fn default() -> Self {
        let mut new = TimestampText { second: 1, text: *b"1970-01-01 00:00:00.000" };
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

    fn set(&mut self, second: i64) {
        let (year, month, day) = civil_from_days(second.div_euclid(86_400));
        let of_day = second.rem_euclid(86_400);
        // Years beyond four digits don't occur in data; they are shown at the bound rather than garbled.
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
    }
}
