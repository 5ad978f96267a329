//! Files that people write.

use crate::error::{Error, ErrorKind, Result};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Bytes of such a file.
const LONGEST: u64 = 1 << 20;

/// The text of the file at `path`.
///
/// # Errors
/// [`ErrorKind::Input`] where it can't be read, is larger than 1 MiB, or no text.
pub fn read_text(path: &Path) -> Result<String> {
    let unreadable = |error| Error::input(path.display(), error);
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > LONGEST {
        let message = format!("{} is larger than 1 MiB, the limit for such files; split it", path.display());
        return Err(Error::new(ErrorKind::Input, message));
    }
    String::from_utf8(bytes).map_err(|error| unreadable(std::io::Error::new(std::io::ErrorKind::InvalidData, error)))
}
