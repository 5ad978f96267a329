//! A table as the statements with which Athena makes the same one.
//!
//! Source: the AWS pages on CREATE TABLE, ALTER TABLE ADD PARTITION and CREATE VIEW in Athena. Tables are made by Hive's DDL, with names in backticks
//! and texts in which a backslash escapes; views by SQL, with names in double quotes.

use super::entry::{Entry, Partition, VIRTUAL_VIEW};
use super::table::{Column, StorageDescriptor};
use crate::error::{Error, ErrorKind, Result};
use crate::sql_text::quoted;
use crate::units::count;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;

/// As many as Glue takes in one call.
const PARTITIONS_AT_ONCE: usize = 100;
/// Athena takes 262,144 bytes in one statement.
const LONGEST: usize = 240_000;
/// Parameters that the catalog sets itself.
const OF_CATALOG: [&str; 2] = ["EXTERNAL", "transient_lastDdlTime"];

/// The statements, without semicolons, in the order in which they are run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ddl {
    pub statements: Vec<String>,
    /// In what the table that they make is another one.
    pub notes: Vec<String>,
}

impl Ddl {
    /// Those of `entry` with `partitions`.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a table that is not made by such statements.
    pub fn of(entry: &Entry, partitions: &[Partition]) -> Result<Ddl> {
        if entry.table_type == VIRTUAL_VIEW {
            return Ok(Ddl { statements: vec![view(entry)?], notes: Vec::new() });
        }
        if let Some(kind) = entry.parameters.get("table_type").filter(|kind| !kind.is_empty()) {
            let message = format!(
                "{} is a {kind} table: its columns and files are in its own metadata, and no DDL can recreate it",
                entry.full_name()
            );
            return Err(Error::new(ErrorKind::Usage, message));
        }
        let mut ddl = Ddl { statements: vec![table(entry)], notes: Vec::new() };
        if entry.is_projected() {
            return Ok(ddl);
        }
        ddl.statements.extend(added(entry, partitions));
        let other = |partition: &&Partition| !is_read_alike(&partition.storage, &entry.storage);
        let others = partitions.iter().filter(other).count();
        if others > 0 {
            ddl.notes.push(format!(
                "{} of {} partitions are read differently from the table (by file lists, or another SerDe), which ADD PARTITION can't express: \
                 register them in the catalog instead",
                count(others as u64),
                count(partitions.len() as u64)
            ));
        }
        Ok(ddl)
    }
}

/// Whether files are read as `table` says, wherever they are.
fn is_read_alike(partition: &StorageDescriptor, table: &StorageDescriptor) -> bool {
    partition.input_format == table.input_format && partition.serde == table.serde
}

fn table(entry: &Entry) -> String {
    let storage = &entry.storage;
    let mut sql = format!("CREATE EXTERNAL TABLE {}.{} (\n  {}\n)", name(&entry.database), name(&entry.name), columns(&storage.columns));
    let mut clause = |text: String| {
        sql.push('\n');
        sql.push_str(&text);
    };
    if let Some(description) = &entry.description {
        clause(format!("COMMENT {}", text(description)));
    }
    if !entry.partition_keys.is_empty() {
        clause(format!("PARTITIONED BY (\n  {}\n)", columns(&entry.partition_keys)));
    }
    if !storage.serde.library.is_empty() {
        clause(format!("ROW FORMAT SERDE {}", text(&storage.serde.library)));
        if !storage.serde.parameters.is_empty() {
            clause(format!("WITH SERDEPROPERTIES (\n  {}\n)", properties(&storage.serde.parameters)));
        }
    }
    clause(format!("STORED AS INPUTFORMAT {}\nOUTPUTFORMAT {}", text(&storage.input_format), text(&storage.output_format)));
    clause(format!("LOCATION {}", text(&storage.location)));
    let parameters = entry.parameters.iter().filter(|(key, _)| !OF_CATALOG.contains(&key.as_str()));
    let parameters: BTreeMap<String, String> = parameters.map(|(key, value)| (key.clone(), value.clone())).collect();
    if !parameters.is_empty() {
        clause(format!("TBLPROPERTIES (\n  {}\n)", properties(&parameters)));
    }
    sql
}

/// Statements that register the partitions, each of a slice of them.
fn added(entry: &Entry, partitions: &[Partition]) -> Vec<String> {
    let begin = format!("ALTER TABLE {}.{} ADD IF NOT EXISTS", name(&entry.database), name(&entry.name));
    let mut statements: Vec<(String, usize)> = Vec::new();
    for partition in partitions {
        let value = |(key, value): (&Column, &String)| format!("{} = {}", name(&key.name), text(value));
        let values: Vec<String> = entry.partition_keys.iter().zip(&partition.values).map(value).collect();
        let one = format!("\n  PARTITION ({}) LOCATION {}", values.join(", "), text(&partition.storage.location));
        match statements.last_mut() {
            Some((sql, n)) if *n < PARTITIONS_AT_ONCE && sql.len() + one.len() <= LONGEST => {
                sql.push_str(&one);
                *n += 1;
            }
            _ => statements.push((format!("{begin}{one}"), 1)),
        }
    }
    statements.into_iter().map(|(sql, _)| sql).collect()
}

/// The statement of a view: of one that Presto, Trino or Athena made, the query in its comment.
fn view(entry: &Entry) -> Result<String> {
    let whole = entry.view.as_deref().unwrap_or_default();
    let json = whole.trim().strip_prefix("/* Presto View: ").and_then(|text| text.strip_suffix(" */"));
    let decoded = json.and_then(|text| STANDARD.decode(text.trim()).ok());
    let parsed = decoded.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    let sql = match (&parsed, json) {
        (Some(value), _) => value.get("originalSql").and_then(|sql| sql.as_str()).map(str::to_string),
        (None, None) if !whole.trim().is_empty() => Some(whole.to_string()),
        _ => None,
    };
    let sql = sql.ok_or_else(|| {
        let message = format!("the query of view {} can't be read", entry.full_name());
        Error::new(ErrorKind::Input, message).with_context("expected", "a comment `/* Presto View: … */` with JSON in base64")
    })?;
    Ok(format!("CREATE OR REPLACE VIEW {}.{} AS\n{}", quoted(&entry.database), quoted(&entry.name), sql.trim()))
}

fn columns(columns: &[Column]) -> String {
    let column = |column: &Column| {
        let comment = column.comment.as_ref().map(|comment| format!(" COMMENT {}", text(comment))).unwrap_or_default();
        format!("{} {}{comment}", name(&column.name), column.data_type)
    };
    columns.iter().map(column).collect::<Vec<_>>().join(",\n  ")
}

fn properties(properties: &BTreeMap<String, String>) -> String {
    properties.iter().map(|(key, value)| format!("{} = {}", text(key), text(value))).collect::<Vec<_>>().join(",\n  ")
}

/// A name in Hive's DDL.
fn name(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text in Hive's DDL: backslashes escape, so they are escaped themselves.
fn text(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    text.push('\'');
    for c in value.chars() {
        match c {
            '\'' => text.push_str("\\'"),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            // A statement is cut at it by clients that run several.
            ';' => text.push_str("\\u003B"),
            c if c.is_control() => text.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => text.push(c),
        }
    }
    text.push('\'');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::serde::SerDe;

    fn entry() -> Entry {
        let column = |name: &str, comment: Option<&str>| Column {
            name: name.into(),
            data_type: "string".into(),
            comment: comment.map(str::to_string),
        };
        Entry {
            database: "d".into(),
            name: "t".into(),
            description: Some("it's \\ a\n\"table\"".into()),
            table_type: "EXTERNAL_TABLE".into(),
            storage: StorageDescriptor {
                columns: vec![column("host", Some("who's asking")), column("odd `name`", None)],
                location: "s3://b/t/".into(),
                input_format: "in".into(),
                output_format: "out".into(),
                compressed: false,
                serde: SerDe { library: "lib".into(), parameters: BTreeMap::from([("input.regex".into(), r#"([^"\\]*+) \[x\]"#.into())]) },
            },
            partition_keys: vec![column("dt", None)],
            parameters: BTreeMap::from([("EXTERNAL".into(), "TRUE".into()), ("classification".into(), "csv".into())]),
            view: None,
        }
    }

    #[test]
    fn a_table_has_all_its_clauses_and_its_texts_are_escaped() {
        let partition = |day: usize| {
            let storage = StorageDescriptor { location: format!("s3://b/t/dt={day}/"), ..entry().storage };
            Partition { values: vec![day.to_string()], storage, parameters: BTreeMap::new() }
        };
        let partitions: Vec<Partition> = (0..201).map(partition).collect();
        let ddl = Ddl::of(&entry(), &partitions).unwrap();
        assert_eq!(
            ddl.statements[0],
            r#"CREATE EXTERNAL TABLE `d`.`t` (
  `host` string COMMENT 'who\'s asking',
  `odd ``name``` string
)
COMMENT 'it\'s \\ a\n"table"'
PARTITIONED BY (
  `dt` string
)
ROW FORMAT SERDE 'lib'
WITH SERDEPROPERTIES (
  'input.regex' = '([^"\\\\]*+) \\[x\\]'
)
STORED AS INPUTFORMAT 'in'
OUTPUTFORMAT 'out'
LOCATION 's3://b/t/'
TBLPROPERTIES (
  'classification' = 'csv'
)"#
        );
        assert_eq!(ddl.statements.len(), 4);
        assert!(
            ddl.statements[1].starts_with("ALTER TABLE `d`.`t` ADD IF NOT EXISTS\n  PARTITION (`dt` = '0') LOCATION 's3://b/t/dt=0/'\n")
        );
        assert_eq!(ddl.statements[3], "ALTER TABLE `d`.`t` ADD IF NOT EXISTS\n  PARTITION (`dt` = '200') LOCATION 's3://b/t/dt=200/'");
        assert!(ddl.notes.is_empty());
    }

    #[test]
    fn what_no_statement_says_is_noted_or_refused() {
        let mut listed = Partition { values: vec!["1".into()], storage: entry().storage, parameters: BTreeMap::new() };
        listed.storage.input_format = super::super::lists::SYMLINK_INPUT.into();
        assert!(Ddl::of(&entry(), &[listed]).unwrap().notes[0].starts_with("1 of 1 partitions"));
        let mut iceberg = entry();
        iceberg.parameters.insert("table_type".into(), "ICEBERG".into());
        assert_eq!(Ddl::of(&iceberg, &[]).unwrap_err().kind(), ErrorKind::Usage);
        let mut view = entry();
        view.table_type = VIRTUAL_VIEW.into();
        view.view = Some("/* Presto View: !! */".into());
        assert_eq!(Ddl::of(&view, &[]).unwrap_err().kind(), ErrorKind::Input);
    }

    #[test]
    fn a_view_is_the_query_that_it_was_made_of() {
        let json = serde_json::json!({"originalSql": "SELECT \"host\" FROM \"d\".\"t\""}).to_string();
        let view = Entry {
            name: "ty\"ped".into(),
            table_type: VIRTUAL_VIEW.into(),
            view: Some(format!("/* Presto View: {} */", STANDARD.encode(json))),
            ..entry()
        };
        let ddl = Ddl::of(&view, &[]).unwrap();
        assert_eq!(ddl.statements, ["CREATE OR REPLACE VIEW \"d\".\"ty\"\"ped\" AS\nSELECT \"host\" FROM \"d\".\"t\""]);
    }
}
