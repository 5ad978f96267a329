//! Finds the files that the user named.

use super::bucket::objects;
use super::object::{ObjectFile, ObjectReader};
use super::random_access::{ObjectEnd, RandomAccess};
use super::stream::Stream;
use crate::diagnostic::nearest;
use crate::error::{Error, ErrorKind, Result};
use crate::storage::{Location, Storage, StoreSettings};
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One input.
#[derive(Debug, Clone)]
pub struct Source {
    /// As messages and reports call it.
    pub path: String,
    /// Where it is.
    pub place: Place,
    /// Its size as it is stored, where that is known before it is read.
    pub size: Option<u64>,
}

/// Where an input is.
#[derive(Debug, Clone)]
pub enum Place {
    File(PathBuf),
    /// What can be read only once: standard input, or a pipe.
    Stream(Arc<Stream>),
    /// An object of a bucket.
    Object(Arc<ObjectFile>),
}

impl Source {
    /// Opens it from its start.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] naming the path.
    pub fn open(&self) -> Result<Box<dyn Read + Send>> {
        match &self.place {
            Place::File(path) => Ok(Box::new(self.file_at(path)?)),
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
            Place::File(path) => {
                let mut file = self.file_at(path)?;
                file.seek(SeekFrom::Start(start)).map_err(|e| Error::input(&self.path, e))?;
                Ok(Some(Box::new(file)))
            }
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
            Place::File(path) => self.file_at(path).map(RandomAccess::File).map(Some),
            Place::Stream(_) => Ok(None),
            Place::Object(object) => self.ended(ObjectEnd::begin(object, false)).map(Some),
        }
    }

    /// Waits for the end of the object that [`Source::begin_end`] began to read.
    pub(crate) fn ended(&self, end: ObjectEnd) -> Result<RandomAccess> {
        end.take().map(RandomAccess::Object).map_err(|e| Error::input(&self.path, e))
    }

    fn file_at(&self, path: &Path) -> Result<File> {
        File::open(path).map_err(|e| Error::input(&self.path, e))
    }

    /// The name without folders and without a compression's ending, in lower case: what tells the kind of data.
    pub fn stem(&self) -> String {
        let name = self.path.rsplit('/').next().unwrap_or_default().to_lowercase();
        for ending in [".gz", ".zst", ".bz2"] {
            if let Some(stem) = name.strip_suffix(ending) {
                return stem.to_string();
            }
        }
        name
    }

    /// Hive partitions in the folders of the path: `dt=2020-02-29/…` gives `("dt", "2020-02-29")`.
    pub fn partitions(&self) -> Vec<(String, String)> {
        partitions_in(self.path.rsplit_once('/').map_or("", |(folders, _)| folders))
    }
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

/// The files that `arguments` name: files, folders (all files below, but for those whose name begins with `.` or `_`, as Hive
/// and Athena have it), globs, and `-` for standard input; `s3://bucket/key` names objects in the same way. Files of one folder or glob
/// are in the order of their names.
///
/// # Errors
/// [`ErrorKind::Input`] for what doesn't exist or a glob that nothing matches, [`ErrorKind::Usage`] for a malformed glob.
pub fn resolve(arguments: &[String]) -> Result<Vec<Source>> {
    resolve_with(arguments, &StoreSettings::default())
}

/// The files that `arguments` name, as of [`resolve`]; buckets are reached as `settings` say.
///
/// # Errors
/// As those of [`resolve`].
pub fn resolve_with(arguments: &[String], settings: &StoreSettings) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for argument in arguments {
        if argument == "-" {
            sources.push(Source { path: "-".to_string(), place: Place::Stream(Arc::default()), size: None });
            continue;
        }
        if argument.contains("://") && !Path::new(argument).exists() {
            match Location::parse(argument)? {
                Location::Folder(path) => sources.extend(resolve(&[path.display().to_string()])?),
                Location::Bucket { bucket, key } => {
                    let bucket = Location::Bucket { bucket, key: String::new() };
                    sources.extend(objects(&Storage::open_with(bucket, settings)?, &key)?);
                }
            }
            continue;
        }
        let path = Path::new(argument);
        // A file that is really called `a[1].log` is meant before a glob is.
        if path.exists() || !argument.contains(['*', '?', '[']) {
            collect(path, argument, &mut sources)?;
            continue;
        }
        let pattern = glob::glob(argument)
            .map_err(|e| Error::new(ErrorKind::Usage, format!("`{argument}` is not a glob: {} at character {}", e.msg, e.pos + 1)))?;
        let before = sources.len();
        for entry in pattern {
            let path = entry.map_err(|e| Error::input(e.path().display().to_string(), io::Error::other(e.to_string())))?;
            if hidden(&path) {
                continue;
            }
            collect(&path, &path.display().to_string(), &mut sources)?;
        }
        for path in of_other_letters(argument) {
            collect(&path, &shown(path.as_os_str()), &mut sources)?;
        }
        if sources.len() == before {
            return Err(Error::new(ErrorKind::Input, format!("no file matches `{argument}`")));
        }
    }
    if sources.iter().filter(|s| s.path == "-" && s.is_stream()).count() > 1 {
        return Err(Error::new(ErrorKind::Usage, "`-` (standard input) can be read only once"));
    }
    Ok(sources)
}

/// A name as messages and manifests have it: what is no UTF-8 is escaped, so that no two names look the same.
fn shown(name: &std::ffi::OsStr) -> String {
    name.to_str().map_or_else(|| name.as_encoded_bytes().escape_ascii().to_string(), str::to_string)
}

/// The files that a glob names whose names are no UTF-8, which the crate passes over in silence; where only the last part is a glob.
fn of_other_letters(pattern: &str) -> Vec<PathBuf> {
    let (folder, name) = match pattern.rsplit_once('/') {
        Some(("", name)) => ("/", name),
        Some((folder, name)) => (folder, name),
        None => (".", pattern),
    };
    let Ok(glob) = glob::Pattern::new(name) else { return Vec::new() };
    let named = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default();
        name.to_str().is_none() && glob.matches(&name.to_string_lossy()) && !hidden(path)
    };
    let mut found: Vec<PathBuf> = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).filter(named).collect();
    found.sort();
    found
}

fn collect(path: &Path, shown: &str, sources: &mut Vec<Source>) -> Result<()> {
    let metadata = fs::metadata(path).map_err(|e| missing(path, shown, e))?;
    if !metadata.is_dir() {
        let (place, size) = match metadata.is_file() {
            true => (Place::File(path.to_path_buf()), Some(metadata.len())),
            false => (Place::Stream(Arc::new(Stream::at(path))), None),
        };
        sources.push(Source { path: shown.to_string(), place, size });
        return Ok(());
    }
    let before = sources.len();
    let mut seen = HashSet::from([real(path)]);
    walk(path, shown.trim_end_matches('/'), sources, &mut seen)?;
    if sources.len() == before {
        return Err(Error::new(ErrorKind::Input, format!("the folder {shown} has no files")));
    }
    Ok(())
}

/// Lists the files below `folder`. What links lead to a second time is left out: `current.log -> access.3.log` has no rows of its own.
fn walk(folder: &Path, folder_shown: &str, sources: &mut Vec<Source>, seen: &mut HashSet<PathBuf>) -> Result<()> {
    let listed = fs::read_dir(folder).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
    let mut entries = listed.map_err(|e| Error::input(folder_shown, e))?;
    entries.sort_by_key(|entry| entry.file_name());
    // What lies here comes before what links to it.
    let (own, links): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| !entry.path().is_symlink());
    let mut taken: Vec<fs::DirEntry> = own.into_iter().chain(links).filter(|entry| seen.insert(real(&entry.path()))).collect();
    taken.sort_by_key(|entry| entry.file_name());
    let entries = taken;
    for entry in entries {
        let path = entry.path();
        if hidden(&path) {
            continue;
        }
        let name = format!("{folder_shown}/{}", shown(&entry.file_name()));
        let metadata = fs::metadata(&path).map_err(|e| Error::input(&name, e))?;
        if metadata.is_dir() {
            walk(&path, &name, sources, seen)?;
        } else if metadata.is_file() {
            sources.push(Source { path: name, place: Place::File(path), size: Some(metadata.len()) });
        }
    }
    Ok(())
}

/// The path without links; of a link that leads nowhere, itself.
fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

fn hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(['.', '_']))
}

/// The error of a path that can't be opened, with the nearest name that its folder has.
fn missing(path: &Path, shown: &str, source: io::Error) -> Error {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let names: Vec<String> =
        fs::read_dir(folder).map(|entries| entries.filter_map(|e| e.ok()?.file_name().into_string().ok()).collect()).unwrap_or_default();
    let wanted = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let error = Error::input(shown, source);
    match nearest(&wanted, names.iter().map(String::as_str)) {
        Some(near) => error.with_context("did you mean", path.with_file_name(near).display()),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str) -> Source {
        Source { path: path.to_string(), place: Place::Stream(Arc::default()), size: None }
    }

    #[test]
    fn folders_are_listed_in_order_without_hidden_files() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.log", "a.log", ".hidden", "_SUCCESS"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        fs::create_dir(folder.path().join("sub")).unwrap();
        fs::write(folder.path().join("sub/c.log"), "x").unwrap();
        let root = folder.path().display().to_string();
        let names = |arguments: &[String]| -> Vec<String> {
            resolve(arguments).unwrap().iter().map(|s| s.path.strip_prefix(&root).unwrap().to_string()).collect()
        };
        assert_eq!(names(std::slice::from_ref(&root)), ["/a.log", "/b.log", "/sub/c.log"]);
        assert_eq!(names(&[format!("{root}/*.log")]), ["/a.log", "/b.log"]);
        let other = std::os::unix::ffi::OsStrExt::from_bytes(b"c\xff.log");
        fs::write(folder.path().join::<&std::ffi::OsStr>(other), "x").unwrap();
        assert_eq!(names(&[format!("{root}/*.log")]), ["/a.log", "/b.log", "/c\\xff.log"]);
        let error = resolve(&[format!("{root}/a.logg")]).unwrap_err().to_string();
        assert!(error.contains("did you mean") && error.contains("a.log"), "{error}");
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
