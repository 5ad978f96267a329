//! What becomes of the lines that are not rows: a file of them, counts by reason, the first ones as examples.

use super::options::OnError;
use super::rejects_file::{RejectsFile, RejectsWriter};
use super::report::RejectExample;
use crate::decode::Reject;
use crate::error::{Error, ErrorKind, Result};
use crate::input::Source;
use crate::secrets;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many rejects a report shows.
const EXAMPLES: usize = 5;

/// Takes the rejects of a run in the order of the input.
#[derive(Debug)]
pub(super) struct Rejects {
    on_error: OnError,
    file: Option<RejectsWriter>,
    pub by_reason: BTreeMap<Arc<str>, u64>,
    pub examples: Vec<RejectExample>,
}

/// A line of the rejects file.
#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    line: u64,
    offset: u64,
    reason: &'a str,
    /// The bytes themselves, where they are UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<&'a str>,
    /// The bytes in hexadecimal, where they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_hex: Option<String>,
    /// The whole length, where only the beginning is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    cut_from: Option<u64>,
}

impl Rejects {
    /// Takes rejects to `path`; `inputs` are what it must not be.
    pub(super) fn new(on_error: OnError, path: Option<&RejectsFile>, inputs: &[Source]) -> Result<Rejects> {
        let file = path.map(|path| path.create(inputs)).transpose()?;
        Ok(Rejects { on_error, file, by_reason: BTreeMap::new(), examples: Vec::new() })
    }

    /// Takes a reject of `source`, its line number counting from 1 in the file.
    pub(super) fn take(&mut self, source: &str, reject: &Reject) -> Result<()> {
        // Reasons quote the LogFormat, in which there may be what the environment gave.
        let reason = match secrets::without_values(&reject.reason) {
            Cow::Borrowed(_) => reject.reason.clone(),
            Cow::Owned(shown) => shown.into(),
        };
        *self.by_reason.entry(reason.clone()).or_default() += 1;
        if self.on_error == OnError::Skip {
            return Ok(());
        }
        if self.examples.len() < EXAMPLES {
            let shown: String = String::from_utf8_lossy(&reject.raw).chars().take(200).collect();
            self.examples.push(RejectExample {
                path: source.to_string(),
                line: reject.line,
                offset: reject.offset,
                reason: reason.to_string(),
                text: shown.escape_debug().to_string().replace("\\\"", "\""),
            });
        }
        if let Some(file) = &mut self.file {
            let raw = std::str::from_utf8(&reject.raw).ok();
            let line = Line {
                file: source,
                line: reject.line,
                offset: reject.offset,
                reason: &reason,
                raw,
                raw_hex: raw.is_none().then(|| reject.raw.iter().map(|b| format!("{b:02x}")).collect()),
                cut_from: (reject.length > reject.raw.len() as u64).then_some(reject.length),
            };
            let failed = |e: serde_json::Error| Error::new(ErrorKind::Internal, "a reject can't be written as JSON").with_source(e);
            let mut text = serde_json::to_vec(&line).map_err(failed)?;
            text.push(b'\n');
            file.write(&text)?;
        }
        if self.on_error == OnError::Fail {
            let place = format!("{source}:{}", reject.line);
            return Err(Error::new(ErrorKind::Rejects, format!("{place}: {reason} (byte {})", reject.offset))
                .with_context("nothing was published", "--on-error reject goes on and reports such lines"));
        }
        Ok(())
    }

    /// Writes out what is left.
    pub(super) fn finish(&mut self) -> Result<()> {
        match &mut self.file {
            Some(file) => file.finish(),
            None => Ok(()),
        }
    }
}
