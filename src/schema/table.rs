//! The description of one table.

use super::types::{arrow_type, athena_type};
use crate::error::{Error, ErrorKind, Result};
use crate::yaml::{Needed, Node, Problems, Read, Text, read_text, section};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
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

section! {
    /// The file as it is written.
    struct TableText {
        /// Lower-case letters, digits and `_`.
        name: Needed<Text>,
        /// The LogFormat as in `httpd.conf`.
        log_format: Option<Text>,
        /// In the order of the files.
        columns: Needed<Vec<ColumnText>>,
    }
}

section! {
    /// A column as it is written.
    struct ColumnText {
        /// Lower-case letters, digits and `_`.
        name: Needed<Text>,
        /// As Athena calls it.
        r#type: Needed<Text>,
        /// The LogFormat directives that it is read from.
        directive: Option<Text>,
        /// What it means.
        comment: Option<Text>,
    }
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
        let text = read_text(path)?;
        Self::parse(&path.display().to_string(), &text)
    }

    /// Reads `text`; messages call it `path`.
    ///
    /// # Errors
    /// [`Format`](crate::ErrorKind::Format) that tells all that is wrong, with file, line and column and a caret.
    pub fn parse(path: &str, text: &str) -> Result<Self> {
        let mut problems = Problems::new(path, text);
        let table = read(&mut problems);
        match (problems.into_error(), table) {
            (None, Some(table)) => Ok(table),
            (Some(error), _) => Err(error),
            (None, None) => Err(Error::new(ErrorKind::Internal, format!("{path} was refused, and nobody said why"))),
        }
    }

    /// The description of a table of `columns`, which is to be written. Names are made to fit: lower case, without other signs than `_`,
    /// different.
    pub fn describing(name: &str, log_format: Option<String>, columns: &Schema) -> TableSchema {
        let mut described: Vec<ColumnSchema> = Vec::with_capacity(columns.fields().len());
        for field in columns.fields() {
            let plain = fitting(field.name());
            let numbered = (2..).map(|number| format!("{plain}_{number}"));
            let mut free = std::iter::once(plain.clone()).chain(numbered);
            let name = free.find(|name| !described.iter().any(|column| column.name == *name)).unwrap_or_default();
            let comment = (name != *field.name()).then(|| format!("called {} in the file", field.name()));
            let directive = field.metadata().get("directive").cloned();
            described.push(ColumnSchema { name, data_type: field.data_type().clone(), directive, comment });
        }
        TableSchema { name: fitting(name), log_format, columns: described }
    }

    /// The text of the file, which reads back as this.
    ///
    /// # Errors
    /// Where a column is of a type that Athena has not.
    pub fn to_yaml(&self) -> Result<String> {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let mut yaml = format!("name: {}\n", self.name);
        if let Some(format) = &self.log_format {
            yaml += &format!("log_format: {}\n", quoted(format));
        }
        yaml += "columns:\n";
        for column in &self.columns {
            yaml += &format!("  - name: {}\n    type: {}\n", column.name, column.athena_type()?);
            let more = [("directive", &column.directive), ("comment", &column.comment)];
            for (key, text) in more.into_iter().filter_map(|(key, text)| Some((key, text.as_ref()?))) {
                yaml += &format!("    {key}: {}\n", quoted(&on_a_line(text)));
            }
        }
        Ok(yaml)
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

/// `text` on one line of YAML.
fn on_a_line(text: &str) -> String {
    if text.chars().any(char::is_control) { text.escape_debug().to_string() } else { text.to_string() }
}

/// `name` as names are written.
fn fitting(name: &str) -> String {
    let plain: String =
        name.trim().to_lowercase().chars().take(LONGEST_NAME - 10).map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    match plain.chars().next() {
        Some(first) if !first.is_ascii_digit() => plain,
        _ => format!("c_{plain}"),
    }
}

/// The table; nothing, or not all of it, where the problems tell why.
fn read(problems: &mut Problems<'_>) -> Option<TableSchema> {
    let root = Node::parse(problems)?;
    let table = TableText::read(&root, problems)?;
    if let Some(name) = table.name.as_ref() {
        check_name(name, problems);
    }
    let written = table.columns.as_ref()?;
    let mut columns: Vec<ColumnSchema> = Vec::with_capacity(written.len());
    for column in written {
        if let Some(name) = column.name.as_ref() {
            check_name(name, problems);
            if columns.iter().any(|before| before.name == name.text) {
                problems.error(&name.place, "the table already has a column of this name");
            }
        }
        let data_type = column.r#type.as_ref().and_then(|written| match arrow_type(&written.text) {
            Ok(data_type) => Some(data_type),
            Err(fault) => {
                problems.error(&written.part(problems.text(), fault.span), fault.message);
                None
            }
        });
        if let (Some(name), Some(data_type)) = (column.name.as_ref(), data_type) {
            let text = |text: &Option<Text>| text.as_ref().map(|text| text.text.clone());
            let (directive, comment) = (text(&column.directive), text(&column.comment));
            columns.push(ColumnSchema { name: name.text.clone(), data_type, directive, comment });
        }
    }
    let name = table.name.as_ref()?;
    if written.is_empty() && !table.wrong {
        problems.error(&name.place, "this table has no columns; list at least one under `columns`");
    }
    Some(TableSchema { name: name.text.clone(), log_format: table.log_format.as_ref().map(|format| format.text.clone()), columns })
}

fn check_name(name: &Text, problems: &mut Problems<'_>) {
    let text = &name.text;
    let fits = text.len() <= LONGEST_NAME
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !fits {
        let message =
            format!("expected a name of at most {LONGEST_NAME} lower-case letters, digits and `_` that doesn't start with a digit");
        problems.error(&name.place, message);
    }
}
