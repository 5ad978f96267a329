//! What is there before a run, and what that leaves to do: read alike by a plan and by a run.

use super::athena_tables::{changed, read_by};
use super::changes::{Before, Changes, Step, decide};
use super::definition::{Definition, inputs};
use super::difference::SegmentInputs;
use super::lake_tables::{changed as tables_changed, current, in_order, tables_of};
use super::listing::Listing;
use super::lost_rows::lost_rows;
use super::opening;
use super::pieces::Piece;
use super::published::head_of;
use crate::catalog::{LocalCatalog, Snapshot, Table, TableName};
use crate::diagnostic::nearest;
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::model::{Output, Pipeline, Removal};
use crate::publish::{Input, Manifest, keys};
use crate::storage::Storage;
use crate::units::Rate;
use std::collections::{BTreeMap, BTreeSet};

/// What is asked of a run, or of a plan.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Rebuild all rows.
    pub full: bool,
    /// Read again what had rejected lines.
    pub retry_rejects: bool,
    /// Takes the place of the limits that sources have.
    pub max_reject_rate: Option<Rate>,
    /// Only these outputs; all where there is none.
    pub only: Vec<String>,
}

/// Sources and tables as they are.
pub(crate) struct State {
    /// The files of each source.
    pub(crate) listings: BTreeMap<String, Listing>,
    pub(crate) snapshot: Snapshot,
    pub(crate) outputs: Vec<OutputState>,
}

/// An output, its table, and what there is to do.
pub(crate) struct OutputState {
    pub(crate) output: Output,
    pub(crate) definition: Definition,
    /// The sources that its rows come from.
    pub(crate) sources: Vec<String>,
    /// The files of each, and what they are to this output.
    pub(crate) listings: BTreeMap<String, Listing>,
    /// The transforms on the way, in order.
    pub(crate) transforms: Vec<String>,
    pub(crate) table: Option<Table>,
    /// Of each segment of the table.
    pub(crate) manifests: Vec<Manifest>,
    pub(crate) changes: Changes,
    /// Only what is said of the table has changed.
    pub(crate) described: bool,
    /// What Athena reads for it, by transform.
    pub(crate) athena_inputs: BTreeMap<String, Input>,
    /// The tables of the lake that it is made of, as they are; those that this run changes are not among them.
    pub(crate) lake_tables: BTreeMap<TableName, Table>,
    /// What all files of sources have together whose new files have columns that the others have not.
    pub(crate) grown: BTreeMap<String, Input>,
    /// The names of all of them.
    pub(crate) reads_tables: BTreeSet<TableName>,
}

impl State {
    /// Reads what is there; `storage` is nothing where the lake isn't there yet.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for outputs that aren't there or tables of other pipelines, and what reading sources and catalog gives.
    pub(crate) fn read(pipeline: &Pipeline, storage: Option<&Storage>, scope: &Scope) -> Result<State> {
        let wanted = choose(pipeline, &scope.only)?;
        let snapshot = match storage {
            Some(storage) => head_of(storage, &LocalCatalog::new(storage.clone()))?,
            None => Snapshot::default(),
        };
        let mut listings = BTreeMap::new();
        let mut outputs: Vec<OutputState> = Vec::new();
        for output in in_order(pipeline, wanted) {
            let (sources, transforms) = inputs(pipeline, output);
            for source in sources.iter().filter_map(|name| pipeline.source(name)) {
                if !listings.contains_key(&source.name) {
                    listings.insert(source.name.clone(), Listing::of(pipeline, source)?);
                }
            }
            // That a table is described otherwise is no other content.
            let changing = outputs.iter().filter(|before| before.changes.step != Step::Nothing);
            let changing = changing.map(|before| before.output.table.clone()).collect();
            outputs.push(OutputState::read(pipeline, output, sources, transforms, storage, &snapshot, &mut listings, scope, &changing)?);
        }
        Ok(State { listings, snapshot, outputs })
    }

    /// The tables of the lake that `pipeline` made once and has no output for any more; of those that can't be read nothing is said here.
    pub(crate) fn forgotten(&self, pipeline: &Pipeline, storage: &Storage) -> Vec<TableName> {
        let catalog = LocalCatalog::new(storage.clone());
        let mut forgotten = Vec::new();
        for (database, name, reference) in self.snapshot.head.tables() {
            let is_made = pipeline.outputs.iter().any(|output| output.table.database == database && output.table.table == name);
            if !is_made
                && catalog.table(reference).is_ok_and(|table| table.origin.pipeline == pipeline.name && table.registered().is_none())
            {
                forgotten.push(TableName { database: database.to_string(), table: name.to_string() });
            }
        }
        forgotten
    }

    /// Those of them that a run takes out of the lake.
    pub(crate) fn dropped(&self, pipeline: &Pipeline, storage: &Storage, scope: &Scope) -> Vec<TableName> {
        match pipeline.removed_tables {
            Removal::Drop if scope.only.is_empty() => self.forgotten(pipeline, storage),
            _ => Vec::new(),
        }
    }

    /// Which rows no run makes again of the tables `dropped`, in words.
    ///
    /// # Errors
    /// Where the lake can't be read.
    pub(crate) fn lost_by_dropping(&self, pipeline: &Pipeline, storage: &Storage, dropped: &[TableName]) -> Result<Vec<String>> {
        let catalog = LocalCatalog::new(storage.clone());
        let folder = std::path::absolute(&pipeline.path).ok().and_then(|path| path.parent().map(std::path::Path::to_path_buf));
        let folders: Vec<std::path::PathBuf> = folder.into_iter().collect();
        let mut told = Vec::new();
        for name in dropped {
            let Some(table) = self.snapshot.head.table(&name.database, &name.table).map(|table| catalog.table(table)).transpose()? else {
                continue;
            };
            told.extend(lost_rows(storage, &table, &folders)?.map(|lost| format!("{name}, which is dropped: {lost}")));
        }
        Ok(told)
    }

    /// The keys of the versions of tables of the lake that are read.
    pub(crate) fn read_versions(&self) -> Vec<String> {
        let names: BTreeSet<&TableName> = self.outputs.iter().flat_map(|output| output.lake_tables.keys()).collect();
        let key = |name: &&TableName| Some(self.snapshot.head.table(&name.database, &name.table)?.object.clone());
        names.iter().filter_map(key).collect()
    }

    /// Whether a run would change nothing.
    pub(crate) fn is_current(&self) -> bool {
        !self.outputs.iter().any(OutputState::is_changing)
    }
}

/// The outputs that `only` names.
fn choose<'a>(pipeline: &'a Pipeline, only: &[String]) -> Result<Vec<&'a Output>> {
    for name in only {
        if !pipeline.outputs.iter().any(|output| output.name == *name) {
            let hint = nearest(name, pipeline.outputs.iter().map(|output| output.name.as_str()));
            let hint = hint.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            let known: Vec<&str> = pipeline.outputs.iter().map(|output| output.name.as_str()).collect();
            return Err(Error::new(ErrorKind::Usage, format!("{} has no output `{name}`{hint}", pipeline.path))
                .with_context("outputs", known.join(", ")));
        }
    }
    Ok(pipeline.outputs.iter().filter(|output| only.is_empty() || only.contains(&output.name)).collect())
}

impl OutputState {
    #[expect(clippy::too_many_arguments, reason = "each is a part of what is there; a struct of them would be used here only")]
    fn read(
        pipeline: &Pipeline,
        output: &Output,
        sources: Vec<String>,
        transforms: Vec<String>,
        storage: Option<&Storage>,
        snapshot: &Snapshot,
        listings: &mut BTreeMap<String, Listing>,
        scope: &Scope,
        changing: &BTreeSet<TableName>,
    ) -> Result<OutputState> {
        let full = scope.full;
        let definition = Definition::of(pipeline, output)?;
        let reference = snapshot.head.table(&output.table.database, &output.table.table);
        let (mut table, mut manifests) = (None, Vec::new());
        if let (Some(reference), Some(storage)) = (reference, storage) {
            let catalog = LocalCatalog::new(storage.clone());
            let foreign = |owner: &str| {
                Error::new(ErrorKind::Usage, format!("{} is a table of {owner}", output.table))
                    .with_context("at", &output.place)
                    .with_context("what to do", "give the table another name, or the pipeline that name")
            };
            // Where all is rebuilt, it need not be whole; but it must be this pipeline's.
            if full && catalog.is_lost(reference)? {
                if storage.list(&keys::run_folder(&pipeline.name, &reference.run))?.is_empty() {
                    return Err(foreign("another pipeline"));
                }
            } else {
                let found = catalog.table(reference)?;
                if let Some(address) = found.registered() {
                    return Err(foreign(&format!("the files at {address}, by `etl catalog register`")));
                }
                if found.origin.pipeline != pipeline.name {
                    return Err(foreign(&format!("the pipeline `{}`", found.origin.pipeline)));
                }
                let keys: Vec<String> = found.segments.iter().map(|segment| segment.manifest.clone()).collect();
                let lost = |_: &Error| full && storage.get_all(&keys).is_ok();
                manifests = Manifest::read_all(storage, &keys).or_else(|e| if lost(&e) { Ok(Vec::new()) } else { Err(e) })?;
                table = Some(found);
            }
        }
        let segments: Vec<SegmentInputs> = manifests.iter().map(read_files).collect();
        let reads_tables = tables_of(pipeline, output);
        let lake_tables = current(output, &pipeline.outputs, &reads_tables, changing, storage, snapshot)?;
        let known = manifests.last().map(|manifest| &manifest.inputs);
        let mut before = Before {
            columns_changed: None,
            tables_changed: tables_changed(known, &reads_tables, changing, &lake_tables),
            mode: output.mode,
            removed_sources: output.removed_sources,
            segments: table.is_some().then_some(&segments),
            redefined: table.as_ref().is_some_and(|table| table.origin.definition != definition.all),
            reshaped: table.as_ref().is_some_and(|table| table.origin.shape != definition.shape),
            full,
            retry_rejects: scope.retry_rejects,
        };
        let mut used = BTreeMap::new();
        for listing in listings.values().filter(|listing| sources.contains(&listing.name)) {
            let format = manifests.iter().rev().find_map(|manifest| manifest.inputs.get(&listing.name)).map(|input| input.format.as_str());
            let mut listing = listing.clone();
            if let Some(source) = pipeline.source(&listing.name) {
                listing.know_by(source, format)?;
            }
            used.insert(listing.name.clone(), listing);
        }
        let told = |error: Error| error.with_context("output", &output.name);
        let mut changes = decide(&before, &mut used.values_mut().collect::<Vec<_>>()).map_err(told)?;
        let mut grown = BTreeMap::new();
        if matches!(changes.step, Step::Add | Step::ReplacePartitions) {
            for source in sources.iter().filter_map(|name| pipeline.source(name)) {
                let pieces = changes.read.get(&source.name).map_or(&[][..], Vec::as_slice);
                let known = manifests.iter().rev().find_map(|manifest| manifest.inputs.get(&source.name));
                if let Some(all) = opening::grown(source, &used[&source.name], pieces, known).map_err(told)? {
                    grown.insert(source.name.clone(), all);
                }
            }
            if let Some((name, all)) = grown.first_key_value() {
                before.columns_changed = Some(format!("new files of {name} have other columns: {}", opening::news(all, &manifests)));
                changes = decide(&before, &mut used.values_mut().collect::<Vec<_>>()).map_err(told)?;
            }
        }
        changes.notes.extend(used.values().flat_map(Listing::unread));
        // What was found out of files is the same for all outputs.
        for listing in used.values() {
            listings.get_mut(&listing.name).into_iter().for_each(|all| all.learn(listing));
        }
        let mut athena_inputs = BTreeMap::new();
        if let Some(transform) = pipeline.made_in_athena(output) {
            let now = read_by(pipeline, transform)?;
            let before = manifests.last().and_then(|manifest| manifest.inputs.get(&transform.name));
            if changes.step == Step::Nothing
                && let Some(why) = changed(before, &now)
            {
                (changes.step, changes.why, changes.stale) = (Step::Rebuild, why, (0..manifests.len()).collect());
            }
            athena_inputs.insert(transform.name.clone(), now);
        }
        let described = changes.step == Step::Nothing && table.as_ref().is_some_and(|table| differs(table, output));
        Ok(OutputState {
            output: output.clone(),
            definition,
            sources,
            listings: used,
            transforms,
            table,
            manifests,
            changes,
            described,
            athena_inputs,
            lake_tables,
            reads_tables,
            grown,
        })
    }

    /// Whether a run makes another version of its table.
    pub(crate) fn is_changing(&self) -> bool {
        self.changes.step != Step::Nothing || self.described
    }

    /// How many lines of each of `pieces` of the source `name` were rejected when they were read before.
    pub(crate) fn accepted(&self, name: &str, pieces: &[Piece]) -> Vec<u64> {
        let listing = self.listings.get(name);
        let inputs = self.manifests.iter().filter_map(|manifest| manifest.inputs.get(name));
        let mut known: BTreeMap<(usize, u64), u64> = BTreeMap::new();
        for file in inputs.flat_map(|input| &input.files).filter(|file| file.rejects > 0) {
            if let Some(place) = listing.and_then(|listing| listing.place_of(file)) {
                // Lines that several segments have are the same lines.
                let most = known.entry((place, file.from)).or_default();
                *most = file.rejects.max(*most);
            }
        }
        let of = |piece: &Piece| known.range((piece.place, piece.from)..(piece.place, piece.to.unwrap_or(u64::MAX))).map(|(_, n)| n).sum();
        pieces.iter().map(of).collect()
    }

    /// The inputs of each segment.
    pub(crate) fn segment_inputs(&self) -> Vec<SegmentInputs> {
        self.manifests.iter().map(read_files).collect()
    }
}

fn read_files(manifest: &Manifest) -> SegmentInputs {
    manifest.inputs.clone()
}

/// Whether a table is described otherwise than `output` says.
fn differs(table: &Table, output: &Output) -> bool {
    let columns = table.storage.columns.iter().chain(&table.partition_keys);
    table.description != output.description
        || columns.into_iter().any(|column| column.comment.as_ref() != output.comments.get(&column.name))
}
