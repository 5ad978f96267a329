//! Bytes that wait for their turn on local disk, where there are too many for memory.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// A file without a name, which is gone when the process ends, however that happens. Nothing is made before it is needed.
#[derive(Debug, Default)]
pub(super) struct Spool {
    file: OnceLock<File>,
    making: Mutex<()>,
    end: AtomicU64,
}

/// A run of bytes in a spool.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spooled {
    offset: u64,
    pub(super) length: usize,
}

impl Spool {
    fn file(&self) -> io::Result<&File> {
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        let file = tempfile::tempfile()?;
        Ok(self.file.get_or_init(|| file))
    }

    /// Keeps `bytes`.
    pub(super) fn keep(&self, bytes: &[u8]) -> io::Result<Spooled> {
        let offset = self.end.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.file()?.write_all_at(bytes, offset)?;
        Ok(Spooled { offset, length: bytes.len() })
    }

    /// Appends what was kept to `out`.
    pub(super) fn read(&self, kept: Spooled, out: &mut Vec<u8>) -> io::Result<()> {
        let start = out.len();
        out.resize(start + kept.length, 0);
        self.file()?.read_exact_at(&mut out[start..], kept.offset)
    }
}
