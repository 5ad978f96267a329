//! Lists of files, for tables and partitions whose files lie in several folders: catalogs know one location of each.
//!
//! Source: Hive's `SymlinkTextInputFormat`, which Athena and Trino read: the location is a folder with one object that has the address of a
//! file in each line. A list is never changed: another one lies in another folder, so that readers move from one to the other at once.

use super::readers::There;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The input format of what is read by a list.
pub const SYMLINK_INPUT: &str = "org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat";
/// The folder of a table's lists, below the table's own. No run has this name.
pub const LISTS: &str = "lists";
/// The list in its folder. Readers pass over names that begin with `_` or a dot.
const NAME: &str = "files.txt";

/// A list that must be there before a catalog is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileList {
    /// In the lake.
    pub key: String,
    /// An address in each line.
    pub text: String,
}

/// The lists that a catalog points to, by what they say: these need not be written again.
#[derive(Debug, Default)]
pub struct KnownLists(BTreeMap<String, String>);

impl KnownLists {
    /// Those of a table as the catalog has it.
    pub fn of(there: &There) -> KnownLists {
        let template = there.entry.as_ref().and_then(|entry| entry.parameters.get("storage.location.template"));
        let places = there.entry.iter().map(|entry| &entry.storage.location).chain(template);
        let places = places.chain(there.partitions.iter().map(|partition| &partition.storage.location));
        KnownLists(places.filter_map(|place| folder_in(place)).map(|name| (name[..DIGEST].to_string(), name.to_string())).collect())
    }

    /// The folder of lists that say the same as `texts`, below the table's, and whether they are there already.
    pub(super) fn folder<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> (String, bool) {
        let mut digest = Sha256::new();
        for text in texts {
            digest.update((text.len() as u64).to_le_bytes());
            digest.update(text);
        }
        let digest = hex::encode(&digest.finalize()[..DIGEST / 2]);
        if let Some(known) = self.0.get(&digest) {
            return (format!("{LISTS}/{known}"), true);
        }
        // Never the name of one that was: somebody may be about to remove it.
        let chance = getrandom::u32().unwrap_or_else(|_| std::process::id());
        (format!("{LISTS}/{digest}-{chance:08x}"), false)
    }
}

/// Hexadecimal digits of what lists say, and of chance.
const DIGEST: usize = 16;
const CHANCE: usize = 8;

/// The name of the folder of lists that `place` lies in, a key or an address: `0123456789abcdef-01234567`.
pub fn folder_in(place: &str) -> Option<&str> {
    let mut parts = place.split('/').skip_while(|part| *part != LISTS).skip(1);
    let name = parts.next()?;
    let (digest, chance) = name.split_once('-')?;
    let is_hex = |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_hex(digest, DIGEST) && is_hex(chance, CHANCE)).then_some(name)
}

/// The key of the list in `folder`.
pub(super) fn key(folder: &str) -> String {
    format!("{}/{NAME}", folder.trim_end_matches('/'))
}

/// The name of the folder of lists of a table of which `key` is one.
pub fn folder_of(key: &str) -> Option<&str> {
    let (_, below) = key.split_once('/')?.1.split_once('/')?;
    folder_in(below).filter(|_| below.starts_with(LISTS) && key.ends_with(NAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_known_by_what_they_say() {
        let (folder, known) = KnownLists::default().folder(["s3://b/a\n"]);
        assert!(!known);
        let key = key(&format!("web/access/{folder}/dt=2020-02-29"));
        let name = folder_of(&key).unwrap();
        assert_eq!(format!("{LISTS}/{name}"), folder);
        assert_eq!(folder_in(&format!("s3://b/lake/web/access/{folder}/dt=${{dt}}/")), Some(name));
        let lists = KnownLists(BTreeMap::from([(name[..DIGEST].to_string(), name.to_string())]));
        assert_eq!(lists.folder(["s3://b/a\n"]), (folder.clone(), true));
        assert!(!lists.folder(["s3://b/b\n"]).1);
        for other in ["web/access/20200301T030000000Z-7f3a9c01/files.txt", "web/access/lists/x/files.txt", "web/access/lists/files.txt", ""]
        {
            assert_eq!(folder_of(other), None, "{other}");
        }
    }
}
