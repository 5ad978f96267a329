//! YAML that people write: read so that all problems are found at once, each told with its place and a caret.
//!
//! A text becomes a tree of [`Node`]s that know where they stand; [`Read`] makes values of nodes, and [`section!`] structs of mappings,
//! with the JSON Schema that editors use. What doesn't fit goes to [`Problems`], and reading goes on.

mod named;
mod node;
mod place;
mod problems;
mod read;
mod section;
mod text;
mod values;

pub use named::{Named, TextOr};
pub use node::{Content, Entry, Node, Scalar};
pub use place::Place;
pub use problems::{Level, Problem, Problems};
pub use read::{OneOrMany, Read};
pub(crate) use section::section;
pub use section::{Field, Fields, Needed, key};
pub use text::read_text;
pub use values::{Text, Value, Word};
pub(crate) use values::{one_of, words};
