//! Sources.

use super::document::{PipelineText, SourceText};
use super::{names, paths, store};
use crate::accesslog::{LogFormats, Notation, Preset, named_format};
use crate::diagnostic::nearest;
use crate::pipeline::model::{Source, SourceFormat};
use crate::yaml::{Problems, Text};
use std::collections::BTreeMap;
use std::path::Path;

pub(super) fn resolve(text: &PipelineText, folder: &Path, problems: &mut Problems<'_>) -> Vec<Source> {
    let Some(sources) = &*text.sources else { return Vec::new() };
    // Athena reads tables that are there.
    let mut transforms = text.transforms.iter().flat_map(|transforms| transforms.iter());
    // So do transforms of tables of the lake; where a transform names anything else, that is told.
    if sources.0.is_empty() && transforms.next().is_none() {
        problems.error(&text.place, "`sources` is empty; list at least one, or read tables of the lake in transforms");
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
    only_for(text.columns.as_ref().and_then(|columns| columns.0.first()).map(|(name, _)| &name.place), "columns", format, &typed, problems);
    only_for(text.on_mismatch.as_ref().map(|value| &value.place), "on_mismatch", format, &typed, problems);
    only_for(
        text.log_format.as_ref().and_then(|formats| formats.0.first()).map(|value| &value.place),
        "log_format",
        format,
        &[SourceFormat::Log],
        problems,
    );
    only_for(text.unescape.as_ref().map(|value| &value.place), "unescape", format, &[SourceFormat::Log], problems);
    if let Some(delimiter) = text.delimiter.as_ref().filter(|value| !value.value.is_ascii() || "\"\r\n".contains(value.value)) {
        problems.error(&delimiter.place, "expected an ASCII character other than a quote or a line end");
    }
    let log_formats = text.log_format.as_ref().map(|formats| log_formats(name, &formats.0, problems)).unwrap_or_default();
    let locations = text.location.as_ref()?;
    if locations.0.is_empty() {
        problems.error(&name.place, format!("`location` of `{}` is empty", name.text));
    }
    let locations = locations.0.iter().filter_map(|location| paths::location(location, folder, problems)).collect();
    let renames = renames(text, problems);
    let store = store::settings(text.s3.as_ref(), problems);
    Some(Source {
        name: name.text.clone(),
        place: problems.place(&name.place),
        locations,
        store,
        format,
        log_formats,
        unescape: text.unescape.as_ref().is_some_and(|value| value.value),
        delimiter: text.delimiter.as_ref().map(|value| value.value),
        header: text.header.as_ref().is_none_or(|value| value.value),
        schema: text.schema.as_ref().map(|schema| paths::absolute(folder, Path::new(&schema.text))),
        renames,
        on_error: text.on_error.as_ref().map(|value| value.value).unwrap_or_default(),
        on_mismatch: text.on_mismatch.as_ref().map(|value| value.value).unwrap_or_default(),
        max_reject_rate: text.max_reject_rate.as_ref().map(|value| value.value),
        fingerprint: text.fingerprint.as_ref().map(|value| value.value),
        incremental: text.incremental.as_ref().is_none_or(|value| value.value),
    })
}

/// The names that columns had before, each with the one that it has now.
fn renames(text: &SourceText, problems: &mut Problems<'_>) -> BTreeMap<String, String> {
    let mut renames = BTreeMap::new();
    let Some(columns) = &text.columns else { return renames };
    if let (Some(header), Some((first, _))) = (text.header.as_ref().filter(|header| !header.value), columns.0.first()) {
        problems
            .error(&first.place, format!("columns are matched by name, but `header: {}` says that the files have no header", header.value));
    }
    for (now, column) in columns.iter() {
        for before in column.from.iter().flat_map(|from| &from.0) {
            let other = renames.insert(before.text.clone(), now.text.clone());
            let wrong = match other {
                _ if before.text == now.text => Some("this is the column's current name; `from` lists its earlier names".to_string()),
                _ if columns.get(&before.text).is_some() => Some(format!("`{}` is another column of this list", before.text)),
                Some(other) => Some(format!("`{}` is already an earlier name of the column `{other}`", before.text)),
                None => None,
            };
            wrong.into_iter().for_each(|wrong| problems.error(&before.place, wrong));
        }
    }
    renames
}

/// Tells of a setting that the source's format hasn't.
fn only_for(place: Option<&crate::yaml::Place>, key: &str, format: SourceFormat, having: &[SourceFormat], problems: &mut Problems<'_>) {
    let Some(place) = place else { return };
    if format != SourceFormat::Auto && !having.contains(&format) {
        problems.error(place, format!("`{key}` is not for sources of this format"));
    }
}

/// The formats of the source `name`; none for `auto`.
fn log_formats(name: &Text, texts: &[Text], problems: &mut Problems<'_>) -> Vec<String> {
    match texts {
        [] => problems.error(&name.place, format!("`log_format` of `{}` is empty; leave it out to have it detected", name.text)),
        [one] if one.text == "auto" => return Vec::new(),
        _ => {}
    }
    let known: Vec<Option<String>> = texts.iter().map(|text| log_format(text, problems)).collect();
    let (Some(last), Some(known)) = (texts.last(), known.into_iter().collect::<Option<Vec<String>>>()) else { return Vec::new() };
    if known.len() > 1
        && let Err(error) = LogFormats::named(&known)
    {
        problems.error(&last.place, last.explain(error.to_string()));
    }
    known
}

/// A preset's name or a LogFormat; nothing where it is none.
fn log_format(text: &Text, problems: &mut Problems<'_>) -> Option<String> {
    let name = text.text.as_str();
    if let Some(notation) = Notation::told(name) {
        if let Err(error) = named_format(name) {
            let kind = notation.name();
            problems.error(&text.place, text.explain(format!("this {kind} can't be read: {}", last_words(&error.to_string()))));
            return None;
        }
        return Some(name.to_string());
    }
    if Preset::named(name).is_none() {
        let known = || Preset::ALL.into_iter().map(Preset::name);
        let hint = match nearest(name, known()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("expected one of {}, or a format as in httpd.conf or nginx.conf", known().collect::<Vec<_>>().join(", ")),
        };
        problems.error(&text.place, text.explain(format!("unknown log format `{}`; {hint}", name.escape_debug())));
        return None;
    }
    Some(name.to_string())
}

/// What an error that has a caret says beside it.
fn last_words(message: &str) -> String {
    let last = message.lines().find(|line| line.trim_start().starts_with('^')).unwrap_or(message.lines().next().unwrap_or_default());
    last.trim_start_matches([' ', '^']).to_string()
}
