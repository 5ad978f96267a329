//! How output files come to be seen: written beside their place, and moved there when all are whole; or in a lake, where runs write to
//! folders of their own, and a catalog says which of them are read.

mod bucket;
mod exchange;
mod hidden;
pub mod keys;
mod lease;
mod manifest;
mod output;
mod parts;
mod run_id;
mod staging;
mod target;

pub use bucket::BucketStaging;
pub use lease::{Claim, Lease, Sign};
pub use manifest::{DataFile, Input, Manifest, SourceFile};
pub use output::Output;
pub use run_id::{RunId, run_named};
pub use staging::{Existing, Staging};
pub use target::Target;
