//! Which tables a lake has, what they look like, and which files hold their rows.
//!
//! The model is that of AWS Glue: databases, tables with a storage descriptor, columns with comments, partitions, parameters and
//! versions. It is kept in the lake itself, as JSON objects: one for each version of a table, which never changes, and one *head* that
//! says which version of each table is the one to read. A run writes new versions and then replaces the head, if it is still the one
//! that it read. So readers see all tables of a run at once, or none; and of two runs at once no update is lost.
//!
//! What is to be removed goes by the same object: it is condemned there first, see [`Condemned`].

mod cast_view;
mod commit;
mod condemned;
mod ddl;
mod descriptor;
mod difference;
mod entry;
mod existing;
mod files;
mod glue;
mod head;
mod in_lake;
mod lists;
mod local;
mod local_tables;
mod merge;
mod projection;
mod reader_options;
mod readers;
mod references;
mod registration;
mod serde;
mod table;
mod table_name;
mod time_units;
mod told;

pub use cast_view::{trino_type, typed_expression};
pub use commit::{Beside, copy_key};
pub use condemned::{Condemned, Sentence};
pub use ddl::Ddl;
pub use descriptor::describe;
pub use difference::Difference;
pub use entry::{EXTERNAL_TABLE, Entry, NULL_VALUE, Partition, VIRTUAL_VIEW};
pub use existing::{Existing, told_again};
pub use files::{live_files, source_of, table_folders};
pub use glue::{Authorized, GlueCatalog, GlueSettings, check_limits};
pub use head::{DroppedTable, Head, PolicyRef, TableRef};
pub use in_lake::{current_files, refuse_files_of_lakes, resolve};
pub use lists::{FileList, KnownLists, LISTS, SYMLINK_INPUT, folder_in, folder_of};
pub use local::{LocalCatalog, Snapshot};
pub use local_tables::REGISTERING;
pub use projection::{ProjectedKey, Projection};
pub use reader_options::{CsvTypes, ReaderOptions};
pub use readers::{Catalog, Change, Registered, There};
pub use references::{is_unchanged, is_whole};
pub use registration::Registration;
pub use serde::SerDe;
pub use table::{Column, KEYS, LOG_FORMAT, Origin, PartitionSize, PastVersion, REGISTERED, Segment, StorageDescriptor, Table};
pub use table_name::TableName;
pub use time_units::TimeUnits;
pub use told::{LAKE, PIPELINE, TABLE, Told, VERSION, reader_columns, tell};
