//! The rows that Athena gives.

use super::client::Client;
use super::column::Column;
use super::execution::Finished;
use super::limits::Limits;
use super::page::{Page, values};
use super::statistics::Statistics;
use crate::error::{Error, ErrorKind, Result};
use crate::query::columns::readable;
use crate::query::sql_engine::ResultRows;
use crate::storage::spawn;
use crate::units::count;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use std::panic::resume_unwind;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// The longest part of a value that an error shows, in characters.
const SHOWN: usize = 80;

/// The rows of a query that Athena has run, page by page: while one is written the next is fetched, and no more are held.
#[derive(Debug)]
pub struct AthenaResult {
    client: Client,
    limits: Limits,
    schema: SchemaRef,
    columns: Vec<Column>,
    /// The page that was read to know the columns.
    first: Option<Page>,
    next: Option<JoinHandle<Result<Page>>>,
    /// How many rows were given.
    given: u64,
    written: Option<u64>,
    statistics: Statistics,
    notes: Vec<String>,
}

impl AthenaResult {
    /// Reads the first page.
    ///
    /// # Errors
    /// [`ErrorKind::Query`] where it can't be read, [`ErrorKind::Interrupted`].
    pub(super) async fn open(client: Client, finished: Finished, limits: Limits) -> Result<AthenaResult> {
        let Finished { statistics, has_head, notes } = finished;
        let mut page = tokio::select! {
            page = client.page(&statistics.id, None) => page?,
            () = limits.interrupted() => return Err(interrupted()),
        };
        if has_head {
            page.behead();
        }
        let first = |place: usize| page.rows.iter().find_map(|row| row.data().get(place)?.var_char_value());
        let columns: Vec<Column> = page.columns.iter().enumerate().map(|(place, info)| Column::of(info, first(place))).collect();
        let fields = columns.iter().map(|column| Field::new(&column.name, column.data_type.clone(), true));
        let schema = readable(&Arc::new(Schema::new(fields.collect::<Vec<_>>())), &[]);
        let written = page.written;
        let mut result = AthenaResult { client, limits, schema, columns, first: None, next: None, given: 0, written, statistics, notes };
        result.fetch(page.next.take());
        result.first = Some(page);
        Ok(result)
    }

    /// The columns of the batches; none where the statement gives no rows.
    pub fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// The columns whose type has no form here but its text, with what Athena calls it.
    pub fn opaque(&self) -> impl Iterator<Item = (&str, &str)> {
        let known = ["varchar", "char", "string"];
        let opaque =
            self.columns.iter().filter(move |column| column.data_type == DataType::Utf8 && !known.contains(&column.called.as_str()));
        opaque.map(|column| (column.name.as_str(), column.called.as_str()))
    }

    /// The next rows, or nothing at the end.
    ///
    /// # Errors
    /// [`ErrorKind::Query`] where a page can't be read, or a value isn't of its column's type; [`ErrorKind::Interrupted`].
    pub async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            let page = match (self.first.take(), self.next.take()) {
                (Some(first), next) => {
                    self.next = next;
                    first
                }
                (None, None) => return Ok(None),
                (None, Some(fetching)) => {
                    let fetched = tokio::select! {
                        fetched = fetching => fetched,
                        () = self.limits.interrupted() => return Err(interrupted()),
                    };
                    let mut page = match fetched {
                        Ok(page) => page?,
                        Err(error) => match error.try_into_panic() {
                            Ok(panic) => resume_unwind(panic),
                            Err(_) => unreachable!("nothing cancels the task"),
                        },
                    };
                    self.fetch(page.next.take());
                    page
                }
            };
            if !page.rows.is_empty() {
                return self.batch(&page).map(Some);
            }
        }
    }

    /// What the query took.
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// How many rows the statement wrote, where it is one that does.
    pub fn written(&self) -> Option<u64> {
        self.written
    }

    /// What the user should know of how it went.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Begins to fetch the page of `token`.
    fn fetch(&mut self, token: Option<String>) {
        let (client, id) = (self.client.clone(), self.statistics.id.clone());
        self.next = token.map(|token| spawn(async move { client.page(&id, Some(token)).await }));
    }

    fn batch(&mut self, page: &Page) -> Result<RecordBatch> {
        let width = self.columns.len();
        let mut texts: Vec<Vec<Option<&str>>> = vec![Vec::with_capacity(page.rows.len()); width];
        for (place, row) in page.rows.iter().enumerate() {
            let values = values(row, width, self.given + place as u64 + 1)?;
            texts.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
        }
        let arrays = self.columns.iter().zip(&texts).map(|(column, texts)| {
            column.array(texts).map_err(|place| misfit(column, self.given + place as u64 + 1, texts[place].unwrap_or_default()))
        });
        let arrays = arrays.collect::<Result<Vec<_>>>()?;
        self.given += page.rows.len() as u64;
        let options = RecordBatchOptions::new().with_row_count(Some(page.rows.len()));
        Ok(RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options)?)
    }
}

impl ResultRows for AthenaResult {
    fn schema(&self) -> SchemaRef {
        self.schema()
    }

    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        self.next().await
    }
}

/// The error of rows that are not read to their end; their query is over.
fn interrupted() -> Error {
    Error::new(ErrorKind::Interrupted, "interrupted: the result is not whole")
}

fn misfit(column: &Column, row: u64, text: &str) -> Error {
    let shown = match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    };
    let Column { name, called, .. } = column;
    Error::new(ErrorKind::Query, format!("column `{name}`, row {}: `{shown}` is not a {called}, as Athena says it is", count(row)))
        .with_context("what to do", format!("ask for it as text: CAST({name} AS varchar)"))
}
