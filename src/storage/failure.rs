//! What a store's errors mean for who reads them: which object, what the store said, and what to do.

use super::answer::Answer;
use super::credentials::NoCredentials;
use super::location::Location;
use super::transport::Lost;
use crate::error::{Error, ErrorKind};
use crate::secrets::redact;
use std::fmt;

/// Why a store failed: the cause of the [`Error`] that names the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreFailure {
    /// The status of HTTP, where there was an answer.
    pub status: Option<u16>,
    /// S3's name of the error, such as `AccessDenied`.
    pub code: Option<String>,
    /// The id under which the store has kept what happened.
    pub request_id: Option<String>,
    text: String,
}

impl fmt::Display for StoreFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for StoreFailure {}

/// The error of doing something (`can't read`, `can't write`) with `location`.
pub(super) fn failed(kind: ErrorKind, doing: &str, location: &Location, error: &object_store::Error) -> Error {
    let message = format!("{doing} {location}");
    if !matches!(location, Location::Bucket { .. }) {
        return Error::new(kind, message).with_source(redact(&chain(error)));
    }
    let (failure, to_do) = explained(location, error);
    let request_id = failure.request_id.clone();
    let mut told = Error::new(kind, message).with_source(failure);
    if let Some(id) = request_id {
        told = told.with_context("request id", id);
    }
    match to_do {
        Some(to_do) => told.with_context("what to do", to_do),
        None => told,
    }
}

/// What the store answered, if it refused.
pub(super) fn answer(error: &object_store::Error) -> Option<Answer> {
    causes(error).find_map(|cause| Answer::find(&cause.to_string()))
}

fn causes<'e>(error: &'e object_store::Error) -> impl Iterator<Item = &'e (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |error| error.source())
}

fn explained(location: &Location, error: &object_store::Error) -> (StoreFailure, Option<String>) {
    let told = |text: String| StoreFailure { status: None, code: None, request_id: None, text: redact(&text) };
    if let Some(answer) = answer(error) {
        return refused(location, answer);
    }
    if let Some(missing) = causes(error).find_map(|cause| cause.downcast_ref::<NoCredentials>()) {
        let text = if missing.none { "no credentials were found".to_string() } else { format!("no credentials: {missing}") };
        let to_do = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile with --profile or AWS_PROFILE \
                     (`aws sso login` where it signs on), or give the machine a role";
        return (told(text), Some(to_do.to_string()));
    }
    if let Some(lost) = causes(error).find_map(|cause| cause.downcast_ref::<Lost>()) {
        return (told(format!("the store can't be reached: {lost}")), Some(way(&lost.0).to_string()));
    }
    (told(chain(error)), None)
}

/// What to do about a connection that failed.
fn way(text: &str) -> &'static str {
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&["certificate", "UnknownIssuer"]) {
        "the store's certificate isn't trusted: add its authority to the system's (or set SSL_CERT_FILE), or use the name it was made for"
    } else if has(&["InvalidContentType", "corrupt message", "wrong version"]) {
        "the endpoint doesn't speak TLS: write it with http:// instead of https://"
    } else if has(&["dns error", "lookup address"]) {
        "check the name in --endpoint-url or AWS_ENDPOINT_URL_S3, the region, and the network"
    } else {
        "check that the store runs, --endpoint-url or AWS_ENDPOINT_URL_S3 with its port, and the network; then run again"
    }
}

/// What a refusal means.
fn refused(location: &Location, answer: Answer) -> (StoreFailure, Option<String>) {
    let bucket = match location {
        Location::Bucket { bucket, .. } => bucket.as_str(),
        Location::Folder(_) => "",
    };
    let elsewhere = || match &answer.region {
        Some(region) => format!("the bucket is in {region}: set `region: {region}`, --region or AWS_REGION to that"),
        None => "set `region`, --region or AWS_REGION to the bucket's region (`aws s3api get-bucket-location`)".to_string(),
    };
    let to_do = match (answer.status, answer.code.as_str()) {
        (_, "NoSuchBucket") => Some(format!("check the name {bucket}, the endpoint and the account; or make the bucket")),
        (_, "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" | "InvalidToken") => {
            Some("the credentials have expired: get new ones (`aws sso login`, or a new session), then try again".to_string())
        }
        (_, "InvalidAccessKeyId") => {
            Some("the store doesn't know the access key: check which keys or profile are in use, and the endpoint".to_string())
        }
        (_, "SignatureDoesNotMatch") => {
            Some("the secret key doesn't belong to the access key, or a proxy changes requests: check AWS_SECRET_ACCESS_KEY".to_string())
        }
        (_, "RequestTimeTooSkewed") => Some("the clock of this machine is wrong: set it".to_string()),
        (_, "PermanentRedirect" | "TemporaryRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException") => {
            Some(elsewhere())
        }
        (300..=399, _) => Some(elsewhere()),
        (_, "NotImplemented") | (501, _) if ["KMS", "ncrypt"].iter().any(|word| answer.message.contains(word)) => {
            Some("the store has no keys to encrypt with: leave out `sse`, or give the store a KMS".to_string())
        }
        (_, "NotImplemented") | (501, _) => Some(
            "the store can't do conditional writes: set `conditional_writes: false`, and never let two runs write at once \
             (docs/s3.md)"
                .to_string(),
        ),
        (_, code) if code.starts_with("KMS") => {
            Some("check `kms_key_id`, and that the key's policy lets these credentials use it".to_string())
        }
        // The answer to a look at an object has no body that would say which.
        (401 | 403, "") => Some(format!(
            "check the keys (AWS_ACCESS_KEY_ID and its like, or the profile), and that their policy allows s3:ListBucket on {bucket} and \
             s3:GetObject on its objects"
        )),
        (400, "") => {
            Some("check the bucket's name, the keys, the region, and that the endpoint is that of S3 and not of a console".to_string())
        }
        (401 | 403, _) => Some(format!(
            "the policy of these credentials or of the bucket must allow s3:ListBucket and s3:ListBucketMultipartUploads on {bucket}, and s3:GetObject, s3:PutObject, \
             s3:DeleteObject and s3:AbortMultipartUpload on its objects (kms:GenerateDataKey and kms:Decrypt where KMS encrypts)"
        )),
        (429 | 500..=599, _) | (_, "SlowDown") => {
            Some("the store is busy or down, and remained so after several attempts: try again later".to_string())
        }
        _ => None,
    };
    let meaning = match (answer.status, answer.code.as_str()) {
        (_, "NoSuchBucket") => "there is no such bucket",
        (_, "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" | "InvalidToken") => "the credentials have expired",
        (_, "InvalidAccessKeyId" | "SignatureDoesNotMatch") => "the credentials are wrong",
        (_, "PermanentRedirect" | "AuthorizationHeaderMalformed") | (300..=399, _) => "wrong region",
        (_, "NotImplemented") | (501, _) => "the store can't do what was asked",
        (401 | 403, _) => "access denied",
        (404, _) => "it isn't there",
        (412, _) => "somebody else has changed it",
        (429 | 500..=599, _) => "the store failed",
        _ => "the store refused",
    };
    let mut said = match answer.code.as_str() {
        "" => answer.status.to_string(),
        code => format!("{} {code}", answer.status),
    };
    if !answer.message.is_empty() {
        said = format!("{said}: {}", answer.message.trim_end_matches('.'));
    }
    let failure = StoreFailure {
        status: Some(answer.status),
        code: Some(answer.code).filter(|code| !code.is_empty()),
        request_id: answer.request_id,
        text: redact(&format!("{meaning} ({said})")),
    };
    (failure, to_do)
}

/// What an error and its causes say, each once.
fn chain(error: &object_store::Error) -> String {
    let mut text = String::new();
    for cause in causes(error) {
        let own = cause.to_string();
        if !text.contains(&own) {
            text = if text.is_empty() { own } else { format!("{text}: {own}") };
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, body: &str, region: Option<&str>) -> String {
        let answer = Answer::read(status, body.as_bytes(), Some("REQ1".to_string()), region.map(str::to_string));
        let source = format!("Error performing PUT http://h/b/k?X-Amz-Signature=abc in 1ms - {}", answer.to_body());
        let error = object_store::Error::Generic { store: "S3", source: source.into() };
        failed(ErrorKind::Output, "can't write", &Location::parse("s3://lake/a/b").unwrap(), &error).to_string()
    }

    #[test]
    fn refusals_say_what_to_do() {
        let denied = told(403, "<Error><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>", None);
        assert!(
            denied.starts_with("can't write s3://lake/a/b: access denied (403 AccessDenied: Access Denied)\n  request id: REQ1\n"),
            "{denied}"
        );
        assert!(denied.contains("s3:PutObject"));
        assert!(told(404, "<Error><Code>NoSuchBucket</Code></Error>", None).contains("make the bucket"));
        assert!(told(301, "", Some("eu-west-1")).contains("--region or AWS_REGION"));
        assert!(told(403, "<Error><Code>ExpiredToken</Code></Error>", None).contains("aws sso login"));
        assert!(told(501, "<Error><Code>NotImplemented</Code></Error>", None).contains("conditional_writes: false"));
        assert!(told(503, "<Error><Code>SlowDown</Code></Error>", None).contains("try again later"));
        let secret = told(
            403,
            "<Error><Code>SignatureDoesNotMatch</Code><Message>x Signature=abc</Message><SignatureProvided>abc</SignatureProvided></Error>",
            None,
        );
        assert!(!secret.contains("abc"), "{secret}");
    }

    #[test]
    fn what_failed_on_the_way_is_told() {
        let lost = |text: &str| {
            let error = object_store::Error::Generic { store: "S3", source: Box::new(Lost(text.to_string())) };
            failed(ErrorKind::Input, "can't read", &Location::parse("s3://lake/a").unwrap(), &error).to_string()
        };
        assert!(lost("tcp connect error: Connection refused (os error 111)").contains("--endpoint-url"));
        assert!(lost("invalid peer certificate: UnknownIssuer").contains("SSL_CERT_FILE"));
        assert!(lost("received corrupt message of type InvalidContentType").contains("http:// instead"));
        let other = object_store::Error::Generic { store: "S3", source: "Authorization: AWS4 Signature=s3cr3t".into() };
        let text = failed(ErrorKind::Input, "can't read", &Location::parse("s3://lake/a").unwrap(), &other).to_string();
        assert!(!text.contains("s3cr3t") && text.contains("[redacted]"), "{text}");
    }
}
