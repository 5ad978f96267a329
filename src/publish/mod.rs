//! How output files come to be seen: written beside their place, and moved there when all are whole.

mod staging;

pub use staging::{Existing, Staging};
