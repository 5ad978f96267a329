//! What follows from a policy: who sees which database, table, column and row.
//!
//! The rules are those of Lake Formation, <https://docs.aws.amazon.com/lake-formation/latest/dg/lf-permissions-reference.html> and
//! <https://docs.aws.amazon.com/lake-formation/latest/dg/data-filtering-notes.html>. Where AWS doesn't say, less is seen: a table is seen only where its
//! database is.

use super::access::{Access, ColumnAccess, DatabaseAccess, Rows, Sight, TableAccess};
use super::bits::Bits;
use super::coverage::{Coverage, Index};
use super::effective::TagsOfAll;
use super::identity::Identity;
use super::permission::Permission;
use super::policy::{AttachedFor, AttachedTo, Grant, GrantOn, Policy};
use super::principal::{IAM_ALLOWED_PRINCIPALS, IAM_PRINCIPALS};
use super::resources::Resources;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A policy that is held against what there is. Made once, and asked for each principal.
#[derive(Debug)]
pub struct Evaluator {
    policy: Policy,
    tags: TagsOfAll,
    index: Index,
    /// What each grant reaches, by the number of the grant. Grants of the same share one.
    coverages: Vec<Coverage>,
    of_grant: Vec<usize>,
    /// The grants to each name.
    by_name: HashMap<String, Vec<usize>>,
    /// The names among those that are everybody of an account.
    everybody: Vec<String>,
    /// The names of principals by their ARNs.
    by_arn: HashMap<String, Vec<String>>,
    resources: Resources,
    /// The row policies of a table: the number of the policy and of the attachment. None where the policy asks for a column that the table has not.
    attached: BTreeMap<usize, Vec<(usize, usize, bool)>>,
}

/// What a principal sees, by number.
#[derive(Debug)]
struct Seen {
    databases: Vec<bool>,
    database_permissions: BTreeMap<usize, BTreeSet<Permission>>,
    tables: Vec<bool>,
    table_permissions: BTreeMap<usize, BTreeSet<Permission>>,
    columns: Bits,
    /// Columns that are read in all rows, but for row policies.
    whole: Bits,
    /// Of others, the numbers of the filters by which they are read.
    filtered: BTreeMap<usize, BTreeSet<usize>>,
    /// Of a table with row policies: those that let rows be seen.
    policies: BTreeMap<usize, BTreeSet<usize>>,
}

impl Evaluator {
    /// Holds `policy` against `resources`.
    pub fn new(policy: Policy, resources: &Resources) -> Evaluator {
        let tags = TagsOfAll::of(&policy.assignments, resources);
        let index = Index::of(resources, &tags);
        let mut coverages = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        let mut of_grant = Vec::with_capacity(policy.grants.len());
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (number, grant) in policy.grants.iter().enumerate() {
            let at = *known.entry(format!("{:?} {:?}", grant.on, grant.permissions)).or_insert_with(|| {
                coverages.push(Coverage::of(&grant.on, &grant.permissions, &policy, &index));
                coverages.len() - 1
            });
            of_grant.push(at);
            by_name.entry(grant.to.clone()).or_default().push(number);
        }
        let attached = attached(&policy, &index);
        let everybody = by_name.keys().filter(|name| name.ends_with(IAM_PRINCIPALS) && *name != IAM_PRINCIPALS).cloned().collect();
        let mut by_arn: HashMap<String, Vec<String>> = HashMap::new();
        for (name, principal) in &policy.principals {
            if let Some(arn) = &principal.arn {
                by_arn.entry(arn.clone()).or_default().push(name.clone());
            }
        }
        Evaluator { policy, tags, index, coverages, of_grant, by_name, everybody, by_arn, resources: resources.clone(), attached }
    }

    /// What `principal` sees: a name of the policy's `principals`, or one that stands for itself.
    pub fn access(&self, principal: &str) -> Access {
        let seen = self.seen(principal);
        let mut access = Access::default();
        for (at, name) in self.index.databases.iter().enumerate() {
            let permissions = seen.database_permissions.get(&at).cloned().unwrap_or_default();
            access.databases.insert(name.clone(), DatabaseAccess { is_visible: seen.databases[at], permissions, tables: BTreeMap::new() });
        }
        for (at, table) in self.index.tables.iter().enumerate() {
            let columns = table.columns.clone().zip(&table.names).map(|(column, name)| ColumnAccess {
                name: name.clone(),
                is_visible: seen.columns.has(column),
                rows: self.rows(&seen, at, column),
            });
            let entry = TableAccess {
                is_visible: seen.tables[at],
                permissions: seen.table_permissions.get(&at).cloned().unwrap_or_default(),
                columns: columns.collect(),
            };
            if let Some(database) = access.databases.get_mut(&table.name.database) {
                database.tables.insert(table.name.table.clone(), entry);
            }
        }
        access
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What it was held against.
    pub fn resources(&self) -> &Resources {
        &self.resources
    }

    /// What `principal` sees of each column, in the order of databases, tables, and columns of a table.
    pub fn sights(&self, principal: &str) -> Vec<Sight> {
        let seen = self.seen(principal);
        let mut sights = Vec::with_capacity(self.index.columns);
        for (at, table) in self.index.tables.iter().enumerate() {
            let some = seen.policies.contains_key(&at);
            sights.extend(table.columns.clone().map(|column| match () {
                () if !seen.tables[at] => Sight::Nothing,
                () if seen.whole.has(column) && !some => Sight::All,
                () if seen.whole.has(column) => Sight::Some,
                () if seen.filtered.contains_key(&column) => match self.rows(&seen, at, column) {
                    Rows::All => Sight::All,
                    _ => Sight::Some,
                },
                () if seen.columns.has(column) => Sight::Name,
                () => Sight::Nothing,
            }));
        }
        sights
    }

    /// Whether the policy names `principal`, by its name, its ARN, or as a group.
    pub fn names(&self, principal: &str) -> bool {
        let groups = || self.policy.principals.values().any(|one| one.groups.contains(principal));
        self.principals().contains(principal) || self.by_arn.contains_key(principal) || groups()
    }

    /// All principals that the policy names, sorted.
    pub fn principals(&self) -> BTreeSet<String> {
        let policy = &self.policy;
        let groups: BTreeSet<&String> = policy.principals.values().flat_map(|one| &one.groups).collect();
        let mut names: BTreeSet<String> = policy.principals.keys().cloned().collect();
        let granted = policy.grants.iter().map(|grant| &grant.to).chain(&policy.administrators);
        let granted = granted.map(|name| self.by_arn.get(name).map_or(name, |names| &names[0])); // No entry is made without a name in it.
        names.extend(
            granted.filter(|name| !groups.contains(name) && !name.ends_with(IAM_PRINCIPALS) && *name != IAM_ALLOWED_PRINCIPALS).cloned(),
        );
        names
    }

    /// The grants that reach `principal`, in the order of the policy.
    pub fn grants_of(&self, principal: &str) -> Vec<&Grant> {
        let mut numbers = self.reaching(&self.identity(principal));
        numbers.sort_unstable();
        numbers.into_iter().map(|number| &self.policy.grants[number]).collect()
    }

    /// The tags of all that there is.
    pub fn tags(&self) -> &TagsOfAll {
        &self.tags
    }

    /// Who `principal` is.
    pub(super) fn identity(&self, principal: &str) -> Identity {
        Identity::of(principal, &self.policy, &self.by_arn)
    }

    /// All that there is, counted.
    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    /// The numbers of the grants that reach the principal. One whose condition is not understood reaches nobody.
    pub(super) fn reaching(&self, identity: &Identity) -> Vec<usize> {
        let everybody = self.everybody.iter().map(String::as_str).filter(|name| identity.is(name));
        let named = identity.names().chain(everybody).filter_map(|name| self.by_name.get(name)).flatten().copied();
        let holds = |condition: &str| identity.meets(condition) == Some(true);
        named.filter(|number| self.policy.grants[*number].condition.as_deref().is_none_or(holds)).collect()
    }

    pub(super) fn coverage(&self, grant: usize) -> &Coverage {
        &self.coverages[self.of_grant[grant]]
    }

    fn seen(&self, principal: &str) -> Seen {
        let index = &self.index;
        let mut seen = Seen {
            databases: vec![false; index.databases.len()],
            database_permissions: BTreeMap::new(),
            tables: vec![false; index.tables.len()],
            table_permissions: BTreeMap::new(),
            columns: Bits::none(index.columns),
            whole: Bits::none(index.columns),
            filtered: BTreeMap::new(),
            policies: BTreeMap::new(),
        };
        let identity = self.identity(principal);
        for number in self.reaching(&identity) {
            self.add(&mut seen, number);
        }
        if self.policy.administrators.iter().any(|name| identity.is(name)) {
            seen.databases.iter_mut().chain(&mut seen.tables).for_each(|is_seen| *is_seen = true);
            (0..index.columns).for_each(|column| seen.columns.set(column));
        }
        self.settle(&mut seen);
        self.choose_policies(&mut seen, &identity);
        seen
    }

    fn add(&self, seen: &mut Seen, number: usize) {
        let coverage = self.coverage(number);
        let grant = &self.policy.grants[number];
        if grant.permissions.is_empty() {
            return;
        }
        for (database, permissions) in &coverage.databases {
            // All tables by name let the database be seen, but for those to whom a condition gives them.
            if grant.condition.is_some() && matches!(grant.on, GrantOn::AllTables(_)) {
                continue;
            }
            seen.databases[*database] = true;
            seen.database_permissions.entry(*database).or_default().extend(permissions.iter().copied());
        }
        for (table, permissions) in &coverage.tables {
            seen.tables[*table] = true;
            seen.table_permissions.entry(*table).or_default().extend(permissions.iter().copied());
        }
        seen.columns.add(&coverage.described);
        seen.columns.add(&coverage.selected);
        seen.whole.add(&coverage.selected);
        for (table, filter) in &coverage.filters {
            let table = &self.index.tables[*table];
            for (column, name) in table.columns.clone().zip(&table.names) {
                if self.policy.filters[*filter].columns.has(name) {
                    seen.columns.set(column);
                    seen.filtered.entry(column).or_default().insert(*filter);
                }
            }
        }
    }

    /// What follows for a table from all that is granted on it together.
    fn settle(&self, seen: &mut Seen) {
        for (at, table) in self.index.tables.iter().enumerate() {
            let changes = [Permission::Alter, Permission::Drop, Permission::Delete, Permission::Insert, Permission::All];
            let holds = seen.table_permissions.get(&at).is_some_and(|held| changes.iter().any(|permission| held.contains(permission)));
            // Who may change a table is not kept from single columns of it.
            if holds {
                let reads = seen.whole.any(table.columns.clone());
                for column in table.columns.clone() {
                    seen.columns.set(column);
                    if reads {
                        seen.whole.set(column);
                    }
                }
            }
            if !seen.databases[table.database] {
                seen.tables[at] = false;
            }
            if !seen.tables[at] {
                continue;
            }
            // Partition keys are seen with any other column: of as many rows as are seen at all.
            if seen.columns.any(table.columns.clone()) {
                table.keys.clone().for_each(|key| seen.columns.set(key));
            }
            if seen.whole.any(table.columns.clone()) {
                table.keys.clone().for_each(|key| seen.whole.set(key));
            }
            let filters: BTreeSet<usize> =
                table.columns.clone().filter_map(|column| seen.filtered.get(&column)).flatten().copied().collect();
            if !filters.is_empty() {
                table.keys.clone().for_each(|key| seen.filtered.entry(key).or_default().extend(&filters));
            }
        }
    }

    /// Which row policies hold: all that are attached for the principal, or the defaults where none is.
    fn choose_policies(&self, seen: &mut Seen, identity: &Identity) {
        for (table, attachments) in &self.attached {
            let (mut own, mut default) = (BTreeSet::new(), BTreeSet::new());
            let mut is_meant = false;
            for (policy, attachment, fits) in attachments {
                let whom = &self.policy.row_policies[*policy].attached[*attachment].whom;
                // Where it is not known whether one is meant, neither its rows nor the default's are seen.
                is_meant |= matches!(whom, AttachedFor::Condition(condition) if identity.meets(condition).is_none());
                let target = match whom {
                    AttachedFor::Principal(name) if identity.is(name) => &mut own,
                    AttachedFor::Condition(condition) if identity.meets(condition) == Some(true) => &mut own,
                    AttachedFor::Default => &mut default,
                    _ => continue,
                };
                is_meant |= !matches!(whom, AttachedFor::Default);
                // A table without the columns that the policy asks for shows no rows by it.
                if *fits {
                    target.insert(*policy);
                }
            }
            seen.policies.insert(*table, if is_meant { own } else { default });
        }
    }

    /// Of which rows of `table` the principal reads `column`.
    fn rows(&self, seen: &Seen, table: usize, column: usize) -> Rows {
        if !seen.tables[table] {
            return Rows::None;
        }
        let mut all = Vec::new();
        if !seen.whole.has(column) {
            let Some(filters) = seen.filtered.get(&column) else { return Rows::None };
            let expressions: Option<Vec<String>> = filters.iter().map(|filter| self.policy.filters[*filter].rows.clone()).collect();
            // One that lets all rows be seen makes the others moot.
            all.extend(expressions);
        }
        if let Some(policies) = seen.policies.get(&table) {
            all.push(policies.iter().map(|policy| self.policy.row_policies[*policy].rows.clone()).collect());
        }
        if all.is_empty() { Rows::All } else { Rows::Where(all) }
    }
}

/// By the number of a table: the row policies that are attached to it, with the attachment, and whether it has the columns that they ask for.
fn attached(policy: &Policy, index: &Index) -> BTreeMap<usize, Vec<(usize, usize, bool)>> {
    let mut attached: BTreeMap<usize, Vec<(usize, usize, bool)>> = BTreeMap::new();
    for (number, row_policy) in policy.row_policies.iter().enumerate() {
        for (at, attachment) in row_policy.attached.iter().enumerate() {
            let tables: Vec<usize> = match &attachment.to {
                AttachedTo::Table(name) => index.table(name).into_iter().collect(),
                AttachedTo::Tags(expression) => {
                    let matching = index.tables_with(expression);
                    (0..index.tables.len()).filter(|table| matching.has(*table)).collect()
                }
            };
            for table in tables {
                let has = row_policy.columns.iter().all(|column| index.tables[table].names.contains(column));
                attached.entry(table).or_default().push((number, at, has));
            }
        }
    }
    attached
}
