//! What `etl init` writes.

/// A commented pipeline to start from, which has every key that there is.
pub fn template() -> &'static str {
    include_str!("template.yaml")
}
