//! The system's cache of files.

use crate::error::{Error, Result};
use std::fs::{self, File};
use std::path::Path;

/// Has the system forget the files below `folder`, which are on the disk then.
///
/// # Errors
/// [`crate::ErrorKind::Input`] where they can't be opened.
pub(super) fn forget(folder: &Path) -> Result<()> {
    each(folder, &|path, file| {
        // What is not written yet can't be forgotten.
        file.sync_data().map_err(|e| Error::input(path.display(), e))?;
        forgotten(file);
        Ok(())
    })
}

#[cfg(target_os = "linux")]
fn forgotten(file: &File) {
    // It is advice: what became of it the counters show.
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed);
}

#[cfg(not(target_os = "linux"))]
fn forgotten(_: &File) {}

/// Reads the files below `folder`, so that the system has them in memory where they fit.
///
/// # Errors
/// [`crate::ErrorKind::Input`] where they can't be read.
pub(super) fn warm(folder: &Path) -> Result<()> {
    each(folder, &|path, file| {
        let mut file = file;
        std::io::copy(&mut file, &mut std::io::sink()).map(drop).map_err(|e| Error::input(path.display(), e))
    })
}

fn each(folder: &Path, with: &dyn Fn(&Path, &File) -> Result<()>) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(|e| Error::input(folder.display(), e))? {
        let path = entry.map_err(|e| Error::input(folder.display(), e))?.path();
        match path.is_dir() {
            true => each(&path, with)?,
            false => with(&path, &File::open(&path).map_err(|e| Error::input(path.display(), e))?)?,
        }
    }
    Ok(())
}
