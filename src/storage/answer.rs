//! What S3 says when it refuses: a few elements of a small document.

use serde::{Deserialize, Serialize};

/// Why S3 refused a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// S3's own name of the error, such as `AccessDenied`; empty where there was none.
    pub(super) code: String,
    pub(super) message: String,
    pub(super) request_id: Option<String>,
    /// The region of the bucket, where it is another one than was asked.
    pub(super) region: Option<String>,
}

/// The document of a refusal; what else is in it is not wanted.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Document {
    code: String,
    message: String,
    request_id: String,
    region: String,
}

/// What stands before an answer in the text of an error: the client above keeps the body of a refusal, and nothing else.
const MARK: &str = "s3-answer:";

impl Answer {
    /// Whether a body tells of an error, though the status may not.
    pub(super) fn is_error(body: &[u8]) -> bool {
        let text = body.trim_ascii_start();
        let text = match text.strip_prefix(b"<?xml") {
            Some(rest) => rest.iter().position(|b| *b == b'>').map_or(&[][..], |end| rest[end + 1..].trim_ascii_start()),
            None => text,
        };
        text.starts_with(b"<Error>") || text.starts_with(b"<Error ")
    }

    /// Reads the body and headers of a refusal.
    pub(super) fn read(status: u16, body: &[u8], request_id: Option<String>, region: Option<String>) -> Answer {
        // An error's document is short; a page of a proxy on the way may be anything.
        let text = String::from_utf8_lossy(&body[..body.len().min(64 << 10)]);
        let document = if Answer::is_error(body) { quick_xml::de::from_str(&text).unwrap_or_default() } else { Document::default() };
        let given = |text: String| Some(text).filter(|text| !text.is_empty());
        let message = if document.code.is_empty() { String::new() } else { document.message };
        Answer {
            status,
            code: document.code,
            message,
            request_id: given(document.request_id).or(request_id),
            region: given(document.region).or(region),
        }
    }

    /// The status by which the client above decides: what can't get better is no server error, what can is one.
    pub(super) fn status_to_act_on(&self) -> u16 {
        match (self.status, self.code.as_str()) {
            (
                _,
                "RequestTimeout" | "ConditionalRequestConflict" | "OperationAborted" | "SlowDown" | "InternalError" | "ServiceUnavailable",
            ) => 503,
            // The store can't do it, and will not learn it.
            (501, _) | (_, "NotImplemented") => 400,
            // Somewhere else; which the message says.
            (300..=399, _) => 400,
            // An error under the status of success.
            (200..=299, _) => 400,
            (status, _) => status,
        }
    }

    /// The body that the client keeps in its error.
    pub(super) fn to_body(&self) -> String {
        // A struct of texts and numbers always has a JSON form.
        format!("{MARK}{}\n", serde_json::to_string(self).unwrap_or_default())
    }

    /// The answer in the text of an error.
    pub(super) fn find(text: &str) -> Option<Answer> {
        let at = text.find(MARK)? + MARK.len();
        serde_json::Deserializer::from_str(&text[at..]).into_iter::<Answer>().next()?.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_survive_as_text() {
        let body =
            b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code><Message>Access &quot;Denied&quot;.</Message>\
            <AWSAccessKeyId>AKID</AWSAccessKeyId><RequestId>17A</RequestId></Error>";
        assert!(Answer::is_error(body) && !Answer::is_error(b"<CopyObjectResult/>"));
        let answer = Answer::read(403, body, Some("header".into()), None);
        assert_eq!((answer.code.as_str(), answer.message.as_str()), ("AccessDenied", "Access \"Denied\"."));
        assert_eq!(answer.request_id.as_deref(), Some("17A"));
        assert!(!answer.to_body().contains("AKID"));
        let text = format!("Server returned non-2xx status code: 403 Forbidden: {} and more", answer.to_body());
        assert_eq!(Answer::find(&text), Some(answer));
        assert_eq!(Answer::read(502, b"<html>bad gateway</html>", None, None).code, "");
        assert_eq!(Answer::read(501, b"", None, None).status_to_act_on(), 400);
        assert_eq!(Answer::read(409, b"<Error><Code>ConditionalRequestConflict</Code></Error>", None, None).status_to_act_on(), 503);
    }
}
