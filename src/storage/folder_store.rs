//! A folder as an object store that can replace an object only where it is what was read: what the store of local files lacks.

use async_trait::async_trait;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, Result,
};
use std::fmt;
use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A folder. Writers of one object take turns by a lock on a file beside it, which the system gives back when a process ends.
#[derive(Debug)]
pub(super) struct FolderStore {
    files: LocalFileSystem,
}

/// What the name of the file ends with whose lock is held while an object is replaced.
const LOCK: &str = ".lock";
/// What two times of change must be apart for objects to be told apart.
const TICK: Duration = Duration::from_micros(1);
/// A lock is held for some milliseconds. Whoever holds it for so long is stopped, and is not waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is looked whether a lock was given back.
const LOOK: Duration = Duration::from_millis(2);

impl FolderStore {
    /// The folder `root`, which exists.
    pub(super) fn new(root: &std::path::Path) -> Result<FolderStore> {
        Ok(FolderStore { files: LocalFileSystem::new_with_prefix(root)? })
    }
}

impl fmt::Display for FolderStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.files)
    }
}

fn failed(error: std::io::Error) -> object_store::Error {
    object_store::Error::Generic { store: "folder", source: Box::new(error) }
}

#[async_trait]
impl ObjectStore for FolderStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let PutMode::Update(expected) = &opts.mode else { return self.files.put_opts(location, payload, opts).await };
        let object = self.files.path_to_filesystem(location)?;
        let name = object.file_name().unwrap_or_default().to_string_lossy();
        let lock: PathBuf = object.with_file_name(format!(".{name}{LOCK}"));
        let locked = tokio::task::spawn_blocking(move || {
            let file = File::options().create(true).append(true).open(&lock)?;
            let begun = Instant::now();
            loop {
                match file.try_lock() {
                    Ok(()) => return Ok(file),
                    Err(TryLockError::Error(error)) => return Err(error),
                    Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => std::thread::sleep(LOOK),
                    Err(TryLockError::WouldBlock) => {
                        let (lock, seconds) = (lock.display(), PATIENCE.as_secs());
                        let what_to_do = "see whether one is stopped or stuck (`fuser` tells which)";
                        let message = format!("another process has held the lock {lock} for {seconds} s; {what_to_do}");
                        return Err(std::io::Error::other(message));
                    }
                }
            }
        });
        // Where there is no folder, there is no object in it.
        let locked: Option<File> = match locked.await? {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            locked => Some(locked.map_err(failed)?),
        };
        let before = object.metadata().and_then(|metadata| metadata.modified()).ok();
        let found = match self.files.head(location).await {
            Ok(meta) => meta.e_tag,
            Err(object_store::Error::NotFound { .. }) => None,
            Err(error) => return Err(error),
        };
        if found.is_none() || found != expected.e_tag {
            let source = format!("expected {:?}, found {found:?}", expected.e_tag);
            return Err(object_store::Error::Precondition { path: location.to_string(), source: source.into() });
        }
        let put = self.files.put_opts(location, payload, PutOptions { mode: PutMode::Overwrite, ..opts }).await;
        // An object is told by number, time and size of its file. Numbers are used again and clocks are coarse: so time always goes on.
        if let (Ok(_), Some(before)) = (&put, before) {
            let file = File::open(&object).map_err(failed)?;
            let now = file.metadata().and_then(|metadata| metadata.modified()).map_err(failed)?;
            if now < before + TICK {
                file.set_modified(before + TICK).map_err(failed)?;
            }
        }
        drop(locked);
        put
    }

    async fn put_multipart_opts(&self, location: &Path, opts: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.files.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.files.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.files.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let listed = self.files.list(prefix);
        let is_lock = |meta: &ObjectMeta| meta.location.filename().is_some_and(|name| name.starts_with('.') && name.ends_with(LOCK));
        listed.try_filter(move |meta| std::future::ready(!is_lock(meta))).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.files.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.files.copy_opts(from, to, options).await
    }
}
