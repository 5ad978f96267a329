//! Which tables a lake has, what they look like, and which files hold their rows.
//!
//! The model is that of AWS Glue: databases, tables with a storage descriptor, columns with comments, partitions, parameters and
//! versions. It is kept in the lake itself, as JSON objects: one for each version of a table, which never changes, and one *head* that
//! says which version of each table is the one to read. A run writes new versions and then replaces the head, if it is still the one
//! that it read. So readers see all tables of a run at once, or none; and of two runs at once no update is lost.
//!
//! What is to be removed goes by the same object: it is condemned there first, see [`Condemned`].

mod commit;
mod condemned;
mod descriptor;
mod files;
mod head;
mod local;
mod references;
mod serde;
mod table;
mod time_units;

pub use commit::copy_key;
pub use condemned::{Condemned, Sentence};
pub use descriptor::describe;
pub use files::live_files;
pub use head::{Head, TableRef};
pub use local::{LocalCatalog, Snapshot};
pub use references::{is_unchanged, is_whole};
pub use serde::SerDe;
pub use table::{Column, Origin, PartitionSize, PastVersion, Segment, StorageDescriptor, Table};
pub use time_units::TimeUnits;
