//! Which files a source has now, and how it is told whether they have changed.

use super::pieces::Piece;
use super::standing::Standing;
use crate::catalog::current_files;
use crate::error::{Error, ErrorKind, Result};
use crate::input::{self, Hashed, Look, Place, Resolver, Span, format_of};
use crate::pipeline::model::{Fingerprint, Pipeline, Source, SourceFormat};
use crate::publish::SourceFile;
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

/// The files of a source, in the order of their rows.
#[derive(Debug, Clone)]
pub(crate) struct Listing {
    pub(crate) name: String,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) incremental: bool,
    pub(crate) files: Vec<Listed>,
    /// Why there is none.
    pub(crate) missing: Option<Arc<Error>>,
    /// What was left out.
    pub(crate) left_out: Vec<String>,
    /// How many files of the lake itself the locations name; they are not read.
    pub(crate) own: usize,
    /// What is read of files; the hashes of it are the same for all outputs.
    spans: Rc<RefCell<Spans>>,
}

/// What is read, by the piece and whether it is hashed.
type Spans = BTreeMap<(Piece, bool), Arc<Span>>;

/// A file of a source.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) file: SourceFile,
    pub(crate) source: input::Source,
    /// What it is, where files are known by their content.
    pub(crate) standing: Standing,
    /// Its first bytes, where it was looked at.
    pub(crate) look: Option<Look>,
    /// Where its last whole line ends, where that is not at its end or is known before it is read.
    pub(crate) to: Option<u64>,
    /// Its content was known, but not by its name, size and time.
    pub(crate) is_renamed: bool,
    /// The file of the listing that starts with all that it is.
    pub(crate) copy_of: Option<usize>,
}

impl Listed {
    pub(crate) fn new(file: SourceFile, source: input::Source) -> Listed {
        Listed { file, source, standing: Standing::default(), look: None, to: None, is_renamed: false, copy_of: None }
    }
}

impl Listing {
    #[cfg(test)]
    pub(crate) fn with(name: &str, fingerprint: Fingerprint, files: Vec<Listed>) -> Listing {
        let name = name.to_string();
        Listing { name, fingerprint, incremental: true, files, missing: None, left_out: Vec::new(), own: 0, spans: Rc::default() }
    }

    /// Tells how its files are known, where runs before have found `format`.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where they can't be known as the source says.
    pub(crate) fn know_by(&mut self, source: &Source, format: Option<&str>) -> Result<()> {
        self.fingerprint = fingerprint(source, &self.files, format)?;
        Ok(())
    }

    /// Takes over the checksums that were made for `other`, which has the same files.
    pub(crate) fn learn(&mut self, other: &Listing) {
        for (own, other) in self.files.iter_mut().zip(&other.files) {
            if own.file.sha256.is_none() {
                own.file.sha256.clone_from(&other.file.sha256);
            }
        }
    }

    /// What the user should know of it.
    pub(crate) fn notes(&self) -> Vec<String> {
        let own = (self.own > 0).then(|| format!("{}: {} files of the lake itself are not read", self.name, self.own));
        let missing = self.missing.as_ref().map(|error| format!("{}: {}", self.name, error.message()));
        let left_out = self.left_out.iter().map(|note| format!("{}: {note}", self.name));
        own.into_iter().chain(left_out).chain(missing).collect()
    }

    /// What is to be said of what is not read of the files.
    pub(crate) fn unread(&self) -> Vec<String> {
        self.held_back().into_iter().chain(self.copies()).collect()
    }

    /// What is to be said of files that end in half of a line.
    fn held_back(&self) -> Option<String> {
        let mut held = self.files.iter().filter(|listed| listed.file.held_back > 0);
        let first = held.next()?;
        let more = match held.count() {
            0 => String::new(),
            more => format!(" (and that of {more} more files)"),
        };
        let path = &first.file.path;
        Some(format!("{}: the last line of {path} is incomplete; it will be read once it ends{more}", self.name))
    }

    /// What is to be said of files that are the start of others.
    fn copies(&self) -> Option<String> {
        let copy = |listed: &Listed| Some(format!("{} is all in {}", listed.file.path, self.files.get(listed.copy_of?)?.file.path));
        let mut copies = self.files.iter().filter_map(copy);
        let first = copies.next()?;
        let more = match copies.count() {
            0 => String::new(),
            more => format!(", and so is it with {more} more files"),
        };
        Some(format!("{}: files with the same content are read once: {first}{more}", self.name))
    }

    /// The file of `piece`, to be read as far as that is.
    pub(crate) fn source(&self, piece: &Piece) -> input::Source {
        let listed = &self.files[piece.place];
        if self.fingerprint != Fingerprint::Content {
            return listed.source.clone();
        }
        let before = match &listed.standing {
            _ if piece.from == 0 => Some(Hashed::default()),
            Standing::Grown(_, hashed) if hashed.bytes() == piece.from => Some(Hashed::clone(hashed)),
            _ => None,
        };
        let is_hashed = before.is_some();
        let is_plain = listed.look.as_ref().map_or(piece.to.is_some() && listed.to == piece.to, |look| look.plain);
        let span = || Arc::new(Span::new(piece.from, piece.to, piece.lines, is_plain, before));
        let span = self.spans.borrow_mut().entry((*piece, is_hashed)).or_insert_with(span).clone();
        input::Source { span: Some(span), ..listed.source.clone() }
    }

    /// What is remembered of `piece`, of which `lines` were read; `known` are the files that were read before.
    pub(crate) fn record(&self, piece: &Piece, lines: u64, known: &[SourceFile]) -> SourceFile {
        let listed = &self.files[piece.place];
        let same = |known: &&SourceFile| {
            known.content.is_some()
                && known.from == piece.from
                && known.content.as_ref().map(|content| content.bytes) == piece.to
                && self.place_of(known) == Some(piece.place)
        };
        // Lines that are read once more are what they were.
        if let Some(known) = known.iter().find(same).filter(|_| self.fingerprint == Fingerprint::Content) {
            return known.clone();
        }
        let hashed = self.spans.borrow().get(&(*piece, true)).and_then(|span| span.hashed());
        let content = hashed.map(|hashed| hashed.content(piece.lines + lines));
        let lineage = listed.standing.known().map(SourceFile::lineage);
        SourceFile { content, from: piece.from, from_line: piece.lines, lineage, ..listed.file.clone() }
    }

    /// Files that are known under other names, and copies of those that were `read`, to be known at once next time.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where a copy can't be read.
    pub(crate) fn seen(&self, read: &[SourceFile]) -> Result<Vec<SourceFile>> {
        let mut seen = Vec::new();
        for listed in self.files.iter().filter(|listed| listed.is_renamed || listed.copy_of.is_some()) {
            let SourceFile { path, size, mark, held_back, .. } = listed.file.clone();
            let file = SourceFile { path, size, mark, held_back, ..SourceFile::default() };
            match (&listed.standing, self.original(listed)) {
                (Standing::Known(known), _) => {
                    seen.push(SourceFile { content: known.content.clone(), lineage: Some(known.lineage()), ..file });
                }
                (_, Some(original)) => {
                    let same = read.iter().find(|read| read.content.is_some() && read.path == original.file.path);
                    let Some(lineage) = original.standing.known().or(same).map(SourceFile::lineage) else { continue };
                    let (hashed, lines) = input::all_of(&listed.source, listed.to)?;
                    seen.push(SourceFile { content: Some(hashed.content(lines)), lineage: Some(lineage), ..file });
                }
                _ => {}
            }
        }
        Ok(seen)
    }

    /// The file that `listed` is a copy of.
    fn original(&self, listed: &Listed) -> Option<&Listed> {
        let mut original = self.files.get(listed.copy_of?)?;
        // Each is longer than the one before, or listed behind it.
        for _ in 0..self.files.len() {
            match original.copy_of.and_then(|place| self.files.get(place)) {
                Some(next) => original = next,
                None => break,
            }
        }
        Some(original)
    }

    /// Where the file is now that `file` was.
    pub(crate) fn place_of(&self, file: &SourceFile) -> Option<usize> {
        let Some(content) = file.content.as_ref().filter(|_| self.fingerprint == Fingerprint::Content) else {
            let named = self.files.iter().position(|listed| listed.file.path == file.path);
            let by_sum = || self.files.iter().position(|listed| file.sha256.is_some() && listed.file.sha256 == file.sha256);
            return named.or_else(by_sum);
        };
        // Two files may have the same lines, but only one of them is it.
        let lineage = file.lineage();
        let grown =
            |known: &SourceFile| known.lineage() == lineage && known.content.as_ref().is_some_and(|known| known.bytes >= content.bytes);
        let same = |known: &SourceFile| known.digest() == content.digest;
        let find = |is_it: &dyn Fn(&SourceFile) -> bool| self.files.iter().position(|listed| listed.standing.known().is_some_and(is_it));
        find(&grown).or_else(|| find(&same))
    }

    /// All lines that there are, each once.
    pub(crate) fn all(&self) -> Vec<Piece> {
        let is_own = |listed: &Listed| listed.copy_of.is_none() && (listed.to != Some(0) || self.files.len() == 1);
        let pieces = self.files.iter().enumerate().filter(|(_, listed)| is_own(listed));
        pieces.map(|(place, listed)| Piece { to: listed.to, ..Piece::whole(place) }).collect()
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
        // What runs wrote is no source of them: rows would come back each time.
        let lake = Lake::at(&pipeline.lake.location);
        let (mut folders, mut own, mut notes) = (HashMap::new(), 0, Vec::new());
        for location in &source.locations {
            match resolver.find(location) {
                Ok(found) => {
                    // Of other lakes what is read is what their readers see.
                    let (mine, others): (Vec<_>, Vec<_>) = found.into_iter().partition(|found| lake.has(found, &mut folders));
                    own += mine.len();
                    let (current, note) =
                        current_files(location, others, &source.store).map_err(|e| e.with_context("at", &source.place))?;
                    notes.extend(note);
                    for found in current {
                        files.push(listed(pipeline, source, found)?);
                    }
                }
                Err(error) if error.kind() == ErrorKind::Input => missing = missing.or(Some(error)),
                Err(error) => return Err(error.with_context("at", &source.place)),
            }
        }
        let missing = if files.is_empty() { missing.map(|error| Arc::new(error.with_context("at", &source.place))) } else { None };
        Ok(Listing {
            name: source.name.clone(),
            fingerprint: fingerprint(source, &files, None)?,
            incremental: source.incremental,
            files,
            missing,
            left_out: resolver.notes().into_iter().chain(notes).collect(),
            own,
            spans: Rc::default(),
        })
    }
}

/// How it is told which files are read already.
///
/// # Errors
/// [`ErrorKind::Usage`] where it can't be told as `source` says.
fn fingerprint(source: &Source, files: &[Listed], known_format: Option<&str>) -> Result<Fingerprint> {
    let is_auto = source.format == SourceFormat::Auto;
    let of_lines = match known_format.filter(|_| is_auto) {
        Some(format) => !matches!(format, "csv" | "tsv" | "json" | "parquet"),
        None => {
            let named = files.first().map_or(SourceFormat::Log, |listed| format_of(&listed.source));
            (if is_auto { named } else { source.format }) == SourceFormat::Log
        }
    };
    match source.fingerprint {
        Some(Fingerprint::Content) if !of_lines => {
            let message = format!("files of source {} can't be identified by their content; only log files can", source.name);
            let error = Error::new(ErrorKind::Usage, message).with_context("at", &source.place);
            Err(error.with_context("what to do", "give `fingerprint: checksum`, or `modified`"))
        }
        Some(given) => Ok(given),
        None if of_lines => Ok(Fingerprint::Content),
        None => Ok(Fingerprint::Modified),
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
    Ok(Listed::new(SourceFile { path, size: found.size.unwrap_or_default(), mark, ..SourceFile::default() }, found))
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
