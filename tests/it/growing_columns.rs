//! Columns of CSV, TSV and JSON are told by their names: files may have them in another order, have new ones, or have none of some.

use crate::etl::Etl;
use crate::lake::{Lake, action, on_both_lakes};
use arrow::array::{ArrayRef, Int32Array, Int64Array, StringArray, TimestampMicrosecondArray, TimestampMillisecondArray};
use std::sync::Arc;

on_both_lakes!(columns_come_and_go_from_file_to_file, keys_of_json_come_too, columns_of_parquet_come_too);

fn pipeline(pattern: &str, mode: &str) -> String {
    format!(
        "version: 1\nname: o\nlake: {{location: lake}}\nsources: {{orders: {{location: '{pattern}'}}}}\n\
         outputs: {{orders: {{from: orders, table: shop.orders, mode: {mode}}}}}\n"
    )
}

fn rows(lake: &Lake) -> String {
    let sql = "SELECT * FROM shop.orders ORDER BY id";
    String::from_utf8(lake.run(["query", "--lake", &lake.location, "--format", "csv", sql]).ok().stdout).unwrap()
}

fn columns_come_and_go_from_file_to_file(lake: &Lake) {
    lake.pipeline("o.yaml", pipeline("o*.csv", "append")).write("o1.csv", "id,amount\n1,2\n2,3\n");
    lake.run_pipeline("o.yaml", 0);
    // In another order.
    lake.write("o2.csv", "Amount,ID\n5,3\n");
    assert_eq!(action(&lake.run_pipeline("o.yaml", 0), "orders"), "appended");
    assert_eq!(rows(lake), "id,amount\n1,2\n2,3\n3,5\n");
    // A new one asks for all rows to be rebuilt, which a plan says.
    lake.write("o3.csv", "id,note,amount\n4,hello,6\n");
    let plan = String::from_utf8(lake.etl("plan o.yaml").ok().stdout).unwrap();
    assert!(plan.contains("new files of orders have other columns: note string") && plan.contains("+ note string"), "{plan}");
    let report = lake.run_pipeline("o.yaml", 0);
    assert_eq!(action(&report, "orders"), "replaced");
    assert!(report["notes"].to_string().contains("column `note` is not in"), "{report}");
    assert_eq!(rows(lake), "id,amount,note\n1,2,\n2,3,\n3,5,\n4,6,hello\n");
    // Whole numbers become fractions; a column that is missing is NULL.
    lake.write("o4.csv", "id,amount\n5,7.5\n");
    let plan = String::from_utf8(lake.etl("plan o.yaml").ok().stdout).unwrap();
    assert!(plan.contains("~ amount bigint -> double"), "{plan}");
    lake.run_pipeline("o.yaml", 0);
    lake.write("o5.csv", "note,id\nlast,6\n");
    assert_eq!(action(&lake.run_pipeline("o.yaml", 0), "orders"), "appended");
    assert_eq!(rows(lake), "id,amount,note\n1,2.0,\n2,3.0,\n3,5.0,\n4,6.0,hello\n5,7.5,\n6,,last\n");
    // One bad value makes no text of a column.
    lake.write("o6.csv", "id,amount\n7,n/a\n8,8\n");
    let report = lake.run_pipeline("o.yaml", 0);
    assert_eq!((action(&report, "orders"), &report["sources"][0]["rejects"]), ("appended", &1.into()));
    // A file that shares no column is none of this table.
    lake.write("o7.csv", "x,y\n1,2\n");
    lake.etl("run o.yaml").fails(2).says("o7.csv:1: the header is `x,y`");
    std::fs::remove_file(lake.path("o7.csv")).unwrap();
    // Rows that can't be made again are not given up for a new column.
    std::fs::remove_file(lake.path("o1.csv")).unwrap();
    lake.write("o8.csv", "id,amount,vat\n9,1,0.2\n");
    lake.etl("run o.yaml").fails(3).says("this would lose rows that can't be rebuilt (new files of orders have other columns: vat double)");
    lake.run_pipeline("o.yaml --full", 0);
    assert!(rows(lake).starts_with("id,amount,note,vat\n") || rows(lake).starts_with("amount,id,"), "{}", rows(lake));
    assert_eq!(lake.value("SELECT count(*) FROM shop.orders WHERE vat IS NOT NULL"), "1");
}

fn keys_of_json_come_too(lake: &Lake) {
    lake.pipeline("o.yaml", pipeline("j*.json", "append")).write("j1.json", "{\"id\":1,\"n\":2}\n");
    lake.run_pipeline("o.yaml", 0);
    lake.write("j2.json", "{\"id\":2,\"n\":2.5,\"tags\":[\"a\"]}\n");
    let plan = String::from_utf8(lake.etl("plan o.yaml").ok().stdout).unwrap();
    assert!(plan.contains("n double, tags array<string>"), "{plan}");
    lake.run_pipeline("o.yaml", 0);
    assert_eq!(lake.value("SELECT count(*) FROM shop.orders WHERE tags IS NULL AND n = 2"), "1");
    assert_eq!(lake.value("SELECT n FROM shop.orders WHERE array_length(tags) = 1"), "2.5");
    assert_eq!(lake.run_pipeline("o.yaml", 0)["status"], "up_to_date");
}

#[test]
fn files_of_one_conversion_are_one_table_by_their_names() {
    let etl = Etl::new();
    etl.write("a.csv", "id,amount\n1,2\n").write("b.csv", "amount,id,note\n2.5,2,\"x, y\"\n").write("c.csv", "").write("d.csv", "id\n4\n");
    for (from, to) in [("a.csv b.csv c.csv d.csv", "out"), ("a.csv b.csv d.csv", "again --splits 3")] {
        let folder = to.split(' ').next().unwrap();
        etl.convert(&format!("{from} -o {to} --to csv")).ok().says("column `note` is not in a.csv and 1 more: it is NULL there");
        let read =
            String::from_utf8(etl.run(["query", "--format", "csv", &format!("FROM '{folder}/*.csv' ORDER BY id")]).ok().stdout).unwrap();
        assert_eq!(read, "id,amount,note\n1,2.0,\n2,2.5,\"x, y\"\n4,,\n");
    }
    // The order of the first file is the table's, whatever is asked of it.
    let read = etl.run(["query", "--format", "csv", "SELECT note, amount FROM '[ab].csv' ORDER BY 2"]).ok().stdout;
    assert_eq!(String::from_utf8(read).unwrap(), "note,amount\n,2.0\n\"x, y\",2.5\n");
    // Of two names that are alike it isn't known which is which, and neither's values are dropped for it.
    etl.write("x.csv", "id,a_mount\n1,2\n").write("y.csv", "id,A mount,A/mount\n2,3,4\n");
    etl.convert("x.csv y.csv -o no --to csv").fails(2).says("y.csv:1: the header is `id,A mount,A/mount`").says("expected: id,a_mount");
    // A declared table has no other columns, and each file some of them.
    etl.write("t.yaml", "name: t\ncolumns:\n  - {name: id, type: bigint}\n  - {name: amount, type: double}\n");
    etl.convert("a.csv b.csv -o no --to csv --schema t.yaml").fails(2).says("b.csv:1: the header is `amount,id,note`");
    etl.convert("d.csv a.csv -o declared --to csv --schema t.yaml").ok().says("column `amount` is not in d.csv");
    assert_eq!(etl.read("declared/part-00000.csv"), b"id,amount\n4,\n1,2.0\n");
    // Records are rejected by their own file's header.
    etl.write("e.csv", "note,id\nx\ny,5,6\nz,7\n");
    let report = etl.report("a.csv e.csv -o counted --to csv");
    assert_eq!((&report["rows"], &report["rejects"]), (&2.into(), &2.into()));
    assert!(report["rejects_by_reason"].to_string().contains("1 fields where the header has 2"), "{report}");
    // TSV, too; text that is a mismatch is found in its column.
    etl.write("a.tsv", "id\ts\n1\tx\n").write("b.tsv", "s\tid\ny\tz\n");
    let report = etl.report("a.tsv b.tsv -o tsv --to csv --from tsv --on-mismatch text");
    assert_eq!(report["rows"], 2, "{report}");
    assert_eq!(etl.read("tsv/part-00000.csv"), b"id,s\n1,x\nz,y\n");
}

#[test]
fn columns_that_had_other_names_are_one() {
    let lake = Lake::in_folder();
    let sources = "{orders: {location: 'o*.csv', columns: {user_id: {from: [user, User Name]}}}, events: {location: 'e*.json', columns: {user_id: {from: user}}}}";
    let pipeline = |sources: &str| {
        format!(
            "version: 1\nname: o\nlake: {{location: lake}}\nsources: {sources}\noutputs:\n  orders: {{from: orders, table: shop.orders, mode: append}}\n  \
             events: {{from: events, table: shop.events, mode: append}}\n"
        )
    };
    lake.pipeline("o.yaml", pipeline(sources)).write("o1.csv", "id,user\n1,anna\n").write("o2.csv", "user name,id\nbob,2\n");
    lake.write("e1.json", "{\"id\":1,\"user\":\"x\"}\n{\"id\":2,\"user_id\":\"y\"}\n{\"id\":3,\"user\":\"a\",\"user_id\":\"b\"}\n");
    let report = lake.run_pipeline("o.yaml", 0);
    assert!(report.to_string().contains("no column for the key `user`"), "{report}");
    lake.write("o3.csv", "user_id,id\ncarl,3\n").write("e2.json", "{\"user\":\"z\",\"id\":4}\n");
    assert_eq!(action(&lake.run_pipeline("o.yaml", 0), "orders"), "appended");
    assert_eq!(rows(&lake), "id,user_id\n1,anna\n2,bob\n3,carl\n");
    assert_eq!(lake.value("SELECT string_agg(user_id, '' ORDER BY id) FROM shop.events"), "xyz");
    // A file that has a column by two names has too many, and neither's values are dropped.
    lake.write("o4.csv", "user_id,id,User\ndora,4,dan\n");
    lake.etl("run o.yaml").fails(2).says("o4.csv:1: `user_id` and `User` are both the column `user_id`");
    for (source, wrong) in [
        ("orders: {location: o1.csv, columns: {id: {from: id}}}", "this is the column's current name"),
        ("orders: {location: o1.csv, columns: {id: {from: a}, b: {from: a}}}", "`a` is already an earlier name of the column `id`"),
        ("orders: {location: o1.csv, columns: {id: {from: b}, b: {from: c}}}", "`b` is another column of this list"),
        ("orders: {location: o1.csv, header: false, columns: {id: {from: a}}}", "columns are matched by name"),
        ("orders: {location: o1.csv, format: parquet, columns: {id: {from: a}}}", "`columns` is not for sources of this format"),
    ] {
        lake.pipeline("wrong.yaml", pipeline(&format!("{{{source}, events: {{location: e1.json}}}}")));
        lake.etl("validate wrong.yaml").fails(2).says("wrong.yaml:4:").says(wrong);
    }
}

#[test]
fn a_log_whose_format_changed_is_one_table() {
    let lake = Lake::in_folder();
    let plain = "1.2.3.4 - - [29/Feb/2020:00:00:02 +0000] \"GET / HTTP/1.1\" 200 2";
    let timed = "%h %l %u %t \\\"%r\\\" %>s %b %D";
    let pipeline = |formats: &str| {
        format!(
            "version: 1\nname: w\nlake: {{location: lake}}\nsources: {{log: {{location: '*.log', log_format: {formats}}}}}\n\
             outputs: {{log: {{from: log, table: web.log, mode: append}}}}\n"
        )
    };
    lake.pipeline("w.yaml", pipeline("combined")).write("1.log", format!("{plain} \"-\" \"curl\"\n"));
    lake.run_pipeline("w.yaml", 0);
    // A format that has no other columns: what is there stays.
    lake.pipeline("w.yaml", pipeline("[combined, common]")).write("2.log", format!("{plain}\n{plain} \"-\" \"curl\"\n"));
    std::fs::rename(lake.path("1.log"), lake.path("1.log.read")).unwrap();
    let report = lake.run_pipeline("w.yaml", 0);
    assert_eq!((action(&report, "log"), &report["sources"][0]["rejects"]), ("appended", &0.into()), "{report}");
    assert_eq!(lake.value("SELECT string_agg(coalesce(user_agent, '-'), ',' ORDER BY user_agent) FROM web.log"), "\"curl,curl,-\"");
    // One that has more asks for all rows to be made again.
    lake.pipeline("w.yaml", pipeline(&format!("[combined, common, \"{timed}\"]")));
    lake.write("3.log", format!("{plain} 77\n{plain} x\n"));
    lake.etl("run w.yaml").fails(3).says("this would lose rows that can't be rebuilt (its definition changed)");
    std::fs::rename(lake.path("1.log.read"), lake.path("1.log")).unwrap();
    let report = lake.run_pipeline("w.yaml", 0);
    assert!(report.to_string().contains("as custom (format 3): %D is not a number"), "{report}");
    assert_eq!(lake.value("SELECT count(*) || ' ' || sum(duration_us) FROM web.log"), "4 77");
    // Without a list, what an earlier run read by stays known.
    lake.etl("query --log-format auto --log-format common 'SELECT 1'").fails(2);
    lake.pipeline("w.yaml", pipeline("[combined, combined]"));
    lake.etl("validate w.yaml").fails(2).says("w.yaml:4:59").says("the log format combined is named twice");
}

#[test]
fn a_line_is_read_by_the_first_format_that_it_fits() {
    let etl = Etl::new();
    let line = |rest: &str| format!("1.2.3.4 - - [29/Feb/2020:00:00:02 +0000] \"GET / HTTP/1.1\" 200 2{rest}\n");
    etl.write("a.log", [line(""), line(" \"-\" \"curl\""), "\n".to_string(), line(" \"-\" \"curl"), line(" 5 6")].concat());
    etl.write("b.log", line(" \"-\" \"curl\"")).write("c.log", line(""));
    let run = |folder: &str, formats: &[&str]| {
        let mut arguments = vec!["convert", "a.log", "-o", folder, "--to", "csv", "--on-error", "skip"];
        formats.iter().for_each(|format| arguments.extend(["--log-format", format]));
        etl.run(arguments).ok().says("5 lines = 3 rows + 1 reject + 1 blank");
        std::fs::read_to_string(etl.path(&format!("{folder}/part-00000.csv"))).unwrap()
    };
    let numbers = "%h %l %u %t \"%r\" %>s %b %I %{msec}t";
    let made = run("one", &["common", "combined", "%h %l %u %t \"%r\" %>s %b %I %D"]);
    assert_eq!(
        made,
        "host,ident,auth_user,time,method,path,query,protocol,status,bytes,request,referer,user_agent,bytes_in,duration_us\n\
         1.2.3.4,,,2020-02-29 00:00:02.000,GET,/,,HTTP/1.1,200,2,,,,,\n\
         1.2.3.4,,,2020-02-29 00:00:02.000,GET,/,,HTTP/1.1,200,2,,,curl,,\n\
         1.2.3.4,,,2020-02-29 00:00:02.000,GET,/,,HTTP/1.1,200,2,,,,5,6\n"
    );
    let made = run("other", &[numbers, "combined", "common"]);
    assert!(made.lines().last().unwrap().contains(",5,1970-01-01 00:00:00.006"), "{made}");
    // What `auto` finds in other files is said, with the options that read them.
    etl.convert("b.log c.log -o no --to csv")
        .fails(5)
        .says("--log-format combined --log-format common (in a pipeline log_format: [combined, common])");
    etl.convert("b.log c.log --log-format combined --log-format common -o both --to csv --splits 2").ok();
    etl.convert("b.log --log-format common --log-format auto -o no").fails(2).says("name each");
    etl.convert("b.log --log-format %h|%{bytes}i --log-format %b|%h -o no").fails(2).says("column `bytes` of `%b|%h` is of another type");
}

fn ints(values: &[i32]) -> ArrayRef {
    Arc::new(Int32Array::from(values.to_vec()))
}

fn columns_of_parquet_come_too(lake: &Lake) {
    let note = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text])) };
    lake.pipeline("o.yaml", pipeline("o*.parquet", "append"));
    lake.parquet("o1.parquet", vec![("id", ints(&[1, 2])), ("amount", ints(&[2, 3]))]);
    lake.run_pipeline("o.yaml", 0);
    lake.parquet("o2.parquet", vec![("amount", ints(&[5])), ("id", ints(&[3]))]);
    assert_eq!(action(&lake.run_pipeline("o.yaml", 0), "orders"), "appended");
    lake.parquet("o3.parquet", vec![("note", note("hello")), ("amount", Arc::new(Int64Array::from(vec![1 << 40]))), ("id", ints(&[4]))]);
    let plan = String::from_utf8(lake.etl("plan o.yaml").ok().stdout).unwrap();
    assert!(plan.contains("~ amount int -> bigint") && plan.contains("+ note string"), "{plan}");
    assert_eq!(action(&lake.run_pipeline("o.yaml", 0), "orders"), "replaced");
    // What a file hasn't is NULL, also where no new file has it.
    lake.parquet("o4.parquet", vec![("id", ints(&[5]))]);
    assert_eq!(action(&lake.run_pipeline("o.yaml", 0), "orders"), "appended");
    assert_eq!(rows(lake), "id,amount,note\n1,2,\n2,3,\n3,5,\n4,1099511627776,hello\n5,,\n");
    lake.parquet("o5.parquet", vec![("id", note("six"))]);
    lake.etl("run o.yaml").fails(3).says("column `id` is Utf8View in").says("CAST");
}

#[test]
fn parquet_files_of_one_conversion_are_one_table() {
    let etl = Etl::new();
    let micros: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![1_500]).with_timezone("UTC"));
    let millis: ArrayRef = Arc::new(TimestampMillisecondArray::from(vec![7]).with_timezone("UTC"));
    etl.parquet("a.parquet", vec![("id", ints(&[1])), ("at", millis)]);
    etl.parquet("b.parquet", vec![("name", Arc::new(StringArray::from(vec!["x"]))), ("at", micros), ("id", ints(&[2]))]);
    etl.parquet("c.parquet", vec![("id", ints(&[3]))]);
    etl.convert("a.parquet b.parquet c.parquet -o out --to csv")
        .ok()
        .says("column `name` is not in a.parquet and 1 more: it is NULL there");
    let expected = "id,at,name\n1,1970-01-01 00:00:00.007000,\n2,1970-01-01 00:00:00.001500,x\n3,,\n";
    assert_eq!(String::from_utf8(etl.read("out/part-00000.csv")).unwrap(), expected);
    etl.convert("c.parquet b.parquet a.parquet -o again --to parquet --splits 2 --timestamps keep").ok();
    for (files, sql) in [("again/*.parquet", "SELECT id, at, name"), ("[abc].parquet", "SELECT id, at, name")] {
        let read = etl.run(["query", "--format", "csv", &format!("{sql} FROM '{files}' ORDER BY id")]).ok().stdout;
        assert_eq!(String::from_utf8(read).unwrap(), expected, "{files}");
    }
    let read =
        etl.run(["query", "--format", "csv", "SELECT name, count(*) FROM '*.parquet' WHERE id > 1 GROUP BY 1 ORDER BY 1"]).ok().stdout;
    assert_eq!(String::from_utf8(read).unwrap(), "name,count(*)\nx,1\n,1\n");
    let told = String::from_utf8(etl.etl("inspect a.parquet b.parquet c.parquet --json").ok().stdout).unwrap();
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["columns"][2]["nulls"], 2, "{told}");
}
