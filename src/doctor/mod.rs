//! Whether all that a lake needs around it is there, and as it should be. Nothing is changed.

mod cloud;
mod examination;
mod finding;
mod governed;

pub use examination::{Patient, examine};
pub use finding::{Finding, Verdict};
