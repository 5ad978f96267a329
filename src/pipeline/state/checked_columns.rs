//! Whether the columns that checks name are there, told before a row is read.

use crate::diagnostic::nearest;
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::model::{Expectation, Pipeline, TableName};

/// Refuses a check of `table`, which has these `columns`, that names another one.
///
/// # Errors
/// [`ErrorKind::Usage`] with the place of the check, and what was probably meant.
pub(crate) fn refuse_unknown_columns<'a>(pipeline: &Pipeline, table: &TableName, columns: impl Iterator<Item = &'a str>) -> Result<()> {
    let known: Vec<&str> = columns.collect();
    // Of what is not made yet nothing is known.
    if known.is_empty() {
        return Ok(());
    }
    for check in &pipeline.verify {
        let named = match &check.expect {
            Expectation::Unique { table: of, columns } | Expectation::NotNull { table: of, columns } if of == table => columns.as_slice(),
            Expectation::Matches { table: of, column, .. } if of == table => std::slice::from_ref(column),
            _ => continue,
        };
        if let Some(unknown) = named.iter().find(|name| !known.iter().any(|known| known.eq_ignore_ascii_case(name))) {
            let hint = nearest(unknown, known.iter().copied()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            let message = format!("the check `{}` uses the column `{unknown}`, which {table} doesn't have{hint}", check.name);
            return Err(Error::new(ErrorKind::Usage, message).with_context("at", &check.place).with_context("columns", known.join(", ")));
        }
    }
    Ok(())
}
