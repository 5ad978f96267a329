//! What another policy, or other tables, change for whom.

use super::access::Sight;
use super::evaluator::Evaluator;
use crate::catalog::TableName;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Who gains and who loses what of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SightChange {
    pub principal: String,
    pub table: TableName,
    pub before: Sight,
    pub after: Sight,
    /// The columns of which that is so.
    pub columns: Vec<String>,
}

impl fmt::Display for SightChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SightChange { principal, table, before, after, columns } = self;
        let verb = if after > before { "gains" } else { "loses" };
        let sees = |sight: &Sight| match sight {
            Sight::Nothing => "nothing",
            Sight::Name => "the name only",
            Sight::Some => "some rows",
            Sight::All => "all rows",
        };
        write!(f, "{principal} {verb} {table}: {} ({} instead of {})", columns.join(", "), sees(after), sees(before))
    }
}

/// What `after` lets be seen of each column that `before` does not, and the other way round; of rows only whether they are all, some or none.
pub fn changes(before: &Evaluator, after: &Evaluator) -> Vec<SightChange> {
    let names: Vec<(TableName, String)> = columns(before).into_iter().chain(columns(after)).collect::<BTreeSet<_>>().into_iter().collect();
    // As the tables have them.
    let order: BTreeMap<(TableName, String), usize> =
        columns(before).into_iter().chain(columns(after)).enumerate().map(|(at, name)| (name, at)).collect();
    let principals: BTreeSet<String> = before.principals().into_iter().chain(after.principals()).collect();
    let mut changes = Vec::new();
    for principal in principals {
        let (old, new) = (by_name(before, &principal), by_name(after, &principal));
        let mut grouped: BTreeMap<(TableName, Sight, Sight), Vec<(usize, String)>> = BTreeMap::new();
        for name in &names {
            let (was, is) = (old.get(name).copied().unwrap_or_default(), new.get(name).copied().unwrap_or_default());
            if was != is {
                grouped.entry((name.0.clone(), was, is)).or_default().push((order.get(name).copied().unwrap_or_default(), name.1.clone()));
            }
        }
        for ((table, before, after), mut columns) in grouped {
            columns.sort();
            let columns = columns.into_iter().map(|(_, name)| name).collect();
            changes.push(SightChange { principal: principal.clone(), table, before, after, columns });
        }
    }
    changes
}

/// All columns, in the order of [`Evaluator::sights`].
pub fn columns(evaluator: &Evaluator) -> Vec<(TableName, String)> {
    let tables = evaluator.resources().iter().flat_map(|(database, tables)| {
        tables.iter().map(move |(table, shape)| (TableName { database: database.clone(), table: table.clone() }, shape))
    });
    tables.flat_map(|(name, shape)| shape.columns.iter().map(move |column| (name.clone(), column.name.clone()))).collect()
}

fn by_name(evaluator: &Evaluator, principal: &str) -> BTreeMap<(TableName, String), Sight> {
    columns(evaluator).into_iter().zip(evaluator.sights(principal)).collect()
}
