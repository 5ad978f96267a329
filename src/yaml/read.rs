//! Makes values of nodes.

use super::node::{Content, Node};
use super::place::Place;
use super::problems::Problems;
use super::values::Text;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;
use std::collections::HashSet;

/// Names that one section may have, and items that a list may have: each is compared with the others.
const MOST: usize = 10_000;

/// What can be read from a node.
pub trait Read: Sized {
    /// The value; nothing where the node doesn't fit, which the problems tell then.
    fn read(node: &Node, problems: &mut Problems<'_>) -> Option<Self>;

    /// What a key without a value means, where it may be left out: nothing, which is told where it was perhaps meant otherwise.
    fn nothing(_key: &str, _place: &Place, _problems: &mut Problems<'_>) -> Option<Self> {
        None
    }

    /// What a name without a value means, where it means something.
    fn absent() -> Option<Self> {
        None
    }
}

/// A value that may be left out behind its name.
impl<T: Read> Read for Option<T> {
    fn read(node: &Node, problems: &mut Problems<'_>) -> Option<Self> {
        T::read(node, problems).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(node: &Node, problems: &mut Problems<'_>) -> Option<Self> {
        match &node.content {
            // What doesn't fit is told, and left out, so that the rest is looked at too.
            Content::List(items) if items.len() > MOST => {
                problems.error(&node.place, format!("this list has {} items, and {MOST} is the most", items.len()));
                None
            }
            Content::List(items) => Some(items.iter().filter_map(|item| T::read(item, problems)).collect()),
            _ => {
                problems.error(&node.place, "expected a list, each item after `- `");
                None
            }
        }
    }
}

/// One value, or a list of them.
#[derive(Debug, Clone)]
pub struct OneOrMany<T>(pub Vec<T>);

impl<T: Read> Read for OneOrMany<T> {
    fn read(node: &Node, problems: &mut Problems<'_>) -> Option<Self> {
        match &node.content {
            Content::List(_) => Vec::read(node, problems).map(OneOrMany),
            _ => T::read(node, problems).map(|one| OneOrMany(vec![one])),
        }
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]})
    }
}

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
            problems.error(&node.place, format!("there are {} names here, and {MOST} is the most", entries.len()));
            return None;
        }
        let mut seen = HashSet::new();
        let mut named: Vec<(Text, T)> = Vec::new();
        for entry in entries {
            let name = Text { text: entry.key.clone(), place: entry.key_place.clone(), secret: false };
            if !seen.insert(entry.key.as_str()) {
                problems.error(&name.place, format!("`{}` stands here twice", name.text.escape_debug()));
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
        json_schema!({"anyOf": [{"type": "string"}, generator.subschema_for::<T>()]})
    }
}

/// A mapping or list stands where its key stands: what is missing in it is told there.
pub(super) fn at_key<'n>(node: &'n Node, key: &Place) -> Cow<'n, Node> {
    match node.content {
        Content::Mapping(_) => Cow::Owned(Node { place: key.clone(), content: node.content.clone() }),
        _ => Cow::Borrowed(node),
    }
}
