//! The name of a table on the command line.

use crate::catalog::Catalog;
use crate::diagnostic::nearest;
use crate::error::{Error, ErrorKind, Result};
use std::fmt;
use std::str::FromStr;

/// `DATABASE.TABLE`, in lower case as catalogs have it.
#[derive(Debug, Clone)]
pub(super) struct TableName {
    pub(super) database: String,
    pub(super) table: String,
}

impl FromStr for TableName {
    type Err = Error;

    fn from_str(text: &str) -> Result<TableName> {
        match text.split_once('.') {
            Some((database, table)) if !database.is_empty() && !table.is_empty() => {
                Ok(TableName { database: database.to_lowercase(), table: table.to_lowercase() })
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
