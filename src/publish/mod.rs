//! How output files come to be seen: written beside their place, and moved there when all are whole.

mod bucket;
mod hidden;
mod output;
mod parts;
mod staging;
mod target;

pub use bucket::BucketStaging;
pub use output::Output;
pub use staging::{Existing, Staging};
pub use target::Target;
