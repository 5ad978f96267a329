//! What is told of a query in Athena besides its SQL, and what scanning costs.

use crate::error::{Error, ErrorKind, Result};
use crate::query::athena::PricePerTb;
use clap::Args;
use std::env;
use std::str::FromStr;

/// What a query says besides its SQL.
#[derive(Debug, Args)]
pub(super) struct QuestionArgs {
    /// Database of tables that are named without one
    #[arg(long, value_name = "DB")]
    pub(super) database: Option<String>,

    /// Value for a `?` in the query, in order; texts need no quotes, and '404' in quotes is a text
    #[arg(long = "param", value_name = "VALUE", allow_hyphen_values = true)]
    pub(super) parameters: Vec<String>,
}

/// What scanning costs.
#[derive(Debug, Args)]
pub(super) struct PriceArgs {
    /// Price per TB scanned, in USD [env: ETL_ATHENA_PRICE_PER_TB] [default: 5]
    #[arg(long, value_name = "USD")]
    pub(super) price_per_tb: Option<PricePerTb>,
}

impl PriceArgs {
    /// As it was given, here or by the environment.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for one that is none.
    pub(super) fn price(&self) -> Result<PricePerTb> {
        match (self.price_per_tb, set("ETL_ATHENA_PRICE_PER_TB")) {
            (Some(price), _) => Ok(price),
            (None, Some(text)) => {
                PricePerTb::from_str(&text).map_err(|e| Error::new(ErrorKind::Usage, format!("ETL_ATHENA_PRICE_PER_TB: {e}")))
            }
            (None, None) => Ok(PricePerTb::default()),
        }
    }
}

/// The workgroup, as it was given, here or by the environment.
pub(super) fn workgroup(given: Option<&String>) -> String {
    given.cloned().or_else(|| set("ETL_ATHENA_WORKGROUP")).unwrap_or_else(|| "primary".to_string())
}

/// A variable of the environment that is set to something.
pub(super) fn set(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
