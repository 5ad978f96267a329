//! A table is taken out of Glue; its files stay.

use crate::catalog::{Catalog, Entry, GlueCatalog, LAKE, Registration, TABLE, VIRTUAL_VIEW};
use crate::error::Result;
use crate::storage::{Location, Storage};

/// What was taken out.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Tables and views, as `database.name`.
    pub names: Vec<String>,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// Takes `entry` out of `glue`, with the view beside it that was made of it; of a lake's table the lake forgets that it was told, so that nothing
/// tells it again but a run of its pipeline.
///
/// # Errors
/// What the catalog says.
pub fn drop_from_glue(glue: &GlueCatalog, entry: &Entry) -> Result<Dropped> {
    let mut dropped = Dropped::default();
    let (lake, table) = (entry.parameters.get(LAKE), entry.parameters.get(TABLE));
    let registration = match (lake, table) {
        (Some(lake), Some(table)) if entry.table_type != VIRTUAL_VIEW => match told(lake, table, entry) {
            Ok(registration) => registration,
            Err(error) => {
                dropped.notes.push(format!("the lake {lake} still considers it registered, because the lake can't be read: {error}"));
                None
            }
        },
        _ => None,
    };
    let view = registration.as_ref().and_then(|(_, registration)| registration.options.cast_view.clone());
    for name in [Some(entry.name.clone()), view].into_iter().flatten() {
        // A view is taken out only where it is that of this table.
        let is_ours = name == entry.name || glue.table(&entry.database, &name)?.is_some_and(|view| view.parameters.get(TABLE) == table);
        if is_ours && glue.drop_table(&entry.database, &name)? {
            dropped.names.push(format!("{}.{name}", entry.database));
        }
    }
    if let Some((storage, registration)) = registration {
        registration.forget(&storage)?;
        dropped.notes.push("the next run of its pipeline registers it again, as long as the pipeline names the catalog".to_string());
    }
    Ok(dropped)
}

/// What the lake keeps of having told the catalog of the table.
fn told(lake: &str, table: &str, entry: &Entry) -> Result<Option<(Storage, Registration)>> {
    let storage = Storage::open(Location::parse(lake)?)?;
    let is_told = |one: &Registration| {
        format!("{}.{}", one.database, one.table) == *table && one.reader_database() == entry.database && one.table == entry.name
    };
    let found = Registration::all(&storage)?.into_iter().find(is_told);
    Ok(found.map(|registration| (storage, registration)))
}
