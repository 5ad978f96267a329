//! What Glue is asked.

use super::settings::GlueSettings;
use super::shapes;
use crate::aws::{AwsSettings, Calls, Service, code, config, failed};
use crate::catalog::entry::{Entry, Partition};
use crate::catalog::readers::There;
use crate::error::{Error, ErrorKind, Result};
use crate::storage::wait;
use aws_config::SdkConfig;
use aws_sdk_glue::Client;
use aws_sdk_glue::config::Builder;
use aws_sdk_glue::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_glue::types::{self, DatabaseInput};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use std::fmt;

/// The most tables, partitions and databases that come in one answer.
const PAGE: i32 = 1000;
const TABLES_PAGE: i32 = 100;

/// A Glue Data Catalog that can be asked.
#[derive(Clone)]
pub struct GlueCatalog {
    pub(super) client: Client,
    config: SdkConfig,
    settings: GlueSettings,
}

impl fmt::Debug for GlueCatalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GlueCatalog").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl GlueCatalog {
    /// The catalog of `settings`; what these leave out of how it is reached, `aws` says. Nothing is asked yet.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where no region is known.
    pub fn connect(settings: &GlueSettings, aws: &AwsSettings) -> Result<GlueCatalog> {
        let mut settings = settings.clone();
        let aws = settings.aws(aws);
        let config = wait(async move { config(Service::Glue, &aws).await })?;
        settings.region = config.region().map(ToString::to_string);
        Ok(GlueCatalog { client: Client::from_conf(Builder::from(&config).interceptor(Calls).build()), config, settings })
    }

    /// Which catalog it is, with its region.
    pub fn settings(&self) -> &GlueSettings {
        &self.settings
    }

    pub(super) fn catalog_id(&self) -> Option<String> {
        self.settings.catalog_id.clone()
    }

    /// The error of `doing` something.
    pub(super) fn failed<E>(&self, doing: &str, error: &SdkError<E, HttpResponse>) -> Error
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let kind = match code(error) {
            Some("ConcurrentModificationException" | "VersionMismatchException") => ErrorKind::Conflict,
            _ if doing.starts_with("can't read") || doing.starts_with("can't list") => ErrorKind::Input,
            _ => ErrorKind::Output,
        };
        failed(kind, Service::Glue, doing, &self.config, error)
    }

    /// A table as Glue has it, with its version.
    pub(super) async fn find(&self, database: &str, name: &str) -> Result<Option<types::Table>> {
        let asked = self.client.get_table().set_catalog_id(self.catalog_id()).database_name(database).name(name).send().await;
        match asked {
            Ok(answer) => Ok(answer.table),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(self.failed(&format!("can't read the table {database}.{name}"), &error)),
        }
    }

    /// The table without its partitions.
    pub(super) async fn alone(&self, database: &str, name: &str) -> Result<There> {
        let Some(table) = self.find(database, name).await? else { return Ok(There::default()) };
        Ok(There {
            entry: Some(shapes::entry(&table)),
            partitions: Vec::new(),
            version: table.version_id().map(str::to_string),
            foreign: shapes::foreign(&table),
        })
    }

    /// The table, and its partitions if it can have some.
    pub(super) async fn there(&self, database: &str, name: &str) -> Result<There> {
        let mut there = self.alone(database, name).await?;
        if there.entry.as_ref().is_some_and(|entry| !entry.partition_keys.is_empty()) {
            there.partitions = self.registered(database, name).await?;
        }
        Ok(there)
    }

    /// Makes the database, if it is not there; whether it did.
    pub(super) async fn ensure_database(&self, database: &str) -> Result<bool> {
        let asked = self.client.get_database().set_catalog_id(self.catalog_id()).name(database).send().await;
        match asked {
            Ok(_) => return Ok(false),
            Err(error) if is_missing(&error) => {}
            Err(error) => return Err(self.failed(&format!("can't read the database {database}"), &error)),
        }
        let input = DatabaseInput::builder().name(database).build().map_err(incomplete)?;
        let made = self.client.create_database().set_catalog_id(self.catalog_id()).database_input(input).send().await;
        match made {
            Ok(_) => Ok(true),
            Err(error) if code(&error) == Some("AlreadyExistsException") => Ok(false),
            Err(error) => Err(self.failed(&format!("can't create the database {database}"), &error)),
        }
    }

    /// The partitions that are registered.
    pub(super) async fn registered(&self, database: &str, name: &str) -> Result<Vec<Partition>> {
        let asked = self.client.get_partitions().set_catalog_id(self.catalog_id()).database_name(database).table_name(name);
        let mut pages = asked.max_results(PAGE).into_paginator().send();
        let mut partitions = Vec::new();
        while let Some(page) = pages.next().await {
            match page {
                Ok(page) => partitions.extend(page.partitions().iter().map(shapes::partition)),
                Err(error) if is_missing(&error) => return Ok(Vec::new()),
                Err(error) => return Err(self.failed(&format!("can't read the partitions of {database}.{name}"), &error)),
            }
        }
        partitions.sort_by(|a, b| a.values.cmp(&b.values));
        // A page may have what the one before had, where partitions came meanwhile.
        partitions.dedup_by(|a, b| a.values == b.values);
        Ok(partitions)
    }

    pub(super) async fn all_databases(&self) -> Result<Vec<String>> {
        let mut pages = self.client.get_databases().set_catalog_id(self.catalog_id()).max_results(TABLES_PAGE).into_paginator().send();
        let mut names = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.failed("can't list the databases", &error))?;
            names.extend(page.database_list().iter().map(|database| database.name().to_string()));
        }
        names.sort();
        Ok(names)
    }

    pub(super) async fn all_tables(&self, database: &str) -> Result<Vec<Entry>> {
        let asked = self.client.get_tables().set_catalog_id(self.catalog_id()).database_name(database);
        let mut pages = asked.max_results(TABLES_PAGE).into_paginator().send();
        let mut tables = Vec::new();
        while let Some(page) = pages.next().await {
            match page {
                Ok(page) => tables.extend(page.table_list().iter().map(shapes::entry)),
                Err(error) if is_missing(&error) => return Ok(Vec::new()),
                Err(error) => return Err(self.failed(&format!("can't list the tables of {database}"), &error)),
            }
        }
        tables.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(tables)
    }

    pub(super) async fn remove(&self, database: &str, name: &str) -> Result<bool> {
        let asked = self.client.delete_table().set_catalog_id(self.catalog_id()).database_name(database).name(name).send().await;
        match asked {
            Ok(_) => Ok(true),
            Err(error) if is_missing(&error) => Ok(false),
            Err(error) => Err(self.failed(&format!("can't remove the table {database}.{name}"), &error)),
        }
    }
}

/// Whether what was asked for is not there.
pub(super) fn is_missing<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    code(error) == Some("EntityNotFoundException")
}

/// Of a shape that lacks what Glue needs.
pub(super) fn incomplete(error: BuildError) -> Error {
    Error::new(ErrorKind::Internal, "a table can't be converted for Glue").with_source(error)
}
