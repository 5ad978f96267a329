//! A hidden folder beside the output, where files are written before anybody sees them.
//!
//! A new output appears by one rename of the folder. One that is there is exchanged in one step with a folder that has the new files and
//! what stays of the old ones, where the system can do that; else it is changed file by file.

use super::exchange::{Exchange, take_turn};
use super::hidden::HiddenFolder;
use super::parts::{find_parts, next_number, part_number, renumbered};
use crate::error::{Error, ErrorKind, Result};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What is done with an output that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Existing {
    /// Nothing: the run is refused.
    #[default]
    Refuse,
    /// Its files are replaced. Files that no run of this program wrote are left alone.
    Overwrite,
    /// New files are added behind its own.
    Append,
}

/// The hidden folder of one run. Dropped without [`Staging::commit`], it is removed with all in it.
#[derive(Debug)]
pub struct Staging {
    output: PathBuf,
    hidden: HiddenFolder,
    existing: Existing,
    /// The files that earlier runs wrote, by folder below the output.
    old: BTreeMap<PathBuf, Vec<String>>,
    /// Whoever runs this stands in the output: in a folder that is exchanged they would be left in one that is removed.
    stood_in: bool,
}

impl Staging {
    /// Prepares to write to the folder `output` files whose names end in `extension`. What killed runs left behind is removed.
    ///
    /// # Errors
    /// [`ErrorKind::Output`] where there is an output already that may not be touched, or the folder can't be made.
    pub fn prepare(output: &Path, existing: Existing, extension: &str) -> Result<Staging> {
        if output.file_name().is_none() || (output.is_symlink() && !output.exists()) {
            let message = format!("`{}` can't be the output folder; name a folder, such as `out`", output.display());
            return Err(Error::new(ErrorKind::Output, message));
        }
        // A link to a folder is written through, not replaced.
        let output = fs::canonicalize(output).unwrap_or_else(|_| output.to_path_buf());
        if output.exists() && !output.is_dir() {
            return Err(Error::new(ErrorKind::Output, format!("{} is a file; the output is a folder", output.display())));
        }
        let mut old = BTreeMap::new();
        if output.is_dir() {
            find_parts(&output, Path::new(""), &mut old).map_err(|e| Error::output(output.display(), e))?;
        }
        let stood_in = std::env::current_dir().is_ok_and(|current| current.starts_with(&output));
        check(&output.display().to_string(), existing, extension, &old)?;
        let hidden = HiddenFolder::of(&output)?;
        Ok(Staging { output, hidden, existing, old, stood_in })
    }

    /// Where a file is written: `below` is its path below the output.
    pub fn path(&self, below: &str) -> PathBuf {
        self.hidden.new_files().join(below)
    }

    /// Whether an earlier run wrote the file at `path` to this output.
    pub fn is_earlier_part(&self, path: &Path) -> bool {
        let Ok(path) = fs::canonicalize(path) else { return false };
        let Ok(below) = path.strip_prefix(&self.output) else { return false };
        self.is_old(below)
    }

    /// The number of the first file that a run may write into a folder below the output.
    pub fn first_number(&self, folder: &str) -> u64 {
        first_number(&self.old, self.existing, folder)
    }

    /// A file of an earlier run, below the output folder, where there is one.
    pub fn earlier_file(&self) -> Option<PathBuf> {
        let (folder, names) = self.old.iter().find(|(_, names)| !names.is_empty())?;
        Some(folder.join(names.first()?))
    }

    /// Moves the files to their places; `files` are their paths below the output. Gives the paths that they have there: others,
    /// where another run added files meanwhile.
    ///
    /// # Errors
    /// [`ErrorKind::Output`]; what was added is taken back then.
    pub fn commit(self, files: &[String]) -> Result<Vec<String>> {
        if !self.output.exists() {
            match renameat_with(CWD, self.hidden.new_files(), CWD, &self.output, RenameFlags::NOREPLACE) {
                Ok(()) => return Ok(files.to_vec()),
                // Somebody made the folder meanwhile: then it is theirs, and files are added to it.
                Err(_) if self.output.exists() => {}
                // Some file systems know of no conditions.
                Err(_) => {
                    return fs::rename(self.hidden.new_files(), &self.output).map(|()| files.to_vec()).map_err(|e| failed(&self.output, e));
                }
            }
        }
        // Runs at once take turns, so that none exchanges away what another adds. Without locks it must do without.
        let _turn = take_turn(&self.output);
        if self.hidden.beside
            && !self.stood_in
            && let Some(places) = self.exchange(files)?
        {
            return Ok(places);
        }
        if self.existing == Existing::Overwrite {
            self.replace(files)?;
            return Ok(files.to_vec());
        }
        let mut added = Vec::new();
        let places = self.add(files, &self.output, &mut added);
        if places.is_err() {
            for path in &added {
                let _ = fs::remove_file(path);
            }
        }
        places
    }

    /// Exchanges the output for a folder with the new files in it; nothing where that can't be.
    fn exchange(&self, files: &[String]) -> Result<Option<Vec<String>>> {
        let overwrite = self.existing == Existing::Overwrite;
        let replaced: HashSet<PathBuf> = match overwrite {
            true => self.old.iter().flat_map(|(folder, names)| names.iter().map(|name| folder.join(name))).collect(),
            false => HashSet::new(),
        };
        // What is new gets a second name as well, and keeps the first until all is done.
        let has_links = files.first().is_none_or(|first| Exchange::has_links(&self.hidden.path, &self.path(first)));
        let built = Exchange::build(&self.hidden.path, &self.output, &|below| !replaced.contains(below));
        let (true, Ok(mut exchange)) = (has_links, built) else { return self.give_up() };
        let places = match exchange.fill_with(&self.hidden.new_files()) {
            Ok(true) => files.to_vec(),
            Ok(false) => {
                if overwrite {
                    for below in files {
                        // What somebody added of that name meanwhile is overwritten.
                        let _ = fs::remove_file(exchange.tree().join(below));
                    }
                }
                self.add(files, &exchange.tree(), &mut Vec::new())?
            }
            Err(_) => return self.give_up(),
        };
        match exchange.commit() {
            Ok(()) => Ok(Some(places)),
            Err(_) => self.give_up(),
        }
    }

    /// Removes what was made for an exchange that can't be; the new files are where they were.
    fn give_up(&self) -> Result<Option<Vec<String>>> {
        let kept = Exchange::empty_into(&self.hidden.path, &self.hidden.new_files());
        kept.map_err(|e| failed(&self.hidden.path, e))?;
        // What stays is removed with the hidden folder.
        let _ = Exchange::discard(&self.hidden.path);
        Ok(None)
    }

    fn is_old(&self, below: &Path) -> bool {
        let names = below.parent().and_then(|folder| self.old.get(folder));
        names.is_some_and(|names| names.iter().any(|name| below.file_name().is_some_and(|own| *own == **name)))
    }

    fn replace(&self, files: &[String]) -> Result<()> {
        for below in files {
            let to = place(&self.output, below)?;
            fs::rename(self.path(below), &to).map_err(|e| failed(&to, e))?;
        }
        let new: HashSet<&Path> = files.iter().map(Path::new).collect();
        for (folder, names) in &self.old {
            for below in names.iter().map(|name| folder.join(name)).filter(|below| !new.contains(below.as_path())) {
                let path = self.output.join(below);
                fs::remove_file(&path).map_err(|e| failed(&path, e))?;
            }
            for emptied in folder.ancestors().filter(|folder| !folder.as_os_str().is_empty()) {
                // One that has files still stays.
                let _ = fs::remove_dir(self.output.join(emptied));
            }
        }
        Ok(())
    }

    /// Gives the new files names below `root`; their paths below it are given.
    fn add(&self, files: &[String], root: &Path, added: &mut Vec<PathBuf>) -> Result<Vec<String>> {
        // How much the numbers of a folder's files had to be raised.
        let mut raised: HashMap<&Path, u64> = HashMap::new();
        let mut places = Vec::with_capacity(files.len());
        for below in files {
            let (folder, name) = (Path::new(below).parent().unwrap_or(Path::new("")), below.rsplit('/').next().unwrap_or_default());
            let number = part_number(name).unwrap_or_default();
            loop {
                let raise = match raised.entry(folder) {
                    Entry::Occupied(raise) => raise.into_mut(),
                    Entry::Vacant(first) => {
                        let folder = root.join(folder);
                        fs::create_dir_all(&folder).map_err(|e| failed(&folder, e))?;
                        first.insert(0)
                    }
                };
                let place = folder.join(renumbered(name, number + *raise)).to_string_lossy().into_owned();
                let to = root.join(&place);
                match link(&self.path(below), &to) {
                    Ok(()) => {
                        added.push(to);
                        places.push(place);
                        break;
                    }
                    Err(e) if e.kind() == io::ErrorKind::AlreadyExists && self.existing == Existing::Append => {
                        *raise = next_number(&root.join(folder)).max(number + *raise + 1) - number;
                    }
                    Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                        return Err(failed(&to, e).with_context("what to do", "another run wrote to this folder meanwhile; choose another"));
                    }
                    Err(e) => return Err(failed(&to, e)),
                }
            }
        }
        Ok(places)
    }
}

/// The place of `below` in `root`, its folder made.
fn place(root: &Path, below: &str) -> Result<PathBuf> {
    let to = root.join(below);
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(|e| failed(parent, e))?;
    }
    Ok(to)
}

/// Gives the file `from` the name `to`, never over a file that is there.
fn link(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        // Some file systems have no links.
        Err(e) if matches!(e.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported) => {
            renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE).map_err(io::Error::from)
        }
        done => done,
    }
}

fn failed(path: &Path, error: io::Error) -> Error {
    Error::output(path.display(), error)
}

/// The number of the first file that a run may write into `folder`, where `old` are the files of earlier runs.
pub(super) fn first_number(old: &BTreeMap<PathBuf, Vec<String>>, existing: Existing, folder: &str) -> u64 {
    match existing {
        Existing::Append => {
            let names = old.get(Path::new(folder)).map_or(&[][..], Vec::as_slice);
            names.iter().filter_map(|name| part_number(name)).max().map_or(0, |most| most + 1)
        }
        _ => 0,
    }
}

/// Refuses to touch what is there, where that was not asked for.
pub(super) fn check(output: &str, existing: Existing, extension: &str, old: &BTreeMap<PathBuf, Vec<String>>) -> Result<()> {
    let Some((folder, name)) = old.iter().find_map(|(folder, names)| Some((folder, names.first()?))) else { return Ok(()) };
    let shown = Path::new(output).join(folder).join(name);
    match existing {
        Existing::Refuse => Err(Error::new(ErrorKind::Output, format!("{} has files already, such as {}", output, shown.display()))
            .with_context("what to do", "choose another folder, or give --overwrite to replace them, --append to add to them")),
        Existing::Append => match old.values().flatten().find(|name| !name.ends_with(extension)) {
            Some(other) => Err(Error::new(
                ErrorKind::Output,
                format!("{} has files such as {other}: files ending in {extension} can't be added to them", output),
            )),
            None => Ok(()),
        },
        Existing::Overwrite => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(output: &Path, existing: Existing, files: &[(&str, &str)]) -> Result<Vec<String>> {
        let staging = Staging::prepare(output, existing, ".csv")?;
        for (below, content) in files {
            let path = staging.path(below);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        staging.commit(&files.iter().map(|(below, _)| below.to_string()).collect::<Vec<_>>())
    }

    fn listed(output: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(output).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn outputs_are_refused_replaced_or_added_to() {
        let root = tempfile::tempdir().unwrap();
        let output = root.path().join("lake/out");
        run(&output, Existing::Refuse, &[("part-00000.csv", "a"), ("part-00001.csv", "b")]).unwrap();
        let error = run(&output, Existing::Refuse, &[("part-00000.csv", "c")]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Output);
        run(&output, Existing::Overwrite, &[("part-00000.csv", "c")]).unwrap();
        assert_eq!(
            (listed(&output), fs::read_to_string(output.join("part-00000.csv")).unwrap()),
            (vec!["part-00000.csv".into()], "c".into())
        );
        fs::write(output.join("notes.txt"), "mine").unwrap();
        run(&output, Existing::Overwrite, &[("part-00000.csv", "d"), ("dt=2020-02-29/part-00000.csv", "e")]).unwrap();
        assert_eq!(listed(&output), ["dt=2020-02-29", "notes.txt", "part-00000.csv"]);
        let staging = Staging::prepare(&output, Existing::Append, ".csv").unwrap();
        assert_eq!((staging.first_number(""), staging.first_number("dt=2020-02-29"), staging.first_number("dt=2020-03-01")), (1, 1, 0));
        drop(staging);
        assert_eq!(Staging::prepare(&output, Existing::Append, ".json").unwrap_err().kind(), ErrorKind::Output);
        assert_eq!(listed(output.parent().unwrap()), ["out"]);
    }

    #[test]
    fn two_appends_at_once_lose_nothing() {
        let root = tempfile::tempdir().unwrap();
        let output = root.path().join("out");
        run(&output, Existing::Refuse, &[("part-00000.csv", "a")]).unwrap();
        let slow = Staging::prepare(&output, Existing::Append, ".csv").unwrap();
        for name in ["part-00001.csv", "part-00002.csv"] {
            fs::write(slow.path(name), "slow").unwrap();
        }
        run(&output, Existing::Append, &[("part-00001.csv", "fast")]).unwrap();
        let places = slow.commit(&["part-00001.csv".to_string(), "part-00002.csv".to_string()]).unwrap();
        assert_eq!(places, ["part-00002.csv", "part-00003.csv"]);
        assert_eq!(fs::read_to_string(output.join("part-00001.csv")).unwrap(), "fast");
        assert_eq!(listed(&output).len(), 4);
    }

    #[test]
    fn a_run_that_fails_to_add_takes_back_what_it_added() {
        let root = tempfile::tempdir().unwrap();
        let output = root.path().join("out");
        fs::create_dir(&output).unwrap();
        let staging = Staging::prepare(&output, Existing::Refuse, ".csv").unwrap();
        for name in ["part-00000.csv", "part-00001.csv"] {
            fs::write(staging.path(name), "mine").unwrap();
        }
        fs::write(output.join("part-00001.csv"), "theirs").unwrap();
        staging.commit(&["part-00000.csv".to_string(), "part-00001.csv".to_string()]).unwrap_err();
        assert_eq!(listed(&output), ["part-00001.csv"]);
        assert_eq!(listed(root.path()), ["out"]);
    }

    #[test]
    fn a_run_that_is_dropped_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let output = root.path().join("a/lake/out");
        let staging = Staging::prepare(&output, Existing::Refuse, ".csv").unwrap();
        fs::write(staging.path("part-00000.csv"), "half").unwrap();
        drop(staging);
        assert_eq!(listed(root.path()), [] as [String; 0]);
    }
}
