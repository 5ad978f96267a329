//! The pipelines of a folder, read again as files change.

use super::event::Event;
use crate::error::{Error, Result};
use crate::pipeline::Pipeline;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// Reads a pipeline from its file.
type Load = Box<dyn Fn(&Path) -> Result<Pipeline> + Send>;

/// The files `*.yaml` and `*.yml` of a folder, not of folders in it.
pub struct Folder {
    path: PathBuf,
    load: Load,
    files: BTreeMap<PathBuf, File>,
    /// Why the folder could not be listed, the last time.
    trouble: Option<String>,
}

#[derive(Debug)]
struct File {
    stamp: Stamp,
    /// The last version that could be read.
    good: Option<Arc<Pipeline>>,
    /// Whether the version that is there can't be read.
    broken: bool,
}

/// Tells a changed file.
type Stamp = (Option<SystemTime>, u64);

impl fmt::Debug for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Folder").field("path", &self.path).field("files", &self.files).finish_non_exhaustive()
    }
}

impl Folder {
    /// The folder at `path`, of which nothing is read yet; `load` reads a file.
    pub fn new(path: impl Into<PathBuf>, load: impl Fn(&Path) -> Result<Pipeline> + Send + 'static) -> Folder {
        Folder { path: path.into(), load: Box::new(load), files: BTreeMap::new(), trouble: None }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the folder can be read.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] where it can't.
    pub fn check(&self) -> Result<()> {
        self.list().map(drop)
    }

    /// Reads what has changed since the last time; nothing where nothing has. A file that can't be read keeps its last good version.
    pub fn refresh(&mut self) -> Option<Vec<Event>> {
        let listed = match self.list() {
            Ok(listed) => listed,
            Err(error) => {
                // It is told once, not every few seconds.
                let error = error.to_string();
                let new = self.trouble.as_ref() != Some(&error);
                self.trouble = Some(error.clone());
                return new.then(|| vec![Event::Trouble { pipeline: None, error }]);
            }
        };
        self.trouble = None;
        let before = self.files.len();
        self.files.retain(|path, _| listed.contains_key(path));
        let mut changed = self.files.len() != before;
        let mut events = Vec::new();
        for (path, stamp) in listed {
            let known = self.files.get_mut(&path);
            if known.as_ref().is_some_and(|file| file.stamp == stamp) {
                continue;
            }
            changed = true;
            let read = (self.load)(&path);
            let good = known.and_then(|file| file.good.take());
            let file = match read {
                Ok(pipeline) => File { stamp, good: Some(Arc::new(pipeline)), broken: false },
                Err(error) => {
                    events.push(Event::Invalid { path: path.display().to_string(), error: error.to_string(), kept: good.is_some() });
                    File { stamp, good, broken: true }
                }
            };
            self.files.insert(path, file);
        }
        events.extend(self.twins().into_iter().filter(|_| changed));
        changed.then_some(events)
    }

    /// The pipelines in force, each name once: that of the first file.
    pub fn pipelines(&self) -> Vec<Arc<Pipeline>> {
        let mut found: Vec<Arc<Pipeline>> = Vec::new();
        for pipeline in self.files.values().filter_map(|file| file.good.as_ref()) {
            if !found.iter().any(|known| known.name == pipeline.name) {
                found.push(pipeline.clone());
            }
        }
        found
    }

    /// How many files can't be read as they are now.
    pub fn broken(&self) -> usize {
        self.files.values().filter(|file| file.broken).count()
    }

    /// Files with a pipeline of a name that an earlier file has.
    fn twins(&self) -> Vec<Event> {
        let mut names: BTreeMap<&str, &Path> = BTreeMap::new();
        let mut events = Vec::new();
        for (path, pipeline) in self.files.iter().filter_map(|(path, file)| Some((path, file.good.as_ref()?))) {
            match names.get(pipeline.name.as_str()) {
                Some(first) => {
                    let error =
                        format!("the pipeline `{}` is already defined in {}; give this one another name", pipeline.name, first.display());
                    events.push(Event::Invalid { path: path.display().to_string(), error, kept: false });
                }
                None => drop(names.insert(&pipeline.name, path)),
            }
        }
        events
    }

    fn list(&self) -> Result<BTreeMap<PathBuf, Stamp>> {
        let unreadable = |error| Error::input(self.path.display(), error);
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(&self.path).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if hidden || !path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml") {
                continue;
            }
            // A link is what it leads to; a file that is gone by now is none.
            let Ok(found) = std::fs::metadata(&path) else { continue };
            if found.is_file() {
                files.insert(path, (found.modified().ok(), found.len()));
            }
        }
        Ok(files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::schedule::tests::pipeline;
    use std::fs;

    /// Files have nothing but a name and an expression in them here.
    fn folder(path: &Path) -> Folder {
        Folder::new(path, |path| {
            let text = fs::read_to_string(path).unwrap();
            let (name, cron) = text.split_once(' ').ok_or_else(|| Error::new(ErrorKind::Format, "no name"))?;
            Ok(pipeline(name, cron))
        })
    }

    fn names(folder: &Folder) -> Vec<String> {
        folder.pipelines().iter().map(|pipeline| pipeline.name.clone()).collect()
    }

    #[test]
    fn changes_are_read_and_mistakes_keep_what_was() {
        let place = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(place.path().join(name), text).unwrap();
        write("a.yaml", "a 0 3 * * *");
        write("b.yml", "b 0 4 * * *");
        for other in [".c.yaml", "d.txt", "e.yaml~"] {
            write(other, "x 0 3 * * *");
        }
        let mut folder = folder(place.path());
        assert_eq!(folder.refresh(), Some(vec![]));
        assert_eq!(names(&folder), ["a", "b"]);
        assert_eq!(folder.refresh(), None);

        write("a.yaml", "broken");
        let Some([Event::Invalid { path, kept: true, .. }]) =
            folder.refresh().as_deref().map(|e| <[Event; 1]>::try_from(e.to_vec()).unwrap())
        else {
            panic!("no event")
        };
        assert!(path.ends_with("a.yaml"));
        assert_eq!((names(&folder), folder.broken()), (vec!["a".to_string(), "b".to_string()], 1));
        assert_eq!(folder.refresh(), None);

        write("a.yaml", "a2 0 3 * * *");
        fs::remove_file(place.path().join("b.yml")).unwrap();
        assert_eq!(folder.refresh(), Some(vec![]));
        assert_eq!((names(&folder), folder.broken()), (vec!["a2".to_string()], 0));
    }

    #[test]
    fn a_name_is_taken_once() {
        let place = tempfile::tempdir().unwrap();
        for name in ["a.yaml", "b.yaml"] {
            fs::write(place.path().join(name), "same 0 3 * * *").unwrap();
        }
        let mut folder = folder(place.path());
        assert!(matches!(&folder.refresh().unwrap()[..], [Event::Invalid { path, .. }] if path.ends_with("b.yaml")));
        assert_eq!(names(&folder), ["same"]);
    }

    #[test]
    fn a_folder_that_is_gone_keeps_its_pipelines() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("a.yaml"), "a 0 3 * * *").unwrap();
        let mut folder = folder(place.path());
        folder.refresh();
        drop(place);
        assert!(matches!(&folder.refresh().unwrap()[..], [Event::Trouble { .. }]));
        assert_eq!((folder.refresh(), names(&folder)), (None, vec!["a".to_string()]));
        assert_eq!(folder.check().unwrap_err().kind(), ErrorKind::Input);
    }
}
