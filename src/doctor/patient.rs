//! What is to be looked at.

use crate::aws::AwsSettings;
use crate::catalog::GlueSettings;
use crate::storage::StoreSettings;

/// What is to be looked at.
#[derive(Debug, Clone, Default)]
pub struct Patient {
    /// The lake: a folder, or `s3://bucket/prefix`.
    pub lake: Option<String>,
    /// How its bucket is reached.
    pub store: StoreSettings,
    pub aws: AwsSettings,
    /// The catalog that it tells, where there is no table in it yet.
    pub glue: Option<GlueSettings>,
    /// The workgroup of Athena that is used.
    pub workgroup: Option<String>,
    /// AWS is looked at although the lake is a folder.
    pub cloud: bool,
}
