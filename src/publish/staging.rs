//! A hidden folder beside the output, where files are written before anybody sees them.
//!
//! A new output appears by one rename of the folder. An output that is replaced is exchanged with the new one in one step,
//! where the system can do that and all that lies in it are files of earlier runs; else file by file.

use crate::error::{Error, ErrorKind, Result};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

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
    folder: PathBuf,
    existing: Existing,
    /// The files that earlier runs wrote, by folder below the output.
    old: BTreeMap<PathBuf, Vec<String>>,
    /// Something else lies in the output, too.
    foreign: bool,
    committed: bool,
}

impl Staging {
    /// Prepares to write to the folder `output` files whose names end in `extension`. What killed runs left behind is removed.
    ///
    /// # Errors
    /// [`ErrorKind::Output`] where there is an output already that may not be touched, or the folder can't be made.
    pub fn prepare(output: &Path, existing: Existing, extension: &str) -> Result<Staging> {
        let name = output.file_name().map(|name| name.to_string_lossy().into_owned());
        let Some(name) = name.filter(|_| !output.is_symlink() || output.is_dir()) else {
            let message = format!("`{}` can't be the output folder; name a folder, such as `out`", output.display());
            return Err(Error::new(ErrorKind::Output, message));
        };
        // A link to a folder is written through, not replaced.
        let output = fs::canonicalize(output).unwrap_or_else(|_| output.to_path_buf());
        if output.exists() && !output.is_dir() {
            return Err(Error::new(ErrorKind::Output, format!("{} is a file; the output is a folder", output.display())));
        }
        let mut old = BTreeMap::new();
        let mut foreign = false;
        if output.is_dir() {
            find_parts(&output, Path::new(""), &mut old, &mut foreign).map_err(|e| Error::output(output.display(), e))?;
        }
        let parent = match output.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
            _ => PathBuf::from("."),
        };
        check(&output, existing, extension, &old)?;
        fs::create_dir_all(&parent).map_err(|e| Error::output(parent.display(), e))?;
        let hidden = format!(".{name}.etl-");
        remove_abandoned(&parent, &hidden);
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let folder = parent.join(format!("{hidden}{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir(&folder).map_err(|e| Error::output(folder.display(), e))?;
        Ok(Staging { output, folder, existing, old, foreign, committed: false })
    }

    /// Where a file is written: `below` is its path below the output.
    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.join(below)
    }

    /// The number of the first file that a run may write into a folder below the output.
    pub fn first_number(&self, folder: &str) -> u64 {
        match self.existing {
            Existing::Append => {
                let names = self.old.get(Path::new(folder)).map_or(&[][..], Vec::as_slice);
                names.iter().filter_map(|name| part_number(name)).max().map_or(0, |most| most + 1)
            }
            _ => 0,
        }
    }

    /// Moves the files to their places; `files` are their paths below the output.
    ///
    /// # Errors
    /// [`ErrorKind::Output`]; files that were moved before are named.
    pub fn commit(mut self, files: &[String]) -> Result<()> {
        let failed = |path: &Path, e: io::Error| Error::output(path.display(), e);
        if !self.output.exists() {
            match fs::rename(&self.folder, &self.output) {
                Ok(()) => {
                    self.committed = true;
                    return Ok(());
                }
                // Somebody made the folder meanwhile: then it is theirs, and files are added one by one.
                Err(_) if self.output.exists() => {}
                Err(e) => return Err(failed(&self.output, e)),
            }
        }
        let whole = self.existing == Existing::Overwrite && !self.foreign;
        if whole && renameat_with(CWD, &self.folder, CWD, &self.output, RenameFlags::EXCHANGE).is_ok() {
            // Now the hidden folder holds the old files, and dropping removes them.
            return Ok(());
        }
        for below in files {
            let (from, to) = (self.folder.join(below), self.output.join(below));
            if let Some(parent) = to.parent() {
                fs::create_dir_all(parent).map_err(|e| failed(parent, e))?;
            }
            if self.existing == Existing::Overwrite {
                fs::rename(&from, &to).map_err(|e| failed(&to, e))?;
            } else {
                // A link is never made over a file that another run wrote meanwhile.
                fs::hard_link(&from, &to).map_err(|e| failed(&to, e).with_context("note", "another run may be writing to this folder"))?;
            }
        }
        if self.existing == Existing::Overwrite {
            for (folder, names) in &self.old {
                for name in names {
                    let below = folder.join(name);
                    if !files.iter().any(|f| Path::new(f) == below) {
                        let path = self.output.join(&below);
                        fs::remove_file(&path).map_err(|e| failed(&path, e))?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.committed {
            // What can't be removed is hidden, and the next run tries again.
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

fn check(output: &Path, existing: Existing, extension: &str, old: &BTreeMap<PathBuf, Vec<String>>) -> Result<()> {
    let Some((folder, name)) = old.iter().find_map(|(folder, names)| Some((folder, names.first()?))) else { return Ok(()) };
    let shown = output.join(folder).join(name);
    match existing {
        Existing::Refuse => {
            Err(Error::new(ErrorKind::Output, format!("{} has files already, such as {}", output.display(), shown.display()))
                .with_context("what to do", "choose another folder, or give --overwrite to replace them, --append to add to them"))
        }
        Existing::Append => match old.values().flatten().find(|name| !name.ends_with(extension)) {
            Some(other) => Err(Error::new(
                ErrorKind::Output,
                format!("{} has files such as {other}: files ending in {extension} can't be added to them", output.display()),
            )),
            None => Ok(()),
        },
        Existing::Overwrite => Ok(()),
    }
}

/// The number in `part-00012.csv.gz`; nothing for names that no run gives.
fn part_number(name: &str) -> Option<u64> {
    let (number, extension) = name.strip_prefix("part-")?.split_once('.')?;
    let known = ["csv", "csv.gz", "json", "json.gz", "parquet"].contains(&extension);
    (known && number.len() >= 5).then(|| number.parse().ok()).flatten()
}

/// Collects the files of earlier runs below `folder`, in partition folders too.
fn find_parts(root: &Path, below: &Path, old: &mut BTreeMap<PathBuf, Vec<String>>, foreign: &mut bool) -> io::Result<()> {
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type()?;
        if kind.is_dir() && name.contains('=') {
            find_parts(root, &below.join(&name), old, foreign)?;
        } else if kind.is_file() && part_number(&name).is_some() {
            old.entry(below.to_path_buf()).or_default().push(name);
        } else {
            *foreign = true;
        }
    }
    Ok(())
}

/// Removes hidden folders of runs that are no more.
fn remove_abandoned(parent: &Path, hidden: &str) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix(hidden).and_then(|rest| rest.split('-').next()).and_then(|id| id.parse::<u32>().ok());
        if let Some(process) = process
            && process != std::process::id()
            && cfg!(target_os = "linux")
            && !Path::new(&format!("/proc/{process}")).exists()
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(output: &Path, existing: Existing, files: &[(&str, &str)]) -> Result<()> {
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
    fn a_run_that_is_dropped_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let output = root.path().join("out");
        let staging = Staging::prepare(&output, Existing::Refuse, ".csv").unwrap();
        fs::write(staging.path("part-00000.csv"), "half").unwrap();
        drop(staging);
        assert_eq!(listed(root.path()), [] as [String; 0]);
    }
}
