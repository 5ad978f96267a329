//! Which catalog is meant.

use crate::aws::AwsSettings;
use crate::catalog::{Catalog, GlueCatalog, GlueSettings, LocalCatalog};
use crate::cli::pipeline::open_lake;
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::head_of;
use crate::storage::Storage;
use clap::{Args, ValueEnum};

/// The options that say which catalog.
#[derive(Debug, Args)]
pub(super) struct WhichArgs {
    /// Which catalog to use [default: the lake's if a lake is named, else Glue's]
    #[arg(long, value_enum, value_name = "CATALOG")]
    pub(super) catalog: Option<Which>,

    /// The lake: a folder, or s3://bucket/prefix
    #[arg(long, value_name = "LAKE", env = "ETL_LAKE")]
    pub(super) lake: Option<String>,

    /// Account of the Glue catalog [default: that of the credentials]
    #[arg(long, value_name = "ACCOUNT")]
    pub(super) catalog_id: Option<String>,

    /// Print the result as JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// A kind of catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Which {
    /// The lake's own
    Local,
    /// The AWS Glue Data Catalog
    Glue,
}

/// A catalog that can be asked.
pub(super) enum Opened {
    Local(Storage),
    Glue(Box<GlueCatalog>),
}

impl WhichArgs {
    /// The catalog.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where no lake or no region is known, [`ErrorKind::Input`] where the lake is not there.
    pub(super) fn open(&self) -> Result<Opened> {
        match (self.catalog, &self.lake) {
            (Some(Which::Local), None) => {
                Err(Error::new(ErrorKind::Usage, "no lake is set").with_context("what to do", "set it with --lake or ETL_LAKE"))
            }
            (None | Some(Which::Local), Some(lake)) => {
                if self.catalog_id.is_some() {
                    let message = "--catalog-id is for Glue, but the catalog in use is the lake's";
                    return Err(
                        Error::new(ErrorKind::Usage, message).with_context("what to do", "add --catalog glue, or leave out --catalog-id")
                    );
                }
                let storage = open_lake(lake)?;
                head_of(&storage, &LocalCatalog::new(storage.clone()))?;
                Ok(Opened::Local(storage))
            }
            (None, None) => self
                .glue()
                .map(|glue| Opened::Glue(Box::new(glue)))
                .map_err(|error| error.with_context("for the catalog of a lake", "give --lake LAKE, or set ETL_LAKE")),
            (Some(Which::Glue), _) => self.glue().map(|glue| Opened::Glue(Box::new(glue))),
        }
    }

    /// Glue's catalog.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where no region is known, or the account is none.
    pub(super) fn glue(&self) -> Result<GlueCatalog> {
        if let Some(id) = self.catalog_id.as_ref().filter(|id| id.is_empty() || id.contains(char::is_whitespace)) {
            let message = format!("`{id}` is not a catalog id; example: 123456789012");
            return Err(Error::new(ErrorKind::Usage, message));
        }
        let settings = GlueSettings { catalog_id: self.catalog_id.clone(), ..GlueSettings::default() };
        GlueCatalog::connect(&settings, &AwsSettings::of_command_line())
    }
}

impl Opened {
    /// As any catalog.
    pub(super) fn catalog(&self) -> Box<dyn Catalog> {
        match self {
            Opened::Local(storage) => Box::new(LocalCatalog::new(storage.clone())),
            Opened::Glue(glue) => glue.clone(),
        }
    }
}
