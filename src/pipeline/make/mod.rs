//! Makes new versions of tables: opens what is to be read, runs SQL, writes files, and describes them.

pub(crate) mod inserting;
pub(crate) mod producing;
pub(crate) mod readings;
pub(crate) mod transforming;
pub(crate) mod version;
pub(crate) mod workspace;
pub(crate) mod writing;
