//! Values of CSV and JSON: what a column's type can't hold exactly is told, and no other line pays for it.

use super::etl::{Etl, gzip};
use super::lake::Lake;
use super::rows::{files, rows};
use serde_json::Value;

fn figures(report: &Value) -> [u64; 4] {
    ["lines", "rows", "rejects", "blank"].map(|key| report[key].as_u64().unwrap())
}

/// Line, offset, reason and bytes of what a file of rejects has.
fn rejects(etl: &Etl, file: &str) -> Vec<(u64, u64, String, String)> {
    let text = String::from_utf8(etl.read(file)).unwrap();
    let parsed = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let of = |reject: Value| {
        let text = |key: &str| reject[key].as_str().unwrap_or_else(|| panic!("{reject}")).to_string();
        (reject["line"].as_u64().unwrap(), reject["offset"].as_u64().unwrap(), text("reason"), text("raw"))
    };
    parsed.map(of).collect()
}

fn query(etl: &Etl, sql: &str) -> (String, String) {
    let outcome = etl.run(["query", "--format", "csv", sql]).ok();
    (String::from_utf8(outcome.stdout).unwrap(), outcome.stderr)
}

const BEHIND: &str = "text behind a closing quote";
const OPEN: &str = "a quote that is never closed";

#[test]
fn a_broken_quote_costs_its_own_line() {
    let etl = Etl::new();
    etl.write("a.csv", "n,t\n1,x\n2,\"5 inch\n3,\"6 inch\n4,y\n5,\"two\nlines\"\n6,\"a\" b\n7,\"a\nb\",c\n8,\"\"\"open\n9,z");
    let report = etl.report("a.csv -o out --to json --rejects bad");
    assert_eq!(figures(&report), [9, 4, 5, 0]);
    let found: Vec<_> = rejects(&etl, "bad").into_iter().map(|(line, _, reason, raw)| (line, reason, raw)).collect();
    let expected = [
        (3, BEHIND, "2,\"5 inch"),
        (4, BEHIND, "3,\"6 inch"),
        (8, BEHIND, "6,\"a\" b"),
        (9, "3 fields where the header has 2", "7,\"a\nb\",c"),
        (11, OPEN, "8,\"\"\"open"),
    ];
    assert_eq!(found, expected.map(|(line, reason, raw)| (line, reason.to_string(), raw.to_string())));
}

#[test]
fn broken_quotes_are_the_same_for_all_who_read() {
    let etl = Etl::new();
    // Blocks end anywhere in it, also within what is broken.
    let mut text = "n,t\n".to_string();
    for number in 0..120_000 {
        match number % 1000 {
            1 => text.push_str(&format!("{number},\"{} inch\n", number % 7)),
            2 => text.push_str(&format!("{number},\"quoted, \"\"text\"\"\nof two lines\"\n")),
            // Within a quoted field at the end of each of these lines, whichever of them one starts at.
            500..540 => text.push_str("x\",y,\"z\n"),
            540 => text.push_str("x\" y\n"),
            _ => text.push_str(&format!("{number},{}\n", "filler ".repeat(4))),
        }
    }
    etl.write("a.csv", &text).write("copy.csv.gz", super::etl::gzip(text.as_bytes()));
    let report = etl.report("a.csv -o one --to csv --threads 1 --rejects bad");
    let bad = rejects(&etl, "bad");
    assert_eq!(report["rejects"].as_u64(), Some(bad.len() as u64));
    for (line, offset, _, raw) in &bad {
        let before = &text[..*offset as usize];
        assert_eq!((before.matches('\n').count() as u64 + 1, before.is_empty() || before.ends_with('\n')), (*line, true));
        assert!(text[*offset as usize..].starts_with(raw.as_str()) && !raw.contains('\n'), "{raw}");
    }
    // Of each thousand one of inches, and 41 of which the last has a quote in a field that does not start with one.
    assert_eq!(figures(&report), [120_000, 120_000 - 120 * 42, 120 * 42, 0]);
    for (other, arguments) in [("a.csv", "--threads 2"), ("copy.csv.gz", "--threads 2"), ("a.csv", "--threads 2 --splits 3")] {
        let again = etl.report(&format!("{other} -o two --to csv {arguments} --overwrite --rejects bad2"));
        assert_eq!(figures(&again), figures(&report));
        assert_eq!(rows(&etl.path("two")), rows(&etl.path("one")), "{arguments}");
        assert_eq!(rejects(&etl, "bad2"), bad, "{arguments}");
    }
    let (answer, said) = query(&etl, "SELECT count(*) AS n FROM 'a.csv'");
    assert_eq!(answer, format!("n\n{}\n", report["rows"]));
    assert!(said.contains("5,040 lines of a.csv are not rows (first at line 3: text behind a closing quote)"), "{said}");
    let inspected = etl.run(["inspect", "--json", "a.csv"]).ok();
    let inspected: Value = serde_json::from_slice(&inspected.stdout).unwrap();
    assert_eq!((&inspected["rows"], &inspected["lines"]["rejects"]), (&report["rows"], &report["rejects"]));
}

#[test]
fn a_quote_that_closes_too_late_does_not_swallow_the_file() {
    let etl = Etl::new();
    let filler = format!("2,{}\n", "filler ".repeat(100));
    // 20 MiB behind the quote: it would close, but a record may not be that long.
    let text = format!("n,t\n1,\"open\n{}3,late\"\n4,end\n", filler.repeat(30_000));
    etl.write("a.csv", &text);
    let report = etl.report("a.csv -o out --to parquet --rejects bad");
    assert_eq!(figures(&report), [30_003, 30_002, 1, 0]);
    let [(line, offset, reason, raw)] = &rejects(&etl, "bad")[..] else { panic!() };
    assert_eq!((*line, *offset, raw.as_str()), (2, 4, "1,\"open"));
    assert_eq!(reason, "a quote that is not closed within the 16 MiB that a record may have");
}

#[test]
fn lines_are_counted_behind_headers_of_several() {
    let etl = Etl::new();
    etl.write("a.csv", "\"n\",\"t\nwo\"\n1,x\n2\n").write("b.csv", "sep=;\n\"n\";\"t\"\n1;x\n2\n");
    for (file, line, offset) in [("a.csv", 4, 15), ("b.csv", 4, 18)] {
        etl.convert(&format!("{file} -o out --to json --overwrite --rejects bad")).ok();
        let bad = rejects(&etl, "bad");
        assert_eq!((bad.len(), bad[0].0, bad[0].1), (1, line, offset), "{bad:?}");
        let (_, said) = query(&etl, &format!("SELECT * FROM '{file}'"));
        assert!(said.contains(&format!("first at line {line}:")), "{said}");
    }
    etl.write("c.csv", "a,\"b\n1,2\n3,4\n").convert("c.csv -o x").fails(2).says("c.csv:1: the header has a quote that is never closed");
    etl.write("d.csv", "a,\"b\" c\n1,2\n").convert("d.csv -o x").fails(2).says("text behind a closing quote");
}

const TYPES: [(&str, &str); 9] = [
    ("i", "bigint"),
    ("t", "tinyint"),
    ("e", "decimal(10,2)"),
    ("f", "double"),
    ("g", "float"),
    ("b", "boolean"),
    ("d", "date"),
    ("z", "timestamp"),
    ("s", "string"),
];

/// A type, values with what they become, and texts that are none of its values.
type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a str]);

/// Texts that are values of a type, with what they are, and texts that are none. Those that JSON has as numbers or words are written as such.
const VALUES: [Row<'_>; 8] = [
    (
        "i",
        &[("9223372036854775807", "9223372036854775807"), ("-20", "-20"), ("1.0", "1")],
        &["007", "+5", "1.7", "9223372036854775808", "18446744073709551615", "1e3", "-0", "0x10", " 1", "1_000", "1,5", "true", "NaN"],
    ),
    ("t", &[("-128", "-128")], &["128", "1.5"]),
    (
        "e",
        &[("1.99", "1.99"), ("1.9900", "1.99"), ("-2", "-2.0"), ("12345678.9", "12345678.9")],
        &["1.999", "123456789", "007", "1e2", "x"],
    ),
    (
        "f",
        &[("1e3", "1000.0"), ("0.1234567890123456789", "0.12345678901234568"), ("9007199254740993", "9007199254740992.0")],
        &["1e400", "1e-400", "007", "+5", "1,5", "yes", "true"],
    ),
    ("g", &[("0.1", "0.1")], &["1e40"]),
    ("b", &[("TRUE", "true"), ("false", "false")], &["yes", "1", "0", "t", "on"]),
    (
        "d",
        &[("2020-02-29", "2020-02-29")],
        &["2020-02-29 10:00:00", "2020-02-29T00:00:02+02:00", "18321", "1582934400", "2019-02-29", "29.02.2020"],
    ),
    (
        "z",
        &[
            ("2020-02-29", "2020-02-29 00:00:00.000"),
            ("2020-02-29T00:00:02+02:00", "2020-02-28 22:00:02.000"),
            ("2020-02-29 00:00:02.123000", "2020-02-29 00:00:02.123"),
        ],
        &["2020-02-29 00:00:02.000001", "2020-02-29 24:00:00", "1582934400000", "2020-02-30 00:00:00"],
    ),
];

#[test]
fn a_value_is_exact_or_its_line_is_rejected() {
    let etl = Etl::new();
    let columns: Vec<String> = TYPES.iter().map(|(name, kind)| format!("  - {{name: {name}, type: '{kind}'}}\n")).collect();
    etl.write("types.yaml", format!("name: types\ncolumns:\n{}", columns.concat()));
    let header = TYPES.map(|(name, _)| name).join(",");
    let (mut csv, mut json) = (format!("{header}\n"), String::new());
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    let mut line = |column: &str, text: &str| {
        let fields = TYPES.map(|(name, _)| if name == column { format!("\"{text}\"") } else { String::new() });
        csv.push_str(&format!("{}\n", fields.join(",")));
        // A number as a number, where it is one.
        let bare = text.trim() == text && serde_json::from_str::<Value>(text).is_ok();
        json.push_str(&if bare { format!("{{\"{column}\":{text}}}\n") } else { format!("{{\"{column}\":\"{text}\"}}\n") });
    };
    for (column, values, misfits) in VALUES {
        let kind = TYPES.iter().find(|(name, _)| *name == column).unwrap().1;
        for (text, value) in values {
            line(column, text);
            good.push((column, value.to_string()));
        }
        for text in misfits {
            line(column, text);
            bad.push(format!("column {column} is not of type {kind}"));
        }
    }
    etl.write("a.csv", csv).write("a.json", json);
    for input in ["a.csv", "a.json"] {
        let report = etl.report(&format!("{input} -o {input}.out --to json --schema types.yaml --rejects bad"));
        let reasons: Vec<String> = rejects(&etl, "bad").into_iter().map(|(_, _, reason, _)| reason).collect();
        assert_eq!(reasons, bad, "{input}");
        let got: Vec<_> = rows(&etl.path(&format!("{input}.out")))
            .into_iter()
            .map(|row| row.into_iter().find_map(|(name, value)| Some((name, value?))).unwrap())
            .collect();
        let expected: Vec<_> = good.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
        assert_eq!(got, expected, "{input}");
        let mismatches = report["mismatches_by_column"].as_object().unwrap();
        assert_eq!(mismatches.values().map(|n| n.as_u64().unwrap()).sum::<u64>(), bad.len() as u64, "{input}: {mismatches:?}");
        assert_eq!(mismatches["b"], 5);
        // As NULL no line is lost, and as text no value.
        let null = etl.report(&format!("{input} -o {input}.null --to json --schema types.yaml --on-mismatch null"));
        assert_eq!((null["rejects"].as_u64(), &null["mismatches_by_column"]), (Some(0), &report["mismatches_by_column"]), "{input}");
        let values = |folder: String| {
            rows(&etl.path(&folder)).iter().flat_map(|row| row.values().flatten().cloned().collect::<Vec<_>>()).collect::<Vec<_>>()
        };
        assert_eq!(values(format!("{input}.null")).len(), good.len(), "{input}");
        let text = etl.report(&format!("{input} -o {input}.text --to json --schema types.yaml --on-mismatch text"));
        assert_eq!((text["rejects"].as_u64(), &text["mismatches_by_column"]), (Some(0), &report["mismatches_by_column"]), "{input}");
        let kept = values(format!("{input}.text"));
        assert_eq!(kept.len(), good.len() + bad.len(), "{input}");
        assert!(kept.contains(&"007".to_string()) && kept.contains(&"yes".to_string()));
    }
    etl.convert("a.csv -o x --schema types.yaml --on-error fail").fails(5).says("column i is not of type bigint");
    let piped = etl.pipe("- -o x --from csv --on-mismatch text", b"a\n1\n");
    piped.fails(2).says("reads its input twice");
}

#[test]
fn lists_and_objects_are_as_exact() {
    let etl = Etl::new();
    etl.write("t.yaml", "name: t\ncolumns:\n  - {name: l, type: 'array<bigint>'}\n  - {name: o, type: 'struct<d:date,e:array<decimal(4,1)>>'}\n  - {name: m, type: 'map<string,boolean>'}\n");
    etl.write(
        "a.json",
        "{\"l\":[1,2],\"o\":{\"d\":\"2020-02-29\",\"e\":[1.5,2]},\"m\":{\"x\":true}}\n{\"l\":[1,1.5,2.5]}\n{\"o\":{\"d\":18321}}\n{\"o\":{\"e\":[1,1.25]}}\n{\"m\":{\"x\":\"yes\"}}\n{\"l\":null}\n{\"l\":3}\n{\"o\":{\"zzz\":1}}\n",
    );
    let report = etl.report("a.json -o out --to json --schema t.yaml");
    assert_eq!(figures(&report), [8, 2, 6, 0]);
    assert_eq!(report["mismatches_by_column"], serde_json::json!({"l": 2, "o": 2, "m": 1}));
    assert_eq!(report["rejects_by_reason"]["column l is not of type array"], 2);
    let out = String::from_utf8(etl.read("out/part-00000.json")).unwrap();
    assert!(out.starts_with("{\"l\":[1,2],\"o\":{\"d\":\"2020-02-29\",\"e\":[1.5,2.0]},\"m\":{\"x\":true}}\n"), "{out}");
    let report = etl.report("a.json -o null --to json --schema t.yaml --on-mismatch null");
    assert_eq!(figures(&report), [8, 6, 2, 0]);
    assert!(String::from_utf8(etl.read("null/part-00000.json")).unwrap().contains("{\"l\":[1,null,null]"));
    etl.write("a.csv", "l,o,m\n").convert("a.csv -o x --schema t.yaml").fails(2).says("column l has a type that CSV can't represent");
}

#[test]
fn the_guess_loses_no_digit() {
    let etl = Etl::new();
    let samples = [
        ("big", "9007199254740993", "9007199254740993"),
        ("u64", "18446744073709551615", "18446744073709551615"),
        ("digits", "1.12345678901234567890", "1.12345678901234567890"),
        ("zero", "007", "007"),
        ("plus", "+5", "+5"),
        ("id", "32E0134", "32E0134"),
        ("zone", "2020-02-29T00:00:02+02:00", "2020-02-29T00:00:02+02:00"),
        ("fine", "2020-02-29 00:00:02.000001", "2020-02-29 00:00:02.000001"),
        ("double", "0.30000000000000004", "0.30000000000000004"),
    ];
    let header: Vec<&str> = samples.iter().map(|(name, ..)| *name).collect();
    let values: Vec<&str> = samples.iter().map(|(_, text, _)| *text).collect();
    let second = ["1.5", "1.5", "1.5", "1.5", "1", "1.5", "2020-02-29 00:00:02", "2020-02-29 00:00:02", "1e-07"];
    etl.write("a.csv", format!("{}\n{}\n{}\n", header.join(","), values.join(","), second.join(",")));
    let object = |values: &[&str]| {
        let fields = header.iter().zip(values).map(|(name, text)| match serde_json::from_str::<Value>(text) {
            Ok(_) => format!("\"{name}\":{text}"),
            Err(_) => format!("\"{name}\":\"{text}\""),
        });
        format!("{{{}}}\n", fields.collect::<Vec<_>>().join(","))
    };
    etl.write("a.json", object(&values) + &object(&second));
    for input in ["a.csv", "a.json"] {
        let report = etl.report(&format!("{input} -o {input}.out --to json"));
        assert_eq!(figures(&report), [2, 2, 0, 0], "{input}: {report}");
        let row = &rows(&etl.path(&format!("{input}.out")))[0];
        for (name, _, kept) in samples {
            assert_eq!(row[name].as_deref(), Some(kept), "{input}: {name}");
        }
    }
    // Behind the first lines a column of numbers takes only what it gives back; who asks for doubles gets them.
    let filler = "1,1.5\n".repeat(400_000);
    etl.write("b.csv", format!("n,x\n{filler}9007199254740993,9007199254740993\n2,32E0134\n+3,1.25\n4,0.1\n"));
    let report = etl.report("b.csv -o b --to csv --rejects bad");
    assert_eq!(report["mismatches_by_column"], serde_json::json!({"n": 1, "x": 2}));
    assert_eq!(figures(&report), [400_004, 400_001, 3, 0]);
    etl.write("x.yaml", "name: x\ncolumns:\n  - {name: n, type: string}\n  - {name: x, type: double}\n");
    assert_eq!(figures(&etl.report("b.csv -o c --to csv --schema x.yaml")), [400_004, 400_004, 0, 0]);
    // The report for people has it too.
    etl.convert("b.csv -o d --on-mismatch null").ok().says("column x: 2 values are not of its type");
    etl.convert("b.csv -o e --on-mismatch text --to csv")
        .ok()
        .says("columns are text because not all of their values are of their types: n, x");
    let text = String::from_utf8(etl.read("e/part-00000.csv")).unwrap();
    assert!(text.ends_with("9007199254740993,9007199254740993\n2,32E0134\n+3,1.25\n4,0.1\n"), "{}", &text[text.len() - 100..]);
}

#[test]
fn the_delimiter_is_found_and_told() {
    let etl = Etl::new();
    etl.write("a.csv", "Name;Preis\nA;1,5\n\"B;C\";2,5\n").write("sep.csv", "sep=|\r\nn|t\r\n1|a,b\r\n").write("t.csv", "n\tt\n1\ta,b\n");
    etl.convert("a.csv -o a --to json").ok().says("the delimiter is `;` (found in a.csv)");
    assert_eq!(rows(&etl.path("a"))[1]["Name"].as_deref(), Some("B;C"));
    let report = etl.convert("sep.csv -o sep --to json").ok().says("the delimiter is `|` (named in the first line of sep.csv)");
    assert!(report.stderr.contains("1 line = 1 row"), "{}", report.stderr);
    etl.convert("t.csv -o t --to json").ok().says("the delimiter is a tab");
    assert_eq!(rows(&etl.path("sep")), rows(&etl.path("t")));
    let (answer, said) = query(&etl, "SELECT \"Preis\" FROM 'a.csv' WHERE \"Name\" = 'A'");
    assert_eq!(answer, "Preis\n\"1,5\"\n");
    assert!(said.contains("the delimiter is `;`"), "{said}");
    let inspected = etl.run(["inspect", "--json", "a.csv"]).ok();
    let inspected: Value = serde_json::from_slice(&inspected.stdout).unwrap();
    assert_eq!((inspected["columns"].as_array().map(Vec::len), &inspected["rows"]), (Some(2), &Value::from(2)));
    // Who names one gets it.
    etl.write("w.csv", "a;b\n1;2\n");
    let report = etl.report("w.csv -o comma --to json --delimiter ,");
    assert_eq!((figures(&report), report["notes"].to_string().contains("delimiter")), ([1, 1, 0, 0], false));
    let outcome = etl.run(["query", "--delimiter", ",", "--format", "csv", "SELECT \"a;b\" AS n FROM 'w.csv'"]).ok();
    assert_eq!(outcome.stdout, b"n\n1;2\n");
    etl.run(["inspect", "--delimiter", "ab", "a.csv"]).fails(2).says("is not a delimiter");
    assert!(!etl.convert("a.csv -o x --to json --delimiter ;").ok().stderr.contains("delimiter"));
    // A description of the columns tells how many there are.
    etl.write("x.yaml", "name: x\ncolumns:\n  - {name: a, type: string}\n  - {name: b, type: string}\n").write("x.csv", "a;b\n1,5;2,5\n");
    etl.convert("x.csv -o y --to csv --schema x.yaml").ok();
    assert_eq!(etl.read("y/part-00000.csv"), b"a,b\n\"1,5\",\"2,5\"\n");
}

#[test]
fn of_json_no_value_is_lost() {
    let etl = Etl::new();
    etl.write(
        "a.json",
        "{\"id\":1,\"o\":{\"x\":1}}\n{\"id\":2,\"id\":3}\n{\"id\":4,\"o\":{\"x\":5,\"x\":6}}\n{\"o\":{\"x\":7},\"id\":8}\n",
    );
    let report = etl.report("a.json -o out --to json --rejects bad");
    assert_eq!(figures(&report), [4, 2, 2, 0]);
    let found: Vec<_> = rejects(&etl, "bad").into_iter().map(|(line, offset, reason, _)| (line, offset, reason)).collect();
    assert_eq!(found, [(2, 21, "the key `id` comes twice".to_string()), (3, 37, "the key `x` comes twice".to_string())]);
    assert_eq!(query(&etl, "SELECT sum(id) AS n FROM 'a.json'").0, "n\n9\n");
    etl.write("case.json", "{\"id\":1,\"ID\":2}\n");
    let (_, said) = query(&etl, "SELECT count(*) FROM 'case.json'");
    assert!(said.contains("`id` and `ID` differ only in case"), "{said}");
}

#[test]
fn json_that_is_not_a_line_an_object_is_refused_with_what_to_do() {
    let etl = Etl::new();
    etl.write("good.json", "{\"a\":1}\n");
    for (name, text, program) in [
        ("lines.json", "[\n{\"a\":1},\n{\"a\":2}\n]\n", ".[]"),
        ("one.json", "[{\"a\":1},{\"a\":2}]", ".[]"),
        ("each.json", "[{\"a\":1}]\n[{\"a\":2}]\n", ".[]"),
        ("pretty.json", "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": [1,\n2]\n  }\n}\n{\n  \"a\": 2\n}\n", "."),
    ] {
        let hint = format!("jq -c '{program}' {name} > lines.jsonl");
        etl.write(name, text);
        etl.convert(&format!("{name} -o out")).fails(2).says("expected one object a line").says(&hint);
        etl.convert(&format!("good.json {name} -o out")).fails(2).says(&hint);
        etl.run(["query", &format!("SELECT * FROM '{name}'")]).fails(2).says(&hint);
        etl.run(["inspect", name]).fails(2).says(&hint);
        let piped = etl.pipe("- -o out --from json", text.as_bytes()).fails(2).says("expected one object a line");
        piped.says(&format!("… | jq -c '{program}' | etl … --from json -"));
        etl.write(&format!("{name}.gz"), gzip(text.as_bytes()));
        let hint = format!("gzip -dc {name}.gz | jq -c '{program}' > lines.jsonl");
        etl.convert(&format!("{name}.gz -o out")).fails(2).says(&hint);
        etl.pipe("- -o out --from json", &gzip(text.as_bytes())).fails(2).says(&format!("… | gzip -dc | jq -c '{program}' | etl"));
    }
    assert!(!etl.path("out").exists());
}

#[test]
fn pipelines_say_what_becomes_of_misfits() {
    let etl = Lake::in_folder();
    let pipeline = |on_mismatch: &str| {
        format!(
            "version: 1\nlake: {{location: lake}}\nsources:\n  shops: {{location: shops.csv, schema: shops.yaml, on_mismatch: {on_mismatch}}}\noutputs:\n  shops: {{from: shops, table: sales.shops}}\n"
        )
    };
    etl.write("shops.yaml", "name: shops\ncolumns:\n  - {name: id, type: bigint}\n  - {name: open, type: boolean}\n");
    etl.write("shops.csv", "id;open\n1;true\n2;yes\n007;false\n");
    for (on_mismatch, rows, rejects) in [("reject", 1, 2), ("'null'", 3, 0), ("text", 3, 0)] {
        etl.write("p.yaml", pipeline(on_mismatch));
        let report = etl.run_pipeline("p.yaml --full", 0);
        let source = &report["sources"][0];
        assert_eq!((source["rows"].as_u64(), source["rejects"].as_u64()), (Some(rows), Some(rejects)), "{on_mismatch}");
        assert_eq!(source["mismatches_by_column"], serde_json::json!({"id": 1, "open": 1}), "{on_mismatch}");
    }
    assert_eq!(etl.value("SELECT string_agg(id, '|' ORDER BY id) FROM sales.shops"), "007|1|2");
    etl.write("p.yaml", pipeline("maybe"));
    etl.etl("validate p.yaml").fails(2).says("p.yaml:4:").says("reject, null");
    etl.write("p.yaml", pipeline("null"));
    etl.etl("validate p.yaml").fails(2).says("in quotes");
    etl.write("p.yaml", pipeline("text").replace("schema: shops.yaml", "format: log"));
    etl.etl("validate p.yaml").fails(2).says("`on_mismatch` is not for sources of this format");
    assert!(!files(&etl.path("lake")).is_empty());
}

#[test]
fn what_a_lake_holds_is_read_again() {
    let etl = Lake::in_folder();
    etl.write("a.csv", "n,x\n1,0.5\n");
    let sql =
        "SELECT n, CAST('2020-02-29 00:00:02.123456' AS TIMESTAMP) AS at, CAST('NaN' AS DOUBLE) AS x, CAST(n AS DECIMAL(10,2)) AS d FROM a";
    for format in ["csv", "json"] {
        let text = format!(
            "version: 1\nlake: {{location: lake}}\nsources:\n  a: {{location: a.csv}}\ntransforms:\n  t: {{sql: \"{sql}\"}}\noutputs:\n  t: {{from: t, table: sales.t, format: {format}}}\n"
        );
        etl.write("p.yaml", text);
        etl.run_pipeline("p.yaml --full", 0);
        assert_eq!(etl.value("SELECT concat(count(at), ' ', sum(d)) FROM sales.t"), "1 1.00", "{format}");
    }
}

#[test]
fn without_a_header_the_first_record_that_is_one_tells_the_columns() {
    let etl = Etl::new();
    etl.write("a.csv", "\"5 inch\n\n1,x\n2,y\n");
    let report = etl.report("a.csv -o out --to csv --no-header");
    assert_eq!(figures(&report), [4, 2, 1, 1]);
    etl.write("b.csv", "\"4").convert("b.csv -o none --no-header").fails(2).says("how many columns there are").says("--schema");
}
