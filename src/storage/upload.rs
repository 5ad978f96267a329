//! An object that grows: it goes up in parts as soon as there is enough for one.

use super::blocking::spawn;
use super::completion::{complete, join};
use super::run_state::{Appear, Body, Ended, Multipart, Shared, lock};
use super::spool::Spooled;
use bytes::Bytes;
use object_store::{PutMultipartOptions, PutPayload};
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// The first parts' size, in bytes. It doubles with each [`GROWS_AFTER`] parts, as stores take no more than 10,000 of one object.
const PART: u64 = 8 << 20;
const GROWS_AFTER: u64 = 1_000;
/// What is not sent yet and kept in memory; the rest waits on local disk.
const HELD: usize = 32 << 20;

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
    /// Begins the object at `key`.
    pub(super) fn new(shared: Arc<Shared>, key: &str) -> Upload {
        Upload { shared, key: key.to_string(), buffer: Vec::new(), spooled: Vec::new(), pending: 0, parts: 0, multipart: None }
    }

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
