//! Pipelines that read tables of each other, in an order in which each finds them made.

use super::model::{CatalogKind, Pipeline, TransformEngine};
use super::state::athena_tables;
use crate::error::{Error, ErrorKind, Result};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A pipeline, and those whose tables it reads, by their places in the order.
#[derive(Debug, Clone)]
pub struct Ordered {
    pub pipeline: Arc<Pipeline>,
    pub behind: Vec<usize>,
    /// The tables that it reads of others, as `database.table`.
    pub reads: BTreeSet<String>,
}

/// `pipelines`, each behind those whose tables it reads; else in the order that they have.
///
/// # Errors
/// [`ErrorKind::Usage`] where that can't be, as they read each other's.
pub fn in_order(pipelines: Vec<Arc<Pipeline>>) -> Result<Vec<Ordered>> {
    let mut left: Vec<(Arc<Pipeline>, BTreeSet<String>)> =
        pipelines.into_iter().map(|pipeline| (pipeline.clone(), reads(&pipeline))).collect();
    let mut ordered: Vec<Ordered> = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let is_free = |(pipeline, reads): &(Arc<Pipeline>, BTreeSet<String>)| {
            !left.iter().any(|(other, _)| other.name != pipeline.name && makes_any(other, pipeline, reads))
        };
        let Some(next) = left.iter().position(is_free) else {
            let names: Vec<&str> = left.iter().map(|(pipeline, _)| pipeline.name.as_str()).collect();
            let message = format!("circular dependency: these pipelines read tables of each other: {}", names.join(", "));
            return Err(
                Error::new(ErrorKind::Usage, message).with_context("what to do", "merge them into one pipeline, or run them one by one")
            );
        };
        let (pipeline, reads) = left.remove(next);
        let makers = ordered.iter().enumerate().filter(|(_, one)| makes_any(&one.pipeline, &pipeline, &reads));
        let behind = makers.map(|(at, _)| at).collect();
        ordered.push(Ordered { pipeline, behind, reads });
    }
    Ok(ordered)
}

/// Whether `maker` makes a table that `reader` reads.
fn makes_any(maker: &Pipeline, reader: &Pipeline, reads: &BTreeSet<String>) -> bool {
    maker.lake.location == reader.lake.location && maker.outputs.iter().any(|output| reads.contains(&output.table.to_string()))
}

/// The tables that a pipeline reads and doesn't make itself.
fn reads(pipeline: &Pipeline) -> BTreeSet<String> {
    let prefix = match &pipeline.lake.catalog {
        CatalogKind::Glue { settings, .. } => settings.database_prefix.clone(),
        CatalogKind::Local => String::new(),
    };
    let mut reads = BTreeSet::new();
    for transform in &pipeline.transforms {
        reads.extend(transform.tables.iter().map(ToString::to_string));
        if transform.engine == TransformEngine::Athena {
            let named = athena_tables::names(&transform.sql).into_iter();
            reads.extend(named.filter_map(|(database, table)| Some(format!("{}.{table}", database.strip_prefix(&prefix)?))));
        }
    }
    for output in &pipeline.outputs {
        reads.remove(&output.table.to_string());
    }
    reads
}
