//! Where the bytes of an output file go. With many partitions more files grow at once than a process may have open.

use crate::storage::Upload;
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A file or an object that grows. A file's handle can be given up meanwhile; the next write opens it again. Clones write to the same
/// one.
#[derive(Debug, Clone)]
pub(super) struct PartSink(Arc<Mutex<Sink>>);

#[derive(Debug)]
struct Sink {
    place: SinkPlace,
    /// Of all bytes so far, where it is asked for.
    checksum: Option<Sha256>,
}

#[derive(Debug)]
enum SinkPlace {
    File { path: PathBuf, open: Option<BufWriter<File>> },
    Object(Box<Upload>),
    Ended,
}

impl PartSink {
    /// Creates the file at `path`.
    pub(super) fn create(path: PathBuf, checksum: bool) -> io::Result<PartSink> {
        let open = Some(BufWriter::with_capacity(BUFFER, File::create(&path)?));
        Ok(PartSink::of(SinkPlace::File { path, open }, checksum))
    }

    /// Sends all to `upload`.
    pub(super) fn uploading(upload: Upload, checksum: bool) -> PartSink {
        PartSink::of(SinkPlace::Object(Box::new(upload)), checksum)
    }

    fn of(place: SinkPlace, checksum: bool) -> PartSink {
        PartSink(Arc::new(Mutex::new(Sink { place, checksum: checksum.then(Sha256::new) })))
    }

    fn lock(&self) -> MutexGuard<'_, Sink> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a file's handle up.
    pub(super) fn close(&self) -> io::Result<()> {
        match &mut self.lock().place {
            SinkPlace::File { open, .. } => open.take().map_or(Ok(()), |mut file| file.flush()),
            SinkPlace::Object(_) | SinkPlace::Ended => Ok(()),
        }
    }

    /// Ends the file, of which all bytes are written; gives its SHA-256 in hexadecimal where it was asked for.
    pub(super) fn finish(&self) -> io::Result<Option<String>> {
        self.close()?;
        let sink = &mut *self.lock();
        if let SinkPlace::Object(upload) = std::mem::replace(&mut sink.place, SinkPlace::Ended) {
            upload.finish()?;
        }
        Ok(sink.checksum.take().map(|checksum| hex::encode(checksum.finalize())))
    }
}

const BUFFER: usize = 256 << 10;

impl Write for PartSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sink = &mut *self.lock();
        let written = match &mut sink.place {
            SinkPlace::File { open: Some(file), .. } => file.write(bytes)?,
            SinkPlace::File { path, open } => {
                open.insert(BufWriter::with_capacity(BUFFER, OpenOptions::new().append(true).open(path)?)).write(bytes)?
            }
            SinkPlace::Object(upload) => upload.write(bytes)?,
            SinkPlace::Ended => return Err(io::Error::other("the file was ended already")),
        };
        if let Some(checksum) = &mut sink.checksum {
            checksum.update(&bytes[..written]);
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.lock().place {
            SinkPlace::File { open: Some(file), .. } => file.flush(),
            _ => Ok(()),
        }
    }
}
