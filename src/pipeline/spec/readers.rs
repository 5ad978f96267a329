//! How readers' catalogs are told of an output.

use super::document::{FormatText, OutputText, ProjectedKeyText};
use super::names;
use super::projected_type::ProjectedType;
use crate::catalog::{ProjectedKey, Projection, ReaderOptions};
use crate::yaml::{Problems, Text, TextOr, one_of};
use std::collections::BTreeMap;

pub(super) fn resolve(output: &OutputText, keys: &[String], ahead_of_utc: bool, problems: &mut Problems<'_>) -> ReaderOptions {
    let mut options = ReaderOptions { projection: projection(output, keys, ahead_of_utc, problems), ..ReaderOptions::default() };
    if let Some(TextOr::Section(FormatText { csv: Some(csv), .. })) = &output.format {
        options.csv_types = csv.types.as_ref().map(|types| types.value).unwrap_or_default();
        if let Some(view) = &csv.cast_view {
            if !names::is_plain(&view.text) {
                problems.error(&view.place, "expected the name of a view: lower-case letters, digits and `_`, not starting with a digit");
            }
            options.cast_view = Some(view.text.clone());
        }
    }
    options
}

/// The name of the view beside a table of CSV.
pub(super) fn view(output: &OutputText) -> Option<&Text> {
    match &output.format {
        Some(TextOr::Section(FormatText { csv: Some(csv), .. })) => csv.cast_view.as_ref(),
        _ => None,
    }
}

fn projection(output: &OutputText, keys: &[String], ahead_of_utc: bool, problems: &mut Problems<'_>) -> Option<Projection> {
    let mut projection = Projection { keys: BTreeMap::new(), ahead_of_utc };
    let place = match output.partition_projection.as_ref()? {
        TextOr::Text(word) => match one_of(&word.text, &[("true", true), ("false", false)]) {
            Ok(true) => &word.place,
            Ok(false) => return None,
            Err(message) => {
                problems.error(&word.place, word.explain(format!("{message}; or settings by partition key")));
                return None;
            }
        },
        TextOr::Section(section) => {
            for (name, text) in section.iter() {
                let known: Vec<&str> = keys.iter().map(String::as_str).collect();
                if !known.contains(&name.text.as_str()) {
                    let hint = names::near(&name.text, &known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                    problems.error(&name.place, format!("`{}` is not a partition key{hint}", name.text.escape_debug()));
                }
                if let Some(key) = key(text, problems) {
                    if let Err(fault) = key.check() {
                        problems.error(&text.place, fault);
                    }
                    projection.keys.insert(name.text.to_lowercase(), key);
                }
            }
            section.0.first().map_or(&output.place, |(name, _)| &name.place)
        }
    };
    if keys.is_empty() {
        problems.error(place, "`partition_projection` is for tables with `partition_by`");
    }
    Some(projection)
}

fn key(text: &ProjectedKeyText, problems: &mut Problems<'_>) -> Option<ProjectedKey> {
    let kind = text.r#type.as_ref()?.value;
    let range = || text.range.as_ref().map(|range| range.text.clone());
    let interval = text.interval.as_ref().map(|interval| interval.value.get());
    let of = |allowed: &[ProjectedType]| allowed.contains(&kind);
    let misplaced = [
        (text.range.as_ref().map(|range| &range.place), of(&[ProjectedType::Date, ProjectedType::Integer]), "range"),
        (text.format.as_ref().map(|format| &format.place), of(&[ProjectedType::Date]), "format"),
        (text.interval.as_ref().map(|interval| &interval.place), of(&[ProjectedType::Date, ProjectedType::Integer]), "interval"),
        (text.unit.as_ref().map(|unit| &unit.place), of(&[ProjectedType::Date]), "unit"),
        (text.digits.as_ref().map(|digits| &digits.place), of(&[ProjectedType::Integer]), "digits"),
        (text.values.as_ref().and_then(|values| values.first()).map(|value| &value.place), of(&[ProjectedType::Enum]), "values"),
    ];
    for (place, fits, name) in misplaced {
        if let (Some(place), false) = (place, fits) {
            problems.error(place, format!("`{name}` is not for this type of projection"));
        }
    }
    let mut needed = |name: &str| {
        problems.error(&text.place, format!("`{name}` is missing; this type of projection requires it"));
        None
    };
    match kind {
        ProjectedType::Date => {
            let format = text.format.as_ref().map_or("yyyy-MM-dd", |format| &format.text).to_string();
            let unit = text.unit.as_ref().map(|unit| unit.text.to_uppercase());
            Some(ProjectedKey::Date { range: range().or_else(|| needed("range"))?, format, interval, unit })
        }
        ProjectedType::Integer => {
            let digits = text.digits.as_ref().map(|digits| digits.value.get());
            Some(ProjectedKey::Integer { range: range().or_else(|| needed("range"))?, digits, interval })
        }
        ProjectedType::Enum => {
            let values = text.values.as_ref().map(|values| values.iter().map(|value| value.text.clone()).collect());
            Some(ProjectedKey::Enum { values: values.or_else(|| needed("values").map(|never: String| vec![never]))? })
        }
        ProjectedType::Injected => Some(ProjectedKey::Injected),
    }
}
