//! What is to be known of an account before tags mean anything in it.

use super::account::ALLOWED;
use super::client::LakeFormation;
use super::shapes::{grant_on, granted};
use crate::error::Result;
use crate::governance::policy::GrantOn;
use crate::storage::wait;
use aws_sdk_lakeformation::types::VerificationStatus;
use std::collections::{BTreeMap, BTreeSet};

/// What an account's Lake Formation is like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checkup {
    /// New databases and new tables are everybody's whom IAM allows.
    pub opens_databases: bool,
    pub opens_tables: bool,
    pub administrators: BTreeSet<String>,
    /// What `IAMAllowedPrincipals` has something on.
    pub allowed: BTreeSet<GrantOn>,
    /// Registered places, each with what keeps it from being used.
    pub locations: BTreeMap<String, Option<String>>,
    /// Who may see the database `default`, which Athena asks for.
    pub sees_default: BTreeSet<String>,
    /// Ids in the place of principals that are gone.
    pub gone: BTreeSet<String>,
}

impl LakeFormation {
    /// Looks at the account; nothing is changed.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] for the first thing that can't be read.
    pub fn checkup(&self) -> Result<Checkup> {
        let this = self.clone();
        wait(async move { this.look().await })
    }

    async fn look(&self) -> Result<Checkup> {
        let mut checkup = Checkup::default();
        let asked = self.client.get_data_lake_settings().set_catalog_id(self.catalog().cloned()).send().await;
        let told = asked.map_err(|error| self.failed("can't read the settings", &error))?;
        if let Some(settings) = told.data_lake_settings() {
            let opens = |all: &[aws_sdk_lakeformation::types::PrincipalPermissions]| {
                all.iter().any(|one| one.principal().and_then(|who| who.data_lake_principal_identifier()) == Some(ALLOWED))
            };
            checkup.opens_databases = opens(settings.create_database_default_permissions());
            checkup.opens_tables = opens(settings.create_table_default_permissions());
            let administrators = settings.data_lake_admins().iter();
            checkup.administrators = administrators.filter_map(|one| one.data_lake_principal_identifier().map(str::to_string)).collect();
        }
        let mut pages = self.client.list_permissions().set_catalog_id(self.catalog().cloned()).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.failed("can't list the permissions", &error))?;
            for entry in page.principal_resource_permissions() {
                let Some(who) = entry.principal().and_then(|who| who.data_lake_principal_identifier()) else { continue };
                // What is left of a deleted role or user is its unique id.
                if ["AROA", "AIDA", "AGPA"]
                    .iter()
                    .any(|prefix| who.rsplit('/').next().is_some_and(|name| name.starts_with(prefix) && name.len() > 16))
                {
                    checkup.gone.insert(who.to_string());
                }
                if let Some((key, _)) = granted(entry) {
                    if key.principal == ALLOWED {
                        checkup.allowed.insert(key.on.clone());
                    }
                    if key.on == GrantOn::Database("default".to_string()) {
                        checkup.sees_default.insert(key.principal);
                    }
                } else if who == ALLOWED
                    && let Some(on) = entry.resource().and_then(grant_on)
                {
                    checkup.allowed.insert(on);
                }
            }
        }
        let mut pages = self.client.list_resources().into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.failed("can't list the registered locations", &error))?;
            for one in page.resource_info_list() {
                let wrong = match one.verification_status() {
                    Some(VerificationStatus::VerificationFailed) => Some("its role can't read it".to_string()),
                    Some(VerificationStatus::NotVerified) => Some("its role's access was not checked".to_string()),
                    _ if one.hybrid_access_enabled() == Some(true) => {
                        Some("it is in hybrid mode: permissions apply only to those who opted in".to_string())
                    }
                    _ => None,
                };
                checkup.locations.insert(one.resource_arn().unwrap_or_default().to_string(), wrong);
            }
        }
        Ok(checkup)
    }
}
