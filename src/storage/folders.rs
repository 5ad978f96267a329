//! What is done with whole folders and files: removed, or brought from this machine.

use super::blocking::wait;
use super::location::Location;
use super::objects::Storage;
use crate::error::{Error, Result};
use object_store::{ObjectStoreExt, WriteMultipart};
use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::Path;

/// The bytes of a file that are sent at once.
const PART: usize = 8 << 20;

impl Storage {
    /// Removes all that lies below `folder`; of a folder of this machine also the folder, and hidden ones beside it that were made for it.
    ///
    /// # Errors
    /// [`ErrorKind::Output`] where that can't be done.
    pub fn remove_folder(&self, folder: &str) -> Result<()> {
        let Location::Folder(root) = self.location() else {
            let keys: Vec<String> = self.list(folder)?.into_iter().map(|entry| entry.key).collect();
            return self.delete(&keys);
        };
        let path = root.join(folder);
        let failed = |path: &Path, e| Error::output(path.display(), e);
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Ok(()) };
        let hidden = format!(".{}.etl-", name.to_string_lossy());
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            let found = entry.file_name();
            if found == name || found.to_string_lossy().starts_with(&hidden) {
                fs::remove_dir_all(entry.path()).map_err(|e| failed(&entry.path(), e))?;
            }
        }
        Ok(())
    }

    /// Removes the folders `keys` of this machine, those first that lie in others, where they hold nothing any more.
    pub fn remove_empty_folders(&self, keys: &BTreeSet<String>) {
        let Location::Folder(root) = self.location() else { return };
        for key in keys.iter().rev() {
            // One that has something in it stays.
            let _ = fs::remove_dir(root.join(key));
        }
    }

    /// Makes sure that all that was written is there after a loss of power, too.
    ///
    /// # Errors
    /// [`ErrorKind::Output`](crate::ErrorKind::Output) where the system can't.
    pub fn sync(&self) -> Result<()> {
        // What a bucket has answered is safe.
        let Location::Folder(root) = self.location() else { return Ok(()) };
        let failed = |e| Error::output(root.display(), e);
        let folder = fs::File::open(root).map_err(failed)?;
        rustix::fs::syncfs(&folder).map_err(|e| failed(e.into()))
    }

    /// Copies the file `from` of this machine to `key`.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where it can't be read, [`ErrorKind::Output`] where it can't be written.
    pub fn upload(&self, from: &Path, key: &str) -> Result<()> {
        let mut file = fs::File::open(from).map_err(|e| Error::input(from.display(), e))?;
        let (store, path) = self.object(key)?;
        let done = wait(async move {
            let mut upload = WriteMultipart::new(store.put_multipart(&path).await?);
            loop {
                let mut part = Vec::with_capacity(PART);
                let read = Read::by_ref(&mut file).take(PART as u64).read_to_end(&mut part);
                if read.map_err(|e| object_store::Error::Generic { store: "file", source: Box::new(e) })? == 0 {
                    break;
                }
                upload.wait_for_capacity(4).await?;
                upload.put(part.into());
            }
            upload.finish().await
        });
        done.map(drop).map_err(|error| self.unwritable(key, &error))
    }
}
