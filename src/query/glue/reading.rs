//! How the files of a table, or of a partition, are read: what its SerDe and its parameters say.

use crate::catalog::{Entry, SYMLINK_INPUT, StorageDescriptor};
use crate::error::{Error, ErrorKind, Result};
use crate::input::TableFormat;
use crate::tabular::{DelimitedFields, HiveText, LineSyntax, Pattern, QuotedFields};
use arrow::datatypes::{DataType, SchemaRef};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How files are read.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub(super) format: TableFormat,
    /// The columns of Parquet are told by their places, and not by their names.
    pub(super) by_place: bool,
}

/// The SerDes that others name, and what they are.
const OTHERS: [(&str, &str); 12] = [
    ("orc", "ORC"),
    ("avro", "Avro"),
    ("hudi", "Apache Hudi"),
    ("iceberg", "Apache Iceberg"),
    ("delta", "Delta Lake"),
    ("ion", "Amazon Ion"),
    ("grok", "lines by a Grok pattern"),
    ("cloudtrail", "CloudTrail's logs"),
    ("rcfile", "RCFile"),
    ("columnarserde", "RCFile"),
    ("cbor", "CBOR"),
    ("multidelimitserde", "text whose delimiter has several characters"),
];

/// Refuses tables whose files alone don't tell their rows.
pub(super) fn refuse_lakes_of_others(entry: &Entry) -> Result<()> {
    let of = |key: &str| entry.parameters.get(key).map(|value| value.to_lowercase()).unwrap_or_default();
    let kind = match (of("table_type").as_str(), of("spark.sql.sources.provider").as_str()) {
        ("iceberg", _) | (_, "iceberg") => "an Apache Iceberg table",
        ("delta", _) | (_, "delta") => "a Delta Lake table",
        ("hudi", _) | (_, "hudi") => "an Apache Hudi table",
        _ => return Ok(()),
    };
    Err(refused(entry, &format!("it is {kind}, and which of its files hold its rows is told by its own metadata")))
}

/// How files with the columns `schema` are read that are stored as `storage` says.
///
/// # Errors
/// [`ErrorKind::Query`] for what can't be read here, with the reason.
pub(super) fn reading(entry: &Entry, storage: &StorageDescriptor, schema: &SchemaRef) -> Result<Reading> {
    let library = storage.serde.library.as_str();
    let class = library.rsplit('.').next().unwrap_or_default();
    let settings = Settings { entry, serde: &storage.serde.parameters };
    let told = |syntax| text(entry, &settings, schema, syntax);
    let mut by_place = false;
    let format = match class {
        "ParquetHiveSerDe" => {
            by_place = settings.is("parquet.column.index.access");
            TableFormat::Parquet { schema: schema.clone() }
        }
        "OpenCSVSerde" => {
            refuse_nested(entry, schema, "CSV")?;
            told(LineSyntax::Quoted(quoted(&settings)?))?
        }
        "LazySimpleSerDe" => {
            refuse_nested(entry, schema, "delimited text")?;
            told(LineSyntax::Delimited(delimited(&settings)?))?
        }
        "JsonSerDe" => {
            if let Some(key) = storage.serde.parameters.keys().find(|key| key.starts_with("mapping.")) {
                return Err(refused(entry, &format!("its SerDe gives keys other names (`{key}`), which etl doesn't support")));
            }
            told(LineSyntax::Json)?
        }
        "RegexSerDe" => {
            refuse_nested(entry, schema, "lines by a regular expression")?;
            let Some(text) = settings.of("input.regex") else {
                return Err(refused(entry, "its SerDe has no `input.regex`"));
            };
            let pattern = Pattern::new(text, settings.is("input.regex.case.insensitive"));
            told(LineSyntax::Pattern(Arc::new(pattern.map_err(|e| e.with_context("table", entry.full_name()))?)))?
        }
        _ => {
            let named = format!("{library} {}", storage.input_format).to_lowercase();
            let known = OTHERS.iter().find(|(word, _)| named.contains(word));
            return Err(match known {
                Some((_, what)) => refused(entry, &format!("its files are {what}, which etl doesn't read")),
                None if library.is_empty() => refused(entry, "it has no SerDe that tells how its files are read"),
                None => refused(entry, &format!("etl doesn't know its SerDe {library}")),
            });
        }
    };
    check_input(entry, storage, &format)?;
    Ok(Reading { format, by_place })
}

/// What is told by the SerDe, or by the table.
struct Settings<'a> {
    entry: &'a Entry,
    serde: &'a BTreeMap<String, String>,
}

impl<'a> Settings<'a> {
    fn of(&self, key: &str) -> Option<&'a str> {
        self.serde.get(key).or_else(|| self.entry.parameters.get(key)).map(String::as_str)
    }

    fn is(&self, key: &str) -> bool {
        self.of(key).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The first character of a setting, which is one of ASCII.
    fn sign(&self, key: &str, usual: u8) -> Result<u8> {
        match self.of(key).and_then(|text| text.chars().next()) {
            None => Ok(usual),
            Some(sign) if sign.is_ascii() => Ok(sign as u8),
            Some(sign) => Err(refused(self.entry, &format!("`{key}` is `{sign}`, but only ASCII characters are supported"))),
        }
    }

    /// A sign as Hive has it: a character, or the number of one.
    fn numbered(&self, key: &str) -> Option<u8> {
        let text = self.of(key)?;
        match text.parse::<i8>() {
            Ok(number) => Some(number as u8),
            Err(_) => text.bytes().next(),
        }
    }

    fn count(&self, key: &str) -> Result<u64> {
        let Some(text) = self.of(key) else { return Ok(0) };
        text.trim().parse().map_err(|_| refused(self.entry, &format!("`{key}` is `{text}`, which is not a number of lines")))
    }
}

/// What tables of ours have for the escape where nothing is escaped: a code that is no character. As a byte it is one that no text has.
const NO_ESCAPE: &str = "\u{ffff}";
const NO_SIGN: u8 = 0xff;

fn quoted(settings: &Settings<'_>) -> Result<QuotedFields> {
    let (separator, quote) = (settings.sign("separatorChar", b',')?, settings.sign("quoteChar", b'"')?);
    // A quote as the escape means a backslash to that reader.
    let escape = if settings.of("escapeChar") == Some(NO_ESCAPE) { Ok(NO_SIGN) } else { settings.sign("escapeChar", b'\\') };
    let escape = match escape? {
        b'"' => b'\\',
        escape => escape,
    };
    if separator == quote || separator == escape || (quote == escape && quote != 0) {
        return Err(refused(settings.entry, "its separator, quote and escape are not three different characters"));
    }
    Ok(QuotedFields { separator, quote, escape })
}

fn delimited(settings: &Settings<'_>) -> Result<DelimitedFields> {
    if let Some(line) = settings.of("line.delim").filter(|line| *line != "\n" && *line != "10") {
        return Err(refused(settings.entry, &format!("its lines end with {line:?}, but only line feeds are supported")));
    }
    let separator = settings.numbered("field.delim").or_else(|| settings.numbered("serialization.format")).unwrap_or(1);
    let null = settings.of("serialization.null.format").unwrap_or("\\N");
    Ok(DelimitedFields {
        separator,
        escape: settings.numbered("escape.delim"),
        null: null.as_bytes().into(),
        last_takes_rest: settings.is("serialization.last.column.takes.rest"),
    })
}

fn text(entry: &Entry, settings: &Settings<'_>, schema: &SchemaRef, syntax: LineSyntax) -> Result<TableFormat> {
    if settings.count("skip.footer.line.count")? > 0 {
        return Err(refused(entry, "the last lines of its files are passed over (`skip.footer.line.count`), which etl doesn't support"));
    }
    let header_lines = settings.count("skip.header.line.count")?;
    Ok(TableFormat::Hive(HiveText { syntax, schema: schema.clone(), header_lines }))
}

fn refuse_nested(entry: &Entry, schema: &SchemaRef, what: &str) -> Result<()> {
    let odd = schema.fields().iter().find(|field| field.data_type().is_nested() || *field.data_type() == DataType::Binary);
    match odd {
        Some(field) => Err(refused(entry, &format!("column {} of {what} is an array, a map, a struct or binary", field.name()))),
        None => Ok(()),
    }
}

/// What cuts the files into rows must be what the SerDe expects.
fn check_input(entry: &Entry, storage: &StorageDescriptor, format: &TableFormat) -> Result<()> {
    let class = storage.input_format.rsplit('.').next().unwrap_or_default();
    let fits = match format {
        _ if is_listed(storage) => true,
        TableFormat::Parquet { .. } => class.contains("Parquet"),
        _ => class == "TextInputFormat",
    };
    if fits { Ok(()) } else { Err(refused(entry, &format!("its input format {} doesn't go with its SerDe", storage.input_format))) }
}

/// Whether a list names the files.
pub(super) fn is_listed(storage: &StorageDescriptor) -> bool {
    storage.input_format == SYMLINK_INPUT
}

/// The error of a table that can't be read.
pub(super) fn refused(entry: &Entry, why: &str) -> Error {
    Error::new(ErrorKind::Query, format!("the table {} can't be read here: {why}", entry.full_name()))
        .with_context("what to do", "query it with Athena, or have it written as Parquet, CSV, JSON or delimited text")
}
