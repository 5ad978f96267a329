//! Questions answered by this machine.

use super::caches;
use super::cell::Run;
use super::counters::Counters;
use super::data_set::DataSet;
use super::question::TABLE;
use super::settings::Caches;
use crate::error::{Error, ErrorKind, Result};
use crate::input::{CsvDialect, Table, resolve};
use crate::query::{QueryEngine, QueryOptions, Runtime};
use arrow::array::{Array, AsArray};
use arrow::datatypes::{Int64Type, SchemaRef};
use arrow::record_batch::RecordBatch;
use std::path::Path;
use std::time::Instant;

/// This machine as an engine.
#[derive(Debug)]
pub(super) struct Local {
    pub(super) threads: usize,
    pub(super) caches: Caches,
    /// The columns of the rows, as text files don't tell them.
    pub(super) schema: SchemaRef,
    /// How CSV is escaped.
    pub(super) dialect: CsvDialect,
}

impl Local {
    /// Brings the files of a data set into the state in which all runs shall find them.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where they can't be read.
    pub(super) fn prepare(&self, place: &str) -> Result<()> {
        match self.caches {
            Caches::Warm => caches::warm(Path::new(place)),
            Caches::Cold => Ok(()),
        }
    }

    /// Asks `sql` of the files of `data_set` at `place`, from opening them to the last row.
    ///
    /// # Errors
    /// What the query gives; [`ErrorKind::Rejects`] where a line is no row.
    pub(super) fn ask(&self, data_set: &DataSet, place: &str, sql: &str) -> Result<Run> {
        if self.caches == Caches::Cold {
            caches::forget(Path::new(place))?;
        }
        let begun = Instant::now();
        let (rows, opened) = self.answer(data_set, place, sql)?;
        let seconds = begun.elapsed().as_secs_f64();
        // What it takes here to see what files are is none of the question's reading; tables elsewhere are known before.
        let read = opened.and_then(|opened| Some(Counters::now()?.since(opened)));
        let from_disk = read.map_or(0, |read| read.from_disk);
        Ok(Run { seconds, rows, bytes_read: read.map(|read| read.bytes), reads: read.map(|read| read.reads), from_disk, ..Run::default() })
    }

    /// How many rows there are, and what had been read when the files were open.
    fn answer(&self, data_set: &DataSet, place: &str, sql: &str) -> Result<(u64, Option<Counters>)> {
        let engine = self.open(data_set, place)?;
        let opened = Counters::now();
        let mut rows = 0;
        self.rows(&engine, sql, |batch| {
            rows += batch.num_rows() as u64;
            Ok(())
        })?;
        Ok((rows, opened))
    }

    /// An engine whose table `log` are the files of `data_set` at `place`.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] and [`ErrorKind::Format`] where they can't be read.
    pub(super) fn open(&self, data_set: &DataSet, place: &str) -> Result<QueryEngine> {
        let engine = QueryEngine::new(QueryOptions { threads: self.threads, stdin: false, ..QueryOptions::default() })?;
        let table = Table::open(resolve(&[place.to_string()])?, &data_set.reading(&self.schema, self.dialect))?;
        engine.register_files(TABLE, table, !data_set.partition_by.is_empty())?;
        Ok(engine)
    }

    /// Gives all rows of the result to `take`, batch by batch.
    ///
    /// # Errors
    /// What the query and `take` give; [`ErrorKind::Rejects`] where a line is no row.
    pub(super) fn rows(&self, engine: &QueryEngine, sql: &str, mut take: impl FnMut(&RecordBatch) -> Result<()> + Send) -> Result<()> {
        let runtime = Runtime::new(self.threads)?;
        let done = runtime.block_on(async || {
            let mut result = engine.query(sql).await?;
            while let Some(batch) = result.next().await? {
                take(&batch)?;
            }
            Ok(())
        });
        runtime.leave();
        done?;
        match engine.rejects().notes().first() {
            Some(note) => Err(Error::new(ErrorKind::Rejects, note.clone())),
            None => Ok(()),
        }
    }

    /// The first and the last time of the rows, in seconds since 1970.
    ///
    /// # Errors
    /// What the query gives.
    pub(super) fn times(&self, data_set: &DataSet, place: &str) -> Result<Option<(i64, i64)>> {
        let engine = self.open(data_set, place)?;
        let sql = format!("SELECT CAST(to_unixtime(min(time)) AS BIGINT), CAST(to_unixtime(max(time)) AS BIGINT) FROM {TABLE}");
        let mut times = None;
        self.rows(&engine, &sql, |batch| {
            let number = |column: usize| {
                let values = batch.column(column).as_primitive_opt::<Int64Type>()?;
                (values.len() == 1 && !values.is_null(0)).then(|| values.value(0))
            };
            times = number(0).zip(number(1));
            Ok(())
        })?;
        Ok(times)
    }
}
