//! The inputs that the user named.

use super::bucket::objects;
use super::files::Files;
use super::source::{Place, Source};
use crate::error::{Error, ErrorKind, Result};
use crate::storage::{Location, Storage, StoreSettings};
use std::path::Path;
use std::sync::Arc;

/// Inputs, in order.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    pub sources: Vec<Source>,
    /// What the user should know: what was left out.
    pub notes: Vec<String>,
}

impl From<Vec<Source>> for Inputs {
    fn from(sources: Vec<Source>) -> Self {
        Inputs { sources, notes: Vec::new() }
    }
}

/// The files that `arguments` name: files, folders (all files below, but for those whose name begins with `.` or `_`, as Hive
/// and Athena have it), globs, and `-` for standard input; `s3://bucket/key` names objects in the same way. Files of one folder or glob
/// are in the order of their names, and what is named in two ways is read once.
///
/// # Errors
/// [`ErrorKind::Input`] for what doesn't exist or a glob that nothing matches, [`ErrorKind::Usage`] for a malformed glob.
pub fn resolve(arguments: &[String]) -> Result<Inputs> {
    resolve_with(arguments, &StoreSettings::default())
}

/// The files that `arguments` name, as of [`resolve`]; buckets are reached as `settings` say.
///
/// # Errors
/// As those of [`resolve`].
pub fn resolve_with(arguments: &[String], settings: &StoreSettings) -> Result<Inputs> {
    resolve_each(arguments, settings, |_, found| Ok(found))
}

/// As [`resolve_with`], with what `of` makes of the files that each argument names.
///
/// # Errors
/// As those of [`resolve`], and those of `of`.
pub fn resolve_each(
    arguments: &[String],
    settings: &StoreSettings,
    mut of: impl FnMut(&str, Vec<Source>) -> Result<Vec<Source>>,
) -> Result<Inputs> {
    let (mut sources, mut resolver) = (Vec::new(), Resolver::new(settings));
    for argument in arguments {
        sources.extend(of(argument, resolver.find(argument)?)?);
    }
    if sources.iter().filter(|s| s.path == "-" && s.is_stream()).count() > 1 {
        return Err(Error::new(ErrorKind::Usage, "`-` (standard input) can be read only once"));
    }
    Ok(Inputs { sources, notes: resolver.notes() })
}

/// Finds the inputs of one argument after the other, each input once.
#[derive(Debug)]
pub struct Resolver<'a> {
    settings: &'a StoreSettings,
    files: Files,
}

impl Resolver<'_> {
    /// Buckets are reached as `settings` say.
    pub fn new(settings: &StoreSettings) -> Resolver<'_> {
        Resolver { settings, files: Files::default() }
    }

    /// The inputs that `argument` names, as of [`resolve`], but for those that an earlier one has named.
    ///
    /// # Errors
    /// As those of [`resolve`].
    pub fn find(&mut self, argument: &str) -> Result<Vec<Source>> {
        if argument == "-" {
            return Ok(vec![Source::new("-", Place::Stream(Arc::default()), None)]);
        }
        if !argument.contains("://") || Path::new(argument).exists() {
            return self.files.find(argument);
        }
        match Location::parse(argument)? {
            Location::Folder(path) => self.files.find(&path.display().to_string()),
            Location::Bucket { bucket, key } => {
                let bucket = Location::Bucket { bucket, key: String::new() };
                Ok(self.files.once(objects(&Storage::open_with(bucket, self.settings)?, &key)?))
            }
        }
    }

    /// What the user should know of what was left out.
    pub fn notes(&self) -> Vec<String> {
        self.files.notes()
    }
}
