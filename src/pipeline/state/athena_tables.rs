//! What a transform reads that Athena makes: tables of Glue, and which version of them.

use crate::catalog::{Catalog, GlueCatalog, LAKE, VERSION};
use crate::error::Result;
use crate::pipeline::athena_engine::glue;
use crate::pipeline::model::{Pipeline, Transform};
use crate::publish::{Input, SourceFile};
use datafusion::sql::parser::DFParser;
use datafusion::sql::resolve::resolve_table_references;

/// What inputs that Athena reads are called in manifests.
const FORMAT: &str = "athena";
/// The mark of a table of which nobody says when it changed.
const UNKNOWN: &str = "";

/// The tables that `transform` reads, each with its version as a mark; none is known of SQL that only Athena understands.
///
/// # Errors
/// Where Glue can't be asked.
pub(crate) fn read_by(pipeline: &Pipeline, transform: &Transform) -> Result<Input> {
    let glue = glue(pipeline)?;
    let files = names(&transform.sql).into_iter().map(|(database, table)| {
        let mark = mark(&glue, &database, &table)?;
        Ok(SourceFile { path: format!("{database}.{table}"), mark, ..SourceFile::default() })
    });
    Ok(Input { format: FORMAT.to_string(), files: files.collect::<Result<_>>()?, ..Input::default() })
}

/// Why what was made of `before` is to be rebuilt, now that it is `now`.
pub(crate) fn changed(before: Option<&Input>, now: &Input) -> Option<String> {
    if now.files.is_empty() {
        return Some("it is unknown which tables Athena reads for it, and whether they changed".to_string());
    }
    let unknown = now.files.iter().find(|table| table.mark == UNKNOWN);
    if let Some(table) = unknown {
        return Some(format!("{} is not a table of an etl lake: it is unknown whether it changed", table.path));
    }
    let known =
        |table: &SourceFile| before.iter().flat_map(|input| &input.files).any(|then| then.path == table.path && then.mark == table.mark);
    now.files.iter().find(|table| !known(table)).map(|table| format!("{} has changed", table.path))
}

/// The version of a table of a lake.
fn mark(glue: &GlueCatalog, database: &str, table: &str) -> Result<String> {
    let entry = glue.table(database, table)?;
    let said = entry.and_then(|entry| Some(format!("version {} of {}", entry.parameters.get(VERSION)?, entry.parameters.get(LAKE)?)));
    Ok(said.unwrap_or_else(|| UNKNOWN.to_string()))
}

/// The tables that SQL names; none where it can't be read, or one is named without its database.
pub(crate) fn names(sql: &str) -> Vec<(String, String)> {
    let read = DFParser::parse_sql(sql).ok().and_then(|statements| statements.front().cloned());
    let tables = read.and_then(|statement| resolve_table_references(&statement, true).ok()).map(|(tables, _)| tables).unwrap_or_default();
    let named = tables.iter().map(|table| Some((table.schema()?.to_string(), table.table().to_string())));
    named.collect::<Option<_>>().unwrap_or_default()
}
