//! What a run did, shown as a table or as a page.
//!
//! All of it is drawn from one model, [`RunReport`](crate::pipeline::RunReport): as JSON it is that model itself.

mod checks;
mod history;
mod html;
#[cfg(test)]
mod tests;
mod text;
mod wording;

pub use history::history;
pub use html::{comparison, html, matrix};
pub use text::text;
