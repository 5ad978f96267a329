//! Bodies that break off are read on from where they stood, however long they are.

use super::transport::IDLE;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{BoxStream, try_unfold};
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, GetResult, GetResultPayload, ObjectStore, Result};
use std::ops::Range;
use std::time::Duration;

/// How many times in a row a body may break off without a byte more.
const TRIES: u32 = 8;

/// `result` with a body that is read on where it breaks off or stands still, as long as the object is the same.
pub(super) fn resuming(store: AmazonS3, path: Path, options: GetOptions, result: GetResult) -> GetResult {
    let (meta, range, attributes) = (result.meta.clone(), result.range.clone(), result.attributes.clone());
    let Some(etag) = meta.e_tag.clone() else { return result };
    let body = Body {
        store,
        path,
        options: GetOptions { if_match: Some(etag), ..options },
        left: range.clone(),
        tries: 0,
        chunks: result.into_stream(),
    };
    GetResult { payload: GetResultPayload::Stream(try_unfold(body, next).boxed()), meta, range, attributes }
}

struct Body {
    store: AmazonS3,
    path: Path,
    options: GetOptions,
    left: Range<u64>,
    tries: u32,
    chunks: BoxStream<'static, Result<Bytes>>,
}

async fn next(mut body: Body) -> Result<Option<(Bytes, Body)>> {
    while body.left.start < body.left.end {
        let broken = match tokio::time::timeout(IDLE, body.chunks.next()).await {
            Ok(Some(Ok(chunk))) if chunk.is_empty() => continue,
            Ok(Some(Ok(chunk))) => {
                body.left.start += chunk.len() as u64;
                body.tries = 0;
                return Ok(Some((chunk, body)));
            }
            Ok(Some(Err(error))) => error,
            Ok(None) => lost("the body ended early"),
            Err(_) => lost("the body stalled"),
        };
        if body.tries == TRIES {
            return Err(broken);
        }
        tokio::time::sleep(Duration::from_millis(50 << body.tries.min(6))).await;
        body.tries += 1;
        let options = GetOptions { range: Some(GetRange::Bounded(body.left.clone())), ..body.options.clone() };
        // Another object by now is an error: its rest doesn't belong to this one's beginning.
        body.chunks = body.store.get_opts(&body.path, options).await?.into_stream();
    }
    Ok(None)
}

fn lost(what: &str) -> Error {
    Error::Generic { store: "S3", source: Box::new(super::transport::Lost(what.to_string())) }
}
