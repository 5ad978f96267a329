//! A folder that takes the place of another in one step, with all that stays of the other in it.
//!
//! Files stay by a second name, and so without being copied. Then both folders are exchanged: whoever opens the output finds all as it was
//! or all as it is now. What somebody added to the old folder in the last moment is brought over. A list of what was known of it is kept
//! beside it, so that the next run can end what a killed one began.

use super::parts::{next_number, part_number, renumbered};
use rustix::fs::{CWD, RenameFlags, listxattr, renameat_with};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirEntryExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

/// The folder in the hidden one that takes the output's place, and then is the old output.
const TREE: &str = "tree";
/// The list of what was known of the output.
const KNOWN: &str = "known";
/// How often what others add while the old folder is removed is brought over.
const MOST_TRIES: usize = 5;

/// What was in an output: the number of each file by its path, which need not be text.
#[derive(Debug, Default, PartialEq, Eq)]
struct Known {
    /// Of the folder that takes the place.
    tree: u64,
    files: BTreeMap<Vec<u8>, u64>,
}

impl Known {
    /// A number and a path each, with the byte behind it that no path has; the folder's comes last, without a path.
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (path, number) in self.files.iter().map(|(path, number)| (path.as_slice(), number)).chain([(&b""[..], &self.tree)]) {
            bytes.extend_from_slice(&number.to_le_bytes());
            bytes.extend_from_slice(path);
            bytes.push(0);
        }
        bytes
    }

    /// Nothing where they were not written to their end.
    fn of_bytes(mut bytes: &[u8]) -> Option<Known> {
        let mut files = BTreeMap::new();
        loop {
            let (number, rest) = bytes.split_first_chunk()?;
            let number = u64::from_le_bytes(*number);
            let end = rest.iter().position(|byte| *byte == 0)?;
            if end == 0 {
                return (rest.len() == 1).then_some(Known { tree: number, files });
            }
            files.insert(rest[..end].to_vec(), number);
            bytes = &rest[end + 1..];
        }
    }
}

/// What is to take the place of a folder.
#[derive(Debug)]
pub(super) struct Exchange<'a> {
    hidden: &'a Path,
    output: &'a Path,
    known: Known,
}

impl<'a> Exchange<'a> {
    /// Makes a folder below `hidden` with all that lies in `output` but the files that `stays` doesn't want.
    ///
    /// # Errors
    /// Where that can't be: on other file systems, without links, with folders that may not be read or that others own.
    pub(super) fn build(hidden: &'a Path, output: &'a Path, stays: &dyn Fn(&Path) -> bool) -> io::Result<Exchange<'a>> {
        let tree = hidden.join(TREE);
        fs::create_dir(&tree)?;
        let mut exchange = Exchange { hidden, output, known: Known { tree: fs::metadata(&tree)?.ino(), files: BTreeMap::new() } };
        exchange.link(Path::new(""), stays)?;
        Ok(exchange)
    }

    /// Whether the file system of `hidden` gives a file two names.
    pub(super) fn has_links(hidden: &Path, file: &Path) -> bool {
        let probe = hidden.join("probe");
        fs::hard_link(file, &probe).and_then(|()| fs::remove_file(&probe)).is_ok()
    }

    /// Removes what was made below `hidden`.
    ///
    /// # Errors
    /// Where it can't be removed.
    pub(super) fn discard(hidden: &Path) -> io::Result<()> {
        fs::remove_file(hidden.join(KNOWN)).or_else(|e| if e.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(e) })?;
        fs::remove_dir_all(hidden.join(TREE))
    }

    /// The folder that will be the output.
    pub(super) fn tree(&self) -> PathBuf {
        self.hidden.join(TREE)
    }

    /// Makes the folder `new` the one that will be the output, where nothing stays; false where something does.
    ///
    /// # Errors
    /// Where that can't be.
    pub(super) fn fill_with(&mut self, new: &Path) -> io::Result<bool> {
        let tree = self.tree();
        if fs::remove_dir(&tree).is_err() {
            return Ok(false);
        }
        fs::rename(new, &tree)?;
        self.known.tree = fs::metadata(&tree)?.ino();
        alike(self.output, &tree).map(|()| true)
    }

    /// Puts the folder that was filled with `new` back.
    ///
    /// # Errors
    /// Where that can't be.
    pub(super) fn empty_into(hidden: &Path, new: &Path) -> io::Result<()> {
        if new.exists() { Ok(()) } else { fs::rename(hidden.join(TREE), new) }
    }

    fn link(&mut self, below: &Path, stays: &dyn Fn(&Path) -> bool) -> io::Result<bool> {
        let (from, to) = (self.output.join(below), self.tree().join(below));
        let mut emptied = false;
        for entry in fs::read_dir(&from)? {
            let entry = entry?;
            let below = below.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                let to = self.tree().join(&below);
                fs::create_dir(&to)?;
                if self.link(&below, stays)? {
                    // All of it is replaced; one that has something in it stays.
                    emptied |= fs::remove_dir(&to).is_ok();
                }
                continue;
            }
            // What isn't a file has a second name as well, but for folders.
            if stays(&below) {
                fs::hard_link(entry.path(), to.join(entry.file_name()))?;
            } else {
                emptied = true;
            }
            self.known.files.insert(below.into_os_string().into_vec(), entry.ino());
        }
        alike(&from, &to)?;
        Ok(emptied)
    }

    /// Exchanges the folders, and then removes the old one.
    ///
    /// # Errors
    /// Where the system can't exchange them; then nothing has changed.
    pub(super) fn commit(self) -> io::Result<()> {
        fs::write(self.hidden.join(KNOWN), self.known.to_bytes())?;
        renameat_with(CWD, self.tree(), CWD, self.output, RenameFlags::EXCHANGE)?;
        // From here on it is done. What can't be removed now is hidden, and the next run tries again.
        let _ = self.forget_removed();
        let _ = settle(self.hidden, self.output);
        Ok(())
    }

    /// Removes from the new folder what somebody removed from the old one after it was looked at.
    fn forget_removed(&self) -> io::Result<()> {
        let mut there = BTreeSet::new();
        list(&self.tree(), Path::new(""), &mut there)?;
        for (path, number) in self.known.files.iter().filter(|(path, _)| !there.contains(*path)) {
            let path = self.output.join(OsStr::from_bytes(path));
            if fs::symlink_metadata(&path).is_ok_and(|found| found.ino() == *number) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

/// Collects the paths of all files.
fn list(root: &Path, below: &Path, found: &mut BTreeSet<Vec<u8>>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let below = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            list(root, &below, found)?;
        } else {
            found.insert(below.into_os_string().into_vec());
        }
    }
    Ok(())
}

/// Ends what an exchange with `output` left in `hidden`: brings over what its list doesn't know, and removes the rest.
///
/// # Errors
/// Where something can't be brought over; it stays where it is then.
pub(super) fn settle(hidden: &Path, output: &Path) -> io::Result<()> {
    let list = match fs::read(hidden.join(KNOWN)) {
        Ok(list) => list,
        // Nothing was exchanged.
        Err(e) if e.kind() == io::ErrorKind::NotFound => return fs::remove_dir_all(hidden),
        Err(e) => return Err(e),
    };
    let tree = hidden.join(TREE);
    let number = match fs::symlink_metadata(&tree) {
        Ok(found) => Some(found.ino()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => return Err(e),
    };
    // A list that wasn't written to its end is older than any exchange.
    let known = Known::of_bytes(&list).filter(|known| number.is_some_and(|number| number != known.tree));
    if let Some(known) = known {
        let mut tries = 0;
        // What is added while it is emptied makes it stay.
        while let Err(e) = empty(&tree, Path::new(""), &known, output) {
            tries += 1;
            if e.kind() != io::ErrorKind::DirectoryNotEmpty || tries > MOST_TRIES {
                return Err(e);
            }
        }
    }
    fs::remove_dir_all(hidden)
}

fn empty(tree: &Path, below: &Path, known: &Known, output: &Path) -> io::Result<()> {
    for entry in fs::read_dir(tree.join(below))? {
        let entry = entry?;
        let below = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            empty(tree, &below, known, output)?;
            continue;
        }
        if known.files.get(below.as_os_str().as_bytes()) != Some(&entry.ino()) {
            bring(&entry.path(), output, &below)?;
        }
        fs::remove_file(entry.path())?;
    }
    fs::remove_dir(tree.join(below))
}

/// Brings a file over that somebody put there. What is there of the same name was put there before, unless both are files of runs.
fn bring(from: &Path, output: &Path, below: &Path) -> io::Result<()> {
    let mut to = output.join(below);
    let folder = to.parent().unwrap_or(output).to_path_buf();
    fs::create_dir_all(&folder)?;
    let name = to.file_name().unwrap_or_default().to_string_lossy().into_owned();
    loop {
        match fs::hard_link(from, &to) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            done => return done,
        }
        if fs::symlink_metadata(&to)?.ino() == fs::symlink_metadata(from)?.ino() {
            return Ok(());
        }
        if part_number(&name).is_none() {
            return fs::rename(from, &to).and_then(|()| fs::hard_link(&to, from));
        }
        to = folder.join(renumbered(&name, next_number(&folder)));
    }
}

/// Gives the folder `to` the owner and the rights of `from`.
fn alike(from: &Path, to: &Path) -> io::Result<()> {
    let (wanted, made): (Metadata, Metadata) = (fs::metadata(from)?, fs::metadata(to)?);
    // Lists of rights and the like can't be told from what a new folder has of its own.
    let mut names = [0u8; 4096];
    match listxattr(from, &mut names[..]) {
        Ok(length) => {
            let foreign = names[..length].split(|byte| *byte == 0).any(|name| !name.is_empty() && !name.starts_with(b"security."));
            if foreign {
                return Err(io::Error::new(io::ErrorKind::Unsupported, "the folder has attributes"));
            }
        }
        Err(rustix::io::Errno::OPNOTSUPP) => {}
        Err(e) => return Err(e.into()),
    }
    if (wanted.uid(), wanted.gid()) != (made.uid(), made.gid()) {
        chown(to, Some(wanted.uid()), Some(wanted.gid()))?;
    }
    if wanted.mode() != made.mode() {
        fs::set_permissions(to, fs::Permissions::from_mode(wanted.mode() & 0o7777))?;
    }
    Ok(())
}

/// Keeps other runs from changing `output`; nothing where it is gone. The folder is locked itself, and is another one after an exchange.
///
/// # Errors
/// Where the file system has no locks, or the folder may not be read.
pub(super) fn take_turn(output: &Path) -> io::Result<Option<File>> {
    loop {
        let folder = match File::open(output) {
            Ok(folder) => folder,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e),
        };
        folder.lock()?;
        let (own, now) = (folder.metadata()?, fs::metadata(output));
        if now.is_ok_and(|now| (now.ino(), now.dev()) == (own.ino(), own.dev())) {
            return Ok(Some(folder));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An output with two files and a folder, and a hidden folder beside it.
    fn place() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let (hidden, output) = (root.path().join(".out.etl-1-0"), root.path().join("out"));
        fs::create_dir_all(output.join("theirs")).unwrap();
        fs::create_dir(&hidden).unwrap();
        for name in ["part-00000.csv", "notes.txt", "theirs/x"] {
            fs::write(output.join(name), name).unwrap();
        }
        (root, hidden, output)
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_list_is_read_as_it_was_written() {
        let known = Known { tree: 7, files: [(b"a b/\xff".to_vec(), 0), (b"c".to_vec(), u64::MAX)].into() };
        let bytes = known.to_bytes();
        assert_eq!(Known::of_bytes(&bytes), Some(known));
        assert!((0..bytes.len()).all(|end| Known::of_bytes(&bytes[..end]).is_none()));
    }

    #[test]
    fn what_is_added_in_the_last_moment_is_brought_over() {
        let (root, hidden, output) = place();
        let exchange = Exchange::build(&hidden, &output, &|_| true).unwrap();
        fs::write(exchange.tree().join("part-00001.csv"), "new").unwrap();
        // Others add, replace and remove.
        fs::write(output.join("part-00001.csv"), "others").unwrap();
        fs::write(output.join("late.txt"), "late").unwrap();
        fs::create_dir_all(output.join("theirs/deep")).unwrap();
        fs::write(output.join("theirs/deep/y"), "y").unwrap();
        fs::write(output.join("other"), "edited").unwrap();
        fs::rename(output.join("other"), output.join("notes.txt")).unwrap();
        fs::remove_file(output.join("theirs/x")).unwrap();
        exchange.commit().unwrap();
        assert_eq!(names(&output), ["late.txt", "notes.txt", "part-00000.csv", "part-00001.csv", "part-00002.csv", "theirs"]);
        let read = |name: &str| fs::read_to_string(output.join(name)).unwrap();
        assert_eq!((read("part-00001.csv"), read("part-00002.csv"), read("notes.txt")), ("new".into(), "others".into(), "edited".into()));
        assert_eq!((names(&output.join("theirs")), read("theirs/deep/y")), (vec!["deep".to_string()], "y".into()));
        assert_eq!(names(root.path()), ["out"]);
    }

    #[test]
    fn what_a_killed_run_left_is_ended() {
        let (root, hidden, output) = place();
        let dropped = |below: &Path| below != Path::new("part-00000.csv");
        // Killed before the exchange.
        let exchange = Exchange::build(&hidden, &output, &dropped).unwrap();
        fs::write(hidden.join(KNOWN), exchange.known.to_bytes()).unwrap();
        settle(&hidden, &output).unwrap();
        assert_eq!((names(root.path()), names(&output).len()), (vec!["out".to_string()], 3));
        // Killed behind it, when a part of the old folder was removed: nothing that was known comes back, and nothing goes.
        fs::create_dir(&hidden).unwrap();
        let exchange = Exchange::build(&hidden, &output, &dropped).unwrap();
        fs::write(hidden.join(KNOWN), exchange.known.to_bytes()).unwrap();
        fs::write(output.join("late.txt"), "late").unwrap();
        renameat_with(CWD, exchange.tree(), CWD, &output, RenameFlags::EXCHANGE).unwrap();
        fs::remove_file(exchange.tree().join("notes.txt")).unwrap();
        fs::remove_file(output.join("theirs/x")).unwrap();
        settle(&hidden, &output).unwrap();
        assert_eq!(
            (names(root.path()), names(&output)),
            (vec!["out".to_string()], vec!["late.txt".into(), "notes.txt".into(), "theirs".into()])
        );
        assert_eq!(names(&output.join("theirs")), [] as [&str; 0]);
    }
}
