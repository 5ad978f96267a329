//! Hive partitions: which folder a row belongs to.

use crate::accesslog::instant::civil_from_days;
use crate::diagnostic::nearest;
use crate::error::{Error, ErrorKind, Result};
use crate::output::{instants, time_text};
use crate::zone::{Clock, Zone};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringViewArray, UInt32Array};
use arrow::compute::{cast, take_record_batch};
use arrow::datatypes::{DataType, Schema, SchemaRef, TimeUnit};
use std::collections::HashMap;
use std::sync::Arc;

/// What Hive calls the folder of rows without a value.
const NONE: &str = "__HIVE_DEFAULT_PARTITION__";
/// The longest name of a folder that file systems take, in bytes.
const LONGEST: usize = 255;
/// More folders than this in one run are a mistake in the choice of the column.
pub(super) const MAX_PARTITIONS: usize = 10_000;

/// How rows are told apart.
#[derive(Debug, Clone)]
pub(super) struct Partitioning {
    keys: Vec<Key>,
    /// Whose days and hours are meant.
    zone: Zone,
    /// The columns that stay in the files.
    kept: Vec<usize>,
    /// The schema of the files.
    pub schema: SchemaRef,
}

#[derive(Debug, Clone)]
struct Key {
    name: String,
    column: usize,
    part: Part,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// `2020-02-29` of a time.
    Day,
    /// `05` of a time.
    Hour,
    /// The column's value, which then leaves the files.
    Value,
}

impl Partitioning {
    /// Partitions by `names` of `schema`'s columns; none is one partition without a folder. `dt` and `hour` are what clocks of `zone` show.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where a column doesn't exist, or `dt` and `hour` have no time to be taken from.
    pub(super) fn new(names: &[String], schema: &SchemaRef, zone: Zone) -> Result<Partitioning> {
        let mut keys: Vec<Key> = Vec::new();
        for name in names {
            let key = match schema.index_of(name) {
                Ok(column) if schema.field(column).data_type().is_nested() || schema.field(column).data_type().is_binary() => {
                    let message =
                        format!("column {name} has type {}, which can't be used in folder names", schema.field(column).data_type());
                    return Err(Error::new(ErrorKind::Usage, message));
                }
                Ok(column) => Key { name: name.clone(), column, part: Part::Value },
                Err(_) if name == "dt" || name == "hour" => {
                    let part = if name == "dt" { Part::Day } else { Part::Hour };
                    Key { name: name.clone(), column: time_column(schema, name)?, part }
                }
                Err(_) => {
                    let known = schema.fields().iter().map(|f| f.name().as_str()).chain(["dt", "hour"]);
                    let hint = nearest(name, known).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                    let message = format!("--partition-by: there is no column `{name}`{hint} (`dt` and `hour` are taken from `time`)");
                    return Err(Error::new(ErrorKind::Usage, message));
                }
            };
            keys.push(key);
        }
        let gone: Vec<usize> = keys.iter().filter(|k| k.part == Part::Value).map(|k| k.column).collect();
        let kept: Vec<usize> = (0..schema.fields().len()).filter(|i| !gone.contains(i)).collect();
        if kept.is_empty() {
            return Err(Error::new(ErrorKind::Usage, "--partition-by leaves no column for the files"));
        }
        let file_schema = if gone.is_empty() { schema.clone() } else { Arc::new(schema.project(&kept)?) };
        Ok(Partitioning { keys, zone, kept, schema: file_schema })
    }

    /// Whether readers would find partitions by `names`, beside the columns of `schema`.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where a name stands twice, or they would not.
    pub(super) fn check(names: &[String], schema: &Schema) -> Result<()> {
        for (index, name) in names.iter().enumerate() {
            let before = &names[..index];
            if before.contains(name) {
                return Err(Error::new(ErrorKind::Usage, format!("--partition-by names `{name}` twice")));
            }
            let others = schema.fields().iter().map(|field| field.name().as_str()).chain(before.iter().map(String::as_str));
            if let Some(why) = unfit(name, others) {
                return Err(Error::new(ErrorKind::Usage, format!("--partition-by {name}: {why}")));
            }
        }
        Ok(())
    }

    /// The columns that must be decoded to tell the partitions.
    pub(super) fn columns(&self) -> Vec<usize> {
        let mut columns: Vec<usize> = self.keys.iter().map(|k| k.column).collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// The same partitions for batches that have only [`Partitioning::columns`].
    pub(super) fn of_keys_only(&self) -> Partitioning {
        let columns = self.columns();
        let place = |column: usize| columns.iter().position(|c| *c == column).unwrap_or_default();
        let keys = self.keys.iter().map(|k| Key { name: k.name.clone(), column: place(k.column), part: k.part }).collect();
        Partitioning { keys, zone: self.zone, kept: Vec::new(), schema: Arc::new(Schema::empty()) }
    }

    /// The rows of `batch` by folder, in the order of each folder's first row; rows keep their order.
    pub(super) fn split(&self, batch: &RecordBatch) -> Result<Vec<(Arc<str>, RecordBatch)>> {
        if self.keys.is_empty() {
            return Ok(vec![("".into(), batch.clone())]);
        }
        let codes = self.keys.iter().map(|key| Codes::of(key, batch, self.zone)).collect::<Result<Vec<_>>>()?;
        let mut groups: Vec<(Vec<u32>, Vec<u32>)> = Vec::new();
        let mut known: HashMap<Vec<u32>, usize> = HashMap::new();
        let mut last: Option<usize> = None;
        for row in 0..batch.num_rows() {
            let same = |group: &usize| groups[*group].0.iter().zip(&codes).all(|(code, c)| *code == c.rows[row]);
            let group = match last.filter(same) {
                Some(group) => group,
                None => {
                    let combination: Vec<u32> = codes.iter().map(|c| c.rows[row]).collect();
                    *known.entry(combination).or_insert_with_key(|combination| {
                        groups.push((combination.clone(), Vec::new()));
                        groups.len() - 1
                    })
                }
            };
            groups[group].1.push(row as u32);
            last = Some(group);
        }
        let single = groups.len() == 1;
        let mut split = Vec::with_capacity(groups.len());
        for (combination, rows) in groups {
            let folders: Vec<&str> = combination.iter().zip(&codes).map(|(code, c)| c.folders[*code as usize].as_str()).collect();
            let part = if single { batch.clone() } else { take_record_batch(batch, &UInt32Array::from(rows))? };
            let part = if self.kept.len() < part.num_columns() && !self.kept.is_empty() { part.project(&self.kept)? } else { part };
            split.push((folders.join("/").into(), part));
        }
        Ok(split)
    }
}

/// Why readers would not find a partition column called `name` beside `others`: nothing where they do.
pub fn unfit<'a>(name: &str, others: impl IntoIterator<Item = &'a str>) -> Option<String> {
    if name.starts_with(['_', '.']) {
        let first = &name[..1];
        return Some(format!("readers ignore folders whose names start with `{first}`; rename the column, with SQL or a schema"));
    }
    // Hive, Athena and `etl query` read the names of folders in lower case.
    let lower = name.to_lowercase();
    let twin = others.into_iter().find(|other| *other != name && other.to_lowercase() == lower)?;
    Some(format!("`{twin}` is the same column to readers, which ignore case; rename one, with SQL or a schema"))
}

fn time_column(schema: &Schema, name: &str) -> Result<usize> {
    let is_time = |index: &usize| matches!(schema.field(*index).data_type(), DataType::Timestamp(..));
    schema
        .index_of("time")
        .ok()
        .filter(is_time)
        .or_else(|| (0..schema.fields().len()).find(is_time))
        .ok_or_else(|| Error::new(ErrorKind::Usage, format!("--partition-by {name} needs a time column, but there is none")))
}

/// The folder of each row for one key.
struct Codes {
    rows: Vec<u32>,
    folders: Vec<String>,
}

impl Codes {
    fn of(key: &Key, batch: &RecordBatch, zone: Zone) -> Result<Codes> {
        let array = batch.column(key.column);
        match key.part {
            Part::Day => Codes::of_time(key, array, 86_400, zone, |days| {
                let (year, month, day) = civil_from_days(days);
                format!("{year:04}-{month:02}-{day:02}")
            }),
            Part::Hour => Codes::of_time(key, array, 3_600, zone, |hours| format!("{:02}", hours.rem_euclid(24))),
            Part::Value => {
                let texts = texts(key, array)?;
                let mut codes = Codes { rows: Vec::with_capacity(texts.len()), folders: Vec::new() };
                let mut known: HashMap<Option<&str>, u32> = HashMap::new();
                for text in &texts {
                    let text = text.filter(|t| !t.is_empty());
                    let code = match known.get(&text) {
                        Some(code) => *code,
                        None => {
                            let code = codes.add(key, text.map(escape).as_deref());
                            codes.check(key, text)?;
                            known.insert(text, code);
                            code
                        }
                    };
                    codes.rows.push(code);
                }
                Ok(codes)
            }
        }
    }

    /// The folders of times, by how many `seconds` of a day or an hour the clocks of `zone` have shown.
    fn of_time(key: &Key, array: &ArrayRef, seconds: i64, zone: Zone, text: impl Fn(i64) -> String) -> Result<Codes> {
        let DataType::Timestamp(unit, _) = *array.data_type() else {
            return Err(Error::new(ErrorKind::Internal, format!("{} was to be told of a column that has no times", key.name)));
        };
        let second: i64 = match unit {
            TimeUnit::Second => 1,
            TimeUnit::Millisecond => 1_000,
            TimeUnit::Microsecond => 1_000_000,
            TimeUnit::Nanosecond => 1_000_000_000,
        };
        let values = instants(array.as_ref(), unit);
        let mut clock = Clock::new(zone);
        let mut bucket = |row: usize| match (array.is_valid(row), zone.is_utc()) {
            (false, _) => None,
            (true, true) => Some(values[row].div_euclid(second * seconds)),
            (true, false) => Some(clock.shows(values[row].div_euclid(second)).div_euclid(seconds)),
        };
        let mut codes = Codes { rows: Vec::with_capacity(values.len()), folders: Vec::new() };
        let mut known: HashMap<Option<String>, u32> = HashMap::new();
        let mut last: Option<(Option<i64>, u32)> = None;
        for row in 0..values.len() {
            let bucket = bucket(row);
            let code = match last {
                Some((same, code)) if same == bucket => code,
                _ => {
                    let shown = bucket.map(&text);
                    *known.entry(shown).or_insert_with_key(|shown| codes.add(key, shown.as_deref()))
                }
            };
            last = Some((bucket, code));
            codes.rows.push(code);
        }
        Ok(codes)
    }

    /// Refuses a value whose folder, the last one that was added, no file system takes, or that readers would take for none.
    fn check(&self, key: &Key, value: Option<&str>) -> Result<()> {
        if value == Some(NONE) {
            let message = format!("--partition-by {}: a value is `{NONE}`, which readers interpret as NULL", key.name);
            return Err(Error::new(ErrorKind::Input, message).with_context("what to do", "change it with SQL"));
        }
        let length = self.folders.last().map_or(0, String::len);
        if length <= LONGEST {
            return Ok(());
        }
        let value = value.unwrap_or_default();
        let start: String = value.chars().take(60).collect();
        let message = format!("--partition-by {}: a value has {} bytes, too many for the name of a folder", key.name, value.len());
        Err(Error::new(ErrorKind::Input, message)
            .with_context("value", format!("{start}…"))
            .with_context("expected", format!("at most {LONGEST} bytes for `{}=value`; it has {length}", escape(&key.name)))
            .with_context("what to do", "partition by another column, or by a prefix of this one, with SQL"))
    }

    fn add(&mut self, key: &Key, value: Option<&str>) -> u32 {
        self.folders.push(format!("{}={}", escape(&key.name), value.unwrap_or(NONE)));
        self.folders.len() as u32 - 1
    }
}

/// The values of a column as the names of folders have them.
fn texts(key: &Key, array: &ArrayRef) -> Result<StringViewArray> {
    let DataType::Timestamp(unit, _) = *array.data_type() else {
        return Ok(cast(array, &DataType::Utf8View)?.as_string_view().clone());
    };
    let values = instants(array.as_ref(), unit);
    let text = |row: usize| array.is_valid(row).then(|| time_text(unit, values[row])).transpose();
    let texts = (0..values.len()).map(text).collect::<Result<StringViewArray>>();
    texts.map_err(|error| error.with_context("column", &key.name))
}

/// A value as a folder's name: what has a meaning in paths or in Hive is written as `%XX`, as Hive does.
fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if c.is_control() || "\"#%'*/:=?\\{[]^".contains(c) {
            let mut bytes = [0; 4];
            c.encode_utf8(&mut bytes).bytes().for_each(|b| out.push_str(&format!("%{b:02X}")));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accesslog::{DecodeOptions, LogDecoder, Preset};
    use crate::decode::Decoder;

    fn batch(times: &[&str]) -> RecordBatch {
        let lines: String = times.iter().map(|t| format!("h - - [{t} +0000] \"GET /{t} HTTP/1.1\" 200 1\n")).collect();
        LogDecoder::new(Preset::Common.format(), DecodeOptions::default()).decode(&lines.into()).unwrap().batch
    }

    #[test]
    fn rows_go_to_the_folder_of_their_day_and_hour() {
        let batch = batch(&["29/Feb/2020:23:59:59", "01/Mar/2020:00:00:00", "29/Feb/2020:23:00:00"]);
        let by = |names: &[&str]| -> Vec<(String, usize)> {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            let partitioning = Partitioning::new(&names, &batch.schema(), Zone::UTC).unwrap();
            partitioning.split(&batch).unwrap().into_iter().map(|(folder, b)| (folder.to_string(), b.num_rows())).collect()
        };
        assert_eq!(by(&[]), [(String::new(), 3)]);
        assert_eq!(by(&["dt", "hour"]), [("dt=2020-02-29/hour=23".to_string(), 2), ("dt=2020-03-01/hour=00".to_string(), 1)]);
        assert_eq!(by(&["status"]), [("status=200".to_string(), 3)]);
        let error = Partitioning::new(&["statsu".to_string()], &batch.schema(), Zone::UTC).unwrap_err().to_string();
        assert!(error.contains("did you mean `status`?"), "{error}");
    }

    #[test]
    fn names_that_readers_would_not_find_are_refused() {
        let others = ["p", "q", "_id"];
        assert_eq!(unfit("p", others), None);
        assert!(unfit("_id", others).unwrap().contains("start with `_`"));
        assert!(unfit(".x", others).unwrap().contains("start with `.`"));
        assert!(unfit("P", others).unwrap().contains("`p` is the same column"));
    }

    #[test]
    fn values_cannot_leave_their_folder() {
        assert_eq!(escape("../../etc"), "..%2F..%2Fetc");
        assert_eq!(escape("a=b"), "a%3Db");
    }
}
