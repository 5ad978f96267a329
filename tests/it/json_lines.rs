//! JSON that is not an object a line, and lines that are not quite JSON; and what CSV has in common with it.

use super::etl::Etl;
use super::rows::rows;
use serde_json::{Value, json};

fn figures(report: &Value) -> [u64; 3] {
    ["lines", "rows", "rejects"].map(|key| report[key].as_u64().unwrap())
}

/// The reasons of a file of rejects, in order, and their lines as they were.
fn rejects(etl: &Etl, file: &str) -> Vec<(String, String)> {
    let text = String::from_utf8(etl.read(file)).unwrap();
    let of = |line: &str| {
        let reject: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| reject[key].as_str().unwrap_or_else(|| panic!("{reject}")).to_string();
        (text("reason"), text("raw"))
    };
    text.lines().map(of).collect()
}

/// Text of two rows in another layout than an object a line, the command that makes lines of it, and what its first line is.
const LAYOUTS: [(&str, &str, &str); 6] = [
    ("{\"a\":1},\n{\"a\":2},\n", "sed 's/^[[:space:]]*,//; s/,[[:space:]]*$//' x.json", "a comma behind the object"),
    (",{\"a\":1}\n,{\"a\":2}\n", "sed 's/^[[:space:]]*,//; s/,[[:space:]]*$//' x.json", "a comma before the object"),
    ("[{\"a\":1},{\"a\":2}]\n", "jq -c 'if type == \"array\" then .[] else . end' x.json", "an array, where an object belongs"),
    ("{\"a\":1}{\"a\":2}\n", "jq -c '.' x.json", "more than one object in the line"),
    ("{\"a\":1},{\"a\":2}\n", "sed 's/,[[:space:]]*$//; s/^/[/; s/$/]/' x.json | jq -c '.[]'", "more than one object in the line"),
    ("{\n\"a\":1\n}\n{\"a\":\n2}\n", "jq -c '.' x.json", "an object that does not end in its line"),
];

#[test]
fn json_in_another_layout_is_refused_with_what_to_do() {
    let etl = Etl::new();
    for (text, command, _) in LAYOUTS {
        etl.write("x.json", format!("{{\"a\":0}}\n{text}"));
        let hint = format!("make lines of it: {command} > lines.jsonl");
        etl.convert("x.json -o out").fails(2).says("expected one object a line").says(&hint);
        etl.run(["query", "SELECT * FROM 'x.json'"]).fails(2).says(&hint);
        etl.run(["inspect", "x.json"]).fails(2).says(&hint);
        // The command does what it says.
        let made = std::process::Command::new("sh").arg("-c").arg(command).current_dir(etl.path(".")).output().unwrap();
        if made.status.success() {
            assert_eq!(String::from_utf8(made.stdout).unwrap(), "{\"a\":0}\n{\"a\":1}\n{\"a\":2}\n", "{command}");
        }
    }
    assert!(!etl.path("out").exists());
}

#[test]
fn behind_the_start_another_layout_is_told_and_no_success_where_it_outnumbers_rows() {
    let etl = Etl::new();
    let good = "{\"a\":0}\n".repeat(3000);
    for (text, _, reason) in LAYOUTS {
        etl.write("few.json", format!("{good}{}", text.repeat(200)));
        let report = etl.report("few.json -o out --to json --overwrite --rejects bad");
        assert_eq!(report["rows"], 3000, "{text}");
        assert_eq!(rejects(&etl, "bad")[0].0, reason, "{text}");
        etl.write("many.json", format!("{good}{}", text.repeat(4000)));
        etl.convert("many.json -o none --to json")
            .fails(5)
            .says("most lines of many.json can't be read as json")
            .says(&format!("many.json:3001: {reason}"))
            .says("convert them to one object per line first");
        let report = etl.report("many.json -o out --to json --overwrite --on-error skip");
        assert_eq!(report["rows"], 3000, "{text}");
        etl.convert("many.json -o out --to json --overwrite --max-reject-rate 100%").ok();
    }
    assert!(!etl.path("none").exists());
    // Other rejects may be as many as there are.
    etl.write("typed.json", format!("{good}{}", "{\"a\":\"x\"}\n".repeat(4000)));
    etl.convert("typed.json -o out --to json --overwrite --schema a.yaml").fails(3);
    etl.write("a.yaml", "name: a\ncolumns:\n  - {name: a, type: bigint}\n");
    etl.convert("typed.json -o out --to json --overwrite --schema a.yaml").ok();
}

#[test]
fn what_is_no_json_is_no_row_whatever_the_types() {
    let etl = Etl::new();
    let bad = [
        ("{\"a\":01}", "a number that is not written as JSON has it, such as 01, 1. or 1e"),
        ("{\"a\":-}", "a number that is not written as JSON has it, such as 01, 1. or 1e"),
        ("{\"a\":1.}", "a number that is not written as JSON has it, such as 01, 1. or 1e"),
        ("{\"a\":1e}", "a number that is not written as JSON has it, such as 01, 1. or 1e"),
        ("{\"a\":1-2}", "something else than a comma or a bracket behind a value"),
        ("{\"a\":\"x\ty\"}", "a control character in a text, which must be escaped"),
        ("{\"a\":\"x\0y\"}", "a control character in a text, which must be escaped"),
        ("{\"a\":1,}", "a comma before a closing bracket"),
        ("{\"a\":1 \"b\":2}", "something else than a comma or a bracket behind a value"),
        ("{\"l\":[1 2]}", "something else than a comma or a bracket behind a value"),
        ("{\"a\":NaN}", "a value that JSON does not have, such as NaN, +1, .5 or a text without double quotes"),
        ("{\"zzz\":1}", "no column for the key `zzz`"),
        ("{\"o\":{\"zzz\":1}}", "no column for the key `o.zzz`"),
        ("{\"a\":\"\\ud800\"}", "an escape that is half a character"),
        ("5", "a value that is no object"),
        ("{\"a\":1} x", "something behind the object"),
    ];
    let text: String = bad.iter().map(|(line, _)| format!("{line}\n")).collect();
    etl.write("x.yaml", "name: x\ncolumns:\n  - {name: a, type: string}\n  - {name: b, type: bigint}\n  - {name: l, type: 'array<string>'}\n  - {name: o, type: 'struct<p:string>'}\n");
    etl.write("x.json", format!("{{\"a\":1.50,\"o\":{{\"p\":-0}},\"l\":[1e5, true]}}\n{text}{{\"a\":\"x\\ty\"}}\n"));
    let report = etl.report("x.json -o out --to json --schema x.yaml --rejects bad");
    assert_eq!(figures(&report), [bad.len() as u64 + 2, 2, bad.len() as u64]);
    let reasons: Vec<String> = rejects(&etl, "bad").into_iter().map(|(reason, _)| reason).collect();
    assert_eq!(reasons, bad.map(|(_, reason)| reason));
    let out = String::from_utf8(etl.read("out/part-00000.json")).unwrap();
    assert!(out.starts_with("{\"a\":\"1.50\",") && out.contains("\"l\":[\"1e5\",\"true\"]"), "{out}");
    etl.write("u.json", b"{\"a\":\"x\"}\n{\"a\":\"\xff\"}\n");
    assert_eq!(etl.report("u.json -o u --to json")["rejects_by_reason"], json!({"bytes that are not UTF-8": 1}));
    etl.write("e.json", "{}\n").convert("e.json -o x").fails(2).says("only objects without keys");
}

#[test]
fn binary_is_hexadecimal_wherever_it_is_read_and_written() {
    let etl = Etl::new();
    etl.write("b.yaml", "name: b\ncolumns:\n  - {name: n, type: bigint}\n  - {name: v, type: binary}\n");
    let texts = ["0fFF", "", "fff", "0", "a1b", "xy", "0x0f", "00"];
    let csv: Vec<String> = texts.iter().enumerate().map(|(n, text)| format!("{n},\"{text}\"\n")).collect();
    let json: Vec<String> = texts.iter().enumerate().map(|(n, text)| format!("{{\"n\":{n},\"v\":\"{text}\"}}\n")).collect();
    etl.write("b.csv", format!("n,v\n{}", csv.concat())).write("b.json", json.concat());
    for input in ["b.csv", "b.json"] {
        let report = etl.report(&format!("{input} -o {input}.out --to json --schema b.yaml --rejects bad"));
        assert_eq!(figures(&report), [8, 3, 5], "{input}");
        assert!(rejects(&etl, "bad").iter().all(|(reason, _)| reason == "column v is not of type binary"), "{input}");
        assert_eq!(report["mismatches_by_column"], json!({"v": 5}), "{input}");
        let out = String::from_utf8(etl.read(&format!("{input}.out/part-00000.json"))).unwrap();
        assert_eq!(out, "{\"n\":0,\"v\":\"0fff\"}\n{\"n\":1,\"v\":\"\"}\n{\"n\":7,\"v\":\"00\"}\n", "{input}");
        let null = etl.report(&format!("{input} -o {input}.null --to csv --schema b.yaml --on-mismatch null"));
        assert_eq!((figures(&null), &null["mismatches_by_column"]), ([8, 8, 0], &json!({"v": 5})), "{input}");
        // What was written is read as the same.
        etl.convert(&format!("{input}.null/part-00000.csv -o {input}.again --to csv --schema b.yaml")).ok();
        let [first, again] = ["null", "again"].map(|name| etl.read(&format!("{input}.{name}/part-00000.csv")));
        assert_eq!((&first, first.starts_with(b"n,v\n0,0fff\n1,\"\"\n2,\n")), (&again, true), "{input}");
        etl.report(&format!("{input} -o {input}.text --to json --schema b.yaml --on-mismatch text"));
        let kept: Vec<_> = rows(&etl.path(&format!("{input}.text"))).into_iter().map(|row| row["v"].clone().unwrap()).collect();
        assert_eq!(kept, texts, "{input}");
    }
}

#[test]
fn a_header_stands_behind_nul_bytes_and_need_not_be_utf8() {
    let etl = Etl::new();
    for nuls in [3, 5000] {
        let nuls = "\0".repeat(nuls);
        etl.write("a.csv", format!("{nuls}a,b\n1,2\n")).write("b.csv", format!("{nuls}\"a\",\"b\n\"\n1,2\n"));
        etl.write("c.csv", format!("{nuls}1;2\n3;4\n"));
        for (file, arguments, expected) in [
            ("a.csv", "", "{\"a\":1,\"b\":2}\n"),
            ("b.csv", "", "{\"a\":1,\"b\":2}\n"),
            ("c.csv", "--no-header", "{\"column_1\":1,\"column_2\":2}\n{\"column_1\":3,\"column_2\":4}\n"),
        ] {
            etl.convert(&format!("{file} -o out --to json --overwrite {arguments}")).ok();
            assert_eq!(String::from_utf8(etl.read("out/part-00000.json")).unwrap(), expected, "{file}");
        }
    }
    etl.write("u.csv", b"caf\xe9,caf\xe8\n1,\xff\n").convert("u.csv -o u --to json").ok();
    assert_eq!(etl.read("u/part-00000.json"), br#"{"caf\\xe9":1,"caf\\xe8":"\\xff"}"#.iter().chain(b"\n").copied().collect::<Vec<_>>());
    etl.write("v.csv", b"\xe9,\xe9\n1,2\n").convert("v.csv -o v").fails(2).says("the header names `\\xe9` twice");
}

#[test]
fn keys_in_capitals_are_the_columns_of_a_schema() {
    let etl = Etl::new();
    etl.write("s.yaml", "name: s\ncolumns:\n  - {name: id, type: bigint}\n  - {name: name, type: string}\n");
    let lines =
        "{\"ID\":1,\"Name\":\"x\"}\n{\"id\":2,\"NAME\":\"y\"}\n{\"id\":3,\"ID\":4}\n{\"Id\":5,\"ID\":6}\n{\"id\":7}\n{\"ID\":\"ID\"}\n";
    // More than a block of them.
    etl.write("s.json", format!("{lines}{}", "{\"ID\":1,\"Name\":\"ID\"}\n".repeat(100_000)));
    for arguments in ["", "--threads 2"] {
        let report = etl.report(&format!("s.json -o out --to json --overwrite --schema s.yaml --rejects bad {arguments}"));
        assert_eq!(figures(&report), [100_006, 100_003, 3]);
        let found: Vec<(String, String)> = rejects(&etl, "bad");
        let expected = [
            ("no column for the key `ID`", "{\"id\":3,\"ID\":4}"),
            ("no column for the key `Id`", "{\"Id\":5,\"ID\":6}"),
            ("column id is not of type bigint", "{\"ID\":\"ID\"}"),
        ];
        assert_eq!(found, expected.map(|(reason, raw)| (reason.to_string(), raw.to_string())));
        let out = String::from_utf8(etl.read("out/part-00000.json")).unwrap();
        let mut lines = out.lines();
        assert_eq!((lines.next(), lines.next()), (Some("{\"id\":1,\"name\":\"x\"}"), Some("{\"id\":2,\"name\":\"y\"}")));
        assert_eq!(lines.next_back(), Some("{\"id\":1,\"name\":\"ID\"}"));
    }
    // Without one they are what they are called.
    etl.write("c.json", "{\"ID\":1}\n").convert("c.json -o c --to json").ok();
    assert_eq!(etl.read("c/part-00000.json"), b"{\"ID\":1}\n");
}

#[test]
fn files_of_two_delimiters_are_told_by_them() {
    let etl = Etl::new();
    etl.write("a.csv", "a;b\n1;2\n").write("b.csv", "a,b\n1,2\n").write("c.csv", "x;y\n1;2\n");
    etl.convert("a.csv b.csv -o x").fails(2).says("b.csv:1: its delimiter is `,`, and the files are read with `;`");
    etl.convert("b.csv a.csv -o x").fails(2).says("a.csv:1: its delimiter is `;`, and the files are read with `,`");
    etl.convert("a.csv c.csv -o x").fails(2).says("c.csv:1: the header is `x;y`").says("a;b");
}
