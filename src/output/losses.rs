//! What became of values that a file can't hold as they are: counted by column, so that nothing changes without a word.

use arrow::datatypes::TimeUnit;
use std::collections::BTreeMap;

/// Counts of values that were changed, by what was lost of them and by column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Losses(BTreeMap<(Loss, String), u64>);

/// What was lost of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// The digits of a time of INT96 behind the microseconds.
    Int96,
    /// The digits of a time behind this unit.
    Digits(TimeUnit),
    /// A number that is none, or infinite, which JSON has not.
    NotFinite,
    /// Line ends within a text, which no reader of lines has.
    LineEnds,
    /// That a text is NULL, in a CSV of no other column.
    LoneNull,
}

impl Losses {
    /// Counts `values` of `column`.
    pub fn add(&mut self, loss: Loss, column: &str, values: u64) {
        if values > 0 {
            *self.0.entry((loss, column.to_string())).or_default() += values;
        }
    }

    /// Adds what others have counted.
    pub fn extend(&mut self, other: Losses) {
        other.0.into_iter().for_each(|((loss, column), values)| self.add(loss, &column, values));
    }

    /// A sentence for each column.
    pub fn notes(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|((loss, column), values)| {
            let (values, s, have) = if *values == 1 { ("1".to_string(), "", "has") } else { (crate::units::count(*values), "s", "have") };
            match loss {
                Loss::Int96 => format!("column `{column}`: {values} time{s} of INT96 {have} digits beyond microseconds, which are cut off"),
                Loss::Digits(TimeUnit::Microsecond) => {
                    format!("column `{column}`: {values} time{s} {have} digits beyond microseconds, which are cut off; `timestamps` sets the unit")
                }
                Loss::Digits(_) => format!(
                    "column `{column}`: {values} time{s} {have} digits beyond milliseconds, which are cut off; `timestamps` sets the unit"
                ),
                Loss::NotFinite => format!("column `{column}`: {values} value{s} of NaN or infinity became null, because JSON has no such numbers"),
                Loss::LineEnds => {
                    format!("column `{column}`: {values} text{s} {have} line ends, which became the characters `\\n` and `\\r`, because Athena can't read line ends in values")
                }
                Loss::LoneNull => {
                    let are = if s.is_empty() { "is an empty text" } else { "are empty texts" };
                    format!("column `{column}`: {values} NULL{s} {are} now, as a CSV of one column has no other record of nothing")
                }
            }
        })
    }
}
