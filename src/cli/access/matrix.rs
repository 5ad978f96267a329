//! `etl access matrix`: principals by columns.

use crate::catalog::TableName;
use crate::cli::csv_field::csv_field;
use crate::cli::governed_lake::{LakeArgs, shown, unknown};
use crate::cli::terminal::{print, say};
use crate::error::{Error, Result};
use crate::governance::{Matrix, Sight};
use crate::printable::printable;
use crate::report;
use clap::{Args, ValueEnum};
use std::io::{BufWriter, Write};

/// Show what every principal sees of every column
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  etl access matrix --lake lake/
  etl access matrix --lake lake/ --table shops.sales --principal analyst
  etl access matrix --lake lake/ --format csv > access.csv
  etl access matrix --lake lake/ --format html > access.html

`all` means all rows, `some` those that a filter or row policy allows, `name` only the column's name and type, and `-` nothing. \
Principals are those that policies name; --principal accepts any name.")]
pub(super) struct MatrixArgs {
    #[command(flatten)]
    lake: LakeArgs,

    /// Only this table, as DATABASE.TABLE; can be used more than once
    #[arg(long = "table", value_name = "DATABASE.TABLE")]
    tables: Vec<String>,

    /// Only this principal; can be used more than once
    #[arg(long = "principal", value_name = "NAME")]
    principals: Vec<String>,

    /// Output format
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = MatrixFormat::Table)]
    format: MatrixFormat,

    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum MatrixFormat {
    Table,
    Csv,
    Json,
    /// A self-contained page
    Html,
}

/// Writes it to standard output.
///
/// # Errors
/// Where the lake can't be read, or a table is not in it.
pub(super) fn run(args: &MatrixArgs) -> Result<()> {
    let evaluator = args.lake.open()?.evaluator()?;
    for table in &args.tables {
        let known: Vec<String> = evaluator.tags().tables.keys().map(ToString::to_string).collect();
        if !known.contains(table) {
            return Err(unknown("table", table, &known));
        }
    }
    let principals = match args.principals.is_empty() {
        true => evaluator.principals().into_iter().collect(),
        false => args.principals.clone(),
    };
    if principals.is_empty() {
        say("no policy of this lake names a principal, so --as shows nothing to anybody; publish a policy with `etl tags apply FILE`");
    }
    let wanted = |table: &TableName| args.tables.is_empty() || args.tables.contains(&table.to_string());
    let matrix = Matrix::of(&evaluator, principals, wanted);
    match if args.json { MatrixFormat::Json } else { args.format } {
        MatrixFormat::Table => table(&matrix),
        MatrixFormat::Csv => write(|out| csv(&matrix, out)),
        MatrixFormat::Json => write(|out| json(&matrix, out)),
        MatrixFormat::Html => write(|out| out.write_all(report::matrix(&matrix).as_bytes())),
    }
}

fn write(write: impl FnOnce(&mut BufWriter<std::io::StdoutLock<'static>>) -> std::io::Result<()>) -> Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    write(&mut out).and_then(|()| out.flush()).map_err(|e| Error::output("standard output", e))
}

fn table(matrix: &Matrix) -> Result<()> {
    let header: Vec<&str> = ["table", "column"].into_iter().chain(matrix.principals.iter().map(String::as_str)).collect();
    let mut shown = shown(&header);
    let mut last: Option<&TableName> = None;
    for (at, (table, column)) in matrix.columns.iter().enumerate() {
        let name = if last == Some(table) { String::new() } else { table.to_string() };
        last = Some(table);
        let sights = matrix.sights.iter().map(|sights| word(sights[at]).to_string());
        let words = [name, column.clone()].into_iter().chain(sights);
        shown.add_row(words.map(|word| printable(&word).into_owned()).collect::<Vec<_>>());
    }
    print(&shown.to_string(), false)
}

fn word(sight: Sight) -> &'static str {
    match sight {
        Sight::Nothing => "-",
        Sight::Name => "name",
        Sight::Some => "some",
        Sight::All => "all",
    }
}

fn csv(matrix: &Matrix, out: &mut impl Write) -> std::io::Result<()> {
    write!(out, "database,table,column")?;
    for principal in &matrix.principals {
        write!(out, ",{}", csv_field(&printable(principal)))?;
    }
    writeln!(out)?;
    for (at, (table, column)) in matrix.columns.iter().enumerate() {
        write!(out, "{},{},{}", csv_field(&table.database), csv_field(&table.table), csv_field(&printable(column)))?;
        for sights in &matrix.sights {
            write!(out, ",{}", word(sights[at]))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Column by column, each with one word a principal, in their order.
fn json(matrix: &Matrix, out: &mut impl Write) -> std::io::Result<()> {
    let text = |text: &str| serde_json::to_string(&printable(text)).map_err(std::io::Error::other);
    write!(out, "{{\n  \"principals\": [")?;
    for (at, principal) in matrix.principals.iter().enumerate() {
        write!(out, "{}{}", if at == 0 { "" } else { ", " }, text(principal)?)?;
    }
    write!(out, "],\n  \"columns\": [")?;
    for (at, (table, column)) in matrix.columns.iter().enumerate() {
        let gap = if at == 0 { "" } else { "," };
        write!(out, "{gap}\n    {{\"table\": {}, \"column\": {}, \"sees\": [", text(&table.to_string())?, text(column)?)?;
        for (number, sights) in matrix.sights.iter().enumerate() {
            let word = match sights[at] {
                Sight::Nothing => "nothing",
                other => word(other),
            };
            write!(out, "{}\"{word}\"", if number == 0 { "" } else { ", " })?;
        }
        write!(out, "]}}")?;
    }
    writeln!(out, "\n  ]\n}}")
}
