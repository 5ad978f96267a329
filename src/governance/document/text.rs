//! A policy as it is written. The comments here are what editors show: they come from the JSON Schema.

use super::words::Version;
use crate::governance::permission::Permission;
use crate::governance::policy::{Mode, TagsOf};
use crate::yaml::{Named, Needed, OneOrMany, Text, Value, section};

section! {
    /// Access rules modelled on AWS Lake Formation: LF-Tags, grants, filters.
    pub(crate) struct GovernanceText {
        /// Version of this format: 1. Only in a file of its own.
        version: Option<Value<Version>>,
        /// Owner of a policy in a file of its own: lower-case letters, digits, `_` and `-`; default: the file's name.
        name: Option<Text>,
        /// Description, for people.
        description: Option<Text>,
        /// LF-Tags with their allowed values.
        tags: Option<Named<Vec<Text>>>,
        /// Principals behind the names in grants. A name that isn't listed here is that of a role, or an ARN.
        principals: Option<Named<PrincipalText>>,
        /// LF-Tags of databases, tables and columns.
        assignments: Option<Vec<AssignmentText>>,
        /// Named LF-Tag expressions, as saved in Lake Formation.
        expressions: Option<Named<Named<OneOrMany<Text>>>>,
        /// Who may do what.
        grants: Option<Vec<GrantText>>,
        /// Data cells filters: some columns of some rows of a table. Grants refer to them by name.
        filters: Option<Vec<FilterText>>,
        /// Row-level security: which rows of a table a principal sees, whatever is granted. Keyed by policy name.
        row_policies: Option<Named<RowPolicyText>>,
        /// Data lake administrators: they see all names, but no values that aren't granted to them.
        administrators: Option<OneOrMany<Text>>,
        /// Locations to register with Lake Formation.
        locations: Option<Vec<LocationText>>,
        /// Principals that opt in to Lake Formation for a location in hybrid mode.
        opt_ins: Option<Vec<OptInText>>,
        /// Revoke what `IAMAllowedPrincipals` has by default on the databases and tables named here; without this, tags have no effect in AWS.
        revoke_iam_allowed_principals: Option<Value<bool>>,
        /// What to do with other tags and grants on the same resources: keep them (`additive`, the default) or remove them (`authoritative`).
        mode: Option<Value<Mode>>,
    }
}

section! {
    /// Who a name refers to.
    pub(crate) struct PrincipalText {
        /// ARN of a role, user or group, or an account of twelve digits. Default: a role with this name in the account of the credentials.
        arn: Option<Text>,
        /// Groups whose grants this principal also has.
        groups: Option<OneOrMany<Text>>,
        /// Its IAM tags, for conditions.
        tags: Option<Named<Text>>,
    }
}

section! {
    /// The LF-Tags of a database, or of a table and its columns.
    pub(crate) struct AssignmentText {
        /// A database; everything in it inherits its tags.
        database: Option<Text>,
        /// `database.table`.
        table: Option<Text>,
        /// The tags of the database or table: one value per key.
        tags: Option<Named<Text>>,
        /// The tags of individual columns, by name; `*` matches any characters, as in `'*_price'`. A name takes precedence over a pattern.
        columns: Option<Named<Named<Text>>>,
    }
}

section! {
    /// Who may do what.
    pub(crate) struct GrantText {
        /// A name of `principals`, a role's name, an ARN, an account, `IAMPrincipals`, or `IAMAllowedPrincipals`; one or a list.
        to: Needed<OneOrMany<Text>>,
        /// The resource.
        on: Needed<GrantOnText>,
        /// The permissions.
        permissions: Needed<Vec<Value<Permission>>>,
        /// Permissions that may be granted to others.
        grant_option: Option<Vec<Value<Permission>>>,
        /// Condition under which the grant applies, in Cedar: `context.iam.principalTags.getTag("department") == "sales"`.
        condition: Option<Text>,
    }
}

section! {
    /// The resource of a grant: exactly one of `tags`, `expression`, `database`, `all_tables`, `table` and `location`.
    pub(crate) struct GrantOnText {
        /// Everything that has these LF-Tags, each with one of its values.
        tags: Option<Named<OneOrMany<Text>>>,
        /// The same as `tags`, by the name of an expression.
        expression: Option<Text>,
        /// Whether the tags are those of `tables` and their columns (the default), or of `databases`.
        of: Option<Value<TagsOf>>,
        /// A database.
        database: Option<Text>,
        /// All tables of a database, including future ones.
        all_tables: Option<Text>,
        /// `database.table`.
        table: Option<Text>,
        /// Only these columns of the table.
        columns: Option<OneOrMany<Text>>,
        /// All columns of the table except these.
        except: Option<OneOrMany<Text>>,
        /// The rows and columns of one of the table's `filters`.
        filter: Option<Text>,
        /// A location: `s3://bucket/prefix`.
        location: Option<Text>,
    }
}

section! {
    /// Some columns of some rows of a table.
    pub(crate) struct FilterText {
        /// Unique within the table.
        name: Needed<Text>,
        /// `database.table`.
        table: Needed<Text>,
        /// Only these columns; without this or `except`, all columns.
        columns: Option<OneOrMany<Text>>,
        /// All columns except these.
        except: Option<OneOrMany<Text>>,
        /// Which rows: `shop_id = 25 AND day LIKE '2020-%'`. Default: all.
        rows: Option<Text>,
    }
}

section! {
    /// Which rows are visible, and to whom.
    pub(crate) struct RowPolicyText {
        /// Which rows: `shop_id = 25`.
        rows: Needed<Text>,
        /// Where it applies, and for whom.
        attached: Needed<Vec<AttachmentText>>,
    }
}

section! {
    /// One of `table` and `tags`, and one of `to`, `condition` and `default`.
    pub(crate) struct AttachmentText {
        /// `database.table`.
        table: Option<Text>,
        /// All tables that have these LF-Tags, each with one of its values.
        tags: Option<Named<OneOrMany<Text>>>,
        /// For this principal.
        to: Option<Text>,
        /// For all principals for whose tags this is true, in Cedar.
        condition: Option<Text>,
        /// `true`: for everybody who has no other row policy attached on the table.
        default: Option<Value<bool>>,
    }
}

section! {
    /// A location that is registered with Lake Formation.
    pub(crate) struct LocationText {
        /// `s3://bucket/prefix`.
        location: Needed<Text>,
        /// ARN of the role that reads it; default: the service-linked role.
        role: Option<Text>,
        /// Hybrid mode: Lake Formation decides only for those who opted in.
        hybrid: Option<Value<bool>>,
    }
}

section! {
    /// Opts a principal in to Lake Formation for a database or table.
    pub(crate) struct OptInText {
        /// A name of `principals`, a role's name, or an ARN.
        principal: Needed<Text>,
        /// A database.
        database: Option<Text>,
        /// `database.table`.
        table: Option<Text>,
    }
}
