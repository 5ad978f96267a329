//! The description of one table.

use super::document::Document;
use super::types::{arrow_type, athena_type};
use crate::error::{Error, Result};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use serde::Deserialize;
use serde_saphyr::Spanned;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// A table: its name and columns, and the LogFormat that they come from where it is one of a log.
#[derive(Debug, Clone, PartialEq)]
pub struct TableSchema {
    /// Lower case, as catalogs keep names.
    pub name: String,
    /// The LogFormat as in `httpd.conf`; nothing for other tables.
    pub log_format: Option<String>,
    /// In the order of the files.
    pub columns: Vec<ColumnSchema>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnSchema {
    /// Lower case, unique in the table.
    pub name: String,
    /// What the files hold.
    pub data_type: DataType,
    /// The LogFormat directives that it is read from.
    pub directive: Option<String>,
    /// What it means, for people who query it.
    pub comment: Option<String>,
}

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TableText {
    name: Spanned<String>,
    log_format: Option<String>,
    columns: Vec<ColumnText>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnText {
    name: Spanned<String>,
    #[serde(rename = "type")]
    data_type: Spanned<String>,
    directive: Option<String>,
    comment: Option<String>,
}

/// The longest name that Glue keeps, in bytes.
const LONGEST_NAME: usize = 255;

impl TableSchema {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// [`Input`](crate::ErrorKind::Input) where it can't be read, [`Format`](crate::ErrorKind::Format) as of
    /// [`TableSchema::parse`].
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| Error::input(path.display(), error))?;
        Self::parse(&path.display().to_string(), &text)
    }

    /// Reads `text`; messages call it `path`.
    ///
    /// # Errors
    /// [`Format`](crate::ErrorKind::Format) with file, line and column and a caret under what is wrong.
    pub fn parse(path: &str, text: &str) -> Result<Self> {
        let document = Document { path, text };
        let table: TableText = document.parse()?;
        check_name(document, &table.name)?;
        let mut columns: Vec<ColumnSchema> = Vec::with_capacity(table.columns.len());
        for column in table.columns {
            check_name(document, &column.name)?;
            if columns.iter().any(|before| before.name == column.name.value) {
                return Err(document.fault(&column.name, "the table has a column of this name already"));
            }
            let data_type =
                arrow_type(&column.data_type.value).map_err(|fault| document.fault_in(&column.data_type, fault.span, &fault.message))?;
            columns.push(ColumnSchema { name: column.name.value, data_type, directive: column.directive, comment: column.comment });
        }
        if columns.is_empty() {
            return Err(document.fault(&table.name, "this table has no columns; list at least one under `columns`"));
        }
        Ok(TableSchema { name: table.name.value, log_format: table.log_format, columns })
    }

    /// The Arrow schema; every column can be NULL and names its directives in the field metadata `directive`.
    pub fn arrow_schema(&self) -> SchemaRef {
        let fields: Vec<Field> = self
            .columns
            .iter()
            .map(|column| {
                let field = Field::new(&column.name, column.data_type.clone(), true);
                match &column.directive {
                    Some(directive) => field.with_metadata(HashMap::from([("directive".to_string(), directive.clone())])),
                    None => field,
                }
            })
            .collect();
        Arc::new(Schema::new(fields))
    }
}

impl ColumnSchema {
    /// The name of its type in Athena and Glue.
    ///
    /// # Errors
    /// Where Athena has no such type; a column that was read from a file always has one.
    pub fn athena_type(&self) -> Result<String> {
        athena_type(&self.data_type)
    }
}

fn check_name(document: Document<'_>, name: &Spanned<String>) -> Result<()> {
    let text = &name.value;
    let fits = text.len() <= LONGEST_NAME
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if fits {
        return Ok(());
    }
    let message = format!("expected a name of at most {LONGEST_NAME} lower-case letters, digits and `_` that starts with no digit");
    Err(document.fault(name, &message))
}
