//! What a grant reaches, of all that there is.

use super::bits::Bits;
use super::effective::{EffectiveTags, TagsOfAll};
use super::permission::Permission;
use super::policy::{GrantOn, Policy, TagExpression, TagsOf};
use super::resources::Resources;
use crate::catalog::TableName;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

/// All that there is, counted: databases, tables, and columns in the order of their tables.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) databases: Vec<String>,
    pub(super) tables: Vec<TableAt>,
    /// How many columns there are.
    pub(super) columns: usize,
    by_database: BTreeMap<String, usize>,
    by_table: BTreeMap<TableName, usize>,
    of_database: Labels,
    of_table: Labels,
    of_column: Labels,
    partition_keys: Option<Bits>,
}

/// A table, and where its columns are.
#[derive(Debug)]
pub(super) struct TableAt {
    pub(super) name: TableName,
    pub(super) database: usize,
    pub(super) columns: Range<usize>,
    /// The names of its columns.
    pub(super) names: Vec<String>,
    /// The numbers of its partition keys.
    pub(super) keys: Range<usize>,
}

/// Which of the things have which value of which key.
#[derive(Debug, Default)]
struct Labels {
    count: usize,
    by_value: HashMap<String, HashMap<String, Bits>>,
}

impl Labels {
    fn of<'t>(tags: impl ExactSizeIterator<Item = &'t EffectiveTags>) -> Labels {
        let mut labels = Labels { count: tags.len(), by_value: HashMap::new() };
        for (index, tags) in tags.enumerate() {
            for (key, (value, _)) in tags {
                let values = labels.by_value.entry(key.clone()).or_default();
                values.entry(value.clone()).or_insert_with(|| Bits::none(labels.count)).set(index);
            }
        }
        labels
    }

    /// Those that for each key have one of the values.
    fn matching(&self, expression: &TagExpression) -> Bits {
        let mut found: Option<Bits> = None;
        for (key, values) in expression {
            let mut any = Bits::none(self.count);
            if let Some(known) = self.by_value.get(key) {
                values.iter().filter_map(|value| known.get(value)).for_each(|bits| any.add(bits));
            }
            match &mut found {
                Some(found) => found.keep(&any),
                None => found = Some(any),
            }
        }
        // An expression without a key is none, and matches nothing.
        found.unwrap_or_else(|| Bits::none(self.count))
    }
}

impl Index {
    pub(super) fn of(resources: &Resources, tags: &TagsOfAll) -> Index {
        let mut index = Index::default();
        let mut column_tags: Vec<&EffectiveTags> = Vec::new();
        let mut table_tags: Vec<&EffectiveTags> = Vec::new();
        let none = &EMPTY;
        for (database, tables) in resources {
            index.by_database.insert(database.clone(), index.databases.len());
            for (table, shape) in tables {
                let name = TableName { database: database.clone(), table: table.clone() };
                let start = index.columns;
                let keys = start + shape.columns.iter().filter(|column| !column.is_partition_key).count();
                index.columns += shape.columns.len();
                let of_table = tags.tables.get(&name);
                table_tags.push(of_table.map_or(none, |tags| &tags.own));
                column_tags.extend((0..shape.columns.len()).map(|at| of_table.and_then(|tags| tags.columns.get(at)).unwrap_or(none)));
                index.by_table.insert(name.clone(), index.tables.len());
                index.tables.push(TableAt {
                    name,
                    database: index.databases.len(),
                    columns: start..index.columns,
                    names: shape.columns.iter().map(|column| column.name.clone()).collect(),
                    keys: keys..index.columns,
                });
            }
            index.databases.push(database.clone());
        }
        let of_databases: Vec<&EffectiveTags> = index.databases.iter().map(|name| tags.databases.get(name).unwrap_or(none)).collect();
        index.of_database = Labels::of(of_databases.into_iter());
        index.of_table = Labels::of(table_tags.into_iter());
        index.of_column = Labels::of(column_tags.into_iter());
        let mut keys = Bits::none(index.columns);
        index.tables.iter().flat_map(|table| table.keys.clone()).for_each(|key| keys.set(key));
        index.partition_keys = Some(keys);
        index
    }

    pub(super) fn table(&self, name: &TableName) -> Option<usize> {
        self.by_table.get(name).copied()
    }

    /// The tables whose own tags match `expression`.
    pub(super) fn tables_with(&self, expression: &TagExpression) -> Bits {
        self.of_table.matching(expression)
    }
}

static EMPTY: EffectiveTags = EffectiveTags::new();

/// What a grant gives.
#[derive(Debug, Clone)]
pub(super) struct Coverage {
    /// Databases with what may be done.
    pub(super) databases: Vec<(usize, BTreeSet<Permission>)>,
    /// Tables with what may be done with the whole of them; with nothing, they are only seen.
    pub(super) tables: Vec<(usize, BTreeSet<Permission>)>,
    /// Columns that are read whole.
    pub(super) selected: Bits,
    /// Columns whose names are seen.
    pub(super) described: Bits,
    /// The filters, by number, of tables.
    pub(super) filters: Vec<(usize, usize)>,
}

impl Coverage {
    pub(super) fn of(on: &GrantOn, permissions: &BTreeSet<Permission>, policy: &Policy, index: &Index) -> Coverage {
        let mut coverage = Coverage {
            databases: Vec::new(),
            tables: Vec::new(),
            selected: Bits::none(index.columns),
            described: Bits::none(index.columns),
            filters: Vec::new(),
        };
        match on {
            GrantOn::Database(name) => coverage.databases.extend(index.by_database.get(name).map(|at| (*at, permissions.clone()))),
            GrantOn::AllTables(name) => {
                let Some(database) = index.by_database.get(name).copied() else { return coverage };
                // The one grant about tables that lets the database be seen.
                coverage.databases.push((database, BTreeSet::new()));
                for at in 0..index.tables.len() {
                    if index.tables[at].database == database {
                        coverage.whole(at, permissions, index);
                    }
                }
            }
            GrantOn::Table(name) => {
                if let Some(at) = index.table(name) {
                    coverage.whole(at, permissions, index);
                }
            }
            GrantOn::Columns(name, choice) => {
                let Some(at) = index.table(name) else { return coverage };
                coverage.tables.push((at, BTreeSet::new()));
                let table = &index.tables[at];
                let chosen = table.columns.clone().zip(&table.names).filter(|(_, name)| choice.has(name));
                for (column, _) in chosen {
                    coverage.described.set(column);
                    if reads(permissions) {
                        coverage.selected.set(column);
                    }
                }
            }
            GrantOn::Filter(name, filter) => {
                let Some(at) = index.table(name) else { return coverage };
                let found = policy.filters.iter().position(|one| one.table == *name && one.name == *filter);
                if let Some(number) = found.filter(|_| reads(permissions)) {
                    coverage.tables.push((at, BTreeSet::new()));
                    coverage.filters.push((at, number));
                }
            }
            GrantOn::Tags { of, expression } => coverage.tagged(*of, expression, permissions, index),
            GrantOn::Expression { of, name } => {
                if let Some(expression) = policy.expressions.get(name) {
                    coverage.tagged(*of, expression, permissions, index);
                }
            }
            GrantOn::Location(_) => {}
        }
        coverage
    }

    /// All of a table.
    fn whole(&mut self, at: usize, permissions: &BTreeSet<Permission>, index: &Index) {
        self.tables.push((at, permissions.clone()));
        for column in index.tables[at].columns.clone() {
            self.described.set(column);
            if reads(permissions) {
                self.selected.set(column);
            }
        }
    }

    fn tagged(&mut self, of: TagsOf, expression: &TagExpression, permissions: &BTreeSet<Permission>, index: &Index) {
        if of == TagsOf::Databases {
            let matching = index.of_database.matching(expression);
            self.databases.extend((0..index.databases.len()).filter(|at| matching.has(*at)).map(|at| (at, permissions.clone())));
            return;
        }
        let (tables, columns) = (index.of_table.matching(expression), index.of_column.matching(expression));
        let is_key = |column: usize| index.partition_keys.as_ref().is_some_and(|keys| keys.has(column));
        for (at, table) in index.tables.iter().enumerate() {
            let all = tables.has(at) && table.columns.clone().all(|column| is_key(column) || columns.has(column));
            if all {
                self.whole(at, permissions, index);
                continue;
            }
            if !tables.has(at) && !columns.any(table.columns.clone()) {
                continue;
            }
            // Of some columns only: all else becomes to see the table.
            self.tables.push((at, BTreeSet::new()));
            for column in table.columns.clone().filter(|column| columns.has(*column)) {
                self.described.set(column);
                if permissions.contains(&Permission::Select) || permissions.contains(&Permission::All) {
                    self.selected.set(column);
                }
            }
        }
    }
}

/// Whether one of `permissions` on the whole of something lets its values be read. INSERT does, too.
fn reads(permissions: &BTreeSet<Permission>) -> bool {
    [Permission::Select, Permission::Insert, Permission::All].iter().any(|permission| permissions.contains(permission))
}
