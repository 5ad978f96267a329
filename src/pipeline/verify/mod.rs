//! Asks whether tables are as a pipeline expects them to be, before readers see them or after.

mod answers;
pub(crate) mod athena;
pub(crate) mod checking;
mod checks;
mod comparison;
mod difference;
mod finding;
pub(crate) mod prefixed;
mod statements;
