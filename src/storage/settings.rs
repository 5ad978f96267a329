//! How a bucket is reached and written: what a pipeline may say for each location, and what the command line says for all.

use crate::error::{Error, ErrorKind, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::env;
use std::sync::RwLock;

/// How a bucket is reached and written. What is left out comes from the command line, the environment and the AWS profile.
/// Keys are not among it: they are found as the AWS tools find them, never written in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreSettings {
    /// Region of the bucket, such as `eu-central-1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Address of a store that is not AWS, such as `http://127.0.0.1:9000`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint_url: Option<String>,
    /// Whether the bucket is the first part of the path instead of the host's name. True where there is an `endpoint_url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_style: Option<bool>,
    /// Profile of the AWS configuration files, before any keys in the environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Encryption at rest of what is written: by keys of S3, or of KMS. Without it the bucket decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sse: Option<Sse>,
    /// Key of KMS to encrypt with: its id, alias or ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key_id: Option<String>,
    /// Tags of the objects written; S3 takes ten at most.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Whether the store refuses a write where somebody else was faster (`If-None-Match`, `If-Match`), as AWS and MinIO do.
    /// With `false`, what is there is looked at before it is written: two writers at once may then overwrite each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditional_writes: Option<bool>,
}

/// Whose keys encrypt objects at rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sse {
    S3,
    Kms,
}

/// What holds for all stores of this process.
static DEFAULTS: RwLock<Option<StoreSettings>> = RwLock::new(None);

/// Sets what holds where a location says nothing itself: the options of the command line.
pub fn set_defaults(settings: StoreSettings) {
    *DEFAULTS.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(settings);
}

/// What holds where a location says nothing itself.
pub fn defaults() -> StoreSettings {
    DEFAULTS.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone().unwrap_or_default()
}

impl StoreSettings {
    /// These settings, and what they leave out as the command line says it.
    pub(super) fn or_defaults(&self) -> StoreSettings {
        let defaults = defaults();
        let own = self.clone();
        StoreSettings {
            region: own.region.or(defaults.region),
            endpoint_url: own.endpoint_url.or(defaults.endpoint_url),
            path_style: own.path_style.or(defaults.path_style),
            profile: own.profile.or(defaults.profile),
            sse: own.sse.or(defaults.sse),
            kms_key_id: own.kms_key_id.or(defaults.kms_key_id),
            tags: if own.tags.is_empty() { defaults.tags } else { own.tags },
            conditional_writes: own.conditional_writes.or(defaults.conditional_writes),
        }
    }

    /// Where the store is, if it isn't AWS: as it is set, or as `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL` say.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for an address that is none.
    pub(super) fn endpoint(&self) -> Result<Option<String>> {
        let ignored = env::var("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_ok_and(|value| value.eq_ignore_ascii_case("true"));
        let of_environment = || if ignored { None } else { set("AWS_ENDPOINT_URL_S3").or_else(|| set("AWS_ENDPOINT_URL")) };
        let Some(text) = self.endpoint_url.clone().or_else(of_environment) else { return Ok(None) };
        let refused = |why: &str| {
            let message = format!("the endpoint `{}` {why}; write it like http://127.0.0.1:9000 or https://s3.example.org", shown(&text));
            Error::new(ErrorKind::Usage, message)
        };
        let url = url::Url::parse(&text).map_err(|_| refused("is no address"))?;
        if !["http", "https"].contains(&url.scheme()) || !url.has_host() {
            return Err(refused("is not an http or https URL"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("contains a user or password: credentials come from the environment or a profile"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refused("has something after its path"));
        }
        Ok(Some(text.trim_end_matches('/').to_string()))
    }

    /// Whether the settings fit together.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] saying which do not.
    pub(super) fn check(&self) -> Result<()> {
        if self.kms_key_id.is_some() && self.sse != Some(Sse::Kms) {
            return Err(Error::new(ErrorKind::Usage, "`kms_key_id` is set without `sse: kms`; give both or neither"));
        }
        if self.tags.len() > 10 {
            return Err(Error::new(ErrorKind::Usage, format!("{} tags are set; an object takes ten at most", self.tags.len())));
        }
        Ok(())
    }
}

/// A variable of the environment that is set to something.
pub(super) fn set(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The address as a message may show it: without what could be a password, which is all before the last `@`, however it is written.
fn shown(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_, host)) => format!("[redacted]@{}", crate::secrets::redact(host)),
        None => crate::secrets::redact(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_and_checked() {
        let read = |text: &str| serde_saphyr::from_str::<StoreSettings>(text);
        let settings =
            read("region: eu-central-1\nendpoint_url: http://127.0.0.1:9000/\nsse: kms\nkms_key_id: k\ntags: {team: web}\n").unwrap();
        assert_eq!(settings.endpoint().unwrap().as_deref(), Some("http://127.0.0.1:9000"));
        assert_eq!((settings.sse, settings.tags["team"].as_str()), (Some(Sse::Kms), "web"));
        settings.check().unwrap();
        assert!(read("secret_access_key: x").is_err());
        let odd = StoreSettings { kms_key_id: Some("k".into()), ..StoreSettings::default() };
        assert!(odd.check().unwrap_err().to_string().contains("sse: kms"));
        for wrong in ["localhost:9000", "ftp://host", "http://user:hunter2@host", "http://host/?a=b"] {
            let settings = StoreSettings { endpoint_url: Some(wrong.into()), ..StoreSettings::default() };
            let error = settings.endpoint().unwrap_err().to_string();
            assert!(error.contains("http://127.0.0.1:9000") && !error.contains("hunter2"), "{error}");
        }
    }
}
