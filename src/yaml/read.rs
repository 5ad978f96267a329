//! Makes values of nodes.

use super::node::{Content, Node};
use super::place::Place;
use super::problems::Problems;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

/// Names that one section may have, and items that a list may have: each is compared with the others.
pub(super) const MOST: usize = 10_000;

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
                problems.error(&node.place, format!("this list has {} items, but at most {MOST} are allowed", items.len()));
                None
            }
            Content::List(items) => Some(items.iter().filter_map(|item| T::read(item, problems)).collect()),
            _ => {
                problems.error(&node.place, "expected a list, with each item after `- `");
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

/// A mapping or list stands where its key stands: what is missing in it is told there.
pub(super) fn at_key<'n>(node: &'n Node, key: &Place) -> Cow<'n, Node> {
    match node.content {
        Content::Mapping(_) => Cow::Owned(Node { place: key.clone(), content: node.content.clone() }),
        _ => Cow::Borrowed(node),
    }
}
