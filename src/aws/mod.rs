//! AWS's services: reached with the same keys as S3, and their errors told with what to do.

mod failure;
mod service;
mod settings;

pub use failure::{Refusal, code, failed};
pub use service::{Service, config};
pub use settings::AwsSettings;
