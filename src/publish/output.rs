//! Where output files go: a folder of this machine, or a prefix of a bucket.

use crate::error::Result;
use crate::storage::{Location, Storage};
use std::path::{Path, PathBuf};

/// The place of the files of one run.
#[derive(Debug, Clone)]
pub enum Output {
    /// A folder, which need not be there.
    Folder(PathBuf),
    /// All that lies below a prefix.
    Bucket(Storage),
}

impl Output {
    /// The place that `location` names.
    ///
    /// # Errors
    /// What [`Storage::open`] gives for a bucket.
    pub fn open(location: Location) -> Result<Output> {
        match location {
            Location::Folder(path) => Ok(Output::Folder(path)),
            bucket => Storage::open(bucket).map(Output::Bucket),
        }
    }

    /// The place at `key` of a storage that is open: of a lake, for example.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Usage`] for a key that no store can have.
    pub fn below(storage: &Storage, key: &str) -> Result<Output> {
        match storage.location().path() {
            Some(path) => Ok(Output::Folder(path.join(key))),
            None => storage.below(key).map(Output::Bucket),
        }
    }

    /// What a file at `below` is called.
    pub fn join(&self, below: &str) -> String {
        match self {
            Output::Folder(path) => path.join(below).display().to_string(),
            Output::Bucket(storage) => storage.location().join(below).to_string(),
        }
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Output::Folder(path) => write!(f, "{}", path.display()),
            Output::Bucket(storage) => write!(f, "{}", storage.location()),
        }
    }
}

impl From<PathBuf> for Output {
    fn from(path: PathBuf) -> Output {
        Output::Folder(path)
    }
}

impl From<&Path> for Output {
    fn from(path: &Path) -> Output {
        Output::Folder(path.to_path_buf())
    }
}
