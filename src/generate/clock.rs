//! The time of the log: it never goes back, and it has busy days and quiet nights.

use super::random::Random;

/// What share of the mean traffic each hour has, in per cent; the mean of the 24 is 100.
const RHYTHM: [u64; 24] = [35, 25, 20, 18, 18, 24, 45, 85, 130, 165, 170, 165, 145, 155, 165, 160, 150, 135, 120, 115, 120, 105, 80, 50];

const MONTHS: [&[u8; 3]; 12] = [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

const DAY: u64 = 86_400;

/// The last second that a four-digit year can show.
pub(super) const LAST_SECOND: u64 = 253_402_300_799;

/// The current time, and its text as `%t` writes it.
#[derive(Debug)]
pub(super) struct Clock {
    /// Microseconds since 1970.
    micros: u64,
    /// What a line takes in a mean hour, in microseconds.
    per_line: u64,
    /// The last second, where the clock stops.
    end: u64,
    /// The time that the lines since the last pause should have taken.
    owed: u64,
    shown_second: u64,
    text: [u8; 28],
}

impl Clock {
    /// A clock that starts at `start`, in seconds since 1970, stops at `end`, and lets `lines_per_day` lines pass a day.
    pub(super) fn new(start: u64, end: u64, lines_per_day: u64) -> Self {
        let mut clock = Clock {
            micros: start * 1_000_000,
            per_line: (DAY * 1_000_000 / lines_per_day.max(1)).max(1),
            end,
            owed: 0,
            shown_second: start,
            text: *b"[00/Xxx/0000:00:00:00 +0000]",
        };
        clock.show_date(start / DAY);
        clock.show_time(start % DAY);
        clock
    }

    /// Microseconds since 1970.
    pub(super) fn micros(&self) -> u64 {
        self.micros
    }

    /// Seconds since 1970.
    pub(super) fn second(&self) -> u64 {
        self.micros / 1_000_000
    }

    /// `[29/Feb/2020:00:00:02 +0000]`
    pub(super) fn text(&self) -> &[u8; 28] {
        &self.text
    }

    /// A short time passes: between a page and what it loads.
    pub(super) fn tick(&mut self, random: &mut Random) {
        let passed = random.wait(self.per_line.min(90_000));
        self.owed = (self.owed + self.hourly()).saturating_sub(passed);
        self.forward(passed);
    }

    /// A pause as long as it has to be for the day's number of lines to come out.
    pub(super) fn pause(&mut self, random: &mut Random) {
        let mean = std::mem::take(&mut self.owed) + self.hourly();
        let passed = random.wait(mean);
        self.forward(passed);
    }

    /// What a line takes in this hour.
    fn hourly(&self) -> u64 {
        let hour = (self.shown_second / 3600 % 24) as usize;
        self.per_line.saturating_mul(100) / RHYTHM[hour]
    }

    fn forward(&mut self, micros: u64) {
        self.micros = self.micros.saturating_add(micros).min(self.end * 1_000_000);
        let second = self.second();
        if second != self.shown_second {
            if second / DAY != self.shown_second / DAY {
                self.show_date(second / DAY);
            }
            self.show_time(second % DAY);
            self.shown_second = second;
        }
    }

    fn show_time(&mut self, of_day: u64) {
        self.two_digits(13, of_day / 3600);
        self.two_digits(16, of_day / 60 % 60);
        self.two_digits(19, of_day % 60);
    }

    /// The date of the day `days` after 1 January 1970: years are counted from March on, so that a leap day is the last
    /// of its year.
    fn show_date(&mut self, days: u64) {
        let days = days + 719_468;
        let era = days / 146_097;
        let day_of_era = days % 146_097;
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 2 } else { from_march - 10 };
        let year = era * 400 + year_of_era + u64::from(month < 2);
        self.two_digits(1, day_of_year - (153 * from_march + 2) / 5 + 1);
        self.text[4..7].copy_from_slice(MONTHS[month as usize]);
        self.two_digits(8, year / 100);
        self.two_digits(10, year % 100);
    }

    fn two_digits(&mut self, at: usize, number: u64) {
        self.text[at] = b'0' + (number / 10) as u8;
        self.text[at + 1] = b'0' + (number % 10) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_as_apache_does() {
        for (second, text) in [
            (0, "[01/Jan/1970:00:00:00 +0000]"),
            (951_868_799, "[29/Feb/2000:23:59:59 +0000]"),
            (1_582_934_402, "[29/Feb/2020:00:00:02 +0000]"),
            (1_583_020_800, "[01/Mar/2020:00:00:00 +0000]"),
            (4_107_542_400, "[01/Mar/2100:00:00:00 +0000]"),
            (LAST_SECOND, "[31/Dec/9999:23:59:59 +0000]"),
        ] {
            assert_eq!(std::str::from_utf8(Clock::new(second, LAST_SECOND, 1).text()).unwrap(), text);
        }
    }

    #[test]
    fn the_day_has_its_number_of_lines() {
        let (mut clock, mut random) = (Clock::new(0, LAST_SECOND, 30_000), Random::new(1));
        for line in 0..300_000 {
            if line % 6 == 0 { clock.pause(&mut random) } else { clock.tick(&mut random) }
        }
        let days = clock.second() as f64 / DAY as f64;
        assert!((9.5..10.5).contains(&days), "{days}");
        assert_eq!(RHYTHM.iter().sum::<u64>(), 2400);
    }

    #[test]
    fn the_clock_stops_at_the_last_year() {
        let (mut clock, mut random) = (Clock::new(LAST_SECOND - 1, LAST_SECOND, 1), Random::new(1));
        (0..100).for_each(|_| clock.pause(&mut random));
        assert_eq!(clock.text(), b"[31/Dec/9999:23:59:59 +0000]");
    }
}
