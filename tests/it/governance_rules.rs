//! What a policy means, told a second time: column by column, straight from the rules, without an index, a bit set or a shared coverage. Thousands
//! of generated policies must mean the same to both.

use etl::catalog::TableName;
use etl::governance::{
    Assignment, AttachedFor, AttachedTo, Attachment, ColumnChoice, ColumnShape, DataFilter, Evaluator, Grant, GrantOn, Permission, Policy,
    Principal, Resources, RowPolicy, Rows, Sight, TableShape, TagExpression, Tagged, TagsOf, matches,
};
use std::collections::{BTreeMap, BTreeSet};

type Tags = BTreeMap<String, String>;

/// The rules of one policy, about one principal.
struct Rules<'p> {
    policy: &'p Policy,
    resources: &'p Resources,
    names: BTreeSet<String>,
    tags: Tags,
}

impl<'p> Rules<'p> {
    fn of(policy: &'p Policy, resources: &'p Resources, principal: &str) -> Rules<'p> {
        let mut names = BTreeSet::from([principal.to_string()]);
        // Whoever is in a group is in that group's groups, too: until nobody new is found.
        loop {
            let mut more = names.clone();
            for (name, one) in &policy.principals {
                let same = names.contains(name) || one.arn.as_ref().is_some_and(|arn| names.contains(arn));
                if same {
                    more.insert(name.clone());
                    more.extend(one.arn.clone());
                    more.extend(one.groups.iter().cloned());
                }
            }
            if more == names {
                break;
            }
            names = more;
        }
        names.extend(["IAMPrincipals".to_string(), "IAMAllowedPrincipals".to_string()]);
        let tags = policy.principals.get(principal).map(|one| one.tags.clone()).unwrap_or_default();
        Rules { policy, resources, names, tags }
    }

    /// The conditions that are generated: a tag's value, nonsense, or true.
    fn holds(&self, condition: &str) -> Option<bool> {
        match condition {
            "true" => Some(true),
            r#"context.iam.principalTags.getTag("team") == "sales""# => Some(self.tags.get("team").is_some_and(|team| team == "sales")),
            _ => None,
        }
    }

    fn grants(&self) -> impl Iterator<Item = &Grant> {
        self.policy.grants.iter().filter(|grant| {
            let whom = self.names.contains(&grant.to);
            whom && !grant.permissions.is_empty() && grant.condition.as_deref().is_none_or(|condition| self.holds(condition) == Some(true))
        })
    }

    fn is_administrator(&self) -> bool {
        self.policy.administrators.iter().any(|name| self.names.contains(name))
    }

    fn expression<'e>(&'e self, on: &'e GrantOn) -> Option<(TagsOf, &'e TagExpression)> {
        match on {
            GrantOn::Tags { of, expression } => Some((*of, expression)),
            GrantOn::Expression { of, name } => Some((*of, self.policy.expressions.get(name)?)),
            _ => None,
        }
    }

    fn database_tags(&self, database: &str) -> Tags {
        let mut tags = Tags::new();
        for one in &self.policy.assignments {
            if one.to == Tagged::Database(database.to_string()) {
                tags.extend(one.tags.clone());
            }
        }
        tags
    }

    fn table_tags(&self, table: &TableName) -> Tags {
        let mut tags = self.database_tags(&table.database);
        for one in &self.policy.assignments {
            if one.to == Tagged::Table(table.clone()) {
                tags.extend(one.tags.clone());
            }
        }
        tags
    }

    fn column_tags(&self, table: &TableName, column: &str) -> Tags {
        let mut tags = self.table_tags(table);
        let own: Vec<_> = self
            .policy
            .assignments
            .iter()
            .filter_map(|one| match &one.to {
                Tagged::Columns(of, pattern) if of == table && matches(pattern, column) => Some((pattern.contains('*'), &one.tags)),
                _ => None,
            })
            .collect();
        own.iter().filter(|(is_pattern, _)| *is_pattern).for_each(|(_, more)| tags.extend((*more).clone()));
        own.iter().filter(|(is_pattern, _)| !*is_pattern).for_each(|(_, more)| tags.extend((*more).clone()));
        tags
    }

    fn sees_database(&self, database: &str) -> bool {
        self.is_administrator()
            || self.grants().any(|grant| match &grant.on {
                GrantOn::Database(name) => name == database,
                GrantOn::AllTables(name) => name == database && grant.condition.is_none(),
                on => self
                    .expression(on)
                    .is_some_and(|(of, expression)| of == TagsOf::Databases && fits(expression, &self.database_tags(database))),
            })
    }

    fn shape(&self, table: &TableName) -> &TableShape {
        &self.resources[&table.database][&table.table]
    }

    /// Whether an expression is true of all of the table: of itself and of every column that is no partition key.
    fn fits_whole(&self, expression: &TagExpression, table: &TableName) -> bool {
        let columns = self.shape(table).columns.iter().filter(|column| !column.is_partition_key);
        fits(expression, &self.table_tags(table))
            && columns.into_iter().all(|column| fits(expression, &self.column_tags(table, &column.name)))
    }

    /// What is allowed on the table as a whole.
    fn whole(&self, table: &TableName) -> BTreeSet<Permission> {
        let of = |grant: &Grant| match &grant.on {
            GrantOn::Table(name) => name == table,
            GrantOn::AllTables(name) => *name == table.database,
            on => self.expression(on).is_some_and(|(of, expression)| of == TagsOf::Tables && self.fits_whole(expression, table)),
        };
        self.grants().filter(|grant| of(grant)).flat_map(|grant| grant.permissions.iter().copied()).collect()
    }

    fn sees_table(&self, table: &TableName) -> bool {
        let about = |grant: &Grant| match &grant.on {
            GrantOn::Table(name) | GrantOn::Columns(name, _) => name == table,
            GrantOn::AllTables(name) => *name == table.database,
            GrantOn::Filter(name, filter) => {
                name == table
                    && reads(&grant.permissions)
                    && self.policy.filters.iter().any(|one| one.table == *table && one.name == *filter)
            }
            on => self.expression(on).is_some_and(|(of, expression)| {
                let columns = self.shape(table).columns.iter();
                let any = columns.into_iter().any(|column| fits(expression, &self.column_tags(table, &column.name)));
                of == TagsOf::Tables && (fits(expression, &self.table_tags(table)) || any)
            }),
        };
        self.sees_database(&table.database) && (self.is_administrator() || self.grants().any(about))
    }

    /// Whether a grant gives the values of a column by itself, in all rows.
    fn selects(&self, grant: &Grant, table: &TableName, column: &str) -> bool {
        match &grant.on {
            GrantOn::Table(name) => name == table && reads(&grant.permissions),
            GrantOn::AllTables(name) => *name == table.database && reads(&grant.permissions),
            GrantOn::Columns(name, choice) => name == table && choice.has(column) && reads(&grant.permissions),
            on => self.expression(on).is_some_and(|(of, expression)| match of {
                TagsOf::Databases => false,
                TagsOf::Tables if self.fits_whole(expression, table) => reads(&grant.permissions),
                // Of part of a table ALL is no more than SELECT and DESCRIBE, and INSERT only DESCRIBE.
                TagsOf::Tables => {
                    let selects = grant.permissions.contains(&Permission::Select) || grant.permissions.contains(&Permission::All);
                    selects && fits(expression, &self.column_tags(table, column))
                }
            }),
        }
    }

    /// Whether a grant gives the name of a column by itself.
    fn names(&self, grant: &Grant, table: &TableName, column: &str) -> bool {
        match &grant.on {
            GrantOn::Table(name) => name == table,
            GrantOn::AllTables(name) => *name == table.database,
            GrantOn::Columns(name, choice) => name == table && choice.has(column),
            GrantOn::Filter(..) => self.filters_of(grant, table).iter().any(|filter| filter.columns.has(column)),
            on => self.expression(on).is_some_and(|(of, expression)| {
                of == TagsOf::Tables && (self.fits_whole(expression, table) || fits(expression, &self.column_tags(table, column)))
            }),
        }
    }

    fn filters_of(&self, grant: &Grant, table: &TableName) -> Vec<&DataFilter> {
        match &grant.on {
            GrantOn::Filter(name, filter) if name == table && reads(&grant.permissions) => {
                self.policy.filters.iter().find(|one| one.table == *table && one.name == *filter).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether the name of a column is seen, and of which rows its values.
    fn column(&self, table: &TableName, column: &str) -> (bool, Rows) {
        if !self.sees_table(table) {
            return (false, Rows::None);
        }
        let all: Vec<&str> = self.shape(table).columns.iter().map(|column| column.name.as_str()).collect();
        let is_key = self.shape(table).columns.iter().any(|one| one.name == column && one.is_partition_key);
        let any_selected = all.iter().any(|name| self.grants().any(|grant| self.selects(grant, table, name)));
        let changes = [Permission::Alter, Permission::Drop, Permission::Delete, Permission::Insert, Permission::All];
        let may_change = self.whole(table).iter().any(|permission| changes.contains(permission));
        let own_name = |name: &str| self.is_administrator() || may_change || self.grants().any(|grant| self.names(grant, table, name));
        let is_named = own_name(column) || (is_key && all.iter().any(|name| own_name(name)));
        let is_whole = self.grants().any(|grant| self.selects(grant, table, column)) || ((may_change || is_key) && any_selected);
        let filters: Vec<&DataFilter> = self
            .grants()
            .flat_map(|grant| self.filters_of(grant, table))
            .filter(|filter| filter.columns.has(column) || (is_key && all.iter().any(|name| filter.columns.has(name))))
            .collect();
        let mut lists = Vec::new();
        if !is_whole {
            if filters.is_empty() {
                return (is_named, Rows::None);
            }
            if filters.iter().all(|filter| filter.rows.is_some()) {
                lists.push(filters.iter().filter_map(|filter| filter.rows.clone()).collect());
            }
        }
        lists.extend(self.row_policies(table, &all));
        (is_named, if lists.is_empty() { Rows::All } else { Rows::Where(lists) })
    }

    /// The expressions of the row policies that hold, where any is attached to the table.
    fn row_policies(&self, table: &TableName, columns: &[&str]) -> Option<Vec<String>> {
        let (mut any, mut is_meant, mut own, mut default) = (false, false, Vec::new(), Vec::new());
        for policy in &self.policy.row_policies {
            for attachment in &policy.attached {
                let here = match &attachment.to {
                    AttachedTo::Table(name) => name == table,
                    AttachedTo::Tags(expression) => fits(expression, &self.table_tags(table)),
                };
                if !here {
                    continue;
                }
                any = true;
                let has = policy.columns.iter().all(|column| columns.contains(&column.as_str()));
                match &attachment.whom {
                    AttachedFor::Principal(name) if !self.names.contains(name) => {}
                    AttachedFor::Condition(condition) if self.holds(condition) == Some(false) => {}
                    // Nobody knows whether it holds: no rows, and not those of the others either.
                    AttachedFor::Condition(condition) if self.holds(condition).is_none() => is_meant = true,
                    AttachedFor::Default => default.extend(has.then(|| policy.rows.clone())),
                    _ => {
                        is_meant = true;
                        own.extend(has.then(|| policy.rows.clone()));
                    }
                }
            }
        }
        any.then_some(if is_meant { own } else { default })
    }
}

fn fits(expression: &TagExpression, tags: &Tags) -> bool {
    !expression.is_empty() && expression.iter().all(|(key, values)| tags.get(key).is_some_and(|value| values.contains(value)))
}

fn reads(permissions: &BTreeSet<Permission>) -> bool {
    [Permission::Select, Permission::Insert, Permission::All].iter().any(|one| permissions.contains(one))
}

/// Rows as sets: the order and the number of expressions mean nothing.
fn meant(rows: &Rows) -> Option<BTreeSet<BTreeSet<String>>> {
    match rows {
        Rows::None => None,
        Rows::All => Some(BTreeSet::new()),
        Rows::Where(lists) => Some(lists.iter().map(|list| list.iter().cloned().collect()).collect()),
    }
}

/// Numbers that are the same on every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % most
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    fn some<T: Clone + Ord>(&mut self, of: &[T]) -> BTreeSet<T> {
        let count = 1 + self.below(2);
        (0..count).map(|_| self.one(of)).collect()
    }
}

const DATABASES: [&str; 2] = ["shops", "web"];
const TABLES: [&str; 2] = ["sales", "access"];
const COLUMNS: [&str; 4] = ["day", "item", "price", "year"];
const PEOPLE: [&str; 4] = ["ann", "bob", "staff", "everyone"];

fn resources(dice: &mut Dice) -> Resources {
    let table = |dice: &mut Dice| {
        let keys = dice.below(2);
        let columns = COLUMNS.iter().enumerate().map(|(at, name)| ColumnShape {
            name: (*name).to_string(),
            data_type: "string".to_string(),
            is_partition_key: at + keys >= COLUMNS.len(),
        });
        TableShape { columns: columns.collect(), is_view: false }
    };
    DATABASES.iter().map(|name| ((*name).to_string(), TABLES.iter().map(|name| ((*name).to_string(), table(dice))).collect())).collect()
}

fn name(dice: &mut Dice) -> TableName {
    TableName { database: dice.one(&DATABASES).to_string(), table: dice.one(&TABLES).to_string() }
}

fn expression(dice: &mut Dice) -> TagExpression {
    let keys = dice.some(&["role", "area"]);
    keys.into_iter().map(|key| (key.to_string(), dice.some(&["x", "y"]).into_iter().map(str::to_string).collect())).collect()
}

fn choice(dice: &mut Dice) -> ColumnChoice {
    let names: BTreeSet<String> = dice.some(&COLUMNS).into_iter().map(str::to_string).collect();
    match dice.below(3) {
        0 => ColumnChoice::All,
        1 => ColumnChoice::Only(names),
        _ => ColumnChoice::AllBut(names),
    }
}

fn condition(dice: &mut Dice) -> String {
    dice.one(&["true", r#"context.iam.principalTags.getTag("team") == "sales""#, "principal in Group::\"x\""]).to_string()
}

fn rows(dice: &mut Dice) -> String {
    dice.one(&["item = 'a'", "item = 'b'", "day LIKE '2%'"]).to_string()
}

fn policy(dice: &mut Dice) -> Policy {
    let mut policy = Policy::default();
    policy.principals.insert(
        "ann".to_string(),
        Principal {
            arn: Some("arn:aws:iam::123456789012:role/ann".to_string()),
            groups: if dice.below(2) == 0 { BTreeSet::from(["staff".to_string()]) } else { BTreeSet::new() },
            tags: if dice.below(2) == 0 { Tags::from([("team".to_string(), "sales".to_string())]) } else { Tags::new() },
        },
    );
    policy
        .principals
        .insert("staff".to_string(), Principal { arn: None, groups: BTreeSet::from(["everyone".to_string()]), tags: Tags::new() });
    for _ in 0..dice.below(7) {
        let to = match dice.below(4) {
            0 => Tagged::Database(dice.one(&DATABASES).to_string()),
            1 => Tagged::Table(name(dice)),
            _ => Tagged::Columns(name(dice), dice.one(&["day", "item", "price", "*", "*e*", "p*"]).to_string()),
        };
        let tags = Tags::from([(dice.one(&["role", "area"]).to_string(), dice.one(&["x", "y"]).to_string())]);
        policy.assignments.push(Assignment { place: String::new(), to, tags });
    }
    policy.expressions.insert("saved".to_string(), expression(dice));
    for number in 0..dice.below(3) {
        let rows = if dice.below(3) == 0 { None } else { Some(rows(dice)) };
        policy.filters.push(DataFilter {
            place: String::new(),
            table: name(dice),
            name: format!("f{number}"),
            columns: choice(dice),
            rows,
        });
    }
    for number in 0..dice.below(7) {
        let of = if dice.below(3) == 0 { TagsOf::Databases } else { TagsOf::Tables };
        let on = match dice.below(9) {
            0 | 1 => GrantOn::Database(dice.one(&DATABASES).to_string()),
            2 => GrantOn::AllTables(dice.one(&DATABASES).to_string()),
            3 => GrantOn::Table(name(dice)),
            4 => GrantOn::Columns(name(dice), choice(dice)),
            5 => match policy.filters.as_slice() {
                [] => GrantOn::Filter(name(dice), "f9".to_string()),
                filters => {
                    let filter = &filters[dice.below(filters.len())];
                    GrantOn::Filter(filter.table.clone(), filter.name.clone())
                }
            },
            6 => GrantOn::Expression { of, name: dice.one(&["saved", "other"]).to_string() },
            _ => GrantOn::Tags { of, expression: expression(dice) },
        };
        let every = [Permission::Select, Permission::Select, Permission::Describe, Permission::Insert, Permission::Alter, Permission::All];
        policy.grants.push(Grant {
            // By which a reason is found again.
            place: format!("grant-{number}"),
            to: dice.one(&PEOPLE).to_string(),
            on,
            permissions: dice.some(&every),
            grant_option: BTreeSet::new(),
            condition: if dice.below(5) == 0 { Some(condition(dice)) } else { None },
        });
    }
    for number in 0..dice.below(3) {
        let attached = (0..1 + dice.below(2)).map(|_| Attachment {
            to: if dice.below(2) == 0 { AttachedTo::Table(name(dice)) } else { AttachedTo::Tags(expression(dice)) },
            whom: match dice.below(3) {
                0 => AttachedFor::Principal(dice.one(&PEOPLE).to_string()),
                1 => AttachedFor::Condition(condition(dice)),
                _ => AttachedFor::Default,
            },
        });
        let attached = attached.collect();
        let columns = BTreeSet::from([dice.one(&["item", "item", "shop"]).to_string()]);
        policy.row_policies.push(RowPolicy { place: String::new(), name: format!("r{number}"), columns, rows: rows(dice), attached });
    }
    if dice.below(8) == 0 {
        policy.administrators = vec![dice.one(&PEOPLE).to_string()];
    }
    policy
}

#[test]
fn two_implementations_mean_the_same() {
    let mut dice = Dice(20_261_126);
    let (mut seen, mut some, mut hidden) = (0, 0, 0);
    for round in 0..4_000 {
        let resources = resources(&mut dice);
        let policy = policy(&mut dice);
        let evaluator = Evaluator::new(policy.clone(), &resources);
        for principal in PEOPLE {
            let rules = Rules::of(&policy, &resources, principal);
            let access = evaluator.access(principal);
            let mut sights = evaluator.sights(principal).into_iter();
            for (database, tables) in &resources {
                assert_eq!(
                    access.databases[database].is_visible,
                    rules.sees_database(database),
                    "round {round}: {principal} {database}: {policy:#?}"
                );
                for table in tables.keys() {
                    let name = TableName { database: database.clone(), table: table.clone() };
                    let own = &access.databases[database].tables[table];
                    assert_eq!(own.is_visible, rules.sees_table(&name), "round {round}: {principal} {name}: {policy:#?}");
                    let explained = if round % 4 == 0 { evaluator.explain(principal, &name) } else { None };
                    for (at, column) in own.columns.iter().enumerate() {
                        let (named, rows) = rules.column(&name, &column.name);
                        let what = || format!("round {round}: {principal} {name}.{}: {policy:#?}", column.name);
                        assert_eq!((column.is_visible && own.is_visible, meant(&column.rows)), (named, meant(&rows)), "{}", what());
                        let sight = sights.next().unwrap();
                        assert_eq!(sight == Sight::All, rows == Rows::All, "{}", what());
                        assert_eq!(sight == Sight::Some, matches!(rows, Rows::Where(_)), "{}", what());
                        assert_eq!(sight != Sight::Nothing, named, "{}", what());
                        let is_reason = |reason: &String| {
                            let grant = policy.grants.iter().any(|grant| reason.starts_with(&format!("{grant} ({})", grant.place)));
                            grant || reason.starts_with("it is a partition key") || reason.starts_with("the principal is an administrator")
                        };
                        if let Some(reasons) = explained.as_ref().map(|explained| &explained.columns[at]) {
                            assert!(reasons.because.iter().all(is_reason), "{} {reasons:?}", what());
                            assert_eq!(reasons.because.is_empty(), sight == Sight::Nothing, "{} {reasons:?}", what());
                        }
                        match sight {
                            Sight::All => seen += 1,
                            Sight::Some => some += 1,
                            _ => hidden += 1,
                        }
                    }
                }
            }
        }
    }
    // What is generated is not all the same.
    assert!(seen > 5_000 && some > 2_000 && hidden > 50_000, "{seen} {some} {hidden}");
}
