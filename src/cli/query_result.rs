//! A query's result: shown to people, or written for programs, of whatever engine.

use super::pager::page;
use super::result_lines::ResultLines;
use super::result_table::{ResultTable, terminal_width};
use super::terminal::say;
use super::waiting::Waiting;
use crate::error::{Error, ErrorKind, Result};
use crate::output::{BatchWriter, CsvDialect, FileFormat, Kind, stream_writer};
use crate::query::ResultRows;
use crate::units::counted;
use clap::builder::ArgPredicate;
use clap::{Args, ValueEnum};
use std::io::{BufWriter, IsTerminal};
use std::path::{Path, PathBuf};

/// How a result is written.
#[derive(Debug, Clone, Args)]
pub(super) struct ResultArgs {
    /// Format of the result [default: table, or by the extension of --output]
    #[arg(long, value_enum, value_name = "FORMAT", default_value_if("json", ArgPredicate::IsPresent, "json"))]
    pub(super) format: Option<ResultFormat>,

    /// Print the result as JSON lines; the same as --format json
    #[arg(long, conflicts_with = "format")]
    pub(super) json: bool,

    /// Write the complete result to this file: .csv, .tsv, .json or .parquet; text formats can be followed by .gz
    #[arg(long, short = 'o', value_name = "FILE")]
    pub(super) output: Option<PathBuf>,

    /// Replace the file of --output if it is there
    #[arg(long, requires = "output")]
    pub(super) overwrite: bool,

    /// Maximum number of rows shown in a table; 0 for all
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(super) max_rows: usize,
}

/// The formats of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ResultFormat {
    /// For reading
    Table,
    /// For reading, one value per line, for rows wider than the terminal
    Line,
    Csv,
    /// As Hive's LazySimpleSerDe reads it
    Tsv,
    /// One object per line
    Json,
    Parquet,
}

impl ResultFormat {
    fn kind(self) -> Option<Kind> {
        Some(match self {
            ResultFormat::Table | ResultFormat::Line => return None,
            ResultFormat::Csv => Kind::Csv,
            ResultFormat::Tsv => Kind::Tsv,
            ResultFormat::Json => Kind::Json,
            ResultFormat::Parquet => Kind::Parquet,
        })
    }
}

impl ResultArgs {
    /// Whether options fit each other, told before anything is asked.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where they don't.
    pub(super) fn check(&self) -> Result<()> {
        match &self.output {
            Some(path) => {
                self.file_format(path)?;
                self.refuse_existing(path)
            }
            None if self.format == Some(ResultFormat::Parquet) && std::io::stdout().is_terminal() => {
                Err(Error::new(ErrorKind::Usage, "Parquet can't be printed to a terminal; write it to a file: -o result.parquet"))
            }
            None => Ok(()),
        }
    }

    /// Whether only one result can be written.
    pub(super) fn is_for_one(&self) -> bool {
        self.output.is_some() || self.format == Some(ResultFormat::Parquet)
    }

    /// Writes all rows, batch by batch, holding none but those that a table shows.
    ///
    /// # Errors
    /// What the rows give, and where they can't be written.
    pub(super) async fn write(&self, rows: &mut impl ResultRows) -> Result<()> {
        self.check()?;
        if let Some(path) = &self.output {
            return self.write_file(rows, path).await;
        }
        let waiting = Waiting::for_rows();
        let Some(kind) = self.format.and_then(ResultFormat::kind) else {
            let (text, summary) = if self.format == Some(ResultFormat::Line) {
                let mut lines = ResultLines::new(&rows.schema(), self.max_rows);
                while let Some(batch) = waiting.watch(rows.next()).await? {
                    lines.write(&batch)?;
                    waiting.count(batch.num_rows());
                }
                (lines.to_string(), lines.summary())
            } else {
                let mut table = ResultTable::new(rows.schema(), self.max_rows, terminal_width());
                while let Some(batch) = waiting.watch(rows.next()).await? {
                    table.write(&batch)?;
                    waiting.count(batch.num_rows());
                }
                (table.to_string(), table.summary())
            };
            drop(waiting);
            page(text.trim_end())?;
            say(&summary);
            return Ok(());
        };
        let format = FileFormat::new(kind, None, None, CsvDialect::default())?;
        // On a terminal rows come between what is said of them.
        let waiting = if std::io::stdout().is_terminal() { Waiting::silent() } else { waiting };
        copy(rows, stream_writer(format, rows.schema(), Box::new(BufWriter::new(std::io::stdout())))?, &waiting).await.map(|_| ())
    }

    /// Refuses to replace a file that nobody said is to be replaced.
    fn refuse_existing(&self, path: &Path) -> Result<()> {
        match path.is_file() && !self.overwrite {
            true => Err(Error::new(ErrorKind::Output, format!("{} is there already; nothing was written", path.display()))
                .with_context("what to do", "give --overwrite to replace it, or another name")),
            false => Ok(()),
        }
    }

    /// Writes all rows to the file at `path`, which readers see when it is whole.
    async fn write_file(&self, rows: &mut impl ResultRows, path: &Path) -> Result<()> {
        let format = self.file_format(path)?;
        let failed = |e: std::io::Error| Error::output(path.display(), e);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if path.is_dir() {
            return Err(Error::new(ErrorKind::Output, format!("{} is a folder; -o needs a file", path.display())));
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(".etl-").suffix(".part");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // As any file that is made here; the umask takes away what it takes away.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let file = builder.tempfile_in(folder).map_err(failed)?;
        let out = Box::new(BufWriter::new(file.reopen().map_err(failed)?));
        let waiting = Waiting::for_rows();
        let count = copy(rows, stream_writer(format, rows.schema(), out)?, &waiting).await?;
        drop(waiting);
        file.persist(path).map_err(|e| failed(e.error))?;
        say(&format!("{} to {}", counted(count, "row"), path.display()));
        Ok(())
    }

    /// The format of a file, by `--format` and its name.
    fn file_format(&self, path: &Path) -> Result<FileFormat> {
        let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        let (name, codec) = match name.strip_suffix(".gz") {
            Some(name) => (name.to_string(), Some("gzip")),
            None => (name, None),
        };
        let kind = match (self.format, name.rsplit_once('.').map(|(_, ending)| ending)) {
            (Some(format), _) => format.kind().ok_or_else(|| {
                Error::new(ErrorKind::Usage, "the table format is for terminals; with -o, use --format csv, tsv, json or parquet")
            })?,
            (None, Some("csv")) => Kind::Csv,
            (None, Some("tsv")) => Kind::Tsv,
            (None, Some("json" | "jsonl" | "ndjson")) => Kind::Json,
            (None, Some("parquet" | "pq")) => Kind::Parquet,
            _ => {
                let message = format!("unknown file extension of {}; expected .csv, .tsv, .json or .parquet, or --format", path.display());
                return Err(Error::new(ErrorKind::Usage, message));
            }
        };
        if kind == Kind::Parquet && codec.is_some() {
            return Err(Error::new(ErrorKind::Usage, "Parquet is compressed internally; leave out .gz"));
        }
        FileFormat::new(kind, codec, None, CsvDialect::default())
    }
}

/// Hands all rows to `writer`; gives how many they were.
async fn copy(rows: &mut impl ResultRows, mut writer: Box<dyn BatchWriter>, waiting: &Waiting) -> Result<u64> {
    let mut count = 0;
    while let Some(batch) = waiting.watch(rows.next()).await? {
        writer.write(&batch)?;
        waiting.count(batch.num_rows());
        count += batch.num_rows() as u64;
    }
    writer.finish()?.notes().for_each(|note| say(&format!("note: {note}")));
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_tells_its_format() {
        let format = |name: &str, format: Option<ResultFormat>| {
            let args = ResultArgs { format, json: false, output: None, overwrite: false, max_rows: 0 };
            args.file_format(Path::new(name)).map(|format| format.extension())
        };
        for (name, expected) in
            [("a.csv", ".csv"), ("A.TSV", ".tsv"), ("a.b.jsonl", ".json"), ("a.csv.gz", ".csv.gz"), ("a.parquet", ".parquet")]
        {
            assert_eq!(format(name, None).unwrap(), expected, "{name}");
        }
        assert_eq!(format("a.txt", Some(ResultFormat::Tsv)).unwrap(), ".tsv");
        for (name, given) in [("a.txt", None), ("a", None), ("a.parquet.gz", None), ("a.csv", Some(ResultFormat::Table))] {
            assert_eq!(format(name, given).unwrap_err().kind(), ErrorKind::Usage, "{name}");
        }
    }
}
