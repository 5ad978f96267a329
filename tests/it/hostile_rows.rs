//! Rows of values that formats and their readers trip over, the same at every run.

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int32Array, Int64Array, Int64Builder,
    ListBuilder, MapBuilder, StringArray, StringBuilder, StructArray, TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, Field};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Pieces of texts that mean something to some format.
const PIECES: [&str; 44] = [
    "\"",
    "\"\"",
    "\\",
    "\\\\",
    "\\\"",
    "\\n",
    "\\N",
    "\\t",
    ",",
    ",,",
    ";",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "\u{1}",
    "\u{16}",
    "\u{1f}",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{feff}",
    " ",
    "  ",
    "'",
    "`",
    "#",
    "{",
    "}",
    "[",
    "]",
    ":",
    "=",
    "%2F",
    "&amp;",
    "null",
    "NULL",
    "NaN",
    "0",
    "-1",
    "ä",
    "日本語",
    "😀",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => Just(String::new()),
        8 => vec(select(&PIECES[..]), 1..6).prop_map(|pieces| pieces.concat()),
        // NUL is no part of any text of a log; that code is no character.
        3 => vec(any::<char>().prop_filter("a character", |c| *c != '\0' && *c != '\u{ffff}'), 1..12).prop_map(|chars| chars.into_iter().collect()),
        2 => "[a-z]{1,8}",
    ]
}

fn double() -> impl Strategy<Value = f64> {
    let edges = [
        0.0,
        -0.0,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        f64::MIN,
        f64::MIN_POSITIVE,
        5e-324,
        0.1,
        1e22,
        -1e-7,
        123_456_789.125,
    ];
    prop_oneof![select(edges.to_vec()), any::<f64>()]
}

fn float() -> impl Strategy<Value = f32> {
    let edges = [0.0, -0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, f32::MIN_POSITIVE, 1e-45, 0.1, 16_777_216.0];
    prop_oneof![select(edges.to_vec()), any::<f32>()]
}

/// From the year 1 to the year 9999, in the unit of which a day has so many.
fn since_1970(a_day: i64) -> impl Strategy<Value = i64> {
    let (first, last) = (-719_162 * a_day, 2_932_897 * a_day - 1);
    // The days around the one on which calendars changed, and around 1970.
    let edges = vec![first, last, 0, -1, 1, -141_427 * a_day, -141_428 * a_day, -141_437 * a_day - 1, 18_321 * a_day];
    prop_oneof![select(edges), first..=last]
}

fn whole() -> impl Strategy<Value = i64> {
    prop_oneof![select(vec![0, -1, i64::MAX, i64::MIN, 1 << 53, (1 << 53) + 1]), any::<i64>()]
}

fn decimal() -> impl Strategy<Value = i128> {
    const MOST: i128 = 99_999_999_999_999_999_999_999_999_999_999_999_999;
    prop_oneof![select(vec![0, 1, -1, MOST, -MOST, 1_000_000, -1_500_000]), -MOST..=MOST]
}

type Map = BTreeMap<String, Option<i64>>;

/// Columns of every type that tables have, and how they are called. `first` is the first id.
pub(crate) fn columns(rows: usize, first: i64) -> Vec<(&'static str, ArrayRef)> {
    let mut runner = TestRunner::deterministic();
    // Other rows for another id.
    for _ in 0..first {
        runner.rng().next_u32();
    }
    fn some<T: std::fmt::Debug>(runner: &mut TestRunner, rows: usize, of: impl Strategy<Value = T>) -> Vec<Option<T>> {
        let of = option::weighted(0.85, of);
        (0..rows).map(|_| of.new_tree(runner).unwrap().current()).collect()
    }
    let runner = &mut runner;
    let mut lists = ListBuilder::new(StringBuilder::new());
    for list in some(runner, rows, vec(option::of(text()), 0..4)) {
        let there = list.is_some();
        list.into_iter().flatten().for_each(|text| lists.values().append_option(text));
        lists.append(there);
    }
    let mut maps = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    let all: Vec<Option<Map>> = some(runner, rows, btree_map("[a-z ,\"\\\\]{1,5}", option::of(whole()), 0..3));
    for map in all {
        let there = map.is_some();
        for (key, number) in map.into_iter().flatten() {
            maps.keys().append_value(key);
            maps.values().append_option(number);
        }
        maps.append(there).unwrap();
    }
    let inner: Vec<(Arc<Field>, ArrayRef)> = vec![
        (Arc::new(Field::new("a", DataType::Int64, true)), Arc::new(Int64Array::from(some(runner, rows, whole())))),
        (Arc::new(Field::new("b", DataType::Utf8, true)), Arc::new(StringArray::from(some(runner, rows, text())))),
        (Arc::new(Field::new("c", DataType::Boolean, true)), Arc::new(BooleanArray::from(some(runner, rows, any::<bool>())))),
    ];
    let bytes = some(runner, rows, vec(any::<u8>(), 0..9));
    vec![
        ("id", Arc::new(Int64Array::from_iter_values(first..first + rows as i64))),
        ("word", Arc::new(StringArray::from(some(runner, rows, text())))),
        ("other", Arc::new(StringArray::from(some(runner, rows, text())))),
        ("flag", Arc::new(BooleanArray::from(some(runner, rows, any::<bool>())))),
        ("small", Arc::new(Int32Array::from(some(runner, rows, prop_oneof![select(vec![i32::MIN, i32::MAX, 0]), any::<i32>()])))),
        ("big", Arc::new(Int64Array::from(some(runner, rows, whole())))),
        ("ratio", Arc::new(Float64Array::from(some(runner, rows, double())))),
        ("share", Arc::new(Float32Array::from(some(runner, rows, float())))),
        ("price", Arc::new(Decimal128Array::from(some(runner, rows, decimal())).with_precision_and_scale(38, 6).unwrap())),
        ("day", Arc::new(Date32Array::from(some(runner, rows, since_1970(1).prop_map(|days| days as i32))))),
        ("moment", Arc::new(TimestampMillisecondArray::from(some(runner, rows, since_1970(86_400_000))))),
        ("raw", Arc::new(BinaryArray::from_iter(bytes))),
        ("fields", Arc::new(StructArray::from(inner))),
        ("words", Arc::new(lists.finish())),
        ("counts", Arc::new(maps.finish())),
    ]
}
