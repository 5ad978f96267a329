//! Sections whose names the user chooses, and words in whose place a section may stand.

use super::node::{Content, Node};
use super::problems::Problems;
use super::read::{MOST, Read, at_key};
use super::values::Text;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;
use std::collections::HashSet;

/// Values by names that the user chose, in the order of the text.
#[derive(Debug, Clone)]
pub struct Named<T>(pub Vec<(Text, T)>);

impl<T> Named<T> {
    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.text.as_str())
    }

    pub fn get(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(known, _)| known.text == name).map(|(_, value)| value)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Text, &T)> {
        self.0.iter().map(|(name, value)| (name, value))
    }
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Named(Vec::new())
    }
}

impl<T: Read> Read for Named<T> {
    fn read(node: &Node, problems: &mut Problems<'_>) -> Option<Self> {
        let Content::Mapping(entries) = &node.content else {
            problems.error(&node.place, "expected `name: value` lines");
            return None;
        };
        if entries.len() > MOST {
            problems.error(&node.place, format!("{} names here, but at most {MOST} are allowed", entries.len()));
            return None;
        }
        let mut seen = HashSet::new();
        let mut named: Vec<(Text, T)> = Vec::new();
        for entry in entries {
            let name = Text { text: entry.key.clone(), place: entry.key_place.clone(), secret: false };
            if !seen.insert(entry.key.as_str()) {
                problems.error(&name.place, format!("duplicate key `{}`", name.text.escape_debug()));
                continue;
            }
            if let Content::Null = entry.value.content {
                match T::absent() {
                    Some(value) => named.push((name, value)),
                    None => problems.error(&name.place, format!("`{}` has no value", name.text.escape_debug())),
                }
                continue;
            }
            if let Some(value) = T::read(&at_key(&entry.value, &entry.key_place), problems) {
                named.push((name, value));
            }
        }
        Some(Named(named))
    }
}

impl<T: JsonSchema> JsonSchema for Named<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Named_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object", "additionalProperties": generator.subschema_for::<T>()})
    }
}

/// A word, or a section that says more.
#[derive(Debug, Clone)]
pub enum TextOr<T> {
    Text(Text),
    Section(T),
}

impl<T: Read> Read for TextOr<T> {
    fn read(node: &Node, problems: &mut Problems<'_>) -> Option<Self> {
        match node.content {
            Content::Mapping(_) => T::read(node, problems).map(TextOr::Section),
            _ => Text::read(node, problems).map(TextOr::Text),
        }
    }
}

impl<T: JsonSchema> JsonSchema for TextOr<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("TextOr_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [generator.subschema_for::<Text>(), generator.subschema_for::<T>()]})
    }
}
