//! Where rejected lines are kept: a file, or an object.

use crate::error::{Error, ErrorKind, Result};
use crate::input::{Place, Source};
use crate::storage::{Appear, Location, Storage, Upload, Uploads};
use serde::Serialize;
use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The place of rejected lines.
#[derive(Debug, Clone)]
pub enum RejectsFile {
    File(PathBuf),
    /// An object, by its key in a storage.
    Object {
        storage: Storage,
        key: String,
    },
}

impl RejectsFile {
    /// The place that `location` names.
    ///
    /// # Errors
    /// What [`Storage::open`] gives for a bucket; [`ErrorKind::Usage`] for a bucket without a key.
    pub fn open(text: &str) -> Result<RejectsFile> {
        let (location, folder) = (Location::parse(text)?, text.ends_with('/'));
        match location {
            Location::Folder(path) => Ok(RejectsFile::File(path)),
            Location::Bucket { key, .. } if key.is_empty() => {
                Err(Error::new(ErrorKind::Usage, "--rejects names a bucket; name an object in it: s3://BUCKET/rejects.jsonl"))
            }
            Location::Bucket { bucket, key } => {
                if folder {
                    let message = format!("--rejects s3://{bucket}/{key}/ is a folder; name an object in it, such as rejects.jsonl");
                    return Err(Error::new(ErrorKind::Usage, message));
                }
                Ok(RejectsFile::Object { storage: Storage::open(Location::Bucket { bucket, key: String::new() })?, key })
            }
        }
    }

    /// Whether it is `source`, which would be gone then.
    fn is(&self, source: &Source) -> bool {
        match (self, &source.place) {
            (RejectsFile::File(path), Place::File(input)) => {
                let real = path.canonicalize().ok();
                real.is_some() && input.path().canonicalize().ok() == real
            }
            (RejectsFile::Object { .. }, Place::Object(_)) => self.to_string() == source.path,
            _ => false,
        }
    }

    /// Begins to write; `inputs` are what it must not be.
    pub(super) fn create(&self, inputs: &[Source]) -> Result<RejectsWriter> {
        if let Some(input) = inputs.iter().find(|source| self.is(source)) {
            let message = format!("--rejects {self} would overwrite the input {}; name another file", input.path);
            return Err(Error::new(ErrorKind::Usage, message));
        }
        let sink = match self {
            RejectsFile::File(path) => Sink::File(BufWriter::new(File::create(path).map_err(|e| Error::output(path.display(), e))?)),
            RejectsFile::Object { storage, key } => {
                // What was rejected is told also where the run is cancelled.
                let uploads = Uploads::new(storage.clone(), Appear::AtCommit, Arc::new(AtomicBool::new(false)));
                Sink::Object { upload: Some(uploads.begin(key)), uploads }
            }
        };
        Ok(RejectsWriter { name: self.to_string(), sink })
    }
}

impl fmt::Display for RejectsFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RejectsFile::File(path) => write!(f, "{}", path.display()),
            RejectsFile::Object { storage, key } => write!(f, "{}", storage.location().join(key)),
        }
    }
}

impl From<PathBuf> for RejectsFile {
    fn from(path: PathBuf) -> RejectsFile {
        RejectsFile::File(path)
    }
}

/// Writes rejected lines.
#[derive(Debug)]
pub(super) struct RejectsWriter {
    name: String,
    sink: Sink,
}

#[derive(Debug)]
enum Sink {
    File(BufWriter<File>),
    Object { upload: Option<Upload>, uploads: Uploads },
}

/// Counts what is written.
struct Lines<'a> {
    sink: &'a mut Sink,
    written: u64,
}

impl Write for Lines<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match self.sink {
            Sink::File(file) => file.write(bytes)?,
            Sink::Object { upload: Some(upload), .. } => upload.write(bytes)?,
            Sink::Object { upload: None, .. } => bytes.len(),
        };
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl RejectsWriter {
    /// What messages call the file.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Writes `line` as a line of JSON; gives its length in bytes.
    pub(super) fn write(&mut self, line: &impl Serialize) -> Result<u64> {
        let mut out = Lines { sink: &mut self.sink, written: 0 };
        let written = serde_json::to_writer(&mut out, line).map_err(io::Error::from).and_then(|()| out.write_all(b"\n"));
        let bytes = out.written;
        written.map_err(|e| Error::output(&self.name, e)).map(|()| bytes)
    }

    /// Writes out what is left, and ends an object.
    pub(super) fn finish(&mut self) -> Result<()> {
        match &mut self.sink {
            Sink::File(file) => file.flush().map_err(|e| Error::output(&self.name, e)),
            Sink::Object { upload, uploads } => match upload.take() {
                Some(upload) => {
                    upload.finish().map_err(|e| Error::output(&self.name, e))?;
                    uploads.commit(|_| true)
                }
                None => Ok(()),
            },
        }
    }
}
