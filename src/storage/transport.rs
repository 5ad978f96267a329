//! Requests to S3, one try each: what failed on the way becomes an error that is tried again, what the store refused one
//! that says why. How often and when it is tried again is for the client above.

use super::answer::Answer;
use super::blocking::handle;
use crate::trace::{Span, is_on};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService, ReqwestConnector,
};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

/// The longest wait for an answer to begin, once the request is sent.
const ANSWER: Duration = Duration::from_secs(30);
/// The slowest line that a body may be sent over: more than this many bytes in a second.
const SLOWEST: u64 = 64 * 1024;
/// The longest wait for the next bytes of an answer.
pub(super) const IDLE: Duration = Duration::from_secs(20);
/// The largest answer that is read as a whole before it is handed on, where the request named no range.
const WHOLE: u64 = 8 << 20;

/// How many tries of one request may have reached the store without our knowing: then the store's "somebody else was
/// faster" may mean ourselves. Travels with the request.
#[derive(Debug, Clone, Default)]
pub(super) struct Unanswered(Arc<AtomicUsize>);

impl Unanswered {
    pub(super) fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

/// Makes the clients of stores.
#[derive(Debug, Default)]
pub(super) struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Transport(ReqwestConnector::default().connect(options)?)))
    }
}

/// A client whose connections live on the storage's own threads, whoever asks.
#[derive(Debug)]
struct Transport(HttpClient);

/// What went wrong on the way.
#[derive(Debug)]
pub(super) struct Lost(pub(super) String);

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Lost {}

/// An error after which the client tries again, whatever the request: each is safe to be sent twice, as writes with a
/// condition are checked by [`super::bucket_store`].
fn again(what: String) -> HttpError {
    HttpError::new(HttpErrorKind::Request, Lost(what))
}

/// What an error of a connection and its causes say.
fn chain(error: &dyn std::error::Error) -> String {
    let mut parts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(source) = cause {
        let text = source.to_string();
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
        cause = source.source();
    }
    crate::secrets::redact(&parts.join(": "))
}

/// A try that failed: whether the store may have got it, and the error.
struct Failed {
    reached: bool,
    error: HttpError,
}

#[async_trait]
impl HttpService for Transport {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let unanswered = request.extensions().get::<Unanswered>().cloned();
        let client = self.0.clone();
        // Ends with this future: a request nobody waits for is given up.
        let mut task = JoinSet::new();
        task.spawn_on(attempt(client, request), handle());
        let done = match task.join_next().await {
            Some(Ok(done)) => done,
            Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            _ => Err(Failed { reached: true, error: again("the request was given up".to_string()) }),
        };
        match done {
            Ok(response) => {
                // A server that fails may have done what was asked before.
                if let Some(unanswered) = unanswered.filter(|_| response.status().is_server_error()) {
                    unanswered.0.fetch_add(1, Ordering::Relaxed);
                }
                Ok(response)
            }
            Err(failed) => {
                if let Some(unanswered) = unanswered.filter(|_| failed.reached) {
                    unanswered.0.fetch_add(1, Ordering::Relaxed);
                }
                Err(failed.error)
            }
        }
    }
}

/// Sends a request, and tells of it who listens.
async fn attempt(client: HttpClient, request: HttpRequest) -> Result<HttpResponse, Failed> {
    let span = Span::begin();
    // What is asked of an object tells nothing that is secret; a signature stands in the headers.
    let asked = is_on().then(|| format!("S3 {} {}", request.method(), request.uri()));
    let done = send(client, request).await;
    span.done(|| {
        let asked = asked.unwrap_or_default();
        match &done {
            Ok(response) => format!("{asked}: {}", response.status().as_u16()),
            Err(failed) => format!("{asked}: {}", chain(&failed.error)),
        }
    });
    done
}

async fn send(client: HttpClient, request: HttpRequest) -> Result<HttpResponse, Failed> {
    let is_get = *request.method() == "GET";
    let has_range = request.headers().contains_key("range");
    let is_listing = request.uri().query().is_some_and(|query| query.contains("list-type=") || query.contains("uploads"));
    let upload = Duration::from_secs(request.body().content_length() as u64 / SLOWEST);
    let response = match tokio::time::timeout(ANSWER + upload, client.execute(request)).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => {
            let reached = error.kind() != HttpErrorKind::Connect;
            let text = chain(&error);
            // A certificate that isn't trusted will not be so a moment later.
            let kind = if text.contains("certificate") { HttpErrorKind::Unknown } else { HttpErrorKind::Request };
            return Err(Failed { reached, error: HttpError::new(kind, Lost(text)) });
        }
        Err(_) => return Err(Failed { reached: true, error: again(format!("no response within {} s", (ANSWER + upload).as_secs())) }),
    };
    let is_ok = response.status().is_success();
    let small =
        response.headers().get("content-length").and_then(|value| value.to_str().ok()?.parse().ok()).is_some_and(|n: u64| n <= WHOLE);
    if is_ok && is_get && !has_range && !is_listing && !small {
        return Ok(response);
    }
    let (mut parts, body) = response.into_parts();
    let body = whole(body).await.map_err(|error| Failed { reached: true, error })?;
    if is_ok && (is_get || !Answer::is_error(&body)) || parts.status.as_u16() == 304 {
        return Ok(HttpResponse::from_parts(parts, body.into()));
    }
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_string);
    let answer = Answer::read(parts.status.as_u16(), &body, header("x-amz-request-id"), header("x-amz-bucket-region"));
    parts.status = answer.status_to_act_on().try_into().unwrap_or(parts.status);
    parts.headers.remove("content-length");
    Ok(HttpResponse::from_parts(parts, answer.to_body().into()))
}

/// All of an answer's body, or an error after which the request is tried again.
async fn whole(body: HttpResponseBody) -> Result<Bytes, HttpError> {
    let mut chunks = body.bytes_stream();
    let mut first: Option<Bytes> = None;
    let mut rest = BytesMut::new();
    loop {
        match tokio::time::timeout(IDLE, chunks.next()).await {
            Ok(Some(Ok(chunk))) => match &first {
                None => first = Some(chunk),
                Some(begin) => {
                    if rest.is_empty() {
                        rest.extend_from_slice(begin);
                    }
                    rest.extend_from_slice(&chunk);
                }
            },
            Ok(Some(Err(error))) => return Err(again(format!("the response was cut off: {}", chain(&error)))),
            Ok(None) => return Ok(if rest.is_empty() { first.unwrap_or_default() } else { rest.freeze() }),
            Err(_) => return Err(again(format!("the response stalled for {} s", IDLE.as_secs()))),
        }
    }
}
