//! A policy as it is written. The comments here are what editors show: they come from the JSON Schema.

use super::words::Version;
use crate::governance::permission::Permission;
use crate::governance::policy::{Mode, TagsOf};
use crate::yaml::{Named, Needed, OneOrMany, Text, Value, section};

section! {
    /// Who may see what: LF-Tags, grants, filters, after the model of AWS Lake Formation.
    pub(crate) struct GovernanceText {
        /// The version of this format: 1. In a file of its own only.
        version: Option<Value<Version>>,
        /// Whose policy it is, in a file of its own: lower-case letters, digits, `_` and `-`; the file's name where not given.
        name: Option<Text>,
        /// What it is for.
        description: Option<Text>,
        /// LF-Tags with the values that they may have.
        tags: Option<Named<Vec<Text>>>,
        /// Who is meant by the names in grants. A name that doesn't stand here is that of a role, or an ARN.
        principals: Option<Named<PrincipalText>>,
        /// Which database, table or column has which LF-Tags.
        assignments: Option<Vec<AssignmentText>>,
        /// Expressions of LF-Tags that have names, as Lake Formation saves them.
        expressions: Option<Named<Named<OneOrMany<Text>>>>,
        /// Who may do what.
        grants: Option<Vec<GrantText>>,
        /// Data cells filters: some columns of some rows of a table. Grants name them.
        filters: Option<Vec<FilterText>>,
        /// Row-level security: which rows of a table a principal sees, however the table was granted. By the names of the policies.
        row_policies: Option<Named<RowPolicyText>>,
        /// Data lake administrators: they see all names, and no value that isn't granted to them.
        administrators: Option<OneOrMany<Text>>,
        /// Places to register with Lake Formation.
        locations: Option<Vec<LocationText>>,
        /// For whom Lake Formation decides where a location is in hybrid mode.
        opt_ins: Option<Vec<OptInText>>,
        /// Take `IAMAllowedPrincipals` what it has by default on the databases and tables that are named here; without that tags change nothing in AWS.
        revoke_iam_allowed_principals: Option<Value<bool>>,
        /// What becomes of other tags and grants on the same resources: they stay (`additive`, which is what you get) or go (`authoritative`).
        mode: Option<Value<Mode>>,
    }
}

section! {
    /// Who a name stands for.
    pub(crate) struct PrincipalText {
        /// The ARN of a role, user or group, or an account: twelve digits. Where not given the name is that of a role of the account of the keys.
        arn: Option<Text>,
        /// Names whose grants are also this one's.
        groups: Option<OneOrMany<Text>>,
        /// The tags that IAM has of it, which conditions ask for.
        tags: Option<Named<Text>>,
    }
}

section! {
    /// The LF-Tags of a database, or of a table and its columns.
    pub(crate) struct AssignmentText {
        /// A database: all that is in it inherits its tags.
        database: Option<Text>,
        /// `database.table`.
        table: Option<Text>,
        /// The tags of the database or table: of each key one value.
        tags: Option<Named<Text>>,
        /// The tags of single columns, by their names; `*` stands for any letters, as in `'*_price'`. A name wins over a pattern.
        columns: Option<Named<Named<Text>>>,
    }
}

section! {
    /// Who may do what.
    pub(crate) struct GrantText {
        /// A name of `principals`, a role's name, an ARN, an account, `IAMPrincipals`, or `IAMAllowedPrincipals`; one or a list.
        to: Needed<OneOrMany<Text>>,
        /// What it is about.
        on: Needed<GrantOnText>,
        /// What is allowed.
        permissions: Needed<Vec<Value<Permission>>>,
        /// What of it may be passed on to others.
        grant_option: Option<Vec<Value<Permission>>>,
        /// For whom of them it holds, in Cedar: `context.iam.principalTags.getTag("department") == "sales"`.
        condition: Option<Text>,
    }
}

section! {
    /// What a grant is about: exactly one of `tags`, `expression`, `database`, `all_tables`, `table` and `location`.
    pub(crate) struct GrantOnText {
        /// All that has these LF-Tags, each with one of its values.
        tags: Option<Named<OneOrMany<Text>>>,
        /// The same by the name of an expression.
        expression: Option<Text>,
        /// Whether tags are those of `tables` and their columns, which is what you get, or of `databases`.
        of: Option<Value<TagsOf>>,
        /// A database.
        database: Option<Text>,
        /// All tables of a database, also those to come.
        all_tables: Option<Text>,
        /// `database.table`.
        table: Option<Text>,
        /// Only these columns of the table.
        columns: Option<OneOrMany<Text>>,
        /// All columns of the table but these.
        except: Option<OneOrMany<Text>>,
        /// The rows and columns of one of the table's `filters`.
        filter: Option<Text>,
        /// A place: `s3://bucket/prefix`.
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
        /// Only these columns; all where neither this nor `except` is given.
        columns: Option<OneOrMany<Text>>,
        /// All columns but these.
        except: Option<OneOrMany<Text>>,
        /// Which rows: `shop_id = 25 AND day LIKE '2020-%'`. All where not given.
        rows: Option<Text>,
    }
}

section! {
    /// Which rows are seen, and by whom.
    pub(crate) struct RowPolicyText {
        /// Which rows: `shop_id = 25`.
        rows: Needed<Text>,
        /// Where it holds, and for whom.
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
        /// For all of whose tags this is true, in Cedar.
        condition: Option<Text>,
        /// `true`: for those for whom no other row policy of the table is attached.
        default: Option<Value<bool>>,
    }
}

section! {
    /// A place that is registered with Lake Formation.
    pub(crate) struct LocationText {
        /// `s3://bucket/prefix`.
        location: Needed<Text>,
        /// The ARN of the role by which it is read; the service-linked role where not given.
        role: Option<Text>,
        /// Lake Formation decides only for those who opted in.
        hybrid: Option<Value<bool>>,
    }
}

section! {
    /// That Lake Formation decides for a principal about a database or table.
    pub(crate) struct OptInText {
        /// A name of `principals`, a role's name, or an ARN.
        principal: Needed<Text>,
        /// A database.
        database: Option<Text>,
        /// `database.table`.
        table: Option<Text>,
    }
}
