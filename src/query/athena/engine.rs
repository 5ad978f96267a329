//! Athena as an engine.

use super::client::Client;
use super::execution;
use super::limits::Limits;
use super::request::Request;
use super::result::AthenaResult;
use crate::aws::AwsSettings;
use crate::error::Result;
use crate::query::sql_engine::SqlEngine;
use crate::sql_text::without_end;
use arrow::datatypes::SchemaRef;

/// Runs SQL in Athena.
#[derive(Debug, Clone)]
pub struct AthenaEngine {
    client: Client,
    /// Where queries run; its SQL is replaced by theirs.
    place: Request,
    limits: Limits,
}

impl AthenaEngine {
    /// An engine that runs queries where `place` says (its SQL is not looked at), within `limits`. Nothing is asked yet.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Usage`] where the region isn't known, or an address is none.
    pub async fn open(settings: &AwsSettings, place: Request, limits: Limits) -> Result<AthenaEngine> {
        Ok(AthenaEngine { client: Client::open(settings).await?, place, limits })
    }

    /// Runs the query to its end; its rows come as they are read.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Query`] where it is wrong, fails or is stopped, [`crate::ErrorKind::Interrupted`] when it is cancelled.
    pub async fn query(&self, sql: &str) -> Result<AthenaResult> {
        let finished = execution::run(&self.client, &self.place.of(sql), &self.limits).await?;
        AthenaResult::open(self.client.clone(), finished, self.limits.clone()).await
    }

    /// The columns that the query gives. Athena plans it, and scans nothing.
    ///
    /// # Errors
    /// As [`AthenaEngine::query`].
    pub async fn columns(&self, sql: &str) -> Result<SchemaRef> {
        let sql = without_end(sql);
        // A comment may end the query.
        Ok(self.query(&format!("SELECT * FROM ({sql}\n) LIMIT 0")).await?.schema())
    }
}

impl SqlEngine for AthenaEngine {
    type Rows = AthenaResult;

    async fn query(&self, sql: &str) -> Result<AthenaResult> {
        self.query(sql).await
    }

    async fn columns(&self, sql: &str) -> Result<SchemaRef> {
        self.columns(sql).await
    }
}
