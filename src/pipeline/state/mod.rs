//! What is there before a run: the files of sources, the tables of outputs, and what has changed since those were made.

pub(crate) mod athena_tables;
pub(crate) mod before;
pub(crate) mod changes;
pub(crate) mod checked_columns;
pub(crate) mod definition;
pub(crate) mod difference;
pub(crate) mod drift;
pub(crate) mod lake_tables;
pub(crate) mod listing;
pub(crate) mod lost_rows;
mod memory;
pub(crate) mod opening;
pub(crate) mod pieces;
pub(crate) mod published;
mod recognition;
pub(crate) mod standing;
