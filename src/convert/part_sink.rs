//! Where the bytes of an output file go. With many partitions more files grow at once than a process may have open.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// A file that grows. Its handle can be given up meanwhile; the next write opens it again. Clones write to the same file.
#[derive(Debug, Clone)]
pub(super) struct PartSink(Arc<Mutex<Sink>>);

#[derive(Debug)]
struct Sink {
    path: PathBuf,
    open: Option<BufWriter<File>>,
}

impl PartSink {
    /// Creates the file at `path`.
    pub(super) fn create(path: PathBuf) -> io::Result<PartSink> {
        let open = Some(BufWriter::with_capacity(BUFFER, File::create(&path)?));
        Ok(PartSink(Arc::new(Mutex::new(Sink { path, open }))))
    }

    /// Gives the handle up.
    pub(super) fn close(&self) -> io::Result<()> {
        let mut sink = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match sink.open.take() {
            Some(mut file) => file.flush(),
            None => Ok(()),
        }
    }
}

const BUFFER: usize = 256 << 10;

impl Write for PartSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sink = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let file = match &mut sink.open {
            Some(file) => file,
            empty => empty.insert(BufWriter::with_capacity(BUFFER, OpenOptions::new().append(true).open(&sink.path)?)),
        };
        file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0.lock().unwrap_or_else(PoisonError::into_inner).open {
            Some(file) => file.flush(),
            None => Ok(()),
        }
    }
}
