//! Reads an expression.

use super::expression::{ColumnPath, Constant, LONGEST_EXPRESSION, Misread, Operator, RowExpression};
use super::tokens::{Token, tokens};

/// So deep may parentheses and negations be within each other.
const DEEPEST: usize = 64;
/// Names that rows have of themselves in some engines, and that Lake Formation keeps for them.
const RESERVED: [&str; 7] = ["ctid", "oid", "xmin", "cmin", "xmax", "cmax", "tableoid"];

impl RowExpression {
    /// Reads `text`.
    ///
    /// # Errors
    /// What is wrong first, and where.
    pub fn parse(text: &str) -> Result<RowExpression, Misread> {
        let length = text.chars().count();
        if length > LONGEST_EXPRESSION {
            return Err(Misread {
                at: 0,
                message: format!("an expression has at most {LONGEST_EXPRESSION} characters, but this one has {length}"),
            });
        }
        parse(text)
    }
}

fn parse(text: &str) -> Result<RowExpression, Misread> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0, end: text.len(), depth: 0 };
    let expression = parser.any()?;
    match parser.peek() {
        None => Ok(expression),
        Some(_) => Err(parser.expected("AND, OR or the end")),
    }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    next: usize,
    end: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn take(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.next += usize::from(token.is_some());
        token
    }

    fn wrong(&self, message: impl Into<String>) -> Misread {
        Misread { at: self.tokens.get(self.next).map_or(self.end, |(at, _)| *at), message: message.into() }
    }

    fn expected(&self, what: &str) -> Misread {
        self.wrong(format!("expected {what}"))
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(text)) if text.eq_ignore_ascii_case(word));
        self.next += usize::from(found);
        found
    }

    fn takes(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(text)) if *text == sign);
        self.next += usize::from(found);
        found
    }

    fn any(&mut self) -> Result<RowExpression, Misread> {
        let mut parts = vec![self.all()?];
        while self.takes_word("or") {
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { RowExpression::Any(parts) })
    }

    fn all(&mut self) -> Result<RowExpression, Misread> {
        let mut parts = vec![self.single()?];
        while self.takes_word("and") {
            parts.push(self.single()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { RowExpression::All(parts) })
    }

    fn single(&mut self) -> Result<RowExpression, Misread> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.wrong(format!("more than {DEEPEST} nested parentheses and negations")));
        }
        let found = if self.takes_word("not") {
            self.single().map(|inner| RowExpression::Not(Box::new(inner)))
        } else if self.takes("(") {
            let inner = self.any()?;
            if self.takes(")") { Ok(inner) } else { Err(self.expected("AND, OR or `)`")) }
        } else {
            self.predicate()
        };
        self.depth -= 1;
        found
    }

    fn predicate(&mut self) -> Result<RowExpression, Misread> {
        for (word, value) in [("true", true), ("false", false)] {
            if self.takes_word(word) {
                return Ok(RowExpression::Constant(value));
            }
        }
        if matches!(self.peek(), Some(Token::Text(_) | Token::Number(_) | Token::Sign("-" | "+"))) {
            let constant = self.constant()?;
            let operator = self.operator()?;
            let column = self.column()?;
            return Ok(RowExpression::Compare { column, operator: operator.turned(), constant });
        }
        let column = self.column()?;
        if self.takes_word("is") {
            let negated = self.takes_word("not");
            return if self.takes_word("null") { Ok(RowExpression::IsNull { column, negated }) } else { Err(self.expected("NULL")) };
        }
        let negated = self.takes_word("not");
        if self.takes_word("between") {
            let low = self.constant()?;
            if !self.takes_word("and") {
                return Err(self.expected("AND and the higher bound"));
            }
            let high = self.constant()?;
            return Ok(RowExpression::Between { column, low, high, negated });
        }
        if self.takes_word("in") {
            return Ok(RowExpression::In { column, constants: self.list()?, negated });
        }
        if self.takes_word("like") {
            return self.like(column, negated);
        }
        if negated {
            return Err(self.expected("BETWEEN, IN or LIKE"));
        }
        let operator = self.operator()?;
        let constant = self.constant()?;
        Ok(RowExpression::Compare { column, operator, constant })
    }

    fn column(&mut self) -> Result<ColumnPath, Misread> {
        let mut names = vec![self.name()?];
        while self.takes(".") {
            names.push(self.name()?);
        }
        if self.takes("(") {
            self.next -= 1;
            return Err(self.wrong("row filters can't contain functions; compare a column with a constant"));
        }
        Ok(ColumnPath(names))
    }

    fn name(&mut self) -> Result<String, Misread> {
        const WORDS: [&str; 11] = ["and", "or", "not", "in", "is", "like", "between", "null", "escape", "true", "false"];
        let name = match self.peek() {
            Some(Token::Word(word)) if !WORDS.contains(&word.to_lowercase().as_str()) => word.to_lowercase(),
            Some(Token::Quoted(name)) => name.to_lowercase(),
            _ => return Err(self.expected("a column's name")),
        };
        if RESERVED.contains(&name.as_str()) {
            return Err(self.wrong(format!("`{name}` can't be used in a row filter: Lake Formation reserves that name")));
        }
        self.next += 1;
        Ok(name)
    }

    fn operator(&mut self) -> Result<Operator, Misread> {
        let operator = match self.peek() {
            Some(Token::Sign("=")) => Operator::Equal,
            Some(Token::Sign("<>" | "!=")) => Operator::NotEqual,
            Some(Token::Sign("<")) => Operator::Less,
            Some(Token::Sign("<=")) => Operator::LessOrEqual,
            Some(Token::Sign(">")) => Operator::Greater,
            Some(Token::Sign(">=")) => Operator::GreaterOrEqual,
            _ => return Err(self.expected("=, <>, !=, <, <=, >, >=, BETWEEN, IN, LIKE or IS NULL")),
        };
        self.next += 1;
        Ok(operator)
    }

    fn constant(&mut self) -> Result<Constant, Misread> {
        let sign = if self.takes("-") { "-" } else { "" };
        let signed = !sign.is_empty() || self.takes("+");
        match self.peek().cloned() {
            Some(Token::Number(digits)) => {
                self.next += 1;
                Ok(Constant::Number(format!("{sign}{digits}")))
            }
            Some(Token::Text(text)) if !signed => {
                self.next += 1;
                Ok(Constant::Text(text))
            }
            Some(Token::Word(word)) if !signed && ["true", "false"].contains(&word.to_lowercase().as_str()) => {
                self.next += 1;
                Ok(Constant::Boolean(word.eq_ignore_ascii_case("true")))
            }
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("null") => {
                Err(self.wrong("nothing equals NULL; use IS NULL or IS NOT NULL"))
            }
            Some(Token::Word(_) | Token::Quoted(_)) => {
                Err(self.wrong("expected a constant: a number, or a text in single quotes; columns can't be compared with each other here"))
            }
            _ => Err(self.expected("a constant: a number, true, false, or a text in single quotes")),
        }
    }

    fn list(&mut self) -> Result<Vec<Constant>, Misread> {
        if !self.takes("(") {
            return Err(self.expected("`(` and constants"));
        }
        let mut constants = vec![self.constant()?];
        while self.takes(",") {
            constants.push(self.constant()?);
        }
        if self.takes(")") { Ok(constants) } else { Err(self.expected("`,` or `)`")) }
    }

    fn like(&mut self, column: ColumnPath, negated: bool) -> Result<RowExpression, Misread> {
        let pattern = match self.take() {
            Some(Token::Text(pattern)) => pattern,
            _ => {
                self.next = self.next.saturating_sub(1);
                return Err(self.expected("a pattern in single quotes"));
            }
        };
        if !self.takes_word("escape") {
            return Ok(RowExpression::Like { column, pattern, escape: None, negated });
        }
        let escape = match self.peek() {
            Some(Token::Text(text)) => text.chars().next().filter(|first| first.len_utf8() == text.len()),
            _ => None,
        };
        let escape = escape.ok_or_else(|| self.expected("one character in single quotes"))?;
        self.next += 1;
        Ok(RowExpression::Like { column, pattern, escape: Some(escape), negated })
    }
}

impl Operator {
    /// The one that means the same with its sides exchanged.
    fn turned(self) -> Operator {
        match self {
            Operator::Less => Operator::Greater,
            Operator::LessOrEqual => Operator::GreaterOrEqual,
            Operator::Greater => Operator::Less,
            Operator::GreaterOrEqual => Operator::LessOrEqual,
            same => same,
        }
    }
}
