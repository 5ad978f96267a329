//! Checks as Athena is asked them: in Glue databases may begin with a prefix.

use super::statements::place;
use crate::pipeline::model::{Check, Expectation, TableName};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};
use std::collections::BTreeSet;

/// `check` with the pipeline's tables named as Glue knows them.
pub(super) fn prefixed(check: &Check, prefix: &str, tables: &BTreeSet<TableName>) -> Check {
    if prefix.is_empty() {
        return check.clone();
    }
    let of = |name: &TableName| TableName { database: format!("{prefix}{}", name.database), ..name.clone() };
    let sql = |text: &String| sql(text, prefix, tables);
    let expect = match check.expect.clone() {
        Expectation::Rows { sql: text, bounds } => Expectation::Rows { sql: sql(&text), bounds },
        Expectation::Value { sql: text, equals } => Expectation::Value { sql: sql(&text), equals },
        Expectation::Between { sql: text, bounds } => Expectation::Between { sql: sql(&text), bounds },
        Expectation::Unique { table, columns } => Expectation::Unique { table: of(&table), columns },
        Expectation::NotNull { table, columns } => Expectation::NotNull { table: of(&table), columns },
        Expectation::Matches { table, column, pattern } => Expectation::Matches { table: of(&table), column, pattern },
        Expectation::EqualsQuery { sql: text, other } => Expectation::EqualsQuery { sql: sql(&text), other: sql(&other) },
    };
    Check { expect, ..check.clone() }
}

/// `text` with the prefix before each database of a table of the pipeline; what is no SQL is left to Athena to refuse.
pub(crate) fn sql(text: &str, prefix: &str, tables: &BTreeSet<TableName>) -> String {
    let Ok(tokens) = Tokenizer::new(&GenericDialect {}, text).tokenize_with_location() else { return text.to_string() };
    let tokens: Vec<TokenWithSpan> = tokens.into_iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).collect();
    let word = |token: &Token| match token {
        Token::Word(word) if word.quote_style.is_some() => Some(word.value.clone()),
        Token::Word(word) => Some(word.value.to_lowercase()),
        _ => None,
    };
    let mut prefixed = String::with_capacity(text.len() + 16);
    let mut done = 0;
    for (at, window) in tokens.windows(3).enumerate() {
        let [database, dot, table] = window else { continue };
        let is_first = at == 0 || tokens[at - 1].token != Token::Period;
        let (Some(name), true, Some(table), true) = (word(&database.token), dot.token == Token::Period, word(&table.token), is_first)
        else {
            continue;
        };
        if !tables.contains(&TableName { database: name, table }) {
            continue;
        }
        let Some(start) = place(text, database.span.start.line, database.span.start.column) else { continue };
        // Behind the quote that the name begins with.
        let start = if text[start..].starts_with(['"', '`']) { start + 1 } else { start };
        prefixed.push_str(&text[done..start]);
        prefixed.push_str(prefix);
        done = start;
    }
    prefixed.push_str(&text[done..]);
    prefixed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_of_the_pipeline_get_the_prefix() {
        let tables = BTreeSet::from([TableName { database: "web".into(), table: "access".into() }]);
        for (text, wanted) in [
            ("SELECT web.access.status FROM web.access", "SELECT p_web.access.status FROM p_web.access"),
            (
                "SELECT 'web.access', x.web.access -- web.access\nFROM \"web\".\"access\" a",
                "SELECT 'web.access', x.web.access -- web.access\nFROM \"p_web\".\"access\" a",
            ),
            ("SELECT ü, '\n' FROM Web . ACCESS, web.other", "SELECT ü, '\n' FROM p_Web . ACCESS, web.other"),
            ("SELECT 'open", "SELECT 'open"),
        ] {
            assert_eq!(sql(text, "p_", &tables), wanted);
        }
    }
}
