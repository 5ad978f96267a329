//! The objects of a scan, as they were when the table was opened: what was replaced since is an error, never half of each.

use crate::storage::spawn;
use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result,
};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// A store of which known versions of objects are read, on the threads that all requests run on.
#[derive(Debug)]
pub(super) struct Pinned {
    store: Arc<dyn ObjectStore>,
    etags: HashMap<Path, String>,
}

impl Pinned {
    /// `store`, of whose `objects` only those versions are read.
    pub(super) fn new(store: Arc<dyn ObjectStore>, objects: impl IntoIterator<Item = ObjectMeta>) -> Pinned {
        let etags = objects.into_iter().filter_map(|meta| Some((meta.location, meta.e_tag?))).collect();
        Pinned { store, etags }
    }
}

impl fmt::Display for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.store)
    }
}

fn read_only() -> object_store::Error {
    object_store::Error::NotSupported { source: "queries only read".into() }
}

#[async_trait]
impl ObjectStore for Pinned {
    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Err(read_only())
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(read_only())
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let if_match = options.if_match.clone().or_else(|| self.etags.get(location).cloned());
        let options = GetOptions { if_match, ..options };
        let (store, location) = (self.store.clone(), location.clone());
        spawn(async move { store.get_opts(&location, options).await }).await?
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        locations.map(|location| location.and(Err(read_only()))).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.store.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(read_only())
    }
}
