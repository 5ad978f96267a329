//! Partitions that are computed of a table's parameters.
//!
//! Source: the AWS page on partition projection with Athena: types `enum`, `integer`, `date` and `injected`, and the template of locations.

use super::dates::{DatePattern, Unit, bound};
use super::injected::named_values;
use super::partition::value;
use super::reading::refused;
use crate::catalog::Entry;
use crate::error::{Error, ErrorKind, Result};
use crate::query::partitions::Partitions;
use arrow::datatypes::{DataType, FieldRef};
use chrono::{NaiveDateTime, Utc};
use datafusion::catalog::Session;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Expr;

/// More partitions than this are not computed for one query.
const MOST: usize = 1_000_000;

/// How the partitions of a table are computed.
#[derive(Debug)]
pub(super) struct Projected {
    keys: Vec<(FieldRef, Rule)>,
    template: String,
}

/// How the values of a key are computed.
#[derive(Debug)]
enum Rule {
    Enum(Vec<String>),
    Integer { first: i64, last: i64, step: i64, digits: usize },
    Date { first: String, last: String, pattern: DatePattern, step: i64, unit: Unit },
    Injected,
}

/// A value as it stands in locations, and as a query has it.
type Valued = (String, ScalarValue);

impl Projected {
    /// What the parameters of `entry` say of its partition keys.
    ///
    /// # Errors
    /// [`ErrorKind::Query`] where they say too little, or what is not known.
    pub(super) fn of(entry: &Entry, keys: &[FieldRef]) -> Result<Projected> {
        let rule = |key: &FieldRef| Ok((key.clone(), Rule::of(entry, key.name())?));
        let template = match entry.parameters.get("storage.location.template") {
            Some(template) => template.clone(),
            None => {
                let folders: Vec<String> = keys.iter().map(|key| format!("{0}=${{{0}}}", key.name())).collect();
                format!("{}/{}/", entry.storage.location.trim_end_matches('/'), folders.join("/"))
            }
        };
        if let Some(missed) = keys.iter().find(|key| !template.contains(&format!("${{{}}}", key.name()))) {
            return Err(refused(entry, &format!("`storage.location.template` has no ${{{}}}", missed.name())));
        }
        Ok(Projected { keys: keys.iter().map(rule).collect::<Result<_>>()?, template })
    }

    /// The values and the locations of the partitions that `filters` let pass.
    ///
    /// # Errors
    /// [`ErrorKind::Query`] where there are too many, or a filter names no value of a key that every query must name.
    pub(super) fn partitions(&self, entry: &Entry, session: &dyn Session, filters: &[Expr]) -> Result<Vec<(Vec<ScalarValue>, String)>> {
        let mut dimensions: Vec<Vec<Valued>> = Vec::with_capacity(self.keys.len());
        for (key, rule) in &self.keys {
            let values = rule.values(entry, key, filters)?;
            let alone = Partitions::of_values(vec![key.clone()], vec![values.iter().map(|(_, value)| value.clone()).collect()]);
            let kept = alone.keep(session, filters, values.len()).map_err(|e| unfiltered(entry, e))?;
            dimensions.push(kept.into_iter().map(|index| values[index].clone()).collect());
        }
        let count = dimensions.iter().try_fold(1usize, |count, values| count.checked_mul(values.len())).filter(|count| *count <= MOST);
        let Some(count) = count else {
            let message = format!("the partitions of {} that the query may read are more than {MOST}", entry.full_name());
            return Err(Error::new(ErrorKind::Query, message).with_context("what to do", "add a filter on the partition columns"));
        };
        let mut parts = Vec::with_capacity(count);
        for mut index in 0..count {
            let mut chosen = Vec::with_capacity(dimensions.len());
            for values in dimensions.iter().rev() {
                chosen.push(&values[index % values.len()]);
                index /= values.len();
            }
            chosen.reverse();
            let mut location = self.template.clone();
            for ((key, _), (text, _)) in self.keys.iter().zip(&chosen) {
                location = location.replace(&format!("${{{}}}", key.name()), text);
            }
            parts.push((chosen.into_iter().map(|(_, value)| value.clone()).collect(), location));
        }
        Ok(parts)
    }
}

fn unfiltered(entry: &Entry, error: datafusion::common::DataFusionError) -> Error {
    Error::new(ErrorKind::Query, format!("the partitions of {} can't be filtered", entry.full_name())).with_source(error)
}

impl Rule {
    fn of(entry: &Entry, key: &str) -> Result<Rule> {
        let of = |name: &str| entry.parameters.get(&format!("projection.{key}.{name}")).map(String::as_str);
        let wrong = |name: &str, expected: &str| {
            let said = of(name).map_or_else(|| "is missing".to_string(), |value| format!("is `{value}`"));
            refused(entry, &format!("`projection.{key}.{name}` {said}, and should be {expected}"))
        };
        let range = || of("range").and_then(|range| range.split_once(',')).ok_or_else(|| wrong("range", "two values with a comma between"));
        let step = || match of("interval").map(str::parse::<i64>) {
            None => Ok(None),
            Some(Ok(step)) if step > 0 => Ok(Some(step)),
            Some(_) => Err(wrong("interval", "a number")),
        };
        match of("type").map(str::to_lowercase).as_deref() {
            Some("injected") => Ok(Rule::Injected),
            Some("enum") => {
                let values = of("values").ok_or_else(|| wrong("values", "values with commas between"))?;
                Ok(Rule::Enum(values.split(',').map(|value| value.trim().to_string()).collect()))
            }
            Some("integer") => {
                let (first, last) = range()?;
                let number = |text: &str| text.trim().parse::<i64>().map_err(|_| wrong("range", "two numbers"));
                let digits = of("digits").map(|digits| digits.parse().map_err(|_| wrong("digits", "a number"))).transpose()?;
                Ok(Rule::Integer { first: number(first)?, last: number(last)?, step: step()?.unwrap_or(1), digits: digits.unwrap_or(0) })
            }
            Some("date") => {
                let (first, last) = range()?;
                let format = of("format").ok_or_else(|| wrong("format", "a pattern of dates, as in yyyy-MM-dd"))?;
                let pattern = DatePattern::parse(format).map_err(|what| refused(entry, &format!("in `projection.{key}.format` {what}")))?;
                let now = Utc::now().naive_utc();
                for end in [first, last] {
                    bound(end, &pattern, now).ok_or_else(|| wrong("range", "two times as the format writes them, or NOW"))?;
                }
                let unit = match of("interval.unit") {
                    Some(unit) => Unit::parse(unit).ok_or_else(|| wrong("interval.unit", "a unit of time, as in DAYS"))?,
                    None => pattern.usual_unit().ok_or_else(|| wrong("interval.unit", "a unit of time, as in HOURS"))?,
                };
                let (first, last) = (first.to_string(), last.to_string());
                Ok(Rule::Date { first, last, pattern, step: step()?.unwrap_or(1), unit })
            }
            _ => Err(wrong("type", "enum, integer, date or injected")),
        }
    }

    fn values(&self, entry: &Entry, key: &FieldRef, filters: &[Expr]) -> Result<Vec<Valued>> {
        let typed = |text: String| {
            let value = value(&text, key).ok_or_else(|| {
                refused(entry, &format!("`{text}`, which is computed for {}, is not a value of its type {}", key.name(), key.data_type()))
            })?;
            Ok((text, value))
        };
        match self {
            Rule::Enum(values) => values.iter().cloned().map(typed).collect(),
            Rule::Integer { first, last, step, digits } => {
                let count = last.checked_sub(*first).map(|range| range / step);
                if count.is_some_and(|count| count >= MOST as i64) || count.is_none() {
                    return Err(too_many(entry, key));
                }
                let numbers = (*first..=*last).step_by(usize::try_from(*step).unwrap_or(usize::MAX));
                numbers.map(|number| typed(format!("{number:0width$}", width = digits))).collect()
            }
            Rule::Date { first, last, pattern, step, unit } => {
                let now = Utc::now().naive_utc();
                let (Some(first), Some(last)) = (bound(first, pattern, now), bound(last, pattern, now)) else { return Ok(Vec::new()) };
                let mut values = Vec::new();
                let mut time = Some(first);
                while let Some(here) = time.filter(|time| *time <= last) {
                    if values.len() >= MOST {
                        return Err(too_many(entry, key));
                    }
                    values.push(match dated(here, key.data_type()) {
                        Some(value) => (pattern.write(here), value),
                        None => typed(pattern.write(here))?,
                    });
                    // Counted from the first, so that a month's last day stays that of each.
                    time = unit.later(first, step.saturating_mul(values.len() as i64));
                }
                Ok(values)
            }
            Rule::Injected => {
                let named = named_values(filters, key.name()).ok_or_else(|| {
                    let message = format!("a query of {} must filter on `{}`: its values are unknown", entry.full_name(), key.name());
                    Error::new(ErrorKind::Query, message)
                        .with_context("Athena says", "CONSTRAINT_VIOLATION")
                        .with_context("what to do", format!("add WHERE {} = '…', or IN ('…', '…')", key.name()))
                })?;
                let text = |value: ScalarValue| value.cast_to(&DataType::Utf8).ok().map(|value| value.to_string());
                named.into_iter().filter(|value| !value.is_null()).filter_map(text).map(typed).collect()
            }
        }
    }
}

/// The value of a day, whatever its pattern.
fn dated(time: NaiveDateTime, data_type: &DataType) -> Option<ScalarValue> {
    let days = || i32::try_from(time.date().signed_duration_since(chrono::DateTime::UNIX_EPOCH.date_naive()).num_days()).ok();
    matches!(data_type, DataType::Date32).then(|| ScalarValue::Date32(days()))
}

fn too_many(entry: &Entry, key: &FieldRef) -> Error {
    refused(entry, &format!("more than {MOST} values are computed for its partition key {}", key.name()))
}
