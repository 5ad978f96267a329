//! Names in SQL.

/// A name as SQL has it between quotes, whatever is in it.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    #[test]
    fn quotes_are_doubled() {
        assert_eq!(super::quoted("a\"b c"), "\"a\"\"b c\"");
    }
}
