//! How Athena is asked.

use super::document::{AthenaText, OutputText, PipelineText};
use crate::pipeline::model::{AthenaSettings, Mode};
use crate::units::TimeSpan;
use crate::yaml::{Place, Problems, Text, TextOr};

pub(super) fn resolve(text: Option<&AthenaText>, problems: &mut Problems<'_>) -> AthenaSettings {
    let Some(text) = text else { return AthenaSettings::default() };
    if let Some(place) = text.result_location.as_ref().filter(|place| !place.text.starts_with("s3://")) {
        problems.error(&place.place, place.explain("expected a location in a bucket, such as s3://bucket/athena-results/"));
    }
    let timeout = text.timeout.as_ref().and_then(|written| match written.text.parse::<TimeSpan>() {
        Ok(span) => Some(span.0),
        Err(message) => {
            problems.error(&written.place, written.explain(message));
            None
        }
    });
    AthenaSettings {
        workgroup: text.workgroup.as_ref().map(|name| name.text.clone()),
        result_location: text.result_location.as_ref().map(|place| format!("{}/", place.text.trim_end_matches('/'))),
        max_scan: text.max_scan.as_ref().map(|size| size.value.0),
        timeout,
    }
}

/// Whether readers find the tables in Glue.
pub(super) fn is_told(text: &PipelineText) -> bool {
    match text.lake.as_ref().and_then(|lake| lake.catalog.as_ref()) {
        None => false,
        Some(TextOr::Text(word)) => word.text == "glue",
        Some(TextOr::Section(_)) => true,
    }
}

/// Tells of a transform that Athena can't make, and of outputs that can't have its rows: Athena writes Parquet, in as many files as it likes.
pub(super) fn check_transform(text: &PipelineText, name: &Text, sql: &Text, engine: &Place, problems: &mut Problems<'_>) {
    if !is_told(text) {
        problems.error(engine, "Athena finds tables in Glue: set `catalog: glue` for the lake");
    }
    if sql.text.trim().is_empty() {
        problems.error(&sql.place, "expected a query, SELECT …, not an empty string");
    }
    let outputs = text.outputs.iter().flat_map(|outputs| outputs.iter()).map(|(_, output)| output);
    for output in outputs.filter(|output| output.from.as_ref().is_some_and(|from| from.text == name.text)) {
        check_output(output, problems);
    }
}

fn check_output(output: &OutputText, problems: &mut Problems<'_>) {
    let format = match &output.format {
        Some(TextOr::Text(format)) if format.text != "parquet" => Some(&format.place),
        Some(TextOr::Section(format)) if format.parquet.is_none() => Some(&format.place),
        _ => None,
    };
    let splits = output.splits.as_ref().map(|splits| &splits.place);
    let rows = output.rows_per_file.as_ref().map(|rows| &rows.place);
    let size = output.target_size.as_ref().map(|size| &size.place);
    let mode = output.mode.as_ref().filter(|mode| mode.value != Mode::Overwrite).map(|mode| &mode.place);
    let timestamps = output.timestamps.as_ref().map(|timestamps| &timestamps.place);
    let told = [
        (format, "rows made by Athena are always written as Parquet"),
        (splits, "for rows made by Athena, Athena decides the number of files"),
        (rows, "for rows made by Athena, Athena decides the number of files"),
        (size, "for rows made by Athena, Athena decides the size of the files"),
        (mode, "Athena makes all rows again each time: use `overwrite`"),
        (timestamps, "for rows made by Athena, Athena decides the unit of times"),
    ];
    for (place, message) in told {
        if let Some(place) = place {
            problems.error(place, message);
        }
    }
}
