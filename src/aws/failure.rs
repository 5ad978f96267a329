//! What a service's errors mean for who reads them: what was asked, what the service said, and what to do.

use super::service::Service;
use crate::error::{Error, ErrorKind};
use crate::secrets::redact;
use crate::storage::NoCredentials;
use aws_config::SdkConfig;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::error::Error as StdError;
use std::fmt;

/// What a service said when it refused: the cause of the [`Error`] that names what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Its name of the error, such as `AccessDeniedException`; nothing where there was no answer.
    pub code: Option<String>,
    /// In its words.
    pub message: String,
    /// The id under which AWS has kept what happened.
    pub request_id: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) if self.message.is_empty() => f.write_str(code),
            Some(code) => write!(f, "{code}: {}", self.message.trim_end_matches('.')),
            None => f.write_str(&self.message),
        }
    }
}

impl StdError for Refusal {}

/// The name that the service gave the error.
pub fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    error.as_service_error()?.code()
}

/// The error of `doing` something (`can't read table a.b`) with `service`.
pub fn failed<E>(kind: ErrorKind, service: Service, doing: &str, config: &SdkConfig, error: &SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    let (refusal, to_do) = explained(service, config, error);
    let request_id = refusal.request_id.clone();
    let mut told = Error::new(kind, format!("{doing}: {service}")).with_source(refusal);
    if let Some(id) = request_id {
        told = told.with_context("request id", id);
    }
    match to_do {
        Some(to_do) => told.with_context("what to do", to_do),
        None => told,
    }
}

fn explained<E>(service: Service, config: &SdkConfig, error: &SdkError<E, HttpResponse>) -> (Refusal, Option<String>)
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    let told = |text: String| Refusal { code: None, message: redact(&text), request_id: None };
    if let Some(refused) = error.as_service_error() {
        let request_id = error.raw_response().and_then(|response| response.headers().get("x-amzn-requestid"));
        let status = error.raw_response().map(|response| response.status().as_u16());
        let reason = match (refused.code(), refused.message(), status) {
            // Said by something that is not the service, or by one in another language.
            (None, None | Some(""), Some(status)) => format!("HTTP status {status}, no reason given"),
            (_, message, _) => message.unwrap_or_default().to_string(),
        };
        let refusal =
            Refusal { code: refused.code().map(str::to_string), message: redact(&reason), request_id: request_id.map(str::to_string) };
        let to_do = refusal.code.as_deref().and_then(|code| meaning(service, code, &refusal.message));
        return (refusal, to_do);
    }
    let causes = || causes(error);
    if let Some(missing) = causes().find_map(missing_keys) {
        let to_do = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile with --profile or AWS_PROFILE (`aws sso login` where \
                     it signs on), or give the machine a role";
        return (told(missing), Some(to_do.to_string()));
    }
    // The outermost says only which stage failed.
    let mut said: Vec<String> = Vec::new();
    for cause in causes().skip(1) {
        let own = cause.to_string();
        if !said.iter().any(|text| text.contains(&own)) {
            said.push(own);
        }
    }
    let text = if said.is_empty() { error.to_string() } else { said.join(": ") };
    let endpoint = config.endpoint_url().map_or_else(|| "AWS".to_string(), redact);
    let variable = service.endpoint_variable();
    (told(format!("no response from {endpoint}: {text}")), Some(format!("check the network, the region, and {variable} if it is set")))
}

fn causes<'e>(error: &'e (dyn StdError + 'static)) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| StdError::source(*error))
}

/// What is said of missing keys, if `error` is of those.
fn missing_keys(error: &(dyn StdError + 'static)) -> Option<String> {
    if let Some(missing) = error.downcast_ref::<NoCredentials>() {
        return Some(if missing.none { "no credentials were found".to_string() } else { format!("no credentials: {missing}") });
    }
    error.downcast_ref::<CredentialsError>().map(|error| format!("no credentials: {error}"))
}

/// What to do about a refusal.
fn meaning(service: Service, code: &str, message: &str) -> Option<String> {
    let name = service.to_string().to_lowercase();
    let to_do = match code {
        _ if message.contains("Lake Formation") => {
            "Lake Formation decides here: have its administrator grant these credentials what the message names (and DATA_LOCATION_ACCESS \
             where a table's place is set)"
                .to_string()
        }
        "AccessDeniedException" | "AccessDenied" => {
            format!("grant these credentials the permission that the message names ({name}:… on catalog, database and table)")
        }
        "UnrecognizedClientException" | "InvalidClientTokenId" | "InvalidSignatureException" | "MissingAuthenticationTokenException" => {
            "the access key is unknown, or the secret key doesn't belong to it: check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and the profile"
                .to_string()
        }
        "ExpiredTokenException" | "ExpiredToken" => {
            "the credentials have expired: get new ones (`aws sso login`, or a new session), then try again".to_string()
        }
        "ThrottlingException"
        | "Throttling"
        | "TooManyRequestsException"
        | "OperationTimeoutException"
        | "InternalServiceException"
        | "InternalServerException" => {
            format!("{service} is busy or down, and remained so after several attempts: try again later")
        }
        "GlueEncryptionException" => {
            "the catalog is encrypted: these credentials need kms:Decrypt and kms:GenerateDataKey on its key".to_string()
        }
        "ResourceNumberLimitExceededException" => format!("a quota of the account is exhausted: ask AWS to raise it for {service}"),
        _ => return None,
    };
    Some(to_do)
}
