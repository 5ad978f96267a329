//! Partitions that readers compute instead of looking them up.
//!
//! Source: the AWS pages on partition projection with Athena, and on the types that it knows. A reader finds only what the settings cover: so
//! it is made sure that they cover all partitions that there are.

use super::entry::NULL_VALUE;
use crate::error::{Error, ErrorKind, Result};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// More values than this are no enumeration: all are kept in the table's description, which must stay below 1 MB.
const MOST_VALUES: usize = 1_000;

/// How partitions are computed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Projection {
    /// By the partition key; what is not in here is derived of the partitions that there are.
    pub keys: BTreeMap<String, ProjectedKey>,
    /// Days may have begun somewhere before they have in UTC.
    #[serde(default)]
    pub ahead_of_utc: bool,
}

/// How the values of a partition key are computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum ProjectedKey {
    /// From one time to another: `2020-01-01,NOW`, written by a pattern of Java: `yyyy-MM-dd`.
    Date {
        range: String,
        format: String,
        interval: Option<u64>,
        unit: Option<String>,
    },
    /// From one number to another: `0,23`, with so many digits, zeros in front.
    Integer {
        range: String,
        digits: Option<u64>,
        interval: Option<u64>,
    },
    Enum {
        values: Vec<String>,
    },
    /// Every query names it.
    Injected,
}

impl Projection {
    /// The parameters of a table with the partition keys `keys`, whose partitions have `partitions` as values and lie as `template` says.
    ///
    /// # Errors
    /// [`ErrorKind::Format`] where the settings don't cover a partition, or none can.
    pub(super) fn parameters(&self, keys: &[(&str, &str)], partitions: &[Vec<String>], template: &str) -> Result<BTreeMap<String, String>> {
        let mut parameters = BTreeMap::from([
            ("projection.enabled".to_string(), "true".to_string()),
            ("storage.location.template".to_string(), template.to_string()),
        ]);
        for (at, (key, data_type)) in keys.iter().enumerate() {
            let values: BTreeSet<&str> = partitions.iter().map(|partition| partition[at].as_str()).collect();
            let fault = |why: String| {
                Error::new(ErrorKind::Format, format!("the partitions by `{key}` can't be computed by readers: {why}"))
                    .with_context("what to do", "fix `partition_projection`, or leave it out to register partitions one by one")
            };
            if values.contains(NULL_VALUE) {
                return Err(fault(format!("rows without a value are in the partition {NULL_VALUE}, which readers would not find")));
            }
            let projected = match self.keys.get(*key) {
                Some(projected) => projected.clone(),
                None => self.derived(key, data_type, &values),
            };
            if let Some(missed) = values.iter().find(|value| !projected.covers(value)) {
                return Err(fault(format!("`{missed}`, which has rows, is not among the values that {}", projected.said())));
            }
            projected.check().map_err(fault)?;
            parameters.extend(projected.parameters(key));
        }
        Ok(parameters)
    }

    /// What fits the values that there are, and those that will come.
    fn derived(&self, key: &str, data_type: &str, values: &BTreeSet<&str>) -> ProjectedKey {
        let is_day = |value: &&str| value.len() == 10 && NaiveDate::parse_from_str(value, "%Y-%m-%d").is_ok();
        if data_type == "date" || (!values.is_empty() && values.iter().all(is_day)) || (values.is_empty() && key == "dt") {
            let first = values.first().copied().unwrap_or("2000-01-01");
            let ahead = if self.ahead_of_utc { "+1DAYS" } else { "" };
            // Logs may be of days to come, by a clock that is wrong; all that is there is found.
            let last = values.last().filter(|last| NaiveDate::parse_from_str(last, "%Y-%m-%d").is_ok_and(|day| day > tomorrow()));
            let range = match last {
                Some(last) => format!("{first},{last}"),
                None => format!("{first},NOW{ahead}"),
            };
            return ProjectedKey::Date { range, format: "yyyy-MM-dd".to_string(), interval: Some(1), unit: Some("DAYS".to_string()) };
        }
        if key == "hour" && values.iter().all(|value| value.len() == 2 && value.parse::<u8>().is_ok_and(|hour| hour < 24)) {
            return ProjectedKey::Integer { range: "0,23".to_string(), digits: Some(2), interval: None };
        }
        if ["tinyint", "smallint", "int", "bigint"].contains(&data_type) {
            let numbers = || values.iter().filter_map(|value| value.parse::<i64>().ok());
            let range = format!("{},{}", numbers().min().unwrap_or(0), numbers().max().unwrap_or(0));
            return ProjectedKey::Integer { range, digits: None, interval: None };
        }
        ProjectedKey::Enum { values: values.iter().map(|value| (*value).to_string()).collect() }
    }
}

fn tomorrow() -> NaiveDate {
    chrono::Utc::now().date_naive() + chrono::Days::new(1)
}

impl ProjectedKey {
    /// Whether a reader comes to `value`. Of patterns that are not known it is taken to: the user wrote them.
    fn covers(&self, value: &str) -> bool {
        match self {
            ProjectedKey::Injected => true,
            ProjectedKey::Enum { values } => values.iter().any(|known| known == value),
            ProjectedKey::Integer { range, digits, interval } => {
                let (Some((first, last)), Ok(number)) = (bounds(range), value.parse::<i64>()) else { return false };
                let written = match digits {
                    Some(digits) => format!("{number:0width$}", width = *digits as usize),
                    None => number.to_string(),
                };
                let step = interval.unwrap_or(1).max(1) as i64;
                (first..=last).contains(&number) && (number - first) % step == 0 && written == value
            }
            ProjectedKey::Date { range, format, .. } if format == "yyyy-MM-dd" => {
                let day = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
                let Some(value) = day(value).filter(|_| value.len() == 10) else { return false };
                let Some((first, last)) = range.split_once(',') else { return false };
                let from = day(first.trim()).is_none_or(|first| first <= value);
                let to = match day(last.trim()) {
                    Some(last) => value <= last,
                    None if last.trim() == "NOW" => value <= chrono::Utc::now().date_naive(),
                    None => true,
                };
                from && to
            }
            ProjectedKey::Date { .. } => true,
        }
    }

    /// Whether the settings are some at all.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn check(&self) -> Result<(), String> {
        match self {
            ProjectedKey::Enum { values } if values.is_empty() => Err("there are no values to list".to_string()),
            ProjectedKey::Enum { values } if values.len() > MOST_VALUES => {
                Err(format!("{} values are too many to list; the limit is {MOST_VALUES}", values.len()))
            }
            ProjectedKey::Enum { values } => match values.iter().find(|value| value.contains(',')) {
                Some(value) => Err(format!("`{value}` contains a comma, which separates values")),
                None => Ok(()),
            },
            ProjectedKey::Integer { range, .. } if bounds(range).is_none() => {
                Err(format!("`{range}` is not a range of numbers such as 0,23"))
            }
            ProjectedKey::Date { range, .. } if range.split(',').count() != 2 => {
                Err(format!("`{range}` is not a range of times such as 2020-01-01,NOW"))
            }
            ProjectedKey::Date { range, format, .. } if format == "yyyy-MM-dd" => {
                let is_end = |end: &str| end.starts_with("NOW") || NaiveDate::parse_from_str(end, "%Y-%m-%d").is_ok();
                match range.split(',').map(str::trim).find(|end| !is_end(end)) {
                    Some(end) => Err(format!("`{end}` is not a date such as 2020-01-31, NOW or NOW-3DAYS")),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// What it gives, in words.
    fn said(&self) -> String {
        match self {
            ProjectedKey::Date { range, format, .. } => format!("the range {range} gives, written {format}"),
            ProjectedKey::Integer { range, digits: Some(digits), .. } => format!("the range {range} gives, in {digits} digits"),
            ProjectedKey::Integer { range, .. } => format!("the range {range} gives"),
            ProjectedKey::Enum { values } => format!("are listed: {}", values.join(", ")),
            ProjectedKey::Injected => "queries name".to_string(),
        }
    }

    fn parameters(&self, key: &str) -> BTreeMap<String, String> {
        let mut parameters = BTreeMap::new();
        let mut set = |name: &str, value: Option<String>| {
            value.and_then(|value| parameters.insert(format!("projection.{key}.{name}"), value));
        };
        match self {
            ProjectedKey::Date { range, format, interval, unit } => {
                set("type", Some("date".to_string()));
                set("range", Some(range.clone()));
                set("format", Some(format.clone()));
                set("interval", interval.map(|interval| interval.to_string()));
                set("interval.unit", unit.clone());
            }
            ProjectedKey::Integer { range, digits, interval } => {
                set("type", Some("integer".to_string()));
                set("range", Some(range.clone()));
                set("digits", digits.map(|digits| digits.to_string()));
                set("interval", interval.map(|interval| interval.to_string()));
            }
            ProjectedKey::Enum { values } => {
                set("type", Some("enum".to_string()));
                set("values", Some(values.join(",")));
            }
            ProjectedKey::Injected => set("type", Some("injected".to_string())),
        }
        parameters
    }
}

/// The two numbers of `0,23`.
fn bounds(range: &str) -> Option<(i64, i64)> {
    let (first, last) = range.split_once(',')?;
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first <= last).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(projection: &Projection, key: (&str, &str), values: &[&str]) -> Result<BTreeMap<String, String>, String> {
        let partitions: Vec<Vec<String>> = values.iter().map(|value| vec![(*value).to_string()]).collect();
        projection.parameters(&[key], &partitions, "s3://b/t/k=${k}/").map_err(|e| e.to_string())
    }

    #[test]
    fn settings_are_derived_of_what_is_there() {
        let all = Projection::default();
        let days = told(&all, ("dt", "string"), &["2020-02-29", "2020-03-01"]).unwrap();
        assert_eq!(days["projection.dt.range"], "2020-02-29,NOW");
        assert_eq!((days["projection.dt.type"].as_str(), days["projection.dt.interval.unit"].as_str()), ("date", "DAYS"));
        assert_eq!(days["projection.enabled"], "true");
        let ahead = Projection { ahead_of_utc: true, ..Projection::default() };
        assert_eq!(told(&ahead, ("dt", "string"), &["2020-02-29"]).unwrap()["projection.dt.range"], "2020-02-29,NOW+1DAYS");
        assert_eq!(told(&all, ("dt", "string"), &["2020-02-29", "2999-01-01"]).unwrap()["projection.dt.range"], "2020-02-29,2999-01-01");
        let hours = told(&all, ("hour", "string"), &["05", "23"]).unwrap();
        assert_eq!((hours["projection.hour.range"].as_str(), hours["projection.hour.digits"].as_str()), ("0,23", "2"));
        assert_eq!(told(&all, ("status", "int"), &["404", "-1"]).unwrap()["projection.status.range"], "-1,404");
        assert_eq!(told(&all, ("shop", "string"), &["eu", "us"]).unwrap()["projection.shop.values"], "eu,us");
    }

    #[test]
    fn what_readers_would_not_find_is_refused() {
        let all = Projection::default();
        assert!(told(&all, ("dt", "string"), &["2020-02-29", NULL_VALUE]).unwrap_err().contains("without a value"));
        assert!(told(&all, ("shop", "string"), &["a,b"]).unwrap_err().contains("comma"));
        let of = |key: ProjectedKey| Projection { keys: BTreeMap::from([("dt".to_string(), key)]), ..Projection::default() };
        let late = of(ProjectedKey::Date { range: "2020-03-01,NOW".into(), format: "yyyy-MM-dd".into(), interval: None, unit: None });
        let error = told(&late, ("dt", "string"), &["2020-02-29"]).unwrap_err();
        assert!(error.contains("`2020-02-29`") && error.contains("2020-03-01,NOW"), "{error}");
        let few = of(ProjectedKey::Integer { range: "0,9".into(), digits: Some(2), interval: None });
        assert!(told(&few, ("dt", "string"), &["5"]).is_err());
        assert!(told(&few, ("dt", "string"), &["05"]).is_ok());
        assert!(told(&of(ProjectedKey::Enum { values: vec!["a".into()] }), ("dt", "string"), &["b"]).is_err());
        assert!(told(&of(ProjectedKey::Injected), ("dt", "string"), &["whatever"]).is_ok());
    }
}
