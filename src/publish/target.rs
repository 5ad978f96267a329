//! Where one run writes before anybody sees it, in a folder or in a bucket.

use super::bucket::BucketStaging;
use super::output::Output;
use super::staging::{Existing, Staging};
use crate::error::{Error, Result};
use crate::storage::{Appear, Storage};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The output of one run. Dropped without [`Target::commit`], nothing of it is left.
#[derive(Debug)]
pub enum Target {
    Folder(Staging),
    Bucket(BucketStaging),
}

impl Target {
    /// Prepares to write to `output` files whose names end in `extension`. `appear` is for buckets: in folders all is seen at the
    /// commit. `cancel` ends the waiting for requests.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Output`] where there is an output already that may not be touched, or it can't be written.
    pub fn prepare(output: &Output, existing: Existing, extension: &str, appear: Appear, cancel: &Arc<AtomicBool>) -> Result<Target> {
        match output {
            Output::Folder(path) => Staging::prepare(path, existing, extension).map(Target::Folder),
            Output::Bucket(storage) => BucketStaging::prepare(storage, existing, extension, appear, cancel).map(Target::Bucket),
        }
    }

    /// Makes the folder `below`; in buckets there are none.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Output`] where it can't be made.
    pub fn make_folder(&self, below: &str) -> Result<()> {
        match self {
            Target::Folder(staging) => {
                let path = staging.path(below);
                fs::create_dir_all(&path).map_err(|e| Error::output(path.display(), e))
            }
            Target::Bucket(_) => Ok(()),
        }
    }

    /// A folder of this machine for what the run must keep until it is done. It is gone with the target, and may not be there yet.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Output`] where there can be none.
    pub fn scratch(&self) -> Result<PathBuf> {
        match self {
            Target::Folder(staging) => Ok(staging.path(SCRATCH)),
            Target::Bucket(staging) => Ok(staging.scratch()?.join(SCRATCH)),
        }
    }

    /// The number of the first file that a run may write into a folder below the output.
    pub fn first_number(&self, folder: &str) -> u64 {
        match self {
            Target::Folder(staging) => staging.first_number(folder),
            Target::Bucket(staging) => staging.first_number(folder),
        }
    }

    /// A file of an earlier run, below the output, where there is one.
    pub fn earlier_file(&self) -> Option<PathBuf> {
        match self {
            Target::Folder(staging) => staging.earlier_file(),
            Target::Bucket(staging) => staging.earlier_file(),
        }
    }

    /// The storage of the output, where it is a bucket.
    pub fn storage(&self) -> Option<&Storage> {
        match self {
            Target::Folder(_) => None,
            Target::Bucket(staging) => Some(staging.storage()),
        }
    }

    /// Brings the files to their places; `files` are their paths below the output. Gives the paths that they have there.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Output`], or [`crate::ErrorKind::Conflict`] where another run wrote to the same place meanwhile.
    pub fn commit(self, files: &[String]) -> Result<Vec<String>> {
        match self {
            Target::Folder(staging) => staging.commit(files),
            Target::Bucket(staging) => staging.commit(files),
        }
    }
}

/// The folder's name in the hidden one.
const SCRATCH: &str = ".streams";
