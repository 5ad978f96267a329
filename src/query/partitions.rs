//! The columns that folders such as `dt=2020-02-29` give the files below them.

use crate::error::ErrorKind;
use crate::input::{Source, partitions_in};
use arrow::array::AsArray;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, TimeUnit};
use arrow::record_batch::RecordBatch;
use datafusion::catalog::Session;
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::Expr;
use std::sync::Arc;

/// What Hive writes for a NULL.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// The partition columns of a table, and their value for each of its sources.
#[derive(Debug, Clone, Default)]
pub(super) struct Partitions {
    fields: Vec<FieldRef>,
    /// For each field, a value for each source.
    values: Vec<Vec<ScalarValue>>,
}

impl Partitions {
    /// The keys that the folders of all `sources` have and the files' own `columns` don't.
    pub(super) fn of(sources: &[Source], columns: &Schema) -> Self {
        let found: Vec<Vec<(String, String)>> = sources.iter().map(Source::partitions).collect();
        let mut partitions = Partitions::default();
        for (key, _) in found.first().into_iter().flatten() {
            let texts: Vec<&str> = found.iter().filter_map(|pairs| pairs.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str())).collect();
            let known = columns.fields().iter().any(|f| f.name() == key) || partitions.fields.iter().any(|f| f.name() == key);
            if known || texts.len() < sources.len() {
                continue;
            }
            let (data_type, values) = typed(&texts);
            partitions.fields.push(Arc::new(Field::new(key, data_type, true)));
            partitions.values.push(values);
        }
        partitions
    }

    /// The columns `fields`, of which each folder gives a value: `dt=2020-02-29/hour=05`.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] for a folder that lacks a key, or has a value of another type.
    pub(super) fn of_folders(folders: &[&str], fields: &[Field]) -> crate::Result<Self> {
        let mut partitions = Partitions::default();
        for field in fields {
            let mut values = Vec::with_capacity(folders.len());
            // Files come folder by folder.
            let mut last: Option<(&str, ScalarValue)> = None;
            for folder in folders {
                let value = match &last {
                    Some((before, value)) if before == folder => value.clone(),
                    _ => value_in(folder, field)?,
                };
                last = Some((folder, value.clone()));
                values.push(value);
            }
            partitions.fields.push(Arc::new(field.clone()));
            partitions.values.push(values);
        }
        Ok(partitions)
    }

    /// The columns `fields`, of which each source has a value: `values` are by the column, then by the source.
    pub(super) fn of_values(fields: Vec<FieldRef>, values: Vec<Vec<ScalarValue>>) -> Self {
        Partitions { fields, values }
    }

    pub(super) fn fields(&self) -> &[FieldRef] {
        &self.fields
    }

    /// The value of partition column `column` for the source at `source`.
    pub(super) fn value(&self, column: usize, source: usize) -> &ScalarValue {
        &self.values[column][source]
    }

    /// Whether `filter` is told by these columns alone.
    pub(super) fn decide(&self, filter: &Expr) -> bool {
        let columns = filter.column_refs();
        let ours = !columns.is_empty() && columns.iter().all(|c| self.fields.iter().any(|f| *f.name() == c.name));
        let subquery = |e: &Expr| {
            matches!(
                e,
                Expr::Exists(_) | Expr::InSubquery(_) | Expr::ScalarSubquery(_) | Expr::SetComparison(_) | Expr::OuterReferenceColumn(..)
            )
        };
        ours && !filter.is_volatile() && !filter.exists(|e| Ok(subquery(e))).unwrap_or(true)
    }

    /// The indices, of `sources` many, of those that can have rows that pass the filters.
    pub(super) fn keep(&self, session: &dyn Session, filters: &[Expr], sources: usize) -> Result<Vec<usize>> {
        let mut kept: Vec<bool> = vec![true; sources];
        let filters: Vec<&Expr> = filters.iter().filter(|f| self.decide(f)).collect();
        if !filters.is_empty() && sources > 0 {
            let schema = Arc::new(Schema::new(Fields::from(self.fields.clone())));
            let columns = self.values.iter().map(|v| ScalarValue::iter_to_array(v.iter().cloned())).collect::<Result<_>>()?;
            let batch = RecordBatch::try_new(schema.clone(), columns)?;
            let schema = DFSchema::try_from(schema)?;
            for filter in filters {
                let passed = session.create_physical_expr(filter.clone(), &schema)?.evaluate(&batch)?.into_array(sources)?;
                let passed = passed.as_boolean_opt();
                for (index, keep) in kept.iter_mut().enumerate() {
                    *keep &= passed.is_none_or(|p| arrow::array::Array::is_valid(p, index) && p.value(index));
                }
            }
        }
        Ok((0..sources).filter(|index| kept[*index]).collect())
    }
}

/// The value that `folder` gives the column `field`.
fn value_in(folder: &str, field: &Field) -> crate::Result<ScalarValue> {
    let pairs = partitions_in(folder);
    let wrong =
        || crate::Error::new(ErrorKind::Input, format!("the folder `{folder}` has no {} of the type {}", field.name(), field.data_type()));
    let (_, text) = pairs.into_iter().find(|(key, _)| key == field.name()).ok_or_else(wrong)?;
    match text == NULL {
        true => ScalarValue::try_from(field.data_type()),
        false => ScalarValue::try_from_string(text, field.data_type()),
    }
    .map_err(|e| wrong().with_source(e))
}

/// Dates where all are dates, times where all are times as `etl` names folders by them, text else.
fn typed(texts: &[&str]) -> (DataType, Vec<ScalarValue>) {
    let dates: Option<Vec<ScalarValue>> = texts
        .iter()
        .map(|text| match *text {
            NULL => Some(ScalarValue::Date32(None)),
            text if text.len() == "0000-00-00".len() => ScalarValue::try_from_string(text.to_string(), &DataType::Date32).ok(),
            _ => None,
        })
        .collect();
    let found = dates.filter(|dates| dates.iter().any(|d| !d.is_null())).map(|dates| (DataType::Date32, dates));
    match found.or_else(|| times(texts)) {
        Some(found) => found,
        None => {
            let value = |text: &&str| ScalarValue::Utf8View((*text != NULL).then(|| text.to_string()));
            (DataType::Utf8View, texts.iter().map(value).collect())
        }
    }
}

/// The times that all of `texts` are, `2020-02-29 00:00:02` or with a fraction of the second, in the unit that holds them.
fn times(texts: &[&str]) -> Option<(DataType, Vec<ScalarValue>)> {
    const WHOLE: usize = "0000-00-00 00:00:00".len();
    let digits = |text: &&str| match text.len().checked_sub(WHOLE) {
        Some(0) => Some(0),
        Some(more @ 2..=10) if text.as_bytes()[WHOLE] == b'.' => Some(more - 1),
        _ => None,
    };
    let is_time = |text: &&str| {
        text.as_bytes().iter().zip(b"0000-00-00 00:00:00").all(|(is, like)| match like {
            b'0' => is.is_ascii_digit(),
            other => is == other,
        })
    };
    let known: Vec<&str> = texts.iter().copied().filter(|text| *text != NULL).collect();
    let most = known.iter().map(digits).collect::<Option<Vec<usize>>>()?.into_iter().max().filter(|_| known.iter().all(is_time))?;
    let unit = match most {
        0..=3 => TimeUnit::Millisecond,
        4..=6 => TimeUnit::Microsecond,
        _ => TimeUnit::Nanosecond,
    };
    let data_type = DataType::Timestamp(unit, Some("UTC".into()));
    let value = |text: &&str| match *text {
        NULL => ScalarValue::try_from(&data_type).ok(),
        text => ScalarValue::try_from_string(text.to_string(), &data_type).ok().filter(|value| !value.is_null()),
    };
    let values = texts.iter().map(value).collect::<Option<Vec<_>>>()?;
    Some((data_type, values))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Place;

    fn of(paths: &[&str]) -> Vec<(String, DataType)> {
        let sources: Vec<Source> = paths.iter().map(|p| Source::new(*p, Place::Stream(Arc::default()), None)).collect();
        let columns = Schema::new(vec![Field::new("status", DataType::Int32, true)]);
        Partitions::of(&sources, &columns).fields().iter().map(|f| (f.name().clone(), f.data_type().clone())).collect()
    }

    #[test]
    fn folders_give_columns_where_all_agree() {
        assert_eq!(
            of(&["x/dt=2020-02-29/hour=05/a", "x/dt=2020-03-01/hour=06/a"]),
            [("dt".to_string(), DataType::Date32), ("hour".to_string(), DataType::Utf8View)]
        );
        assert_eq!(of(&["x/dt=2020-02-29/a", "x/dt=yesterday/a"]), [("dt".to_string(), DataType::Utf8View)]);
        assert_eq!(of(&["x/dt=2020-02-29/a", "x/dt=__HIVE_DEFAULT_PARTITION__/a"]), [("dt".to_string(), DataType::Date32)]);
        let times = |unit| [("t".to_string(), DataType::Timestamp(unit, Some("UTC".into())))];
        assert_eq!(of(&["x/t=2020-02-29 00%3A00%3A02/a", "x/t=2020-02-29 00%3A00%3A02.5/a"]), times(TimeUnit::Millisecond));
        assert_eq!(of(&["x/t=2020-02-29 00%3A00%3A02.0005/a", "x/t=__HIVE_DEFAULT_PARTITION__/a"]), times(TimeUnit::Microsecond));
        for other in ["2020-02-29 00%3A00%3A02.", "2020-02-29 00%3A00", "2020-02-30 00%3A00%3A02", "9999-02-01 00%3A00%3A02.123456789"] {
            assert_eq!(of(&[&format!("x/t={other}/a")]), [("t".to_string(), DataType::Utf8View)]);
        }
        assert_eq!(of(&["x/dt=2020-02-29/a", "x/b"]), []);
        assert_eq!(of(&["x/status=200/a"]), []);
    }
}
