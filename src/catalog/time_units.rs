//! The units of a table's times, as its parameters tell them. `timestamp` is the type of them all; Athena shows milliseconds whatever the
//! files have, and the queries of a lake show what the files have.

use crate::error::{Error, ErrorKind, Result};
use crate::schema::times::{finest_unit, with_unit};
use arrow::datatypes::{DataType, Field, TimeUnit};
use std::collections::BTreeMap;

/// The parameter of a table that tells them: `at us, seen ns`.
const PARAMETER: &str = "etl.timestamps";

/// The names of units in it.
const NAMES: [(&str, TimeUnit); 2] = [("us", TimeUnit::Microsecond), ("ns", TimeUnit::Nanosecond)];

/// The columns whose times have a finer unit than milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TimeUnits(BTreeMap<String, TimeUnit>);

impl TimeUnits {
    /// Those of the columns of files.
    pub fn of<'a>(fields: impl IntoIterator<Item = &'a Field>) -> TimeUnits {
        let finer = |field: &Field| {
            let unit = finest_unit(field.data_type()).filter(|unit| *unit > TimeUnit::Millisecond)?;
            Some((field.name().to_lowercase(), unit))
        };
        TimeUnits(fields.into_iter().filter_map(finer).collect())
    }

    /// What the parameters of a table tell.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where somebody wrote what is no unit.
    pub fn told(parameters: &BTreeMap<String, String>) -> Result<TimeUnits> {
        let Some(text) = parameters.get(PARAMETER) else { return Ok(TimeUnits::default()) };
        let column = |told: &str| {
            let (column, name) = told.rsplit_once(' ')?;
            let (_, unit) = NAMES.iter().find(|(known, _)| *known == name)?;
            (!column.contains([' ', ','])).then(|| (column.to_string(), *unit))
        };
        let columns = text.split(", ").map(column).collect::<Option<_>>();
        columns.map(TimeUnits).ok_or_else(|| {
            let message = format!("the parameter {PARAMETER} is `{text}`, which is not a list of time units");
            Error::new(ErrorKind::Input, message).with_context("expected", "columns with `us` or `ns`: `at us, seen ns`")
        })
    }

    /// The finer ones of both.
    #[must_use]
    pub fn or_finer(mut self, other: TimeUnits) -> TimeUnits {
        for (column, unit) in other.0 {
            let own = self.0.entry(column).or_insert(unit);
            *own = unit.max(*own);
        }
        self
    }

    /// Tells them in the parameters of a table.
    pub fn tell(&self, parameters: &mut BTreeMap<String, String>) {
        let name = |unit: &TimeUnit| NAMES.iter().find(|(_, known)| known == unit).map(|(name, _)| name);
        let told: Vec<String> = self.0.iter().filter_map(|(column, unit)| Some(format!("{column} {}", name(unit)?))).collect();
        if told.is_empty() {
            parameters.remove(PARAMETER);
        } else {
            parameters.insert(PARAMETER.to_string(), told.join(", "));
        }
    }

    /// The type of `column`, which the catalog says is `data_type`.
    pub fn apply(&self, column: &str, data_type: DataType) -> DataType {
        self.0.get(column).map_or(data_type.clone(), |unit| with_unit(&data_type, *unit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_tell_units_that_are_finer_than_the_types() {
        let time = |name: &str, unit| Field::new(name, DataType::Timestamp(unit, None), true);
        let units = TimeUnits::of(&[time("A", TimeUnit::Microsecond), time("b", TimeUnit::Millisecond), time("c", TimeUnit::Nanosecond)]);
        let mut parameters = BTreeMap::new();
        units.tell(&mut parameters);
        assert_eq!(parameters[PARAMETER], "a us, c ns");
        assert_eq!(TimeUnits::told(&parameters).unwrap(), units);
        let later = TimeUnits::of(&[time("a", TimeUnit::Nanosecond), time("b", TimeUnit::Microsecond)]).or_finer(units);
        later.tell(&mut parameters);
        assert_eq!(parameters[PARAMETER], "a ns, b us, c ns");
        assert_eq!(
            later.apply("b", time("b", TimeUnit::Millisecond).data_type().clone()),
            DataType::Timestamp(TimeUnit::Microsecond, None)
        );
        TimeUnits::default().tell(&mut parameters);
        assert!(parameters.is_empty());
        assert_eq!(TimeUnits::told(&parameters).unwrap(), TimeUnits::default());
        for wrong in ["", "a", "a ms", "a us,b us"] {
            parameters.insert(PARAMETER.to_string(), wrong.to_string());
            assert_eq!(TimeUnits::told(&parameters).unwrap_err().kind(), ErrorKind::Input, "{wrong}");
        }
    }
}
