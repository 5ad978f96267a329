//! The times that a schedule names.

use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::Schedule;
use chrono::{DateTime, LocalResult, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

/// A cron expression in a time zone.
///
/// A local time that doesn't exist, as clocks are set forward, is the first instant that does; one that comes twice, as they are set
/// back, is its first instant.
#[derive(Debug, Clone)]
pub struct Times {
    cron: Cron,
    zone: Tz,
}

impl Times {
    /// The times of `schedule`.
    ///
    /// # Errors
    /// [`ErrorKind::Format`] for an expression that isn't five fields of cron, or a zone that isn't known.
    pub fn of(schedule: &Schedule) -> Result<Times> {
        let zone = schedule.timezone.parse::<Tz>();
        let zone = zone.map_err(|_| Error::new(ErrorKind::Format, format!("there is no time zone `{}`", schedule.timezone)))?;
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(&schedule.cron).map_err(|error| {
            let message = format!("`{}` is not a schedule; expected five fields, such as `0 3 * * *`", schedule.cron);
            Error::new(ErrorKind::Format, message).with_source(error)
        })?;
        Ok(Times { cron, zone })
    }

    /// The first of the times behind `time`; nothing where there is none.
    pub fn after(&self, time: DateTime<Utc>) -> Option<DateTime<Utc>> {
        // The expression is asked for times on the clock, which know of no zone: it takes those of UTC for them.
        let mut clock = time.with_timezone(&self.zone).naive_local().and_utc();
        loop {
            clock = self.cron.find_next_occurrence(&clock, false).ok()?;
            // Of times that come twice, the second ones lie behind `time` on the clock only.
            let next = self.instant(clock.naive_utc())?;
            if next > time {
                return Some(next);
            }
        }
    }

    /// The first `most` of the times behind `time`.
    pub fn upcoming(&self, time: DateTime<Utc>, most: usize) -> Vec<DateTime<Utc>> {
        std::iter::successors(self.after(time), |last| self.after(*last)).take(most).collect()
    }

    /// How many of the times lie behind `from`, up to `to`; `most` where there are more.
    pub(super) fn passed(&self, from: DateTime<Utc>, to: DateTime<Utc>, most: usize) -> usize {
        std::iter::successors(self.after(from), |last| self.after(*last)).take_while(|time| *time <= to).take(most).count()
    }

    /// When a clock in the zone shows `clock`.
    fn instant(&self, clock: NaiveDateTime) -> Option<DateTime<Utc>> {
        match self.zone.from_local_datetime(&clock) {
            LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => Some(time.to_utc()),
            LocalResult::None => self.behind_gap(clock),
        }
    }

    /// The first instant behind the gap that `clock` lies in. Gaps start and end at whole minutes; the longest were days, as countries
    /// moved over the date line.
    fn behind_gap(&self, clock: NaiveDateTime) -> Option<DateTime<Utc>> {
        const LONGEST: i64 = 2 * 24 * 60;
        let whole = clock - TimeDelta::seconds(clock.and_utc().timestamp().rem_euclid(60));
        (1..=LONGEST)
            .find_map(|minutes| self.zone.from_local_datetime(&(whole + TimeDelta::minutes(minutes))).earliest())
            .map(|t| t.to_utc())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::CatchUp;
    use proptest::prelude::*;

    fn times(cron: &str, timezone: &str) -> Times {
        Times::of(&Schedule { cron: cron.into(), timezone: timezone.into(), catch_up: CatchUp::Skip }).unwrap()
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn upcoming(cron: &str, zone: &str, from: &str, most: usize) -> Vec<String> {
        let found = times(cron, zone).upcoming(at(from), most);
        found.iter().map(|time| time.format("%dT%H:%M").to_string()).collect()
    }

    #[test]
    fn times_are_those_of_the_zone() {
        assert_eq!(upcoming("0 3 * * *", "UTC", "2024-01-01T03:00:00Z", 2), ["02T03:00", "03T03:00"]);
        assert_eq!(upcoming("30 9 * * MON-FRI", "Asia/Kolkata", "2024-01-05T00:00:00Z", 2), ["05T04:00", "08T04:00"]);
        // Summer and winter.
        assert_eq!(times("0 6 * * *", "Europe/Berlin").after(at("2024-07-01T00:00:00Z")), Some(at("2024-07-01T04:00:00Z")));
        assert_eq!(times("0 6 * * *", "Europe/Berlin").after(at("2024-12-01T00:00:00Z")), Some(at("2024-12-01T05:00:00Z")));
        assert_eq!(times("0 0 29 2 *", "UTC").after(at("2024-03-01T00:00:00Z")), Some(at("2028-02-29T00:00:00Z")));
    }

    #[test]
    fn a_time_that_does_not_exist_is_the_next_that_does() {
        // On 31 March 2024 the clocks in Berlin went from 02:00 to 03:00, which was 01:00 UTC.
        assert_eq!(upcoming("30 2 * * *", "Europe/Berlin", "2024-03-30T12:00:00Z", 2), ["31T01:00", "01T00:30"]);
        assert_eq!(upcoming("*/15 * * * *", "Europe/Berlin", "2024-03-31T00:40:00Z", 3), ["31T00:45", "31T01:00", "31T01:15"]);
        // What is named twice, by the gap and by itself, is one time.
        assert_eq!(upcoming("0,30 2,3 * * *", "Europe/Berlin", "2024-03-30T12:00:00Z", 3), ["31T01:00", "31T01:30", "01T00:00"]);
        // Half an hour only.
        assert_eq!(upcoming("15 2 * * *", "Australia/Lord_Howe", "2024-10-05T12:00:00Z", 1), ["05T15:30"]);
        // Samoa had no 30 December 2011.
        assert_eq!(upcoming("0 12 30 12 *", "Pacific/Apia", "2011-12-29T12:00:00Z", 1), ["30T10:00"]);
    }

    #[test]
    fn a_time_that_comes_twice_runs_once() {
        // On 27 October 2024 the clocks in Berlin went from 03:00 to 02:00, which was 01:00 UTC.
        assert_eq!(upcoming("30 2 * * *", "Europe/Berlin", "2024-10-26T12:00:00Z", 2), ["27T00:30", "28T01:30"]);
        for from in ["2024-10-27T00:30:00Z", "2024-10-27T00:59:00Z", "2024-10-27T01:00:00Z", "2024-10-27T01:30:00Z"] {
            assert_eq!(upcoming("30 2 * * *", "Europe/Berlin", from, 1), ["28T01:30"], "{from}");
        }
        assert_eq!(upcoming("*/30 * * * *", "Europe/Berlin", "2024-10-27T00:00:00Z", 2), ["27T00:30", "27T02:00"]);
    }

    #[test]
    fn what_names_no_times_is_refused() {
        for (cron, zone) in
            [("0 3 * *", "UTC"), ("61 * * * *", "UTC"), ("0 0 3 * * *", "UTC"), ("", "UTC"), ("0 3 * * *", "Europe/Nowhere")]
        {
            let schedule = Schedule { cron: cron.into(), timezone: zone.into(), catch_up: CatchUp::Skip };
            assert_eq!(Times::of(&schedule).unwrap_err().kind(), ErrorKind::Format, "{cron}");
        }
        assert_eq!(times("0 0 31 2 *", "UTC").after(at("2024-01-01T00:00:00Z")), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// However one gets there, the times are the same and go on: none is left out, and none is in the past.
        #[test]
        fn times_go_on(
            seconds in 1_600_000_000_i64..1_900_000_000,
            step in 1_i64..5_000,
            cron in prop::sample::select(&["*/7 * * * *", "30 1,2,3 * * *", "0 0 * * *", "59 23 L * *"][..]),
            zone in prop::sample::select(&["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC", "America/Santiago"][..]),
        ) {
            let times = times(cron, zone);
            let from = DateTime::from_timestamp(seconds, 0).unwrap();
            let next = times.after(from).unwrap();
            prop_assert!(next > from);
            let between = from + TimeDelta::seconds(step);
            if between < next {
                prop_assert_eq!(times.after(between), Some(next));
            } else {
                prop_assert!(times.after(between).unwrap() >= next);
            }
        }
    }
}
