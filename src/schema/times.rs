//! The times within types: the unit that they are counted in, and how they are shown.

use arrow::datatypes::{DataType, FieldRef, TimeUnit};
use std::sync::Arc;

/// The finest unit of the times in `data_type`, those within lists and objects too; nothing where it has none.
pub fn finest_unit(data_type: &DataType) -> Option<TimeUnit> {
    match data_type {
        DataType::Timestamp(unit, _) => Some(*unit),
        DataType::Struct(fields) => fields.iter().filter_map(|field| finest_unit(field.data_type())).max(),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _)
        | DataType::RunEndEncoded(_, item) => finest_unit(item.data_type()),
        DataType::Dictionary(_, values) => finest_unit(values),
        _ => None,
    }
}

/// `data_type` with all its times in `unit`.
pub fn with_unit(data_type: &DataType, unit: TimeUnit) -> DataType {
    let inner = |field: &FieldRef| Arc::new(field.as_ref().clone().with_data_type(with_unit(field.data_type(), unit)));
    match data_type {
        DataType::Timestamp(_, zone) => DataType::Timestamp(unit, zone.clone()),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inner).collect()),
        DataType::List(item) => DataType::List(inner(item)),
        DataType::Map(entries, sorted) => DataType::Map(inner(entries), *sorted),
        other => other.clone(),
    }
}

/// How the times in `data_type` are shown: with the digits of their finest unit, at least those of milliseconds.
pub fn time_pattern(data_type: &DataType) -> &'static str {
    match finest_unit(data_type) {
        Some(TimeUnit::Nanosecond) => "%Y-%m-%d %H:%M:%S%.9f",
        Some(TimeUnit::Microsecond) => "%Y-%m-%d %H:%M:%S%.6f",
        _ => "%Y-%m-%d %H:%M:%S%.3f",
    }
}

#[cfg(test)]
mod tests {
    use super::super::types::arrow_type;
    use super::*;

    #[test]
    fn units_are_found_and_changed_at_any_depth() {
        let data_type = arrow_type("array<struct<name:string,log:map<string,timestamp>>>").unwrap();
        assert_eq!(finest_unit(&data_type), Some(TimeUnit::Millisecond));
        let nanos = with_unit(&data_type, TimeUnit::Nanosecond);
        assert_eq!(finest_unit(&nanos), Some(TimeUnit::Nanosecond));
        assert_eq!(with_unit(&nanos, TimeUnit::Millisecond), data_type);
        assert_eq!(finest_unit(&DataType::Utf8), None);
        let coded = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Timestamp(TimeUnit::Microsecond, None)));
        assert!(time_pattern(&coded).ends_with("%.6f") && time_pattern(&data_type).ends_with("%.3f"));
    }
}
