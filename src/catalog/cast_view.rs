//! The view beside a table of CSV that gives its columns their types.
//!
//! Source: the form in which Presto, Trino and Athena keep views in Glue: a comment with JSON in base64. Athena documents that a reader under Lake
//! Formation needs every column that the view names.

use super::entry::{Entry, VIRTUAL_VIEW};
use super::serde::SerDe;
use super::table::{Column, StorageDescriptor, Table};
use crate::sql_text::quoted;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::collections::BTreeMap;

/// The view called `name` of the table `entry`, whose columns have the types of `table`.
pub(super) fn of(entry: &Entry, table: &Table, name: &str) -> Entry {
    let typed: Vec<&Column> = table.storage.columns.iter().chain(&table.partition_keys).collect();
    let keys: Vec<&str> = table.partition_keys.iter().map(|key| key.name.as_str()).collect();
    let cast = |column: &&Column| match keys.contains(&column.name.as_str()) {
        true => quoted(&column.name),
        false => typed_expression(column),
    };
    let selected: Vec<String> = typed.iter().map(cast).collect();
    let sql = format!("SELECT {} FROM {}.{}", selected.join(", "), quoted(&entry.database), quoted(&entry.name));
    let columns: Vec<_> = typed.iter().map(|column| json!({"name": column.name, "type": trino_type(&column.data_type)})).collect();
    let view = json!({
        "originalSql": sql,
        "catalog": "awsdatacatalog",
        "schema": entry.database,
        "columns": columns,
        // Trino refuses a view that runs as somebody whom it does not know.
        "runAsInvoker": true,
    });
    let mut parameters: BTreeMap<String, String> = entry
        .parameters
        .iter()
        .filter(|(key, _)| key.starts_with("etl.") && *key != "etl.timestamps")
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    parameters.extend([("presto_view".to_string(), "true".to_string()), ("comment".to_string(), "Presto View".to_string())]);
    let storage = StorageDescriptor {
        columns: typed.into_iter().cloned().collect(),
        location: String::new(),
        input_format: String::new(),
        output_format: String::new(),
        compressed: false,
        serde: SerDe { library: String::new(), parameters: BTreeMap::new() },
    };
    Entry {
        database: entry.database.clone(),
        name: name.to_string(),
        // Trino takes a description for the comment by which it knows its views, and finds none.
        description: None,
        table_type: VIRTUAL_VIEW.to_string(),
        storage,
        partition_keys: Vec::new(),
        parameters,
        view: Some(format!("/* Presto View: {} */", STANDARD.encode(view.to_string()))),
    }
}

/// The value of `column`, of a table of CSV whose columns are text, in its type, for Trino and Athena. A field without text is NULL; of texts NULL and `""` are the same in CSV.
pub fn typed_expression(column: &Column) -> String {
    let name = quoted(&column.name);
    match column.data_type.as_str() {
        "string" => name,
        // RFC 4180 says nothing of numbers that are infinite, and the SQL of the engine has one name for them.
        "double" | "float" => {
            format!("CAST(REPLACE(NULLIF({name}, ''), 'inf', 'Infinity') AS {}) AS {name}", trino_type(&column.data_type))
        }
        "binary" => format!("from_hex(NULLIF({name}, '')) AS {name}"),
        other => format!("CAST(NULLIF({name}, '') AS {}) AS {name}", trino_type(other)),
    }
}

/// What Trino and Athena's SQL call a type of Glue that is none of arrays, maps and structs.
pub fn trino_type(glue: &str) -> String {
    match glue {
        "string" => "varchar",
        "int" => "integer",
        "float" => "real",
        "binary" => "varbinary",
        "timestamp" => "timestamp(3)",
        other => other,
    }
    .to_string()
}
