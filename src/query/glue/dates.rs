//! Times as a pattern of Java's writes them: `yyyy-MM-dd`, `yyyy/MM/dd/HH`.

use chrono::{Datelike, Months, NaiveDate, NaiveDateTime, TimeDelta, Timelike};

/// A pattern of Java's `DateTimeFormatter`, of numbers and signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DatePattern(Vec<Token>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Literal(char),
    /// A letter of the pattern, and how many digits it has.
    Digits(char, usize),
}

impl DatePattern {
    /// The pattern `text`, or what in it is not known.
    pub(super) fn parse(text: &str) -> Result<DatePattern, String> {
        let (mut tokens, mut signs) = (Vec::new(), text.chars().peekable());
        while let Some(sign) = signs.next() {
            match sign {
                '\'' => match signs.next_if_eq(&'\'') {
                    Some(quote) => tokens.push(Token::Literal(quote)),
                    None => loop {
                        match signs.next() {
                            Some('\'') if signs.next_if_eq(&'\'').is_some() => tokens.push(Token::Literal('\'')),
                            Some('\'') => break,
                            Some(literal) => tokens.push(Token::Literal(literal)),
                            None => return Err("a quote has no end".to_string()),
                        }
                    },
                },
                letter if letter.is_ascii_alphabetic() => {
                    let mut count = 1;
                    while signs.next_if_eq(&letter).is_some() {
                        count += 1;
                    }
                    match (letter, count) {
                        ('y' | 'u', 4) | ('M' | 'd' | 'H' | 'm' | 's', 2) => tokens.push(Token::Digits(letter, count)),
                        _ => return Err(format!("`{}` is not known", String::from(letter).repeat(count))),
                    }
                }
                literal => tokens.push(Token::Literal(literal)),
            }
        }
        Ok(DatePattern(tokens))
    }

    /// The time that `text` is; what the pattern leaves out is the first one.
    pub(super) fn read(&self, text: &str) -> Option<NaiveDateTime> {
        let (mut rest, mut numbers) = (text, [1970, 1, 1, 0, 0, 0]);
        for token in &self.0 {
            match token {
                Token::Literal(literal) => rest = rest.strip_prefix(*literal)?,
                Token::Digits(letter, count) => {
                    let (digits, behind) = rest.split_at_checked(*count)?;
                    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                        return None;
                    }
                    numbers[place(*letter)] = digits.parse().ok()?;
                    rest = behind;
                }
            }
        }
        let [year, month, day, hour, minute, second] = numbers;
        NaiveDate::from_ymd_opt(year as i32, month, day)?.and_hms_opt(hour, minute, second).filter(|_| rest.is_empty())
    }

    /// The time as the pattern writes it.
    pub(super) fn write(&self, time: NaiveDateTime) -> String {
        let mut out = String::new();
        for token in &self.0 {
            match token {
                Token::Literal(literal) => out.push(*literal),
                Token::Digits(letter, count) => {
                    let numbers = [time.year() as u32, time.month(), time.day(), time.hour(), time.minute(), time.second()];
                    out.push_str(&format!("{:0width$}", numbers[place(*letter)], width = count));
                }
            }
        }
        out
    }

    /// The unit of the finest part, where a step of it needs not be told: days and months.
    pub(super) fn usual_unit(&self) -> Option<Unit> {
        let finest = self.0.iter().filter_map(|token| if let Token::Digits(letter, _) = token { Some(place(*letter)) } else { None }).max();
        match finest {
            Some(1) => Some(Unit::Months),
            Some(2) => Some(Unit::Days),
            _ => None,
        }
    }
}

/// Where a letter's number stands.
fn place(letter: char) -> usize {
    match letter {
        'M' => 1,
        'd' => 2,
        'H' => 3,
        'm' => 4,
        's' => 5,
        _ => 0,
    }
}

/// What times are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Years,
    Months,
    Weeks,
    Days,
    Hours,
    Minutes,
    Seconds,
}

impl Unit {
    /// The unit called `name`, as `DAYS` or `day`.
    pub(super) fn parse(name: &str) -> Option<Unit> {
        let name = name.trim().to_ascii_lowercase();
        let known = [
            ("year", Unit::Years),
            ("month", Unit::Months),
            ("week", Unit::Weeks),
            ("day", Unit::Days),
            ("hour", Unit::Hours),
            ("minute", Unit::Minutes),
            ("second", Unit::Seconds),
        ];
        known.iter().find(|(known, _)| name == *known || name.strip_suffix('s') == Some(known)).map(|(_, unit)| *unit)
    }

    /// The time `count` units later, or earlier.
    pub(super) fn later(self, time: NaiveDateTime, count: i64) -> Option<NaiveDateTime> {
        let months = |months: i64| {
            let by = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
            if months < 0 { time.checked_sub_months(by) } else { time.checked_add_months(by) }
        };
        let by = |delta: Option<TimeDelta>| time.checked_add_signed(delta?);
        match self {
            Unit::Years => months(count.checked_mul(12)?),
            Unit::Months => months(count),
            Unit::Weeks => by(TimeDelta::try_weeks(count)),
            Unit::Days => by(TimeDelta::try_days(count)),
            Unit::Hours => by(TimeDelta::try_hours(count)),
            Unit::Minutes => by(TimeDelta::try_minutes(count)),
            Unit::Seconds => by(TimeDelta::try_seconds(count)),
        }
    }
}

/// The time that an end of a range is: `NOW`, `NOW-3DAYS`, or one as `pattern` writes it.
pub(super) fn bound(text: &str, pattern: &DatePattern, now: NaiveDateTime) -> Option<NaiveDateTime> {
    let text = text.trim();
    let Some(offset) = text.strip_prefix("NOW") else { return pattern.read(text) };
    let offset: String = offset.chars().filter(|sign| !sign.is_whitespace()).collect();
    if offset.is_empty() {
        return Some(now);
    }
    let unit = offset.find(|sign: char| sign.is_ascii_alphabetic())?;
    let count: i64 = offset[..unit].parse().ok()?;
    Unit::parse(&offset[unit..])?.later(now, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_read_what_they_write() {
        let time = NaiveDate::from_ymd_opt(2020, 2, 29).unwrap().and_hms_opt(5, 0, 0).unwrap();
        for (pattern, text) in [
            ("yyyy-MM-dd", "2020-02-29"),
            ("yyyy/MM/dd/HH", "2020/02/29/05"),
            ("yyyyMMdd", "20200229"),
            ("yyyy-MM-dd'T'HH", "2020-02-29T05"),
        ] {
            let pattern = DatePattern::parse(pattern).unwrap();
            assert_eq!(pattern.write(time), text);
            assert_eq!(pattern.write(pattern.read(text).unwrap()), text);
            assert_eq!(pattern.read(&format!("{text}x")), None);
        }
        assert!(DatePattern::parse("EEE").is_err() && DatePattern::parse("'x").is_err());
        let days = DatePattern::parse("yyyy-MM-dd").unwrap();
        assert_eq!(bound("NOW-1DAYS", &days, time).map(|t| days.write(t)), Some("2020-02-28".to_string()));
        assert_eq!(bound("NOW+1YEAR", &days, time).map(|t| days.write(t)), Some("2021-02-28".to_string()));
        assert_eq!(bound("tomorrow", &days, time), None);
        assert_eq!((days.usual_unit(), DatePattern::parse("yyyy-MM").unwrap().usual_unit()), (Some(Unit::Days), Some(Unit::Months)));
    }
}
