//! The tables of a pipeline in its catalog of readers.

use super::dropping::drop_from_glue;
use super::forwarding::forward;
use crate::aws::AwsSettings;
use crate::catalog::{
    Catalog, Entry, GlueCatalog, KnownLists, LAKE, LocalCatalog, PIPELINE, Registered, Registration, Table, check_limits, tell,
};
use crate::error::{Error, ErrorKind, Result};
use crate::output::{CsvDialect, Kind};
use crate::pipeline::model::{CatalogKind, Output, Pipeline, Removal};
use crate::storage::Storage;

/// The catalog of readers that a pipeline tells.
#[derive(Debug)]
pub(crate) struct ReaderCatalog {
    pub(crate) glue: GlueCatalog,
    adopt: bool,
}

impl ReaderCatalog {
    /// That of `pipeline`; nothing where readers go by the lake itself.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Usage`] where no region is known.
    pub(crate) fn of(pipeline: &Pipeline) -> Result<Option<ReaderCatalog>> {
        match &pipeline.lake.catalog {
            CatalogKind::Local => Ok(None),
            CatalogKind::Glue { settings, adopt } => {
                let glue = GlueCatalog::connect(settings, &AwsSettings::beside(&pipeline.lake.store))?;
                Ok(Some(ReaderCatalog { glue, adopt: *adopt }))
            }
        }
    }

    /// Whether tables of others are taken over.
    pub(crate) fn adopts(&self) -> bool {
        self.adopt
    }

    /// How the table of `output` is told.
    pub(crate) fn registration(&self, output: &Output) -> Registration {
        let name = &output.table;
        Registration::new(&name.database, &name.table, self.glue.settings().clone(), output.readers.clone())
    }

    /// Makes sure that the catalog answers, before anything is made for it.
    ///
    /// # Errors
    /// What the catalog says.
    pub(crate) fn reach(&self, pipeline: &Pipeline) -> Result<()> {
        let Some(output) = pipeline.outputs.first() else { return Ok(()) };
        let registration = self.registration(output);
        self.glue.table(&registration.reader_database(), &registration.table).map(drop)
    }

    /// Makes sure that the catalog can be told of `tables` once they are published: that they can be told as the pipeline says, that
    /// Glue takes it, and that nobody else has tables of these names.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a table of somebody else, [`ErrorKind::Format`] where partitions can't be projected or a text is too
    /// long, and what the catalog says.
    pub(crate) fn prepare(&self, pipeline: &Pipeline, storage: &Storage, tables: &[Table]) -> Result<()> {
        for table in tables {
            let Some(output) = pipeline.outputs.iter().find(|output| output.name == table.origin.output) else { continue };
            let registration = self.registration(output);
            let told = tell(storage, table, &registration.reader_database(), &registration.options, &KnownLists::default());
            let told = told.and_then(|told| check_limits(&told).map(|()| told)).map_err(|error| error.with_context("at", &output.place))?;
            self.glue.refuse_foreign(&told, self.adopt).map_err(|error| error.with_context("at", &output.place))?;
        }
        Ok(())
    }

    /// Tells the catalog of the pipeline's tables as they are published.
    ///
    /// # Errors
    /// What the catalog says, with how far it got.
    pub(crate) fn register(&self, pipeline: &Pipeline, storage: &Storage) -> Result<Vec<Registered>> {
        let mut registered = Vec::new();
        for output in &pipeline.outputs {
            let done = forward(storage, &self.registration(output), &self.glue, self.adopt).map_err(|error| behind(error, output))?;
            let Some(mut done) = done else { continue };
            if done.wrote() && output.format.kind == Kind::Csv && output.format.dialect == CsvDialect::Rfc4180 {
                done.notes.push(format!(
                    "{} is RFC 4180 CSV: readers of Glue end rows at line ends within texts; `dialect: athena` avoids them",
                    done.table
                ));
            }
            registered.push(done);
        }
        self.tell_of_others(pipeline, storage, &mut registered)?;
        Ok(registered)
    }

    /// The tables of `pipeline` that the lake has no more and the catalog still knows, where such are dropped.
    ///
    /// # Errors
    /// What the catalog says.
    pub(crate) fn left(&self, pipeline: &Pipeline, storage: &Storage) -> Result<Vec<(Registration, Entry)>> {
        if pipeline.removed_tables != Removal::Drop {
            return Ok(Vec::new());
        }
        let head = LocalCatalog::new(storage.clone()).snapshot()?.head;
        let mut left = Vec::new();
        for one in Registration::all(storage)? {
            if one.glue != *self.glue.settings() || head.table(&one.database, &one.table).is_some() {
                continue;
            }
            let entry = self.glue.table(&one.reader_database(), &one.table)?;
            // Another lake may have a table of that name there by now.
            let is_ours = |entry: &Entry| {
                entry.parameters.get(PIPELINE) == Some(&pipeline.name)
                    && entry.parameters.get(LAKE) == Some(&storage.location().to_string())
            };
            if let Some(entry) = entry.filter(is_ours) {
                left.push((one, entry));
            }
        }
        Ok(left)
    }

    /// Takes them out of it; gives their names.
    ///
    /// # Errors
    /// What the catalog says.
    pub(crate) fn drop_left(&self, pipeline: &Pipeline, storage: &Storage) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for (registration, entry) in self.left(pipeline, storage)? {
            names.extend(drop_from_glue(&self.glue, &entry)?.names);
            registration.forget(storage)?;
        }
        Ok(names)
    }
}

impl ReaderCatalog {
    /// Notes tables that a catalog was told of by earlier settings: nobody moves them any more.
    fn tell_of_others(&self, pipeline: &Pipeline, storage: &Storage, registered: &mut [Registered]) -> Result<()> {
        for other in Registration::all(storage)? {
            let is_other = |output: &&Output| {
                (&output.table.database, &output.table.table) == (&other.database, &other.table) && other.glue != *self.glue.settings()
            };
            let Some(output) = pipeline.outputs.iter().find(is_other) else { continue };
            if let Some(told) = registered.first_mut() {
                let table = format!("{}.{}", other.reader_database(), other.table);
                told.notes.push(format!(
                    "Glue also has {} as {table}, from earlier settings; runs no longer update it; remove it with `etl catalog drop {table}`",
                    output.table
                ));
            }
        }
        Ok(())
    }
}

/// The error of a catalog that could not be told what is published.
fn behind(error: Error, output: &Output) -> Error {
    let message = format!("{} is published in the lake, but Glue could not be updated", output.table);
    // Whoever reads the lake sees the run; what can be told another time is an output that lacks something.
    let kind = if error.kind() == ErrorKind::Conflict { ErrorKind::Conflict } else { ErrorKind::Output };
    Error::new(kind, message)
        .with_source(error)
        .with_context("then", "readers of Glue see the previous version; `etl catalog sync`, or the next run, updates it")
}
