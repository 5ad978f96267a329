//! Structs that are read from mappings.

use super::node::{Content, Entry, Node};
use super::place::Place;
use super::problems::Problems;
use super::read::{Read, at_key};
use super::values::expected;
use crate::diagnostic::nearest;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Deref;

/// The entries of a mapping, while a struct is read from it.
#[derive(Debug)]
pub struct Fields<'n> {
    entries: &'n [Entry],
    /// Where what is missing is told.
    place: &'n Place,
    /// There are keys that don't belong here.
    pub(crate) wrong: bool,
    /// The keys that were meant where another is written.
    meant: Vec<&'n str>,
}

impl<'n> Fields<'n> {
    /// The entries of `node`; those that aren't `known`, or stand there twice, are problems.
    pub fn of(node: &'n Node, known: &'n [&'static str], problems: &mut Problems<'_>) -> Option<Self> {
        let Content::Mapping(entries) = &node.content else {
            problems.error(&node.place, "expected `key: value` lines");
            return None;
        };
        let before = problems.errors();
        let mut meant = Vec::new();
        let mut seen = HashSet::new();
        for entry in entries {
            let key = entry.key.escape_debug();
            if !known.contains(&entry.key.as_str()) {
                let near = if problems.is_full() { None } else { nearest(&entry.key, known.iter().copied()) };
                meant.extend(near);
                let hint = near.map(|near| format!("did you mean `{near}`?"));
                let hint = hint.unwrap_or_else(|| expected(known));
                problems.error(&entry.key_place, format!("unknown key `{key}`; {hint}"));
            } else if !seen.insert(entry.key.as_str()) {
                problems.error(&entry.key_place, format!("duplicate key `{key}`"));
            }
        }
        Some(Fields { entries, place: &node.place, wrong: problems.errors() > before, meant })
    }

    /// The node of `key`, with the key's place.
    fn entry(&self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The field of `key`.
    pub fn field<F: Field>(&self, key: &'static str, problems: &mut Problems<'_>) -> F {
        F::field(self, self::key(key), problems)
    }
}

/// What can be a field of a section.
pub trait Field: Sized {
    fn field(fields: &Fields<'_>, key: &str, problems: &mut Problems<'_>) -> Self;
}

impl<T: Read> Field for Option<T> {
    fn field(fields: &Fields<'_>, key: &str, problems: &mut Problems<'_>) -> Self {
        let entry = fields.entry(key)?;
        match entry.value.content {
            Content::Null => T::nothing(key, &entry.key_place, problems),
            _ => T::read(&at_key(&entry.value, &entry.key_place), problems),
        }
    }
}

/// A field that must be there; where it is not, or doesn't fit, that has been told.
#[derive(Debug, Clone)]
pub struct Needed<T>(pub Option<T>);

impl<T: Read> Field for Needed<T> {
    fn field(fields: &Fields<'_>, key: &str, problems: &mut Problems<'_>) -> Self {
        match fields.entry(key) {
            None if fields.meant.contains(&key) => {}
            None => problems.error(fields.place, format!("`{key}` is missing")),
            Some(Entry { value: Node { content: Content::Null, .. }, key_place, .. }) => {
                problems.error(key_place, format!("`{key}` has no value"));
            }
            Some(entry) => return Needed(T::read(&at_key(&entry.value, &entry.key_place), problems)),
        }
        Needed(None)
    }
}

impl<T> Deref for Needed<T> {
    type Target = Option<T>;

    fn deref(&self) -> &Option<T> {
        &self.0
    }
}

impl<T: JsonSchema> JsonSchema for Needed<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// Defines a struct that is read from a mapping: a field a key, `Option` where it may be left out and [`Needed`] where not. What is
/// wrong, missing or too much is told in the [`Problems`], and the rest is read all the same. The struct has a JSON Schema too.
macro_rules! section {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[$doc:meta])* $field:ident: $type:ty),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, schemars::JsonSchema)]
        #[schemars(deny_unknown_fields)]
        $vis struct $name {
            /// Where it stands.
            #[schemars(skip)]
            #[allow(dead_code, reason = "not every section is pointed at")]
            $vis place: $crate::yaml::Place,
            /// Something in it doesn't fit, and has been told.
            #[schemars(skip)]
            #[allow(dead_code, reason = "only sections that need one of some keys ask")]
            $vis wrong: bool,
            $($(#[$doc])* $vis $field: $type,)+
        }

        impl $name {
            /// The keys that it can have.
            #[allow(dead_code, reason = "not every section's keys are asked for")]
            $vis const KEYS: &'static [&'static str] = &[$($crate::yaml::key(stringify!($field)),)+];
        }

        impl $crate::yaml::Read for $name {
            fn read(node: &$crate::yaml::Node, problems: &mut $crate::yaml::Problems<'_>) -> Option<Self> {
                let fields = $crate::yaml::Fields::of(node, Self::KEYS, problems)?;
                let before = problems.errors();
                $(let $field = fields.field(stringify!($field), problems);)+
                Some($name { place: node.place.clone(), wrong: fields.wrong || problems.errors() > before, $($field,)+ })
            }
        }
    };
}
pub(crate) use section;

/// The key of a field; Rust writes some with `r#`.
pub const fn key(field: &'static str) -> &'static str {
    match field.as_bytes() {
        [b'r', b'#', ..] => field.split_at(2).1,
        _ => field,
    }
}
