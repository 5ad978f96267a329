//! Brings a catalog forward to what the lake's head says of a table.

use crate::catalog::{Catalog, Change, GlueCatalog, KnownLists, LocalCatalog, Registered, Registration, Told, tell};
use crate::error::{Error, ErrorKind, Result};
use crate::storage::Storage;
use std::thread::sleep;
use std::time::Duration;

/// How often it is begun again because somebody else was faster.
const MOST_TRIES: u32 = 10;

/// Tells `glue` of the table of `registration` as it is now; nothing where the lake has no such table.
///
/// # Errors
/// What the catalog says; [`ErrorKind::Conflict`] where others change the table all the time.
pub(crate) fn forward(storage: &Storage, registration: &Registration, glue: &GlueCatalog, adopt: bool) -> Result<Option<Registered>> {
    registration.keep(storage)?;
    let local = LocalCatalog::new(storage.clone());
    let mut done = Registered::default();
    let mut faster = None;
    for attempt in 0..MOST_TRIES {
        if attempt > 0 {
            sleep(Duration::from_millis(50 << attempt.min(6)));
        }
        let Some(reference) = local.snapshot()?.head.table(&registration.database, &registration.table).cloned() else { return Ok(None) };
        let database = registration.reader_database();
        let there = glue.look(&database, &registration.table)?;
        let told = tell(storage, &local.table(&reference)?, &database, &registration.options, &KnownLists::of(&there))?;
        write_lists(storage, &told)?;
        match glue.register(&there, &told, adopt) {
            Err(error) if error.kind() == ErrorKind::Conflict => faster = Some(error),
            Err(error) => return Err(error),
            Ok(registered) => {
                done = done.and(registered);
                // Who published meanwhile may have told it earlier than we did.
                let now = local.snapshot()?;
                if now.head.table(&registration.database, &registration.table) == Some(&reference) {
                    if done.change == Change::Later {
                        done.notes.push(ahead(&done.table));
                    }
                    return Ok(Some(done));
                }
            }
        }
    }
    let message = format!("others keep changing {}.{}", registration.database, registration.table);
    let error =
        Error::new(ErrorKind::Conflict, message).with_context("what to do", "`etl catalog sync`, or the next run, continues from here");
    Err(match faster {
        Some(faster) => error.with_source(faster),
        None => error,
    })
}

/// What is said of a catalog that knows a later version than there is, as of a lake that lost some.
fn ahead(table: &str) -> String {
    format!(
        "{table} is registered with a later version than the lake has, and is left unchanged; if the lake was repaired, `etl catalog drop {table}` and another run register it again"
    )
}

/// Writes the lists that a catalog is about to be told of.
fn write_lists(storage: &Storage, told: &Told) -> Result<()> {
    storage.put_all(told.lists.iter().map(|list| (list.key.clone(), list.text.clone().into())).collect())
}
