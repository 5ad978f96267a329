//! Files that grow into objects: sent in parts, many at a time, in bounded memory.
//!
//! An object is seen when it is whole, and unless asked otherwise not before [`Uploads::commit`]: what is small waits until then, in
//! memory or on local disk; of what is big the parts are in the store, but the upload is not completed.

use super::blocking::{spawn, wait};
use super::objects::Storage;
use super::spool::{Spool, Spooled};
use crate::error::{Error, ErrorKind, Result};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{Attribute, Attributes, GetOptions, MultipartUpload, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload};
use std::collections::HashMap;
use std::future::Future;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

/// When objects are seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Appear {
    /// All of them at the commit, within the time that completing them takes.
    #[default]
    AtCommit,
    /// Each as soon as it is written: for a prefix that nobody knows yet.
    WhenWritten,
}

/// The first parts' size, in bytes. It doubles with each [`GROWS_AFTER`] parts, as stores take no more than 10,000 of one object.
const PART: u64 = 8 << 20;
const GROWS_AFTER: u64 = 1_000;
/// What requests may hold in memory together.
const IN_FLIGHT: usize = 64 << 20;
/// What a permit stands for: as each request takes one at least, it bounds their number too.
const PERMIT: usize = 1 << 20;
/// What is not sent yet and kept in memory; the rest waits on local disk.
const HELD: usize = 32 << 20;
/// How many objects are completed at a time.
const AT_ONCE: usize = 64;
/// How long a run that failed tries to take back what it wrote.
const PATIENCE: Duration = Duration::from_secs(30);
/// The name of the metadata that tells which run wrote an object.
const RUN: &str = "etl-run";

/// The objects that one run writes to a storage. Dropped without [`Uploads::commit`], it takes back what it wrote.
#[derive(Debug)]
pub struct Uploads(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    storage: Storage,
    appear: Appear,
    cancel: Arc<AtomicBool>,
    run: String,
    budget: Arc<Semaphore>,
    held: AtomicUsize,
    spool: Spool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The first thing that went wrong with a request that nobody waits for.
    error: Option<Error>,
    /// Written to their end, but not yet seen.
    ended: Vec<Ended>,
    /// Those that are being completed without a commit.
    completing: Vec<JoinHandle<()>>,
    /// Uploads in parts that are neither completed nor aborted.
    open: HashMap<u64, Arc<Multipart>>,
    /// New objects that may be there; true where it is sure that this run wrote them.
    written: HashMap<String, bool>,
    /// Objects of others were replaced.
    replaced: bool,
    committed: bool,
}

/// An object whose bytes are all known.
#[derive(Debug)]
struct Ended {
    key: String,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Small { spooled: Vec<Spooled>, bytes: Vec<u8> },
    Parts(Arc<Multipart>),
}

/// An upload in parts.
#[derive(Debug)]
struct Multipart {
    number: u64,
    upload: tokio::sync::Mutex<Box<dyn MultipartUpload>>,
    /// Whether each part arrived; what went wrong is told to all.
    parts: Mutex<Vec<JoinHandle<bool>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Uploads {
    /// Uploads to `storage`; `cancel` is set from outside to stop them.
    pub fn new(storage: Storage, appear: Appear, cancel: Arc<AtomicBool>) -> Uploads {
        static RUNS: AtomicU64 = AtomicU64::new(0);
        let nanos = std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_nanos());
        let run = format!("{nanos:x}-{:x}-{:x}", std::process::id(), RUNS.fetch_add(1, Ordering::Relaxed));
        Uploads(Arc::new(Shared {
            storage,
            appear,
            cancel,
            run,
            budget: Arc::new(Semaphore::new(IN_FLIGHT / PERMIT)),
            held: AtomicUsize::new(0),
            spool: Spool::default(),
            state: Mutex::default(),
        }))
    }

    /// Begins the object at `key`.
    pub fn begin(&self, key: &str) -> Upload {
        Upload {
            shared: self.0.clone(),
            key: key.to_string(),
            buffer: Vec::new(),
            spooled: Vec::new(),
            pending: 0,
            parts: 0,
            multipart: None,
        }
    }

    /// Makes all objects that were finished seen, and waits for it. `replaced` tells the keys that may be there already. Where one
    /// fails, the new ones are taken back.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] where another run wrote an object meanwhile, [`ErrorKind::Output`] where the store refuses one,
    /// [`ErrorKind::Interrupted`] where the run was cancelled.
    pub fn commit(&self, replaced: impl Fn(&str) -> bool) -> Result<()> {
        let (ended, completing) = {
            let mut state = lock(&self.0.state);
            (std::mem::take(&mut state.ended), std::mem::take(&mut state.completing))
        };
        let shared = self.0.clone();
        let ended: Vec<(Ended, bool)> = ended.into_iter().map(|ended| (!replaced(&ended.key), ended)).map(|(new, e)| (e, new)).collect();
        let work = async move {
            for task in completing {
                // One that failed has said so.
                let _ = task.await;
            }
            if let Some(error) = lock(&shared.state).error.take() {
                return Err(error);
            }
            let all = stream::iter(ended).map(|(ended, new)| complete(shared.clone(), ended, new));
            all.buffer_unordered(AT_ONCE).try_collect::<()>().await
        };
        let done = self.0.unless_cancelled(work).and_then(|done| done);
        match done {
            Ok(()) => {
                lock(&self.0.state).committed = true;
                Ok(())
            }
            Err(error) => {
                self.take_back();
                match lock(&self.0.state).replaced {
                    true => Err(error.with_context("what is there now", "some files of the new run and some of the old; run it again")),
                    false => Err(error),
                }
            }
        }
    }

    /// Ends all uploads in parts on the server, and removes new objects.
    fn take_back(&self) {
        let (open, written, completing) = {
            let mut state = lock(&self.0.state);
            (std::mem::take(&mut state.open), std::mem::take(&mut state.written), std::mem::take(&mut state.completing))
        };
        completing.iter().for_each(JoinHandle::abort);
        if open.is_empty() && written.is_empty() && completing.is_empty() {
            return;
        }
        let shared = self.0.clone();
        let work = async move {
            for task in completing {
                let _ = task.await;
            }
            stream::iter(open.into_values()).for_each_concurrent(AT_ONCE, |multipart| async move { multipart.abort().await }).await;
            let ours = stream::iter(written).map(|(key, sure)| {
                let shared = shared.clone();
                async move { (sure || shared.is_ours(&key).await).then_some(key) }
            });
            let ours: Vec<String> = ours.buffer_unordered(AT_ONCE).filter_map(std::future::ready).collect().await;
            let paths: Vec<_> = ours.iter().filter_map(|key| shared.storage.object(key).ok()).map(|(_, path)| Ok(path)).collect();
            if let Ok((store, _)) = shared.storage.object("") {
                store.delete_stream(stream::iter(paths).boxed()).for_each(|_| std::future::ready(())).await;
            }
        };
        // What can't be taken back now is no object yet, or lies where nobody looks.
        let _ = wait(async move { tokio::time::timeout(PATIENCE, work).await });
    }
}

impl Drop for Uploads {
    fn drop(&mut self) {
        if !lock(&self.0.state).committed {
            self.take_back();
        }
    }
}

impl Shared {
    /// Waits for `work`; not any longer where the run is cancelled.
    fn unless_cancelled<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Result<T> {
        let cancel = self.cancel.clone();
        let cancelled = async move {
            while !cancel.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let done = wait(async move {
            tokio::select! {
                biased;
                done = work => Some(done),
                () = cancelled => None,
            }
        });
        done.ok_or_else(|| Error::new(ErrorKind::Interrupted, "interrupted; nothing was published"))
    }

    fn failed(&self) -> io::Result<()> {
        match lock(&self.state).error.take() {
            Some(error) => Err(io::Error::other(error)),
            None => Ok(()),
        }
    }

    fn fail(&self, error: Error) {
        lock(&self.state).error.get_or_insert(error);
    }

    fn refused(&self, key: &str, error: object_store::Error) -> Error {
        self.storage.unwritable(key, &error)
    }

    fn conflict(&self, key: &str) -> Error {
        let message = format!("another run wrote {} meanwhile; nothing of this one is there", self.storage.location().join(key));
        Error::new(ErrorKind::Conflict, message).with_context("what to do", "run it again, or choose another prefix")
    }

    /// Waits until requests for `length` more bytes fit into memory.
    async fn permit(&self, length: usize) -> Option<OwnedSemaphorePermit> {
        let permits = length.div_ceil(PERMIT).clamp(1, IN_FLIGHT / PERMIT) as u32;
        // It is never closed.
        self.budget.clone().acquire_many_owned(permits).await.ok()
    }

    /// Whether this run wrote what is at `key`: an answer that was lost leaves that open.
    async fn is_ours(&self, key: &str) -> bool {
        let Ok((store, path)) = self.storage.object(key) else { return false };
        let head = store.get_opts(&path, GetOptions { head: true, ..Default::default() }).await;
        head.is_ok_and(|found| found.attributes.get(&Attribute::Metadata(RUN.into())).is_some_and(|run| run.as_ref() == self.run))
    }

    /// What tells that an object is this run's.
    fn attributes(&self) -> Attributes {
        Attributes::from_iter([(Attribute::Metadata(RUN.into()), self.run.clone())])
    }
}

/// Makes an object seen; `new` where there is none so far.
async fn complete(shared: Arc<Shared>, ended: Ended, new: bool) -> Result<()> {
    let Ended { key, body } = ended;
    let (store, path) = shared.storage.object(&key)?;
    {
        let mut state = lock(&shared.state);
        match new {
            true => drop(state.written.insert(key.clone(), false)),
            false => state.replaced = true,
        }
    }
    let done = match body {
        Body::Small { spooled, bytes } => put(&shared, &key, store, path, spooled, bytes, new).await,
        Body::Parts(multipart) => complete_parts(&shared, &key, store, path, &multipart, new).await,
    };
    let mut state = lock(&shared.state);
    match &done {
        Ok(()) if new => drop(state.written.insert(key, true)),
        Err(error) if error.kind() == ErrorKind::Conflict => drop(state.written.remove(&key)),
        _ => {}
    }
    done
}

async fn put(
    shared: &Shared,
    key: &str,
    store: Arc<dyn ObjectStore>,
    path: Path,
    spooled: Vec<Spooled>,
    bytes: Vec<u8>,
    new: bool,
) -> Result<()> {
    let length = spooled.iter().map(|s| s.length).sum::<usize>() + bytes.len();
    let _permit = shared.permit(length).await;
    shared.held.fetch_sub(bytes.len(), Ordering::Relaxed);
    let bytes = join(&shared.spool, &spooled, bytes).map_err(|e| Error::output("the temporary folder", e))?;
    let payload = PutPayload::from(Bytes::from(bytes));
    let options = |mode| PutOptions { mode, attributes: shared.attributes(), ..Default::default() };
    let mode = if new { PutMode::Create } else { PutMode::Overwrite };
    let mut put = store.put_opts(&path, payload.clone(), options(mode)).await;
    if let (true, Err(object_store::Error::NotImplemented { .. } | object_store::Error::NotSupported { .. })) = (new, &put) {
        // A store that can't look and write in one step: look, then write.
        put = match store.get_opts(&path, GetOptions { head: true, ..Default::default() }).await {
            Err(object_store::Error::NotFound { .. }) => store.put_opts(&path, payload, options(PutMode::Overwrite)).await,
            Err(error) => Err(error),
            Ok(_) => return Err(shared.conflict(key)),
        };
    }
    match put {
        Ok(_) => Ok(()),
        // The answer to an earlier try may have been lost.
        Err(_) if shared.is_ours(key).await => Ok(()),
        Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => Err(shared.conflict(key)),
        Err(error) => Err(shared.refused(key, error)),
    }
}

async fn complete_parts(
    shared: &Shared,
    key: &str,
    store: Arc<dyn ObjectStore>,
    path: Path,
    multipart: &Multipart,
    new: bool,
) -> Result<()> {
    let parts = std::mem::take(&mut *lock(&multipart.parts));
    for part in parts {
        if !part.await.unwrap_or(false) {
            let told = lock(&shared.state).error.take();
            return Err(told.unwrap_or_else(|| Error::new(ErrorKind::Output, format!("can't write all of {key}"))));
        }
    }
    // Uploads in parts know no conditions; so the time between the look and the write is all that another run has.
    if new {
        match store.get_opts(&path, GetOptions { head: true, ..Default::default() }).await {
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(shared.refused(key, error)),
            Ok(_) => return Err(shared.conflict(key)),
        }
    }
    if let Err(error) = multipart.upload.lock().await.complete().await
        && !shared.is_ours(key).await
    {
        return Err(shared.refused(key, error));
    }
    lock(&shared.state).open.remove(&multipart.number);
    Ok(())
}

fn join(spool: &Spool, spooled: &[Spooled], mut bytes: Vec<u8>) -> io::Result<Vec<u8>> {
    if spooled.is_empty() {
        return Ok(bytes);
    }
    let mut joined = Vec::with_capacity(spooled.iter().map(|s| s.length).sum::<usize>() + bytes.len());
    for kept in spooled {
        spool.read(*kept, &mut joined)?;
    }
    joined.append(&mut bytes);
    Ok(joined)
}

impl Multipart {
    /// Removes the parts from the server.
    async fn abort(&self) {
        let parts = std::mem::take(&mut *lock(&self.parts));
        parts.iter().for_each(JoinHandle::abort);
        for part in parts {
            let _ = part.await;
        }
        // Where this fails, what is left is no object, and the bucket's rules or a vacuum end it.
        let _ = self.upload.lock().await.abort().await;
    }
}

/// An object that grows.
#[derive(Debug)]
pub struct Upload {
    shared: Arc<Shared>,
    key: String,
    /// The last bytes that are not sent yet.
    buffer: Vec<u8>,
    /// The ones before them.
    spooled: Vec<Spooled>,
    /// How many bytes both have.
    pending: u64,
    parts: u64,
    multipart: Option<Arc<Multipart>>,
}

impl Upload {
    /// The size of the part at hand.
    fn part(&self) -> u64 {
        PART << (self.parts / GROWS_AFTER).min(9)
    }

    /// Sends what is pending as a part; waits where too many are on their way.
    fn send(&mut self) -> io::Result<()> {
        self.shared.failed()?;
        let shared = self.shared.clone();
        let length = self.pending as usize;
        let permit = self.shared.unless_cancelled(async move { shared.permit(length).await }).map_err(io::Error::other)?;
        let (spooled, bytes) = (std::mem::take(&mut self.spooled), std::mem::take(&mut self.buffer));
        self.shared.held.fetch_sub(bytes.len(), Ordering::Relaxed);
        self.pending = 0;
        let bytes = join(&self.shared.spool, &spooled, bytes)?;
        let multipart = match &self.multipart {
            Some(multipart) => multipart.clone(),
            None => self.multipart.insert(self.begin()?).clone(),
        };
        self.parts += 1;
        let (shared, key) = (self.shared.clone(), self.key.clone());
        // Parts are numbered in the order in which they are asked for.
        let sent = multipart.upload.try_lock().map_err(io::Error::other)?.put_part(PutPayload::from(Bytes::from(bytes)));
        let task = spawn(async move {
            let done = sent.await;
            drop(permit);
            let arrived = done.is_ok();
            if let Err(error) = done {
                shared.fail(shared.refused(&key, error));
            }
            arrived
        });
        lock(&multipart.parts).push(task);
        Ok(())
    }

    fn begin(&self) -> io::Result<Arc<Multipart>> {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let (store, path) = self.shared.storage.object(&self.key).map_err(io::Error::other)?;
        let options = PutMultipartOptions { attributes: self.shared.attributes(), ..Default::default() };
        let begun = self.shared.unless_cancelled(async move { store.put_multipart_opts(&path, options).await });
        let upload = begun.map_err(io::Error::other)?.map_err(|e| io::Error::other(self.shared.refused(&self.key, e)))?;
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let multipart = Arc::new(Multipart { number, upload: upload.into(), parts: Mutex::default() });
        lock(&self.shared.state).open.insert(number, multipart.clone());
        Ok(multipart)
    }

    /// Ends the object. It is seen now or at the commit, as its [`Appear`] says.
    ///
    /// # Errors
    /// Where a request failed so far, of this object or another.
    pub fn finish(mut self) -> io::Result<()> {
        self.shared.failed()?;
        let body = match &self.multipart {
            Some(_) if self.pending > 0 => {
                self.send()?;
                None
            }
            Some(_) => None,
            None => {
                let mut bytes = std::mem::take(&mut self.buffer);
                bytes.shrink_to_fit();
                Some(Body::Small { spooled: std::mem::take(&mut self.spooled), bytes })
            }
        };
        let body = match (body, self.multipart.take()) {
            (Some(body), _) => body,
            (None, Some(multipart)) => Body::Parts(multipart),
            (None, None) => return Ok(()),
        };
        let ended = Ended { key: self.key.clone(), body };
        if self.shared.appear == Appear::AtCommit {
            lock(&self.shared.state).ended.push(ended);
            return Ok(());
        }
        let shared = self.shared.clone();
        let task = spawn(async move {
            if let Err(error) = complete(shared.clone(), ended, true).await {
                shared.fail(error);
            }
        });
        lock(&self.shared.state).completing.push(task);
        // What is on its way is bounded too: the next one begins when this one has its place.
        let shared = self.shared.clone();
        let place = self.shared.unless_cancelled(async move { shared.permit(1).await }).map_err(io::Error::other)?;
        drop(place);
        Ok(())
    }
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = bytes.len().min((self.part() - self.pending) as usize);
        self.buffer.extend_from_slice(&bytes[..n]);
        self.pending += n as u64;
        let held = self.shared.held.fetch_add(n, Ordering::Relaxed) + n;
        if self.pending == self.part() {
            self.send()?;
        } else if held > HELD {
            self.spooled.push(self.shared.spool.keep(&self.buffer)?);
            self.shared.held.fetch_sub(self.buffer.len(), Ordering::Relaxed);
            self.buffer = Vec::new();
        }
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.shared.held.fetch_sub(self.buffer.len(), Ordering::Relaxed);
    }
}
