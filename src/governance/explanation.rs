//! Why a principal sees what it sees of a table, and not the rest.

use super::access::{Rows, Sight};
use super::effective::{EffectiveTags, Level};
use super::evaluator::Evaluator;
use super::grant_text::in_words;
use super::identity::Identity;
use super::permission::Permission;
use super::policy::{AttachedFor, AttachedTo, Grant, GrantOn, TagExpression, TagsOf};
use super::principal::{IAM_ALLOWED_PRINCIPALS, IAM_PRINCIPALS};
use crate::catalog::TableName;
use serde::Serialize;

/// What a principal sees of a table, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    pub principal: String,
    /// The groups whose grants are its own, and its ARN.
    pub is_also: Vec<String>,
    pub table: TableName,
    pub sees_database: bool,
    /// The grants by which it sees the database.
    pub database_because: Vec<String>,
    pub sees_table: bool,
    pub columns: Vec<ColumnExplanation>,
    /// The row policies of the table, and whom they are for.
    pub row_policies: Vec<String>,
    /// Grants whose condition is not understood here: AWS may decide otherwise.
    pub unknown: Vec<String>,
}

/// What a principal sees of a column, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnExplanation {
    pub column: String,
    pub sees: Sight,
    /// Of which rows, where it is not all: each list is a choice, and all lists must hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<Vec<String>>,
    pub tags: Vec<TagOrigin>,
    /// What lets it be seen.
    pub because: Vec<String>,
    /// What would let it be seen, were it not for this.
    pub not_because: Vec<String>,
}

/// A tag that something has, and where it has it from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TagOrigin {
    pub key: String,
    pub value: String,
    pub assigned_to: Level,
}

impl TagOrigin {
    /// Those of `tags`.
    pub fn of(tags: &EffectiveTags) -> Vec<TagOrigin> {
        tags.iter().map(|(key, (value, level))| TagOrigin { key: key.clone(), value: value.clone(), assigned_to: *level }).collect()
    }
}

impl Evaluator {
    /// What `principal` sees of `table`, column by column, with the grants that let it; nothing where there is no such table.
    pub fn explain(&self, principal: &str, table: &TableName) -> Option<Explanation> {
        let at = self.index().table(table)?;
        let access = self.access(principal);
        let database = access.databases.get(&table.database)?;
        let seen = database.tables.get(&table.table)?;
        let identity = self.identity(principal);
        let reaching = self.reaching(&identity);
        let is_administrator = self.policy().administrators.iter().any(|name| identity.is(name));
        let own = &self.index().tables[at];
        let tags = self.tags().tables.get(table)?;
        let sights = self.sights(principal);
        let mut columns = Vec::new();
        for (number, column) in own.columns.clone().zip(&seen.columns) {
            let mut because = Vec::new();
            let mut not_because = Vec::new();
            let is_key = own.keys.contains(&number);
            let column_tags = &tags.columns[number - own.columns.start];
            for grant in &reaching {
                let (coverage, grant) = (self.coverage(*grant), &self.policy().grants[*grant]);
                let filtered = coverage.filters.iter().any(|(_, filter)| self.policy().filters[*filter].columns.has(&column.name));
                if coverage.selected.has(number)
                    || coverage.described.has(number)
                    || (filtered && coverage.filters.iter().any(|(of, _)| *of == at))
                {
                    because.push(self.reason(grant, column_tags));
                } else if coverage.tables.iter().any(|(of, held)| *of == at && changes(held)) {
                    because.push(format!("{}: whoever may change a table sees all of its columns", self.reason(grant, column_tags)));
                } else if let Some(why) = self.misses(grant, table, column_tags) {
                    not_because.push(why);
                }
            }
            if is_key && because.is_empty() && column.is_visible && !is_administrator {
                because.push("it is a partition key, visible if any other column is".to_string());
            }
            if is_administrator {
                because.push("the principal is an administrator, who sees all names".to_string());
            }
            if !because.is_empty() && !seen.is_visible {
                let hidden =
                    if database.is_visible { "the table is not visible" } else { "the database is not visible: grant `describe` on it" };
                not_because = vec![format!("{}, but {hidden}", because.join("; "))];
                because.clear();
            }
            columns.push(ColumnExplanation {
                column: column.name.clone(),
                sees: sights[number],
                rows: match &column.rows {
                    Rows::Where(lists) => lists.clone(),
                    _ => Vec::new(),
                },
                tags: TagOrigin::of(column_tags),
                because,
                not_because,
            });
        }
        Some(Explanation {
            principal: principal.to_string(),
            is_also: identity
                .names()
                .filter(|name| *name != principal && *name != IAM_PRINCIPALS && *name != IAM_ALLOWED_PRINCIPALS)
                .map(str::to_string)
                .collect(),
            table: table.clone(),
            sees_database: database.is_visible,
            database_because: self.database_reasons(own.database, &reaching, is_administrator),
            sees_table: seen.is_visible,
            columns,
            row_policies: self.row_policy_reasons(table, &identity),
            unknown: self.unknown(&identity),
        })
    }

    fn database_reasons(&self, database: usize, reaching: &[usize], is_administrator: bool) -> Vec<String> {
        let lets = |grant: &&usize| {
            let own = &self.policy().grants[**grant];
            let hidden = own.condition.is_some() && matches!(own.on, GrantOn::AllTables(_));
            !hidden && self.coverage(**grant).databases.iter().any(|(at, _)| *at == database)
        };
        let mut reasons: Vec<String> = reaching.iter().filter(lets).map(|grant| said(&self.policy().grants[*grant])).collect();
        if is_administrator {
            reasons.push("the principal is an administrator, who sees all names".to_string());
        }
        reasons
    }

    /// A grant, and by which tags it reaches the column.
    fn reason(&self, grant: &Grant, tags: &EffectiveTags) -> String {
        let Some(expression) = self.expression(&grant.on) else { return said(grant) };
        let by: Vec<String> =
            expression.keys().filter_map(|key| tags.get(key).map(|(value, level)| format!("{key}={value} of the {level}"))).collect();
        if by.is_empty() { said(grant) } else { format!("{}, by {}", said(grant), by.join(" and ")) }
    }

    fn expression<'e>(&'e self, on: &'e GrantOn) -> Option<&'e TagExpression> {
        match on {
            GrantOn::Tags { of: TagsOf::Tables, expression } => Some(expression),
            GrantOn::Expression { of: TagsOf::Tables, name } => self.policy().expressions.get(name),
            _ => None,
        }
    }

    /// Why a grant that is about tables does not reach a column.
    fn misses(&self, grant: &Grant, table: &TableName, tags: &EffectiveTags) -> Option<String> {
        if let Some(expression) = self.expression(&grant.on) {
            let missing: Vec<String> = expression
                .iter()
                .filter_map(|(key, values)| match tags.get(key) {
                    None => Some(format!("it has no tag {key}")),
                    Some((value, _)) if values.contains(value) => None,
                    Some((value, level)) => Some(format!("it has {key}={value} of the {level}")),
                })
                .collect();
            return Some(format!("{}: {}", said(grant), missing.join(", ")));
        }
        match &grant.on {
            GrantOn::Columns(of, choice) if of == table => Some(format!("{}: {choice}", said(grant))),
            GrantOn::Filter(of, _) if of == table => Some(format!("{}: excluded by the filter", said(grant))),
            _ => None,
        }
    }

    fn row_policy_reasons(&self, table: &TableName, identity: &Identity) -> Vec<String> {
        let mut reasons = Vec::new();
        for policy in &self.policy().row_policies {
            for attachment in &policy.attached {
                let on_table = match &attachment.to {
                    AttachedTo::Table(name) => name == table,
                    AttachedTo::Tags(expression) => {
                        self.index().table(table).is_some_and(|at| self.index().tables_with(expression).has(at))
                    }
                };
                if !on_table {
                    continue;
                }
                let to = match &attachment.to {
                    AttachedTo::Table(_) => String::new(),
                    AttachedTo::Tags(expression) => format!(", by {}", in_words(expression)),
                };
                let whom = match &attachment.whom {
                    AttachedFor::Principal(name) if identity.is(name) => format!("for {name}"),
                    AttachedFor::Principal(name) => format!("for {name}, a different principal"),
                    AttachedFor::Condition(condition) => match identity.meets(condition) {
                        Some(true) => format!("where {condition}, which holds"),
                        Some(false) => format!("where {condition}, which does not hold"),
                        None => format!("where {condition}, which is not supported here: no rows are visible"),
                    },
                    AttachedFor::Default => "for everybody without another row policy".to_string(),
                };
                reasons.push(format!("{}: {}, {whom}{to}", policy.name, policy.rows));
            }
        }
        reasons
    }

    /// Grants that would reach the principal, if their condition held.
    fn unknown(&self, identity: &Identity) -> Vec<String> {
        let unknown = |grant: &&Grant| {
            identity.is(&grant.to) && grant.condition.as_deref().is_some_and(|condition| identity.meets(condition).is_none())
        };
        self.policy().grants.iter().filter(unknown).map(said).collect()
    }
}

fn changes(held: &std::collections::BTreeSet<Permission>) -> bool {
    [Permission::Alter, Permission::Drop, Permission::Delete, Permission::Insert, Permission::All].iter().any(|one| held.contains(one))
}

/// A grant in words, and who says it.
fn said(grant: &Grant) -> String {
    if grant.place.is_empty() { grant.to_string() } else { format!("{grant} ({})", grant.place) }
}
