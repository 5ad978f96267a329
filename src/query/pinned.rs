//! The objects of a scan, as they were when the table was opened: what was replaced since is an error, never half of each.

use crate::input::{ObjectFile, Place, Source};
use crate::storage::spawn;
use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use object_store::path::Path;
use object_store::{
    Attributes, CopyOptions, GetOptions, GetRange, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use object_store::{OBJECT_STORE_COALESCE_DEFAULT, ObjectStoreExt, coalesce_ranges};
use std::collections::HashMap;
use std::fmt;
use std::future::ready;
use std::ops::Range;
use std::sync::Arc;

/// A store of which known versions of objects are read, on the threads that all requests run on.
#[derive(Debug)]
pub(super) struct Pinned {
    store: Arc<dyn ObjectStore>,
    objects: HashMap<Path, Arc<ObjectFile>>,
}

impl Pinned {
    /// `store`, of whose objects only the versions of `sources` are read.
    pub(super) fn new<'a>(store: Arc<dyn ObjectStore>, sources: impl IntoIterator<Item = (&'a Path, &'a Source)>) -> Pinned {
        let object = |(path, source): (&Path, &Source)| match &source.place {
            Place::Object(object) => Some((path.clone(), object.clone())),
            Place::File(_) | Place::Stream(_) => None,
        };
        Pinned { store, objects: sources.into_iter().filter_map(object).collect() }
    }
}

/// What `options` ask for of an object of which all `bytes` are at hand.
fn at_hand(meta: &ObjectMeta, bytes: &Bytes, options: &GetOptions) -> Option<GetResult> {
    let all = 0..bytes.len() as u64;
    let range = match &options.range {
        None => all,
        Some(GetRange::Bounded(range)) => range.start..range.end.min(all.end),
        Some(GetRange::Offset(start)) => *start..all.end,
        Some(GetRange::Suffix(length)) => all.end.saturating_sub(*length)..all.end,
    };
    if options.head || range.start > range.end {
        return None;
    }
    let wanted = bytes.slice(range.start as usize..range.end as usize);
    let payload = GetResultPayload::Stream(stream::once(ready(Ok(wanted))).boxed());
    Some(GetResult { payload, meta: meta.clone(), range, attributes: Attributes::default() })
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
        let known = self.objects.get(location);
        if let Some((object, bytes)) = known.and_then(|object| Some((object, object.kept()?)))
            && let Some(found) = at_hand(object.meta(), &bytes, &options)
        {
            return Ok(found);
        }
        let if_match = options.if_match.clone().or_else(|| known?.meta().e_tag.clone());
        let options = GetOptions { if_match, ..options };
        let (store, location) = (self.store.clone(), location.clone());
        spawn(async move { store.get_opts(&location, options).await }).await?
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        coalesce_ranges(ranges, |range| self.get_range(location, range), OBJECT_STORE_COALESCE_DEFAULT).await
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
