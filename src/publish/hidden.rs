//! The hidden folder that a run writes to. It is locked, so that no other run takes it for one that a killed run left behind.

use crate::error::{Error, Result};
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A folder whose name begins with a dot. Dropped, it is removed with all in it.
#[derive(Debug)]
pub(super) struct HiddenFolder {
    pub(super) path: PathBuf,
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
        remove_abandoned(parent, &outer);
        if output.is_dir() {
            remove_abandoned(output, INNER);
            let device = |path: &Path| fs::metadata(path).map(|metadata| metadata.dev()).ok();
            if device(parent) == device(output)
                && let Ok((path, lock)) = make(parent, &outer)
            {
                return Ok(HiddenFolder { path, beside: true, _lock: lock, made: Vec::new() });
            }
            let (path, lock) = make(output, INNER).map_err(|e| Error::output(output.display(), e))?;
            return Ok(HiddenFolder { path, beside: false, _lock: lock, made: Vec::new() });
        }
        let made = parent.ancestors().filter(|folder| !folder.as_os_str().is_empty()).take_while(|folder| !folder.exists());
        let made = made.map(Path::to_path_buf).collect();
        fs::create_dir_all(parent).map_err(|e| Error::output(parent.display(), e))?;
        let (path, lock) = make(parent, &outer).map_err(|e| Error::output(output.display(), e))?;
        Ok(HiddenFolder { path, beside: true, _lock: lock, made })
    }
}

impl Drop for HiddenFolder {
    fn drop(&mut self) {
        // What can't be removed is hidden, and the next run tries again.
        let _ = fs::remove_dir_all(&self.path);
        for folder in &self.made {
            // One that has something in it stays.
            let _ = fs::remove_dir(folder);
        }
    }
}

/// What the name begins with in an output.
const INNER: &str = ".etl-";

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

/// Removes hidden folders of runs that are no more: nobody holds their locks.
fn remove_abandoned(parent: &Path, prefix: &str) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().strip_prefix(prefix).is_some_and(is_number)
            && let Ok(folder) = File::open(entry.path())
            && folder.try_lock().is_ok()
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// `1234-0`: a process and a number.
fn is_number(text: &str) -> bool {
    text.split_once('-').is_some_and(|(process, number)| process.parse::<u32>().is_ok() && number.parse::<u64>().is_ok())
}
