//! The one place that makes clients of S3, of settings, environment and profile.

use super::blocking::wait;
use super::bucket_store::BucketStore;
use super::credentials::{Chain, region_of_profile};
use super::settings::{Sse, StoreSettings, set};
use super::transport::Connector;
use crate::error::{Error, ErrorKind, Result};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, AwsCredentialProvider, Checksum, S3ConditionalPut};
use object_store::client::{HttpClient, HttpConnector};
use object_store::{BackoffConfig, ClientOptions, RetryConfig, TagSet};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

/// Requests are tried up to this many times again, with growing pauses of random length between: long enough for a store to be started
/// again, also where chance gives short ones.
const TRIES: usize = 20;
/// No try begins later than this after the first.
const BUDGET: Duration = Duration::from_secs(30);

/// What objects are, by how their keys end.
const TYPES: [(&str, &str); 15] = [
    ("parquet", "application/vnd.apache.parquet"),
    ("csv", "text/csv; charset=utf-8"),
    ("tsv", "text/tab-separated-values; charset=utf-8"),
    ("json", "application/json"),
    ("jsonl", "application/x-ndjson"),
    ("ndjson", "application/x-ndjson"),
    ("html", "text/html; charset=utf-8"),
    ("txt", "text/plain; charset=utf-8"),
    ("log", "text/plain; charset=utf-8"),
    ("yaml", "application/yaml"),
    ("yml", "application/yaml"),
    // Compressed files stay so when they are fetched: this is their type, and no encoding of it.
    ("gz", "application/gzip"),
    ("zst", "application/zstd"),
    ("bz2", "application/x-bzip2"),
    ("svg", "image/svg+xml"),
];

/// A bucket and what it takes to send it requests of one's own.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) store: BucketStore,
    pub(super) credentials: AwsCredentialProvider,
    pub(super) http: HttpClient,
    pub(super) region: String,
    /// The bucket's address, without a slash at its end.
    pub(super) address: String,
    /// Whether the store is another one than AWS.
    pub(super) is_other: bool,
}

type Clients = HashMap<(String, StoreSettings), Arc<Client>>;
static CLIENTS: LazyLock<Mutex<Clients>> = LazyLock::new(Mutex::default);

/// The client of `bucket`: one for all who reach it in the same way, so that they share connections and credentials.
///
/// # Errors
/// [`ErrorKind::Usage`] for settings that don't fit together, or where no region is known.
pub(super) fn client(bucket: &str, settings: &StoreSettings) -> Result<Arc<Client>> {
    let settings = settings.or_defaults();
    let mut clients = CLIENTS.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(client) = clients.get(&(bucket.to_string(), settings.clone())) {
        return Ok(client.clone());
    }
    let client = Arc::new(made(bucket, &settings)?);
    clients.insert((bucket.to_string(), settings), client.clone());
    Ok(client)
}

fn made(bucket: &str, settings: &StoreSettings) -> Result<Client> {
    settings.check()?;
    let endpoint = settings.endpoint()?;
    let region = region(bucket, settings, endpoint.is_some())?;
    let credentials: AwsCredentialProvider = Arc::new(Chain::new(settings.profile.clone(), region.clone()));
    // A name with dots is no name of a host that TLS certificates of AWS cover.
    let path_style = settings.path_style.unwrap_or(endpoint.is_some() || bucket.contains('.'));
    let (scheme, host) = match &endpoint {
        Some(endpoint) => endpoint.split_once("://").unwrap_or(("https", endpoint)),
        None => ("https", &*format!("s3.{region}.amazonaws.com")),
    };
    let name = host.split(['/', ':']).next().unwrap_or_default();
    if !path_style && (host.starts_with('[') || name.parse::<std::net::Ipv4Addr>().is_ok()) {
        let message = format!("the endpoint is an IP address, which can't have a bucket name before it: {scheme}://{host}");
        return Err(Error::new(ErrorKind::Usage, message).with_context("what to do", "leave out `path_style: false`"));
    }
    let address = if path_style { format!("{scheme}://{host}/{bucket}") } else { format!("{scheme}://{bucket}.{host}") };

    let mut options = ClientOptions::new()
        .with_allow_http(scheme == "http")
        .with_connect_timeout(Duration::from_secs(5))
        // How long an answer may take is for the transport: a body may be long, but not stand still.
        .with_timeout_disabled()
        .with_pool_idle_timeout(Duration::from_secs(30))
        .with_default_content_type("application/octet-stream");
    for (ending, mime) in TYPES {
        options = options.with_content_type_for_suffix(ending, mime);
    }
    let failed = |e: object_store::Error| Error::new(ErrorKind::Usage, format!("can't reach s3://{bucket}")).with_source(e);
    let http = Connector.connect(&options).map_err(failed)?;
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(bucket)
        .with_region(&region)
        // With the bucket in the host's name, the endpoint is the bucket's.
        .with_endpoint(if path_style { format!("{scheme}://{host}") } else { address.clone() })
        .with_virtual_hosted_style_request(!path_style)
        .with_allow_http(scheme == "http")
        .with_credentials(credentials.clone())
        .with_client_options(options)
        .with_http_connector(Connector)
        .with_checksum_algorithm(Checksum::SHA256)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .with_retry(RetryConfig {
            backoff: BackoffConfig { init_backoff: Duration::from_millis(200), max_backoff: Duration::from_secs(4), base: 3.0 },
            max_retries: TRIES,
            retry_timeout: BUDGET,
        });
    builder = match (settings.sse, &settings.kms_key_id) {
        (None, _) => builder,
        (Some(Sse::S3), _) => builder.with_config(encryption("aws_server_side_encryption"), "AES256"),
        (Some(Sse::Kms), Some(key)) => builder.with_sse_kms_encryption(key),
        (Some(Sse::Kms), None) => builder.with_config(encryption("aws_server_side_encryption"), "aws:kms"),
    };
    let mut tags = TagSet::default();
    settings.tags.iter().for_each(|(key, value)| tags.push(key, value));
    let s3 = builder.build().map_err(failed)?;
    let store = BucketStore { s3, tags, conditional: settings.conditional_writes.unwrap_or(true) };
    Ok(Client { store, credentials, http, region, address, is_other: endpoint.is_some() })
}

/// The builder's key of that name.
fn encryption(name: &str) -> AmazonS3ConfigKey {
    // One of the names that the builder documents.
    name.parse().expect("a key of the builder")
}

/// Where the bucket is.
fn region(bucket: &str, settings: &StoreSettings, is_other: bool) -> Result<String> {
    let known = settings.region.clone().or_else(|| set("AWS_REGION")).or_else(|| set("AWS_DEFAULT_REGION"));
    let profile = settings.profile.clone();
    let known = known.or_else(|| wait(async move { region_of_profile(profile.as_deref()).await }));
    match known {
        Some(region) if region.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') => Ok(region),
        Some(region) => Err(Error::new(ErrorKind::Usage, format!("`{region}` is not a region; example: eu-central-1"))),
        // Other stores have no regions, but take this one.
        None if is_other => Ok("us-east-1".to_string()),
        None => Err(Error::new(ErrorKind::Usage, format!("the AWS region of s3://{bucket} is not set"))
            .with_context("what to do", "set AWS_REGION, --region, `region:` of the location, or a region in the AWS profile")),
    }
}
