//! Conditions of grants, in the part of Cedar that asks for a principal's tags.
//!
//! Source: <https://docs.aws.amazon.com/lake-formation/latest/dg/attribute-based-access-control.html>. Cedar's language has more; what is not understood
//! is told as unknown and never taken for true.

use std::collections::BTreeMap;

/// The most characters of a condition: <https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_Condition.html>.
pub const LONGEST_CONDITION: usize = 3_000;
/// So deep may parentheses and negations be within each other.
const DEEPEST: usize = 64;

/// A condition that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    HasTag(String),
    /// The tag has this value; of a principal without the tag it is an error in Cedar, and the whole condition does not hold then.
    TagIs(String, String),
    Constant(bool),
    Not(Box<Condition>),
    All(Vec<Condition>),
    Any(Vec<Condition>),
}

/// A tag was asked for that the principal has not.
struct NoTag;

impl Condition {
    /// Reads `text`.
    ///
    /// # Errors
    /// What was expected and is not there, with the byte where.
    pub fn parse(text: &str) -> Result<Condition, (usize, String)> {
        let mut parser = Parser { text, at: 0, depth: 0 };
        let condition = parser.any()?;
        parser.blanks();
        match parser.at == text.len() {
            true => Ok(condition),
            false => Err((parser.at, "expected `&&`, `||` or the end".to_string())),
        }
    }

    /// Whether it holds for a principal with these tags.
    pub fn holds(&self, tags: &BTreeMap<String, String>) -> bool {
        self.evaluate(tags).unwrap_or(false)
    }

    fn evaluate(&self, tags: &BTreeMap<String, String>) -> Result<bool, NoTag> {
        match self {
            Condition::HasTag(key) => Ok(tags.contains_key(key)),
            Condition::TagIs(key, value) => tags.get(key).map(|has| has == value).ok_or(NoTag),
            Condition::Constant(value) => Ok(*value),
            Condition::Not(inner) => inner.evaluate(tags).map(|holds| !holds),
            Condition::All(parts) => {
                for part in parts {
                    if !part.evaluate(tags)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Condition::Any(parts) => {
                for part in parts {
                    if part.evaluate(tags)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

const TAGS: &str = "context.iam.principalTags.";

impl Parser<'_> {
    fn blanks(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn takes(&mut self, word: &str) -> bool {
        self.blanks();
        let found = self.text[self.at..].starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    fn expect(&mut self, word: &str) -> Result<(), (usize, String)> {
        if self.takes(word) { Ok(()) } else { Err((self.at, format!("expected `{word}`"))) }
    }

    fn any(&mut self) -> Result<Condition, (usize, String)> {
        let mut parts = vec![self.all()?];
        while self.takes("||") {
            parts.push(self.all()?);
        }
        Ok(one_or(parts, Condition::Any))
    }

    fn all(&mut self) -> Result<Condition, (usize, String)> {
        let mut parts = vec![self.single()?];
        while self.takes("&&") {
            parts.push(self.single()?);
        }
        Ok(one_or(parts, Condition::All))
    }

    fn single(&mut self) -> Result<Condition, (usize, String)> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err((self.at, format!("more than {DEEPEST} nested parentheses and negations")));
        }
        let found = self.undeep();
        self.depth -= 1;
        found
    }

    fn undeep(&mut self) -> Result<Condition, (usize, String)> {
        if self.takes("!") {
            return Ok(Condition::Not(Box::new(self.single()?)));
        }
        if self.takes("(") {
            let inner = self.any()?;
            self.expect(")")?;
            return Ok(inner);
        }
        for (word, value) in [("true", true), ("false", false)] {
            if self.takes(word) {
                return Ok(Condition::Constant(value));
            }
        }
        self.blanks();
        if self.text[self.at..].starts_with('"') {
            let value = self.string()?;
            let equal = self.comparison()?;
            self.expect(TAGS)?;
            self.expect("getTag")?;
            let key = self.argument()?;
            return Ok(is(key, value, equal));
        }
        if !self.takes(TAGS) {
            return Err((self.at, format!("expected `{TAGS}hasTag(\"key\")` or `{TAGS}getTag(\"key\") == \"value\"`")));
        }
        if self.takes("hasTag") {
            return Ok(Condition::HasTag(self.argument()?));
        }
        self.expect("getTag")?;
        let key = self.argument()?;
        let equal = self.comparison()?;
        Ok(is(key, self.string()?, equal))
    }

    /// Whether it is `==`, and not `!=`.
    fn comparison(&mut self) -> Result<bool, (usize, String)> {
        if self.takes("==") {
            return Ok(true);
        }
        self.expect("!=").map(|()| false).map_err(|(at, _)| (at, "expected `==` or `!=`".to_string()))
    }

    fn argument(&mut self) -> Result<String, (usize, String)> {
        self.expect("(")?;
        let text = self.string()?;
        self.expect(")")?;
        Ok(text)
    }

    fn string(&mut self) -> Result<String, (usize, String)> {
        self.expect("\"")?;
        let start = self.at;
        let mut text = String::new();
        let mut letters = self.text[start..].char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.at = start + at + 1;
                    return Ok(text);
                }
                '\\' => match letters.next() {
                    Some((_, escaped @ ('"' | '\\' | '\''))) => text.push(escaped),
                    _ => return Err((start + at, "expected `\\\"` or `\\\\`; other escapes are not supported".to_string())),
                },
                other => text.push(other),
            }
        }
        Err((start, "a text lacks its closing `\"`".to_string()))
    }
}

fn is(key: String, value: String, equal: bool) -> Condition {
    let is = Condition::TagIs(key, value);
    if equal { is } else { Condition::Not(Box::new(is)) }
}

/// The only one of `parts`, or all of them within `many`.
fn one_or(mut parts: Vec<Condition>, many: impl Fn(Vec<Condition>) -> Condition) -> Condition {
    match parts.len() {
        1 => parts.remove(0),
        _ => many(parts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(text: &str, tags: &[(&str, &str)]) -> bool {
        let tags = tags.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        Condition::parse(text).unwrap().holds(&tags)
    }

    #[test]
    fn tags_are_asked_for() {
        let sales = r#"context.iam.principalTags.hasTag("department") && context.iam.principalTags.getTag("department") == "sales""#;
        assert!(holds(sales, &[("department", "sales")]));
        assert!(!holds(sales, &[("department", "hr")]));
        assert!(!holds(sales, &[]));
        let not = r#"!(context.iam.principalTags.getTag("a") == "1") || true"#;
        assert!(holds(not, &[("a", "2")]));
        // An error in Cedar, and so nothing that holds.
        assert!(!holds(not, &[]));
        assert!(holds(r#"context.iam.principalTags.getTag("a") != "1""#, &[("a", "2")]));
        assert!(holds(r#""1" == context.iam.principalTags.getTag("a")"#, &[("a", "1")]));
    }

    #[test]
    fn what_is_not_understood_is_told() {
        for text in [
            "",
            "principal == User::\"x\"",
            "context.iam.principalTags.getTag(\"a\")",
            "true &&",
            "context.iam.principalTags.getTag(\"a\") == != \"1\"",
            "(true",
            "true true",
            "\"a",
        ] {
            assert!(Condition::parse(text).is_err(), "{text}");
        }
        assert!(Condition::parse(&"(".repeat(100_000)).is_err());
        assert!(Condition::parse(&"!".repeat(100_000)).is_err());
    }
}
