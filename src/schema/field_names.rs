//! The names of all fields of a schema, those within structs, too: a catalog has them in lower case, and keys of JSON are told by their case.

use arrow::datatypes::{DataType, Field, Fields};
use std::sync::Arc;

/// The names of `fields` in the order in which they are written: a field before those within it.
pub fn field_names(fields: &Fields) -> Vec<String> {
    let mut names = Vec::new();
    for field in fields {
        names.push(field.name().clone());
        within(field.data_type(), &mut names);
    }
    names
}

fn within(data_type: &DataType, names: &mut Vec<String>) {
    match data_type {
        DataType::Struct(fields) => names.extend(field_names(fields)),
        DataType::List(item) | DataType::LargeList(item) => within(item.data_type(), names),
        DataType::Map(entries, _) => {
            if let DataType::Struct(entries) = entries.data_type() {
                entries.iter().for_each(|entry| within(entry.data_type(), names));
            }
        }
        _ => {}
    }
}

/// `fields` with the `names` that [`field_names`] gave of fields like them; nothing where they aren't as many.
pub fn with_field_names(fields: &Fields, names: &[String]) -> Option<Fields> {
    if field_names(fields).len() != names.len() {
        return None;
    }
    Some(renamed(fields, &mut names.iter()))
}

fn renamed<'a>(fields: &Fields, names: &mut impl Iterator<Item = &'a String>) -> Fields {
    let mut named = Vec::with_capacity(fields.len());
    for field in fields {
        let name = names.next().unwrap_or(field.name()).clone();
        named.push(Arc::new(field.as_ref().clone().with_name(name).with_data_type(renamed_within(field.data_type(), names))));
    }
    named.into()
}

fn renamed_within<'a>(data_type: &DataType, names: &mut impl Iterator<Item = &'a String>) -> DataType {
    let mut as_item = |item: &Arc<Field>| Arc::new(item.as_ref().clone().with_data_type(renamed_within(item.data_type(), names)));
    match data_type {
        DataType::List(item) => DataType::List(as_item(item)),
        DataType::LargeList(item) => DataType::LargeList(as_item(item)),
        DataType::Map(entries, sorted) => match entries.data_type() {
            DataType::Struct(pair) => {
                let pair: Fields = pair.iter().map(as_item).collect();
                DataType::Map(Arc::new(entries.as_ref().clone().with_data_type(DataType::Struct(pair))), *sorted)
            }
            _ => data_type.clone(),
        },
        DataType::Struct(fields) => DataType::Struct(renamed(fields, names)),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_put_back_at_every_depth() {
        let headers = |agent: &str, accept: &str| {
            let list = DataType::new_list(DataType::Utf8, true);
            DataType::Struct(vec![Field::new(agent, list.clone(), true), Field::new(accept, list, true)].into())
        };
        let schema = |names: [&str; 6]| -> Fields {
            let [request, name, agent, accept, items, id] = names;
            let inner = vec![Field::new(name, DataType::Utf8, true), Field::new("headers", headers(agent, accept), true)];
            let item = DataType::Struct(vec![Field::new(id, DataType::Int64, true)].into());
            vec![Field::new(request, DataType::Struct(inner.into()), true), Field::new(items, DataType::new_list(item, true), true)].into()
        };
        let written = schema(["Request", "Name", "User-Agent", "Accept", "Items", "ID"]);
        let lower = schema(["request", "name", "user-agent", "accept", "items", "id"]);
        let names = field_names(&written);
        assert_eq!(names, ["Request", "Name", "headers", "User-Agent", "Accept", "Items", "ID"]);
        assert_eq!(with_field_names(&lower, &names), Some(written));
        assert_eq!(with_field_names(&lower, &names[1..]), None);
    }
}
