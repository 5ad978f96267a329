//! Makes readers see new versions of tables, all at once.

use super::condemned::pause;
use super::head::{Database, Head, PolicyRef, TableRef};
use super::local::{LocalCatalog, Snapshot, to_json};
use super::references::NewReferences;
use super::table::{PastVersion, Table};
use super::table_name::TableName;
use crate::error::{Error, ErrorKind, Result};
use crate::publish::keys::{self, HEAD};
use crate::publish::{Lease, RunId};
use chrono::Utc;

/// How often a commit begins again because another one was faster.
const MOST_TRIES: u32 = 100;

impl LocalCatalog {
    /// Makes `tables` the ones that readers see, all at once. Each follows the version that `base` had of it; its version, history and
    /// digest are set here. `lease` is that of the run, taken before it wrote anything.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] where another run published one of them since `base` was read, where the run was taken for dead, or where
    /// something that it refers to is gone. Nothing has changed then, and nothing will. With other errors it may have.
    pub fn commit(&self, base: &Snapshot, tables: Vec<Table>, lease: &Lease) -> Result<Vec<Table>> {
        self.commit_with(base, tables, &Beside::default(), lease)
    }

    /// As [`LocalCatalog::commit`], and with the tables what changes `beside` them. There may be no tables.
    ///
    /// # Errors
    /// As [`LocalCatalog::commit`]; [`ErrorKind::Conflict`] too where any policy, or a table that is dropped, has changed since `base` was read.
    pub fn commit_with(&self, base: &Snapshot, mut tables: Vec<Table>, beside: &Beside<'_>, lease: &Lease) -> Result<Vec<Table>> {
        let mut references = NewReferences::default();
        for table in &mut tables {
            let before = base.head.table(&table.database, &table.name);
            // A table that was dropped goes on, with its history.
            if let (None, Some(dropped)) = (before, base.head.dropped(&table.database, &table.name))
                && let Some(old) = self.whole(&dropped.table)?.filter(|old| old.origin.pipeline == table.origin.pipeline)
            {
                follow(table, Some(&dropped.table), Some(&old));
                references.add(table, object_key(table), None);
                self.write_version(table)?;
                continue;
            }
            let own = table.segments.iter().all(|segment| segment.run == table.origin.run);
            let old = match before {
                // All its rows are rebuilt: what is lost of the one before does no harm.
                Some(before) if own && self.is_lost(before)? => None,
                before => before.map(|before| self.table(before)).transpose()?,
            };
            follow(table, before, old.as_ref());
            references.add(table, object_key(table), old.as_ref());
            self.write_version(table)?;
        }
        references.objects.extend(beside.policies.iter().map(|(_, policy)| policy.object.clone()));
        self.publish(base, tables, beside, &references, lease)
    }

    /// As [`LocalCatalog::commit`], for versions that have their numbers and histories: those that they follow can't be read.
    ///
    /// # Errors
    /// As [`LocalCatalog::commit`].
    pub fn commit_anew(&self, base: &Snapshot, tables: Vec<Table>, lease: &Lease) -> Result<Vec<Table>> {
        self.commit_numbered(base, tables, &Beside::default(), lease)
    }

    /// Gives `table` the name `database.name`, under which it goes on, with its history; `run` is who does it.
    ///
    /// # Errors
    /// As [`LocalCatalog::commit`]; [`ErrorKind::Usage`] where there is a table of that name.
    pub fn rename(&self, base: &Snapshot, table: &Table, to: &TableName, run: &RunId, lease: &Lease) -> Result<Table> {
        let old = TableName { database: table.database.clone(), table: table.name.clone() };
        let Some(before) = base.head.table(&old.database, &old.table) else {
            return Err(Error::new(ErrorKind::Usage, format!("there is no table {old}")));
        };
        if base.head.table(&to.database, &to.table).is_some() {
            return Err(Error::new(ErrorKind::Usage, format!("table {to} already exists; nothing was changed")));
        }
        let mut renamed = table.clone();
        renamed.history.push(PastVersion::of(before, table.rows));
        (renamed.database, renamed.name, renamed.version) = (to.database.clone(), to.table.clone(), table.version + 1);
        (renamed.origin.run, renamed.updated) = (run.to_string(), Utc::now());
        let beside = Beside { renamed: Some(&old), ..Beside::default() };
        let mut done = self.commit_numbered(base, vec![renamed], &beside, lease)?;
        done.pop().ok_or_else(|| Error::new(ErrorKind::Internal, "a table was published, and is none"))
    }

    fn commit_numbered(&self, base: &Snapshot, mut tables: Vec<Table>, beside: &Beside<'_>, lease: &Lease) -> Result<Vec<Table>> {
        let mut references = NewReferences::default();
        for table in &mut tables {
            table.count();
            table.digest = table.expected_digest();
            references.add(table, object_key(table), None);
            self.write_version(table)?;
        }
        self.publish(base, tables, beside, &references, lease)
    }

    fn publish(
        &self,
        base: &Snapshot,
        tables: Vec<Table>,
        beside: &Beside<'_>,
        references: &NewReferences,
        lease: &Lease,
    ) -> Result<Vec<Table>> {
        // All files are safe before the one that names them is: also if the power fails.
        self.storage().sync()?;
        let mut current = base.clone();
        for attempt in 0..MOST_TRIES {
            // Told that another one was faster, we may be the one: where the answer to a write was lost, and others went on from there.
            if attempt > 0 && self.has(&current.head, &tables)? && beside.is_in(&current.head) {
                return Ok(tables);
            }
            if current.is_empty() && !base.is_empty() {
                return Err(self.headless());
            }
            let mut head = current.head.clone();
            for table in &tables {
                let (seen, now) = (base.head.table(&table.database, &table.name), head.table(&table.database, &table.name));
                if seen.map(|table| &table.object) != now.map(|table| &table.object) {
                    return Err(lost(&table.database, &table.name, now));
                }
                let database: &mut Database = head.databases.entry(table.database.clone()).or_default();
                database.tables.insert(table.name.clone(), self.reference(table));
                head.dropped.remove(&format!("{}.{}", table.database, table.name));
            }
            for name in beside.dropped {
                is_as_in(base, &head, name)?;
                head.drop_table(&name.database, &name.table);
            }
            if let Some(name) = beside.renamed {
                is_as_in(base, &head, name)?;
                head.take(&name.database, &name.table);
            }
            // What was found to fit together was the policies of then.
            if !beside.policies.is_empty() && head.policies != base.head.policies {
                return Err(governed());
            }
            head.policies.extend(beside.policies.iter().cloned());
            // Behind the reading of the head: what is condemned after this makes the head another one.
            if !lease.is_held()? {
                let message = "another run considered this one dead and cleaned up after it; it published nothing";
                return Err(Error::new(ErrorKind::Conflict, message).with_context("what to do", "run it again"));
            }
            references.check(self.storage(), &self.condemned(&current.head)?)?;
            if self.replace_head(&current, head)? {
                return Ok(tables);
            }
            pause(attempt);
            current = self.snapshot()?;
        }
        if self.has(&current.head, &tables)? && beside.is_in(&current.head) {
            return Ok(tables);
        }
        let message = format!("others keep changing the catalog of {}; nothing was published", self.storage().location());
        Err(Error::new(ErrorKind::Conflict, message).with_context("what to do", "run it again"))
    }

    /// Makes `head` the head in the place of a damaged one; false where others were faster.
    ///
    /// # Errors
    /// [`ErrorKind::Output`] where it can't be written.
    pub fn replace_damaged(&self, seen: &Snapshot, head: Head) -> Result<bool> {
        self.storage().sync()?;
        self.replace_head(seen, head)
    }

    /// Writes the description of a version again that was published, at its place.
    ///
    /// # Errors
    /// [`ErrorKind::Output`] where it can't be written.
    pub fn restore(&self, table: &Table) -> Result<()> {
        self.storage().put(&object_key(table), to_json(table)?)
    }

    /// How a head names `table`.
    pub fn reference(&self, table: &Table) -> TableRef {
        TableRef { version: table.version, object: object_key(table), run: table.origin.run.clone(), updated: table.updated }
    }

    /// A table of which `head` says what doesn't fit together, as no commit writes it.
    pub fn misfit(head: &Head) -> Option<String> {
        let (database, name, _) =
            head.tables().find(|(database, name, table)| table.object != version_key(database, name, table.version, &table.run))?;
        Some(format!("{database}.{name}"))
    }

    /// The error of a lake that has tables and no head: one rebuilt would forget those of others.
    pub fn headless(&self) -> Error {
        let location = self.storage().location();
        Error::new(
            ErrorKind::Input,
            format!("{} is missing; it says which version of each table is current; nothing was changed", location.join(HEAD)),
        )
        .with_context("what to do", format!("restore it, or rebuild it with `etl catalog repair --lake {location}`"))
    }

    /// Whether readers of `head` see `tables`, or saw them until a later version.
    fn has(&self, head: &Head, tables: &[Table]) -> Result<bool> {
        for table in tables {
            let key = object_key(table);
            let seen = match head.table(&table.database, &table.name) {
                None => false,
                Some(now) => now.object == key || self.table(now)?.history.iter().any(|past| past.object == key),
            };
            if !seen {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Writes a description, and a copy of it beside the manifest of its run: so it can be brought back when one of them is lost.
    fn write_version(&self, table: &Table) -> Result<()> {
        let text = to_json(table)?;
        self.storage().put(&copy_key(table), text.clone())?;
        // A key is written once: what is gone is never there again, so that nobody who is late removes it a second time.
        if self.storage().put_new(&object_key(table), text)? {
            return Ok(());
        }
        let message = format!("{} is there already", self.storage().location().join(&object_key(table)));
        Err(Error::new(ErrorKind::Internal, message))
    }
}

/// Makes `table` the version behind `before`, whose description is `old`.
fn follow(table: &mut Table, before: Option<&TableRef>, old: Option<&Table>) {
    table.version = before.map_or(1, |before| before.version + 1);
    let history = old.map(|old| old.history.clone()).unwrap_or_default();
    table.history = history.into_iter().chain(before.map(|before| PastVersion::of(before, old.map_or(0, |old| old.rows)))).collect();
    table.created = old.map_or(table.created, |old| old.created);
    table.count();
    table.digest = table.expected_digest();
}

/// What a commit changes beside the tables that it publishes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Beside<'a> {
    /// The policies of owners, which must be there already.
    pub policies: &'a [(String, PolicyRef)],
    /// Tables that readers see no more; their files stay.
    pub dropped: &'a [TableName],
    /// The name that the one table had until now.
    pub renamed: Option<&'a TableName>,
}

impl Beside<'_> {
    /// Whether `head` has it all.
    fn is_in(&self, head: &Head) -> bool {
        self.policies.iter().all(|(owner, policy)| head.policies.get(owner) == Some(policy))
            && self.dropped.iter().chain(self.renamed).all(|name| head.table(&name.database, &name.table).is_none())
    }
}

/// Refuses to take the table `name` out of `head`, where it is another one by now than in `base`.
fn is_as_in(base: &Snapshot, head: &Head, name: &TableName) -> Result<()> {
    match head.table(&name.database, &name.table) {
        Some(now) if base.head.table(&name.database, &name.table) != Some(now) => Err(lost(&name.database, &name.table, Some(now))),
        _ => Ok(()),
    }
}

fn governed() -> Error {
    let message = "somebody else changed the lake's access policies in the meantime; nothing was changed";
    Error::new(ErrorKind::Conflict, message).with_context("what to do", "run it again; it will be compared with the current state")
}

fn lost(database: &str, table: &str, now: Option<&TableRef>) -> Error {
    let winner = now.map_or("it was removed".to_string(), |now| format!("run {} published version {}", now.run, now.version));
    let message = format!("{database}.{table} changed during this run: {winner}; this run published nothing");
    Error::new(ErrorKind::Conflict, message).with_context("what to do", "run it again; it will continue from the current state")
}

/// The key of a version: runs never share one.
fn object_key(table: &Table) -> String {
    version_key(&table.database, &table.name, table.version, &table.origin.run)
}

/// The key of the description of a version of `database.name` that `run` made.
fn version_key(database: &str, name: &str, version: u64, run: &str) -> String {
    keys::table(database, name, version, run)
}

/// The key of the copy of a version's description, in the folder of what its run says of itself.
pub fn copy_key(table: &Table) -> String {
    keys::copy(&table.origin.pipeline, &table.origin.run, &table.origin.output)
}
