//! What a column is called, whatever a file makes of it.

/// A name as files that differ in capitals and signs have it: `Shop ID` is `shop_id`.
pub fn plain_name(name: &str) -> String {
    name.to_lowercase().replace(|c: char| !c.is_alphanumeric(), "_")
}
