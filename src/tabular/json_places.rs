//! Which column a key of JSON is of.

use super::json_line::keys;
use arrow::datatypes::Schema;
use std::collections::HashMap;

/// Where each column is in a schema, by its name.
#[derive(Debug)]
pub(super) struct Places {
    exact: HashMap<String, usize>,
    /// By names in lower case; nothing where two columns differ only in case.
    folded: HashMap<String, Option<usize>>,
    names: Vec<String>,
}

impl Places {
    pub(super) fn of(schema: &Schema) -> Places {
        let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        let mut folded = HashMap::new();
        for (index, name) in names.iter().enumerate() {
            folded.entry(name.to_lowercase()).and_modify(|known| *known = None).or_insert(Some(index));
        }
        Places { exact: names.iter().enumerate().map(|(index, name)| (name.clone(), index)).collect(), folded, names }
    }

    /// The place of the column that is called `key`.
    pub(super) fn get(&self, key: &str) -> Option<usize> {
        self.exact.get(key).copied()
    }

    /// `line` with the names of columns for keys that differ from them only in case, where no other key is that column's; nothing where
    /// there are none.
    pub(super) fn respelled(&self, line: &[u8]) -> Option<Vec<u8>> {
        let keys = keys(line)?;
        // How many keys may be that column's.
        let mut claims: HashMap<usize, usize> = HashMap::new();
        let mut others = Vec::new();
        for key in &keys {
            let column = self.get(&key.name).or_else(|| {
                let column = self.folded.get(&key.name.to_lowercase()).copied().flatten()?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::{DataType, Field};

    #[test]
    fn a_key_in_capitals_is_the_column_that_nothing_else_is() {
        let names = ["id", "é\"", "two", "TWO"];
        let schema = Schema::new(names.map(|name| Field::new(name, DataType::Utf8View, true)).to_vec());
        let places = Places::of(&schema);
        for (line, respelled) in [
            (r#"{"id":1,"two":2}"#, None),
            (r#"{"ID" : 1,"x":{"ID":2}}"#, Some(r#"{"id" : 1,"x":{"ID":2}}"#)),
            (r#"{"\u0049d":1,"É\"":"ID"}"#, Some(r#"{"id":1,"é\"":"ID"}"#)),
            (r#"{"id":1,"ID":2}"#, None),
            (r#"{"Id":1,"ID":2}"#, None),
            (r#"{"Two":1}"#, None),
            ("x", None),
        ] {
            let found = places.respelled(line.as_bytes()).map(|line| String::from_utf8(line).unwrap());
            assert_eq!(found.as_deref(), respelled, "{line}");
        }
    }
}
