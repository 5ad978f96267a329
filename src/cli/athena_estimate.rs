//! What Athena would scan for a query, and what that costs, told before anything runs.

use super::athena_question::{PriceArgs, QuestionArgs};
use super::terminal::{cores, print, print_json};
use crate::aws::AwsSettings;
use crate::catalog::{GlueCatalog, GlueSettings};
use crate::error::Result;
use crate::printable::printable_lines;
use crate::query::athena::expression;
use crate::query::{Estimate, GlueTables, QueryEngine, QueryOptions, Runtime, default_memory};
use clap::Args;

/// Estimate what a query would scan and cost, without running it
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  etl athena cost \"SELECT status, count(*) FROM weblogs.access WHERE dt = DATE '2020-02-29' GROUP BY 1\"
  etl athena cost --json \"SELECT * FROM weblogs.access\" | jq .bytes

Selects partitions, registered or projected, by the query's filters, lists their files, and reads the footers of Parquet files, because \
only the columns and row groups that the query needs count. What can't be known, such as how far a LIMIT reads, gives an upper bound.")]
pub(super) struct CostArgs {
    /// The query
    #[arg(value_name = "SQL")]
    sql: String,

    #[command(flatten)]
    question: QuestionArgs,

    #[command(flatten)]
    price: PriceArgs,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Writes the estimate.
///
/// # Errors
/// [`crate::ErrorKind::Query`] where the SQL is none, or names a table that is not there; what Glue and S3 give.
pub(super) fn run(args: &CostArgs) -> Result<()> {
    let price = args.price.price()?;
    let asked = estimate(&args.sql, &args.question)?;
    let usd = asked.cost(price.0);
    if args.json {
        let mut told = serde_json::json!(asked);
        told["usd"] = serde_json::json!(usd);
        return print_json(&told);
    }
    print(&format!("{}\nabout ${usd:.6} at ${} a TB", printable_lines(&asked.to_string()), price.0), false)
}

/// What Athena would scan for `sql`.
///
/// # Errors
/// As [`run`].
pub(super) fn estimate(sql: &str, question: &QuestionArgs) -> Result<Estimate> {
    let options = QueryOptions { threads: cores(), stdin: false, memory: default_memory(), ..QueryOptions::default() };
    let engine = QueryEngine::new(options)?;
    let catalog = GlueCatalog::connect(&GlueSettings::default(), &AwsSettings::of_command_line())?;
    engine.register_glue(GlueTables::new(catalog));
    if let Some(database) = &question.database {
        engine.name_database(database);
    }
    let runtime = Runtime::new(cores())?;
    let sql = bound(sql, &question.parameters);
    let told = runtime.block_on(|| engine.estimate(&sql));
    runtime.leave();
    told
}

/// `sql` with the values of its `?`, which stand in no text, name or comment.
fn bound(sql: &str, parameters: &[String]) -> String {
    let mut parameters = parameters.iter();
    let mut bound = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(at) = rest.find(['?', '\'', '"', '-', '/']) {
        let (before, here) = rest.split_at(at);
        bound.push_str(before);
        let end = |closing: &str, opening: usize| here[opening..].find(closing).map_or(here.len(), |end| opening + end + closing.len());
        let length = match here.as_bytes() {
            [b'\'', ..] => end("'", 1),
            [b'"', ..] => end("\"", 1),
            [b'-', b'-', ..] => end("\n", 2),
            [b'/', b'*', ..] => end("*/", 2),
            [b'?', ..] => {
                match parameters.next() {
                    Some(value) => bound.push_str(&expression(value)),
                    None => bound.push('?'),
                }
                rest = &here[1..];
                continue;
            }
            _ => 1,
        };
        bound.push_str(&here[..length]);
        rest = &here[length..];
    }
    bound + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_take_the_place_of_their_marks() {
        let of = |sql: &str| bound(sql, &["404".to_string(), "it's".to_string()]);
        assert_eq!(of("a = ? AND b = ?"), "a = 404 AND b = 'it''s'");
        assert_eq!(of("'?' || \"?\" -- ?\n + ? /* ? */ - ? / 2 ?"), "'?' || \"?\" -- ?\n + 404 /* ? */ - 'it''s' / 2 ?");
        assert_eq!(of("'it''s ?' ?"), "'it''s ?' 404");
        assert_eq!(of("'open ?"), "'open ?");
    }
}
