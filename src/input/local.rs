//! A file of this machine as an input: read as it was when it was found, and never a mix of two versions of it.

use super::name::shown;
use crate::error::{Error, ErrorKind};
use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};
use std::fs::{File, Metadata};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

/// A file, and how it was when it was found. Where it is another one by the time it is read, that is an error; of one that grew, what
/// was there is read.
#[derive(Debug)]
pub struct LocalFile {
    path: PathBuf,
    found: OnceLock<Version>,
    grew: AtomicBool,
}

/// What tells one version of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Version {
    device: u64,
    inode: u64,
    size: u64,
    modified: Option<SystemTime>,
}

impl Version {
    fn of(metadata: &Metadata) -> Version {
        Version { device: metadata.dev(), inode: metadata.ino(), size: metadata.len(), modified: metadata.modified().ok() }
    }
}

impl LocalFile {
    /// The file at `path`, as it is when it is first opened.
    pub fn at(path: impl Into<PathBuf>) -> LocalFile {
        LocalFile { path: path.into(), found: OnceLock::new(), grew: AtomicBool::new(false) }
    }

    /// The file at `path`, as `metadata` has it.
    pub fn found(path: impl Into<PathBuf>, metadata: &Metadata) -> LocalFile {
        LocalFile { found: OnceLock::from(Version::of(metadata)), ..LocalFile::at(path) }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its size when it was found, in bytes; 0 where it was not looked at yet.
    pub fn size(&self) -> u64 {
        self.found.get().map_or(0, |found| found.size)
    }

    /// When it was last changed before it was found, where it was looked at and the system says it.
    pub fn modified(&self) -> Option<SystemTime> {
        self.found.get()?.modified
    }

    /// The size up to which it was read, where it has grown since it was found.
    pub fn grown_from(&self) -> Option<u64> {
        self.grew.load(Ordering::Relaxed).then(|| self.size())
    }

    /// Whether it is still what was found.
    ///
    /// # Errors
    /// Where it is not, saying how, or can't be looked at.
    pub fn unchanged(&self) -> io::Result<()> {
        self.check(&self.path.metadata().map_err(|e| self.lost(e))?)
    }

    /// Starts to read at byte `start`.
    pub(super) fn open(self: &Arc<Self>, start: u64) -> io::Result<LocalReader> {
        let file = File::open(&self.path).map_err(|e| self.lost(e))?;
        self.check(&file.metadata()?)?;
        Ok(LocalReader { local: self.clone(), file: Arc::new(file), at: start })
    }

    /// Opens it to be read at any place.
    pub(super) fn access(self: &Arc<Self>) -> io::Result<LocalAccess> {
        self.open(0).map(|reader| LocalAccess { local: reader.local, file: reader.file })
    }

    fn version(&self, now: impl FnOnce() -> io::Result<Metadata>) -> io::Result<Version> {
        match self.found.get() {
            Some(found) => Ok(*found),
            None => now().map(|now| *self.found.get_or_init(|| Version::of(&now))),
        }
    }

    /// The error of a file that can't be opened: of one that was there, it tells that it is no more.
    fn lost(&self, error: io::Error) -> io::Error {
        if error.kind() != io::ErrorKind::NotFound || self.found.get().is_none() {
            return error;
        }
        let message = format!("{} is gone: it was removed or renamed while it was being read", shown(self.path.as_os_str()));
        let what_to_do = "run this again, at a time when files are not moved";
        io::Error::other(Error::new(ErrorKind::Input, message).with_context("what to do", what_to_do))
    }

    /// Compares it as it is `now` with what was found.
    fn check(&self, now: &Metadata) -> io::Result<()> {
        let now = Version::of(now);
        let found = self.found.get_or_init(|| now);
        // Those of the system, which have no size, have a new time at each look.
        if now == *found || (now.size == 0 && found.size == 0) {
            return Ok(());
        }
        let what = if (now.device, now.inode) != (found.device, found.inode) {
            "was replaced while it was being read".to_string()
        } else if now.size < found.size {
            format!("was cut off while it was being read: it had {} bytes and has {}", found.size, now.size)
        } else if now.size == found.size {
            "was changed while it was being read".to_string()
        } else {
            self.grew.store(true, Ordering::Relaxed);
            return Ok(());
        };
        let error = Error::new(ErrorKind::Input, format!("{} {what}", shown(self.path.as_os_str())));
        Err(io::Error::other(error.with_context("what to do", "run this again when nothing but new lines is written to it")))
    }
}

/// Reads a file from some place on, up to where it ended when it was found. What it gives was looked at after it was read: none of it
/// is of another version.
#[derive(Debug)]
pub(super) struct LocalReader {
    local: Arc<LocalFile>,
    file: Arc<File>,
    at: u64,
}

impl Read for LocalReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.local.version(|| self.file.metadata())?.size;
        let left = size.saturating_sub(self.at);
        // Files of the system, as those in /proc, have no size and are read all the same.
        let wanted = if size == 0 { buffer.len() } else { buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX)) };
        if wanted == 0 {
            return Ok(0);
        }
        let n = self.file.read_at(&mut buffer[..wanted], self.at)?;
        let now = self.file.metadata()?;
        self.local.check(&now)?;
        if size == 0 && now.len() > 0 {
            return Ok(0);
        }
        self.at += n as u64;
        Ok(n)
    }
}

/// A file that is read at any place.
#[derive(Debug, Clone)]
pub struct LocalAccess {
    local: Arc<LocalFile>,
    file: Arc<File>,
}

impl LocalAccess {
    pub(super) fn len(&self) -> u64 {
        self.local.version(|| self.file.metadata()).map_or(0, |found| found.size)
    }
}

impl Length for LocalAccess {
    fn len(&self) -> u64 {
        LocalAccess::len(self)
    }
}

impl ChunkReader for LocalAccess {
    type T = LocalRead;

    fn get_read(&self, start: u64) -> Result<LocalRead> {
        Ok(LocalRead(BufReader::new(LocalReader { local: self.local.clone(), file: self.file.clone(), at: start })))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let external = |e: io::Error| ParquetError::External(Box::new(e));
        // What a footer says of a length may be wrong: nothing is asked for that isn't there.
        if start.checked_add(length as u64).is_none_or(|end| end > self.len()) {
            return Err(external(io::ErrorKind::UnexpectedEof.into()));
        }
        let mut bytes = vec![0; length];
        let read = self.file.read_exact_at(&mut bytes, start);
        // That it is another one now says more than that it ended.
        self.file.metadata().and_then(|now| self.local.check(&now)).and(read).map_err(external)?;
        Ok(bytes.into())
    }
}

/// Reads on from a place of a [`LocalAccess`].
#[derive(Debug)]
pub struct LocalRead(BufReader<LocalReader>);

impl Read for LocalRead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;

    fn file(content: &[u8]) -> (tempfile::TempDir, PathBuf, Arc<LocalFile>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        fs::write(&path, content).unwrap();
        let local = Arc::new(LocalFile::found(&path, &path.metadata().unwrap()));
        (folder, path, local)
    }

    fn later(path: &Path) {
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() + std::time::Duration::from_secs(5)).unwrap();
    }

    #[test]
    fn every_read_sees_what_was_found_or_fails() {
        let content = vec![b'x'; 100_000];
        type Change = fn(&Path);
        let changes: [(&str, Change); 3] = [
            ("was cut off", |path| File::options().write(true).open(path).unwrap().set_len(60_000).unwrap()),
            ("was changed", later),
            ("was replaced", |path| {
                fs::write(path.with_extension("new"), vec![b'y'; 100_000]).unwrap();
                fs::rename(path.with_extension("new"), path).unwrap();
            }),
        ];
        for (what, change) in changes {
            let (_folder, path, local) = file(&content);
            let mut open = local.open(0).unwrap();
            let mut start = vec![0; 1_000];
            open.read_exact(&mut start).unwrap();
            change(&path);
            let told = |error: io::Error| assert!(error.to_string().contains(what), "{what}: {error}");
            told(local.open(0).map(drop).unwrap_err());
            told(local.unchanged().unwrap_err());
            let mut rest = Vec::new();
            match open.read_to_end(&mut rest) {
                // What is open is still the old one, whole.
                Ok(_) if what == "was replaced" => assert_eq!(rest, content[1_000..]),
                read => told(read.unwrap_err()),
            }
        }
    }

    #[test]
    fn of_a_file_that_grew_the_start_is_read() {
        let (_folder, path, local) = file(b"one\ntwo\n");
        assert_eq!(local.grown_from(), None);
        File::options().append(true).open(&path).unwrap().write_all(b"three\n").unwrap();
        let mut read = String::new();
        local.open(4).unwrap().read_to_string(&mut read).unwrap();
        assert_eq!((read.as_str(), local.grown_from()), ("two\n", Some(8)));
        let access = local.access().unwrap();
        assert_eq!((access.len(), access.get_bytes(4, 4).unwrap().as_ref()), (8, &b"two\n"[..]));
        assert!(access.get_bytes(4, 5).is_err());
        let (_folder, path, local) = file(b"");
        fs::write(&path, "late\n").unwrap();
        assert_eq!(local.open(0).unwrap().read_to_end(&mut Vec::new()).unwrap(), 0);
        assert_eq!(local.grown_from(), Some(0));
    }

    #[test]
    fn files_of_the_system_have_no_size() {
        let path = Path::new("/proc/self/status");
        if !path.exists() {
            return;
        }
        let local = Arc::new(LocalFile::found(path, &path.metadata().unwrap()));
        assert!(local.open(0).unwrap().read_to_end(&mut Vec::new()).is_ok_and(|n| n > 100));
    }
}
