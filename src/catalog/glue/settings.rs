//! Which Glue catalog, and how its databases are called.

use crate::aws::AwsSettings;
use serde::{Deserialize, Serialize};

/// A Glue Data Catalog.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct GlueSettings {
    /// What names of databases begin with there, before those of the lake.
    #[serde(default)]
    pub database_prefix: String,
    /// The account whose catalog it is, where that is another than that of the keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalog_id: Option<String>,
    /// Such as `eu-central-1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

impl GlueSettings {
    /// The name of the lake's database there.
    pub fn database(&self, database: &str) -> String {
        format!("{}{database}", self.database_prefix)
    }

    /// How it is reached; `others` say what this leaves out.
    pub(super) fn aws(&self, others: &AwsSettings) -> AwsSettings {
        AwsSettings { region: self.region.clone(), ..AwsSettings::default() }.or(others.clone())
    }
}
