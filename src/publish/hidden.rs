//! The hidden folder that a run writes to. It is locked, so that no other run takes it for one that a killed run left behind.

use super::exchange::settle;
use crate::error::{Error, Result};
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A folder whose name begins with a dot. Dropped, it is removed with all in it.
#[derive(Debug)]
pub(super) struct HiddenFolder {
    pub(super) path: PathBuf,
    output: PathBuf,
    /// Whether it lies beside the output, and can take its place; else it lies in it.
    pub(super) beside: bool,
    /// Held as long as the run lives, however that ends. Nothing where the file system has no locks.
    _lock: Option<File>,
    /// Folders above the output that this run made.
    made: Vec<PathBuf>,
}

impl HiddenFolder {
    /// Makes one beside the folder `output`, or in it where beside it is another file system or no right to write. What killed
    /// runs left there is removed.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Output`] where neither can be written.
    pub(super) fn of(output: &Path) -> Result<HiddenFolder> {
        let parent = match output.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let name = output.file_name().unwrap_or_default().to_string_lossy();
        let outer = format!(".{name}.etl-");
        remove_abandoned(parent, &outer, output);
        if output.is_dir() {
            remove_abandoned(output, INNER, output);
            let device = |path: &Path| fs::metadata(path).map(|metadata| metadata.dev()).ok();
            if device(parent) == device(output)
                && let Ok((path, lock)) = make(parent, &outer)
            {
                return HiddenFolder { path, output: output.to_path_buf(), beside: true, _lock: lock, made: Vec::new() }.furnished();
            }
            let (path, lock) = make(output, INNER).map_err(|e| Error::output(output.display(), e))?;
            return HiddenFolder { path, output: output.to_path_buf(), beside: false, _lock: lock, made: Vec::new() }.furnished();
        }
        let made = parent.ancestors().filter(|folder| !folder.as_os_str().is_empty()).take_while(|folder| !folder.exists());
        let made = made.map(Path::to_path_buf).collect();
        let mut tries = 0;
        let (path, lock) = loop {
            fs::create_dir_all(parent).map_err(|e| Error::output(parent.display(), e))?;
            match make(parent, &outer) {
                // Others clean up, and it was empty for a moment.
                Err(e) if e.kind() == io::ErrorKind::NotFound && tries < 100 => tries += 1,
                made => break made.map_err(|e| Error::output(output.display(), e))?,
            }
        };
        HiddenFolder { path, output: output.to_path_buf(), beside: true, _lock: lock, made }.furnished()
    }

    /// Where the new files are.
    pub(super) fn new_files(&self) -> PathBuf {
        self.path.join(NEW)
    }

    fn furnished(self) -> Result<HiddenFolder> {
        fs::create_dir(self.new_files()).map_err(|e| Error::output(self.path.display(), e))?;
        Ok(self)
    }
}

impl Drop for HiddenFolder {
    fn drop(&mut self) {
        // What can't be removed is hidden, and the next run tries again.
        let _ = settle(&self.path, &self.output);
        for folder in &self.made {
            // One that has something in it stays.
            let _ = fs::remove_dir(folder);
        }
    }
}

/// What the name begins with in an output.
const INNER: &str = ".etl-";
/// The folder in the hidden one that new files are written to.
const NEW: &str = "new";

fn make(parent: &Path, prefix: &str) -> io::Result<(PathBuf, Option<File>)> {
    for number in 0u64.. {
        let path = parent.join(format!("{prefix}{}-{number}", std::process::id()));
        match fs::create_dir(&path) {
            Ok(()) => {}
            // In containers many processes have the same id.
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(e) => return Err(e),
        }
        match File::open(&path).map(|folder| (folder.try_lock(), folder)) {
            // Another run may have seen it before it was locked, and removed it.
            Ok((Ok(()), folder)) if path.exists() => return Ok((path, Some(folder))),
            Ok((Err(TryLockError::Error(_)), _)) => return Ok((path, None)),
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
    }
    Err(io::Error::other("no name is left for a hidden folder"))
}

/// Ends what runs began with `output` that are no more, whose locks nobody holds, and removes their hidden folders.
fn remove_abandoned(parent: &Path, prefix: &str, output: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().strip_prefix(prefix).is_some_and(is_number)
            && let Ok(folder) = File::open(entry.path())
            && folder.try_lock().is_ok()
        {
            let _ = settle(&entry.path(), output);
        }
    }
}

/// `1234-0`: a process and a number.
fn is_number(text: &str) -> bool {
    text.split_once('-').is_some_and(|(process, number)| process.parse::<u32>().is_ok() && number.parse::<u64>().is_ok())
}
