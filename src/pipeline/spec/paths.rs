//! Where things are: paths relative to the pipeline's file become absolute.

use crate::storage::Location;
use crate::yaml::{Problems, Text};
use std::path::{Component, Path, PathBuf};

/// An absolute path, or `s3://…` as it is.
pub(super) fn location(text: &Text, folder: &Path, problems: &mut Problems<'_>) -> Option<String> {
    if text.text.trim().is_empty() {
        problems.error(&text.place, "expected a path or s3://BUCKET/PREFIX, not an empty string");
        return None;
    }
    if text.text == "-" {
        problems.error(&text.place, "a pipeline can't read standard input; save it to a file first");
        return None;
    }
    match Location::parse(&text.text) {
        Ok(Location::Folder(path)) => Some(absolute(folder, &path).display().to_string()),
        Ok(Location::Bucket { .. }) => Some(text.text.clone()),
        Err(error) => {
            problems.error(&text.place, text.explain(error.to_string()));
            None
        }
    }
}

/// `path` seen from `folder`, without `.` and `..`. Links are not followed: nothing is read.
pub(super) fn absolute(folder: &Path, path: &Path) -> PathBuf {
    let mut absolute = PathBuf::new();
    for component in folder.join(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                absolute.pop();
            }
            other => absolute.push(other),
        }
    }
    absolute
}
