//! Which tags a database, table or column has, and from where.

use super::policy::{Assignment, Tagged};
use super::resources::{Resources, TableShape};
use crate::catalog::TableName;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// Where a tag is assigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Database,
    Table,
    Column,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::Database => "database",
            Level::Table => "table",
            Level::Column => "column",
        })
    }
}

/// The tags of a resource by their keys: the value, and where it is assigned.
pub type EffectiveTags = BTreeMap<String, (String, Level)>;

/// The tags of all that there is.
#[derive(Debug, Default)]
pub struct TagsOfAll {
    pub databases: BTreeMap<String, EffectiveTags>,
    pub tables: BTreeMap<TableName, TableTags>,
}

/// The tags of a table and of its columns.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct TableTags {
    pub own: EffectiveTags,
    /// One for each column, in the table's order.
    pub columns: Vec<EffectiveTags>,
}

impl TagsOfAll {
    /// What `assignments` give the resources: a table has its database's tags and a column its table's, but for those keys that it has itself.
    pub fn of(assignments: &[Assignment], resources: &Resources) -> TagsOfAll {
        let mut of_databases: BTreeMap<&str, Vec<&Assignment>> = BTreeMap::new();
        let mut of_tables: BTreeMap<&TableName, Vec<&Assignment>> = BTreeMap::new();
        for assignment in assignments {
            match &assignment.to {
                Tagged::Database(database) => of_databases.entry(database).or_default().push(assignment),
                Tagged::Table(table) | Tagged::Columns(table, _) => of_tables.entry(table).or_default().push(assignment),
            }
        }
        let mut all = TagsOfAll::default();
        for (database, tables) in resources {
            let mut inherited = EffectiveTags::new();
            of_databases.get(database.as_str()).into_iter().flatten().for_each(|one| assign(&mut inherited, one, Level::Database));
            for (table, shape) in tables {
                let name = TableName { database: database.clone(), table: table.clone() };
                let tags = of_table(of_tables.get(&name).map_or(&[], Vec::as_slice), &inherited, shape);
                all.tables.insert(name, tags);
            }
            all.databases.insert(database.clone(), inherited);
        }
        all
    }
}

fn of_table(assignments: &[&Assignment], inherited: &EffectiveTags, shape: &TableShape) -> TableTags {
    let mut own = inherited.clone();
    for assignment in assignments {
        if matches!(assignment.to, Tagged::Table(_)) {
            assign(&mut own, assignment, Level::Table);
        }
    }
    let columns = shape.columns.iter().map(|column| {
        let mut tags = own.clone();
        // Patterns first, so that names win.
        for named in [false, true] {
            for assignment in assignments {
                if let Tagged::Columns(_, pattern) = &assignment.to
                    && named != pattern.contains('*')
                    && matches(pattern, &column.name)
                {
                    assign(&mut tags, assignment, Level::Column);
                }
            }
        }
        tags
    });
    let columns = columns.collect();
    TableTags { own, columns }
}

fn assign(tags: &mut EffectiveTags, assignment: &Assignment, level: Level) {
    tags.extend(assignment.tags.iter().map(|(key, value)| (key.clone(), (value.clone(), level))));
}

/// Whether `name` is `pattern`, in which `*` stands for any letters.
pub fn matches(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    // The last part stands at the end; each one before it as early as it can.
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    left.len() >= last.len() && left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_letters() {
        for (pattern, name, fits) in [
            ("price", "price", true),
            ("price", "prices", false),
            ("*", "", true),
            ("*_price", "item_price", true),
            ("*_price", "item_prices", false),
            ("item_*", "item_", true),
            ("a*b*c", "a_b_b_c", true),
            ("a*b*c", "a_c_b", false),
            ("aa*aa", "aaa", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }
}
