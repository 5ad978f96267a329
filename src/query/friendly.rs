//! Shorter ways to say what is meant, as DuckDB has them: `FROM t` is all of it, `ORDER BY ALL` all columns from the left, and a table of a
//! lake needs no database where only one has it.

use super::limits::PARSER_CALLS;
use super::statements::words;
use super::tables::Tables;
use super::versions::MARK;
use datafusion::common::{DataFusionError, Result, TableReference};
use datafusion::execution::context::SessionState;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    Expr, Ident, ObjectName, OrderByExpr, OrderByKind, Query, Select, SelectFlavor, SelectItem, SetExpr, TableAlias, TableFactor, Value,
    VisitMut, VisitorMut, WildcardAdditionalOptions,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Whitespace};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

/// The statement of a query that begins with FROM and goes on with WHERE or GROUP BY, for which the parser wants a SELECT between them: it is put
/// there, and all words keep their places. Nothing of any other query.
pub(super) fn with_select(sql: &str) -> Option<Result<Statement>> {
    let words = words(sql)?;
    let mut missing = places(&words);
    if missing.is_empty() {
        return None;
    }
    let mut all = Vec::with_capacity(words.len() + 4 * missing.len());
    missing.reverse();
    for (at, word) in words.into_iter().enumerate() {
        if missing.last() == Some(&at) {
            missing.pop();
            let put = |token: Token| TokenWithSpan { token, span: word.span };
            let blank = || put(Token::Whitespace(Whitespace::Space));
            all.extend([put(Token::make_keyword("SELECT")), blank(), put(Token::Mul), blank()]);
        }
        all.push(word);
    }
    let mut parser = Parser::new(&GenericDialect {}).with_recursion_limit(PARSER_CALLS).with_tokens_with_locations(all);
    let parsed = parser.parse_statements().map_err(|e| DataFusionError::SQL(Box::new(e), None));
    Some(parsed.and_then(|mut statements| match (statements.pop(), statements.pop()) {
        (Some(statement), None) => Ok(Statement::Statement(Box::new(statement))),
        _ => Err(DataFusionError::NotImplemented("The context currently only supports a single SQL statement".to_string())),
    }))
}

/// Before which of `words` a query that begins with FROM misses its SELECT.
fn places(words: &[TokenWithSpan]) -> Vec<usize> {
    let mut missing = Vec::new();
    // Of the queries around a word, whether each began with FROM and has no SELECT so far.
    let mut open = vec![false];
    let mut begins = true;
    for (at, word) in words.iter().enumerate() {
        let keyword = match &word.token {
            Token::Whitespace(_) => continue,
            Token::LParen => {
                open.push(false);
                begins = true;
                continue;
            }
            Token::RParen => {
                if open.len() > 1 {
                    open.pop();
                }
                begins = false;
                continue;
            }
            Token::Word(word) if word.quote_style.is_none() => word.keyword,
            _ => Keyword::NoKeyword,
        };
        let Some(last) = open.last_mut() else { continue };
        match keyword {
            Keyword::FROM if begins => *last = true,
            Keyword::SELECT => *last = false,
            Keyword::WHERE | Keyword::GROUP | Keyword::HAVING | Keyword::WINDOW | Keyword::QUALIFY if *last => {
                missing.push(at);
                *last = false;
            }
            _ => {}
        }
        begins = matches!(keyword, Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT)
            || (begins && matches!(keyword, Keyword::ALL | Keyword::DISTINCT));
        if begins {
            *last = false;
        }
    }
    missing
}

/// `statement` as it is meant.
pub(super) fn meant(state: &SessionState, tables: &Tables, statement: Statement) -> Statement {
    let full_names = full_names(state, tables, &statement);
    let mut meant = statement;
    visit(&mut meant, &mut Meant { full_names });
    meant
}

fn visit(statement: &mut Statement, meant: &mut Meant) {
    match statement {
        Statement::Statement(statement) => {
            // It breaks off nowhere.
            let _ = statement.visit(meant);
        }
        Statement::Explain(explain) => visit(&mut explain.statement, meant),
        _ => {}
    }
}

/// The names without a database that only one table of a lake has, with its whole name.
fn full_names(state: &SessionState, tables: &Tables, statement: &Statement) -> BTreeMap<String, [String; 2]> {
    let known = tables.names();
    if !known.iter().any(|name| name.contains('.')) {
        return BTreeMap::new();
    }
    // Names of queries in WITH are none of these.
    let named = state.resolve_table_references(statement).unwrap_or_default();
    let full = |reference: &TableReference| {
        let TableReference::Bare { table } = reference else { return None };
        if known.iter().any(|name| **name == **table) || Path::new(&**table).exists() {
            return None;
        }
        let plain = table.split(MARK).next().unwrap_or_default();
        let mut having = known.iter().filter_map(|name| name.split_once('.').filter(|(_, name)| *name == plain));
        let (Some((database, _)), None) = (having.next(), having.next()) else { return None };
        Some((table.to_string(), [database.to_string(), table.to_string()]))
    };
    named.iter().filter_map(full).collect()
}

struct Meant {
    full_names: BTreeMap<String, [String; 2]>,
}

impl VisitorMut for Meant {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if let Some(order) = &mut query.order_by
            && let OrderByKind::Expressions(expressions) = &order.kind
            && let [only] = expressions.as_slice()
            && let Expr::Identifier(name) = &only.expr
            && name.quote_style.is_none()
            && name.value.eq_ignore_ascii_case("all")
            && !has_column(&query.body, "all")
        {
            order.kind = match ordinals(&query.body) {
                Some(ordinals) => OrderByKind::Expressions(ordinals.map(|expr| OrderByExpr { expr, ..only.clone() }).collect()),
                None => OrderByKind::All(only.options),
            };
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, alias, args: None, .. } = factor
            && let [only] = name.0.as_slice()
            && let Some(ident) = only.as_ident()
        {
            let known = if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() };
            if let Some(full) = self.full_names.get(&known) {
                if alias.is_none() {
                    *alias = Some(TableAlias { explicit: true, name: ident.clone(), columns: Vec::new(), at: None });
                }
                let span = ident.span;
                *name = ObjectName::from(full.iter().map(|part| Ident { span, ..Ident::with_quote('"', part) }).collect::<Vec<_>>());
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        with_all(select);
        ControlFlow::Continue(())
    }
}

/// `FROM t` without SELECT has all columns.
fn with_all(select: &mut Select) {
    if select.flavor == SelectFlavor::FromFirstNoSelect && select.projection.is_empty() {
        select.projection.push(SelectItem::Wildcard(WildcardAdditionalOptions::default()));
        select.flavor = SelectFlavor::FromFirst;
    }
}

/// The numbers of all columns of a query that names each, by which it can be sorted whatever they are.
fn ordinals(body: &SetExpr) -> Option<impl Iterator<Item = Expr>> {
    let SetExpr::Select(select) = body else { return None };
    let is_one = |item: &SelectItem| matches!(item, SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. });
    let number = |at: usize| Expr::Value(Value::Number(at.to_string(), false).into());
    select.projection.iter().all(is_one).then(|| (1..=select.projection.len()).map(number))
}

/// Whether a query names a column `name` itself.
fn has_column(body: &SetExpr, name: &str) -> bool {
    let SetExpr::Select(select) = body else { return false };
    select.projection.iter().any(|item| match item {
        SelectItem::UnnamedExpr(Expr::Identifier(ident)) => ident.value.eq_ignore_ascii_case(name),
        SelectItem::ExprWithAlias { alias, .. } => alias.value.eq_ignore_ascii_case(name),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_select_is_missing_where_from_goes_on() {
        let missing = |sql: &str| places(&words(sql).unwrap()).len();
        assert_eq!(missing("FROM t WHERE x"), 1);
        assert_eq!(missing("FROM (FROM t WHERE x) GROUP BY ALL"), 2);
        assert_eq!(missing("WITH a AS (FROM t WHERE x) SELECT * FROM a WHERE y"), 1);
        assert_eq!(missing("FROM t UNION ALL FROM u WHERE x"), 1);
        for whole in [
            "FROM t SELECT a WHERE x",
            "FROM t LIMIT 2",
            "SELECT a FROM t WHERE x",
            "SELECT (SELECT 1 FROM t WHERE x)",
            "SELECT extract(day FROM t) WHERE x",
        ] {
            assert_eq!(missing(whole), 0, "{whole}");
        }
    }
}
