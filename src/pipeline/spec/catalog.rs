//! Which catalog of readers is told of the tables.

use super::document::CatalogText;
use super::names;
use crate::catalog::GlueSettings;
use crate::pipeline::model::CatalogKind;
use crate::storage::StoreSettings;
use crate::yaml::{Place, Problems, Text, TextOr, one_of};

const KINDS: [(&str, bool); 2] = [("local", false), ("glue", true)];

pub(super) fn resolve(
    text: Option<&TextOr<CatalogText>>,
    location: &str,
    store: &StoreSettings,
    problems: &mut Problems<'_>,
) -> CatalogKind {
    let region = store.region.clone();
    let (place, settings, adopt) = match text {
        None => return CatalogKind::Local,
        Some(TextOr::Text(word)) => match one_of(&word.text, &KINDS) {
            Ok(true) => (&word.place, GlueSettings { region, ..GlueSettings::default() }, false),
            Ok(false) => return CatalogKind::Local,
            Err(message) => {
                problems.error(&word.place, word.explain(message));
                return CatalogKind::Local;
            }
        },
        Some(TextOr::Section(section)) => {
            let Some(glue) = &*section.glue else { return CatalogKind::Local };
            if let Some(prefix) = glue.database_prefix.as_ref().filter(|prefix| !prefix.text.is_empty() && !names::is_plain(&prefix.text)) {
                problems.error(
                    &prefix.place,
                    "expected lower-case letters, digits and `_`, not starting with a digit, as a prefix of database names",
                );
            }
            if let Some(id) = glue.catalog_id.as_ref().filter(|id| id.text.len() != 12 || !id.text.bytes().all(|b| b.is_ascii_digit())) {
                problems.error(&id.place, "expected an account id: twelve digits, in quotes if the first is 0");
            }
            let owned = |text: &Option<Text>| text.as_ref().map(|text| text.text.clone());
            let settings = GlueSettings {
                database_prefix: owned(&glue.database_prefix).unwrap_or_default(),
                catalog_id: owned(&glue.catalog_id),
                region: owned(&glue.region).or(region),
            };
            (&section.place, settings, glue.adopt.as_ref().is_some_and(|adopt| adopt.value))
        }
    };
    is_in_a_bucket(location, place, problems);
    CatalogKind::Glue { settings, adopt }
}

/// Tells of a lake that no reader of Glue can read. A variable may stand for its place: that is told when it is run.
fn is_in_a_bucket(location: &str, place: &Place, problems: &mut Problems<'_>) {
    if !location.contains("://") {
        problems
            .error(place, "readers of Glue read from S3, but this lake is a local folder; use a bucket: `location: s3://bucket/prefix`");
    }
}
