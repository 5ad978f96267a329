//! Policies as they are written, in YAML: within a pipeline, or in a file of their own.

mod declared;
mod granted;
mod known;
pub(crate) mod names;
mod reading;
mod text;
mod words;

pub(crate) use reading::resolve;
pub use reading::{LoadedPolicy, PolicyFile, json_schema};
pub(crate) use text::{AssignmentText, GovernanceText, GrantText};
pub(crate) use words::Version;
