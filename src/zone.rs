//! Time zones, by the names of the IANA data base.

use crate::diagnostic::nearest;
use chrono::{DateTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(Tz);

impl Zone {
    pub const UTC: Zone = Zone(Tz::UTC);

    /// Its name, as `Europe/Berlin`.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    pub fn is_utc(self) -> bool {
        self == Zone::UTC
    }

    /// How many seconds its clocks are ahead of UTC at `second` since 1970-01-01 UTC; of times that are too far for a calendar, what is
    /// said of the last that is not.
    pub fn offset(self, second: i64) -> i64 {
        let second = second.clamp(DateTime::<Utc>::MIN_UTC.timestamp(), DateTime::<Utc>::MAX_UTC.timestamp());
        let time = DateTime::from_timestamp(second, 0).unwrap_or_default().naive_utc();
        self.0.offset_from_utc_datetime(&time).fix().local_minus_utc().into()
    }
}

impl FromStr for Zone {
    type Err = String;

    fn from_str(name: &str) -> Result<Zone, String> {
        if let Ok(zone) = name.parse() {
            return Ok(Zone(zone));
        }
        let hint = match nearest(name, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "expected a name such as Europe/Berlin or UTC".to_string(),
        };
        Err(format!("there is no time zone `{}`; {hint}", name.escape_debug()))
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The clock of a zone: neighbours in a column are mostly of the same minute, so the last one's offset is kept.
#[derive(Debug)]
pub struct Clock {
    zone: Zone,
    minute: i64,
    offset: i64,
}

/// Since February of 1972 no clock has been set but at a full minute.
const FULL_MINUTES: i64 = 65_750_400;

impl Clock {
    pub fn new(zone: Zone) -> Clock {
        Clock { zone, minute: 0, offset: zone.offset(0) }
    }

    /// What it shows at `second` since 1970-01-01 UTC, as seconds since that day began on it.
    pub fn shows(&mut self, second: i64) -> i64 {
        let minute = second.div_euclid(60);
        if minute != self.minute || second < FULL_MINUTES {
            (self.minute, self.offset) = (minute, self.zone.offset(second));
        }
        second.saturating_add(self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_show_what_is_said_of_their_zone() {
        let clock = |name: &str, second: i64| Clock::new(name.parse().unwrap()).shows(second) - second;
        assert_eq!(clock("Asia/Tokyo", 0), 9 * 3600);
        assert_eq!(clock("Asia/Kolkata", 1_582_934_402), 19_800);
        // The second before the clocks of Berlin go forward, and that one; the same in autumn.
        assert_eq!(
            [1_585_443_599, 1_585_443_600, 1_603_587_599, 1_603_587_600].map(|t| clock("Europe/Berlin", t)),
            [3600, 7200, 7200, 3600]
        );
        // A zone whose offset had seconds until the last of 1972-01-06.
        assert_eq!([63_593_069, 63_593_070].map(|t| clock("Africa/Monrovia", t)), [-2670, 0]);
        for second in [i64::MIN, i64::MAX] {
            Clock::new("America/New_York".parse().unwrap()).shows(second);
        }
    }

    #[test]
    fn one_clock_goes_through_all_times() {
        let zone: Zone = "America/St_Johns".parse().unwrap();
        let mut clock = Clock::new(zone);
        // Its clocks were set at one minute past midnight until 2011.
        for second in (1_205_000_000..1_205_060_000).chain(60_000_000..60_010_000) {
            assert_eq!(clock.shows(second), second + zone.offset(second));
        }
    }

    #[test]
    fn an_unknown_name_has_a_hint() {
        assert_eq!("Asia/Tokio".parse::<Zone>().unwrap_err(), "there is no time zone `Asia/Tokio`; did you mean `Asia/Tokyo`?");
        assert!("here".parse::<Zone>().unwrap_err().contains("expected a name such as"));
    }
}
