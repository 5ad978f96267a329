//! Uploads in parts that nobody finished: a crash leaves them behind, unseen and paid for, until somebody aborts them.

use super::answer::Answer;
use super::blocking::wait;
use super::clients::Client;
use super::objects::Storage;
use super::transport::Lost;
use crate::error::{ErrorKind, Result};
use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use object_store::aws::AwsAuthorizer;
use object_store::client::{HttpRequest, HttpRequestBody};
use object_store::multipart::MultipartStore;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// An upload that was begun and not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaleUpload {
    /// Of the object it would have become, relative to the storage.
    pub key: String,
    pub begun: DateTime<Utc>,
    id: String,
}

/// How many uploads are aborted at once.
const AT_ONCE: usize = 16;
/// How many times a page is asked for.
const TRIES: u32 = 8;

impl Storage {
    /// The uploads below `folder` that were begun longer ago than `older_than`, oldest first. A folder of this machine has
    /// none. MinIO lists only those begun since it was started, and removes older ones itself after a day.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where they can't be listed.
    pub fn stale_uploads(&self, folder: &str, older_than: TimeDelta) -> Result<Vec<StaleUpload>> {
        let Some(client) = self.client.clone() else { return Ok(Vec::new()) };
        let path = self.path(folder)?;
        let prefix = if path.as_ref().is_empty() { String::new() } else { format!("{path}/") };
        let listed = wait(async move { list(&client, &prefix).await });
        let listed = listed.map_err(|error| self.unreadable(folder, &error))?;
        let latest = Utc::now() - older_than;
        let mut stale = Vec::new();
        for (key, id, begun) in listed {
            // A key that no storage of ours writes is not ours.
            let Ok(path) = object_store::path::Path::parse(&key) else { continue };
            if begun < latest {
                stale.push(StaleUpload { key: self.key(&path), begun, id });
            }
        }
        stale.sort_by(|a, b| (a.begun, &a.key, &a.id).cmp(&(b.begun, &b.key, &b.id)));
        Ok(stale)
    }

    /// Aborts uploads; those that have ended meanwhile are no error.
    ///
    /// # Errors
    /// [`ErrorKind::Output`] for the first that can't be aborted.
    pub fn abort_uploads(&self, uploads: &[StaleUpload]) -> Result<()> {
        let Some(client) = self.client.clone() else { return Ok(()) };
        let paths = uploads.iter().map(|upload| Ok((self.path(&upload.key)?, upload.id.clone()))).collect::<Result<Vec<_>>>()?;
        let aborted = wait(async move {
            let aborts = paths.into_iter().map(|(path, id)| {
                let client = client.clone();
                async move {
                    match client.store.s3.abort_multipart(&path, &id).await {
                        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                        Err(error) => Err(error),
                    }
                }
            });
            stream::iter(aborts).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await
        });
        let to_error = |error| super::failure::failed(ErrorKind::Output, "can't abort uploads to", self.location(), &error);
        aborted.map(drop).map_err(to_error)
    }
}

/// An upload as the store lists it: key, id, and when it began.
type Listed = (String, String, DateTime<Utc>);

/// Where the next page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Marker {
    key: String,
    upload: String,
}

async fn list(client: &Arc<Client>, prefix: &str) -> object_store::Result<Vec<Listed>> {
    // MinIO takes a prefix for a whole key, and without one lists all of the bucket; AWS may have many more than ours.
    let asked = if client.is_other { "" } else { prefix };
    let mut found = Vec::new();
    let mut marker = None;
    loop {
        let page = page(client, asked, marker.as_ref()).await?;
        let (listed, next) = read(&page).ok_or_else(|| invalid("the list of uploads can't be parsed"))?;
        found.extend(listed.into_iter().filter(|(key, ..)| key.starts_with(prefix)));
        match next {
            // A store that answers the same page again would do so forever.
            Some(next) if Some(&next) != marker.as_ref() => marker = Some(next),
            Some(_) => return Err(invalid("the list of uploads doesn't end")),
            None => return Ok(found),
        }
    }
}

fn invalid(what: &str) -> object_store::Error {
    object_store::Error::Generic { store: "S3", source: what.into() }
}

/// Asks for one page, again where that may help.
async fn page(client: &Client, prefix: &str, marker: Option<&Marker>) -> object_store::Result<String> {
    let mut url = url::Url::parse(&client.address).map_err(|e| object_store::Error::Generic { store: "S3", source: Box::new(e) })?;
    url.query_pairs_mut().append_pair("uploads", "").append_pair("encoding-type", "url");
    if !prefix.is_empty() {
        url.query_pairs_mut().append_pair("prefix", prefix);
    }
    if let Some(marker) = marker {
        url.query_pairs_mut().append_pair("key-marker", &marker.key).append_pair("upload-id-marker", &marker.upload);
    }
    let mut tries = 0;
    loop {
        let credential = client.credentials.get_credential().await?;
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.uri_mut() = url.as_str().parse().map_err(|_| invalid("the address of the bucket is none"))?;
        AwsAuthorizer::new(&credential, "s3", &client.region).authorize(&mut request, None);
        let (error, may_help) = match client.http.execute(request).await {
            Ok(response) => {
                let status = response.status();
                let body = response.into_body().bytes().await;
                let body = body.map_err(|e| object_store::Error::Generic { store: "S3", source: Box::new(Lost(e.to_string())) })?;
                let text = String::from_utf8_lossy(&body).into_owned();
                if status.is_success() {
                    return Ok(text);
                }
                let busy = status.is_server_error() || status.as_u16() == 429;
                (object_store::Error::Generic { store: "S3", source: text.into() }, busy)
            }
            Err(error) => (object_store::Error::Generic { store: "S3", source: Box::new(error) }, true),
        };
        tries += 1;
        if !may_help || tries > TRIES {
            return Err(error);
        }
        tokio::time::sleep(Duration::from_millis(50 << tries.min(6))).await;
    }
}

/// The uploads of a page, and where the next one begins.
fn read(page: &str) -> Option<(Vec<Listed>, Option<Marker>)> {
    // An answer that is none would else look like an empty one.
    if Answer::is_error(page.as_bytes()) || !page.contains("ListMultipartUploadsResult") {
        return None;
    }
    let page: Page = quick_xml::de::from_str(page).ok()?;
    let is_encoded = page.encoding_type.as_deref() == Some("url");
    let plain = |text: &str| if is_encoded { unescaped(text) } else { Some(text.to_string()) };
    let mut uploads = Vec::new();
    for upload in page.upload {
        let begun = DateTime::parse_from_rfc3339(&upload.initiated).ok()?.to_utc();
        uploads.push((plain(&upload.key)?, upload.upload_id, begun));
    }
    if page.is_truncated.as_deref() != Some("true") {
        return Some((uploads, None));
    }
    let key = plain(&page.next_key_marker?)?;
    Some((uploads, Some(Marker { key, upload: page.next_upload_id_marker.unwrap_or_default() })))
}

/// A page of a list.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html>.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    encoding_type: Option<String>,
    is_truncated: Option<String>,
    next_key_marker: Option<String>,
    next_upload_id_marker: Option<String>,
    #[serde(default)]
    upload: Vec<Begun>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Begun {
    key: String,
    upload_id: String,
    initiated: String,
}

/// A key as it is, of one in which bytes are written `%2F` and blanks maybe `+`.
fn unescaped(text: &str) -> Option<String> {
    // The parser of forms does just that.
    let pair = format!("k={}", text.replace('&', "%26"));
    url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_read() {
        let page = "<?xml version=\"1.0\"?><ListMultipartUploadsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Bucket>b</Bucket>\
            <KeyMarker></KeyMarker><NextKeyMarker>a%2Fx+y%2526</NextKeyMarker><NextUploadIdMarker>u2</NextUploadIdMarker>\
            <EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>\
            <Upload><Key>a%2Fx+y%2526%2B</Key><UploadId>u1</UploadId><Initiated>2020-02-29T01:02:03.000Z</Initiated></Upload>\
            <Upload><Key>a%2Fz</Key><UploadId>u2</UploadId><Initiated>2020-02-29T01:02:04Z</Initiated></Upload>\
            </ListMultipartUploadsResult>";
        let (uploads, next) = read(page).unwrap();
        let keys: Vec<(&str, &str)> = uploads.iter().map(|(key, id, _)| (key.as_str(), id.as_str())).collect();
        assert_eq!(keys, [("a/x y%26+", "u1"), ("a/z", "u2")]);
        assert_eq!(next, Some(Marker { key: "a/x y%26".into(), upload: "u2".into() }));
        let last = page.replace("true", "false").replace("<EncodingType>url</EncodingType>", "");
        let (uploads, next) = read(&last).unwrap();
        assert_eq!((uploads[1].0.as_str(), next), ("a%2Fz", None));
        for wrong in ["", "<html/>", "<Error><Code>X</Code></Error>", &page.replace("2020-02-29T01:02:04Z", "now")] {
            assert_eq!(read(wrong), None);
        }
    }
}
