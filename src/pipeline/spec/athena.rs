//! How Athena is asked.

use super::document::AthenaText;
use crate::pipeline::model::AthenaSettings;
use crate::units::TimeSpan;
use crate::yaml::Problems;

pub(super) fn resolve(text: Option<&AthenaText>, problems: &mut Problems<'_>) -> AthenaSettings {
    let Some(text) = text else { return AthenaSettings::default() };
    if let Some(place) = text.result_location.as_ref().filter(|place| !place.text.starts_with("s3://")) {
        problems.error(&place.place, place.explain("expected a place of a bucket, as in s3://bucket/athena-results/"));
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
