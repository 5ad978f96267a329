//! Single values: texts, numbers, and words of which one is chosen.

use super::node::{Content, Node};
use super::place::Place;
use super::problems::Problems;
use super::read::Read;
use crate::diagnostic::nearest;
use crate::units::{ByteSize, Rate};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;
use std::num::NonZeroU64;
use std::ops::Range;

/// A text, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    pub text: String,
    pub place: Place,
    /// Part of it is a value of the environment, which no message shows.
    pub secret: bool,
}

impl Text {
    /// Where the bytes `range` of the value are; all of it where it is quoted or escaped, and so stands in the file another way.
    pub fn part(&self, text: &str, range: Range<usize>) -> Place {
        match text.get(self.place.bytes.clone()) == Some(&self.text) {
            true => self.place.part(text, range),
            false => self.place.clone(),
        }
    }

    /// `message`, where it may tell what the value is.
    pub fn explain(&self, message: impl Into<String>) -> String {
        match self.secret {
            true => "the value from the environment doesn't fit here".to_string(),
            false => message.into(),
        }
    }
}

impl Read for Text {
    fn read(node: &Node, problems: &mut Problems<'_>) -> Option<Self> {
        match &node.content {
            Content::Scalar(scalar) => Some(Text { text: scalar.text.clone(), place: node.place.clone(), secret: scalar.secret }),
            _ => {
                problems.error(&node.place, format!("expected text, not {}", node.kind()));
                None
            }
        }
    }
}

impl JsonSchema for Text {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["string", "number", "boolean"]})
    }
}

/// A value that is written as a word or number.
pub trait Word: Sized {
    /// What may stand there, for the schema.
    const KIND: &'static str;

    /// # Errors
    /// What was expected.
    fn parse(text: &str) -> Result<Self, String>;

    /// All that there are, where they can be listed.
    fn all() -> Vec<&'static str> {
        Vec::new()
    }
}

/// A word's or number's value, and where it stands.
#[derive(Debug, Clone)]
pub struct Value<T> {
    pub value: T,
    pub place: Place,
}

impl<T: Word> Read for Value<T> {
    fn read(node: &Node, problems: &mut Problems<'_>) -> Option<Self> {
        let text = Text::read(node, problems)?;
        match T::parse(&text.text) {
            Ok(value) => Some(Value { value, place: text.place }),
            Err(message) => {
                problems.error(&text.place, text.explain(message));
                None
            }
        }
    }

    fn nothing(key: &str, place: &Place, problems: &mut Problems<'_>) -> Option<Self> {
        if T::all().contains(&"null") {
            problems.error(place, format!("write `{key}: 'null'`, in quotes: without them it means no value"));
        }
        None
    }
}

impl<T: Word> JsonSchema for Value<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::KIND.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // A variable can stand for any of them.
        let variable = json_schema!({"type": "string", "pattern": "\\$\\{"});
        let all = T::all();
        match (all.is_empty(), T::KIND) {
            (false, _) => json_schema!({"anyOf": [{"enum": all}, variable]}),
            (true, "string") => json_schema!({"type": ["string", "number"]}),
            (true, kind) => json_schema!({"anyOf": [{"type": kind}, variable]}),
        }
    }
}

impl Word for bool {
    const KIND: &'static str = "boolean";

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "true" | "True" | "TRUE" => Ok(true),
            "false" | "False" | "FALSE" => Ok(false),
            _ => Err("expected true or false".to_string()),
        }
    }
}

impl Word for i64 {
    const KIND: &'static str = "integer";

    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "expected a whole number".to_string())
    }
}

impl Word for NonZeroU64 {
    const KIND: &'static str = "integer";

    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "expected a whole number of at least 1".to_string())
    }
}

impl Word for f64 {
    const KIND: &'static str = "number";

    fn parse(text: &str) -> Result<Self, String> {
        text.parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(|| "expected a number".to_string())
    }
}

impl Word for Rate {
    const KIND: &'static str = "string";

    fn parse(text: &str) -> Result<Self, String> {
        text.parse()
    }
}

impl Word for ByteSize {
    const KIND: &'static str = "string";

    fn parse(text: &str) -> Result<Self, String> {
        text.parse()
    }
}

impl Word for char {
    const KIND: &'static str = "string";

    fn parse(text: &str) -> Result<Self, String> {
        match text.chars().next() {
            Some(first) if text.len() == first.len_utf8() => Ok(first),
            _ => Err("expected a single character".to_string()),
        }
    }
}

/// Says what there is to choose from.
pub(super) fn expected(words: &[&str]) -> String {
    match words {
        [only] => format!("expected {only}"),
        words => format!("expected one of {}", words.join(", ")),
    }
}

/// The word of `all` that `text` is.
///
/// # Errors
/// Names the nearest, or all.
pub(crate) fn one_of<T: Copy>(text: &str, all: &[(&'static str, T)]) -> Result<T, String> {
    if let Some((_, value)) = all.iter().find(|(word, _)| *word == text) {
        return Ok(*value);
    }
    let words: Vec<&str> = all.iter().map(|(word, _)| *word).collect();
    let hint = match nearest(text, words.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => expected(&words),
    };
    Err(format!("unknown value `{}`; {hint}", text.escape_debug()))
}

/// Says by which words the values of an enum are written.
macro_rules! words {
    ($type:ty { $($word:literal => $value:expr),+ $(,)? }) => {
        impl $crate::yaml::Word for $type {
            const KIND: &'static str = stringify!($type);

            fn parse(text: &str) -> Result<Self, String> {
                $crate::yaml::one_of(text, &[$(($word, $value)),+])
            }

            fn all() -> Vec<&'static str> {
                vec![$($word),+]
            }
        }
    };
}
pub(crate) use words;
