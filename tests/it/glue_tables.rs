//! Tables of Glue that others made, read here and by Trino: the values are the same.

use crate::etl::gzip;
use crate::stand_ins::StandIns;
use serde_json::{Value, json};

const TEXT: &str = "org.apache.hadoop.mapred.TextInputFormat";
const CSV: &str = "org.apache.hadoop.hive.serde2.OpenCSVSerde";
const DELIMITED: &str = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe";
const REGEX: &str = "org.apache.hadoop.hive.serde2.RegexSerDe";
const JSON: &str = "org.apache.hive.hcatalog.data.JsonSerDe";
const OPENX: &str = "org.openx.data.jsonserde.JsonSerDe";
const ABC: [(&str, &str); 3] = [("a", "string"), ("b", "string"), ("c", "string")];

/// Both answers, each row as one text, sorted: the order of a table's rows is nobody's promise.
fn compare(there: &StandIns, sql: &str) -> usize {
    let mut theirs: Vec<String> = there.trino(sql).0.iter().map(|row| row.iter().map(plain).collect::<Vec<_>>().join("|")).collect();
    let ours = there.query(sql).ok();
    let text = String::from_utf8(ours.stdout).unwrap();
    // Objects keep the order of the columns only in their text.
    let mut ours: Vec<String> = text.lines().map(|line| values(line).iter().map(plain).collect::<Vec<_>>().join("|")).collect();
    theirs.sort();
    ours.sort();
    assert_eq!(ours, theirs, "{sql}");
    ours.len()
}

/// The values of an object, in the order in which they stand.
fn values(line: &str) -> Vec<Value> {
    let object: serde_json::Map<String, Value> = serde_json::from_str(line).unwrap();
    let mut keys: Vec<&String> = object.keys().collect();
    keys.sort_by_key(|key| line.find(&format!("\"{key}\":")));
    keys.into_iter().map(|key| object[key].clone()).collect()
}

/// The value without what the two write in different ways: the zone of times, and how numbers are texts.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => match text.parse::<f64>() {
            Ok(number) if text.contains('.') => number.to_string(),
            _ => text.trim_end_matches('Z').replace('T', " "),
        },
        Value::Number(number) => number.as_f64().map_or_else(|| number.to_string(), |number| number.to_string()),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        Value::Object(fields) => fields.values().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

#[test]
fn lines_are_read_as_trino_reads_them() {
    let Some(there) = StandIns::get() else { return };
    let rows =
        "h1,h2,h3\nx,\"a \"\"q\"\" b\",1\r\n\n\"un,q\\\"x\",,\"c\\\\d\"\nonly\na,b,c,d\nä,\"öü\",\"z\nabc,d\"e\"f,3\nabcd,  \"e\",5\n";
    there.put("csv/a.csv", rows);
    there.put("csv/b.csv.gz", gzip(b"h\ngz,1,2\n"));
    there.put("csv/deep/er/c.csv", "h\ndeep,1,2\n");
    there.put("csv/_hidden.csv", "h\nhidden,1,2\n");
    there.put("csv/.too/d.csv", "h\nhidden,1,2\n");
    there.put("csv/empty.csv", "");
    let header = json!({"skip.header.line.count": "1"});
    there.table("csv", &there.stored("csv", &ABC, TEXT, CSV, &json!({"escapeChar": "\\"})), &header, &[]);
    there.table("quoted", &there.stored("csv", &ABC, TEXT, CSV, &json!({"escapeChar": "\""})), &header, &[]);
    there.put("tsv/a", "a\t1\t1.50\t2020-02-29 01:02:03.123\ttrue\n\\N\t\\N\t\\N\t\\N\t\\N\n\t\t\t\t\nb\\\tc\tx\t2\t2020-02-29 00:00:00\tFALSE\tmore\nshort\n");
    let typed = [("s", "varchar(20)"), ("i", "int"), ("d", "decimal(10,2)"), ("t", "timestamp"), ("b", "boolean")];
    there.table("tsv", &there.stored("tsv", &typed, TEXT, DELIMITED, &json!({"field.delim": "\t", "escape.delim": "\\"})), &json!({}), &[]);
    there.put("usual/a", "a\u{1}b\u{1}c\nx\u{1}\\N\u{1}z\n");
    there.table("usual", &there.stored("usual", &ABC, TEXT, DELIMITED, &json!({})), &json!({}), &[]);
    there.put("regex/a", "h - \"GET / HTTP/1.1\" 200 12\nnonsense\nh2 u \"\" 404 -\n\n");
    let fields = [("host", "string"), ("who", "string"), ("req", "string"), ("st", "int"), ("b", "string")];
    let pattern = json!({"input.regex": r#"(\S+) (\S+) "([^"]*)" (\d{3}) (\d+|-)"#});
    there.table("regex", &there.stored("regex", &fields, TEXT, REGEX, &pattern), &json!({}), &[]);
    let pattern = json!({"input.regex": r#"(?!#)([^ ]*+) ([^ ]++) "((?>[^"\\]|\\.)*+)" (\d++|-) (?=\d|-)(\d*|-)"#});
    there.table("atoms", &there.stored("regex", &fields, TEXT, REGEX, &pattern), &json!({}), &[]);
    there.put(
        "numbers/a",
        "007\t+5\t1e3\t.5\n-0\t5.\t-0.5\t1.\n 5\t5 \t1.5e300\t-.5\n2147483648\t9223372036854775808\t1d\t1e1\n0x10\t1_000\t1,5\t+1.50\n",
    );
    let typed = [("i", "int"), ("l", "bigint"), ("d", "double"), ("c", "decimal(10,2)")];
    there.table("numbers", &there.stored("numbers", &typed, TEXT, DELIMITED, &json!({"field.delim": "\t"})), &json!({}), &[]);
    there.put("json/a", "{\"A\":1,\"b\":\"x\",\"n\":{\"k\":1.5},\"l\":[1,2],\"zzz\":3}\n{\"a\":2,\"B\":null}\n{\"b\":12.50,\"a\":3}\n{\"N\":{\"K\":2.5},\"L\":[3]}\n{}\n");
    let keys = [("a", "bigint"), ("b", "string"), ("n", "struct<k:double>"), ("l", "array<int>")];
    there.table("json", &there.stored("json", &keys, TEXT, JSON, &json!({})), &json!({}), &[]);
    there.table("openx", &there.stored("json", &keys, TEXT, OPENX, &json!({})), &json!({}), &[]);
    for (table, rows) in
        [("csv", 10), ("quoted", 10), ("tsv", 5), ("usual", 2), ("regex", 4), ("atoms", 4), ("numbers", 5), ("json", 5), ("openx", 5)]
    {
        assert_eq!(compare(&there, &format!("SELECT * FROM $.{table}")), rows, "{table}");
    }
    assert_eq!(compare(&there, "SELECT count(*), count(st) FROM $.regex"), 1);
    there.query("SELECT * FROM $.tsv").ok().says("1 of i");
}

#[test]
fn partitions_are_read_where_they_are_and_as_they_are() {
    let Some(there) = StandIns::get() else { return };
    let csv = |folder: &str| there.stored(folder, &ABC, TEXT, CSV, &json!({}));
    there.table("mixed", &csv("mixed"), &json!({}), &[("dt", "string"), ("n", "int")]);
    there.put("mixed/one/a", "a,b,c\n");
    there.put("elsewhere/x", "p\tq\tr\n");
    there.put("mixed/null/a", "n,n,n\n");
    let tabs = there.stored("elsewhere", &ABC, TEXT, DELIMITED, &json!({"field.delim": "\t"}));
    let null = "__HIVE_DEFAULT_PARTITION__";
    for (values, stored) in [(["2020-01-01", "5"], csv("mixed/one")), (["2020-01-02", "6"], tabs), ([null, null], csv("mixed/null"))] {
        let input = json!({"Values": values, "StorageDescriptor": stored});
        there.glue("CreatePartition", &json!({"DatabaseName": there.database, "TableName": "mixed", "PartitionInput": input}));
    }
    let bucket = &there.minio.bucket;
    let projected = json!({
        "projection.enabled": "true",
        "projection.dt.type": "date", "projection.dt.range": "2020/02/20,2020/03/01", "projection.dt.format": "yyyy/MM/dd",
        "projection.dt.interval": "1", "projection.dt.interval.unit": "DAYS",
        "projection.h.type": "integer", "projection.h.range": "0,23", "projection.h.digits": "2",
        "storage.location.template": format!("s3://{bucket}/days/${{dt}}/${{h}}/"),
    });
    there.table("days", &csv("days"), &projected, &[("dt", "string"), ("h", "int")]);
    for (folder, row) in
        [("2020/02/29/05", "a,b,c\n"), ("2020/02/29/17", "d,e,f\n"), ("2020/03/01/00", "g,h,i\n"), ("1980/01/01/00", "x,x,x\n")]
    {
        there.put(&format!("days/{folder}/a"), row);
    }
    let injected = json!({
        "projection.enabled": "true", "projection.id.type": "injected",
        "storage.location.template": format!("s3://{bucket}/ids/${{id}}/"),
    });
    there.table("ids", &csv("ids"), &injected, &[("id", "string")]);
    there.put("ids/q1/a", "1,2,3\n");
    there.put("ids/q2/a", "4,5,6\n");
    let listed = there.stored("lists", &ABC, "org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat", CSV, &json!({}));
    there.table("listed", &listed, &json!({}), &[]);
    there.put("lists/files.txt", format!("s3://{bucket}/ids/q2/a\ns3://{bucket}/mixed/one/a\n"));
    for (sql, rows) in [
        ("SELECT * FROM $.mixed", 3),
        ("SELECT * FROM $.mixed WHERE n = 6", 1),
        ("SELECT * FROM $.mixed WHERE dt IS NULL", 1),
        ("SELECT * FROM $.days WHERE dt = '2020/02/29'", 2),
        ("SELECT * FROM $.days WHERE dt >= '2020/02/29' AND h IN (0, 17)", 2),
        ("SELECT a, count(*) FROM $.days GROUP BY a", 3),
        ("SELECT * FROM $.ids WHERE id = 'q1'", 1),
        ("SELECT * FROM $.listed", 2),
        ("SELECT m.a, i.b FROM $.mixed m JOIN $.ids i ON m.n = 5 AND i.id = 'q2'", 1),
    ] {
        assert_eq!(compare(&there, sql), rows, "{sql}");
    }
    there.query("SELECT * FROM $.ids").fails(6).says("must filter on `id`");
    there.put("lists/files.txt", format!("s3://{bucket}/ids/gone/a\n"));
    there.query("SELECT * FROM $.listed").says("/ids/gone/a, which is not there");
}

#[test]
fn what_can_not_be_read_says_why() {
    let Some(there) = StandIns::get() else { return };
    let orc =
        there.stored("x", &ABC, "org.apache.hadoop.hive.ql.io.orc.OrcInputFormat", "org.apache.hadoop.hive.ql.io.orc.OrcSerde", &json!({}));
    there.table("orc", &orc, &json!({}), &[]);
    there.table("ice", &there.stored("x", &ABC, TEXT, CSV, &json!({})), &json!({"table_type": "ICEBERG"}), &[]);
    there.table("ahead", &there.stored("x", &ABC, TEXT, REGEX, &json!({"input.regex": "(a)(?=b"})), &json!({}), &[]);
    there.table("nested", &there.stored("x", &[("l", "array<int>")], TEXT, DELIMITED, &json!({})), &json!({}), &[]);
    for (table, why) in [
        ("orc", "its files are ORC"),
        ("ice", "Apache Iceberg"),
        ("ahead", "can't be used here"),
        ("nested", "column l"),
        ("orcs", "did you mean"),
    ] {
        there.query(&format!("SELECT * FROM $.{table}")).says(why);
    }
}
