//! One input: where it is, and how it is opened.

use super::local::LocalFile;
use super::object::{ObjectFile, ObjectReader};
use super::random_access::{ObjectEnd, RandomAccess};
use super::span::Span;
use super::stream::Stream;
use crate::decode::Layout;
use crate::error::{Error, Result};
use crate::units::count;
use std::borrow::Cow;
use std::io::{self, Read};
use std::sync::Arc;

/// How the names of compressed files end.
pub(super) const COMPRESSED: [&str; 3] = [".gz", ".zst", ".bz2"];

/// One input.
#[derive(Debug, Clone)]
pub struct Source {
    /// As messages and reports call it: characters that aren't seen, and bytes that are no UTF-8, are escaped.
    pub path: String,
    /// Where it is.
    pub place: Place,
    /// Its size as it is stored, where that is known before it is read.
    pub size: Option<u64>,
    /// The lines of it that are read, where that is not all.
    pub span: Option<Arc<Span>>,
    /// How its records lie, where its columns are not those of its table in their order.
    pub layout: Option<Arc<Layout>>,
}

/// Where an input is.
#[derive(Debug, Clone)]
pub enum Place {
    /// A file of this machine.
    File(Arc<LocalFile>),
    /// What can be read only once: standard input, or a pipe.
    Stream(Arc<Stream>),
    /// An object of a bucket.
    Object(Arc<ObjectFile>),
}

impl Source {
    /// All of what is at `place`.
    pub fn new(path: impl Into<String>, place: Place, size: Option<u64>) -> Source {
        Source { path: path.into(), place, size, span: None, layout: None }
    }

    /// How many bytes are read of it, as they are stored, where that is known.
    pub fn wanted(&self) -> Option<u64> {
        let size = self.size?;
        Some(match &self.span {
            Some(span) if span.plain => span.to.unwrap_or(size).min(size).saturating_sub(span.from),
            _ => size,
        })
    }

    /// How many lines of it are before those that are read.
    pub fn lines_before(&self) -> u64 {
        self.span.as_ref().map_or(0, |span| span.lines)
    }

    /// Opens it from its start.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] naming the path.
    pub fn open(&self) -> Result<Box<dyn Read + Send>> {
        match &self.place {
            Place::File(file) => Ok(Box::new(file.open(0).map_err(|e| self.failed(e))?)),
            Place::Stream(stream) => stream.open().map_err(|e| Error::input(&self.path, e)),
            Place::Object(object) => Ok(Box::new(ObjectReader::whole(object))),
        }
    }

    /// Starts to read an object, so that its bytes are there when they are wanted: all of it, or what lies in `range`, with what
    /// fetching it holds in memory. Nothing for what is not an object.
    pub fn begin(&self, range: Option<(u64, u64)>) -> Option<(u64, ObjectReader)> {
        let Place::Object(object) = &self.place else { return None };
        let reader = match range {
            None => ObjectReader::whole(object),
            Some((start, end)) => ObjectReader::of(object, start, end),
        };
        Some((reader.cost(), reader))
    }

    /// Starts to read the end of an object, where Parquet tells where all else is, or all of a small one; with what that holds in
    /// memory. Nothing for what is not an object.
    pub(crate) fn begin_end(&self, soon: bool) -> Option<(u64, ObjectEnd)> {
        let Place::Object(object) = &self.place else { return None };
        let end = ObjectEnd::begin(object, soon);
        Some((end.cost(), end))
    }

    /// Opens it to look at its start; what is read will be read again by [`Source::open`].
    ///
    /// # Errors
    /// [`ErrorKind::Input`] naming the path.
    pub fn peek(&self) -> Result<Box<dyn Read + Send>> {
        match &self.place {
            Place::File(_) => self.open(),
            Place::Stream(stream) => Ok(Box::new(stream.peek())),
            // Nothing is fetched that isn't asked for.
            Place::Object(object) => Ok(Box::new(ObjectReader::of(object, 0, 0))),
        }
    }

    /// Whether it can be read once only.
    pub fn is_stream(&self) -> bool {
        matches!(self.place, Place::Stream(_))
    }

    /// Opens it from byte `start` on; bytes up to `sure` will all be read. Nothing for streams.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] naming the path.
    pub fn open_at(&self, start: u64, sure: u64) -> Result<Option<Box<dyn Read + Send>>> {
        match &self.place {
            Place::File(file) => Ok(Some(Box::new(file.open(start).map_err(|e| self.failed(e))?))),
            Place::Stream(_) => Ok(None),
            Place::Object(object) => Ok(Some(Box::new(ObjectReader::of(object, start, sure)))),
        }
    }

    /// Opens it to be read at any place; nothing for streams.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] naming the path.
    pub fn open_random(&self) -> Result<Option<RandomAccess>> {
        match &self.place {
            Place::File(file) => file.access().map(RandomAccess::File).map(Some).map_err(|e| self.failed(e)),
            Place::Stream(_) => Ok(None),
            Place::Object(object) => self.ended(ObjectEnd::begin(object, false)).map(Some),
        }
    }

    /// Waits for the end of the object that [`Source::begin_end`] began to read.
    pub(crate) fn ended(&self, end: ObjectEnd) -> Result<RandomAccess> {
        end.take().map(RandomAccess::Object).map_err(|e| Error::input(&self.path, e))
    }

    /// `error`, which reading it gave, or what is the matter with the file where it is no longer the one that was found.
    pub(crate) fn blamed(&self, error: Error) -> Error {
        match &self.place {
            Place::File(file) => file.unchanged().map_or_else(|e| self.failed(e), |()| error),
            _ => error,
        }
    }

    fn failed(&self, error: io::Error) -> Error {
        Error::input(&self.path, error)
    }

    /// The name without folders and without a compression's ending, in lower case: what tells the kind of data.
    pub fn stem(&self) -> String {
        let name = self.path.rsplit('/').next().unwrap_or_default().to_lowercase();
        for ending in COMPRESSED {
            if let Some(stem) = name.strip_suffix(ending) {
                return stem.to_string();
            }
        }
        name
    }

    /// Hive partitions in the folders of the path: `dt=2020-02-29/…` gives `("dt", "2020-02-29")`.
    pub fn partitions(&self) -> Vec<(String, String)> {
        // What is escaped in the name stands in the place as it is.
        let name: Cow<'_, str> = match &self.place {
            Place::File(file) if self.path.contains('\\') => file.path().to_string_lossy(),
            Place::Object(object) if self.path.contains('\\') => object.meta().location.as_ref().into(),
            _ => self.path.as_str().into(),
        };
        partitions_in(name.rsplit_once('/').map_or("", |(folders, _)| folders))
    }
}

/// What is to be said of those of `sources` that grew while they were read.
pub fn growth<'a>(sources: impl IntoIterator<Item = &'a Source>) -> Option<String> {
    let mut grown = sources.into_iter().filter_map(|source| match &source.place {
        Place::File(file) => Some((&source.path, file.grown_from()?)),
        _ => None,
    });
    let (path, size) = grown.next()?;
    let more = match grown.count() {
        0 => String::new(),
        more => format!(", and {more} more files are read as far as they were there"),
    };
    Some(format!("{path} grew while it was read: its first {} bytes are read{more}", count(size)))
}

/// The keys and values of hive partitions in the names of `folders`.
pub fn partitions_in(folders: &str) -> Vec<(String, String)> {
    folders
        .split('/')
        .filter_map(|folder| folder.split_once('='))
        .filter(|(key, _)| !key.is_empty())
        .map(|(key, value)| (unescape(key).to_lowercase(), unescape(value)))
        .collect()
}

/// A folder's name without Hive's escapes: `%2F` is a slash in a partition's value.
fn unescape(name: &str) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let hex = |at: usize| behind.get(at).and_then(|digit| (*digit as char).to_digit(16));
        match (first, hex(0), hex(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high << 4 | low) as u8);
                rest = &behind[2..];
            }
            _ => {
                bytes.push(first);
                rest = behind;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str) -> Source {
        Source::new(path, Place::Stream(Arc::default()), None)
    }

    #[test]
    fn names_tell_kind_and_partitions() {
        assert_eq!(source("x/ACCESS.CSV.gz").stem(), "access.csv");
        assert_eq!(
            source("lake/dt=2020-02-29/hour=05/part-00000.csv").partitions(),
            [("dt".to_string(), "2020-02-29".to_string()), ("hour".to_string(), "05".to_string())]
        );
    }
}
