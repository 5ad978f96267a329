//! What `etl bench` says of Athena.

use crate::bench::AthenaSettings;
use crate::cli::athena_query::{result_location, usd};
use crate::cli::athena_question::workgroup;
use crate::error::{Error, ErrorKind, Result};
use clap::Args;

/// Where Athena runs the questions, and what they may cost.
#[derive(Debug, Args)]
#[command(next_help_heading = "Athena")]
pub(super) struct BenchAthenaArgs {
    /// Where to store data sets for Athena: s3://BUCKET/PREFIX
    #[arg(long, value_name = "S3-URL")]
    lake: Option<String>,

    /// Glue database for their tables, created if missing [default: etl_bench]
    #[arg(long, value_name = "DB")]
    database: Option<String>,

    /// Workgroup to use; its limits apply [env: ETL_ATHENA_WORKGROUP] [default: primary]
    #[arg(long, value_name = "NAME")]
    workgroup: Option<String>,

    /// Where Athena stores results if the workgroup doesn't say: s3://BUCKET/PREFIX/
    #[arg(long, value_name = "S3-URL", value_parser = result_location)]
    result_location: Option<String>,

    /// Stop when all queries together would cost more than this, in USD
    #[arg(long, value_name = "USD", value_parser = usd)]
    max_cost: Option<f64>,
}

impl BenchAthenaArgs {
    /// An option that was given.
    pub(super) fn given(&self) -> Option<&'static str> {
        let options = [
            ("--lake", self.lake.is_some()),
            ("--database", self.database.is_some()),
            ("--workgroup", self.workgroup.is_some()),
            ("--result-location", self.result_location.is_some()),
            ("--max-cost", self.max_cost.is_some()),
        ];
        options.into_iter().find_map(|(option, given)| given.then_some(option))
    }

    /// All of it.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where no place in S3 is named, or a name can't be a database's.
    pub(super) fn settings(&self) -> Result<AthenaSettings> {
        let usage = |message: &str, what: &str| Err(Error::new(ErrorKind::Usage, message).with_context("what to do", what));
        let Some(lake) = &self.lake else {
            return usage("Athena reads from S3, but no location for the data sets is set", "set one: --lake s3://bucket/bench");
        };
        let is_bucket = lake.strip_prefix("s3://").is_some_and(|rest| !rest.starts_with('/') && !rest.is_empty());
        if !is_bucket || lake.contains(['*', '?', '[']) || lake.contains(char::is_whitespace) {
            return usage(&format!("--lake {lake} is not in S3, which Athena needs"), "example: s3://bucket/bench");
        }
        let database = self.database.clone().unwrap_or_else(|| "etl_bench".to_string());
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if database.is_empty() || database.len() > 255 || !database.chars().all(fits) {
            return usage(&format!("`{database}` can't be a database's name"), "use lower-case letters, digits and _");
        }
        Ok(AthenaSettings {
            lake: lake.trim_end_matches('/').to_string(),
            database,
            workgroup: workgroup(self.workgroup.as_ref()),
            result_location: self.result_location.clone(),
            max_cost: self.max_cost,
        })
    }
}
