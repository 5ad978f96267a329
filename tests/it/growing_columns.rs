//! Columns of CSV, TSV and JSON are told by their names: files may have them in another order, have new ones, or have none of some.

use crate::etl::Etl;
use crate::lake::{Lake, action, on_both_lakes};

on_both_lakes!(columns_come_and_go_from_file_to_file, keys_of_json_come_too);

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
    lake.etl("run o.yaml")
        .fails(3)
        .says("rows would be lost that can't be made again (new files of orders have other columns: vat double)");
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
