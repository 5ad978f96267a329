//! Tells Glue of a version of a table.
//!
//! Glue has no transaction over a table and its partitions. A table without registered partitions moves by one call. With them, partitions move
//! in batches, and the table, with the number of the version, last: whoever finds an older number there knows that something is left to do.

use super::batches::{self, Batches};
use super::client::{GlueCatalog, incomplete};
use super::shapes;
use crate::aws::code;
use crate::catalog::entry::{Entry, Partition};
use crate::catalog::merge::{is_as_told, marked, merged, merged_partition};
use crate::catalog::readers::{Change, Foreign, Registered, There};
use crate::catalog::table::REGISTERED;
use crate::catalog::told::{LAKE, TABLE, Told, VERSION};
use crate::error::{Error, ErrorKind, Result};
use crate::units::counted;
use std::collections::BTreeMap;

/// Before the partitions of a new table are there, it has this version.
const NO_VERSION: &str = "0";

pub(super) async fn register(glue: &GlueCatalog, there: There, told: &Told, adopt: bool) -> Result<Registered> {
    let mut registered = one(glue, there, told, adopt).await?;
    if let Some(view) = &told.view {
        let told = Told { entry: view.clone(), partitions: Vec::new(), lists: Vec::new(), view: None, columns: Vec::new() };
        let there = glue.there(&view.database, &view.name).await?;
        let view = one(glue, there, &told, adopt).await?;
        if view.wrote() {
            registered.notes.push(format!("the view {} has its columns with their types", view.table));
        }
        registered.notes.extend(view.notes);
    }
    Ok(registered)
}

async fn one(glue: &GlueCatalog, mut there: There, told: &Told, adopt: bool) -> Result<Registered> {
    let entry = &told.entry;
    let name = entry.full_name();
    let mut registered = Registered::nothing(name.clone(), Change::Unchanged);
    match &there.entry {
        Some(known) if is_ours(entry, known) => {
            if is_later(entry, known) {
                return Ok(Registered { change: Change::Later, ..registered });
            }
        }
        Some(known) if !adopt => return Err(foreign(entry, known)),
        Some(_) => registered.notes.push(format!("{name} was made by somebody else and is taken over, because of `adopt`")),
        None => {
            glue.ensure_database(&entry.database).await?;
            let mut first = marked(entry);
            if !told.partitions.is_empty() {
                first.parameters.insert(VERSION.to_string(), NO_VERSION.to_string());
            }
            create(glue, &first).await?;
            registered.change = Change::Created;
            if told.partitions.is_empty() {
                return Ok(registered);
            }
            // A new table has no partitions: only how Glue calls its version is asked.
            there = glue.alone(&entry.database, &entry.name).await?;
        }
    }
    if there.entry.as_ref().is_some_and(|known| keys(known) != keys(entry)) {
        there = rekeyed(glue, there, told, &mut registered).await?;
    }
    let Some(known) = there.entry else { return Err(lost(&name)) };
    let (mut batches, kept) = compared(told, &known, there.partitions);
    if kept > 0 {
        registered.notes.push(format!("{kept} partitions of {name} registered by somebody else are left unchanged"));
    }
    // Once partitions are computed, nobody looks for those that are registered; until then readers need them.
    let unneeded =
        Batches { delete: if entry.is_projected() { std::mem::take(&mut batches.delete) } else { Vec::new() }, ..Batches::default() };
    write(glue, entry, &batches, &mut registered).await?;
    let wanted = merged(entry, &known);
    if wanted != known {
        update(glue, &wanted, &there.foreign, there.version).await?;
        registered.updates();
    }
    write(glue, entry, &unneeded, &mut registered).await?;
    Ok(registered)
}

async fn write(glue: &GlueCatalog, entry: &Entry, batches: &Batches, registered: &mut Registered) -> Result<()> {
    batches::write(glue, &entry.database, &entry.name, batches).await?;
    registered.created += batches.create.len() as u64;
    registered.updated += batches.update.len() as u64;
    registered.deleted += batches.delete.len() as u64;
    Ok(())
}

/// Gives the table the partition keys that are told. A partition has a value for each key: those of other keys go first, and readers see none
/// until the new ones are there.
async fn rekeyed(glue: &GlueCatalog, there: There, told: &Told, registered: &mut Registered) -> Result<There> {
    let entry = &told.entry;
    let Some(known) = there.entry else { return Ok(there) };
    let without = Told { partitions: Vec::new(), ..told.clone() };
    let (batches, others) = compared(&without, &known, there.partitions);
    // A partition that has values for other keys than its table makes the table unreadable, and what others made isn't removed.
    if others > 0 {
        let (others, keys) = (counted(others as u64, "partition"), keys(&known).join(", "));
        let message = format!("somebody else registered {others} of {} with other keys ({keys})", entry.full_name());
        return Err(
            Error::new(ErrorKind::Usage, message).with_context("what to do", "have them removed first, or give the table another name")
        );
    }
    write(glue, entry, &batches, registered).await?;
    let mut wanted = merged(entry, &known);
    if !told.partitions.is_empty() {
        wanted.parameters.insert(VERSION.to_string(), NO_VERSION.to_string());
    }
    update(glue, &wanted, &there.foreign, there.version).await?;
    registered.updates();
    glue.there(&entry.database, &entry.name).await
}

fn keys(entry: &Entry) -> Vec<&str> {
    entry.partition_keys.iter().map(|key| key.name.as_str()).collect()
}

/// What is to be written of the partitions, and how many are of others.
fn compared(told: &Told, known: &Entry, there: Vec<Partition>) -> (Batches, usize) {
    let mut there: BTreeMap<Vec<String>, Partition> = there.into_iter().map(|partition| (partition.values.clone(), partition)).collect();
    let mut batches = Batches::default();
    for partition in &told.partitions {
        match there.remove(&partition.values) {
            None => batches.create.push(partition.clone()),
            Some(there) if is_as_told(partition, &there) => {}
            Some(there) => batches.update.push(merged_partition(partition, &there)),
        }
    }
    // Ours lie where the table's files do, or did.
    let roots = [&told.entry.storage.location, &known.storage.location];
    let is_ours = |partition: &Partition| match told.entry.parameters.contains_key(REGISTERED) {
        // There others may register what lies in the same folder: ours are marked.
        true => partition.parameters.contains_key(REGISTERED),
        false => roots.iter().any(|root| partition.storage.location.starts_with(root.as_str())),
    };
    let (ours, others): (Vec<_>, Vec<_>) = there.into_values().partition(is_ours);
    batches.delete = ours.into_iter().map(|partition| partition.values).collect();
    (batches, others.len())
}

/// Whether the table there is the one of which we tell.
fn is_ours(entry: &Entry, known: &Entry) -> bool {
    let same = |key: &str| known.parameters.contains_key(key) && known.parameters.get(key) == entry.parameters.get(key);
    match entry.parameters.contains_key(REGISTERED) {
        true => same(REGISTERED),
        false => [LAKE, TABLE].iter().all(|key| same(key)),
    }
}

/// Whether the table there is of a later version.
fn is_later(entry: &Entry, known: &Entry) -> bool {
    let version = |entry: &Entry| entry.parameters.get(VERSION).and_then(|version| version.parse::<u64>().ok());
    is_ours(entry, known) && version(known) > version(entry)
}

/// Refuses to tell Glue of a table where another one is there.
pub(super) fn refuse_foreign(entry: &Entry, there: Option<&Entry>, adopt: bool) -> Result<()> {
    match there {
        Some(known) if !adopt && !is_ours(entry, known) => Err(foreign(entry, known)),
        _ => Ok(()),
    }
}

fn foreign(entry: &Entry, known: &Entry) -> Error {
    let name = entry.full_name();
    let owner = match known.parameters.get(LAKE).or(known.parameters.get(REGISTERED)) {
        Some(place) if !known.parameters.contains_key(LAKE) => format!("who registered the files at {place}"),
        Some(lake) => format!("the lake {lake}, as its table {}", known.parameters.get(TABLE).map_or("-", String::as_str)),
        None if known.storage.location.is_empty() => "nobody says whom".to_string(),
        None => format!("unknown; its files are at {}", known.storage.location),
    };
    Error::new(ErrorKind::Usage, format!("the table {name} belongs to somebody else; nothing was changed in Glue"))
        .with_context("owner", owner)
        .with_context("what to do", "rename the table, set a `database_prefix`, or take the table over with `adopt: true` or --adopt")
}

fn lost(name: &str) -> Error {
    Error::new(ErrorKind::Conflict, format!("the table {name} was removed while it was being registered"))
}

async fn create(glue: &GlueCatalog, entry: &Entry) -> Result<()> {
    let input = shapes::table_input(entry, &Foreign::default()).map_err(incomplete)?;
    let call = glue.client.create_table().set_catalog_id(glue.catalog_id()).database_name(&entry.database).table_input(input);
    match call.send().await {
        Ok(_) => Ok(()),
        Err(error) if code(&error) == Some("AlreadyExistsException") => Err(lost(&entry.full_name())),
        Err(error) => Err(glue.failed(&format!("can't create the table {}", entry.full_name()), &error)),
    }
}

async fn update(glue: &GlueCatalog, entry: &Entry, foreign: &Foreign, version: Option<String>) -> Result<()> {
    let input = shapes::table_input(entry, foreign).map_err(incomplete)?;
    let call = glue.client.update_table().set_catalog_id(glue.catalog_id()).database_name(&entry.database).table_input(input);
    // Only if it is still the one that was read. Versions of ours are the lake's, so that Glue needs none.
    let answer = call.set_version_id(version).skip_archive(true).send().await;
    answer.map(|_| ()).map_err(|error| glue.failed(&format!("can't change the table {}", entry.full_name()), &error))
}
