//! Athena, as a pipeline asks it.

use super::model::{CatalogKind, Pipeline};
use crate::aws::AwsSettings;
use crate::catalog::{GlueCatalog, GlueSettings};
use crate::error::{Error, ErrorKind, Result};
use crate::query::athena::{AthenaEngine, Limits, Request};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The catalog in which Athena finds the tables.
///
/// # Errors
/// [`ErrorKind::Usage`] for a lake that no such catalog is told of.
pub(crate) fn catalog(pipeline: &Pipeline) -> Result<&GlueSettings> {
    match &pipeline.lake.catalog {
        CatalogKind::Glue { settings, .. } => Ok(settings),
        CatalogKind::Local => Err(Error::new(ErrorKind::Usage, "Athena finds tables in Glue, but this lake is not registered there")
            .with_context("what to do", "set `catalog: glue` for the lake")),
    }
}

/// The same, to be asked.
///
/// # Errors
/// As [`catalog`], and where no region is known.
pub(crate) fn glue(pipeline: &Pipeline) -> Result<GlueCatalog> {
    GlueCatalog::connect(catalog(pipeline)?, &AwsSettings::beside(&pipeline.lake.store))
}

/// The engine.
///
/// # Errors
/// As [`glue`].
pub(crate) async fn open(pipeline: &Pipeline, cancel: &Arc<AtomicBool>) -> Result<AthenaEngine> {
    let region = catalog(pipeline)?.region.clone();
    let aws = AwsSettings { region, ..AwsSettings::default() }.or(AwsSettings::beside(&pipeline.lake.store));
    let settings = &pipeline.athena;
    let of_environment = || std::env::var("ETL_ATHENA_WORKGROUP").ok().filter(|name| !name.is_empty());
    let workgroup = settings.workgroup.clone().or_else(of_environment).unwrap_or_else(|| "primary".to_string());
    let place = Request { workgroup, result_location: settings.result_location.clone(), ..Request::default() };
    let limits = Limits { timeout: settings.timeout, max_scan: settings.max_scan, cancel: cancel.clone() };
    AthenaEngine::open(&aws, place, limits).await
}
