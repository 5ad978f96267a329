//! A bucket as an object store that knows its own writes again: where an answer was lost and the next try is told that
//! somebody was faster, that somebody may have been us.

use super::resume::resuming;
use super::transport::Unanswered;
use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt,
    PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, TagSet, UploadPart,
};
use std::fmt;

/// A bucket.
#[derive(Debug, Clone)]
pub(super) struct BucketStore {
    pub(super) s3: AmazonS3,
    /// Tags of each object written.
    pub(super) tags: TagSet,
    /// Whether the store keeps to conditions of writes.
    pub(super) conditional: bool,
}

impl fmt::Display for BucketStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.s3)
    }
}

impl BucketStore {
    /// Writes under a condition, and where that fails after a try whose end isn't known, looks whether it is there.
    async fn put_if(&self, path: &Path, payload: PutPayload, mut options: PutOptions) -> Result<PutResult> {
        let unanswered = Unanswered::default();
        options.extensions.insert(unanswered.clone());
        let error = match self.s3.put_opts(path, payload.clone(), options).await {
            Ok(put) => return Ok(put),
            Err(error) => error,
        };
        if !unanswered.any() {
            return Err(error);
        }
        match self.is_there(path, &payload).await {
            Some(put) => Ok(put),
            None => Err(error),
        }
    }

    /// The object at `path`, if it is what was to be written.
    async fn is_there(&self, path: &Path, payload: &PutPayload) -> Option<PutResult> {
        let found = self.s3.get(path).await.ok()?;
        if found.meta.size != payload.content_length() as u64 {
            return None;
        }
        let put = PutResult { e_tag: found.meta.e_tag.clone(), version: found.meta.version.clone() };
        let bytes = found.bytes().await.ok()?;
        (bytes == Bytes::from(payload.clone())).then_some(put)
    }

    /// The weaker mode: looks first, then writes.
    async fn look_and_put(&self, path: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let found = match self.s3.head(path).await {
            Ok(meta) => Some(meta),
            Err(Error::NotFound { .. }) => None,
            Err(error) => return Err(error),
        };
        match &options.mode {
            PutMode::Overwrite => {}
            PutMode::Create if found.is_some() => {
                return Err(Error::AlreadyExists { path: path.to_string(), source: "it is there".into() });
            }
            PutMode::Create => {}
            PutMode::Update(expected) => {
                let etag = found.and_then(|meta| meta.e_tag);
                if etag.is_none() || etag != expected.e_tag {
                    let source = format!("expected {:?}, found {etag:?}", expected.e_tag);
                    return Err(Error::Precondition { path: path.to_string(), source: source.into() });
                }
            }
        }
        self.s3.put_opts(path, payload, PutOptions { mode: PutMode::Overwrite, ..options }).await
    }

    fn tagged(&self, tags: TagSet) -> TagSet {
        if tags.encoded().is_empty() { self.tags.clone() } else { tags }
    }
}

#[async_trait]
impl ObjectStore for BucketStore {
    async fn put_opts(&self, path: &Path, payload: PutPayload, mut options: PutOptions) -> Result<PutResult> {
        options.tags = self.tagged(options.tags);
        match options.mode {
            PutMode::Overwrite => self.s3.put_opts(path, payload, options).await,
            _ if self.conditional => self.put_if(path, payload, options).await,
            _ => self.look_and_put(path, payload, options).await,
        }
    }

    async fn put_multipart_opts(&self, path: &Path, mut options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        options.tags = self.tagged(options.tags);
        let begun = Utc::now();
        let upload = self.s3.put_multipart_opts(path, options).await?;
        Ok(Box::new(Upload { upload, store: self.s3.clone(), path: path.clone(), begun, parts: 0, size: 0 }))
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        let result = self.s3.get_opts(path, options.clone()).await?;
        let streams = matches!(result.payload, GetResultPayload::Stream(_)) && !options.head;
        Ok(if streams { resuming(self.s3.clone(), path.clone(), options, result) } else { result })
    }

    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.s3.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.s3.list(prefix)
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        self.s3.list_with_offset(prefix, offset).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.s3.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.s3.copy_opts(from, to, options).await
    }
}

/// An upload in parts.
#[derive(Debug)]
struct Upload {
    upload: Box<dyn MultipartUpload>,
    store: AmazonS3,
    path: Path,
    begun: DateTime<Utc>,
    parts: usize,
    size: u64,
}

impl Upload {
    /// The object, if it is what the parts make: of that size, of that many parts, and made since the upload began. Stores
    /// refuse requests of clocks that are a quarter of an hour off, so theirs and ours differ by no more.
    async fn is_there(&mut self) -> Option<PutResult> {
        let found = self.store.head(&self.path).await.ok()?;
        let of_parts = found.e_tag.as_deref()?.trim_matches('"').ends_with(&format!("-{}", self.parts.max(1)));
        let is_new = found.last_modified >= self.begun - TimeDelta::minutes(15);
        (found.size == self.size && of_parts && is_new).then_some(PutResult { e_tag: found.e_tag, version: found.version })
    }
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.parts += 1;
        self.size += data.content_length() as u64;
        self.upload.put_part(data)
    }

    async fn complete(&mut self) -> Result<PutResult> {
        match self.upload.complete().await {
            // The store forgets an upload when it is complete: a second try, where the first one's answer was lost, finds none.
            Err(error @ Error::NotFound { .. }) => self.is_there().await.ok_or(error),
            done => done,
        }
    }

    async fn abort(&mut self) -> Result<()> {
        match self.upload.abort().await {
            Err(Error::NotFound { .. }) => Ok(()),
            done => done,
        }
    }
}
