//! A real S3 store, and a bucket in it for each test. `tests/run.sh` starts a MinIO, or takes the store that
//! `ETL_TEST_S3_ENDPOINT` names; where there is none, tests of S3 are skipped, loudly, and `ETL_TEST_REQUIRE=s3` forbids that.

use crate::required::is_required;
use etl::storage::{Location, Storage, StoreSettings, wait};
use object_store::aws::{AwsAuthorizer, AwsCredential};
use object_store::client::{HttpConnector, HttpRequest, HttpRequestBody, ReqwestConnector};
use object_store::{ClientOptions, HeaderMap, HeaderValue};
use std::env;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A bucket that is there while this value is.
pub(crate) struct Minio {
    pub(crate) endpoint: String,
    pub(crate) bucket: String,
}

/// Where the store is, if there is one.
fn endpoint() -> Option<String> {
    let endpoint = env::var("ETL_TEST_S3_ENDPOINT").ok().filter(|endpoint| !endpoint.is_empty());
    if endpoint.is_none() {
        let required = is_required("s3");
        assert!(!required, "ETL_TEST_REQUIRE asks for S3, and ETL_TEST_S3_ENDPOINT names no store; run tests/run.sh");
        // Not by `eprintln!`, which the test harness keeps to itself where a test passes.
        std::io::stderr()
            .write_all(b"SKIPPED: a test of S3, because ETL_TEST_S3_ENDPOINT names no store; tests/run.sh starts one\n")
            .unwrap();
    }
    endpoint
}

fn key(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} isn't set, though ETL_TEST_S3_ENDPOINT is"))
}

impl Minio {
    /// A new bucket, or nothing where there is no store.
    pub(crate) fn get() -> Option<Minio> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let endpoint = endpoint()?;
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
        let bucket = format!("etl-test-{now:x}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let minio = Minio { endpoint, bucket };
        let (status, body) = minio.signed("PUT", "", "");
        assert_eq!(status, 200, "can't make the bucket {}: {body}", minio.bucket);
        Some(minio)
    }

    pub(crate) fn location(&self, prefix: &str) -> Location {
        Location::parse(&format!("s3://{}/{prefix}", self.bucket)).unwrap()
    }

    pub(crate) fn settings(&self) -> StoreSettings {
        StoreSettings { endpoint_url: Some(self.endpoint.clone()), ..StoreSettings::default() }
    }

    pub(crate) fn storage(&self, prefix: &str) -> Storage {
        Storage::open_with(self.location(prefix), &self.settings()).unwrap()
    }

    /// Sends a signed request to `key` of the bucket (the bucket itself where it is empty), and gives status and body.
    pub(crate) fn signed(&self, method: &str, key_and_query: &str, body: &str) -> (u16, String) {
        let slash = if key_and_query.is_empty() || key_and_query.starts_with('?') { "" } else { "/" };
        let answer = self.ask("s3", method, &format!("/{}{slash}{key_and_query}", self.bucket), body);
        (answer.status, answer.body)
    }

    /// Sends a signed request to a service of the store.
    pub(crate) fn ask(&self, service: &str, method: &str, path: &str, body: &str) -> Answer {
        let mut request = HttpRequest::new(HttpRequestBody::from(body.to_string()));
        *request.method_mut() = method.try_into().unwrap();
        *request.uri_mut() = format!("{}{path}", self.endpoint).parse().unwrap();
        if service == "sts" {
            request.headers_mut().insert("content-type", HeaderValue::from_static("application/x-www-form-urlencoded"));
        }
        let credential = AwsCredential {
            key_id: key("AWS_ACCESS_KEY_ID"),
            secret_key: key("AWS_SECRET_ACCESS_KEY"),
            token: env::var("AWS_SESSION_TOKEN").ok(),
        };
        AwsAuthorizer::new(&credential, service, "us-east-1").authorize(&mut request, None);
        wait(async move {
            let client = ReqwestConnector::default().connect(&ClientOptions::new().with_allow_http(true)).unwrap();
            let response = client.execute(request).await.unwrap();
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let body = String::from_utf8_lossy(&response.into_body().bytes().await.unwrap()).into_owned();
            Answer { status, headers, body }
        })
    }
}

/// What a store answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Drop for Minio {
    fn drop(&mut self) {
        // A store that others use too shall not fill up. What fails here fails nothing.
        let storage = self.storage("");
        let keys: Vec<String> = storage.list("").unwrap_or_default().into_iter().map(|entry| entry.key).collect();
        let _ = storage.delete(&keys);
        if !std::thread::panicking() {
            self.signed("DELETE", "", "");
        }
    }
}
