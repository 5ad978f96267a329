//! Sources that are one table together: what they are, which columns they have, and who decodes them.

use super::arguments::Inputs;
use super::beginnings::{LOOKED_AT, first_block, first_records};
use super::blocks::{Block, BlockReader, Content};
use super::framing::Framing;
use super::layouts;
use super::log_detection::{detect_log, first_lines};
use super::many::each;
use super::options::{FormatChoice, LogChoice, TableOptions};
use super::parquet::parquet_schema;
use super::source::Source;
use super::widening::{misfits, with_text};
use crate::accesslog::{DecodeOptions, LogDecoder, LogFormats, detect};
use crate::decode::Decoder;
use crate::error::{Error, ErrorKind, Result};
use crate::tabular::{
    CsvOptions, HiveText, JsonDecoder, OnMismatch, Renames, RowDecoder, RowSyntax, Typing, check_json_lines, delimiter_name,
    find_delimiter, infer_json, infer_rows, renamed_lines, separator_line,
};
use arrow::datatypes::{Field, Schema, SchemaRef};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Sources of one format and one schema.
#[derive(Debug, Clone)]
pub struct Table {
    pub sources: Vec<Source>,
    pub format: TableFormat,
    /// What the user should know: which format was taken and why.
    pub notes: Vec<String>,
    /// How many values made which columns text: see [`OnMismatch::Text`].
    pub misfits: BTreeMap<String, u64>,
}

/// The format of a table's sources, ready to decode; of CSV and TSV it is `Rows`.
#[derive(Debug, Clone)]
pub enum TableFormat {
    Log {
        formats: LogFormats,
        unescape: bool,
    },
    Rows {
        syntax: RowSyntax,
        schema: SchemaRef,
        typing: Typing,
    },
    Json {
        schema: SchemaRef,
        typing: Typing,
        renames: Renames,
    },
    Parquet {
        schema: SchemaRef,
    },
    /// Lines as Hive's readers have them.
    Hive(HiveText),
}

impl TableFormat {
    /// All columns of the table.
    pub fn schema(&self) -> SchemaRef {
        match self {
            TableFormat::Log { formats, .. } => formats.schema(),
            TableFormat::Rows { schema, .. } | TableFormat::Json { schema, .. } | TableFormat::Parquet { schema } => schema.clone(),
            TableFormat::Hive(text) => text.schema.clone(),
        }
    }

    /// The name that reports show: a log's preset, or `csv`, `tsv`, `json`, `parquet`.
    pub fn name(&self) -> &str {
        match self {
            TableFormat::Log { formats, .. } => formats.name(),
            TableFormat::Rows { syntax, .. } => syntax.name(),
            TableFormat::Json { .. } => "json",
            TableFormat::Parquet { .. } => "parquet",
            TableFormat::Hive(text) => text.name(),
        }
    }

    /// Where records end; nothing for Parquet, which is not read by blocks.
    pub fn framing(&self) -> Option<Framing> {
        match self {
            TableFormat::Log { formats, .. } if formats.have_headings() => Some(Framing::Headed),
            TableFormat::Log { .. } | TableFormat::Json { .. } | TableFormat::Hive(_) => Some(Framing::Lines),
            TableFormat::Rows { syntax, .. } => Some(Framing::Rows(*syntax)),
            TableFormat::Parquet { .. } => None,
        }
    }

    /// A decoder of the columns at `projection`, all where not given; nothing for Parquet.
    pub fn decoder(&self, projection: Option<Vec<usize>>) -> Option<Box<dyn Decoder>> {
        match self {
            TableFormat::Log { formats, unescape } => {
                Some(Box::new(LogDecoder::new(formats.clone(), DecodeOptions { projection, unescape: *unescape })))
            }
            TableFormat::Rows { syntax, schema, typing } => Some(Box::new(RowDecoder::new(*syntax, schema.clone(), *typing, projection))),
            TableFormat::Json { schema, typing, renames } => {
                Some(Box::new(JsonDecoder::new(schema.clone(), *typing, projection).renaming(renames.clone())))
            }
            TableFormat::Hive(text) => Some(text.decoder(projection)),
            TableFormat::Parquet { .. } => None,
        }
    }

    /// How many lines at the start of each file are none of its rows, where that is not told by its framing.
    pub fn header_lines(&self) -> u64 {
        if let TableFormat::Hive(text) = self { text.header_lines } else { 0 }
    }

    /// Whether a value that is none of its column's type is NULL, and its line no reject.
    pub fn makes_nulls(&self) -> bool {
        matches!(self, TableFormat::Hive(text) if text.makes_nulls())
    }
}

impl Table {
    /// Finds out what `inputs` are, by options, names and first lines.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where one can't be read, [`ErrorKind::Format`] where it can't be told what they are.
    pub fn open(inputs: impl Into<Inputs>, options: &TableOptions) -> Result<Table> {
        let Inputs { mut sources, mut notes } = inputs.into();
        let choice = match options.format {
            FormatChoice::Auto => by_name(&sources)?,
            chosen => chosen,
        };
        options.check(choice)?;
        if let (FormatChoice::Csv | FormatChoice::Tsv, None) = (choice, &options.schema) {
            refuse_log(&sources, if choice == FormatChoice::Csv { "CSV" } else { "TSV" })?;
        }
        let format = match choice {
            FormatChoice::Log | FormatChoice::Auto => {
                let formats = match &options.log {
                    LogChoice::Formats(formats) => formats.clone(),
                    LogChoice::Auto(prefix) => detect_log(&sources, *prefix, &mut notes)?,
                };
                notes.extend(formats.notes().cloned());
                TableFormat::Log { formats, unescape: options.unescape }
            }
            FormatChoice::Csv => open_csv(&mut sources, options, &mut notes)?,
            FormatChoice::Tsv => open_rows(&mut sources, RowSyntax::Tsv { header: !options.no_header }, options, &mut notes)?,
            FormatChoice::Json => open_json(&sources, options, &mut notes)?,
            FormatChoice::Parquet => TableFormat::Parquet { schema: parquet_schema(&sources, options.schema.as_ref(), &mut notes)? },
        };
        let mut table = Table { sources, format, notes, misfits: BTreeMap::new() };
        if options.on_mismatch == OnMismatch::Text {
            table.widen()?;
        }
        Ok(table)
    }

    /// What is to be said of columns that differ only in case.
    pub fn alike(&self) -> Option<String> {
        let (schema, mut seen) = (self.format.schema(), HashMap::new());
        schema.fields().iter().find_map(|field| {
            let other = seen.insert(field.name().to_lowercase(), field.name().clone())?;
            Some(format!("the columns `{other}` and `{}` differ only in case: they are two, but not for Athena and Hive", field.name()))
        })
    }

    /// Makes columns text that have values which are none of their type.
    fn widen(&mut self) -> Result<()> {
        let format = self.format.clone();
        let (TableFormat::Rows { schema, .. } | TableFormat::Json { schema, .. }, Some(framing)) = (&mut self.format, format.framing())
        else {
            return Ok(());
        };
        let decoder = || format.decoder(Some(Vec::new())).unwrap_or_else(|| unreachable!("what has a framing has a decoder"));
        let found = misfits(&self.sources, framing, decoder)?;
        if found.is_empty() {
            return Ok(());
        }
        *schema = with_text(schema, &found);
        self.misfits = found.into_iter().map(|(column, values)| (schema.field(column).name().clone(), values)).collect();
        let names: Vec<&str> = self.misfits.keys().map(String::as_str).collect();
        self.notes.push(format!("columns are text because not all of their values are of their types: {}", names.join(", ")));
        Ok(())
    }
}

/// Refuses to read as rows of `name` what is an access log.
fn refuse_log(sources: &[Source], name: &str) -> Result<()> {
    for source in &sources[..sources.len().min(LOOKED_AT)] {
        let Some(lines) = first_block(source, Framing::Lines)?.and_then(first_lines) else { continue };
        return match detect(&lines)?.filter(|found| found.fitting == found.tried) {
            Some(found) => {
                let message = format!("{} looks like an access log ({}), not like {name}", source.path, found.format.name());
                Err(Error::new(ErrorKind::Format, message).with_context("what to do", "give --from log (in a pipeline format: log)"))
            }
            None => Ok(()),
        };
    }
    Ok(())
}

fn open_csv(sources: &mut [Source], options: &TableOptions, notes: &mut Vec<String>) -> Result<TableFormat> {
    let usual = if sources.iter().any(|s| s.stem().ends_with(".tsv")) { b'\t' } else { b',' };
    let mut csv = CsvOptions { delimiter: usual, header: !options.no_header, dialect: options.dialect };
    csv.delimiter = match options.delimiter {
        Some(delimiter) => delimiter,
        None => delimiter(sources, usual, csv, options.schema.as_ref(), notes)?,
    };
    open_rows(sources, csv.into(), options, notes)
}

fn open_rows(sources: &mut [Source], syntax: RowSyntax, options: &TableOptions, notes: &mut Vec<String>) -> Result<TableFormat> {
    let schema = match &options.schema {
        _ if syntax.has_header() => layouts::columns(sources, syntax, options, notes)?,
        Some(schema) => schema.clone(),
        None => {
            let (path, start) = first_records(sources, Framing::Rows(syntax), Framing::Rows(syntax))?;
            infer_rows(&path, &start, syntax)?
        }
    };
    if let Some(error) = layouts::nested(&schema, syntax) {
        return Err(error);
    }
    Ok(TableFormat::Rows { syntax, schema, typing: options.typing() })
}

/// The delimiter of the first source that has lines.
fn delimiter(sources: &[Source], usual: u8, csv: CsvOptions, schema: Option<&SchemaRef>, notes: &mut Vec<String>) -> Result<u8> {
    for source in &sources[..sources.len().min(LOOKED_AT)] {
        let Some(start) = first_block(source, Framing::Lines)? else { continue };
        if let Some((_, delimiter)) = separator_line(&start) {
            notes.push(format!("the delimiter is {} (named in the first line of {})", delimiter_name(delimiter), source.path));
            return Ok(delimiter);
        }
        let delimiter = find_delimiter(&start, usual, csv, schema.map(|schema| schema.fields().len()));
        if delimiter != usual {
            notes.push(format!("the delimiter is {} (found in {}); --delimiter names another", delimiter_name(delimiter), source.path));
        }
        if delimiter == b'\t' && start.split(|byte| b"\t\r\n".contains(byte)).any(|field| field == b"\\N") {
            let hint = "--from tsv (in a pipeline format: tsv) reads NULL there, and backslashes as escapes";
            notes.push(format!("{} has fields of `\\N`, which is text in CSV; {hint}", source.path));
        }
        return Ok(delimiter);
    }
    Ok(usual)
}

fn open_json(sources: &[Source], options: &TableOptions, notes: &mut Vec<String>) -> Result<TableFormat> {
    let check = |source: &Source| {
        let mut reader = BlockReader::peek(source, Framing::Lines)?.starting_small();
        match reader.next_block()? {
            Some(Block { content: Content::Records(start) | Content::LongLine { head: start, .. }, .. }) => {
                check_json_lines(&source.path, reader.compression().unpack(), &start)
            }
            None => Ok(()),
        }
    };
    each(sources, check).collect::<Result<()>>()?;
    let schema = match &options.schema {
        Some(known) if options.guessed => with_new_keys(sources, known, &options.renames, notes)?,
        Some(schema) => schema.clone(),
        None => {
            let (path, start) = first_records(sources, Framing::Lines, Framing::Lines)?;
            infer_json(&path, &renamed_lines(&start, &options.renames))?
        }
    };
    Ok(TableFormat::Json { schema, typing: options.typing(), renames: options.renames.clone() })
}

/// The columns that an earlier run guessed, with those that the first lines of `sources` have beside them.
fn with_new_keys(sources: &[Source], known: &SchemaRef, renames: &Renames, notes: &mut Vec<String>) -> Result<SchemaRef> {
    // Of files that can't tell it each line says itself whether it fits.
    let Ok(found) =
        first_records(sources, Framing::Lines, Framing::Lines).and_then(|(path, start)| infer_json(&path, &renamed_lines(&start, renames)))
    else {
        return Ok(known.clone());
    };
    let mut fields: Vec<Field> = known.fields().iter().map(|field| Field::clone(field)).collect();
    for field in found.fields() {
        let place = fields.iter().position(|known| known.name() == field.name());
        layouts::grow(&mut fields, place, field, "new files", notes);
    }
    Ok(Arc::new(Schema::new(fields)))
}

/// What `source` is, told by the ending of its name.
pub fn format_of(source: &Source) -> FormatChoice {
    match source.stem().rsplit_once('.').map(|(_, ending)| ending) {
        Some("csv" | "tsv") => FormatChoice::Csv,
        Some("json" | "jsonl" | "ndjson") => FormatChoice::Json,
        Some("parquet") => FormatChoice::Parquet,
        _ => FormatChoice::Log,
    }
}

/// Tells tables from logs by the endings of the names; all sources must agree.
fn by_name(sources: &[Source]) -> Result<FormatChoice> {
    let Some(first) = sources.first() else { return Ok(FormatChoice::Log) };
    match sources.iter().find(|s| format_of(s) != format_of(first)) {
        Some(other) => Err(Error::new(
            ErrorKind::Usage,
            format!("{} and {} are not of one format: read them one at a time, or say which with --from", first.path, other.path),
        )),
        None => Ok(format_of(first)),
    }
}
