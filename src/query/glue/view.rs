//! Views as Presto, Trino and Athena keep them in Glue: JSON in base64, within a comment.

use crate::catalog::Entry;
use crate::error::{Error, ErrorKind, Result};
use crate::query::limits;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use datafusion::catalog::TableProvider;
use datafusion::datasource::ViewTable;
use datafusion::execution::context::SessionState;
use serde::Deserialize;
use std::sync::Arc;

/// What such a view says.
#[derive(Debug, Deserialize)]
struct Said {
    #[serde(rename = "originalSql")]
    sql: String,
    schema: Option<String>,
}

/// The view `entry` as a table, planned in `state`.
///
/// # Errors
/// [`ErrorKind::Query`] for one of another kind, or whose SQL can't be planned here.
pub(super) async fn view(entry: &Entry, mut state: SessionState) -> Result<Arc<dyn TableProvider>> {
    let said = said(entry)?;
    limits::check(&said.sql).map_err(|_| refused(entry, "its SQL is nested too deeply, or too long"))?;
    let schema = said.schema.unwrap_or_else(|| entry.database.clone());
    state.config_mut().options_mut().catalog.default_schema = schema;
    let plan = state.create_logical_plan(&said.sql).await.map_err(|e| match e {
        // A table of it that can't be read says so itself.
        datafusion::common::DataFusionError::External(_) => refused(entry, "a table that it names can't be read").with_source(e),
        other => refused(entry, "etl doesn't understand its SQL").with_context("SQL", said.sql.clone()).with_source(other),
    })?;
    Ok(Arc::new(ViewTable::new(plan, Some(said.sql))))
}

fn said(entry: &Entry) -> Result<Said> {
    let text = entry.view.as_deref().unwrap_or_default();
    let encoded = text.trim().strip_prefix("/* Presto View: ").and_then(|text| text.strip_suffix(" */"));
    let Some(encoded) = encoded else {
        return Err(refused(entry, "it is not a view of Athena, Presto or Trino"));
    };
    let bytes = STANDARD.decode(encoded.trim()).map_err(|e| refused(entry, "its text is damaged").with_source(e))?;
    serde_json::from_slice(&bytes).map_err(|e| refused(entry, "its text is damaged").with_source(e))
}

fn refused(entry: &Entry, why: &str) -> Error {
    Error::new(ErrorKind::Query, format!("the view {} can't be used here: {why}", entry.full_name()))
        .with_context("what to do", "query it with Athena, or name its tables themselves")
}
