//! How buckets are reached.

use super::document::S3Text;
use crate::storage::{Sse, StoreSettings};
use crate::yaml::{Problems, Text};

/// The most tags that S3 keeps of an object.
const MOST_TAGS: usize = 10;

/// The settings; they may stand beside a folder, as where a variable says which of the two it is.
pub(super) fn settings(text: Option<&S3Text>, problems: &mut Problems<'_>) -> StoreSettings {
    let Some(text) = text else { return StoreSettings::default() };
    let sse = text.sse.as_ref().map(|sse| sse.value);
    if let Some(key) = text.kms_key_id.as_ref().filter(|_| sse != Some(Sse::Kms)) {
        problems.error(&key.place, "`kms_key_id` requires `sse: kms`; give both or neither");
    }
    let tags = text.tags.iter().flat_map(|tags| tags.iter());
    let tags: Vec<(&Text, &Text)> = tags.collect();
    if let Some((tag, _)) = tags.get(MOST_TAGS) {
        problems.error(&tag.place, format!("an object has at most {MOST_TAGS} tags"));
    }
    if let Some(endpoint) = &text.endpoint_url {
        endpoint_fits(endpoint, problems);
    }
    let owned = |text: &Option<Text>| text.as_ref().map(|text| text.text.clone());
    StoreSettings {
        region: owned(&text.region),
        endpoint_url: owned(&text.endpoint_url),
        path_style: text.path_style.as_ref().map(|value| value.value),
        profile: owned(&text.profile),
        sse,
        kms_key_id: owned(&text.kms_key_id),
        tags: tags.into_iter().map(|(key, value)| (key.text.clone(), value.text.clone())).collect(),
        conditional_writes: text.conditional_writes.as_ref().map(|value| value.value),
    }
}

/// Tells of an address that is none, or has keys in it. The message doesn't show it: what is wrong may be a password.
fn endpoint_fits(text: &Text, problems: &mut Problems<'_>) {
    let url = url::Url::parse(&text.text).ok().filter(|url| ["http", "https"].contains(&url.scheme()) && url.has_host());
    // Whatever it is, what stands before an `@` may be a password.
    if let Some((keys, _)) = text.text.rsplit_once('@') {
        problems.mask(keys.split_once("://").map_or(keys, |(_, keys)| keys));
    }
    match url {
        None => problems.error(&text.place, "expected a URL such as http://127.0.0.1:9000 or https://s3.example.org"),
        Some(url) if !url.username().is_empty() || url.password().is_some() => {
            problems.error(&text.place, "a URL must not contain a user or password: credentials come from the environment or a profile");
        }
        Some(url) if url.query().is_some() || url.fragment().is_some() => {
            problems.error(&text.place, "expected nothing after the URL's path");
        }
        Some(_) => {}
    }
}
