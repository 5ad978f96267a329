//! Which format logs are in, told by their first lines.

use super::arguments::Inputs;
use super::beginnings::{LOOKED_AT, first_block, long_start};
use super::blocks::{Block, BlockReader, Content};
use super::framing::Framing;
use super::many::each;
use super::source::Source;
use super::unknown_format::unknown_format;
use crate::accesslog::heading::{self, is_heading, line_of};
use crate::accesslog::{
    DecodeOptions, LogDecoder, LogFormat, LogFormats, Prefix, Preset, Suggestion, bare_behind, detect_behind, is_json, json_format, suggest,
};
use crate::decode::Decoder;
use crate::error::{Error, ErrorKind, Result};
use bytes::Bytes;
use std::sync::Arc;

/// A format that the first lines of `inputs` fit: a preset where they are in one, and else one made by their looks.
///
/// # Errors
/// [`ErrorKind::Format`] where there is no line, or no format can be made of the first.
pub fn suggested_format(inputs: impl Into<Inputs>) -> Result<Suggestion> {
    let Inputs { sources, .. } = inputs.into();
    for source in &sources[..sources.len().min(LOOKED_AT)] {
        let Some(lines) = first_block(source, Framing::Lines)?.and_then(first_lines) else { continue };
        if let Some(heading) = lines.split(|byte| *byte == b'\n').take(HEADING_LINES).map(line_of).find(|line| is_heading(line)) {
            let format = heading::format_of(heading, None)?.text().to_string();
            return Ok(Suggestion { format, fitting: 0, tried: 0, base: None });
        }
        if let Some((prefix, found)) = detect_behind(&Prefix::ALL, &lines)? {
            let format = match prefix {
                Prefix::None => found.format.name().to_string(),
                _ => format!("prefix={} {}", prefix.name(), found.format.name()),
            };
            return Ok(Suggestion { format, fitting: found.fitting, tried: found.tried, base: None });
        }
        if let Some(format) = json_behind(&Prefix::ALL, std::slice::from_ref(&lines)) {
            return Ok(Suggestion { format: format.text().to_string(), fitting: 0, tried: 0, base: None });
        }
        // What a logger put before the lines is looked for first: as fields of the format it would be guessed worse.
        let behind = Prefix::ALL[1..].iter().find_map(|prefix| {
            let suggestion = suggest(&bare_behind(*prefix, &lines)?)?;
            Some(Suggestion { format: format!("prefix={} {}", prefix.name(), suggestion.format), ..suggestion })
        });
        return behind.or_else(|| suggest(&lines)).ok_or_else(|| unknown_format(source, &lines));
    }
    Err(Error::new(ErrorKind::Format, "there is no line to detect a format from"))
}

/// The format that the first source with lines is in. Others in another format are named in a note: their lines will not fit.
pub(super) fn detect_log(sources: &[Source], prefix: Option<Prefix>, notes: &mut Vec<String>) -> Result<LogFormats> {
    if let Some(formats) = headed_formats(sources, notes)? {
        return Ok(formats);
    }
    let sources = &sources[..sources.len().min(LOOKED_AT)];
    for (index, source) in sources.iter().enumerate() {
        let lines = match BlockReader::peek(source, Framing::Lines)?.next_block()? {
            Some(Block { content: Content::Records(bytes), .. }) => first_lines(bytes),
            Some(Block { content: Content::LongLine { head, .. }, .. }) => return Err(long_start(source, &head)),
            None => None,
        };
        let Some(lines) = lines else { continue };
        let any = prefix.map_or(Prefix::ALL.to_vec(), |prefix| vec![prefix]);
        let Some((prefix, found)) = detect_behind(&any, &lines)? else {
            let Some(format) = json_of_all(&any, lines.clone(), &sources[index + 1..])? else { return Err(unknown_format(source, &lines)) };
            notes.push(format!(
                "access log in JSON, with fields named as in other logs (found in {}); --from json reads it as plain JSON",
                source.path
            ));
            return Ok(format.into());
        };
        let share = match found.fitting == found.tried {
            true => String::new(),
            false => format!(": {} of the first {} lines fit", found.fitting, found.tried),
        };
        let behind = match prefix {
            Prefix::None => String::new(),
            _ => format!(" after a prefix of {}", prefix.name()),
        };
        notes.push(format!("log format {}{behind} (found in {}{share})", found.format.name(), source.path));
        if found.longer > 0 {
            let name = found.format.name();
            notes.push(format!("lines have more fields than {name} is known to have: the others are in the column `extra`"));
        }
        notes.extend(other_logs(&sources[index + 1..], &found.format)?);
        return Ok(found.format.into());
    }
    notes.push("log format combined (no line to detect it from)".to_string());
    Ok(Preset::Combined.format().into())
}

/// The formats of all headings that `sources` begin with; nothing where the first with lines has none.
fn headed_formats(sources: &[Source], notes: &mut Vec<String>) -> Result<Option<LogFormats>> {
    let mut formats: Vec<Arc<LogFormat>> = Vec::new();
    let sources = &sources[..sources.len().min(LOOKED_AT)];
    let starts: Vec<Option<Bytes>> = match sources.split_first() {
        Some((first, rest)) => {
            let start = first_block(first, Framing::Lines)?;
            if !start.as_ref().is_some_and(|start| start.split(|byte| *byte == b'\n').take(HEADING_LINES).any(is_heading)) {
                return Ok(None);
            }
            std::iter::once(Ok(start)).chain(each(rest, |source| first_block(source, Framing::Lines))).collect::<Result<_>>()?
        }
        None => return Ok(None),
    };
    for (source, start) in sources.iter().zip(&starts) {
        let lines = start.iter().flat_map(|start| start.split(|byte| *byte == b'\n')).map(line_of);
        for line in lines.clone().filter(|line| is_heading(line)) {
            let sample = lines.clone().find(|line| !line.is_empty() && !line.starts_with(b"#") && !is_heading(line));
            let format = heading::format_of(line, sample).map_err(|error| error.with_context("in", &source.path))?;
            if formats.iter().all(|known| known.text() != format.text()) {
                notes.push(format!("log format {} (by the fields that {} names)", format.name(), source.path));
                formats.push(format);
            }
        }
    }
    Ok(Some(LogFormats::new(formats)?))
}

/// Among so many lines at the start of a log is its heading.
const HEADING_LINES: usize = 16;

/// The format of an access log in JSON behind one of `prefixes`.
fn json_behind(prefixes: &[Prefix], samples: &[Bytes]) -> Option<Arc<LogFormat>> {
    prefixes.iter().find_map(|prefix| {
        let bare: Vec<Bytes> = samples.iter().filter_map(|lines| bare_behind(*prefix, lines)).collect();
        bare.first().filter(|lines| is_json(lines))?;
        json_format(*prefix, &bare)
    })
}

/// As [`json_behind`], of the first `lines` and those of further `sources`, whose keys may be others.
fn json_of_all(prefixes: &[Prefix], lines: Bytes, sources: &[Source]) -> Result<Option<Arc<LogFormat>>> {
    if !prefixes.iter().any(|prefix| bare_behind(*prefix, &lines).is_some_and(|lines| is_json(&lines))) {
        return Ok(None);
    }
    let look = |source: &Source| Ok(first_block(source, Framing::Lines)?.and_then(first_lines));
    let further: Vec<Option<Bytes>> = each(&sources[..sources.len().min(JSON_FILES)], look).collect::<Result<_>>()?;
    let samples: Vec<Bytes> = std::iter::once(lines).chain(further.into_iter().flatten()).collect();
    Ok(json_behind(prefixes, &samples))
}

/// So many further files are looked at for keys that the first has not.
const JSON_FILES: usize = 31;

/// What is to be said of those of `sources` that are not in `format`.
///
/// # Errors
/// [`ErrorKind::Input`] where one can't be read.
pub fn other_logs(sources: &[Source], format: &LogFormat) -> Result<Option<String>> {
    // A few lines are enough: there may be very many files.
    let look = |source: &Source| match first_block(source, Framing::Lines)?.and_then(first_lines) {
        // Most files are as the first: a line of one preset is none of another.
        Some(lines) if fits_all(format, &lines)? => Ok(None),
        Some(lines) => Ok(detect_behind(&Prefix::ALL, &lines)?.map(|(_, found)| found)),
        None => Ok(None),
    };
    let (mut others, mut names) = (Vec::new(), vec![format.name()]);
    let found: Vec<Option<_>> = each(sources, look).collect::<Result<_>>()?;
    for (source, found) in sources.iter().zip(&found) {
        if let Some(found) = found.as_ref().filter(|found| found.format.text() != format.text()) {
            others.push(format!("{} looks like {}", source.path, found.format.name()));
            if !names.contains(&found.format.name()) {
                names.push(found.format.name());
            }
        }
    }
    let [first, rest @ ..] = others.as_slice() else { return Ok(None) };
    let more = if rest.is_empty() { String::new() } else { format!(", and {} more files are in another format too", rest.len()) };
    let options: Vec<String> = names.iter().map(|name| format!("--log-format {name}")).collect();
    Ok(Some(format!(
        "not all files are in one format: {first}{more}; {} (in a pipeline log_format: [{}]) reads them all, else lines of the others are rejected",
        options.join(" "),
        names.join(", ")
    )))
}

/// Whether all `lines` are of `format`.
fn fits_all(format: &LogFormat, lines: &Bytes) -> Result<bool> {
    let mut decoder = LogDecoder::new(Arc::new(format.clone()), DecodeOptions { projection: Some(Vec::new()), unescape: false });
    let decoded = decoder.decode(lines)?;
    Ok(decoded.rejects.is_empty() && decoded.batch.num_rows() > 0)
}

/// The lines of a log's start that tell its format; nothing where all are blank.
pub(super) fn first_lines(mut bytes: Bytes) -> Option<Bytes> {
    const LINES: usize = 1_000;
    if let Some(end) = memchr::memchr_iter(b'\n', &bytes).nth(LINES - 1) {
        bytes.truncate(end + 1);
    }
    (!bytes.trim_ascii().is_empty()).then_some(bytes)
}
