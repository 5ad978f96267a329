//! The files below the locations of tables and partitions, listed once for each query and pinned as they were found.

use crate::error::{Error, ErrorKind, Result};
use crate::input::{ObjectFile, Place, Source};
use crate::storage::{Location, Storage, wait};
use datafusion::object_store::path::Path;
use datafusion::object_store::{ObjectMeta, ObjectStore};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// How many locations are listed at a time.
const AT_ONCE: usize = 32;
/// More locations than this are listed by what is common to their names.
const FEW: usize = 64;

/// What was listed, by location.
#[derive(Debug, Default)]
pub(super) struct Files {
    buckets: Mutex<BTreeMap<String, Storage>>,
    listed: Mutex<HashMap<Folder, Arc<Vec<Source>>>>,
}

/// A location: a bucket, and a key without slashes at its ends.
pub(super) type Folder = (String, String);

impl Files {
    /// All objects below each of `locations`, sorted by their keys; also the hidden and the empty ones.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where they can't be listed, [`ErrorKind::Query`] for a location that is not in S3.
    pub(super) fn all(&self, locations: &[Folder]) -> Result<Vec<Arc<Vec<Source>>>> {
        let mut missing: BTreeMap<String, Vec<String>> = BTreeMap::new();
        {
            let listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
            for (bucket, key) in locations.iter().filter(|folder| !listed.contains_key(*folder)) {
                missing.entry(bucket.clone()).or_default().push(key.clone());
            }
        }
        for (bucket, mut keys) in missing {
            keys.sort();
            keys.dedup();
            let storage = self.bucket(&bucket)?;
            let found = if keys.len() > FEW { listed_together(&storage, &keys)? } else { listed_each(&storage, &keys)? };
            let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
            for (key, objects) in keys.into_iter().zip(found) {
                let sources = objects.into_iter().map(|meta| source(&storage, &bucket, meta)).collect::<Result<_>>()?;
                listed.insert((bucket.clone(), key), Arc::new(sources));
            }
        }
        let listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(locations.iter().map(|folder| listed.get(folder).cloned().unwrap_or_default()).collect())
    }

    /// The files below each of `locations`: neither hidden nor empty ones.
    ///
    /// # Errors
    /// As [`Files::all`].
    pub(super) fn below(&self, locations: &[Folder]) -> Result<Vec<Vec<Source>>> {
        let all = self.all(locations)?;
        let files = |((_, key), sources): (&Folder, Arc<Vec<Source>>)| sources.iter().filter(|s| is_file(s, key)).cloned().collect();
        Ok(locations.iter().zip(all).map(files).collect())
    }

    /// The bucket, opened once: what is read together must be of one store.
    fn bucket(&self, bucket: &str) -> Result<Storage> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = buckets.get(bucket) {
            return Ok(known.clone());
        }
        let storage = Storage::open(Location::Bucket { bucket: bucket.to_string(), key: String::new() })?;
        buckets.insert(bucket.to_string(), storage.clone());
        Ok(storage)
    }
}

/// The bucket and key of `location`, which is that of `what`.
///
/// # Errors
/// [`ErrorKind::Query`] for one that is not in S3.
pub(super) fn folder(location: &str, what: &str) -> Result<Folder> {
    let address = location.replacen("s3n://", "s3://", 1);
    match Location::parse(&address) {
        Ok(Location::Bucket { bucket, key }) => Ok((bucket, key)),
        _ => Err(Error::new(ErrorKind::Query, format!("{what} is at `{location}`, which is not a location in S3"))),
    }
}

fn source(storage: &Storage, bucket: &str, meta: ObjectMeta) -> Result<Source> {
    let (store, _) = storage.object("")?;
    let (path, size) = (format!("s3://{bucket}/{}", meta.location), meta.size);
    Ok(Source::new(path, Place::Object(Arc::new(ObjectFile::new(storage.clone(), store, meta))), Some(size)))
}

/// Whether readers look at it: not at names that begin with a dot or `_`, below the location, and not at what is empty.
fn is_file(source: &Source, key: &str) -> bool {
    let Place::Object(object) = &source.place else { return false };
    let below = object.meta().location.as_ref().strip_prefix(key).unwrap_or_default();
    object.meta().size > 0 && !below.split('/').any(|name| name.starts_with(['.', '_']))
}

/// A request for each location.
fn listed_each(storage: &Storage, keys: &[String]) -> Result<Vec<Vec<ObjectMeta>>> {
    let lists = keys.iter().map(|key| Ok(list(storage.object(key)?))).collect::<Result<Vec<_>>>()?;
    let found = wait(async move { stream::iter(lists).buffered(AT_ONCE).try_collect::<Vec<_>>().await });
    found.map_err(|e| storage.unreadable(keys.first().map_or("", String::as_str), &e))
}

/// All objects below a path.
fn list((store, path): (Arc<dyn ObjectStore>, Path)) -> BoxFuture<'static, datafusion::object_store::Result<Vec<ObjectMeta>>> {
    async move {
        let mut objects: Vec<ObjectMeta> = store.list(Some(&path)).try_collect().await?;
        objects.sort_by(|a, b| a.location.cmp(&b.location));
        Ok(objects)
    }
    .boxed()
}

/// One list, in pages, of all from the first location to the last.
fn listed_together(storage: &Storage, keys: &[String]) -> Result<Vec<Vec<ObjectMeta>>> {
    let (first, last) = (keys.first().map_or("", String::as_str), keys.last().map_or("", String::as_str));
    let same = first.bytes().zip(last.bytes()).take_while(|(a, b)| a == b).count();
    let common = first.get(..same).and_then(|text| text.rsplit_once('/')).map_or("", |(folder, _)| folder);
    let (store, prefix) = storage.object(common)?;
    let offset = storage.object(first)?.1;
    let end = format!("{last}/\u{10ffff}");
    let listed = wait(async move {
        let mut objects = Vec::new();
        let mut pages = store.list_with_offset(Some(&prefix), &offset);
        while let Some(object) = pages.try_next().await? {
            // They come in the order of their keys.
            if object.location.as_ref() > end.as_str() {
                break;
            }
            objects.push(object);
        }
        Ok(objects)
    });
    let listed: Vec<ObjectMeta> = listed.map_err(|e: datafusion::object_store::Error| storage.unreadable(common, &e))?;
    let places: HashMap<&str, usize> = keys.iter().enumerate().map(|(index, key)| (key.as_str(), index)).collect();
    let mut found = vec![Vec::new(); keys.len()];
    for object in listed {
        let key = object.location.as_ref();
        for (slash, _) in key.match_indices('/') {
            if let Some(index) = places.get(&key[..slash]) {
                found[*index].push(object.clone());
            }
        }
    }
    found.iter_mut().for_each(|objects| objects.sort_by(|a: &ObjectMeta, b| a.location.cmp(&b.location)));
    Ok(found)
}
