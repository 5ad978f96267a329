//! What it takes to make a client of a service.

use super::settings::AwsSettings;
use crate::error::{Error, ErrorKind, Result};
use crate::storage::{Chain, region_of_profile};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use std::env;
use std::fmt;
use std::time::Duration;

/// A call is tried so often in all, with growing pauses of random length between: throttling by a busy account ends within a minute.
/// `AWS_MAX_ATTEMPTS` goes before it, as for the AWS tools.
const TRIES: u32 = 8;

/// A service of AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    Glue,
    Athena,
    LakeFormation,
    /// Which tells who one is.
    Sts,
}

impl Service {
    /// The variable that names its address, beside `AWS_ENDPOINT_URL`.
    pub fn endpoint_variable(self) -> &'static str {
        match self {
            Service::Glue => "AWS_ENDPOINT_URL_GLUE",
            Service::Athena => "AWS_ENDPOINT_URL_ATHENA",
            Service::LakeFormation => "AWS_ENDPOINT_URL_LAKEFORMATION",
            Service::Sts => "AWS_ENDPOINT_URL_STS",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Service::Glue => "Glue",
            Service::Athena => "Athena",
            Service::LakeFormation => "Lake Formation",
            Service::Sts => "STS",
        })
    }
}

/// The configuration for a client of `service`.
///
/// # Errors
/// [`ErrorKind::Usage`] where no region is known, or an address is none.
pub async fn config(service: Service, settings: &AwsSettings) -> Result<SdkConfig> {
    let endpoint = endpoint(service, settings)?;
    let region = region(service, settings, endpoint.is_some()).await?;
    let keys = Chain::new(settings.profile.clone(), region.clone());
    let timeouts =
        TimeoutConfig::builder().connect_timeout(Duration::from_secs(5)).operation_attempt_timeout(Duration::from_secs(60)).build();
    let tries = set("AWS_MAX_ATTEMPTS").and_then(|tries| tries.parse().ok()).filter(|tries| *tries > 0).unwrap_or(TRIES);
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(keys)
        .retry_config(RetryConfig::standard().with_max_attempts(tries).with_max_backoff(Duration::from_secs(10)))
        .timeout_config(timeouts);
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(endpoint) = endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    Ok(loader.load().await)
}

/// Where the service is, if it is not AWS's own: as it is set, or as the environment says.
fn endpoint(service: Service, settings: &AwsSettings) -> Result<Option<String>> {
    let ignored = env::var("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_ok_and(|value| value.eq_ignore_ascii_case("true"));
    let of_environment = || if ignored { None } else { set(service.endpoint_variable()).or_else(|| set("AWS_ENDPOINT_URL")) };
    let Some(text) = settings.endpoint_url.clone().or_else(of_environment) else { return Ok(None) };
    let url = url::Url::parse(&text).ok().filter(|url| ["http", "https"].contains(&url.scheme()) && url.has_host());
    match url {
        Some(url) if url.username().is_empty() && url.password().is_none() => Ok(Some(text.trim_end_matches('/').to_string())),
        // It isn't shown: what is wrong may be a password.
        _ => Err(Error::new(ErrorKind::Usage, format!("the endpoint of {service} is not an http or https URL"))
            .with_context("what to do", format!("write it like http://127.0.0.1:5000, without keys, in {}", service.endpoint_variable()))),
    }
}

async fn region(service: Service, settings: &AwsSettings, is_other: bool) -> Result<String> {
    let known = settings.region.clone().or_else(|| set("AWS_REGION")).or_else(|| set("AWS_DEFAULT_REGION"));
    let known = match known {
        Some(region) => Some(region),
        None => region_of_profile(settings.profile.as_deref()).await,
    };
    match known {
        Some(region) if region.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') => Ok(region),
        Some(region) => Err(Error::new(ErrorKind::Usage, format!("`{region}` is not a region; example: eu-central-1"))),
        // Stand-ins have no regions, but take this one.
        None if is_other => Ok("us-east-1".to_string()),
        None => Err(Error::new(ErrorKind::Usage, format!("the AWS region for {service} is not set"))
            .with_context("what to do", "set AWS_REGION, --region, `region:` of the lake's `s3`, or a region in the AWS profile")),
    }
}

/// A variable of the environment that is set to something.
fn set(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
