//! An engine with what a command line gave it, and what is done with each statement.

use super::pipeline::open_lake;
use super::query_result::{ResultArgs, ResultFormat};
use super::terminal::{print_data, say};
use crate::aws::AwsSettings;
use crate::catalog::{GlueCatalog, GlueSettings, LocalCatalog};
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::head_of;
use crate::query::{Answer, GlueTables, LakeTables, QueryEngine, QueryOptions, Runtime, answer_of_lines, unless_cancelled};
use crate::units::count;
use std::collections::BTreeSet;
use std::future::Future;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};

/// Answers statements, one after the other.
pub(super) struct QuerySession {
    pub(super) engine: QueryEngine,
    pub(super) runtime: Runtime,
    /// Whether AWS's catalog is asked, of which it is known what queries scan.
    estimates: bool,
    /// Whether rows are hidden from who asks.
    restricted: bool,
    /// What was said before.
    told: Mutex<BTreeSet<String>>,
}

/// Which tables there are, and how they are asked.
pub(super) struct Asked<'a> {
    pub(super) options: QueryOptions,
    pub(super) lake: Option<&'a str>,
    /// When the lake is looked at.
    pub(super) moment: Option<&'a str>,
    /// Who asks, where that is said.
    pub(super) principal: Option<&'a str>,
    /// Which Glue catalog's tables are known.
    pub(super) glue: Option<GlueSettings>,
    /// Names with their paths.
    pub(super) tables: &'a [(String, String)],
}

impl QuerySession {
    /// Makes the tables known that are `asked`.
    ///
    /// # Errors
    /// Where one isn't there or can't be read, or options don't fit.
    pub(super) fn open(asked: &Asked<'_>) -> Result<QuerySession> {
        let session = QuerySession {
            engine: QueryEngine::new(asked.options.clone())?,
            runtime: Runtime::new(asked.options.threads)?,
            estimates: asked.glue.is_some(),
            restricted: asked.principal.is_some(),
            told: Mutex::default(),
        };
        session.runtime.block_on(async || session.register(asked))?;
        Ok(session)
    }

    fn register(&self, asked: &Asked<'_>) -> Result<()> {
        if let Some(lake) = asked.lake {
            let storage = open_lake(lake)?;
            head_of(&storage, &LocalCatalog::new(storage.clone()))?;
            let tables = LakeTables::open(storage)?;
            let tables = match asked.moment {
                Some(moment) => tables.at(moment)?,
                None => tables,
            };
            self.engine.register_lake(match asked.principal {
                Some(principal) => {
                    let seen = tables.seen_by(principal)?;
                    if !seen.knows_principal() {
                        say(&format!("note: no policy of the lake names `{principal}`"));
                    }
                    seen
                }
                None => tables,
            })?;
        }
        if let Some(settings) = &asked.glue {
            self.engine.register_glue(GlueTables::new(GlueCatalog::connect(settings, &AwsSettings::of_command_line())?));
        }
        asked.tables.iter().try_for_each(|(name, path)| self.engine.register_path(name, path))
    }

    /// Answers one statement.
    ///
    /// # Errors
    /// What the statement gives, and where its rows can't be written.
    pub(super) async fn answer(&self, sql: &str, result: &ResultArgs) -> Result<()> {
        match self.engine.ask(sql).await? {
            Answer::Done(what) => {
                say(&what);
                Ok(())
            }
            Answer::Shown(text)
                if matches!(result.format, None | Some(ResultFormat::Table | ResultFormat::Line)) && result.output.is_none() =>
            {
                print_data(&text)
            }
            // Glue's tables are looked up when they are named.
            Answer::Told(Some(batch), _) if self.estimates && batch.num_rows() == 0 => {
                say("`etl catalog list --catalog glue` lists the tables in Glue");
                Ok(())
            }
            Answer::Shown(text) => result.write(&mut answer_of_lines("plan", &text)?).await,
            mut answer => result.write(&mut answer).await,
        }
    }

    /// Runs `work` to its end, or until `cancel` is set.
    ///
    /// # Errors
    /// What `work` gives, and [`ErrorKind::Interrupted`].
    pub(super) fn until_cancelled<F: Future<Output = Result<()>>>(
        &self,
        cancel: &AtomicBool,
        work: impl FnOnce() -> F + Send,
    ) -> Result<()> {
        self.runtime.block_on(|| unless_cancelled(cancel, "interrupted", work()))
    }

    /// Shows how a query would be run.
    ///
    /// # Errors
    /// What planning it gives.
    pub(super) async fn explain(&self, sql: &str) -> Result<()> {
        print_data(self.engine.explain(sql).await?.trim_end())?;
        if self.estimates {
            print_data(&self.engine.estimate(sql).await?.to_string())?;
        }
        Ok(())
    }

    /// Says what was found out of the tables since it was said last.
    pub(super) fn say_notes(&self) {
        // What can't be read of rows that are hidden is hidden, too.
        if self.restricted {
            return;
        }
        let notes = self.engine.notes().into_iter().chain(self.engine.rejects().notes());
        for note in notes {
            if self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(note.clone()) {
                say(&format!("note: {note}"));
            }
        }
    }

    /// The error of files of which no line could be read.
    ///
    /// # Errors
    /// [`ErrorKind::Rejects`] where there are any.
    pub(super) fn refuse_unread(&self) -> Result<()> {
        if self.restricted {
            return Ok(());
        }
        match self.engine.rejects().unread().as_slice() {
            [] => Ok(()),
            [only] => Err(unread(only)),
            [first, others @ ..] => Err(unread(&format!("{first} and {} more", count(others.len() as u64)))),
        }
    }
}

/// The error of files that gave no row to the result, which is written.
fn unread(files: &str) -> Error {
    Error::new(ErrorKind::Rejects, format!("every line of {files} was rejected; the result contains nothing from it"))
        .with_context("what to do", "set its format (--from, --log-format), or leave it out of the query")
}
