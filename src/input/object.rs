//! An object of a bucket as an input: read in parts, many at a time, and never a mix of two versions of it.

use crate::storage::{Storage, spawn};
use bytes::Bytes;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore};
use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, OnceLock};
use tokio::task::AbortHandle;

/// What one request reads of a big object, in bytes.
const PART: u64 = 8 << 20;
/// How many parts of one object are fetched at a time.
const WINDOW: usize = 4;
/// What the first request of a look at an object's start, or at its end, reads.
pub(super) const LOOK: u64 = 64 << 10;

/// An object as it was when it was found. Where it is another one by the time it is read, that is an error.
#[derive(Debug)]
pub struct ObjectFile {
    storage: Storage,
    store: Arc<dyn ObjectStore>,
    meta: ObjectMeta,
    /// All of it, where it is small and was fetched once.
    kept: OnceLock<Bytes>,
}

/// How many bytes of small objects are kept together: most are looked at before they are read, some of them twice.
const KEPT: u64 = 64 << 20;
static KEEPING: AtomicU64 = AtomicU64::new(0);

impl ObjectFile {
    /// The object that was listed as `meta` in the `store` of `storage`.
    pub fn new(storage: Storage, store: Arc<dyn ObjectStore>, meta: ObjectMeta) -> ObjectFile {
        ObjectFile { storage, store, meta, kept: OnceLock::new() }
    }

    /// The store that has it.
    pub fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    /// Its key, size, time and ETag.
    pub fn meta(&self) -> &ObjectMeta {
        &self.meta
    }

    /// All of it, where it is small and was read before.
    pub fn kept(&self) -> Option<Bytes> {
        self.kept.get().cloned()
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
        if let Some(kept) = self.kept.get() {
            return Fetch::Done(kept.slice(range.start as usize..range.end as usize));
        }
        let (sender, receiver) = sync_channel(1);
        let object = self.clone();
        let task = spawn(async move {
            let _ = sender.send(object.fetch(range).await);
        });
        Fetch::Coming { receiver, task: Ended(task.abort_handle()) }
    }

    async fn fetch(&self, range: Range<u64>) -> io::Result<Bytes> {
        let all = range == (0..self.size());
        let wanted = range.end - range.start;
        let options = GetOptions { range: Some(GetRange::Bounded(range)), if_match: self.meta.e_tag.clone(), ..Default::default() };
        let read = async { self.store.get_opts(self.path(), options).await?.bytes().await };
        let bytes = read.await.map_err(|error| match error {
            object_store::Error::Precondition { .. } => io::Error::other("it was replaced while it was being read; run this again"),
            object_store::Error::NotFound { .. } => io::Error::other("it was removed while it was being read; run this again"),
            error => io::Error::other(self.storage.unreadable(&self.storage.key(self.path()), &error)),
        })?;
        if bytes.len() as u64 != wanted {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the store gave fewer bytes than the object has"));
        }
        if all && wanted <= LOOK && KEEPING.fetch_add(wanted, Ordering::Relaxed) + wanted <= KEPT {
            // A copy of its own: what came may be part of a larger piece of memory.
            if self.kept.set(Bytes::copy_from_slice(&bytes)).is_err() {
                KEEPING.fetch_sub(wanted, Ordering::Relaxed);
            }
        } else if all && wanted <= LOOK {
            KEEPING.fetch_sub(wanted, Ordering::Relaxed);
        }
        Ok(bytes)
    }
}

impl Drop for ObjectFile {
    fn drop(&mut self) {
        if self.kept.get().is_some() {
            KEEPING.fetch_sub(self.size(), Ordering::Relaxed);
        }
    }
}

/// A part that is on its way, or there. Dropped, it is no longer fetched.
#[derive(Debug)]
pub(super) enum Fetch {
    Done(Bytes),
    Coming { receiver: Receiver<io::Result<Bytes>>, task: Ended },
}

/// Ends a task with itself.
#[derive(Debug)]
pub(super) struct Ended(AbortHandle);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Fetch {
    /// Waits for the bytes.
    pub(super) fn take(self) -> io::Result<Bytes> {
        match self {
            Fetch::Done(bytes) => Ok(bytes),
            Fetch::Coming { receiver, task } => {
                let fetched = receiver.recv().unwrap_or_else(|_| Err(io::Error::other("the request was given up")));
                drop(task);
                fetched
            }
        }
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
