//! Pieces of SQL, as texts.

/// A name as SQL has it between quotes, whatever is in it.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A query without what ends it: so it can stand in brackets, before a line end, as a comment may be last.
pub fn without_end(sql: &str) -> &str {
    sql.trim_end_matches(|c: char| c == ';' || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    #[test]
    fn semicolons_and_blanks_end_a_query() {
        assert_eq!(super::without_end(" SELECT ';' -- a\n; ;\n"), " SELECT ';' -- a");
    }

    #[test]
    fn quotes_are_doubled() {
        assert_eq!(super::quoted("a\"b c"), "\"a\"\"b c\"");
    }
}
