//! How output files come to be seen: written beside their place, and moved there when all are whole.

mod hidden;
mod parts;
mod staging;

pub use staging::{Existing, Staging};
