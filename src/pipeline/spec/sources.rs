//! Sources.

use super::document::{PipelineText, SourceText};
use super::{names, paths, store};
use crate::accesslog::{LogFormat, Preset};
use crate::diagnostic::nearest;
use crate::pipeline::model::{Source, SourceFormat};
use crate::yaml::{Problems, Text};
use std::path::Path;

pub(super) fn resolve(text: &PipelineText, folder: &Path, problems: &mut Problems<'_>) -> Vec<Source> {
    let Some(sources) = &*text.sources else { return Vec::new() };
    // Athena reads tables that are there.
    let mut transforms = text.transforms.iter().flat_map(|transforms| transforms.iter());
    // So do transforms of tables of the lake; where a transform names anything else, that is told.
    if sources.0.is_empty() && transforms.next().is_none() {
        problems.error(&text.place, "`sources` has nothing in it; name at least one, or make transforms of tables of the lake");
    }
    sources.iter().filter_map(|(name, source)| one(name, source, folder, problems)).collect()
}

fn one(name: &Text, text: &SourceText, folder: &Path, problems: &mut Problems<'_>) -> Option<Source> {
    names::check(name, problems);
    let format = text.format.as_ref().map_or(SourceFormat::Auto, |format| format.value);
    only_for(text.delimiter.as_ref().map(|value| &value.place), "delimiter", format, &[SourceFormat::Csv], problems);
    only_for(text.header.as_ref().map(|value| &value.place), "header", format, &[SourceFormat::Csv, SourceFormat::Tsv], problems);
    let typed = [SourceFormat::Csv, SourceFormat::Tsv, SourceFormat::Json];
    only_for(text.schema.as_ref().map(|value| &value.place), "schema", format, &typed, problems);
    only_for(text.on_mismatch.as_ref().map(|value| &value.place), "on_mismatch", format, &typed, problems);
    only_for(text.log_format.as_ref().map(|value| &value.place), "log_format", format, &[SourceFormat::Log], problems);
    only_for(text.unescape.as_ref().map(|value| &value.place), "unescape", format, &[SourceFormat::Log], problems);
    if let Some(delimiter) = text.delimiter.as_ref().filter(|value| !value.value.is_ascii() || "\"\r\n".contains(value.value)) {
        problems.error(&delimiter.place, "expected an ASCII character that is no quote and no line end");
    }
    let log_format = text.log_format.as_ref().and_then(|format| log_format(format, problems));
    let locations = text.location.as_ref()?;
    if locations.0.is_empty() {
        problems.error(&name.place, format!("`location` of `{}` has nothing in it", name.text));
    }
    let locations = locations.0.iter().filter_map(|location| paths::location(location, folder, problems)).collect();
    let store = store::settings(text.s3.as_ref(), problems);
    Some(Source {
        name: name.text.clone(),
        place: problems.place(&name.place),
        locations,
        store,
        format,
        log_format,
        unescape: text.unescape.as_ref().is_some_and(|value| value.value),
        delimiter: text.delimiter.as_ref().map(|value| value.value),
        header: text.header.as_ref().is_none_or(|value| value.value),
        schema: text.schema.as_ref().map(|schema| paths::absolute(folder, Path::new(&schema.text))),
        on_error: text.on_error.as_ref().map(|value| value.value).unwrap_or_default(),
        on_mismatch: text.on_mismatch.as_ref().map(|value| value.value).unwrap_or_default(),
        max_reject_rate: text.max_reject_rate.as_ref().map(|value| value.value),
        fingerprint: text.fingerprint.as_ref().map(|value| value.value),
        incremental: text.incremental.as_ref().is_none_or(|value| value.value),
    })
}

/// Tells of a setting that the source's format hasn't.
fn only_for(place: Option<&crate::yaml::Place>, key: &str, format: SourceFormat, having: &[SourceFormat], problems: &mut Problems<'_>) {
    let Some(place) = place else { return };
    if format != SourceFormat::Auto && !having.contains(&format) {
        problems.error(place, format!("`{key}` is not for sources of this format"));
    }
}

/// A preset's name or a LogFormat; nothing for `auto`.
fn log_format(text: &Text, problems: &mut Problems<'_>) -> Option<String> {
    let name = text.text.as_str();
    if name == "auto" {
        return None;
    }
    if name.contains('%') {
        if let Err(error) = LogFormat::parse("custom", name) {
            problems.error(&text.place, text.explain(format!("this LogFormat can't be read: {}", last_words(&error.to_string()))));
        }
        return Some(name.to_string());
    }
    if Preset::named(name).is_none() {
        let known = || Preset::ALL.into_iter().map(Preset::name);
        let hint = match nearest(name, known()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}, or write a LogFormat as in httpd.conf", known().collect::<Vec<_>>().join(", ")),
        };
        problems.error(&text.place, text.explain(format!("no log format is called `{}`; {hint}", name.escape_debug())));
    }
    Some(name.to_string())
}

/// What an error that has a caret says beside it.
fn last_words(message: &str) -> String {
    let last = message.lines().find(|line| line.trim_start().starts_with('^')).unwrap_or(message.lines().next().unwrap_or_default());
    last.trim_start_matches([' ', '^']).to_string()
}
