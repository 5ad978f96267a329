//! Whether all that a lake needs around it is there, and as it should be. Nothing is changed.

mod cloud;
mod examination;
mod finding;
mod governed;
mod patient;

pub use examination::examine;
pub use finding::{Finding, Verdict};
pub use patient::Patient;
