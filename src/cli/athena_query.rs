//! `etl query --engine athena`: SQL over the tables of AWS's catalog.

use super::athena_estimate::estimate;
use super::athena_question::{PriceArgs, QuestionArgs, workgroup};
use super::query_result::ResultArgs;
use super::terminal::{cancel_on_interrupt, say};
use crate::aws::AwsSettings;
use crate::error::{Error, ErrorKind, Result};
use crate::query::athena::{AthenaEngine, Limits, PricePerTb, Request, expression};
use crate::query::{Estimate, Runtime};
use crate::units::{ByteSize, TimeSpan, count};
use clap::Args;

/// Where Athena runs a query, and what it may take.
#[derive(Debug, Args)]
#[command(next_help_heading = "Athena")]
pub(super) struct AthenaArgs {
    /// Workgroup to use; its limits apply [env: ETL_ATHENA_WORKGROUP] [default: primary]
    #[arg(long, value_name = "NAME")]
    workgroup: Option<String>,

    #[command(flatten)]
    question: QuestionArgs,

    /// Refuse a query that would scan more than this, and stop one that does
    #[arg(long, value_name = "SIZE")]
    max_scan: Option<ByteSize>,

    /// Like --max-scan, as a cost in USD
    #[arg(long, value_name = "USD", value_parser = usd)]
    max_cost: Option<f64>,

    /// Stop the query if it takes longer than this, such as 90s or 10m
    #[arg(long, value_name = "TIME")]
    timeout: Option<TimeSpan>,

    /// Where Athena stores the result if the workgroup doesn't say: s3://BUCKET/PREFIX/
    #[arg(long, value_name = "S3-URL", value_parser = result_location)]
    result_location: Option<String>,

    #[command(flatten)]
    price: PriceArgs,
}

impl AthenaArgs {
    /// An option that was given.
    pub(super) fn given(&self) -> Option<&'static str> {
        let options = [
            ("--workgroup", self.workgroup.is_some()),
            ("--database", self.question.database.is_some()),
            ("--param", !self.question.parameters.is_empty()),
            ("--max-scan", self.max_scan.is_some()),
            ("--max-cost", self.max_cost.is_some()),
            ("--timeout", self.timeout.is_some()),
            ("--result-location", self.result_location.is_some()),
            ("--price-per-tb", self.price.price_per_tb.is_some()),
        ];
        options.into_iter().find_map(|(option, given)| given.then_some(option))
    }

    /// Has Athena run the query, or only plan it, and writes the result to standard output; what it took is said behind it.
    ///
    /// # Errors
    /// [`ErrorKind::Query`] where the query is wrong, fails or is stopped, [`ErrorKind::Interrupted`].
    pub(super) fn ask(&self, sql: &str, plan: bool, result: &ResultArgs) -> Result<()> {
        let sql = if plan { format!("EXPLAIN {sql}") } else { sql.to_string() };
        let price = self.price.price()?;
        let most = self.most(price)?;
        let estimate = if plan { None } else { self.estimated(&sql, most)? };
        let limits = Limits { timeout: self.timeout.map(|span| span.0), max_scan: most, cancel: cancel_on_interrupt() };
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
            if let Some(estimate) = estimate {
                say(&format!("estimated {}{} before", if estimate.exact { "" } else { "at most " }, ByteSize(estimate.bytes)));
            }
            written
        })
    }

    /// What the query would scan, where there is a limit; one that is above it is refused. What can't be estimated is told, and runs until it
    /// is seen to have passed the limit.
    fn estimated(&self, sql: &str, most: Option<u64>) -> Result<Option<Estimate>> {
        let Some(most) = most else { return Ok(None) };
        match estimate(sql, &self.question) {
            Ok(estimate) => {
                estimate.refuse_above(ByteSize(most))?;
                Ok(Some(estimate))
            }
            Err(error) => {
                say(&format!(
                    "note: can't estimate what it would scan: {}; it is stopped when it has scanned more than the limit",
                    error.message()
                ));
                Ok(None)
            }
        }
    }

    fn place(&self) -> Request {
        Request {
            sql: String::new(),
            parameters: self.question.parameters.iter().map(|value| expression(value)).collect(),
            database: self.question.database.clone(),
            workgroup: workgroup(self.workgroup.as_ref()),
            result_location: self.result_location.clone(),
        }
    }

    /// The most bytes that may be scanned.
    fn most(&self, price: PricePerTb) -> Result<Option<u64>> {
        let bought = match self.max_cost {
            // Where all is free there is nothing to stop for.
            Some(_) if price.0 == 0.0 => None,
            Some(usd) => Some(price.bytes_for(usd).ok_or_else(|| {
                let least = price.of(0);
                Error::new(ErrorKind::Usage, format!("no query costs as little as --max-cost {usd}: at least 10 MB are charged, {least}"))
            })?),
            None => None,
        };
        Ok(self.max_scan.map(|most| most.0).into_iter().chain(bought).min())
    }
}

/// An amount.
pub(super) fn usd(text: &str) -> Result<f64, String> {
    match text.trim().trim_start_matches('$').parse() {
        Ok(usd) if (0.0..=1e9).contains(&usd) && usd > 0.0 => Ok(usd),
        _ => Err(format!("`{text}` is not an amount in USD; example: 0.50")),
    }
}

/// A place for results.
pub(super) fn result_location(text: &str) -> Result<String, String> {
    match text.strip_prefix("s3://").map(|rest| rest.split('/').next().unwrap_or_default()) {
        Some(bucket) if !bucket.is_empty() && !text.contains(char::is_whitespace) => Ok(format!("{}/", text.trim_end_matches('/'))),
        _ => Err(format!("`{text}` is not a location for results; example: s3://bucket/athena-results/")),
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
