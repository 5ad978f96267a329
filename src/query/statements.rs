//! What a text of SQL has in it, statement by statement, and which of them are more than a query.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

/// The statements of `sql`, each with blanks in the place of what is before it: so its places are those of the whole text. What is blank or a
/// comment is none; a text that can't be cut into words is one, and who parses it says why.
pub fn split(sql: &str) -> Vec<String> {
    let Some(words) = words(sql) else { return vec![sql.to_string()] };
    let mut found = Vec::new();
    let (mut start, mut has_words) = (0, false);
    let take = |from: usize, to: usize| format!("{}{}", blank(&sql[..from]), &sql[from..to]);
    for word in &words {
        match &word.token {
            Token::SemiColon => {
                let at = byte_of(sql, word.span.start);
                found.extend(has_words.then(|| take(start, at)));
                (start, has_words) = (at + 1, false);
            }
            Token::Whitespace(_) | Token::EOF => {}
            _ => has_words = true,
        }
    }
    found.extend(has_words.then(|| take(start, sql.len())));
    found
}

/// Whether `sql` ends with a `;` that ends a statement, as a shell waits for.
pub fn is_ended(sql: &str) -> bool {
    let last = words(sql).and_then(|words| words.into_iter().rev().find(|word| !matches!(word.token, Token::Whitespace(_) | Token::EOF)));
    last.is_some_and(|word| word.token == Token::SemiColon)
}

/// A statement by what is done with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Statement {
    /// It gives rows.
    Query(String),
    /// The columns of a query, which is here.
    Describe(String),
    /// The columns of a query with figures of their values.
    Summarize(String),
    /// How a query, which is here, would be run.
    Explain(String),
    ShowTables,
    /// A query is given a name.
    View {
        name: String,
        replace: bool,
        query: String,
    },
}

/// What `sql`, one statement, is. Queries in it keep their places.
pub(super) fn classify(sql: &str) -> Statement {
    let query = || Statement::Query(sql.to_string());
    let Some(words) = words(sql) else { return query() };
    let words: Vec<&TokenWithSpan> = words.iter().filter(|word| !matches!(word.token, Token::Whitespace(_) | Token::EOF)).collect();
    let word = |at: usize| match words.get(at).map(|word| &word.token) {
        Some(Token::Word(word)) if word.quote_style.is_none() => word.value.to_ascii_lowercase(),
        _ => String::new(),
    };
    // What stands from the word at `at` on: a query as it is, and of a table all of it.
    let rest = |at: usize, keyword: usize| {
        let from = words.get(at).map(|word| byte_of(sql, word.span.start))?;
        let blanked = format!("{}{}", blank(&sql[..from]), &sql[from..]);
        if matches!(word(at).as_str(), "select" | "with" | "from" | "values") || words[at].token == Token::LParen {
            return Some(blanked);
        }
        // `FROM` fits into the place of the word before the table, as that is no shorter.
        let place = byte_of(sql, words[keyword].span.start);
        Some(format!("{}FROM{}", &blanked[..place], &blanked[place + "FROM".len()..]))
    };
    match (word(0).as_str(), word(1).as_str()) {
        ("explain", next) if words.len() > 1 && !matches!(next, "analyze" | "verbose" | "format") => {
            let from = byte_of(sql, words[1].span.start);
            Statement::Explain(format!("{}{}", blank(&sql[..from]), &sql[from..]))
        }
        ("show", "tables") if words.len() == 2 => Statement::ShowTables,
        ("describe" | "desc", "table") if words.len() > 2 => rest(2, 0).map_or_else(query, Statement::Describe),
        ("describe" | "desc", _) if words.len() > 1 => rest(1, 0).map_or_else(query, Statement::Describe),
        ("summarize", "table") if words.len() > 2 => rest(2, 0).map_or_else(query, Statement::Summarize),
        ("summarize", _) if words.len() > 1 => rest(1, 0).map_or_else(query, Statement::Summarize),
        ("create", _) => {
            let (replace, mut at) = if (word(1).as_str(), word(2).as_str()) == ("or", "replace") { (true, 3) } else { (false, 1) };
            at += usize::from(matches!(word(at).as_str(), "temp" | "temporary"));
            let name = match words.get(at + 1).map(|word| &word.token) {
                Some(Token::Word(word)) if word.quote_style.is_some() => word.value.clone(),
                Some(Token::Word(word)) => word.value.to_lowercase(),
                _ => return query(),
            };
            match (word(at).as_str(), word(at + 2).as_str(), words.get(at + 3)) {
                ("view", "as", Some(body)) => {
                    let from = byte_of(sql, body.span.start);
                    Statement::View { name, replace, query: format!("{}{}", blank(&sql[..from]), &sql[from..]) }
                }
                _ => query(),
            }
        }
        _ => query(),
    }
}

pub(super) fn words(sql: &str) -> Option<Vec<TokenWithSpan>> {
    Tokenizer::new(&GenericDialect {}, sql).tokenize_with_location().ok()
}

/// The byte of `sql` at a place, whose line and column count characters from one.
pub(super) fn byte_of(sql: &str, at: Location) -> usize {
    let mut start = 0;
    for _ in 1..at.line {
        start += sql[start..].find('\n').map_or(sql.len() - start, |end| end + 1);
    }
    let column = at.column.saturating_sub(1) as usize;
    sql[start..].char_indices().nth(column).map_or(sql.len(), |(offset, _)| start + offset)
}

/// `text` with a blank for each character, but for line ends.
fn blank(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_where_they_say() {
        let text = "SELECT ';', \"a;b\" -- ; no\n; /* ; */ ;\nFROM t";
        assert_eq!(split(text), ["SELECT ';', \"a;b\" -- ; no\n", &format!("{}\n{}\nFROM t", " ".repeat(25), " ".repeat(11))]);
        assert_eq!(split(" -- nothing\n"), [""; 0]);
        assert_eq!(split("SELECT 'open"), ["SELECT 'open"]);
        assert!(is_ended("SELECT 1; -- done") && !is_ended("SELECT ';") && !is_ended("SELECT 1") && !is_ended(""));
    }

    #[test]
    fn what_is_more_than_a_query_is_known() {
        assert_eq!(classify("select 1"), Statement::Query("select 1".into()));
        assert_eq!(classify("DESCRIBE 'a b.log'"), Statement::Describe("FROM     'a b.log'".into()));
        assert_eq!(classify("desc SELECT 1"), Statement::Describe("     SELECT 1".into()));
        assert_eq!(classify("SUMMARIZE web.access"), Statement::Summarize("FROM      web.access".into()));
        assert_eq!(classify("summarize (select 1)"), Statement::Summarize("          (select 1)".into()));
        assert_eq!(classify("SHOW  TABLES"), Statement::ShowTables);
        assert_eq!(classify("EXPLAIN SELECT 1"), Statement::Explain("        SELECT 1".into()));
        assert_eq!(classify("EXPLAIN ANALYZE SELECT 1"), Statement::Query("EXPLAIN ANALYZE SELECT 1".into()));
        let view = |name: &str, replace, query: &str| Statement::View { name: name.into(), replace, query: query.into() };
        assert_eq!(classify("CREATE TEMP VIEW Bad AS SELECT 1"), view("bad", false, &format!("{}SELECT 1", " ".repeat(24))));
        assert_eq!(classify("CREATE OR REPLACE VIEW \"B\" AS FROM t"), view("B", true, &format!("{}FROM t", " ".repeat(30))));
        assert_eq!(classify("CREATE TABLE t AS SELECT 1"), Statement::Query("CREATE TABLE t AS SELECT 1".into()));
        assert_eq!(classify("SHOW x"), Statement::Query("SHOW x".into()));
    }
}
