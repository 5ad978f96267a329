//! What can be read only once: standard input, and pipes such as `<(zcat access.log.gz)` makes.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

/// A stream, with what was read of it to find out its format.
#[derive(Debug, Default)]
pub struct Stream {
    /// The pipe; standard input where there is none.
    path: Option<PathBuf>,
    state: Mutex<State>,
    cancel: OnceLock<Arc<AtomicBool>>,
}

#[derive(Debug, Default)]
struct State {
    peeked: Vec<u8>,
    pipe: Option<File>,
    taken: bool,
}

impl Stream {
    /// The pipe at `path`.
    pub fn at(path: &Path) -> Stream {
        Stream { path: Some(path.to_path_buf()), ..Stream::default() }
    }

    /// Makes reads fail soon after `cancel` is set, also where nothing comes.
    pub fn cancel_by(&self, cancel: &Arc<AtomicBool>) {
        // The first one stays: there is one interruption for all.
        let _ = self.cancel.set(cancel.clone());
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of it, from its start.
    pub(super) fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let mut state = self.state();
        if std::mem::replace(&mut state.taken, true) {
            return Err(io::Error::other("it is a pipe, and can be read only once; save it to a file first"));
        }
        let start = io::Cursor::new(std::mem::take(&mut state.peeked));
        let (path, pipe) = (self.path.clone(), state.pipe.take());
        let open = move || -> io::Result<Box<dyn Read + Send>> {
            Ok(match (path, pipe) {
                (_, Some(pipe)) => Box::new(pipe),
                (Some(path), None) => Box::new(File::open(path)?),
                (None, None) => Box::new(io::stdin()),
            })
        };
        match self.cancel.get() {
            Some(cancel) => Ok(Box::new(start.chain(Interruptible::new(open, cancel.clone())?))),
            None => Ok(Box::new(start.chain(open()?))),
        }
    }

    /// Its start; what is read will be read again by [`Stream::open`].
    pub(super) fn peek(self: &Arc<Self>) -> impl Read + Send + use<> {
        let start = self.state().peeked.clone();
        io::Cursor::new(start).chain(Peeking(self.clone()))
    }
}

/// Reads on in a stream and remembers what it read.
struct Peeking(Arc<Stream>);

impl Read for Peeking {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.0.state();
        let n = match (&self.0.path, &mut state.pipe) {
            (None, _) => io::stdin().read(buffer)?,
            (Some(_), Some(pipe)) => pipe.read(buffer)?,
            (Some(path), empty) => empty.insert(File::open(path)?).read(buffer)?,
        };
        state.peeked.extend_from_slice(&buffer[..n]);
        Ok(n)
    }
}

/// Read by a thread of its own: a read that waits for bytes that never come can't be ended, but the waiting for it can.
struct Interruptible {
    chunks: Receiver<io::Result<Vec<u8>>>,
    chunk: io::Cursor<Vec<u8>>,
    cancel: Arc<AtomicBool>,
}

/// How often it is looked whether to stop.
const PATIENCE: Duration = Duration::from_millis(50);
const CHUNK: usize = 256 << 10;

impl Interruptible {
    fn new(open: impl FnOnce() -> io::Result<Box<dyn Read + Send>> + Send + 'static, cancel: Arc<AtomicBool>) -> io::Result<Interruptible> {
        let (sender, chunks) = sync_channel(4);
        thread::Builder::new().name("read".to_string()).spawn(move || {
            let mut reader = match open() {
                Ok(reader) => reader,
                Err(error) => return drop(sender.send(Err(error))),
            };
            loop {
                let mut chunk = vec![0; CHUNK];
                let read = match reader.read(&mut chunk) {
                    Ok(0) => return,
                    Ok(n) => {
                        chunk.truncate(n);
                        Ok(chunk)
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                let failed = read.is_err();
                if sender.send(read).is_err() || failed {
                    return;
                }
            }
        })?;
        Ok(Interruptible { chunks, chunk: io::Cursor::default(), cancel })
    }
}

impl Read for Interruptible {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let n = self.chunk.read(buffer)?;
            if n > 0 || buffer.is_empty() {
                return Ok(n);
            }
            match self.chunks.recv_timeout(PATIENCE) {
                Ok(chunk) => self.chunk = io::Cursor::new(chunk?),
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
                // Not the kind `Interrupted`: that one asks for another try.
                Err(RecvTimeoutError::Timeout) if self.cancel.load(Ordering::Relaxed) => return Err(io::Error::other("interrupted")),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}
