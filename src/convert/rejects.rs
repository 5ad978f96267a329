//! What becomes of the lines that are not rows: a file of them, counts by reason, the first ones as examples.

use super::options::OnError;
use super::reasons::Reasons;
use super::rejects_file::{RejectsFile, RejectsWriter};
use super::report::RejectExample;
use super::unit_rejects::{EXAMPLES, Keep, UnitRejects};
use crate::decode::Reject;
use crate::error::{Error, ErrorKind, Result};
use crate::input::Source;
use crate::secrets;
use crate::units::{ByteSize, count};
use serde::Serialize;
use std::fmt;

/// Takes the rejects of a run in the order of the input.
#[derive(Debug)]
pub(super) struct Rejects {
    on_error: OnError,
    file: Option<RejectsWriter>,
    /// The bytes that the file may have, and that it has.
    limit: ByteSize,
    written: u64,
    /// Lines that had no place in it.
    left_out: u64,
    pub reasons: Reasons,
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
    raw_hex: Option<Hex<'a>>,
    /// The whole length, where only the beginning is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    cut_from: Option<u64>,
}

/// Bytes in hexadecimal, written as they are needed: a line may have many megabytes.
#[derive(Debug)]
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for Hex<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Rejects {
    /// Takes rejects to `path`, up to `limit` bytes; `inputs` are what it must not be.
    pub(super) fn new(on_error: OnError, path: Option<&RejectsFile>, limit: ByteSize, inputs: &[Source]) -> Result<Rejects> {
        let file = path.map(|path| path.create(inputs)).transpose()?;
        Ok(Rejects { on_error, file, limit, written: 0, left_out: 0, reasons: Reasons::default(), examples: Vec::new() })
    }

    /// What is to be kept of the lines that come.
    pub(super) fn keep(&self) -> Keep {
        match self.file.is_some() && self.left_out == 0 {
            true => Keep::Lines,
            false => Keep::Examples,
        }
    }

    /// What the report says of lines that the file has not.
    pub(super) fn note(&self) -> Option<String> {
        let name = self.file.as_ref().filter(|_| self.left_out > 0)?.name();
        Some(format!("{name} was full at {}: {} more rejected lines were only counted", self.limit.as_given(), count(self.left_out)))
    }

    /// Takes rejects of `source`, `before` of whose lines, counting from 1, are before those of their unit.
    pub(super) fn take(&mut self, source: &str, before: u64, mut unit: UnitRejects) -> Result<()> {
        let all = unit.reasons.total();
        let here = unit.lines.len() as u64;
        self.reasons.take(&mut unit.reasons);
        if self.on_error == OnError::Skip {
            return Ok(());
        }
        for mut reject in unit.lines {
            reject.line += before;
            self.take_one(source, &reject)?;
        }
        if self.file.is_some() {
            self.left_out += all.saturating_sub(here);
        }
        Ok(())
    }

    fn take_one(&mut self, source: &str, reject: &Reject) -> Result<()> {
        // Reasons quote the LogFormat, in which there may be what the environment gave.
        let reason = secrets::without_values(&reject.reason);
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
        if self.left_out > 0 || self.written >= self.limit.0 {
            self.left_out += u64::from(self.file.is_some());
        } else if let Some(file) = &mut self.file {
            let raw = std::str::from_utf8(&reject.raw).ok();
            let line = Line {
                file: source,
                line: reject.line,
                offset: reject.offset,
                reason: &reason,
                raw,
                raw_hex: raw.is_none().then_some(Hex(&reject.raw)),
                cut_from: (reject.length > reject.raw.len() as u64).then_some(reject.length),
            };
            self.written += file.write(&line)?;
        }
        if self.on_error == OnError::Fail {
            let place = format!("{source}:{}", reject.line);
            return Err(Error::new(ErrorKind::Rejects, format!("{place}: {reason} (byte {})", reject.offset))
                .with_context("nothing was published", "--on-error reject continues and reports such lines"));
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
