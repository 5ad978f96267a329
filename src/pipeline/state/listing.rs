//! Which files a source has now, and how it is told whether they have changed.

use crate::error::{Error, ErrorKind, Result};
use crate::input::{self, Place, Resolver};
use crate::pipeline::model::{Fingerprint, Pipeline, Source};
use crate::publish::SourceFile;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// The files of a source, in the order of their rows.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) name: String,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) incremental: bool,
    pub(crate) files: Vec<Listed>,
    /// Why there is none.
    pub(crate) missing: Option<Error>,
    /// What was left out.
    pub(crate) left_out: Vec<String>,
    /// How many files of the lake itself the locations name; they are not read.
    pub(crate) own: usize,
}

/// A file of a source.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) file: SourceFile,
    pub(crate) source: input::Source,
}

impl Listing {
    /// What the user should know of it.
    pub(crate) fn notes(&self) -> Vec<String> {
        let own = (self.own > 0).then(|| format!("{}: {} files of the lake itself are not read", self.name, self.own));
        let missing = self.missing.as_ref().map(|error| format!("{}: {}", self.name, error.message()));
        let left_out = self.left_out.iter().map(|note| format!("{}: {note}", self.name));
        own.into_iter().chain(left_out).chain(missing).collect()
    }

    /// What is to be said of files that grew while they were read.
    pub(crate) fn growth(&self) -> Option<String> {
        let grown = input::growth(self.files.iter().map(|listed| &listed.source))?;
        Some(format!("{}: {grown}", self.name))
    }

    /// Lists the files of `source`.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where they can't be listed, [`ErrorKind::Usage`] where a location can't be read twice.
    pub(crate) fn of(pipeline: &Pipeline, source: &Source) -> Result<Listing> {
        let mut missing = None;
        let mut files: Vec<Listed> = Vec::new();
        let mut resolver = Resolver::new(&source.store);
        for location in &source.locations {
            match resolver.find(location) {
                Ok(found) => {
                    for found in found {
                        files.push(listed(pipeline, source, found)?);
                    }
                }
                Err(error) if error.kind() == ErrorKind::Input => missing = missing.or(Some(error)),
                Err(error) => return Err(error.with_context("at", &source.place)),
            }
        }
        // What runs wrote is no source of them: rows would come back each time.
        let found = files.len();
        let lake = Lake::at(&pipeline.lake.location);
        let mut folders = HashMap::new();
        files.retain(|listed| !lake.has(&listed.source, &mut folders));
        let own = found - files.len();
        let missing = if files.is_empty() { missing.map(|error| error.with_context("at", &source.place)) } else { None };
        Ok(Listing {
            name: source.name.clone(),
            fingerprint: source.fingerprint,
            incremental: source.incremental,
            files,
            missing,
            left_out: resolver.notes(),
            own,
        })
    }
}

/// Where the lake is, by the names that its files may have.
struct Lake {
    /// With a slash behind it.
    location: String,
    /// Of a folder, without links.
    real: Option<PathBuf>,
}

impl Lake {
    fn at(location: &str) -> Lake {
        Lake { location: format!("{}/", location.trim_end_matches('/')), real: std::fs::canonicalize(location).ok() }
    }

    /// Whether `source` lies in it; `folders` keeps for each folder whether that does.
    fn has(&self, source: &input::Source, folders: &mut HashMap<PathBuf, bool>) -> bool {
        let (Place::File(file), Some(lake)) = (&source.place, &self.real) else { return source.path.starts_with(&self.location) };
        // A link in the folder may lead into the lake on its own.
        let below = |path: &Path| std::fs::canonicalize(path).is_ok_and(|real| real.starts_with(lake));
        match file.path().parent() {
            Some(folder) if !file.path().is_symlink() => *folders.entry(folder.to_path_buf()).or_insert_with_key(|folder| below(folder)),
            _ => below(file.path()),
        }
    }
}

fn listed(pipeline: &Pipeline, source: &Source, found: input::Source) -> Result<Listed> {
    let mark = match &found.place {
        Place::File(file) => {
            let since = file.modified().and_then(|modified| modified.duration_since(UNIX_EPOCH).ok());
            since.map_or(0, |since| since.as_nanos()).to_string()
        }
        Place::Object(object) => object.meta().e_tag.clone().unwrap_or_else(|| object.meta().last_modified.to_rfc3339()),
        Place::Stream(_) => {
            let message = format!("source {}: {} can be read only once; a pipeline reads files", source.name, found.path);
            return Err(Error::new(ErrorKind::Usage, message).with_context("at", &source.place));
        }
    };
    let path = kept_path(&pipeline.path, &found.path);
    Ok(Listed { file: SourceFile { path, size: found.size.unwrap_or_default(), mark, sha256: None }, source: found })
}

/// The path by which a file is remembered: relative to the pipeline's file where it is near, so that both can be moved together.
fn kept_path(pipeline: &str, path: &str) -> String {
    let Ok(file) = std::path::absolute(pipeline) else { return path.to_string() };
    let Some(folder) = file.parent() else { return path.to_string() };
    if let Ok(below) = Path::new(path).strip_prefix(folder) {
        return below.display().to_string();
    }
    match folder.parent().and_then(|above| Path::new(path).strip_prefix(above).ok()) {
        Some(beside) => format!("../{}", beside.display()),
        None => path.to_string(),
    }
}

impl Listed {
    /// SHA-256 of the bytes as they are stored; remembered.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where it can't be read.
    pub(crate) fn checksum(&mut self) -> Result<&str> {
        if self.file.sha256.is_none() {
            let mut reader = self.source.open()?;
            let (mut hash, mut chunk) = (Sha256::new(), vec![0; 256 << 10]);
            loop {
                match reader.read(&mut chunk) {
                    Ok(0) => break,
                    Ok(n) => hash.update(&chunk[..n]),
                    Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(e) => return Err(Error::input(&self.source.path, e)),
                }
            }
            self.file.sha256 = Some(hex::encode(hash.finalize()));
        }
        Ok(self.file.sha256.as_deref().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_files_are_remembered_by_their_way_from_the_pipeline() {
        assert_eq!(kept_path("/srv/pipelines/a.yaml", "/srv/pipelines/logs/x.log"), "logs/x.log");
        assert_eq!(kept_path("/srv/pipelines/a.yaml", "/srv/logs/x.log"), "../logs/x.log");
        assert_eq!(kept_path("/srv/pipelines/a.yaml", "/var/log/x.log"), "/var/log/x.log");
        assert_eq!(kept_path("/srv/pipelines/a.yaml", "s3://bucket/x.log"), "s3://bucket/x.log");
    }
}
