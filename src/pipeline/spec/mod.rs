//! Pipelines as they are written, in YAML, and what they mean.
//!
//! Reading goes in three steps, and each tells all that it finds: the text becomes a tree in which `${…}` is filled in, the tree becomes
//! [`document`]'s sections, and the sections become the [`Pipeline`] that is run. Nothing is read but the file itself, and the file of who
//! may see what that it names.

mod athena;
mod catalog;
mod checks;
mod document;
mod formats;
mod governance;
mod hooks;
mod lineage;
mod names;
mod outputs;
mod paths;
mod projected_type;
mod readers;
mod schedule;
mod schema;
mod sources;
mod sql;
mod store;
mod template;
#[cfg(test)]
mod tests;
mod transforms;
mod variables;
mod words;

pub use schema::json_schema;
pub use template::template;

use self::document::PipelineText;
use self::lineage::Lineage;
use self::variables::Variables;
use super::model::{Hooks, Lake, Pipeline};
use crate::error::{Error, ErrorKind};
use crate::secrets;
use crate::yaml::{Node, Place, Problem, Problems, Read, Text, read_text};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What reading a pipeline gave.
#[derive(Debug)]
pub struct Loaded {
    /// Nothing where there are errors.
    pub pipeline: Option<Pipeline>,
    /// Errors and warnings, in the order of the file.
    pub problems: Vec<Problem>,
}

impl Pipeline {
    /// Reads the file at `path`; `vars` take the place of those that it defines.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where the file can't be read; [`ErrorKind::Format`] that tells all that is wrong with it, with its places.
    pub fn load(path: &Path, vars: &BTreeMap<String, String>) -> Result<Pipeline, Error> {
        Pipeline::check(path, vars)?.into_pipeline()
    }

    /// Reads the file at `path` and tells all that is wrong with it.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where it can't be read.
    pub fn check(path: &Path, vars: &BTreeMap<String, String>) -> Result<Loaded, Error> {
        Pipeline::check_text(path, &read_text(path)?, vars)
    }

    /// Reads `text`, which the file at `path` has or had, and tells all that is wrong with it.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where there is no such path.
    pub fn check_text(path: &Path, text: &str, vars: &BTreeMap<String, String>) -> Result<Loaded, Error> {
        let folder = std::path::absolute(path).map_err(|error| Error::input(path.display(), error))?;
        let folder = folder.parent().unwrap_or(Path::new("/"));
        let env = |name: &str| std::env::var(name).ok();
        Ok(Pipeline::parse(&path.display().to_string(), text, folder, vars, &env))
    }

    /// Reads `text`; messages call it `path`, relative paths start at `folder`, and `env` gives the values of `${env:NAME}`.
    pub fn parse(path: &str, text: &str, folder: &Path, vars: &BTreeMap<String, String>, env: &dyn Fn(&str) -> Option<String>) -> Loaded {
        let mut problems = Problems::new(path, text);
        let mut others = Vec::new();
        let pipeline = read(folder, vars, env, &mut problems, &mut others);
        let pipeline = if problems.errors() > 0 { None } else { pipeline };
        Loaded { pipeline, problems: problems.into_sorted().into_iter().chain(others).collect() }
    }
}

impl Loaded {
    /// The pipeline.
    ///
    /// # Errors
    /// One [`ErrorKind::Format`] that tells all that is wrong.
    pub fn into_pipeline(self) -> Result<Pipeline, Error> {
        let told: Vec<String> = self.problems.iter().filter(|problem| problem.is_error()).map(ToString::to_string).collect();
        self.pipeline.ok_or_else(|| Error::of_lines(ErrorKind::Format, told.join("\n")))
    }
}

/// Reads a pipeline; `others` gets what is wrong with files that it names.
fn read(
    folder: &Path,
    vars: &BTreeMap<String, String>,
    env: variables::Environment<'_>,
    problems: &mut Problems<'_>,
    others: &mut Vec<Problem>,
) -> Option<Pipeline> {
    let mut root = Node::parse(problems)?;
    let given = RefCell::new(BTreeSet::new());
    let env: variables::Environment<'_> = &|name| {
        let value = env(name)?;
        given.borrow_mut().insert(value.clone());
        Some(value)
    };
    let mut variables = Variables::of(&root, vars, env, problems);
    variables.fill(&mut root, env, problems);
    variables.warn_of_unused(problems);
    // What is missing at the top is told at the first line.
    root.place = Place::in_line(problems.text(), 1, 0..0);
    let text = PipelineText::read(&root, problems)?;
    // Told by then: another version, and variables that are none.
    let (_, _) = (&text.version, &text.vars);
    let name = names::pipeline(text.name.as_ref(), problems);
    let lake = text.lake.as_ref().and_then(|lake| {
        let location = paths::location(lake.location.as_ref()?, folder, problems)?;
        let location = location.trim_end_matches('/').to_string();
        let store = store::settings(lake.s3.as_ref(), problems);
        let catalog = catalog::resolve(lake.catalog.as_ref(), &location, &store, problems);
        Some(Lake { store, location, catalog })
    });
    let sources = sources::resolve(&text, folder, problems);
    let (transforms, used) = transforms::resolve(&text, &root, problems);
    let outputs = outputs::resolve(&text, &root, problems);
    let names: Vec<&Text> = text.outputs.iter().flat_map(|outputs| outputs.iter()).map(|(name, _)| name).collect();
    let lineage = Lineage::of(&transforms);
    lineage::check(&lineage, &outputs, &names, problems);
    lineage::warn_of_parts(&lineage, &outputs, &sources, &text, problems);
    lineage::warn_of_places(&text, problems);
    let governing = governance::resolve_all(&text, folder, problems);
    others.extend(governing.problems);
    let verify = checks::resolve(&text, problems);
    let athena = athena::resolve(text.athena.as_ref(), problems);
    let schedule = schedule::resolve(text.schedule.as_ref(), problems);
    let hooks = Hooks {
        on_failure: hooks::resolve("on_failure", text.on_failure.as_ref(), problems),
        on_success: hooks::resolve("on_success", text.on_success.as_ref(), problems),
    };
    transforms::warn_of_unused(&text, used, problems);
    // What says where something is, is shown there, and nowhere else.
    for value in given.take() {
        secrets::remember(&value);
        let places = sources.iter().flat_map(|source| &source.locations).chain(lake.as_ref().map(|lake| &lake.location));
        places.for_each(|place| secrets::show_within(place, &value));
    }
    Some(Pipeline {
        path: problems.path().to_string(),
        name: name?,
        description: text.description.map(|description| description.text),
        lake: lake?,
        vars: variables.shown(),
        sources,
        transforms,
        outputs,
        removed_tables: text.removed_tables.as_ref().map(|removed| removed.value).unwrap_or_default(),
        policy: governing.own,
        governance: governing.shared,
        verify,
        athena,
        schedule,
        hooks,
        text: problems.text().into(),
    })
}
