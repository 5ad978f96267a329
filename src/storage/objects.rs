//! Objects below one place.

use super::blocking::wait;
use super::clients::{Client, client};
use super::failure;
use super::folder_store::FolderStore;
use super::location::Location;
use super::settings::StoreSettings;
use crate::error::{Error, ErrorKind, Result};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, UpdateVersion};
use std::fmt;
use std::sync::Arc;

/// The objects below a location. Keys are relative to it, and have no slash at their ends.
#[derive(Clone)]
pub struct Storage {
    location: Location,
    store: Arc<dyn ObjectStore>,
    /// What all keys begin with in the store.
    root: Path,
    /// How requests get to the bucket, where it is one.
    pub(super) client: Option<Arc<Client>>,
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Storage").field("location", &self.location).finish_non_exhaustive()
    }
}

/// An object as it was when it was read.
#[derive(Debug, Clone)]
pub struct Object {
    pub bytes: Bytes,
    pub version: Version,
}

/// Which object it was: another write makes another one.
#[derive(Debug, Clone)]
pub struct Version(UpdateVersion);

/// An object that was listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub key: String,
    /// In bytes.
    pub size: u64,
    pub modified: DateTime<Utc>,
    pub etag: Option<String>,
}

impl Storage {
    /// Opens `location` to read and write; a folder is made where it isn't there.
    ///
    /// # Errors
    /// [`ErrorKind::Output`] where it can't be made.
    pub fn create(location: Location) -> Result<Storage> {
        Storage::create_with(location, &StoreSettings::default())
    }

    /// Opens `location` to read and write, a bucket as `settings` say; a folder is made where it isn't there, a bucket isn't.
    ///
    /// # Errors
    /// As those of [`Storage::open_with`], and [`ErrorKind::Output`] for a folder that can't be made.
    pub fn create_with(location: Location, settings: &StoreSettings) -> Result<Storage> {
        if let Location::Folder(path) = &location {
            std::fs::create_dir_all(path).map_err(|e| Error::output(path.display(), e))?;
        }
        Storage::open_with(location, settings)
    }

    /// Opens `location`, a bucket as the command line and the environment say.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] for a folder that isn't there, [`ErrorKind::Usage`] for a bucket whose region isn't known. That a
    /// bucket isn't there, or may not be reached, is told by the first request.
    pub fn open(location: Location) -> Result<Storage> {
        Storage::open_with(location, &StoreSettings::default())
    }

    /// Opens `location`, a bucket as `settings` say, and the command line and the environment where they say nothing.
    ///
    /// # Errors
    /// As those of [`Storage::open`], and [`ErrorKind::Usage`] for settings that don't fit together.
    pub fn open_with(location: Location, settings: &StoreSettings) -> Result<Storage> {
        match &location {
            Location::Folder(path) => {
                let path = std::fs::canonicalize(path).map_err(|e| Error::input(path.display(), e))?;
                let store = FolderStore::new(&path)
                    .map_err(|e| Error::new(ErrorKind::Input, format!("can't open {}", path.display())).with_source(e))?;
                Ok(Storage { location: Location::Folder(path), store: Arc::new(store), root: Path::default(), client: None })
            }
            Location::Bucket { bucket, key } => {
                let root = Path::parse(key)
                    .map_err(|e| Error::new(ErrorKind::Usage, format!("`{key}` can't be a key in s3://{bucket}")).with_source(e))?;
                let client = client(bucket, settings)?;
                Ok(Storage { store: Arc::new(client.store.clone()), root, client: Some(client), location })
            }
        }
    }

    /// Where it is.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The same store, where keys are relative to `key`; a folder need not be there.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a key that no store can have.
    pub fn below(&self, key: &str) -> Result<Storage> {
        Ok(Storage { location: self.location.join(key), root: self.path(key)?, ..self.clone() })
    }

    /// The store, and the path of `key` in it.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a key that no store can have.
    pub fn object(&self, key: &str) -> Result<(Arc<dyn ObjectStore>, Path)> {
        Ok((self.store.clone(), self.path(key)?))
    }

    pub(super) fn path(&self, key: &str) -> Result<Path> {
        let whole = if self.root.as_ref().is_empty() { key.to_string() } else { format!("{}/{key}", self.root) };
        // As it is: what looks like an escape in a partition's folder is part of its name.
        Path::parse(whole.trim_matches('/'))
            .map_err(|e| Error::new(ErrorKind::Usage, format!("`{key}` can't be a key in {}", self.location)).with_source(e))
    }

    /// The key of the store's `path`.
    pub fn key(&self, path: &Path) -> String {
        match path.prefix_match(&self.root) {
            Some(_) => path.as_ref()[self.root.as_ref().len()..].trim_start_matches('/').to_string(),
            None => path.to_string(),
        }
    }

    /// The object at `key`, or nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] naming it.
    pub fn get(&self, key: &str) -> Result<Option<Object>> {
        let (store, path) = self.object(key)?;
        wait(async move { read(store.as_ref(), &path).await }).map_err(|error| self.unreadable(key, &error))
    }

    /// Whether the place itself is an object, and not what objects lie below.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where it can't be told.
    pub fn is_object(&self) -> Result<bool> {
        if self.root.as_ref().is_empty() {
            return Ok(false);
        }
        let (store, path) = self.object("")?;
        match wait(async move { store.head(&path).await }) {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(self.unreadable("", &error)),
        }
    }

    /// The objects at `keys`, in their order, many at a time.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] naming the first that can't be read.
    pub fn get_all(&self, keys: &[String]) -> Result<Vec<Option<Object>>> {
        let paths: Vec<Path> = keys.iter().map(|key| self.path(key)).collect::<Result<_>>()?;
        let store = self.store.clone();
        let got = wait(async move {
            let reads = paths.into_iter().map(|path| {
                let store = store.clone();
                async move { read(store.as_ref(), &path).await }
            });
            stream::iter(reads).buffered(AT_ONCE).collect::<Vec<_>>().await
        });
        got.into_iter().zip(keys).map(|(object, key)| object.map_err(|error| self.unreadable(key, &error))).collect()
    }

    /// Writes an object, over any that is there.
    ///
    /// # Errors
    /// [`ErrorKind::Output`] naming it.
    pub fn put(&self, key: &str, bytes: impl Into<Bytes>) -> Result<()> {
        self.write(key, bytes.into(), PutMode::Overwrite).map(drop)
    }

    /// Writes objects, over any that are there, many at a time.
    ///
    /// # Errors
    /// [`ErrorKind::Output`] naming the first that can't be written.
    pub fn put_all(&self, objects: Vec<(String, Bytes)>) -> Result<()> {
        let mut writes = Vec::with_capacity(objects.len());
        for (key, bytes) in objects {
            let (store, path) = self.object(&key)?;
            writes.push(async move { store.put(&path, PutPayload::from(bytes)).await.map_err(|error| (key, error)) });
        }
        let written = wait(async move { stream::iter(writes).buffer_unordered(AT_ONCE).try_collect::<Vec<_>>().await });
        written.map(drop).map_err(|(key, error)| self.unwritable(&key, &error))
    }

    /// Writes an object where there is none; false where there is one.
    ///
    /// # Errors
    /// [`ErrorKind::Output`] naming it.
    pub fn put_new(&self, key: &str, bytes: impl Into<Bytes>) -> Result<bool> {
        self.write(key, bytes.into(), PutMode::Create)
    }

    /// Replaces the object that was read as `version`; false where it is another one by now.
    ///
    /// Where the answer to the write was lost and the object is another one by now, that one may have replaced ours: false then
    /// doesn't mean that ours was never there. An object that keeps the ids of what it was made of tells.
    ///
    /// # Errors
    /// [`ErrorKind::Output`] naming it.
    pub fn replace(&self, key: &str, bytes: impl Into<Bytes>, version: &Version) -> Result<bool> {
        self.write(key, bytes.into(), PutMode::Update(version.0.clone()))
    }

    fn write(&self, key: &str, bytes: Bytes, mode: PutMode) -> Result<bool> {
        let (store, path) = self.object(key)?;
        let options = PutOptions { mode, ..PutOptions::default() };
        match wait(async move { store.put_opts(&path, PutPayload::from(bytes), options).await }) {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => Ok(false),
            Err(error) => Err(self.unwritable(key, &error)),
        }
    }

    /// All objects whose keys lie below `folder`, sorted by key.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where they can't be listed.
    pub fn list(&self, folder: &str) -> Result<Vec<Entry>> {
        let (store, path) = self.object(folder)?;
        let listed = wait(async move { store.list(Some(&path)).try_collect::<Vec<_>>().await });
        let listed = listed.map_err(|error| self.unreadable(folder, &error))?;
        let entry = |meta: object_store::ObjectMeta| Entry {
            key: self.key(&meta.location),
            size: meta.size,
            modified: meta.last_modified,
            etag: meta.e_tag,
        };
        let mut entries: Vec<Entry> = listed.into_iter().map(entry).collect();
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(entries)
    }

    /// The names of the folders right below `folder`, sorted.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where they can't be listed.
    pub fn folders(&self, folder: &str) -> Result<Vec<String>> {
        let (store, path) = self.object(folder)?;
        let listed = wait(async move { store.list_with_delimiter(Some(&path)).await });
        let listed = listed.map_err(|error| self.unreadable(folder, &error))?;
        let name = |path: &Path| path.filename().map(str::to_string);
        let mut names: Vec<String> = listed.common_prefixes.iter().filter_map(name).collect();
        names.sort();
        Ok(names)
    }

    /// Removes objects; those that are not there are no error.
    ///
    /// # Errors
    /// [`ErrorKind::Output`] for the first that can't be removed.
    pub fn delete(&self, keys: &[String]) -> Result<()> {
        let paths: Vec<Path> = keys.iter().map(|key| self.path(key)).collect::<Result<_>>()?;
        let store = self.store.clone();
        let removed = wait(async move {
            let mut removed = store.delete_stream(stream::iter(paths).map(Ok).boxed());
            while let Some(one) = removed.next().await {
                match one {
                    Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        });
        removed.map_err(|e| failure::failed(ErrorKind::Output, "can't remove objects of", &self.location, &e))
    }

    /// The error of reading `key`: what the store said, and what to do.
    pub fn unreadable(&self, key: &str, error: &object_store::Error) -> Error {
        failure::failed(ErrorKind::Input, "can't read", &self.location.join(key), error)
    }

    /// The error of writing `key`: what the store said, and what to do.
    pub fn unwritable(&self, key: &str, error: &object_store::Error) -> Error {
        failure::failed(ErrorKind::Output, "can't write", &self.location.join(key), error)
    }
}

/// Whether there isn't even a bucket: no object is one thing, a wrong name another.
fn lacks_bucket(error: &object_store::Error) -> bool {
    failure::answer(error).is_some_and(|answer| answer.code == "NoSuchBucket")
}

/// How many requests for small objects are under way at once.
const AT_ONCE: usize = 32;

/// The object at `path`, or nothing.
async fn read(store: &dyn ObjectStore, path: &Path) -> object_store::Result<Option<Object>> {
    let result = match store.get(path).await {
        Err(error @ object_store::Error::NotFound { .. }) if !lacks_bucket(&error) => return Ok(None),
        result => result?,
    };
    let version = UpdateVersion { e_tag: result.meta.e_tag.clone(), version: result.meta.version.clone() };
    Ok(Some(Object { bytes: result.bytes().await?, version: Version(version) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_written_where_nobody_was_faster() {
        let folder = tempfile::tempdir().unwrap();
        let storage = Storage::create(Location::Folder(folder.path().join("lake"))).unwrap();
        assert!(storage.get("a/head.json").unwrap().is_none());
        assert!(storage.put_new("a/head.json", "1").unwrap());
        assert!(!storage.put_new("a/head.json", "2").unwrap());
        let first = storage.get("a/head.json").unwrap().unwrap();
        assert!(storage.replace("a/head.json", "3", &first.version).unwrap());
        assert!(!storage.replace("a/head.json", "4", &first.version).unwrap());
        assert_eq!(storage.get("a/head.json").unwrap().unwrap().bytes, "3");
        storage.put("a/dt=2020-02-29/x%2Fy z.json", "").unwrap();
        let keys: Vec<String> = storage.list("a").unwrap().into_iter().map(|entry| entry.key).collect();
        assert_eq!(keys, ["a/dt=2020-02-29/x%2Fy z.json", "a/head.json"]);
        assert_eq!(storage.folders("a").unwrap(), ["dt=2020-02-29"]);
        storage.delete(&keys).unwrap();
        storage.delete(&keys).unwrap();
        assert_eq!(storage.list("").unwrap(), []);
    }
}
