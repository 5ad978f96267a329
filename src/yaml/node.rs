//! A YAML text as a tree of nodes that know where they stand.

use super::place::{Place, line_at};
use super::problems::Problems;
use crate::units::count;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Location, MessageFormatter, Spanned, UserMessageFormatter};
use std::fmt;

/// Values, lists and mappings of a text.
const NODES: usize = 250_000;
/// Lists and mappings within each other: whoever reads them goes down call by call.
const DEPTH: usize = 64;

/// A value, and where it stands.
#[derive(Debug, Clone)]
pub struct Node {
    /// Of a list or mapping only its start.
    pub place: Place,
    pub content: Content,
}

/// What a node is.
#[derive(Debug, Clone)]
pub enum Content {
    /// Nothing stands there, or `null`, or `~`.
    Null,
    Scalar(Scalar),
    List(Vec<Node>),
    Mapping(Vec<Entry>),
}

/// A text, number or truth, as it is written.
#[derive(Debug, Clone)]
pub struct Scalar {
    pub text: String,
    /// Part of it is a value of the environment, which may be secret.
    pub secret: bool,
}

/// A key with its value.
#[derive(Debug, Clone)]
pub struct Entry {
    pub key: String,
    pub key_place: Place,
    pub value: Node,
}

impl Node {
    /// Reads the text of `problems`; nothing where it is no YAML.
    pub fn parse(problems: &mut Problems<'_>) -> Option<Node> {
        // Values stay as they are written: what they mean is for those to say who read them.
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! { max_nodes: NODES, max_depth: DEPTH },
            with_snippet: false,
            strict_booleans: true,
            leading_zero_numbers_as_strings: true,
            duplicate_keys: DuplicateKeyPolicy::PassThrough,
            non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        };
        let text = problems.text();
        match serde_saphyr::from_str_with_options::<Raw>(text, options) {
            Ok(raw) => Some(raw.into_node(text)),
            Err(error) => {
                let message = match &error {
                    serde_saphyr::Error::Eof { .. } => "the file ends here; expected `key: value` lines".to_string(),
                    serde_saphyr::Error::Budget { breach, .. } => too_much(breach),
                    other => UserMessageFormatter.format_message(other).chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
                };
                let place = Place::of(text, error.location().unwrap_or(Location::UNKNOWN));
                // The braces of a variable are YAML's own in a list or mapping of one line.
                let hint = match line_at(text, place.line).contains("${") {
                    true => "; between [ ] and { } a value with ${…} must be in quotes",
                    false => "",
                };
                problems.error(&place, format!("{message}{hint}"));
                None
            }
        }
    }

    /// What it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self.content {
            Content::Null => "nothing",
            Content::Scalar(_) => "a single value",
            Content::List(_) => "a list",
            Content::Mapping(_) => "`key: value` lines",
        }
    }

    /// The node below `key`, where this is a mapping that has one.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.content {
            Content::Mapping(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value),
            _ => None,
        }
    }

    /// Calls `change` for each scalar, keys not among them.
    pub fn each_scalar(&mut self, change: &mut impl FnMut(&mut Scalar, &Place)) {
        match &mut self.content {
            Content::Null => {}
            Content::Scalar(scalar) => change(scalar, &self.place),
            Content::List(items) => items.iter_mut().for_each(|item| item.each_scalar(change)),
            Content::Mapping(entries) => entries.iter_mut().for_each(|entry| entry.value.each_scalar(change)),
        }
    }
}

/// What there is too much of in a text, how much there may be, and what to do.
fn too_much(breach: &BudgetBreach) -> String {
    match breach {
        BudgetBreach::Nodes { .. } => {
            format!("this file has more than {} values, lists and mappings, the limit; split it", count(NODES as u64))
        }
        BudgetBreach::Depth { .. } => {
            format!("lists and mappings are nested more than {DEPTH} levels deep here, the limit")
        }
        BudgetBreach::Documents { .. } => "this file has several documents, separated by `---`; put each into its own file".to_string(),
        BudgetBreach::Aliases { .. }
        | BudgetBreach::Anchors { .. }
        | BudgetBreach::AliasAnchorRatio { .. }
        | BudgetBreach::MergeKeys { .. }
        | BudgetBreach::RecordedAnchorEvents { .. }
        | BudgetBreach::RecordedAnchorBytes { .. } => "this file has too many aliases (`*name`); write out what they refer to".to_string(),
        _ => "this file is too large to be read; split it".to_string(),
    }
}

/// A node as the YAML library gives it.
struct Raw {
    referenced: Location,
    defined: Location,
    content: RawContent,
}

enum RawContent {
    Null,
    /// A number or truth; its text is what stands at its place.
    Plain(String),
    Text(String),
    List(Vec<Raw>),
    Mapping(Vec<(Spanned<String>, Raw)>),
}

impl Raw {
    fn into_node(self, text: &str) -> Node {
        let place = Place::of(text, self.referenced);
        let content = match self.content {
            RawContent::Null => Content::Null,
            RawContent::Text(text) => Content::Scalar(Scalar { text, secret: false }),
            RawContent::Plain(read) => {
                let written = text.get(Place::of(text, self.defined).bytes).map(str::trim).filter(|written| !written.is_empty());
                Content::Scalar(Scalar { text: written.map_or(read, str::to_string), secret: false })
            }
            RawContent::List(items) => Content::List(items.into_iter().map(|item| item.into_node(text)).collect()),
            RawContent::Mapping(entries) => Content::Mapping(
                entries
                    .into_iter()
                    .map(|(key, value)| Entry { key: key.value, key_place: Place::of(text, key.referenced), value: value.into_node(text) })
                    .collect(),
            ),
        };
        Node { place, content }
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<RawContent>::deserialize(deserializer)?;
        Ok(Raw { referenced: spanned.referenced, defined: spanned.defined, content: spanned.value })
    }
}

impl<'de> Deserialize<'de> for RawContent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = RawContent;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<RawContent, E> {
        Ok(RawContent::Null)
    }

    fn visit_none<E>(self) -> Result<RawContent, E> {
        Ok(RawContent::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<RawContent, D::Error> {
        RawContent::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<RawContent, E> {
        Ok(RawContent::Plain(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<RawContent, E> {
        Ok(RawContent::Plain(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<RawContent, E> {
        Ok(RawContent::Plain(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<RawContent, E> {
        Ok(RawContent::Plain(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<RawContent, E> {
        Ok(RawContent::Plain(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<RawContent, E> {
        Ok(RawContent::Plain(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<RawContent, E> {
        Ok(RawContent::Text(value.to_string()))
    }

    fn visit_string<E>(self, value: String) -> Result<RawContent, E> {
        Ok(RawContent::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<RawContent, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(RawContent::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<RawContent, A::Error> {
        let mut mapping = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            mapping.push(entry);
        }
        Ok(RawContent::Mapping(mapping))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All scalars and keys with what stands at their places.
    fn placed(text: &str) -> Vec<(String, String)> {
        fn walk(node: &Node, text: &str, found: &mut Vec<(String, String)>) {
            let at = |place: &Place| format!("{}:{} {}", place.line, place.column, &text[place.bytes.clone()]);
            match &node.content {
                Content::Null => found.push(("null".to_string(), at(&node.place))),
                Content::Scalar(scalar) => found.push((scalar.text.clone(), at(&node.place))),
                Content::List(items) => items.iter().for_each(|item| walk(item, text, found)),
                Content::Mapping(entries) => entries.iter().for_each(|entry| {
                    found.push((entry.key.clone(), at(&entry.key_place)));
                    walk(&entry.value, text, found);
                }),
            }
        }
        let mut problems = Problems::new("t.yaml", text);
        let node = Node::parse(&mut problems).unwrap_or_else(|| panic!("{:?}", problems.into_sorted()));
        let mut found = Vec::new();
        walk(&node, text, &mut found);
        found
    }

    #[test]
    fn values_stay_as_written_and_know_their_place() {
        let text = "é: 007\nb: [1.50, yes, 'x y', \"a\\tb\", true, 0x1F, 1_000, .nan, ~, 2020-02-29]\nc:\nd: {e: 1%}\n";
        let found = placed(text);
        let pair = |value: &str, place: &str| (value.to_string(), place.to_string());
        assert_eq!(found[0], pair("é", "1:1 é"));
        assert_eq!(found[1], pair("007", "1:4 007"));
        assert_eq!(found[3], pair("1.50", "2:5 1.50"));
        assert_eq!(found[4], pair("yes", "2:11 yes"));
        assert_eq!(found[5], pair("x y", "2:16 'x y'"));
        assert_eq!(found[6], pair("a\tb", "2:23 \"a\\tb\""));
        let values: Vec<&str> = found[7..].iter().map(|(value, _)| value.as_str()).collect();
        assert_eq!(values, ["true", "0x1F", "1_000", ".nan", "null", "2020-02-29", "c", "null", "d", "e", "1%"]);
    }

    #[test]
    fn blocks_and_aliases_know_their_place() {
        let text = "a: |\n  SELECT 1\n  FROM t\nb: &x 5\nc: *x\n";
        let found = placed(text);
        assert_eq!(found[1].0, "SELECT 1\nFROM t\n");
        assert_eq!(found[1].1, "2:3 SELECT 1\n  FROM t\n");
        assert_eq!(found[5].0, "5");
        assert!(found[5].1.starts_with("5:4"), "{found:?}");
    }
}
