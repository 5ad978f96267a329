//! Finds files by folders and globs, each of them once: links may lead to what is found already, or back to where they are.

use super::local::LocalFile;
use super::name::{is_left_out, shown};
use super::rotation::Order;
use super::source::{Place, Source};
use super::stream::Stream;
use crate::diagnostic::nearest;
use crate::error::{Error, ErrorKind, Result};
use glob::Pattern;
use std::collections::{BTreeMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs::{self, FileType, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Finds files, and keeps in mind what it has found.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// The files, without links.
    seen: HashSet<OsString>,
    /// Names that lead to what was found by another one: the first of them, and what it leads to.
    doubles: u64,
    double: Option<(String, String)>,
    /// What a folder or glob names that is no file: pipes, sockets, devices.
    others: u64,
    other: Option<String>,
}

/// What a folder is looked through for.
#[derive(Debug)]
struct Job {
    folder: PathBuf,
    /// As it is shown, with a slash behind it.
    shown: String,
    /// It, without links.
    real: PathBuf,
    /// The first part of the glob that is not yet matched; behind the last one, all files below are wanted.
    part: usize,
}

/// Something that was found in a folder.
#[derive(Debug)]
struct Found {
    path: PathBuf,
    shown: String,
    real: PathBuf,
}

/// The parts of a glob.
#[derive(Debug)]
enum Part {
    /// A name, which may be `.` or `..`.
    Name(String),
    Pattern(Pattern),
    /// `**`: any folders, or none.
    Any,
}

/// One search.
struct Search<'a> {
    parts: &'a [Part],
    folders: HashSet<(OsString, usize)>,
    jobs: Vec<Job>,
    /// What lies in a folder comes before what links to it, so links wait; by the names that are shown, each with the part it is for.
    links: BTreeMap<(String, usize), Found>,
    found: Vec<(Found, Metadata)>,
}

impl Files {
    /// The files that `argument` names: a file, all below a folder, or what a glob matches, in the order of their names.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where there are none or a folder can't be read, [`ErrorKind::Usage`] for a malformed glob.
    pub(super) fn find(&mut self, argument: &str) -> Result<Vec<Source>> {
        let path = Path::new(argument);
        // A file that is really called `a[1].log` is meant before a glob is.
        if !path.exists() && is_glob(argument) {
            return self.matching(argument);
        }
        let metadata = fs::metadata(path).map_err(|e| missing(path, argument, e))?;
        if metadata.is_dir() {
            let job = Job { folder: path.into(), shown: format!("{}/", argument.trim_end_matches('/')), real: real(path), part: 0 };
            let (found, any) = self.search(&[], job)?;
            return match any {
                true => Ok(found),
                false => Err(Error::new(ErrorKind::Input, format!("the folder {} has no files", shown(path.as_os_str())))),
            };
        }
        let name = shown(path.as_os_str());
        if !metadata.is_file() {
            return Ok(vec![Source::new(name, Place::Stream(Arc::new(Stream::at(path))), None)]);
        }
        let found = Found { path: path.into(), shown: name, real: real(path) };
        Ok(self.take(found, &metadata).into_iter().collect())
    }

    /// Those of `objects` that are not found already.
    pub(super) fn once(&mut self, mut objects: Vec<Source>) -> Vec<Source> {
        objects.retain(|object| {
            let new = self.seen.insert(OsString::from(&object.path));
            if !new {
                self.double(object.path.clone(), Path::new(&object.path));
            }
            new
        });
        objects
    }

    /// What the user should know of what was left out.
    pub(super) fn notes(&self) -> Vec<String> {
        let more = |n: u64| if n > 1 { format!(", and {} more", n - 1) } else { String::new() };
        let double = self
            .double
            .as_ref()
            .map(|(name, real)| format!("a file with two names is read once: skipped {name}, which is {real}{}", more(self.doubles)));
        let other = self
            .other
            .as_ref()
            .map(|name| format!("only files are read: skipped {name}{}; a pipe is read if it is named itself", more(self.others)));
        double.into_iter().chain(other).collect()
    }

    fn matching(&mut self, glob: &str) -> Result<Vec<Source>> {
        let malformed = |e: glob::PatternError| {
            Error::new(ErrorKind::Usage, format!("`{}` is not a glob: {} at character {}", shown(OsStr::new(glob)), e.msg, e.pos + 1))
        };
        Pattern::new(glob).map_err(malformed)?;
        let names: Vec<&str> = glob.split('/').filter(|name| !name.is_empty()).collect();
        // A folder that is really called `a[1]` is meant before a glob is, too.
        let above = |count: usize| format!("{}{}", if glob.starts_with('/') { "/" } else { "" }, names[..count].join("/"));
        let is_literal = |(index, name): &(usize, &&str)| !is_glob(name) || (name.contains('[') && Path::new(&above(index + 1)).is_dir());
        let literal = names.iter().enumerate().take_while(is_literal).count().min(names.len() - 1);
        let mut base = above(literal);
        let folder = PathBuf::from(if base.is_empty() { "." } else { &base });
        if !base.is_empty() && !base.ends_with('/') {
            base.push('/');
        }
        let part = |name: &&str| match *name {
            "**" => Ok(Part::Any),
            name if is_glob(name) => Pattern::new(name).map(Part::Pattern).map_err(malformed),
            name => Ok(Part::Name(name.to_string())),
        };
        let parts = names[literal..].iter().map(part).collect::<Result<Vec<_>>>()?;
        let job = Job { shown: shown(OsStr::new(&base)), real: real(&folder), folder, part: 0 };
        let (base, is_there) = (job.shown.clone(), job.folder.is_dir());
        let (found, any) = if is_there { self.search(&parts, job)? } else { (Vec::new(), false) };
        match any {
            true => Ok(found),
            false => {
                let error = Error::new(ErrorKind::Input, format!("no file matches `{}`", shown(OsStr::new(glob))));
                let base = if base.is_empty() { "this folder" } else { base.trim_end_matches('/') };
                Err(error.with_context(
                    "what to do",
                    match is_there {
                        true => format!("look at what is in {base}: `**` matches folders, `*` is within one name"),
                        false => format!("there is no folder {base}: check the path"),
                    },
                ))
            }
        }
    }

    /// What `parts` match below the folder of `job`, in order; and whether there is anything, be it found before.
    fn search(&mut self, parts: &[Part], job: Job) -> Result<(Vec<Source>, bool)> {
        let mut search = Search { parts, folders: HashSet::new(), jobs: vec![job], links: BTreeMap::new(), found: Vec::new() };
        let mut linked = Vec::new();
        loop {
            while let Some(job) = search.jobs.pop() {
                search.look_through(job, self)?;
            }
            let Some(((_, part), mut link)) = search.links.pop_first() else { break };
            link.real = real(&link.path);
            linked.extend(search.follow(link, part, self)?);
        }
        let any = !search.found.is_empty() || !linked.is_empty();
        // A glob may find a file in two ways.
        let mut own = HashSet::new();
        search.found.retain(|(found, _)| own.insert(found.real.clone().into_os_string()));
        let mut all = search.found;
        for (found, metadata) in linked {
            match own.insert(found.real.clone().into_os_string()) {
                true => all.push((found, metadata)),
                false => self.double(found.shown, &found.real),
            }
        }
        all.sort_by_cached_key(|(found, _)| Order::of(&found.shown));
        Ok((all.into_iter().filter_map(|(found, metadata)| self.take(found, &metadata)).collect(), any))
    }

    /// The file, where it is not found already.
    fn take(&mut self, found: Found, metadata: &Metadata) -> Option<Source> {
        if !self.seen.insert(found.real.clone().into_os_string()) {
            self.double(found.shown, &found.real);
            return None;
        }
        let place = Place::File(Arc::new(LocalFile::found(found.path, metadata)));
        Some(Source::new(found.shown, place, Some(metadata.len())))
    }

    fn double(&mut self, name: String, real: &Path) {
        self.doubles += 1;
        self.double.get_or_insert_with(|| (name, shown(real.as_os_str())));
    }

    fn other(&mut self, name: &str) {
        self.others += 1;
        self.other.get_or_insert_with(|| name.to_string());
    }
}

impl Search<'_> {
    fn look_through(&mut self, job: Job, files: &mut Files) -> Result<()> {
        if !self.folders.insert((job.real.clone().into_os_string(), job.part)) {
            return Ok(());
        }
        let part = match self.parts.get(job.part) {
            Some(Part::Name(name)) => return self.look_for(name, job, files),
            Some(Part::Any) => {
                let (folder, shown, real) = (job.folder.clone(), job.shown.clone(), job.real.clone());
                self.jobs.push(Job { folder, shown, real, part: job.part + 1 });
                None
            }
            Some(Part::Pattern(pattern)) => Some(pattern),
            None => None,
        };
        let below = job.part == self.parts.len();
        let any = part.is_none() && !below;
        let last = job.part + 1 >= self.parts.len();
        let failed = |e| Error::input(if job.shown.is_empty() { "." } else { job.shown.trim_end_matches('/') }, e);
        for entry in fs::read_dir(&job.folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            if part.is_some_and(|part| !part.matches(&name.to_string_lossy())) || ((below || last) && hidden(&name)) {
                continue;
            }
            let kind = entry.file_type().map_err(failed)?;
            if any && !kind.is_dir() && !kind.is_symlink() {
                continue;
            }
            let next = if below || any { job.part } else { job.part + 1 };
            self.meet(&job, &name, kind, next, files)?;
        }
        Ok(())
    }

    /// Looks for one name in a folder.
    fn look_for(&mut self, name: &str, job: Job, files: &mut Files) -> Result<()> {
        let path = job.folder.join(name);
        let next = job.part + 1;
        if matches!(name, "." | "..") {
            let (shown, real) = (format!("{}{name}/", job.shown), real(&path));
            self.jobs.push(Job { folder: path, shown, real, part: next });
            return Ok(());
        }
        match path.symlink_metadata() {
            Ok(_) if next == self.parts.len() && hidden(OsStr::new(name)) => Ok(()),
            Ok(metadata) => self.meet(&job, OsStr::new(name), metadata.file_type(), next, files),
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(()),
            Err(e) => Err(Error::input(format!("{}{name}", job.shown), e)),
        }
    }

    /// Takes what was met in a folder, or looks into it: `part` is the first part that is not matched by then.
    fn meet(&mut self, job: &Job, name: &OsStr, kind: FileType, part: usize, files: &mut Files) -> Result<()> {
        let found = Found { path: job.path(name), shown: format!("{}{}", job.shown, shown(name)), real: job.real.join(name) };
        if kind.is_symlink() {
            self.links.insert((found.shown.clone(), part), found);
        } else if kind.is_dir() {
            self.jobs.push(found.job(part));
        } else if part == self.parts.len() {
            match kind.is_file() {
                true => {
                    let metadata = fs::symlink_metadata(&found.path).map_err(|e| Error::input(&found.shown, e))?;
                    self.found.push((found, metadata));
                }
                false => files.other(&found.shown),
            }
        }
        Ok(())
    }

    /// Follows a link; gives the file that it leads to.
    fn follow(&mut self, link: Found, part: usize, files: &mut Files) -> Result<Option<(Found, Metadata)>> {
        let wanted = part == self.parts.len();
        let metadata = match fs::metadata(&link.path) {
            Ok(metadata) => metadata,
            Err(e) if wanted => return Err(Error::input(&link.shown, e)),
            // It leads nowhere, and nothing was asked of it but what is below.
            Err(_) => return Ok(None),
        };
        if metadata.is_dir() {
            match self.folders.contains(&(link.real.clone().into_os_string(), part)) {
                true => files.double(link.shown, &link.real),
                false => self.jobs.push(link.job(part)),
            }
        } else if wanted && metadata.is_file() {
            return Ok(Some((link, metadata)));
        } else if wanted {
            files.other(&link.shown);
        }
        Ok(None)
    }
}

impl Job {
    fn path(&self, name: &OsStr) -> PathBuf {
        // What is in the folder at hand is shown, and named, without it.
        if self.shown.is_empty() { PathBuf::from(name) } else { self.folder.join(name) }
    }
}

impl Found {
    fn job(self, part: usize) -> Job {
        Job { folder: self.path, shown: self.shown + "/", real: self.real, part }
    }
}

fn is_glob(name: &str) -> bool {
    name.contains(['*', '?', '['])
}

/// The path without links; of a link that leads nowhere, itself.
fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

fn hidden(name: &OsStr) -> bool {
    is_left_out(&name.to_string_lossy())
}

/// The error of a path that can't be opened, with the nearest name that its folder has.
fn missing(path: &Path, name: &str, source: io::Error) -> Error {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let names: Vec<String> =
        fs::read_dir(folder).map(|entries| entries.filter_map(|e| e.ok()?.file_name().into_string().ok()).collect()).unwrap_or_default();
    let wanted = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let error = Error::input(shown(OsStr::new(name)), source);
    match nearest(&wanted, names.iter().map(String::as_str)) {
        Some(near) => error.with_context("did you mean", shown(path.with_file_name(near).as_os_str())),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    /// What `glob` finds below `folder`, by the names there; and the notes.
    fn found(folder: &Path, glob: &str) -> (Vec<String>, Vec<String>) {
        let mut files = Files::default();
        let root = format!("{}/", folder.display());
        let found = files.find(&format!("{root}{glob}")).unwrap();
        (found.iter().map(|source| source.path.strip_prefix(&root).unwrap().to_string()).collect(), files.notes())
    }

    fn tree(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        folder
    }

    #[test]
    fn globs_and_folders_find_files_in_order_without_hidden_ones() {
        let tree =
            tree(&["b.log", "a.log", ".hidden", "_SUCCESS", "a/c.log", "a/b/d.log", "a/b/_e.log", "x[1].log", "ELBAccessLogTestFile"]);
        let names = |glob| found(tree.path(), glob).0;
        let all = ["a/b/d.log", "a/c.log", "a.log", "b.log", "x[1].log"];
        assert_eq!(names(""), all);
        assert_eq!(names("**"), all);
        assert_eq!(names("**/**/*"), all);
        assert_eq!(names("**/*.log"), all);
        assert_eq!(names("*.log"), all[2..]);
        assert_eq!(names("a*"), all[..3]);
        assert_eq!(names("*/c.log"), ["a/c.log"]);
        assert_eq!(names("*/b/*"), ["a/b/d.log"]);
        assert_eq!(names("?/../[b].log"), ["a/../b.log"]);
        assert_eq!(names("x[1].log"), ["x[1].log"]);
        fs::create_dir(tree.path().join("y[1]")).unwrap();
        fs::write(tree.path().join("y[1]/f.log"), "x").unwrap();
        assert_eq!(names("y[1]/*.log"), ["y[1]/f.log"]);
        assert_eq!(names("y[[]1]/f.lo?"), ["y[1]/f.log"]);
        fs::write(tree.path().join(OsStr::from_bytes(b"c\xff.log")), "x").unwrap();
        assert_eq!(names("[c-z]*.log"), ["c\\xff.log", "x[1].log"]);
        let error = Files::default().find(&format!("{}/a.logg", tree.path().display())).unwrap_err().to_string();
        assert!(error.contains("did you mean") && error.contains("a.log"), "{error}");
        for glob in ["*.gz", "none/*.log", "*/*/*/*"] {
            let error = Files::default().find(&format!("{}/{glob}", tree.path().display())).unwrap_err();
            assert!(error.to_string().contains("no file matches"), "{error}");
        }
    }

    #[test]
    fn links_add_nothing_that_is_there_already() {
        let tree = tree(&["d/a/x.log", "d/b/y.log", "e/z.log"]);
        let at = |name: &str| tree.path().join(name);
        symlink("..", at("d/a/up")).unwrap();
        symlink("../..", at("d/b/top")).unwrap();
        symlink("b", at("d/0")).unwrap();
        symlink("a/x.log", at("d/current.log")).unwrap();
        for glob in ["d/**/*.log", "d/**", "d"] {
            let (names, notes) = found(tree.path(), glob);
            // What a link leads to outside of the folder is read by the link's name.
            assert_eq!(names, ["d/a/x.log", "d/b/top/e/z.log", "d/b/y.log"], "{glob}");
            assert!(notes.len() == 1 && notes[0].contains("read once: skipped"), "{notes:?}");
        }
        assert_eq!(found(tree.path(), "d/*/*.log").0, ["d/a/x.log", "d/b/y.log"]);
        assert_eq!(found(tree.path(), "d/0/*.log").0, ["d/0/y.log"]);
        // Two names of one file on the disk are two files.
        fs::hard_link(at("e/z.log"), at("e/hard.log")).unwrap();
        let (names, notes) = found(tree.path(), "e");
        assert_eq!((names, notes), (vec!["e/hard.log".to_string(), "e/z.log".to_string()], Vec::new()));
        let mut files = Files::default();
        let count: usize = ["e", "e/z.log", "./e/z.log", "e/../e/*.log"]
            .iter()
            .map(|name| files.find(&format!("{}/{name}", tree.path().display())).unwrap().len())
            .sum();
        assert_eq!((count, files.doubles), (2, 4));
        symlink("nowhere", at("e/dangling.log")).unwrap();
        let error = Files::default().find(&at("e").display().to_string()).unwrap_err().to_string();
        assert!(error.contains("dangling.log"), "{error}");
    }
}
