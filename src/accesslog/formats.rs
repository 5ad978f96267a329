//! The formats that the lines of one log are in: mostly one, and more where its LogFormat changed.

use super::{LogFormat, Prefix, Preset};
use crate::error::{Error, ErrorKind, Result};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use std::collections::HashMap;
use std::sync::Arc;

/// One or more formats, the first of which that fits a line is the line's. Their columns are one table's: told by name, those of the first
/// before what others have beside them, and NULL where a line's format hasn't them.
#[derive(Debug, Clone)]
pub struct LogFormats {
    formats: Arc<[Arc<LogFormat>]>,
    schema: SchemaRef,
    name: Arc<str>,
    text: Arc<str>,
}

impl From<Arc<LogFormat>> for LogFormats {
    fn from(format: Arc<LogFormat>) -> Self {
        LogFormats { schema: format.schema(), name: format.name().into(), text: format.text().into(), formats: Arc::new([format]) }
    }
}

impl LogFormats {
    /// What is between the texts of formats.
    pub const BETWEEN: &str = "\n";

    /// The `formats` in the order in which they are tried.
    ///
    /// # Errors
    /// [`ErrorKind::Format`] where there is none, where two are the same, or where a column is of types that have none in common.
    pub fn new(formats: Vec<Arc<LogFormat>>) -> Result<LogFormats> {
        let mut all = formats.iter();
        let first = all.next().ok_or_else(|| Error::new(ErrorKind::Format, "no log format is named"))?;
        if formats.len() == 1 {
            return Ok(first.clone().into());
        }
        let mut fields: Vec<Field> = first.schema().fields().iter().map(|field| Field::clone(field)).collect();
        for (index, format) in all.enumerate() {
            if let Some(same) = formats[..=index].iter().find(|before| before.text() == format.text()) {
                return Err(Error::new(ErrorKind::Format, format!("the log format {} is named twice", shown(same))));
            }
            for field in format.schema().fields() {
                match fields.iter_mut().find(|known| known.name() == field.name()) {
                    Some(known) => join(known, field, format)?,
                    None => fields.push(Field::clone(field)),
                }
            }
        }
        let list = |of: fn(&LogFormat) -> &str, between: &str| formats.iter().map(|format| of(format)).collect::<Vec<_>>().join(between);
        Ok(LogFormats {
            schema: Arc::new(Schema::new(fields)),
            name: list(LogFormat::name, ", ").into(),
            text: list(LogFormat::text, LogFormats::BETWEEN).into(),
            formats: formats.into(),
        })
    }

    /// The formats that `names` name: presets by their names, others as LogFormat strings.
    ///
    /// # Errors
    /// As [`LogFormats::new`], and where a LogFormat can't be read.
    pub fn named<S: AsRef<str>>(names: &[S]) -> Result<LogFormats> {
        LogFormats::new(names.iter().map(|name| named_format(name.as_ref())).collect::<Result<_>>()?)
    }

    /// In the order in which they are tried.
    pub fn all(&self) -> &[Arc<LogFormat>] {
        &self.formats
    }

    /// The format, where there is only one.
    pub fn single(&self) -> Option<&Arc<LogFormat>> {
        match &*self.formats {
            [one] => Some(one),
            _ => None,
        }
    }

    /// Whether some lines say which fields those behind them have.
    pub fn have_headings(&self) -> bool {
        self.formats.iter().any(|format| format.heading.is_some())
    }

    /// What messages call them.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The LogFormat strings, a line each.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What a user should know before trusting the result.
    pub fn notes(&self) -> impl Iterator<Item = &String> {
        self.formats.iter().flat_map(|format| format.notes())
    }

    /// The columns of the table.
    pub fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}

/// The format that `text` is or names, perhaps behind `prefix=…`: a preset by its name, others in their notation.
///
/// # Errors
/// [`ErrorKind::Format`] where it can't be read.
pub fn named_format(text: &str) -> Result<Arc<LogFormat>> {
    let (prefix, rest) = Prefix::split(text);
    let preset = Preset::ALL.into_iter().find(|preset| preset.name() == rest || preset.log_format() == rest);
    match (preset, prefix) {
        (Some(preset), Prefix::None) => Ok(preset.format()),
        (Some(preset), _) => behind(prefix, preset.name(), preset.log_format()),
        (None, _) => LogFormat::parse("custom", text).map(Arc::new),
    }
}

/// The format `text`, called `name`, of lines behind `prefix`.
///
/// # Errors
/// [`ErrorKind::Format`] where it can't be read.
pub fn behind(prefix: Prefix, name: &str, text: &str) -> Result<Arc<LogFormat>> {
    match prefix {
        Prefix::None => LogFormat::parse(name, text).map(Arc::new),
        _ => LogFormat::parse(name, &format!("prefix={} {text}", prefix.name())).map(Arc::new),
    }
}

/// What the `format` is called where others stand beside it: those that have no name are told by what they are.
fn shown(format: &LogFormat) -> String {
    match Preset::named(format.name()) {
        Some(preset) if preset.log_format() == format.text() => format.name().to_string(),
        _ => format!("`{}`", format.text()),
    }
}

/// Makes `known` a column that holds the values of `other`, a column of `format`, too.
fn join(known: &mut Field, other: &Field, format: &LogFormat) -> Result<()> {
    use DataType::{Int32, Int64, Timestamp};
    let data_type = match (known.data_type(), other.data_type()) {
        (one, other) if one == other => one.clone(),
        (Int32 | Int64, Int32 | Int64) => Int64,
        (Timestamp(_, zone), Timestamp(..)) => Timestamp(TimeUnit::Microsecond, zone.clone()),
        _ => {
            let message = format!("column `{}` of {} is of another type than in the format before it", known.name(), shown(format));
            return Err(Error::new(ErrorKind::Format, message)
                .with_context("what to do", "read logs of such formats as two sources, and put them together in SQL"));
        }
    };
    let directive = |field: &Field| field.metadata().get("directive").cloned().unwrap_or_default();
    let mut directives = directive(known);
    if !directives.split(", ").any(|one| one == directive(other)) {
        directives = format!("{directives}, {}", directive(other));
    }
    *known = Field::new(known.name(), data_type, true).with_metadata(HashMap::from([("directive".to_string(), directives)]));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formats(texts: &[&str]) -> Result<LogFormats> {
        LogFormats::named(texts)
    }

    #[test]
    fn columns_are_joined_by_name() {
        let both = formats(&["%h %t %b", "%h %{usec}t %>s %b"]).unwrap();
        let columns: Vec<String> = both.schema().fields().iter().map(|f| format!("{} {}", f.name(), f.data_type())).collect();
        assert_eq!(columns, ["host Utf8View", "time Timestamp(µs, \"UTC\")", "bytes Int64", "status Int32"]);
        assert_eq!(both.schema().field(1).metadata()["directive"], "%t, %{usec}t");
        assert_eq!((both.name(), both.text()), ("custom, custom", "%h %t %b\n%h %{usec}t %>s %b"));
        assert!(both.single().is_none() && formats(&["%h"]).unwrap().single().is_some());
    }

    #[test]
    fn the_same_twice_and_types_that_differ_are_refused() {
        let wrong = |texts| formats(texts).unwrap_err().to_string();
        assert_eq!(wrong(&["%h", "%h %b", "%h"]), "the log format `%h` is named twice");
        assert!(wrong(&["%h %{bytes}i", "%b %h"]).contains("column `bytes` of `%b %h` is of another type"));
        assert_eq!(wrong(&[]), "no log format is named");
    }
}
