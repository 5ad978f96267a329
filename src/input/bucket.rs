//! Finds objects by prefixes and globs, as files are found by folders and globs.

use super::name::is_left_out;
use super::object::ObjectFile;
use super::rotation::Order;
use super::source::{Place, Source};
use crate::diagnostic::nearest;
use crate::error::{Error, ErrorKind, Result};
use crate::storage::{Location, Storage, wait};
use futures::{StreamExt, TryStreamExt, stream};
use glob::{MatchOptions, Pattern};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use std::sync::Arc;

/// How many prefixes are listed at a time.
const AT_ONCE: usize = 32;

/// Like `*` in paths of this machine: it ends at a slash.
const OPTIONS: MatchOptions = MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

/// The objects that `key` names in `storage`: an object, all below a prefix, or what a glob matches; but for those whose name, or that
/// of a folder that was not asked for by its name, begins with `.` or `_`, and the tests of load balancers. They are in the order in which files would be.
///
/// # Errors
/// [`ErrorKind::Input`] where there is none or it can't be listed, [`ErrorKind::Usage`] for a malformed glob.
pub fn objects(storage: &Storage, key: &str) -> Result<Vec<Source>> {
    let (bucket, shown) = match storage.location().join(key) {
        Location::Bucket { bucket, key } => (bucket.clone(), format!("s3://{bucket}/{key}")),
        Location::Folder(path) => (String::new(), path.display().to_string()),
    };
    let (store, path) = storage.object(key)?;
    // A key that really has a `*` in it is meant before a glob is.
    let unreadable = |e: object_store::Error| storage.unreadable(key, &e);
    let found = match key.is_empty() {
        true => None,
        false => head(&store, &path).map_err(unreadable)?,
    };
    let mut listed = match found {
        Some(object) => vec![object],
        None if path.as_ref().contains(['*', '?', '[']) => matching(&store, &path, &shown, &unreadable)?,
        None => below(&store, &path).map_err(unreadable)?,
    };
    if listed.is_empty() {
        return Err(missing(&store, &path, &shown));
    }
    listed.sort_by_cached_key(|object| Order::of(object.location.as_ref()));
    let source = |meta: ObjectMeta| {
        let path = match bucket.as_str() {
            "" => meta.location.to_string(),
            bucket => format!("s3://{bucket}/{}", meta.location),
        };
        let size = meta.size;
        Source::new(path, Place::Object(Arc::new(ObjectFile::new(storage.clone(), store.clone(), meta))), Some(size))
    };
    Ok(listed.into_iter().map(source).collect())
}

/// The object itself, where there is one.
fn head(store: &Arc<dyn ObjectStore>, path: &Path) -> object_store::Result<Option<ObjectMeta>> {
    let (store, path) = (store.clone(), path.clone());
    match wait(async move { store.head(&path).await }) {
        Ok(meta) => Ok(Some(meta)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// All objects below `folder` that are not hidden.
fn below(store: &Arc<dyn ObjectStore>, folder: &Path) -> object_store::Result<Vec<ObjectMeta>> {
    let (store, folder) = (store.clone(), folder.clone());
    let mut listed = wait(async move { list(&store, &folder).await })?;
    remove_markers(&mut listed.1);
    let depth = listed.0;
    listed.1.retain(|meta| !meta.location.parts().skip(depth).any(|part| is_left_out(part.as_ref())));
    Ok(listed.1)
}

/// The depth of `folder`, and all below it, in pages of the store.
async fn list(store: &Arc<dyn ObjectStore>, folder: &Path) -> object_store::Result<(usize, Vec<ObjectMeta>)> {
    Ok((folder.parts().count(), store.list(Some(folder)).try_collect().await?))
}

/// Some programs make folders visible by empty objects of their names.
fn remove_markers(listed: &mut Vec<ObjectMeta>) {
    listed.sort_by(|a, b| a.location.cmp(&b.location));
    let folders: std::collections::HashSet<String> =
        listed.iter().filter_map(|meta| Some(meta.location.as_ref().rsplit_once('/')?.0.to_string())).collect();
    listed.retain(|meta| meta.size > 0 || !folders.contains(meta.location.as_ref()));
}

/// What the glob `path` matches: objects, and all below folders.
fn matching(
    store: &Arc<dyn ObjectStore>,
    path: &Path,
    shown: &str,
    unreadable: &dyn Fn(object_store::Error) -> Error,
) -> Result<Vec<ObjectMeta>> {
    let text = path.as_ref();
    let before = shown.len() - text.len();
    let malformed = |e: glob::PatternError| {
        Error::new(ErrorKind::Usage, format!("`{shown}` is not a glob: {} at character {}", e.msg, before + e.pos + 1))
    };
    let pattern = Pattern::new(text).map_err(malformed)?;
    // All in front of the first part that is a glob is a prefix.
    let parts: Vec<&str> = text.split('/').collect();
    let literal = parts.iter().take_while(|part| !part.contains(['*', '?', '['])).count();
    let first = Pattern::new(parts[literal]).map_err(malformed)?;
    let deep = parts[literal] == "**";
    let last = literal + 1 == parts.len();
    let prefix = Path::parse(parts[..literal].join("/")).map_err(|e| unreadable(e.into()))?;
    let (store, within) = (store.clone(), prefix);
    let listed = wait(async move {
        if deep {
            return Ok(list(&store, &within).await?.1);
        }
        let here = store.list_with_delimiter(Some(&within)).await?;
        let (all, mut objects) = (here.common_prefixes.len(), if last { here.objects } else { Vec::new() });
        let matches = |folder: &Path| folder.filename().is_some_and(|name| first.matches_with(name, OPTIONS));
        let folders: Vec<Path> = here.common_prefixes.into_iter().filter(matches).collect();
        if folders.len() > AT_ONCE && folders.len() * 2 > all {
            // Pages of everything are fewer than requests for each folder.
            return Ok(list(&store, &within).await?.1);
        }
        let store = &store;
        let mut lists = stream::iter(folders).map(|folder| async move { list(store, &folder).await }).buffered(AT_ONCE);
        while let Some((_, more)) = lists.try_next().await? {
            objects.extend(more);
        }
        Ok(objects)
    });
    let mut listed = listed.map_err(unreadable)?;
    remove_markers(&mut listed);
    listed.retain(|meta| is_match(&pattern, meta.location.as_ref()));
    Ok(listed)
}

/// Whether `pattern` matches `key` or a folder above it, and nothing that it doesn't name is hidden.
fn is_match(pattern: &Pattern, key: &str) -> bool {
    let ends = key.match_indices('/').map(|(at, _)| at).chain([key.len()]);
    let Some(end) = ends.into_iter().find(|end| pattern.matches_with(&key[..*end], OPTIONS)) else { return false };
    let matched = key[..end].rsplit('/').next().unwrap_or_default();
    !is_left_out(matched) && !key[end..].split('/').any(is_left_out)
}

/// The error of a key that names nothing, with the nearest name that its folder has.
fn missing(store: &Arc<dyn ObjectStore>, path: &Path, shown: &str) -> Error {
    if path.as_ref().contains(['*', '?', '[']) {
        return Error::new(ErrorKind::Input, format!("no object matches `{shown}`"));
    }
    let error = Error::new(ErrorKind::Input, format!("there is no object {shown}, and none below it"));
    let Some(wanted) = path.filename() else { return error };
    let parent = path.as_ref().rsplit_once('/').map_or("", |(parent, _)| parent);
    let Ok(folder) = Path::parse(parent) else { return error };
    let store = store.clone();
    let Ok(here) = wait(async move { store.list_with_delimiter(Some(&folder)).await }) else { return error };
    let names: Vec<&str> =
        here.objects.iter().map(|meta| &meta.location).chain(&here.common_prefixes).filter_map(|path| path.filename()).collect();
    match nearest(wanted, names) {
        Some(near) => error.with_context("did you mean", format!("{}{near}", shown.strip_suffix(wanted).unwrap_or_default())),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_as_in_folders() {
        let matches = |glob: &str, key: &str| is_match(&Pattern::new(glob).unwrap(), key);
        for (glob, key) in [
            ("a/*.log", "a/x.log"),
            ("a/*", "a/b/c/x.log"),
            ("a/**/*.log", "a/x.log"),
            ("a/**/*.log", "a/b/c/x.log"),
            ("a/?[0-9].log", "a/x7.log"),
            ("_a/*.log", "_a/x.log"),
        ] {
            assert!(matches(glob, key), "{glob} {key}");
        }
        for (glob, key) in [("a/*.log", "a/b/x.log"), ("a/*", "a/_x.log"), ("a/*", "a/b/.x"), ("a/*", "a/b/_t/x"), ("a/*.log", "b/x.log")] {
            assert!(!matches(glob, key), "{glob} {key}");
        }
    }
}
