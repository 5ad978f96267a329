//! `etl access explain`: why somebody sees what of a table.

use crate::cli::governed_lake::{LakeArgs, unknown};
use crate::cli::terminal::{colour_on, print, print_json};
use crate::error::{Error, ErrorKind, Result};
use crate::governance::{ColumnExplanation, Explanation, Sight};
use crate::printable::printable;
use clap::Args;
use std::fmt::Write;

/// Show what a principal sees of a table, column by column, and why
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  etl access explain --principal analyst --table shops.sales --lake lake/
  etl access explain --principal analyst --table shops.sales --lake lake/ --json | jq '.columns[] | select(.sees == \"nothing\")'")]
pub(super) struct ExplainArgs {
    /// The principal: a name from the policies, or an ARN
    #[arg(long, value_name = "NAME")]
    principal: String,

    /// The table, as DATABASE.TABLE
    #[arg(long, value_name = "DATABASE.TABLE")]
    table: String,

    #[command(flatten)]
    lake: LakeArgs,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// # Errors
/// [`ErrorKind::Usage`] where there is no such table.
pub(super) fn run(args: &ExplainArgs) -> Result<()> {
    let evaluator = args.lake.open()?.evaluator()?;
    let name = args.table.clone().try_into().map_err(|what| Error::new(ErrorKind::Usage, format!("--table: {what}")))?;
    let Some(explanation) = evaluator.explain(&args.principal, &name) else {
        let known: Vec<String> = evaluator.tags().tables.keys().map(ToString::to_string).collect();
        return Err(unknown("table", &args.table, &known));
    };
    if args.json {
        return print_json(&explanation);
    }
    let colour = colour_on(&std::io::stdout());
    print(text(&explanation, colour).trim_end(), colour)
}

fn text(explanation: &Explanation, colour: bool) -> String {
    let mut text = String::new();
    let also = if explanation.is_also.is_empty() { String::new() } else { format!(" (also {})", explanation.is_also.join(", ")) };
    let _ = writeln!(text, "{}", printable(&format!("{}{also} and {}", explanation.principal, explanation.table)));
    let yes = |yes| if yes { "yes" } else { "no" };
    let why = if explanation.database_because.is_empty() {
        "not visible with these grants: `describe` on the database would show it".to_string()
    } else {
        explanation.database_because.join("; ")
    };
    let _ = writeln!(text, "  sees the database {}: {}", yes(explanation.sees_database), printable(&why));
    let _ = writeln!(text, "  sees the table    {}", yes(explanation.sees_table));
    for column in &explanation.columns {
        column_text(column, colour, &mut text);
    }
    for policy in &explanation.row_policies {
        let _ = writeln!(text, "  row policy {}", printable(policy));
    }
    for grant in &explanation.unknown {
        let _ = writeln!(text, "  not decided here, because its condition is not supported: {}", printable(grant));
    }
    text
}

fn column_text(column: &ColumnExplanation, colour: bool, text: &mut String) {
    let (word, paint) = match column.sees {
        Sight::Nothing => ("no", "31"),
        Sight::Name => ("name only", "33"),
        Sight::Some => ("some rows", "33"),
        Sight::All => ("yes", "32"),
    };
    let word = if colour { format!("\u{1b}[{paint}m{word}\u{1b}[0m") } else { word.to_string() };
    let tags: Vec<String> = column.tags.iter().map(|tag| format!("{}={} of the {}", tag.key, tag.value, tag.assigned_to)).collect();
    let tags = if tags.is_empty() { "no tags".to_string() } else { tags.join(", ") };
    let _ = writeln!(text, "\n  {}: {word} ({})", printable(&column.column), printable(&tags));
    for reason in &column.because {
        let _ = writeln!(text, "    by {}", printable(reason));
    }
    for reason in &column.not_because {
        let _ = writeln!(text, "    not by {}", printable(reason));
    }
    if column.because.is_empty() && column.not_because.is_empty() {
        text.push_str("    no grant to this principal covers it\n");
    }
    for list in &column.rows {
        let rows = if list.is_empty() { "none: no row policy applies to this principal".to_string() } else { list.join("  or  ") };
        let _ = writeln!(text, "    rows: {}", printable(&rows));
    }
}
