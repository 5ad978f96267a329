//! The words by which a policy's file writes the values of enums.

use crate::governance::permission::Permission;
use crate::governance::policy::{Mode, TagsOf};
use crate::yaml::{Word, words};

words!(Permission {
    "select" => Permission::Select,
    "describe" => Permission::Describe,
    "insert" => Permission::Insert,
    "delete" => Permission::Delete,
    "alter" => Permission::Alter,
    "drop" => Permission::Drop,
    "create_table" => Permission::CreateTable,
    "data_location_access" => Permission::DataLocationAccess,
    "all" => Permission::All,
});
words!(Mode { "additive" => Mode::Additive, "authoritative" => Mode::Authoritative });
words!(TagsOf { "tables" => TagsOf::Tables, "databases" => TagsOf::Databases });

/// The version of the file's format.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Version;

impl Word for Version {
    const KIND: &'static str = "integer";

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "1" => Ok(Version),
            _ => Err("this version of etl reads version 1; write `version: 1`".to_string()),
        }
    }
}
