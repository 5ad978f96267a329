//! A run's own folder on this machine, for rows on their way from sources through SQL to files.

use crate::error::{Error, Result};
use crate::publish::keys::WORK;
use crate::storage::{Location, Storage};
use std::fs;
use std::path::PathBuf;

/// A folder. Dropped, it is removed with all in it.
#[derive(Debug)]
pub(crate) struct Workspace {
    path: PathBuf,
    /// In a folder of the system's, for lakes that are elsewhere.
    _temporary: Option<tempfile::TempDir>,
}

impl Workspace {
    /// Makes the folder of `run`: in the lake where that is a folder, so that there is room and the next run finds what a killed one left.
    ///
    /// # Errors
    /// [`ErrorKind::Output`](crate::ErrorKind::Output) where it can't be made.
    pub(crate) fn create(storage: &Storage, run: &str) -> Result<Workspace> {
        match storage.location() {
            Location::Folder(root) => {
                let path = root.join(WORK).join(run);
                fs::create_dir_all(&path).map_err(|e| Error::output(path.display(), e))?;
                Ok(Workspace { path, _temporary: None })
            }
            Location::Bucket { .. } => {
                let folder = tempfile::Builder::new().prefix("etl-").tempdir();
                let folder = folder.map_err(|e| Error::output(std::env::temp_dir().display(), e))?;
                Ok(Workspace { path: folder.path().to_path_buf(), _temporary: Some(folder) })
            }
        }
    }

    /// The path of `name` in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        // What can't be removed is hidden below `_etl`, and `vacuum` tries again.
        let _ = fs::remove_dir_all(&self.path);
    }
}
