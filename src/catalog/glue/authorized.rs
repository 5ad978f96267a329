//! What Glue tells an engine that enforces column permissions itself: which columns whose keys are used may have.

use super::client::GlueCatalog;
use crate::aws::code;
use crate::error::Result;
use crate::storage::wait;
use aws_sdk_glue::types::PermissionType;
use std::collections::BTreeSet;

/// Glue's answer about a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authorized {
    /// These columns, in lower case.
    Columns(BTreeSet<String>),
    /// IAM decides alone: the table's location is not registered with Lake Formation.
    Unregistered,
    /// Glue doesn't tell, for this reason: only [engines that the account admits][engines] are told.
    ///
    /// [engines]: https://docs.aws.amazon.com/lake-formation/latest/dg/permitting-third-party-call.html
    Untold(String),
}

impl GlueCatalog {
    /// What Glue lets whose keys are used have of a table, by
    /// [GetUnfilteredTableMetadata](https://docs.aws.amazon.com/glue/latest/webapi/API_GetUnfilteredTableMetadata.html).
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] where there is no answer at all.
    pub fn authorized(&self, database: &str, table: &str) -> Result<Authorized> {
        let (this, database, table) = (self.clone(), database.to_string(), table.to_string());
        wait(async move {
            let Some(id) = this.catalog_id() else { return Ok(Authorized::Untold("the catalog's account is not known".to_string())) };
            let asked = this.client.get_unfiltered_table_metadata().catalog_id(id).database_name(&database).name(&table);
            let asked = asked.supported_permission_types(PermissionType::ColumnPermission);
            match asked.supported_permission_types(PermissionType::CellFilterPermission).send().await {
                Ok(told) if !told.is_registered_with_lake_formation() => Ok(Authorized::Unregistered),
                Ok(told) => Ok(Authorized::Columns(told.authorized_columns().iter().map(|column| column.to_lowercase()).collect())),
                Err(error) => match code(&error) {
                    // What there is nothing of for somebody is not there for them.
                    Some("EntityNotFoundException") => Ok(Authorized::Columns(BTreeSet::new())),
                    Some(code) => Ok(Authorized::Untold(code.to_string())),
                    None => Err(this.failed(&format!("can't read the permissions on {database}.{table}"), &error)),
                },
            }
        })
    }
}
