//! The instant that the parts of a time fix: UTC micro- or milliseconds since 1970-01-01, in the proleptic Gregorian calendar.

/// Bits that say which parts of a time are known.
pub mod part {
    pub const YEAR: u32 = 1;
    pub const MONTH: u32 = 1 << 1;
    pub const DAY: u32 = 1 << 2;
    pub const DAY_OF_YEAR: u32 = 1 << 3;
    pub const HOUR: u32 = 1 << 4;
    pub const HOUR12: u32 = 1 << 5;
    pub const AM_PM: u32 = 1 << 6;
    pub const MINUTE: u32 = 1 << 7;
    pub const SECOND: u32 = 1 << 8;
    pub const ZONE: u32 = 1 << 9;
    pub const EPOCH: u32 = 1 << 10;
    pub const FRACTION: u32 = 1 << 11;
}

/// The parts of a time as they were read; which of them count is said by a mask of [`part`] bits.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Parts {
    pub year: i32,
    pub month: u8,
    pub day: u8,
    pub day_of_year: u16,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    pub pm: bool,
    /// Seconds east of UTC.
    pub zone: i32,
    pub epoch_micros: i64,
    pub fraction_micros: u32,
}

/// Whether the parts of `mask` fix an instant: seconds since 1970, or a date and at least the hour.
pub fn fixes_instant(mask: u32) -> bool {
    let has = |bits| mask & bits == bits;
    let date = has(part::YEAR) && (has(part::MONTH | part::DAY) || has(part::DAY_OF_YEAR));
    let hour = has(part::HOUR) || has(part::HOUR12 | part::AM_PM);
    has(part::EPOCH) || (date && hour)
}

/// [`micros`], cut to milliseconds.
pub fn millis(parts: &Parts, mask: u32) -> Option<i64> {
    Some(micros(parts, mask)?.div_euclid(1_000))
}

/// The instant that the parts of `mask` fix, where they make a valid time. No zone is UTC; second 60 is the next minute's first.
pub fn micros(parts: &Parts, mask: u32) -> Option<i64> {
    let has = |bits| mask & bits == bits;
    let fraction = i64::from(parts.fraction_micros);
    if has(part::EPOCH) {
        // A fraction of its own beside whole seconds; where the epoch brought its fraction, this is zero.
        return parts.epoch_micros.checked_add(fraction);
    }
    let days = if has(part::MONTH | part::DAY) {
        if parts.month == 0 || parts.month > 12 || parts.day == 0 || parts.day > days_in_month(parts.year, parts.month) {
            return None;
        }
        days_from_civil(parts.year, parts.month, parts.day)
    } else {
        let length = if is_leap(parts.year) { 366 } else { 365 };
        if parts.day_of_year == 0 || parts.day_of_year > length {
            return None;
        }
        days_from_civil(parts.year, 1, 1) + i64::from(parts.day_of_year) - 1
    };
    let hour = if has(part::HOUR) {
        parts.hour
    } else {
        if parts.hour == 0 || parts.hour > 12 {
            return None;
        }
        parts.hour % 12 + if parts.pm { 12 } else { 0 }
    };
    if hour > 23 || parts.minute > 59 || parts.second > 60 {
        return None;
    }
    let seconds = days * 86_400 + i64::from(hour) * 3_600 + i64::from(parts.minute) * 60 + i64::from(parts.second) - i64::from(parts.zone);
    Some(seconds * 1_000_000 + fraction)
}

fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i32, month: u8) -> u8 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date. Years are counted from March, so that the leap day comes last.
pub fn days_from_civil(year: i32, month: u8, day: u8) -> i64 {
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((i64::from(month) + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date (year, month, day) of a number of days from 1970-01-01.
pub fn civil_from_days(days: i64) -> (i64, u8, u8) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march = (5 * of_year + 2) / 153;
    let day = (of_year - (153 * march + 2) / 5 + 1) as u8;
    let month = (if march < 10 { march + 3 } else { march - 9 }) as u8;
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree() {
        assert_eq!(days_from_civil(1970, 1, 1), 0);
        assert_eq!(days_from_civil(2000, 2, 29), 11_016);
        for days in (-800_000..800_000).step_by(37) {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year as i32, month, day), days);
        }
    }
}
