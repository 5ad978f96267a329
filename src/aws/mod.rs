//! AWS's services: reached with the same keys as S3, and their errors told with what to do.

mod calls;
mod failure;
mod service;
mod settings;

pub use calls::Calls;
pub use failure::{Refusal, code, failed};
pub use service::{Service, config};
pub use settings::AwsSettings;
