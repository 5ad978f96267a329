//! Which column a key of JSON is of.

use super::json_line::keys;
use super::renames::Renames;
use arrow::datatypes::{DataType, Field, Schema};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

/// Where each column is in a schema, by its name.
#[derive(Debug)]
pub(super) struct Places {
    exact: HashMap<String, usize>,
    /// By names in lower case; nothing where two columns differ only in case.
    folded: HashMap<String, Option<usize>>,
    /// By the names that columns had before.
    before: HashMap<String, usize>,
    names: Vec<String>,
}

impl Places {
    /// The places in `schema`, whose columns have other names in `renames`, too; keys in another case are told only where it `folds`.
    pub(super) fn of(schema: &Schema, renames: &Renames, folds: bool) -> Places {
        let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        let mut folded = HashMap::new();
        for (index, name) in names.iter().enumerate().filter(|_| folds) {
            folded.entry(name.to_lowercase()).and_modify(|known| *known = None).or_insert(Some(index));
        }
        let exact: HashMap<String, usize> = names.iter().enumerate().map(|(index, name)| (name.clone(), index)).collect();
        let before = renames.iter().filter_map(|(before, now)| Some((before.clone(), *exact.get(now)?))).collect();
        Places { exact, folded, before, names }
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
        keys(line).is_some_and(|keys| keys.iter().any(|key| self.before.contains_key(&*key.name)))
    }

    /// `line` with the names of columns for keys that they had before or that differ only in case, where no other key is that column's; nothing where
    /// there are none.
    pub(super) fn respelled(&self, line: &[u8]) -> Option<Vec<u8>> {
        let keys = keys(line)?;
        // How many keys may be that column's.
        let mut claims: HashMap<usize, usize> = HashMap::new();
        let mut others = Vec::new();
        for key in &keys {
            let column = self.get(&key.name).or_else(|| {
                let before = self.before.get(&*key.name).copied();
                let column = before.or_else(|| self.folded.get(&key.name.to_lowercase()).copied().flatten())?;
                others.push((key, column));
                Some(column)
            });
            column.into_iter().for_each(|column| *claims.entry(column).or_default() += 1);
        }
        others.retain(|(_, column)| claims[column] == 1);
        if others.is_empty() {
            return None;
        }
        let (mut respelled, mut at) = (Vec::with_capacity(line.len() + 16), 0);
        for (key, column) in others {
            respelled.extend_from_slice(&line[at..key.start]);
            respelled.extend_from_slice(serde_json::to_string(&self.names[column]).ok()?.as_bytes());
            at = key.end;
        }
        respelled.extend_from_slice(&line[at..]);
        Some(respelled)
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
}
