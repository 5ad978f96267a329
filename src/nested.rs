//! What lists, maps and objects are made of.

use arrow::datatypes::{DataType, FieldRef};

/// The types of what `data_type` is made of; none where it is made of no others.
pub fn inner_types(data_type: &DataType) -> Vec<&DataType> {
    match data_type {
        DataType::Struct(fields) => fields.iter().map(|field| field.data_type()).collect(),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => vec![item.data_type()],
        _ => Vec::new(),
    }
}

/// `data_type`, made of what `change` makes of each field that it is made of; nothing where it is made of no others.
pub fn with_inner(data_type: &DataType, change: &mut dyn FnMut(&FieldRef) -> FieldRef) -> Option<DataType> {
    Some(match data_type {
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(change).collect()),
        DataType::List(item) => DataType::List(change(item)),
        DataType::LargeList(item) => DataType::LargeList(change(item)),
        DataType::ListView(item) => DataType::ListView(change(item)),
        DataType::LargeListView(item) => DataType::LargeListView(change(item)),
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(change(item), *size),
        DataType::Map(entries, sorted) => DataType::Map(change(entries), *sorted),
        _ => return None,
    })
}
