//! How sources are to be read.

use crate::accesslog::{LogFormats, Prefix};
use crate::error::{Error, ErrorKind, Result};
use crate::tabular::{CsvDialect, OnMismatch, Renames, Typing};
use arrow::datatypes::SchemaRef;
use serde::Serialize;

/// What kind of data the sources hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FormatChoice {
    /// Told by the names' endings; what has none of a table's is a log.
    #[default]
    Auto,
    Log,
    /// With any delimiter: files whose names end in `.tsv` are this too where nothing else is said, as quotes are mostly meant as quotes.
    Csv,
    /// As Hive's LazySimpleSerDe has it.
    Tsv,
    Json,
    Parquet,
}

impl FormatChoice {
    /// Whether the types of columns are told from texts, and can be declared.
    pub fn is_typed(self) -> bool {
        matches!(self, FormatChoice::Csv | FormatChoice::Tsv | FormatChoice::Json)
    }
}

/// Which LogFormats a log is of.
#[derive(Debug, Clone)]
pub enum LogChoice {
    /// The preset that the first lines fit, behind the prefix or, where none is named, behind any.
    Auto(Option<Prefix>),
    Formats(LogFormats),
}

impl Default for LogChoice {
    fn default() -> Self {
        LogChoice::Auto(None)
    }
}

/// How sources are read.
#[derive(Debug, Clone, Default)]
pub struct TableOptions {
    pub format: FormatChoice,
    pub log: LogChoice,
    /// Decode Apache's escapes in values.
    pub unescape: bool,
    /// CSV's delimiter; found in the first lines where not given.
    pub delimiter: Option<u8>,
    /// CSV and TSV files have no header.
    pub no_header: bool,
    /// How CSV files are escaped.
    pub dialect: CsvDialect,
    /// The columns of CSV, TSV and JSON; guessed from the first lines where not given. Of Parquet what an earlier run found.
    pub schema: Option<SchemaRef>,
    /// The names that columns of CSV, TSV and JSON had before.
    pub renames: Renames,
    /// That schema was guessed by an earlier run, and not declared.
    pub guessed: bool,
    /// What becomes of values of CSV, TSV and JSON that are none of their column's type.
    pub on_mismatch: OnMismatch,
}

impl TableOptions {
    /// Whether files of the kind `choice` can be read as these say.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where something is said that such files have not.
    pub(super) fn check(&self, choice: FormatChoice) -> Result<()> {
        if self.schema.is_some() && !choice.is_typed() && !(self.guessed && choice == FormatChoice::Parquet) {
            let message = "--schema is for CSV, TSV and JSON inputs: a log's columns come from its LogFormat, and Parquet has its own";
            return Err(Error::new(ErrorKind::Usage, message));
        }
        let of_csv = self.delimiter.is_some_and(|delimiter| delimiter != b'\t') || self.dialect != CsvDialect::default();
        if choice == FormatChoice::Tsv && of_csv {
            let message = "--delimiter and --from-dialect are for CSV: TSV has tabs between fields, and backslashes as escapes";
            return Err(Error::new(ErrorKind::Usage, message)
                .with_context("what to do", "leave them out, or read files with quotes or other delimiters with --from csv"));
        }
        Ok(())
    }

    /// How strict the types of columns are.
    pub(super) fn typing(&self) -> Typing {
        Typing { guessed: self.guessed || self.schema.is_none(), on_mismatch: self.on_mismatch, ..Typing::default() }
    }
}
