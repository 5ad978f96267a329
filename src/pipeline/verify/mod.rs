//! Asks whether tables are as a pipeline expects them to be, before readers see them or after.

mod answers;
pub(crate) mod checking;
mod checks;
mod difference;
mod finding;
mod statements;
