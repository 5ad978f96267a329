//! What the words and signs of SQL do to the depth of a query.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Word};

/// How tightly operators bind; what binds less ends a chain of what binds more.
pub(super) const CLASSES: usize = 6;
const OR: usize = 0;
const AND: usize = 1;
const COMPARE: usize = 2;
const ADD: usize = 3;
const MULTIPLY: usize = 4;
pub(super) const BEHIND: usize = 5;

/// What brackets hold.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Not in brackets.
    #[default]
    Query,
    Paren,
    Bracket,
    Brace,
    Case,
    /// A query of WITH.
    Named,
    /// What GROUP BY makes several groupings of.
    Cube,
    Rollup,
    Sets,
}

impl Kind {
    /// Of brackets in GROUP BY, behind `word`.
    pub(super) fn of_groups(word: Option<Keyword>) -> Option<Kind> {
        match word? {
            Keyword::CUBE => Some(Kind::Cube),
            Keyword::ROLLUP => Some(Kind::Rollup),
            Keyword::SETS => Some(Kind::Sets),
            _ => None,
        }
    }

    /// How many groupings it makes of `items`.
    pub(super) fn groupings(self, items: usize) -> usize {
        match self {
            Kind::Cube => 1 << items.min(32),
            Kind::Rollup => items + 1,
            Kind::Sets => items,
            _ => 0,
        }
    }

    /// Whether what closes brackets closes these.
    pub(super) fn is_closed_by(self, closing: Kind) -> bool {
        self == closing || (closing == Kind::Paren && matches!(self, Kind::Named | Kind::Cube | Kind::Rollup | Kind::Sets))
    }
}

/// The word, where it has no quotes and SQL knows it.
pub(super) fn keyword(token: &Token) -> Option<Keyword> {
    match token {
        Token::Word(word) if word.quote_style.is_none() && word.keyword != Keyword::NoKeyword => Some(word.keyword),
        _ => None,
    }
}

/// A name as SQL compares it.
pub(super) fn name(word: &Word) -> String {
    if word.quote_style.is_some() { word.value.clone() } else { word.value.to_lowercase() }
}

/// What it opens.
pub(super) fn opening(token: &Token) -> Option<Kind> {
    match token {
        Token::LParen => Some(Kind::Paren),
        Token::LBracket => Some(Kind::Bracket),
        Token::LBrace => Some(Kind::Brace),
        _ => (keyword(token) == Some(Keyword::CASE)).then_some(Kind::Case),
    }
}

/// What it closes.
pub(super) fn closing(token: &Token) -> Option<Kind> {
    match token {
        Token::RParen => Some(Kind::Paren),
        Token::RBracket => Some(Kind::Bracket),
        Token::RBrace => Some(Kind::Brace),
        _ => (keyword(token) == Some(Keyword::END)).then_some(Kind::Case),
    }
}

/// Whether it is a sign or word of which many can stand before one value or query.
pub(super) fn is_before(token: &Token) -> bool {
    match token {
        Token::Minus | Token::Plus | Token::Tilde | Token::ExclamationMark | Token::AtSign | Token::PGSquareRoot => true,
        _ => matches!(
            keyword(token),
            Some(Keyword::NOT | Keyword::EXPLAIN | Keyword::ANALYZE | Keyword::VERBOSE | Keyword::INTERVAL | Keyword::PRIOR)
        ),
    }
}

/// The class of an operator.
pub(super) fn class(token: &Token) -> Option<usize> {
    match token {
        Token::Plus | Token::Minus => Some(ADD),
        Token::Mul | Token::Div | Token::Mod | Token::DuckIntDiv | Token::StringConcat => Some(MULTIPLY),
        Token::Period | Token::DoubleColon | Token::Colon => Some(BEHIND),
        Token::Comma
        | Token::SemiColon
        | Token::LParen
        | Token::RParen
        | Token::LBracket
        | Token::RBracket
        | Token::LBrace
        | Token::RBrace => None,
        Token::Word(_) => match keyword(token)? {
            Keyword::OR | Keyword::XOR => Some(OR),
            Keyword::AND => Some(AND),
            Keyword::COLLATE | Keyword::AT => Some(BEHIND),
            Keyword::NOT
            | Keyword::IS
            | Keyword::IN
            | Keyword::LIKE
            | Keyword::ILIKE
            | Keyword::SIMILAR
            | Keyword::RLIKE
            | Keyword::REGEXP
            | Keyword::BETWEEN
            | Keyword::OVERLAPS
            | Keyword::DIV => Some(COMPARE),
            _ => None,
        },
        // Numbers and texts are none; all else is a sign.
        Token::Number(..)
        | Token::Char(_)
        | Token::SingleQuotedString(_)
        | Token::DoubleQuotedString(_)
        | Token::NationalStringLiteral(_)
        | Token::EscapedStringLiteral(_)
        | Token::UnicodeStringLiteral(_)
        | Token::HexStringLiteral(_)
        | Token::DollarQuotedString(_)
        | Token::Placeholder(_) => None,
        _ => Some(COMPARE),
    }
}

/// Whether another expression begins behind it.
pub(super) fn separates(token: &Token) -> bool {
    match token {
        Token::Comma | Token::SemiColon => true,
        _ => matches!(
            keyword(token),
            Some(
                Keyword::SELECT
                    | Keyword::FROM
                    | Keyword::WHERE
                    | Keyword::GROUP
                    | Keyword::HAVING
                    | Keyword::ORDER
                    | Keyword::BY
                    | Keyword::LIMIT
                    | Keyword::OFFSET
                    | Keyword::JOIN
                    | Keyword::ON
                    | Keyword::WHEN
                    | Keyword::THEN
                    | Keyword::ELSE
                    | Keyword::VALUES
                    | Keyword::UNION
                    | Keyword::INTERSECT
                    | Keyword::EXCEPT
                    | Keyword::QUALIFY
                    | Keyword::WINDOW
            )
        ),
    }
}
