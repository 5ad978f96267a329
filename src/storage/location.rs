//! Where something is: a path of this machine, or a prefix of a bucket.

use crate::error::{Error, ErrorKind, Result};
use std::fmt;
use std::path::{Path, PathBuf};

/// A folder or a file, or what begins with a key's prefix in a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Location {
    Folder(PathBuf),
    /// `key` has no slash at its ends; it is empty for all of the bucket.
    Bucket {
        bucket: String,
        key: String,
    },
}

impl Location {
    /// Reads a path, `file:///path` or `s3://bucket/key`.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for another scheme, or a bucket's name that can't be one.
    pub fn parse(text: &str) -> Result<Location> {
        let Some((scheme, rest)) = text.split_once("://") else { return Ok(Location::Folder(PathBuf::from(text))) };
        match scheme {
            "file" if rest.starts_with('/') => Ok(Location::Folder(PathBuf::from(rest))),
            "s3" | "s3a" => {
                let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
                if bucket.contains('@') {
                    let message = "an S3 URL must not contain credentials: write s3://BUCKET/PREFIX; credentials come from the environment or a profile";
                    return Err(Error::new(ErrorKind::Usage, message));
                }
                let fits = bucket.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b)) && (3..=63).contains(&bucket.len());
                if !fits {
                    let message =
                        format!("`{text}` names no bucket; write s3://BUCKET/PREFIX, the bucket of 3 to 63 letters, digits, - and .");
                    return Err(Error::new(ErrorKind::Usage, message));
                }
                let key = key.trim_matches('/').to_string();
                if key.split('/').any(|part| part == "." || part == "..") {
                    return Err(Error::new(ErrorKind::Usage, format!("`{text}` has a `.` or `..` in its key; write it without")));
                }
                Ok(Location::Bucket { bucket: bucket.to_string(), key })
            }
            other => {
                Err(Error::new(ErrorKind::Usage, format!("`{other}://` can't be read or written; give a path, or s3://BUCKET/PREFIX")))
            }
        }
    }

    /// What lies below, at `key`.
    pub fn join(&self, key: &str) -> Location {
        match self {
            Location::Folder(path) if key.is_empty() => Location::Folder(path.clone()),
            Location::Folder(path) => Location::Folder(path.join(key)),
            Location::Bucket { bucket, key: prefix } => {
                let key = [prefix.as_str(), key].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
                Location::Bucket { bucket: bucket.clone(), key }
            }
        }
    }

    /// The path, where it is one of this machine.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Location::Folder(path) => Some(path),
            Location::Bucket { .. } => None,
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::Folder(path) => write!(f, "{}", path.display()),
            Location::Bucket { bucket, key } if key.is_empty() => write!(f, "s3://{bucket}"),
            Location::Bucket { bucket, key } => write!(f, "s3://{bucket}/{key}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_paths_or_buckets() {
        let shown = |text: &str| Location::parse(text).map(|location| location.join("x/y").to_string()).map_err(|e| e.kind());
        assert_eq!(shown("lake").unwrap(), "lake/x/y");
        assert_eq!(shown("file:///lake/").unwrap(), "/lake/x/y");
        assert_eq!(shown("s3://bucket").unwrap(), "s3://bucket/x/y");
        assert_eq!(shown("s3://bucket/a/b/").unwrap(), "s3://bucket/a/b/x/y");
        for wrong in ["s3://", "s3:///key", "s3://b/key", "gs://bucket/key", "s3://bucket/a/../b"] {
            assert_eq!(shown(wrong), Err(ErrorKind::Usage), "{wrong}");
        }
    }
}
