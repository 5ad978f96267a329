//! The name of a table on the command line.

use crate::catalog::{Catalog, LocalCatalog};
use crate::diagnostic::nearest;
use crate::error::{Error, ErrorKind, Result};
use crate::storage::Storage;
use std::fmt;
use std::str::FromStr;

/// `DATABASE.TABLE`, in lower case as catalogs have it.
#[derive(Debug, Clone)]
pub(super) struct TableName {
    pub(super) database: String,
    pub(super) table: String,
    /// It was written with capitals.
    pub(super) was_lowered: bool,
}

impl FromStr for TableName {
    type Err = Error;

    fn from_str(text: &str) -> Result<TableName> {
        match text.split_once('.') {
            Some((database, table)) if !database.is_empty() && !table.is_empty() => {
                let was_lowered = text.chars().any(char::is_uppercase);
                Ok(TableName { database: database.to_lowercase(), table: table.to_lowercase(), was_lowered })
            }
            _ => Err(Error::new(ErrorKind::Usage, format!("`{text}` is not a table name; expected DATABASE.TABLE"))),
        }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.database, self.table)
    }
}

impl TableName {
    /// The table that `text` names in the lake in `storage`: without its database where only one has it.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where none has it, or more than one.
    pub(super) fn of_lake(text: &str, storage: &Storage) -> Result<TableName> {
        if text.contains('.') {
            return text.parse();
        }
        let snapshot = LocalCatalog::new(storage.clone()).snapshot()?;
        let wanted = text.to_lowercase();
        let all: Vec<String> = snapshot.head.tables().map(|(database, name, _)| format!("{database}.{name}")).collect();
        let having: Vec<&String> = all.iter().filter(|name| name.split_once('.').is_some_and(|(_, name)| name == wanted)).collect();
        match having.as_slice() {
            [one] => one.parse(),
            [] => {
                let bares = snapshot.head.tables().map(|(_, name, _)| name);
                let hint = nearest(&wanted, bares).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                let message = format!("no database of {} has a table `{text}`{hint}", storage.location());
                Err(Error::new(ErrorKind::Usage, message)
                    .with_context("tables", if all.is_empty() { "none".to_string() } else { few(&all) }))
            }
            more => {
                let names: Vec<&str> = more.iter().map(|name| name.as_str()).collect();
                Err(Error::new(ErrorKind::Usage, format!("more than one database has a table `{text}`; write which: {}", names.join(", "))))
            }
        }
    }

    /// The name, of a table that is to be made.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for one that not every reader can write.
    pub(super) fn checked(&self) -> Result<&TableName> {
        let fits = |name: &str| {
            name.len() <= 255
                && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
                && !name.starts_with(|c: char| c.is_ascii_digit())
        };
        if fits(&self.database) && fits(&self.table) {
            return Ok(self);
        }
        Err(Error::new(ErrorKind::Usage, format!("`{self}` is not a valid table name"))
            .with_context("expected", "use letters, digits and _ in each of DATABASE.TABLE, no digit first, at most 255"))
    }

    /// The error of there being no such table in `catalog`.
    pub(super) fn missing(&self, catalog: &dyn Catalog) -> Error {
        let tables = |database: &str| catalog.tables(database).unwrap_or_default().into_iter().map(|table| table.full_name());
        let mut known: Vec<String> = tables(&self.database).collect();
        if known.is_empty() {
            let databases = catalog.databases().unwrap_or_default();
            let near = nearest(&self.database, databases.iter().map(String::as_str)).map(str::to_string);
            known = near.iter().flat_map(|database| tables(database)).collect();
            if known.is_empty() && !databases.is_empty() {
                let message = format!("there is no database `{}` in {}", self.database, catalog.name());
                return Error::new(ErrorKind::Usage, message).with_context("databases", few(&databases));
            }
        }
        let wanted = self.to_string();
        let hint = nearest(&wanted, known.iter().map(String::as_str)).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        let error = Error::new(ErrorKind::Usage, format!("there is no table `{wanted}` in {}{hint}", catalog.name()));
        error.with_context("tables", if known.is_empty() { "none".to_string() } else { few(&known) })
    }
}

/// The first of `names`: a catalog may have thousands.
fn few(names: &[String]) -> String {
    const FEW: usize = 20;
    let more = if names.len() > FEW { format!(", and {} more", names.len() - FEW) } else { String::new() };
    format!("{}{more}", names[..names.len().min(FEW)].join(", "))
}
