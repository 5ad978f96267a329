//! `etl query`: SQL over files, or over the tables that Athena reads.

use super::athena_query::AthenaArgs;
use super::from_format::{Dialect, FromFormat, delimiter};
use super::log_format::LogFormatArgs;
use super::query_result::ResultArgs;
use super::query_session::{Asked, QuerySession};
use super::query_shell;
use super::terminal::{cancel_on_interrupt, cores};
use crate::catalog::GlueSettings;
use crate::error::{Error, ErrorKind, Result};
use crate::input::TableOptions;
use crate::query::{QueryOptions, default_memory, split_statements};
use crate::units::ByteSize;
use clap::{Args, ValueEnum};
use std::io::{IsTerminal, Read};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

const EXAMPLES: &str = "Examples:
  etl query \"SELECT status, count(*) FROM 'access.log.gz' GROUP BY status ORDER BY 2 DESC\"
  etl query \"SELECT host, path FROM 'logs/*.gz' WHERE path LIKE '%.php%' LIMIT 20\"
  etl query \"SELECT dt, sum(bytes) FROM 'lake/access' WHERE dt >= '2020-02-01' GROUP BY dt\" --format csv
  etl query --table log=access.log --table shops=shops.csv \"SELECT name, count(*) FROM log JOIN shops USING (host) GROUP BY name\"
  etl query --lake lake/ \"SELECT status, count(*) FROM weblogs.access GROUP BY 1\"
  etl query --lake lake/ --as analyst \"SELECT * FROM shops.sales\"
  etl query --catalog glue \"SELECT status, count(*) FROM weblogs.access WHERE dt = DATE '2020-02-29' GROUP BY 1\"
  zcat access.log.gz | etl query \"SELECT max(time) FROM '-'\"
  etl query -f report.sql -o report.parquet
  etl query --lake lake/                                         # a shell; \\? shows its commands
  etl query --lake lake/ --at 20200301T030000000Z-7f3a9c01 \"SELECT count(*) FROM access\"
  etl query --lake lake/ \"FROM access FOR VERSION AS OF 3 LIMIT 10\"
  etl query --engine athena --workgroup etl --max-scan 1GB \"SELECT status, count(*) FROM weblogs.access GROUP BY 1\"
  etl query --engine athena --param 404 --param /index.html \"SELECT * FROM weblogs.access WHERE status = ? AND path = ?\"

A quoted path is a table: a file, a folder, a glob, or '-' for standard input. Folders such as dt=2020-02-29 become \
columns. Besides SELECT there are FROM t (all columns), DESCRIBE t (columns and types), SUMMARIZE t (statistics of each column), \
SHOW TABLES, EXPLAIN, and CREATE TEMPORARY VIEW v AS …, for the statements that follow. The database can be left out if the table \
name is unique.

With --engine athena, the tables are those of the AWS catalog; the query's time and cost are printed after the result.";

/// Query logs, CSV, TSV, JSON lines or Parquet with SQL, or tables in Athena
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct QueryArgs {
    /// Statements, separated by `;`, or - to read them from standard input; without any, a terminal starts a shell
    #[arg(value_name = "SQL")]
    sql: Option<String>,

    /// Read the statements from this file
    #[arg(long, short = 'f', value_name = "FILE", conflicts_with = "sql")]
    file: Option<PathBuf>,

    #[command(flatten)]
    result: ResultArgs,

    /// The engine that runs the query
    #[arg(long, value_enum, value_name = "ENGINE", default_value_t = EngineArg::Local)]
    engine: EngineArg,

    /// Give the files of PATH a table name; can be used more than once
    #[arg(long = "table", value_name = "NAME=PATH", value_parser = named_path)]
    tables: Vec<(String, String)>,

    /// Lake to query, with tables named DATABASE.TABLE
    #[arg(long, value_name = "LAKE", env = "ETL_LAKE")]
    lake: Option<String>,

    /// Query the lake as it was after this run (its id, its first characters, or `last`), or at this time (UTC): 2026-03-01, which is its midnight, or 2026-03-01T03:00
    #[arg(long, value_name = "RUN|TIME", requires = "lake")]
    at: Option<String>,

    /// Run as this principal, which sees only what the lake's policies allow
    #[arg(long = "as", value_name = "PRINCIPAL", requires = "lake", conflicts_with_all = ["tables", "catalog", "at"])]
    principal: Option<String>,

    /// Catalog to query, with tables named DATABASE.TABLE, whoever made them
    #[arg(long, value_enum, value_name = "CATALOG", conflicts_with = "lake")]
    catalog: Option<CatalogKind>,

    /// Account of the Glue catalog [default: that of the credentials]
    #[arg(long, value_name = "ACCOUNT", requires = "catalog")]
    catalog_id: Option<String>,

    /// Format of the files in FROM
    #[arg(long, value_enum, default_value_t = FromFormat::Auto)]
    from: FromFormat,

    /// How CSV files are escaped
    #[arg(long, value_enum, value_name = "DIALECT", default_value_t = Dialect::Rfc4180)]
    from_dialect: Dialect,

    /// The delimiter of CSV files: one character, or `tab` [default: detected from the first lines]
    #[arg(long, value_name = "CHAR", value_parser = delimiter)]
    delimiter: Option<u8>,

    #[command(flatten)]
    log_format: LogFormatArgs,

    /// Number of threads [default: one per core]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,

    /// Memory for sorts, groupings and joins, which spill to disk beyond it [default: half of the machine's memory]
    #[arg(long, value_name = "SIZE")]
    memory: Option<ByteSize>,

    /// Show the query plan instead of running the query
    #[arg(long)]
    explain: bool,

    #[command(flatten)]
    athena: AthenaArgs,
}

/// A catalog of readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CatalogKind {
    /// The AWS Glue Data Catalog
    Glue,
}

/// The engine that runs the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EngineArg {
    /// This machine; queries files and lakes
    Local,
    /// Amazon Athena; queries the tables of its catalog, charged by data scanned
    Athena,
}

/// Runs the query and writes its result to standard output.
///
/// # Errors
/// [`ErrorKind::Query`] where the query is wrong or fails, [`ErrorKind::Input`] where a file can't be read, [`ErrorKind::Rejects`] where
/// no line of one can.
pub(super) fn run(args: QueryArgs) -> Result<()> {
    let misplaced = match args.engine {
        EngineArg::Local => args.athena.given().map(|option| (option, "it is for --engine athena, but this query runs locally")),
        EngineArg::Athena => args.local().map(|option| (option, "it is for local queries; Athena reads the tables of its catalog")),
    };
    if let Some((option, reason)) = misplaced {
        return Err(Error::new(ErrorKind::Usage, format!("{option} doesn't fit the engine: {reason}")));
    }
    args.result.check()?;
    let is_typed = args.sql.is_none() && args.file.is_none() && std::io::stdin().is_terminal();
    if is_typed && args.engine == EngineArg::Local {
        return ask_here(&args, None);
    }
    let sql = sql(&args)?;
    let statements = split_statements(&sql);
    if statements.len() > 1 && args.result.is_for_one() {
        let message = format!("there are {} statements, but only one result can be written in this format", statements.len());
        return Err(Error::new(ErrorKind::Usage, message)
            .with_context("what to do", "write table, csv, tsv or json to standard output, or run them one at a time"));
    }
    match args.engine {
        EngineArg::Local => ask_here(&args, Some(&statements)),
        EngineArg::Athena => args.athena.ask(&sql, args.explain, &args.result),
    }
}

/// Asks the engine of this machine: one statement after the other, or what is typed at its shell.
fn ask_here(args: &QueryArgs, statements: Option<&[String]>) -> Result<()> {
    // What was read as the query is no table any more.
    let stdin = args.file.is_some() || args.sql.as_deref().is_some_and(|sql| sql != "-");
    let session = QuerySession::open(&args.asked(stdin)?)?;
    let done = match statements {
        None => query_shell::run(&session, &args.result),
        Some(statements) => answer(args, &session, statements),
    };
    // A thread that still decodes for a query that is over must not be waited for.
    session.runtime.leave();
    done
}

/// Answers the statements, and says what was found out of their tables.
fn answer(args: &QueryArgs, session: &QuerySession, statements: &[String]) -> Result<()> {
    let cancel = if args.result.output.is_some() { cancel_on_interrupt() } else { Arc::default() };
    let done = statements.iter().try_for_each(|sql| {
        session.until_cancelled(&cancel, async || match args.explain {
            true => session.explain(sql).await,
            false => session.answer(sql, &args.result).await,
        })
    });
    session.say_notes();
    done.and_then(|()| session.refuse_unread())
}

impl QueryArgs {
    /// What is asked, and how.
    fn asked(&self, stdin: bool) -> Result<Asked<'_>> {
        let read = TableOptions {
            format: self.from.into(),
            log: self.log_format.choice()?,
            dialect: self.from_dialect.into(),
            delimiter: self.delimiter,
            ..Default::default()
        };
        let options = QueryOptions {
            threads: self.threads.map_or_else(cores, NonZeroUsize::get),
            read,
            restricted: self.principal.is_some(),
            stdin,
            memory: self.memory.unwrap_or_else(default_memory),
            spill: None,
        };
        let glue = GlueSettings { catalog_id: self.catalog_id.clone(), ..GlueSettings::default() };
        Ok(Asked {
            options,
            lake: self.lake.as_deref(),
            moment: self.at.as_deref(),
            principal: self.principal.as_deref(),
            glue: self.catalog.map(|CatalogKind::Glue| glue),
            tables: &self.tables,
        })
    }

    /// An option of the engine of this machine that was given.
    fn local(&self) -> Option<&'static str> {
        // One that the environment sets is for all that is asked here.
        let lake = self.lake.is_some() && std::env::var("ETL_LAKE").ok() != self.lake;
        let options = [
            ("--as", self.principal.is_some()),
            ("--lake", lake),
            ("--at", self.at.is_some()),
            ("--table", !self.tables.is_empty()),
            ("--from", self.from != FromFormat::Auto),
            ("--from-dialect", self.from_dialect != Dialect::Rfc4180),
            ("--delimiter", self.delimiter.is_some()),
            ("--log-format", self.log_format.is_given()),
            ("--threads", self.threads.is_some()),
            ("--memory", self.memory.is_some()),
        ];
        options.into_iter().find_map(|(option, given)| given.then_some(option))
    }
}

/// The text of the query.
fn sql(args: &QueryArgs) -> Result<String> {
    let text = match (&args.file, args.sql.as_deref()) {
        (Some(file), _) => std::fs::read_to_string(file).map_err(|e| Error::input(file.display(), e))?,
        (None, Some("-") | None) => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map_err(|e| Error::input("standard input", e))?;
            text
        }
        (None, Some(sql)) => sql.to_string(),
    };
    if query_shell::is_leaving(&text) {
        return Err(Error::new(ErrorKind::Usage, format!("`{}` is no statement", text.trim()))
            .with_context("what to do", "the shell, which `etl query` is on a terminal, is left by \\q or Ctrl-D"));
    }
    match split_statements(&text).is_empty() {
        true => Err(Error::new(ErrorKind::Usage, "the query is empty; example: SELECT * FROM 'access.log' LIMIT 10")),
        false => Ok(text),
    }
}

/// `NAME=PATH`; SQL makes unquoted names lower case, so ours are.
fn named_path(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => Ok((name.to_lowercase(), path.to_string())),
        _ => Err("expected NAME=PATH, such as log=access.log.gz".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::query_result::ResultFormat;
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        args: QueryArgs,
    }

    fn parse(arguments: &[&str]) -> Result<QueryArgs, clap::Error> {
        Command::try_parse_from(["query"].iter().chain(arguments)).map(|command| command.args)
    }

    #[test]
    fn arguments_are_checked() {
        let args = parse(&["SELECT 1", "--table", "Log=a=b.log", "--format", "csv"]).unwrap();
        assert_eq!(args.tables, [("log".to_string(), "a=b.log".to_string())]);
        assert_eq!((sql(&args).unwrap().as_str(), args.result.format), ("SELECT 1", Some(ResultFormat::Csv)));
        assert!(parse(&["SELECT 1", "--file", "x.sql"]).is_err());
        assert!(parse(&["SELECT 1", "--table", "log"]).is_err());
        assert_eq!(sql(&parse(&[" "]).unwrap()).unwrap_err().kind(), ErrorKind::Usage);
        assert_eq!(sql(&parse(&["--file", "/no/such/file"]).unwrap()).unwrap_err().kind(), ErrorKind::Input);
    }
}
