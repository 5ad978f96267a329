//! How something is removed from a lake while others are at work in it, of whom any may stop at any moment and go on at any other.
//!
//! Signs and ages tell what is worth removing; that it is safe to remove goes by the head alone. Who removes something makes a plan from
//! one head, writes the list of what it condemns, and replaces just that head by one that names the list. So every commit came before
//! that, and the plan has seen it; or its own replacing of the head fails, and then it reads the new one, and refers to nothing that is
//! condemned. Only then is something removed, and when all of it is gone the list goes, too. A run that is condemned loses its sign, and
//! publishes nothing without.
//!
//! What a list names that the head names is nobody's any more: everybody may finish the work of one who died, or only seems to have.

use super::head::Head;
use super::local::{LocalCatalog, Snapshot, to_json};
use super::table::Table;
use crate::error::{Error, ErrorKind, Result};
use crate::publish::keys::CONDEMNED;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

/// How often the head is tried to be replaced.
const MOST_TRIES: u32 = 100;

/// What is about to be removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condemned {
    /// Of this format; 1.
    pub format: u32,
    /// Runs that publish nothing any more.
    pub runs: BTreeSet<String>,
    /// Folders with all that is in them.
    pub folders: BTreeSet<String>,
    pub keys: BTreeSet<String>,
    /// The signs of those runs, which go last: who dies before is followed by another who sees that there is something to do.
    pub signs: BTreeSet<String>,
}

/// A list that the head names, or named.
#[derive(Debug, Clone)]
pub struct Sentence {
    key: String,
    pub what: Condemned,
}

impl Condemned {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.folders.is_empty() && self.keys.is_empty() && self.signs.is_empty()
    }

    /// Whether the object at `key` is to be removed.
    pub fn has(&self, key: &str) -> bool {
        let below = |folder: &String| key.strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/'));
        self.keys.contains(key) || self.folders.iter().any(below)
    }
}

impl Sentence {
    /// The key of the list.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether `table` would miss something of it.
    pub fn refers_to(&self, table: &Table) -> bool {
        let segments = table.segments.iter();
        self.what.runs.contains(&table.origin.run)
            || segments.clone().any(|segment| self.what.has(&segment.manifest) || self.what.runs.contains(&segment.run))
            || segments.clone().any(|segment| self.what.keys.iter().any(|key| key.starts_with(&format!("{}/", segment.location))))
    }
}

impl LocalCatalog {
    /// Condemns something, as of `seen`; nothing where the head is another one by now. Then it may be referred to, and what is worth
    /// removing has to be found out again.
    ///
    /// # Errors
    /// Where the lake can't be read or written.
    pub fn condemn(&self, seen: &Snapshot, what: Condemned) -> Result<Option<Sentence>> {
        let key = format!("{CONDEMNED}/{:016x}.json", getrandom::u64().map_err(no_chance)?);
        self.storage().put(&key, to_json(&what)?)?;
        let mut head = seen.head.clone();
        head.condemned.push(key.clone());
        // Told that another one was faster, we may be the one: where the answer to a write was lost.
        if self.replace_head(seen, head)? || self.snapshot()?.head.condemned.contains(&key) {
            return Ok(Some(Sentence { key, what }));
        }
        self.storage().delete(&[key])?;
        Ok(None)
    }

    /// Removes what was condemned, and then takes the list out of the head again.
    ///
    /// # Errors
    /// Where the lake can't be read or written. The list stays then, for the next one.
    pub fn carry_out(&self, sentence: &Sentence) -> Result<()> {
        for folder in &sentence.what.folders {
            self.storage().remove_folder(folder)?;
        }
        for keys in [&sentence.what.keys, &sentence.what.signs] {
            self.storage().delete(&keys.iter().cloned().collect::<Vec<_>>())?;
        }
        for attempt in 0..MOST_TRIES {
            let seen = self.snapshot()?;
            let mut head = seen.head.clone();
            head.condemned.retain(|list| *list != sentence.key);
            if head == seen.head || self.replace_head(&seen, head)? {
                return self.storage().delete(std::slice::from_ref(&sentence.key));
            }
            pause(attempt);
        }
        // It does no harm where it is.
        Ok(())
    }

    /// The lists that `head` names.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where one can't be read.
    pub fn condemned(&self, head: &Head) -> Result<Vec<Sentence>> {
        let objects = self.storage().get_all(&head.condemned)?;
        let mut lists = Vec::new();
        for (object, key) in objects.into_iter().zip(&head.condemned) {
            // A list goes when the head doesn't name it any more: then all of it is gone.
            if let Some(object) = object {
                lists.push(Sentence { key: key.clone(), what: self.parse(key, &object.bytes)? });
            }
        }
        Ok(lists)
    }

    /// The keys of all lists, also of those that no head names.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where they can't be listed.
    pub fn lists(&self) -> Result<BTreeSet<String>> {
        Ok(self.storage().list(CONDEMNED)?.into_iter().map(|entry| entry.key).collect())
    }
}

/// Others have their turn in another order the next time.
pub(super) fn pause(attempt: u32) {
    let most = 20 * u64::from(attempt + 1).min(25);
    std::thread::sleep(Duration::from_millis(getrandom::u64().unwrap_or_default() % most));
}

fn no_chance(error: getrandom::Error) -> Error {
    Error::new(ErrorKind::Internal, "the system gives no random numbers").with_source(std::io::Error::other(error.to_string()))
}
