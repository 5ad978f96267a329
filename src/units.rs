//! Sizes and rates as people write them: `128MiB`, `1.5 GB`, `684.0 MB/s`.

use serde::Serialize;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A number of bytes. Parsed from `512`, `64KiB`, `10MB`, `1.5GiB`; shown in decimal units, as storage is billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ByteSize(pub u64);

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let scale: u64 = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "k" | "kb" => 1_000,
            "m" | "mb" => 1_000_000,
            "g" | "gb" => 1_000_000_000,
            "t" | "tb" => 1_000_000_000_000,
            "ki" | "kib" => 1 << 10,
            "mi" | "mib" => 1 << 20,
            "gi" | "gib" => 1 << 30,
            "ti" | "tib" => 1 << 40,
            other => return Err(format!("`{other}` is not a unit of size; use B, kB, MB, GB, KiB, MiB or GiB")),
        };
        let number: f64 = number.parse().map_err(|_| format!("`{text}` is not a size; write for example 128MiB"))?;
        let bytes = number * scale as f64;
        if !(1.0..=u64::MAX as f64 / 2.0).contains(&bytes) {
            return Err(format!("`{text}` is out of range; a size is at least one byte"));
        }
        Ok(ByteSize(bytes as u64))
    }
}

impl ByteSize {
    /// As a limit or setting is shown, and as people give it: `64 MiB` where it is whole MiB, else as any size.
    pub fn as_given(self) -> String {
        const MIB: u64 = 1 << 20;
        match (self.0 / MIB, self.0 % MIB) {
            (mib @ 1.., 0) if mib % 1024 == 0 => format!("{} GiB", mib / 1024),
            (mib @ 1.., 0) => format!("{mib} MiB"),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0 as f64;
        match self.0 {
            0..1_000 => write!(f, "{} B", self.0),
            1_000..1_000_000 => write!(f, "{:.1} kB", bytes / 1e3),
            1_000_000..1_000_000_000 => write!(f, "{:.1} MB", bytes / 1e6),
            _ => write!(f, "{:.2} GB", bytes / 1e9),
        }
    }
}

/// Bytes a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Throughput(pub f64);

impl Throughput {
    /// `bytes` done in `elapsed`; zero where no time passed.
    pub fn new(bytes: u64, elapsed: Duration) -> Self {
        let seconds = elapsed.as_secs_f64();
        Throughput(if seconds > 0.0 { bytes as f64 / seconds } else { 0.0 })
    }
}

impl fmt::Display for Throughput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} MB/s", self.0 / 1e6)
    }
}

/// A length of time. Parsed from `90s`, `10m`, `1.5h`, `250ms`; a unit must be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeSpan(pub Duration);

impl FromStr for TimeSpan {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let scale = match unit.trim() {
            "ms" => 1e-3,
            "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3_600.0,
            "d" => 86_400.0,
            _ => return Err(format!("`{text}` is not a length of time; write for example 90s, 10m or 2h")),
        };
        let number: f64 = number.parse().map_err(|_| format!("`{text}` is not a length of time; write for example 90s, 10m or 2h"))?;
        match Duration::try_from_secs_f64(number * scale) {
            Ok(span) if !span.is_zero() => Ok(TimeSpan(span)),
            _ => Err(format!("`{text}` is out of range")),
        }
    }
}

/// `n` with a comma between thousands, as the reports show counts.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// `1 file`, `2,000 files`.
pub fn counted(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(n), if n == 1 { "" } else { "s" })
}

/// A share of rejected lines: `1%` or `0.01`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rate(pub f64);

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (number, scale) = match text.strip_suffix('%') {
            Some(number) => (number, 0.01),
            None => (text, 1.0),
        };
        let rate = number.trim().parse::<f64>().map_err(|_| format!("`{text}` is not a rate; write for example 1% or 0.01"))? * scale;
        if !(0.0..=1.0).contains(&rate) {
            return Err(format!("`{text}` is not between 0% and 100%"));
        }
        Ok(Rate(rate))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", (self.0 * 1e6).round() / 1e4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        assert_eq!("128MiB".parse(), Ok(ByteSize(128 << 20)));
        assert_eq!("1.5 GB".parse(), Ok(ByteSize(1_500_000_000)));
        assert_eq!("512".parse(), Ok(ByteSize(512)));
        for bad in ["", "MB", "12 parsecs", "0", "-1", "1e400"] {
            assert!(bad.parse::<ByteSize>().is_err(), "{bad}");
        }
    }

    #[test]
    fn lengths_of_time_have_a_unit() {
        for (text, millis) in [("250ms", 250), ("90s", 90_000), ("10m", 600_000), ("1.5 h", 5_400_000)] {
            assert_eq!(text.parse(), Ok(TimeSpan(Duration::from_millis(millis))));
        }
        for bad in ["", "10", "m", "-1s", "0s", "1e9s", "99999999999999999999d", "1h30"] {
            assert!(bad.parse::<TimeSpan>().is_err(), "{bad}");
        }
    }

    #[test]
    fn limits_are_shown_as_they_are_given() {
        for (given, shown) in [("64MiB", "64 MiB"), ("2GiB", "2 GiB"), ("1.5GiB", "1536 MiB"), ("64MB", "64.0 MB"), ("100", "100 B")] {
            assert_eq!(given.parse::<ByteSize>().unwrap().as_given(), shown);
        }
    }

    #[test]
    fn counts_have_thousands() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(148_534), "148,534");
        assert_eq!(count(1_000_000), "1,000,000");
    }

    #[test]
    fn rates_are_shares_or_percents() {
        assert_eq!("1%".parse(), Ok(Rate(0.01)));
        assert_eq!("0.5".parse(), Ok(Rate(0.5)));
        assert!("101%".parse::<Rate>().is_err());
        assert_eq!(Rate(0.01).to_string(), "1%");
    }
}
