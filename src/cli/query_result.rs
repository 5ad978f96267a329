//! A query's result on standard output, of whatever engine.

use super::result_table::ResultTable;
use super::terminal::{print_data, say};
use crate::error::{Error, ErrorKind, Result};
use crate::output::{BatchWriter, CsvDialect, FileFormat, Kind, stream_writer};
use crate::query::ResultRows;
use clap::{Args, ValueEnum};
use std::io::{BufWriter, IsTerminal};

/// How a result is written.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct ResultArgs {
    /// How the result is written
    #[arg(long, value_enum, default_value_t = ResultFormat::Table)]
    pub(super) format: ResultFormat,

    /// Rows that a table shows at most; 0 for all
    #[arg(long, value_name = "N", default_value_t = 1000)]
    max_rows: usize,
}

/// The formats of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ResultFormat {
    /// For people
    Table,
    Csv,
    /// As Hive's LazySimpleSerDe reads it
    Tsv,
    /// An object a line
    Json,
    Parquet,
}

impl ResultArgs {
    /// Writes all rows, batch by batch, holding none but those that a table shows.
    ///
    /// # Errors
    /// What the rows give, and where they can't be written.
    pub(super) async fn write(&self, rows: &mut impl ResultRows) -> Result<()> {
        let kind = match self.format {
            ResultFormat::Table => {
                let mut table = ResultTable::new(rows.schema(), self.max_rows);
                while let Some(batch) = rows.next().await? {
                    table.write(&batch)?;
                }
                print_data(&table.to_string())?;
                say(&table.summary());
                return Ok(());
            }
            ResultFormat::Csv => Kind::Csv,
            ResultFormat::Tsv => Kind::Tsv,
            ResultFormat::Json => Kind::Json,
            ResultFormat::Parquet => Kind::Parquet,
        };
        if kind == Kind::Parquet && std::io::stdout().is_terminal() {
            return Err(Error::new(ErrorKind::Usage, "Parquet is not for a terminal; write it to a file, as in > result.parquet"));
        }
        let format = FileFormat::new(kind, None, None, CsvDialect::default())?;
        let out = Box::new(BufWriter::new(std::io::stdout()));
        let mut writer: Box<dyn BatchWriter> = stream_writer(format, rows.schema(), out)?;
        while let Some(batch) = rows.next().await? {
            writer.write(&batch)?;
        }
        writer.finish()?.notes().for_each(|note| say(&format!("note: {note}")));
        Ok(())
    }
}
