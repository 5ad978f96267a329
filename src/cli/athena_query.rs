//! `etl query --engine athena`: SQL over the tables of AWS's catalog.

use super::query_result::ResultArgs;
use super::terminal::{cancel_on_interrupt, say};
use crate::aws::AwsSettings;
use crate::error::{Error, ErrorKind, Result};
use crate::query::Runtime;
use crate::query::athena::{AthenaEngine, Limits, PricePerTb, Request, expression};
use crate::units::{ByteSize, TimeSpan, count};
use clap::Args;
use std::env;
use std::str::FromStr;

/// Where Athena runs a query, and what it may take.
#[derive(Debug, Args)]
#[command(next_help_heading = "Athena")]
pub(super) struct AthenaArgs {
    /// The workgroup, whose limits hold [env: ETL_ATHENA_WORKGROUP] [default: primary]
    #[arg(long, value_name = "NAME")]
    workgroup: Option<String>,

    /// The database of tables that are named without one
    #[arg(long, value_name = "DB")]
    database: Option<String>,

    /// The value of a `?` in the query, in their order; a text needs no quotes, and '404' in quotes is a text
    #[arg(long = "param", value_name = "VALUE", allow_hyphen_values = true)]
    parameters: Vec<String>,

    /// Stop the query when it has scanned more
    #[arg(long, value_name = "SIZE")]
    max_scan: Option<ByteSize>,

    /// Stop the query when it has scanned more than this buys, in USD
    #[arg(long, value_name = "USD", value_parser = usd)]
    max_cost: Option<f64>,

    /// Stop the query when it takes longer, such as 90s or 10m
    #[arg(long, value_name = "TIME")]
    timeout: Option<TimeSpan>,

    /// Where Athena keeps the result, where the workgroup doesn't say it: s3://BUCKET/PREFIX/
    #[arg(long, value_name = "S3-URL", value_parser = result_location)]
    result_location: Option<String>,

    /// What a TB scanned costs, in USD [env: ETL_ATHENA_PRICE_PER_TB] [default: 5]
    #[arg(long, value_name = "USD")]
    price_per_tb: Option<PricePerTb>,
}

impl AthenaArgs {
    /// An option that was given.
    pub(super) fn given(&self) -> Option<&'static str> {
        let options = [
            ("--workgroup", self.workgroup.is_some()),
            ("--database", self.database.is_some()),
            ("--param", !self.parameters.is_empty()),
            ("--max-scan", self.max_scan.is_some()),
            ("--max-cost", self.max_cost.is_some()),
            ("--timeout", self.timeout.is_some()),
            ("--result-location", self.result_location.is_some()),
            ("--price-per-tb", self.price_per_tb.is_some()),
        ];
        options.into_iter().find_map(|(option, given)| given.then_some(option))
    }

    /// Has Athena run the query, or only plan it, and writes the result to standard output; what it took is said behind it.
    ///
    /// # Errors
    /// [`ErrorKind::Query`] where the query is wrong, fails or is stopped, [`ErrorKind::Interrupted`].
    pub(super) fn ask(&self, sql: &str, plan: bool, result: ResultArgs) -> Result<()> {
        let sql = if plan { format!("EXPLAIN {sql}") } else { sql.to_string() };
        let price = self.price()?;
        let limits = Limits { timeout: self.timeout.map(|span| span.0), max_scan: self.most(price)?, cancel: cancel_on_interrupt() };
        let place = self.place();
        Runtime::new(1)?.block_on(async || {
            let engine = AthenaEngine::open(&AwsSettings::of_command_line(), place, limits).await?;
            let mut rows = engine.query(&sql).await?;
            let written = match rows.schema().fields().is_empty() {
                // What makes or changes something gives no rows.
                true => Ok(()),
                false => result.write(&mut rows).await,
            };
            rows.notes().iter().for_each(|note| say(&format!("note: {note}")));
            if let Some(rows) = rows.written() {
                say(&format!("{} rows written", count(rows)));
            }
            say(&rows.statistics().in_words(price));
            written
        })
    }

    fn place(&self) -> Request {
        let workgroup = self.workgroup.clone().or_else(|| set("ETL_ATHENA_WORKGROUP")).unwrap_or_else(|| "primary".to_string());
        Request {
            sql: String::new(),
            parameters: self.parameters.iter().map(|value| expression(value)).collect(),
            database: self.database.clone(),
            workgroup,
            result_location: self.result_location.clone(),
        }
    }

    fn price(&self) -> Result<PricePerTb> {
        match (self.price_per_tb, set("ETL_ATHENA_PRICE_PER_TB")) {
            (Some(price), _) => Ok(price),
            (None, Some(text)) => {
                PricePerTb::from_str(&text).map_err(|e| Error::new(ErrorKind::Usage, format!("ETL_ATHENA_PRICE_PER_TB: {e}")))
            }
            (None, None) => Ok(PricePerTb::default()),
        }
    }

    /// The most bytes that may be scanned.
    fn most(&self, price: PricePerTb) -> Result<Option<u64>> {
        let bought = match self.max_cost {
            // Where all is free there is nothing to stop for.
            Some(_) if price.0 == 0.0 => None,
            Some(usd) => Some(price.bytes_for(usd).ok_or_else(|| {
                let least = price.of(0);
                Error::new(ErrorKind::Usage, format!("no query costs as little as --max-cost {usd}: 10 MB are charged at least, {least}"))
            })?),
            None => None,
        };
        Ok(self.max_scan.map(|most| most.0).into_iter().chain(bought).min())
    }
}

/// A variable of the environment that is set to something.
fn set(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn usd(text: &str) -> Result<f64, String> {
    match text.trim().trim_start_matches('$').parse() {
        Ok(usd) if (0.0..=1e9).contains(&usd) && usd > 0.0 => Ok(usd),
        _ => Err(format!("`{text}` is no amount of USD; write for example 0.50")),
    }
}

/// A place for results.
pub(super) fn result_location(text: &str) -> Result<String, String> {
    match text.strip_prefix("s3://").map(|rest| rest.split('/').next().unwrap_or_default()) {
        Some(bucket) if !bucket.is_empty() && !text.contains(char::is_whitespace) => Ok(format!("{}/", text.trim_end_matches('/'))),
        _ => Err(format!("`{text}` is no place for results; write it like s3://bucket/athena-results/")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        args: AthenaArgs,
    }

    fn parse(arguments: &[&str]) -> Result<AthenaArgs, clap::Error> {
        Command::try_parse_from(["query"].iter().chain(arguments)).map(|command| command.args)
    }

    #[test]
    fn the_lower_limit_holds() {
        let most = |arguments: &[&str]| parse(arguments).unwrap().most(PricePerTb::default());
        assert_eq!(most(&[]).unwrap(), None);
        assert_eq!(most(&["--max-scan", "1GB"]).unwrap(), Some(1_000_000_000));
        assert_eq!(most(&["--max-cost", "1"]).unwrap(), Some(200_000_000_000));
        assert_eq!(most(&["--max-cost", "1", "--max-scan", "1GB"]).unwrap(), Some(1_000_000_000));
        assert_eq!(most(&["--max-cost", "$0.00001"]).unwrap_err().kind(), ErrorKind::Usage);
    }

    #[test]
    fn arguments_are_checked() {
        let args = parse(&["--param", "-1", "--param", "O'Brien", "--result-location", "s3://b"]).unwrap();
        let place = args.place();
        assert_eq!(place.parameters, ["-1", "'O''Brien'"]);
        assert_eq!(place.result_location.as_deref(), Some("s3://b/"));
        assert_eq!(args.given(), Some("--param"));
        for bad in
            [["--max-cost", "0"], ["--max-cost", "NaN"], ["--timeout", "10"], ["--result-location", "/tmp"], ["--price-per-tb", "-5"]]
        {
            assert!(parse(&bad).is_err(), "{bad:?}");
        }
    }
}
