//! An object of a bucket as an input: read in parts, many at a time, and never a mix of two versions of it.

use crate::storage::spawn;
use bytes::Bytes;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore};
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use tokio::task::AbortHandle;

/// What one request reads of a big object, in bytes.
const PART: u64 = 8 << 20;
/// How many parts of one object are fetched at a time.
const WINDOW: usize = 4;
/// What the first request of a look at an object's start, or at its end, reads.
pub(super) const LOOK: u64 = 64 << 10;

/// An object as it was when it was found. Where it is another one by the time it is read, that is an error.
#[derive(Clone)]
pub struct ObjectFile {
    store: Arc<dyn ObjectStore>,
    bucket: String,
    meta: ObjectMeta,
}

impl fmt::Debug for ObjectFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectFile").field("bucket", &self.bucket).field("meta", &self.meta).finish_non_exhaustive()
    }
}

impl ObjectFile {
    /// The object of `store` that was listed as `meta`; `bucket` is what messages call the store.
    pub fn new(store: Arc<dyn ObjectStore>, bucket: &str, meta: ObjectMeta) -> ObjectFile {
        ObjectFile { store, bucket: bucket.to_string(), meta }
    }

    /// The store that has it.
    pub fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    /// The bucket's name.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Its key, size, time and ETag.
    pub fn meta(&self) -> &ObjectMeta {
        &self.meta
    }

    /// Its size, in bytes.
    pub(super) fn size(&self) -> u64 {
        self.meta.size
    }

    pub(super) fn path(&self) -> &Path {
        &self.meta.location
    }

    /// Starts to fetch `range`, which is not empty.
    pub(super) fn start(self: &Arc<Self>, range: Range<u64>) -> Fetch {
        let (sender, receiver) = sync_channel(1);
        let object = self.clone();
        let wanted = range.end - range.start;
        let task = spawn(async move {
            let fetched = object.fetch(range).await;
            let whole = fetched.and_then(|bytes| match bytes.len() as u64 == wanted {
                true => Ok(bytes),
                false => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the store gave fewer bytes than the object has")),
            });
            let _ = sender.send(whole);
        });
        Fetch { receiver, task: task.abort_handle() }
    }

    async fn fetch(&self, range: Range<u64>) -> io::Result<Bytes> {
        let options = GetOptions { range: Some(GetRange::Bounded(range)), if_match: self.meta.e_tag.clone(), ..Default::default() };
        let read = async { self.store.get_opts(self.path(), options).await?.bytes().await };
        read.await.map_err(|error| match error {
            object_store::Error::Precondition { .. } => io::Error::other("it was replaced while it was read; run this again"),
            object_store::Error::NotFound { .. } => io::Error::new(io::ErrorKind::NotFound, "it was removed while it was read"),
            other => io::Error::other(other),
        })
    }
}

/// A part that is on its way. Dropped, it is no longer fetched.
#[derive(Debug)]
pub(super) struct Fetch {
    receiver: Receiver<io::Result<Bytes>>,
    task: AbortHandle,
}

impl Fetch {
    /// Waits for the bytes.
    pub(super) fn take(self) -> io::Result<Bytes> {
        self.receiver.recv().unwrap_or_else(|_| Err(io::Error::other("the request was given up")))
    }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads an object from some place on. Parts of what is sure to be read are fetched ahead.
#[derive(Debug)]
pub struct ObjectReader {
    object: Arc<ObjectFile>,
    coming: VecDeque<Fetch>,
    chunk: Bytes,
    /// Where the next request starts.
    next: u64,
    /// Up to here, parts are fetched ahead; behind it, only when they are asked for.
    eager: u64,
    /// What the next request behind `eager` reads.
    step: u64,
}

impl ObjectReader {
    /// Reads all of `object`, and fetches ahead.
    pub(super) fn whole(object: &Arc<ObjectFile>) -> ObjectReader {
        ObjectReader::of(object, 0, object.size())
    }

    /// Reads from byte `start` on, and fetches ahead up to `sure`.
    pub(super) fn of(object: &Arc<ObjectFile>, start: u64, sure: u64) -> ObjectReader {
        let mut reader = ObjectReader {
            object: object.clone(),
            coming: VecDeque::new(),
            chunk: Bytes::new(),
            next: start,
            eager: sure.min(object.size()),
            step: LOOK,
        };
        reader.fetch_ahead();
        reader
    }

    /// What fetching ahead holds in memory at most, in bytes.
    pub(super) fn cost(&self) -> u64 {
        (self.eager - self.next.min(self.eager) + PART * self.coming.len() as u64).min(PART * WINDOW as u64)
    }

    fn fetch_ahead(&mut self) {
        while self.coming.len() < WINDOW && self.next < self.eager {
            let end = (self.next + PART).min(self.eager);
            self.coming.push_back(self.object.start(self.next..end));
            self.next = end;
        }
    }
}

impl Read for ObjectReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() && !buffer.is_empty() {
            let fetch = match self.coming.pop_front() {
                Some(fetch) => fetch,
                None if self.next < self.object.size() => {
                    // Each request reads more than the one before: who reads on is likely to read on further.
                    let end = (self.next + self.step).min(self.object.size());
                    let fetch = self.object.start(self.next..end);
                    self.next = end;
                    self.step = (self.step * 4).min(PART);
                    fetch
                }
                None => return Ok(0),
            };
            self.chunk = fetch.take()?;
            self.fetch_ahead();
        }
        let n = buffer.len().min(self.chunk.len());
        buffer[..n].copy_from_slice(&self.chunk.split_to(n));
        Ok(n)
    }
}
