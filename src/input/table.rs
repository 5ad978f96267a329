//! Sources that are one table together: what they are, which columns they have, and who decodes them.

use super::arguments::Inputs;
use super::blocks::{Block, BlockReader, Content, MAX_LINE};
use super::framing::Framing;
use super::many::each;
use super::options::{FormatChoice, LogChoice, TableOptions};
use super::parquet::parquet_schema;
use super::source::Source;
use super::unknown_format::{is_nothing, nothing_but_nul, unknown_format};
use super::widening::{misfits, with_text};
use crate::accesslog::{DecodeOptions, LogDecoder, LogFormat, Preset, detect};
use crate::decode::Decoder;
use crate::error::{Error, ErrorKind, Result};
use crate::tabular::{
    CsvOptions, HiveText, JsonDecoder, OnMismatch, RowDecoder, RowSyntax, Typing, check_header, check_json_lines, delimiter_name,
    find_delimiter, infer_json, infer_rows, separator_line,
};
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
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
        format: Arc<LogFormat>,
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
            TableFormat::Log { format, .. } => format.schema(),
            TableFormat::Rows { schema, .. } | TableFormat::Json { schema, .. } | TableFormat::Parquet { schema } => schema.clone(),
            TableFormat::Hive(text) => text.schema.clone(),
        }
    }

    /// The name that reports show: a log's preset, or `csv`, `tsv`, `json`, `parquet`.
    pub fn name(&self) -> &str {
        match self {
            TableFormat::Log { format, .. } => format.name(),
            TableFormat::Rows { syntax, .. } => syntax.name(),
            TableFormat::Json { .. } => "json",
            TableFormat::Parquet { .. } => "parquet",
            TableFormat::Hive(text) => text.name(),
        }
    }

    /// Where records end; nothing for Parquet, which is not read by blocks.
    pub fn framing(&self) -> Option<Framing> {
        match self {
            TableFormat::Log { .. } | TableFormat::Json { .. } | TableFormat::Hive(_) => Some(Framing::Lines),
            TableFormat::Rows { syntax, .. } => Some(Framing::Rows(*syntax)),
            TableFormat::Parquet { .. } => None,
        }
    }

    /// A decoder of the columns at `projection`, all where not given; nothing for Parquet.
    pub fn decoder(&self, projection: Option<Vec<usize>>) -> Option<Box<dyn Decoder>> {
        match self {
            TableFormat::Log { format, unescape } => {
                Some(Box::new(LogDecoder::new(format.clone(), DecodeOptions { projection, unescape: *unescape })))
            }
            TableFormat::Rows { syntax, schema, typing } => Some(Box::new(RowDecoder::new(*syntax, schema.clone(), *typing, projection))),
            TableFormat::Json { schema, typing } => Some(Box::new(JsonDecoder::new(schema.clone(), *typing, projection))),
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
        let Inputs { sources, mut notes } = inputs.into();
        let choice = match options.format {
            FormatChoice::Auto => by_name(&sources)?,
            chosen => chosen,
        };
        options.check(choice)?;
        let format = match choice {
            FormatChoice::Log | FormatChoice::Auto => {
                let format = match &options.log {
                    LogChoice::Format(format) => format.clone(),
                    LogChoice::Auto => detect_log(&sources, &mut notes)?,
                };
                notes.extend(format.notes().iter().cloned());
                TableFormat::Log { format, unescape: options.unescape }
            }
            FormatChoice::Csv => open_csv(&sources, options, &mut notes)?,
            FormatChoice::Tsv => open_rows(&sources, RowSyntax::Tsv { header: !options.no_header }, options)?,
            FormatChoice::Json => open_json(&sources, options)?,
            FormatChoice::Parquet => TableFormat::Parquet { schema: parquet_schema(&sources, &mut notes)? },
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

fn open_csv(sources: &[Source], options: &TableOptions, notes: &mut Vec<String>) -> Result<TableFormat> {
    let usual = if sources.iter().any(|s| s.stem().ends_with(".tsv")) { b'\t' } else { b',' };
    let mut csv = CsvOptions { delimiter: usual, header: !options.no_header, dialect: options.dialect };
    csv.delimiter = match options.delimiter {
        Some(delimiter) => delimiter,
        None => delimiter(sources, usual, csv, options.schema.as_ref(), notes)?,
    };
    open_rows(sources, csv.into(), options)
}

fn open_rows(sources: &[Source], syntax: RowSyntax, options: &TableOptions) -> Result<TableFormat> {
    let schema = match &options.schema {
        Some(schema) => schema.clone(),
        None => {
            let (path, start) = first_records(sources, Framing::Rows(syntax.with_header(false)), Framing::Rows(syntax))?;
            infer_rows(&path, &start, syntax)?
        }
    };
    if syntax.has_header() {
        check_headers(sources, syntax, &schema)?;
    }
    if let Some(field) = schema.fields().iter().find(|field| field.data_type().is_nested()) {
        let name = syntax.name().to_uppercase();
        let message = format!("column {} is of a type that {name} has no values of: {}", field.name(), field.data_type());
        return Err(Error::new(ErrorKind::Usage, message).with_context("what to do", "declare it as string, or read JSON"));
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

fn open_json(sources: &[Source], options: &TableOptions) -> Result<TableFormat> {
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
        Some(schema) => schema.clone(),
        None => {
            let (path, start) = first_records(sources, Framing::Lines, Framing::Lines)?;
            infer_json(&path, &start)?
        }
    };
    Ok(TableFormat::Json { schema, typing: options.typing() })
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

/// Columns are told by their places, so every file must have the same ones in the same order.
fn check_headers(sources: &[Source], syntax: RowSyntax, schema: &SchemaRef) -> Result<()> {
    let framing = Framing::Rows(syntax.with_header(false));
    let check = |source: &Source| match BlockReader::peek(source, framing)?.starting_small().next_block()? {
        Some(Block { content: Content::Records(start), .. }) => check_header(&source.path, &start, syntax, schema),
        Some(Block { content: Content::LongLine { head, .. }, .. }) => Err(long_start(source, &head)),
        // A file without anything in it has no header, and no rows either.
        None => Ok(()),
    };
    each(sources, check).collect()
}

/// A few records of `source`, beside others; nothing where it has none, or long ones.
fn first_block(source: &Source, framing: Framing) -> Result<Option<Bytes>> {
    match BlockReader::peek(source, framing)?.starting_small().with_lines_of(FURTHER_LINE).next_block()? {
        Some(Block { content: Content::Records(start), .. }) => Ok(Some(start)),
        _ => Ok(None),
    }
}

/// How many sources are looked at, to tell what all have in common.
const LOOKED_AT: usize = 1_000;
/// The first line of a source is no longer than this where it is looked at beside others: many are at a time.
const FURTHER_LINE: usize = 1 << 20;
/// How many bytes of all sources are looked at to guess the columns.
const SAMPLE: usize = 16 << 20;

/// The error of a source whose first line is longer than a line may be, and begins with `head`.
fn long_start(source: &Source, head: &[u8]) -> Error {
    let mut hint = "a line may be that long in no log, CSV, TSV or JSON file";
    if memchr::memchr(0, head).is_some() {
        hint = "it has NUL bytes, as binary files have; text has none";
    }
    Error::new(ErrorKind::Format, format!("the first line of {} is longer than {} MiB", source.path, MAX_LINE >> 20))
        .with_context("what is wrong", hint)
        .with_context(
            "what to do",
            "where only that line is bad, name the format of a log (--log-format) or the columns of JSON (--schema): it is rejected",
        )
}

/// The first records of the first source that has any, framed as `first` says, and its path; behind them a few records of each of the
/// others, framed as `others` says: a column that has whole numbers in one file may have text in the next.
fn first_records(sources: &[Source], first: Framing, others: Framing) -> Result<(String, Bytes)> {
    let sources = &sources[..sources.len().min(LOOKED_AT)];
    for (index, source) in sources.iter().enumerate() {
        let bytes = match BlockReader::peek(source, first)?.next_block()? {
            Some(Block { content: Content::Records(bytes), .. }) => bytes,
            Some(Block { content: Content::LongLine { head, .. }, .. }) => return Err(long_start(source, &head)),
            None => continue,
        };
        if is_nothing(&bytes) {
            return Err(nothing_but_nul(source, ""));
        }
        let mut start = bytes.to_vec();
        let rest = &sources[index + 1..];
        for bytes in each(rest, |source| first_block(source, others)) {
            let Some(bytes) = bytes? else { continue };
            if !start.ends_with(b"\n") {
                start.push(b'\n');
            }
            start.extend_from_slice(&bytes);
            if start.len() > SAMPLE {
                break;
            }
        }
        return Ok((source.path.clone(), start.into()));
    }
    let path = sources.first().map_or("the input", |s| s.path.as_str());
    Err(Error::new(ErrorKind::Format, format!("{path} is empty, so its columns can't be told; name them with --schema")))
}

/// The format that the first source with lines is in. Others in another format are named in a note: their lines will not fit.
fn detect_log(sources: &[Source], notes: &mut Vec<String>) -> Result<Arc<LogFormat>> {
    let sources = &sources[..sources.len().min(LOOKED_AT)];
    for (index, source) in sources.iter().enumerate() {
        let lines = match BlockReader::peek(source, Framing::Lines)?.next_block()? {
            Some(Block { content: Content::Records(bytes), .. }) => first_lines(bytes),
            Some(Block { content: Content::LongLine { head, .. }, .. }) => return Err(long_start(source, &head)),
            None => None,
        };
        let Some(lines) = lines else { continue };
        let Some(found) = detect(&lines)? else { return Err(unknown_format(source, &lines)) };
        let share = match found.fitting == found.tried {
            true => String::new(),
            false => format!(": {} of the first {} lines fit", found.fitting, found.tried),
        };
        notes.push(format!("log format {} (found in {}{share})", found.format.name(), source.path));
        notes.extend(other_logs(&sources[index + 1..], &found.format)?);
        return Ok(found.format);
    }
    notes.push("log format combined (there is no line to tell it from)".to_string());
    Ok(Preset::Combined.format())
}

/// What is to be said of those of `sources` that are not in `format`.
fn other_logs(sources: &[Source], format: &LogFormat) -> Result<Option<String>> {
    // A few lines are enough: there may be very many files.
    let look = |source: &Source| match first_block(source, Framing::Lines)?.and_then(first_lines) {
        Some(lines) => detect(&lines),
        None => Ok(None),
    };
    let mut others: Vec<String> = Vec::new();
    for (source, found) in sources.iter().zip(each(sources, look)) {
        if let Some(found) = found?.filter(|found| found.format.text() != format.text()) {
            others.push(format!("{} looks like {}", source.path, found.format.name()));
        }
    }
    let [first, rest @ ..] = others.as_slice() else { return Ok(None) };
    let more = if rest.is_empty() { String::new() } else { format!(", and {} more files are in another format too", rest.len()) };
    Ok(Some(format!("not all files are in one format: {first}{more}; read them on their own, or their lines are rejected")))
}

/// The lines of a log's start that tell its format; nothing where all are blank.
fn first_lines(mut bytes: Bytes) -> Option<Bytes> {
    const LINES: usize = 1_000;
    if let Some(end) = memchr::memchr_iter(b'\n', &bytes).nth(LINES - 1) {
        bytes.truncate(end + 1);
    }
    (!bytes.trim_ascii().is_empty()).then_some(bytes)
}
