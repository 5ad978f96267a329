//! How long and how deep a query may be.
//!
//! Who plans a query goes down its tree call by call, so a deep one needs more stack than there is, and a process whose stack is at its
//! end is gone. Looked at are the words, one after the other, before a tree is made of them: a chain such as `a + b + c` is as deep as
//! it is long, brackets are as deep as they are nested, and a query in `WITH` is planned as often as it is named.

use super::statements::words;
use super::words::{BEHIND, CLASSES, Kind, class, closing, is_before, keyword, name, opening, separates};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};
use std::collections::HashMap;

/// Bytes of a query's text.
const TEXT: usize = 1 << 20;
/// Words, numbers and signs.
const WORDS: usize = 100_000;
/// Levels of an expression.
const DEPTH: usize = 1_100;
/// Brackets, subqueries and CASEs within each other.
const NESTING: usize = 64;
/// Subqueries within each other that are no tables of FROM: each is planned several times, and so are those in it.
const SUBQUERIES: usize = 10;
/// SELECTs, and JOINs, which count as [`JOIN`] each; those in `WITH` as often as they are named.
const STEPS: usize = 500;
const JOIN: usize = 5;
/// Groupings that CUBE, ROLLUP and GROUPING SETS make: CUBE of twelve columns is so many.
const GROUPINGS: usize = 4_096;
/// WHENs of a CASE, and of all of them: each is compared with all others.
const BRANCHES: usize = 1_000;
const ALL_BRANCHES: usize = 5_000;

/// Calls that the parser may be deep: each level of [`NESTING`] takes it a few.
pub const PARSER_CALLS: usize = NESTING * 6;

/// Of what the parser finds too deep.
pub const TOO_DEEP: &str = "this SQL is nested too deeply to be read; name inner parts with WITH, or make them transforms";

/// What there is too much of in a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excess {
    /// What there is too much of, how much there may be, and what to do.
    pub message: String,
    /// Where it became too much; both count from one.
    pub line: u64,
    pub column: u64,
}

/// Whether `sql` can be planned within a thread's stack.
///
/// # Errors
/// What there is too much of. SQL that can't be cut into words is none of it: that is told by who parses it.
pub fn check(sql: &str) -> Result<(), Excess> {
    if sql.len() > TEXT {
        let message =
            format!("this query has {} bytes, but at most {TEXT} are allowed; read long lists from a file and join with it", sql.len());
        return Err(Excess { message, line: 1, column: 1 });
    }
    let Some(mut tokens) = words(sql) else { return Ok(()) };
    tokens.retain(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF));
    if let Some(token) = tokens.get(WORDS) {
        let many = tokens.len();
        return Err(excess(token, format!("this query has {many} words, numbers and signs, but at most {WORDS} are allowed; {LISTS}")));
    }
    let mut walk = Walk { levels: vec![Level::default()], ..Walk::default() };
    for (index, token) in tokens.iter().enumerate() {
        let before = index.checked_sub(1).map(|index| &tokens[index].token);
        walk.take(token, before, tokens.get(index + 1).map(|next| &next.token))?;
    }
    Ok(())
}

const LISTS: &str = "write IN (…) for many ORs, or read long lists from a file and join with it";

fn excess(token: &TokenWithSpan, message: String) -> Excess {
    Excess { message, line: token.span.start.line, column: token.span.start.column }
}

/// What stands between two brackets, or between CASE and END.
#[derive(Debug, Default)]
struct Level {
    kind: Kind,
    /// How long the chains of each class are, and have been since the last comma or clause.
    chains: [usize; CLASSES],
    longest: [usize; CLASSES],
    /// Signs such as NOT and `-` that stand before one value.
    before: usize,
    /// The depth of what is behind us.
    deepest: usize,
    /// The depth of the deepest brackets.
    inner: usize,
    steps: usize,
    /// We are behind FROM, where commas stand between tables.
    from: bool,
    /// A query in these brackets is one value, or a list of them.
    value: bool,
    /// There is one.
    subquery: bool,
    /// We are behind WITH, before its query.
    with: bool,
    /// The last name behind WITH.
    name: Option<String>,
    /// We are behind GROUP BY; the groupings that it makes.
    group: bool,
    groupings: usize,
    commas: usize,
    /// WHENs of this CASE.
    branches: usize,
}

impl Level {
    fn depth(&self) -> usize {
        self.deepest.max(self.longest.iter().sum()) + self.inner
    }

    /// One operator more.
    fn chain(&mut self, class: usize) {
        self.chains[class] += 1;
        self.longest[class] = self.longest[class].max(self.chains[class]);
        self.chains[class + 1..].fill(0);
    }

    /// Another expression begins.
    fn separate(&mut self) {
        self.deepest = self.deepest.max(self.longest.iter().sum());
        (self.chains, self.longest) = ([0; CLASSES], [0; CLASSES]);
    }
}

#[derive(Debug, Default)]
struct Walk {
    levels: Vec<Level>,
    /// Of all of the text, each once.
    steps: usize,
    groupings: usize,
    branches: usize,
    /// The queries of WITH, with their steps.
    named: HashMap<String, usize>,
}

impl Walk {
    fn take(&mut self, at: &TokenWithSpan, before: Option<&Token>, next: Option<&Token>) -> Result<(), Excess> {
        let token = &at.token;
        if let Some(kind) = opening(token) {
            return self.open(at, kind, before);
        }
        if let Some(kind) = closing(token) {
            self.close(kind);
        }
        let level = self.levels.last_mut().unwrap_or_else(|| unreachable!("the first level is never closed"));
        level.before = if is_before(token) { level.before + 1 } else { 0 };
        match token {
            Token::Comma if level.with => level.name = None,
            Token::Word(word) if level.with && level.name.is_none() && !matches!(word.keyword, Keyword::RECURSIVE) => {
                level.name = Some(name(word));
            }
            _ => {}
        }
        level.commas += usize::from(*token == Token::Comma);
        let mut steps = 0;
        if let Token::Word(word) = token
            && reads(level, before)
            && !matches!(next, Some(Token::Period | Token::LParen))
        {
            steps += self.named.get(&name(word)).copied().unwrap_or(0);
        }
        if *token == Token::Comma && level.from {
            steps += JOIN;
            self.steps += JOIN;
        }
        match keyword(token) {
            Some(Keyword::WITH) => (level.with, level.name) = (true, None),
            Some(Keyword::SELECT | Keyword::VALUES) => {
                (level.with, level.from, level.group) = (false, false, false);
                level.subquery = level.value;
                steps += 1;
                self.steps += 1;
            }
            Some(Keyword::FROM) => level.from = true,
            Some(Keyword::JOIN | Keyword::APPLY) => {
                steps += JOIN;
                self.steps += JOIN;
            }
            Some(Keyword::GROUP) => (level.from, level.group, level.groupings) = (false, true, 0),
            Some(Keyword::WHEN) => (level.branches, self.branches) = (level.branches + 1, self.branches + 1),
            Some(Keyword::WHERE | Keyword::HAVING | Keyword::ORDER | Keyword::LIMIT | Keyword::WINDOW) => {
                level.from = false;
            }
            _ => {}
        }
        level.steps += steps;
        match class(token) {
            Some(class) => level.chain(class),
            None if separates(token) => level.separate(),
            None => {}
        }
        self.measure(at)
    }

    fn open(&mut self, at: &TokenWithSpan, kind: Kind, before: Option<&Token>) -> Result<(), Excess> {
        let level = self.levels.last_mut().unwrap_or_else(|| unreachable!("the first level is never closed"));
        if kind == Kind::Bracket {
            level.chain(BEHIND);
        }
        let body = kind == Kind::Paren && level.with && matches!(before.and_then(keyword), Some(Keyword::AS | Keyword::MATERIALIZED));
        let name = if body { level.name.clone() } else { None };
        let from = kind == Kind::Paren && reads(level, before);
        let groups = Kind::of_groups(before.and_then(keyword)).filter(|_| kind == Kind::Paren && (level.group || level.kind == Kind::Sets));
        let kind = if name.is_some() { Kind::Named } else { groups.unwrap_or(kind) };
        let value = kind == Kind::Paren && !from && is_value(level, before);
        self.levels.push(Level { kind, name, from, value, ..Level::default() });
        self.measure(at)
    }

    fn close(&mut self, kind: Kind) {
        // A CASE without END ends with the brackets around it.
        while kind != Kind::Case && self.levels.len() > 1 && self.levels.last().is_some_and(|level| level.kind == Kind::Case) {
            self.pop();
        }
        if self.levels.len() > 1 && self.levels.last().is_some_and(|level| level.kind.is_closed_by(kind)) {
            self.pop();
        }
    }

    fn pop(&mut self) {
        let Some(closed) = self.levels.pop() else { return };
        let Some(level) = self.levels.last_mut() else { return };
        level.inner = level.inner.max(closed.depth() + 1);
        let groupings = closed.kind.groupings(closed.commas + 1) + if closed.kind == Kind::Sets { closed.groupings } else { 0 };
        if groupings > 0 {
            // Those of one set stand beside its others, else each comes with each.
            let beside = level.kind == Kind::Sets;
            let all = if beside { level.groupings + groupings } else { level.groupings.max(1).saturating_mul(groupings) };
            self.groupings = self.groupings.saturating_add(all - level.groupings);
            level.groupings = all;
        }
        match (closed.kind, closed.name) {
            (Kind::Named, Some(name)) => {
                let known = self.named.entry(name).or_default();
                *known = (*known).max(closed.steps);
            }
            _ => level.steps += closed.steps,
        }
    }

    fn measure(&self, at: &TokenWithSpan) -> Result<(), Excess> {
        let Some(level) = self.levels.last() else { return Ok(()) };
        if self.levels.len() - 1 > NESTING || level.before > NESTING {
            let message = format!(
                "brackets, subqueries, CASEs or signs such as NOT are more than {NESTING} within each other, and {NESTING} is the most; \
                 name inner parts with WITH, or make them transforms"
            );
            return Err(excess(at, message));
        }
        if self.levels.iter().filter(|level| level.subquery).count() > SUBQUERIES {
            let message = format!(
                "subqueries are more than {SUBQUERIES} within each other, and {SUBQUERIES} is the most; name inner ones with WITH, or make \
                 them transforms"
            );
            return Err(excess(at, message));
        }
        if level.depth() > DEPTH {
            let message = format!(
                "this expression is more than {DEPTH} levels deep, and {DEPTH} is the most (each operator of a chain such as a + b + c is \
                 one); {LISTS}"
            );
            return Err(excess(at, message));
        }
        if self.groupings > GROUPINGS {
            let message = format!("CUBE, ROLLUP and GROUPING SETS make more than {GROUPINGS} groupings, the limit; name the ones you want");
            return Err(excess(at, message));
        }
        if level.branches > BRANCHES || self.branches > ALL_BRANCHES {
            let message = format!(
                "more than {BRANCHES} WHENs in this CASE, or {ALL_BRANCHES} in all of them, are too many; read pairs from a file and join"
            );
            return Err(excess(at, message));
        }
        if self.steps > STEPS || level.steps > STEPS {
            let message = format!(
                "this query has more than {STEPS} SELECTs and JOINs, and {STEPS} is the most (a JOIN counts as {JOIN}, those of a WITH as \
                 often as they are named); read many files as one table by a glob, or make parts of the query transforms"
            );
            return Err(excess(at, message));
        }
        Ok(())
    }
}

/// Whether what stands in brackets here is a value.
fn is_value(level: &Level, before: Option<&Token>) -> bool {
    match before {
        None | Some(Token::SemiColon) => false,
        Some(Token::LParen) => level.value,
        Some(token) => !matches!(
            keyword(token),
            Some(Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT | Keyword::DISTINCT | Keyword::EXPLAIN | Keyword::ANALYZE)
        ),
    }
}

/// Whether a name here is that of a table.
fn reads(level: &Level, before: Option<&Token>) -> bool {
    match before {
        Some(Token::Comma | Token::LParen) => level.from,
        Some(token) => matches!(keyword(token), Some(Keyword::FROM | Keyword::JOIN | Keyword::TABLE | Keyword::LATERAL)),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn many(part: &str, count: usize, between: &str) -> String {
        vec![part; count].join(between)
    }

    fn nested(open: &str, inner: &str, close: &str, count: usize) -> String {
        format!("{}{inner}{}", open.repeat(count), close.repeat(count))
    }

    /// CTEs of which each reads the one before it `times` times.
    fn chained(count: usize, times: usize) -> String {
        let reads = |last: usize| (0..times).map(|n| format!("c{last} AS r{n}")).collect::<Vec<_>>().join(" CROSS JOIN ");
        let next = (1..count).map(|n| format!(", c{n} AS (SELECT r0.a FROM {})", reads(n - 1))).collect::<String>();
        format!("WITH c0 AS (SELECT 1 AS a){next} SELECT * FROM c{}", count - 1)
    }

    #[test]
    fn what_people_write_is_within_the_limits() {
        let numbers = (0..10_000).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
        for sql in [
            format!("SELECT * FROM t WHERE a IN ({numbers})"),
            format!("SELECT CASE {} ELSE 0 END FROM t", many("WHEN status = 200 AND bytes BETWEEN 1 AND 5 THEN 1", 500, " ")),
            format!("SELECT * FROM t WHERE {}", many("host = 'a' AND date = date", 1_000, " OR ")),
            format!("SELECT {} FROM t", many("t.a * t.b + t.c AS x", 1_000, ", ")),
            format!("SELECT {}", many("t.a * t.b", 1_000, " + ")),
            nested("SELECT * FROM (", "SELECT 1", ") AS t", 60),
            nested("SELECT a FROM t WHERE a IN (", "SELECT 1", ")", 10),
            many("SELECT 1", 400, " UNION ALL "),
            format!("SELECT * FROM t0 {}", many("JOIN t USING (a, b)", 90, " ")),
            chained(400, 1),
            nested("(", "1", ")", 60),
            "SELECT a FROM t GROUP BY CUBE (a, b, c, d, e, f), ROLLUP (a, (b, c), d), GROUPING SETS ((a), (b, c), CUBE (d, e))".to_string(),
            format!("WITH cube (a{}) AS (SELECT 1) SELECT 1", ", a".repeat(30)),
            "no SQL 'at all".to_string(),
        ] {
            assert_eq!(check(&sql), Ok(()), "{}", &sql[..100.min(sql.len())]);
        }
    }

    #[test]
    fn what_is_too_deep_or_too_much_is_told_with_its_place() {
        for (sql, what) in [
            (format!("SELECT {}", many("1", 1_200, " + ")), "levels deep"),
            (format!("SELECT {}", many("a", 1_200, " || ")), "levels deep"),
            (format!("SELECT 1 WHERE {}", many("a = 1", 1_200, " OR ")), "levels deep"),
            (format!("SELECT a{}", "::int".repeat(1_200)), "levels deep"),
            (format!("SELECT a{}", "[1]".repeat(1_200)), "levels deep"),
            (format!("SELECT {}", many("a", 1_200, ".")), "levels deep"),
            (format!("SELECT a {}", "IS NULL ".repeat(1_200)), "levels deep"),
            // Chains in brackets at the start of chains.
            (format!("SELECT {}", nested("(", "1", &format!(" + {})", many("1", 30, " + ")), 60)), "levels deep"),
            (format!("SELECT {}", nested("(", "1", ")", 70)), "within each other"),
            (format!("SELECT {}", nested("abs(", "1", ")", 70)), "within each other"),
            (format!("SELECT {}", nested("[", "1", "]", 70)), "within each other"),
            (format!("SELECT {}", nested("CASE WHEN a THEN ", "1", " END", 70)), "within each other"),
            (nested("SELECT * FROM (", "SELECT 1", ") AS t", 70), "within each other"),
            (format!("SELECT {} true", "NOT ".repeat(70)), "within each other"),
            (format!("SELECT {} 1", "- ".repeat(70)), "within each other"),
            (format!("{} SELECT 1", "EXPLAIN ".repeat(70)), "within each other"),
            (nested("SELECT a FROM t WHERE a = (", "SELECT 1", ")", 12), "subqueries are more"),
            (nested("SELECT a FROM t WHERE EXISTS ((", "SELECT 1", "))", 12), "subqueries are more"),
            (many("SELECT 1", 600, " UNION ALL "), "SELECTs and JOINs"),
            (many("SELECT 1", 600, " EXCEPT "), "SELECTs and JOINs"),
            (format!("SELECT * FROM t {}", "JOIN t USING (a) ".repeat(600)), "SELECTs and JOINs"),
            (format!("SELECT * FROM {}", many("t", 600, ", ")), "SELECTs and JOINs"),
            (chained(600, 1), "SELECTs and JOINs"),
            // Each reads the one before it twice: a few are a thousand.
            (chained(12, 2), "SELECTs and JOINs"),
            (format!("SELECT 1 FROM t GROUP BY CUBE ({})", many("a", 13, ", ")), "4096 groupings, the limit"),
            (
                "SELECT 1 FROM t GROUP BY GROUPING SETS (a, CUBE (a, a, a, a, a, a, a, a, a, a, a, a))".to_string(),
                "4096 groupings, the limit",
            ),
            (format!("SELECT 1 FROM t GROUP BY {}", many("ROLLUP (a, b)", 9, ", ")), "4096 groupings, the limit"),
            (format!("SELECT 1 FROM t GROUP BY GROUPING SETS ({})", many("(a, b)", 4_097, ", ")), "4096 groupings, the limit"),
            (many("SELECT 1 FROM t GROUP BY CUBE (a, b, c, d, e, f, g, h, i, j, k)", 3, " UNION "), "4096 groupings, the limit"),
            (format!("SELECT CASE a {} END", many("WHEN 1 THEN 2", 1_001, " ")), "WHENs"),
            (many(&format!("SELECT CASE {} END", many("WHEN a THEN (CASE b WHEN 1 THEN 2 END)", 500, " ")), 6, " UNION "), "WHENs"),
            (format!("SELECT {}", many("1", 60_000, ", ")), "words, numbers and signs"),
            (format!("SELECT '{}'", "x".repeat(TEXT)), "bytes"),
        ] {
            let excess = check(&sql).unwrap_err();
            assert!(excess.message.contains(what), "{what}: {}", excess.message);
        }
        let excess = check(&format!("SELECT\n  {}", "NOT ".repeat(70))).unwrap_err();
        assert_eq!((excess.line, excess.column), (2, 3 + 4 * 64));
    }
}
