//! Which column a key of JSON is of.

use super::json_line::{DEEPEST, blanks, key_text, keys, string_end};
use super::renames::Renames;
use arrow::datatypes::{DataType, Field, Fields, Schema};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

/// Where each column is in a schema, by its name, and within columns that are objects.
#[derive(Debug)]
pub(super) struct Places {
    exact: HashMap<String, usize>,
    /// By names in lower case; nothing where two columns differ only in case.
    folded: HashMap<String, Option<usize>>,
    /// By the names that columns had before.
    before: HashMap<String, usize>,
    names: Vec<String>,
    within: Vec<Within>,
}

/// What is looked at in the values of a column.
#[derive(Debug)]
enum Within {
    /// Nothing: they have no keys that are names.
    Nothing,
    Object(Box<Places>),
    /// The items of a list, or the values of a map.
    Each(Box<Within>),
}

/// What stands at a place of a line, and what is to stand there.
type Change<'p> = (usize, usize, &'p str);

impl Places {
    /// The places in `schema`, whose columns have other names in `renames`, too; keys in another case are told only where it `folds`.
    pub(super) fn of(schema: &Schema, renames: &Renames, folds: bool) -> Places {
        Places::of_fields(schema.fields(), renames, folds)
    }

    fn of_fields(fields: &Fields, renames: &Renames, folds: bool) -> Places {
        let names: Vec<String> = fields.iter().map(|field| field.name().clone()).collect();
        let mut folded = HashMap::new();
        for (index, name) in names.iter().enumerate().filter(|_| folds) {
            folded.entry(name.to_lowercase()).and_modify(|known| *known = None).or_insert(Some(index));
        }
        let exact: HashMap<String, usize> = names.iter().enumerate().map(|(index, name)| (name.clone(), index)).collect();
        let before = renames.iter().filter_map(|(before, now)| Some((before.clone(), *exact.get(now)?))).collect();
        let within = fields.iter().map(|field| if folds { Within::of(field.data_type()) } else { Within::Nothing }).collect();
        Places { exact, folded, before, names, within }
    }

    /// Places of columns of which no more is known than that they have other names now.
    fn renaming(renames: &Renames) -> Places {
        let fields: BTreeSet<&String> = renames.iter().map(|(_, now)| now).collect();
        let fields: Vec<Field> = fields.into_iter().map(|name| Field::new(name, DataType::Utf8View, true)).collect();
        Places::of(&Schema::new(fields), renames, false)
    }

    /// The place of the column that is called `key`.
    pub(super) fn get(&self, key: &str) -> Option<usize> {
        self.exact.get(key).copied()
    }

    /// Whether the object that `line` is has a key that a column had before.
    fn is_before(&self, line: &[u8]) -> bool {
        keys(line).is_some_and(|keys| keys.iter().any(|key| self.before.contains_key(&**key)))
    }

    /// `line` with the names of columns for keys that they had before or that differ only in case, also in objects within it, where no other key
    /// of the object is that column's; nothing where there are none.
    pub(super) fn respelled(&self, line: &[u8]) -> Option<Vec<u8>> {
        let mut changes = Vec::new();
        let start = blanks(line, 0);
        if line.get(start) != Some(&b'{') {
            return None;
        }
        self.object(line, start, 0, &mut changes)?;
        if changes.is_empty() {
            return None;
        }
        changes.sort_unstable_by_key(|(start, ..)| *start);
        let (mut respelled, mut at) = (Vec::with_capacity(line.len() + 16), 0);
        for (start, end, name) in changes {
            respelled.extend_from_slice(&line[at..start]);
            respelled.extend_from_slice(serde_json::to_string(name).ok()?.as_bytes());
            at = end;
        }
        respelled.extend_from_slice(&line[at..]);
        Some(respelled)
    }

    /// Looks at the object that begins at `at`, and gives where it ends; nothing where it is none.
    fn object<'p>(&'p self, line: &[u8], at: usize, depth: usize, changes: &mut Vec<Change<'p>>) -> Option<usize> {
        // How many keys may be that column's.
        let mut claims = vec![0u32; self.names.len()];
        let mut others: Vec<(usize, usize, usize)> = Vec::new();
        let mut at = blanks(line, at + 1);
        if line.get(at) == Some(&b'}') {
            return Some(at + 1);
        }
        loop {
            if line.get(at) != Some(&b'"') {
                return None;
            }
            let end = string_end(line, at + 1);
            let key = key_text(line, at, end)?;
            let exact = self.get(&key);
            let column = exact
                .or_else(|| self.before.get(&*key).copied())
                .or_else(|| if self.folded.is_empty() { None } else { self.folded.get(&key.to_lowercase()).copied().flatten() });
            if let Some(column) = column {
                claims[column] += 1;
                if exact.is_none() {
                    others.push((at, end + 1, column));
                }
            }
            at = blanks(line, end + 1);
            if line.get(at) != Some(&b':') {
                return None;
            }
            let within = column.map_or(&Within::Nothing, |column| &self.within[column]);
            at = blanks(line, within.value(line, blanks(line, at + 1), depth + 1, changes)?);
            match line.get(at)? {
                b',' => at = blanks(line, at + 1),
                b'}' => break,
                _ => return None,
            }
        }
        let told = others.into_iter().filter(|(.., column)| claims[*column] == 1);
        changes.extend(told.map(|(start, end, column)| (start, end, self.names[column].as_str())));
        Some(at + 1)
    }
}

impl Within {
    fn of(data_type: &DataType) -> Within {
        match data_type {
            DataType::Struct(fields) => Within::Object(Box::new(Places::of_fields(fields, &Renames::default(), true))),
            DataType::List(item) | DataType::LargeList(item) => Within::Each(Box::new(Within::of(item.data_type()))).or_nothing(),
            DataType::Map(entries, _) => match entries.data_type() {
                DataType::Struct(entry) if entry.len() == 2 => Within::Each(Box::new(Within::of(entry[1].data_type()))).or_nothing(),
                _ => Within::Nothing,
            },
            _ => Within::Nothing,
        }
    }

    /// Of values that have no keys there is nothing to be looked at.
    fn or_nothing(self) -> Within {
        match self {
            Within::Each(each) if matches!(*each, Within::Nothing) => Within::Nothing,
            other => other,
        }
    }

    /// Looks at the value that begins at `at`, and gives where it ends; nothing where it is none.
    fn value<'p>(&'p self, line: &[u8], at: usize, depth: usize, changes: &mut Vec<Change<'p>>) -> Option<usize> {
        if depth > DEEPEST {
            return None;
        }
        match (line.get(at)?, self) {
            (b'{', Within::Object(places)) => places.object(line, at, depth, changes),
            (b'[', Within::Each(each)) => {
                let mut at = blanks(line, at + 1);
                if line.get(at) == Some(&b']') {
                    return Some(at + 1);
                }
                loop {
                    at = blanks(line, each.value(line, at, depth + 1, changes)?);
                    match line.get(at)? {
                        b',' => at = blanks(line, at + 1),
                        b']' => return Some(at + 1),
                        _ => return None,
                    }
                }
            }
            // A map: its keys are values.
            (b'{', Within::Each(each)) => {
                let mut at = blanks(line, at + 1);
                while line.get(at) == Some(&b'"') {
                    at = blanks(line, string_end(line, at + 1) + 1);
                    if line.get(at) != Some(&b':') {
                        return None;
                    }
                    at = blanks(line, each.value(line, blanks(line, at + 1), depth + 1, changes)?);
                    match line.get(at)? {
                        b',' => at = blanks(line, at + 1),
                        _ => break,
                    }
                }
                (line.get(at) == Some(&b'}')).then_some(at + 1)
            }
            _ => passed(line, at),
        }
    }
}

/// Where the value ends that begins at `at`, whatever it is.
fn passed(line: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0usize;
    loop {
        match line.get(at)? {
            b'"' => at = string_end(line, at + 1),
            b'[' | b'{' => depth += 1,
            b']' | b'}' if depth == 0 => return Some(at),
            b']' | b'}' => depth -= 1,
            b',' if depth == 0 => return Some(at),
            _ => {}
        }
        at += 1;
        // Behind a string, a list or an object there is no more of it.
        if depth == 0 && matches!(line[at - 1], b'"' | b']' | b'}') {
            return Some(at);
        }
    }
}

/// JSON `lines` with the names that the keys of their objects have now; without those that have a column by two names, which are no rows.
pub fn renamed_lines<'a>(lines: &'a [u8], renames: &Renames) -> Cow<'a, [u8]> {
    if renames.is_empty() {
        return lines.into();
    }
    let places = Places::renaming(renames);
    let mut all = Vec::with_capacity(lines.len());
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        match places.respelled(line) {
            Some(respelled) => all.extend_from_slice(&respelled),
            None if places.is_before(line) => {}
            None => all.extend_from_slice(line),
        }
    }
    all.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_capitals_is_the_column_that_nothing_else_is() {
        let names = ["id", "é\"", "two", "TWO"];
        let schema = Schema::new(names.map(|name| Field::new(name, DataType::Utf8View, true)).to_vec());
        let places = Places::of(&schema, &[("user".to_string(), "id".to_string())].into_iter().collect(), true);
        for (line, respelled) in [
            (r#"{"id":1,"two":2}"#, None),
            (r#"{"ID" : 1,"x":{"ID":2}}"#, Some(r#"{"id" : 1,"x":{"ID":2}}"#)),
            (r#"{"\u0049d":1,"É\"":"ID"}"#, Some(r#"{"id":1,"é\"":"ID"}"#)),
            (r#"{"id":1,"ID":2}"#, None),
            (r#"{"Id":1,"ID":2}"#, None),
            (r#"{"Two":1}"#, None),
            (r#"{"user":1,"x":"user"}"#, Some(r#"{"id":1,"x":"user"}"#)),
            (r#"{"user":1,"id":2}"#, None),
            ("x", None),
        ] {
            let found = places.respelled(line.as_bytes()).map(|line| String::from_utf8(line).unwrap());
            assert_eq!(found.as_deref(), respelled, "{line}");
        }
    }

    #[test]
    fn keys_within_objects_are_told_too() {
        let text = |name: &str| Field::new(name, DataType::Utf8View, true);
        let object = |fields: Vec<Field>| DataType::Struct(fields.into());
        let entry = object(vec![text("keys"), Field::new("values", object(vec![text("bucketname")]), true)]);
        let schema = Schema::new(vec![
            Field::new("request", object(vec![text("bucketname"), Field::new("deep", object(vec![text("x")]), true)]), true),
            Field::new("list", DataType::List(std::sync::Arc::new(Field::new("item", object(vec![text("id")]), true))), true),
            Field::new("map", DataType::Map(std::sync::Arc::new(Field::new("entries", entry, false)), false), true),
            text("plain"),
        ]);
        let places = Places::of(&schema, &Renames::default(), true);
        for (line, respelled) in [
            (r#"{"Request":{"bucketName":"B","Deep":{"X":1}}}"#, Some(r#"{"request":{"bucketname":"B","deep":{"x":1}}}"#)),
            (r#"{"list":[{"ID":1},{"id":2},null,{"Id":"]}"}]}"#, Some(r#"{"list":[{"id":1},{"id":2},null,{"id":"]}"}]}"#)),
            (r#"{"map":{"ID":{"BucketName":1},"k":{}} }"#, Some(r#"{"map":{"ID":{"bucketname":1},"k":{}} }"#)),
            (r#"{"request":{"bucketName":1,"bucketname":2}}"#, None),
            (r#"{"plain":{"Request":{"bucketName":1}},"zzz":[{"ID":1}]}"#, None),
            (r#"{"Request":[1,{"bucketName":2}],"map":{},"list":[]}"#, Some(r#"{"request":[1,{"bucketName":2}],"map":{},"list":[]}"#)),
            (r#"{"Request":{"bucketName":"B""#, None),
            (r#"{"Request" 1}"#, None),
            (r#"{"Request":}"#, Some(r#"{"request":}"#)),
        ] {
            let found = places.respelled(line.as_bytes()).map(|line| String::from_utf8(line).unwrap());
            assert_eq!(found.as_deref(), respelled, "{line}");
        }
        let deep = format!("{{\"Request\":{}1{}}}", "[".repeat(500), "]".repeat(500));
        assert!(places.respelled(deep.as_bytes()).is_some());
    }
}
