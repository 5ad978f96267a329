//! Tells whether what a pipeline says of an output is still the same.

use crate::accesslog::LogFormats;
use crate::error::{Error, ErrorKind, Result};
use crate::output::Timestamps;
use crate::pipeline::model::{Output, Pipeline, Source};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// What an output depends on, as hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Definition {
    /// Of all that decides which bytes are written.
    pub(crate) all: String,
    /// Of what must be the same for the rows of two runs to be in one table.
    pub(crate) shape: String,
}

impl Definition {
    /// The definition of `output`.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] where it can't be written as JSON.
    pub(crate) fn of(pipeline: &Pipeline, output: &Output) -> Result<Definition> {
        let (sources, transforms) = inputs(pipeline, output);
        let sql: Vec<Value> = transforms.iter().map(|name| json!(pipeline.transform(name))).collect();
        let read: Vec<Value> = sources.iter().filter_map(|name| pipeline.source(name)).map(reading).collect();
        let mut shape = json!({
            "from": output.from, "kind": output.format.kind, "dialect": output.format.dialect, "partition_by": output.partition_by,
            "transforms": sql, "sources": read,
        });
        if output.has_days() && !output.timezone.is_utc() {
            shape["timezone"] = json!(output.timezone);
        }
        let mut all = json!({ "shape": shape, "format": output.format, "layout": output.layout, "mode": output.mode });
        if output.format.timestamps != Timestamps::Millis {
            all["timestamps"] = json!(output.format.timestamps);
        }
        let formats = sources.iter().filter_map(|name| pipeline.source(name)).map(|source| &source.log_formats);
        let several: Vec<&Vec<String>> = formats.filter(|formats| formats.len() > 1).collect();
        if !several.is_empty() {
            all["log_formats"] = json!(several);
        }
        Ok(Definition { all: hash(&all)?, shape: hash(&shape)? })
    }
}

/// How a source is read; where its files are may change.
fn reading(source: &Source) -> Value {
    let mut reading = json!({
        "name": source.name, "format": source.format, "log_format": log_format(source), "unescape": source.unescape,
        "delimiter": source.delimiter, "header": source.header,
        "schema": source.schema.as_ref().map(|path| std::fs::read_to_string(path).unwrap_or_default()),
    });
    if !source.renames.is_empty() {
        reading["renames"] = json!(source.renames);
    }
    reading
}

/// Of more formats than one the first, with the columns that others add to it: another format alone makes no other table of the rows that
/// are there.
fn log_format(source: &Source) -> Value {
    let [first, _, ..] = &source.log_formats[..] else { return json!(source.log_formats.first()) };
    let columns = |names: &[String]| -> Vec<String> {
        let schema = LogFormats::named(names).map(|formats| formats.schema());
        schema.iter().flat_map(|schema| schema.fields()).map(|field| format!("{} {}", field.name(), field.data_type())).collect()
    };
    let (own, all) = (columns(std::slice::from_ref(first)), columns(&source.log_formats));
    if own == all { json!(first) } else { json!({ "first": first, "columns": all }) }
}

/// The sources and transforms that `output` needs, each in the order of the pipeline.
pub(crate) fn inputs(pipeline: &Pipeline, output: &Output) -> (Vec<String>, Vec<String>) {
    let mut needed = vec![output.from.clone()];
    // Each transform needs only those before it: so the last is looked at first.
    for transform in pipeline.transforms.iter().rev().filter(|_| pipeline.source(&output.from).is_none()) {
        if needed.contains(&transform.name) {
            needed.extend(transform.reads.iter().cloned());
        }
    }
    let sources = pipeline.sources.iter().map(|source| &source.name).filter(|name| needed.contains(name)).cloned().collect();
    let transforms = pipeline.transforms.iter().map(|transform| &transform.name).filter(|name| needed.contains(name)).cloned().collect();
    (sources, transforms)
}

fn hash(value: &Value) -> Result<String> {
    let text = serde_json::to_vec(value).map_err(|e| Error::new(ErrorKind::Internal, "a definition can't be written").with_source(e))?;
    Ok(hex::encode(Sha256::digest(&text)))
}
