//! What every catalog does with files that are registered: the same steps on a lake in a folder, on a lake in a bucket, and on Glue.
//!
//! Glue is what `ETL_TEST_GLUE_ENDPOINT` names; where nothing is named its tests are skipped, loudly, and `ETL_TEST_REQUIRE=aws` forbids that.

use crate::etl::{Etl, gzip};
use crate::lake::Lake;
use crate::minio::Minio;
use crate::stand_in::glue;
use std::fs;

/// A catalog, and a place for files that readers of it can read.
struct Place {
    etl: Etl,
    /// The options that name the catalog.
    which: String,
    database: String,
    files: Files,
}

enum Files {
    Folder,
    Bucket(Minio),
}

impl Place {
    fn in_folder() -> Place {
        let etl = Etl::new();
        fs::create_dir(etl.path("lake")).unwrap();
        Place { etl, which: "--lake lake".into(), database: "web".into(), files: Files::Folder }
    }

    fn in_bucket() -> Option<Place> {
        let minio = Minio::get()?;
        let etl = Etl::new().with("AWS_ENDPOINT_URL_S3", &minio.endpoint).with("AWS_REGION", "us-east-1");
        let which = format!("--lake s3://{}/lake", minio.bucket);
        Some(Place { etl, which, database: "web".into(), files: Files::Bucket(minio) })
    }

    fn in_glue() -> Option<Place> {
        let (etl, database) = glue()?;
        let minio = Minio::get()?;
        let etl = etl.with("AWS_ENDPOINT_URL_S3", &minio.endpoint);
        Some(Place { etl, which: "--catalog glue".into(), database, files: Files::Bucket(minio) })
    }

    fn write(&self, name: &str, content: &[u8]) {
        match &self.files {
            Files::Folder => drop(self.etl.write(name, content)),
            Files::Bucket(minio) => minio.storage("").put(name, content.to_vec()).unwrap(),
        }
    }

    fn remove(&self, name: &str) {
        match &self.files {
            Files::Folder => fs::remove_file(self.etl.path(name)).unwrap(),
            Files::Bucket(minio) => minio.storage("").delete(&[name.to_string()]).unwrap(),
        }
    }

    fn address(&self, name: &str) -> String {
        match &self.files {
            Files::Folder => name.to_string(),
            Files::Bucket(minio) => format!("s3://{}/{name}", minio.bucket),
        }
    }

    fn catalog(&self, arguments: &str) -> crate::etl::Outcome {
        self.etl.etl(&format!("catalog {arguments} {}", self.which))
    }

    fn register(&self, folder: &str, table: &str, more: &str) -> crate::etl::Outcome {
        self.catalog(&format!("register {} --table {}.{table} {more}", self.address(folder), self.database))
    }

    #[track_caller]
    fn json(&self, arguments: &str) -> serde_json::Value {
        serde_json::from_slice(&self.catalog(&format!("{arguments} --json")).ok().stdout).unwrap()
    }
}

/// What every catalog does.
fn suite(place: &Place) {
    let (database, csv) = (&place.database, b"Host,n\na,1\nb,2\n");
    place.write("old/dt=2020-02-28/a.csv", csv);
    place.write("old/dt=2020-02-29/b.csv.gz", &gzip(csv));
    place.write("old/_SUCCESS", b"");
    place.write("old/dt=2020-02-29/none.csv", b"");

    // Made, with all that is to be said of the files.
    let made = place.register("old", "old", "").ok();
    let made = made.says("is registered").says("_SUCCESS").says("none.csv").says("have different compression");
    assert!(made.stdout.is_empty());
    let text = String::from_utf8(place.catalog(&format!("ddl {database}.old")).ok().stdout);
    let text = text.unwrap();
    assert!(text.contains(&format!("CREATE EXTERNAL TABLE `{database}`.`old` (\n  `host` string,\n  `n` string\n)")), "{text}");
    assert!(text.contains("PARTITIONED BY (\n  `dt` string\n)") && text.contains("'skip.header.line.count' = '1'"), "{text}");
    let partitions = |text: &str| text.matches("PARTITION (`dt` = '").count();
    assert_eq!(partitions(&text), 2, "{text}");

    // Once more it changes nothing, and says so.
    place.register("old", "old", "").ok().says("is so already");
    let listed = place.json(&format!("list {database}"));
    assert_eq!(listed.as_array().unwrap().len(), 1);
    let before = place.json(&format!("show {database}.old"));
    assert_eq!(before["parameters"]["classification"], "csv");

    // New partitions come, others go, and the columns stay what they were.
    place.write("old/dt=2020-03-01/c.csv", b"Host,n\nc,x\n");
    place.remove("old/dt=2020-02-28/a.csv");
    place.register("old", "old", "").ok();
    let text = String::from_utf8(place.catalog(&format!("ddl {database}.old")).ok().stdout).unwrap();
    assert!(!text.contains("2020-02-28") && text.contains("2020-03-01") && partitions(&text) == 2, "{text}");
    let after = place.json(&format!("show {database}.old"));
    assert_eq!(before["storage"]["columns"], after["storage"]["columns"]);

    // Other files are not the table's.
    place.write("other/a.json", b"{\"Host\":\"a\",\"s\":{\"x\":1.5}}\n");
    place.register("other", "old", "").fails(2).says("is registered with the files at").says("drop");
    place.register("other", "other", "").ok();
    let other = place.json(&format!("show {database}.other"));
    assert_eq!(other["storage"]["columns"][1]["type"], "struct<x:double>");

    // What is not there is said with what is near.
    place.catalog(&format!("show {database}.odl")).fails(2).says(&format!("did you mean `{database}.old`?"));
    place.catalog(&format!("drop {database}.odl --yes")).fails(2).says("there is no table");
    place.catalog("list nowhere_at_all").fails(2).says("there is no database");

    // What can't be one table is none.
    place.write("bad/dt=1/a.csv", csv);
    place.write("bad/b.csv", csv);
    place.register("bad", "bad", "").fails(2).says("can't be one table").says("dt and none");
    place.register("bad/b.csv", "bad", "").fails(2).says("is a file");
    place.register("bad/*.csv", "bad", "").fails(2).says("is not a folder");
    place.register("nothing", "bad", "").fails(3);
    place.register("old", "b-ad", "").fails(2).says("is not a valid table name");
    place.write("twice/a.json", b"{\"a\":1,\"A\":2}\n");
    place.register("twice", "twice", "").fails(2).says("two columns `a`");
    place.write("empty/k=/a.csv", csv);
    place.register("empty", "empty", "").fails(2).says("a folder `k=` without a value").says("__HIVE_DEFAULT_PARTITION__");
    place.write("deep/x/dt=1/a.csv", csv);
    place.register("deep", "deep", "").fails(2).says("name the folder directly above");

    // Readers compute partitions where that is asked for, and only where they can.
    place.register("old", "projected", "--partitions projected").ok();
    let projected = place.json(&format!("show {database}.projected"));
    assert_eq!(projected["parameters"]["projection.dt.type"], "date");
    place.write("slash/k=a%2Fb/a.csv", csv);
    place.register("slash", "slash", "--partitions projected").fails(2).says("can't be computed");
    place.register("slash", "slash", "").ok();

    // Nobody there to be asked is no yes.
    place.catalog(&format!("drop {database}.old")).fails(2).says("add --yes");
    for table in ["old", "other", "projected", "slash"] {
        place.catalog(&format!("drop {database}.{table} --yes")).ok().says("the files stay");
    }
    place.catalog(&format!("drop {database}.old --yes")).fails(2);
    // The files stayed.
    place.register("old", "old", "").ok().says("is registered");
    place.catalog(&format!("drop {database}.old --yes")).ok();
}

#[test]
fn a_lake_in_a_folder() {
    suite(&Place::in_folder());
}

#[test]
fn a_lake_in_a_bucket() {
    if let Some(place) = Place::in_bucket() {
        suite(&place);
    }
}

#[test]
fn glue_itself() {
    if let Some(place) = Place::in_glue() {
        suite(&place);
    }
}

const OWN: &str = "
version: 1
name: weblogs
lake: {location: lake}
sources:
  access: {location: logs/*.log}
outputs:
  access: {from: access, table: weblogs.access, format: parquet}
";

/// Registered files are read with their types, and nothing that cares for a lake's own files touches or trips over them.
#[test]
fn logs_in_json_are_registered_with_all_their_keys() {
    let lake = Lake::in_folder();
    let line = "{\"ts\":1772355600.5,\"request\":{\"remote_ip\":\"192.0.2.1\",\"method\":\"GET\",\"uri\":\"/a\",\"headers\":{\"User-Agent\":[\"curl\"]}},\"Status\":200}\n";
    lake.log("logs/a.log", 5);
    lake.pipeline("p.yaml", OWN);
    lake.run_pipeline("p.yaml", 0);
    lake.write("raw/caddy.log", line);
    // The columns of an access log are no keys, by which readers go.
    lake.etl("catalog register raw --table weblogs.caddy --lake lake").fails(2).says("register them with --from json");
    lake.etl("catalog register raw --table weblogs.caddy --lake lake --from json").ok();
    assert_eq!(lake.value("SELECT request['headers']['User-Agent'][1] AS n FROM weblogs.caddy WHERE \"Status\" = 200"), "curl");
}

#[test]
fn registered_files_stand_beside_a_lakes_own() {
    let lake = Lake::in_folder();
    lake.log("logs/a.log", 50);
    lake.pipeline("p.yaml", OWN);
    let first = lake.run_pipeline("p.yaml", 0)["run"].as_str().unwrap().to_string();
    lake.write("raw/dt=2020-02-29/a.log", [crate::etl::generated(30), b"nonsense\n".to_vec()].concat());
    lake.etl("catalog register raw --table weblogs.raw --from log --log-format combined --lake lake").ok();
    lake.write("keys/a.json", "{\"Host\":\"a\",\"At\":\"2020-02-29 01:02:03\"}\n");
    lake.etl("catalog register keys --table weblogs.keys --lake lake").ok();
    lake.write("semi/a.csv", "a;b\n1;\"x;y\"\n");
    lake.etl("catalog register semi --table weblogs.semi --lake lake").ok();
    lake.parquet("semi/a.parquet", vec![("n", std::sync::Arc::new(arrow::array::UInt32Array::from(vec![7])) as arrow::array::ArrayRef)]);
    fs::create_dir(lake.path("pq")).unwrap();
    fs::rename(lake.path("semi/a.parquet"), lake.path("pq/a.parquet")).unwrap();
    lake.etl("catalog register pq --table weblogs.pq --lake lake").ok();
    let all = |lake: &Lake| {
        assert_eq!(lake.value("SELECT count(*) FROM weblogs.access"), "50");
        assert_eq!(lake.value("SELECT count(*) || ' ' || min(dt) FROM weblogs.raw WHERE status > 0"), "30 2020-02-29");
        assert_eq!(lake.value("SELECT count(*) FROM weblogs.raw WHERE dt = '2020-03-01'"), "0");
        assert_eq!(lake.value("SELECT \"Host\" FROM weblogs.keys"), "a");
        assert_eq!(lake.value("SELECT (a + 1) || b FROM weblogs.semi"), "2x;y");
        assert_eq!(lake.value("SELECT n FROM weblogs.pq"), "7");
    };
    all(&lake);
    // A raw log is text for readers, a column for each directive.
    let ddl = String::from_utf8(lake.etl("catalog ddl weblogs.raw --lake lake").ok().stdout).unwrap();
    assert!(
        ddl.contains("`request` string COMMENT '%r'") && ddl.contains("`status` string COMMENT '%>s'") && !ddl.contains("`method`"),
        "{ddl}"
    );

    lake.etl("vacuum lake --older-than 0s").ok();
    lake.etl("catalog repair --lake lake --checksums").ok().says("weblogs.raw is intact");
    lake.etl("plan --detailed-exitcode p.yaml").ok();
    all(&lake);
    lake.log("logs/b.log", 5);
    lake.run_pipeline("p.yaml", 0);
    lake.etl(&format!("rollback p.yaml --to {first}")).ok();
    all(&lake);
    // The object that says which tables there are is lost: they are found again.
    fs::remove_file(lake.path("lake/_etl/catalog/head.json")).unwrap();
    lake.etl("catalog repair --lake lake").ok().says("weblogs.raw is recovered");
    all(&lake);

    // Neither takes the other's name.
    lake.etl("catalog register raw --table weblogs.access --lake lake").fails(2).says("belongs to somebody else").says("pipeline weblogs");
    lake.pipeline("q.yaml", OWN.replace("weblogs.access", "weblogs.raw"));
    lake.etl("run q.yaml").fails(2).says("etl catalog register");
    lake.etl("catalog drop weblogs.access --lake lake --yes").fails(2).says("vacuum").says("--force");
    // A place that is gone is said, and the table can be dropped all the same.
    fs::remove_dir_all(lake.path("raw")).unwrap();
    lake.run(["query", "--lake", "lake", "SELECT count(*) FROM weblogs.raw"]).fails(3).says("weblogs.raw");
    lake.etl("catalog drop weblogs.raw --lake lake --yes").ok();
    assert_eq!(lake.value("SELECT count(*) FROM weblogs.access"), "50");
}

#[test]
fn which_catalog_is_meant_must_be_known() {
    let etl = Etl::new().with("AWS_ENDPOINT_URL_GLUE", "http://127.0.0.1:9").with("AWS_REGION", "us-east-1");
    let etl = etl.with("AWS_ACCESS_KEY_ID", "x").with("AWS_SECRET_ACCESS_KEY", "y").with("AWS_MAX_ATTEMPTS", "1");
    etl.etl("catalog list --catalog local").fails(2).says("--lake");
    etl.etl("catalog list --lake nowhere").fails(3).says("there is no lake");
    etl.etl("catalog list --catalog glue --catalog-id").fails(2);
    etl.etl("catalog show nodot").fails(2).says("expected DATABASE.TABLE");
    etl.etl("catalog sync").fails(2);
    etl.write("x/a.csv", "a\n1\n");
    for odd in ["a.b\u{1b}[2J", "a.b\u{202e}", "a.'b", "a.", ".b", "1.2"] {
        for arguments in
            [vec!["register", "x", "--lake", ".", "--table", odd], vec!["show", odd, "--lake", "."], vec!["ddl", odd, "--lake", "."]]
        {
            let outcome = etl.run(["catalog"].into_iter().chain(arguments)).fails(2);
            assert!(!outcome.stderr.contains(['\u{1b}', '\u{202e}']), "{}", outcome.stderr);
        }
    }
    etl.etl("catalog register x --table a.b").fails(2).says("is a local folder");
    let nobody =
        Etl::new().with("AWS_REGION", "").with("AWS_DEFAULT_REGION", "").with("AWS_CONFIG_FILE", "/none").with("AWS_ENDPOINT_URL_GLUE", "");
    nobody.with("AWS_ENDPOINT_URL", "").etl("catalog list").fails(2).says("region");
    let keyless =
        Etl::new().with("AWS_REGION", "us-east-1").with("AWS_ENDPOINT_URL_GLUE", "http://127.0.0.1:9").with("AWS_ACCESS_KEY_ID", "");
    let keyless = keyless.with("AWS_SECRET_ACCESS_KEY", "").with("AWS_CONFIG_FILE", "/none").with("AWS_SHARED_CREDENTIALS_FILE", "/none");
    keyless.with("AWS_EC2_METADATA_DISABLED", "true").etl("catalog show a.b").fails(3).says("credentials");
}

#[test]
fn glue_is_compared_brought_forward_and_left_to_others() {
    let Some((etl, prefix)) = glue() else { return };
    let Some(minio) = Minio::get() else { return };
    let etl = etl.with("AWS_ENDPOINT_URL_S3", &minio.endpoint);
    let lake = format!("s3://{}/lake", minio.bucket);
    let text = OWN.replace("location: lake}", &format!("location: '{lake}', catalog: {{glue: {{database_prefix: {prefix}_}}}}}}"));
    let text = text + "  typed: {from: access, table: weblogs.typed, format: {csv: {cast_view: typed_view}}}\n";
    etl.log("logs/a.log", 50).write("p.yaml", text);
    etl.run_pipeline("p.yaml", 0);
    let database = format!("{prefix}_weblogs");
    etl.etl(&format!("catalog diff --lake {lake}")).ok();
    etl.etl(&format!("catalog diff {database}.access")).ok();
    etl.etl("catalog sync p.yaml").ok().says("is so already");

    // The lake is ahead: a pipeline that doesn't tell Glue publishes to it.
    let quiet = String::from_utf8(etl.read("p.yaml")).unwrap().replace(&format!(", catalog: {{glue: {{database_prefix: {prefix}_}}}}"), "");
    etl.log("logs/b.log", 5).write("quiet.yaml", quiet);
    etl.run_pipeline("quiet.yaml", 0);
    let outcome = etl.etl(&format!("catalog diff weblogs.access --lake {lake}")).fails(2);
    assert!(String::from_utf8_lossy(&outcome.stdout).contains("behind: version 1 there, version 2 in the lake"), "{:?}", outcome.stdout);
    etl.etl(&format!("catalog sync --lake {lake}")).ok().says("is updated");
    etl.etl(&format!("catalog diff --lake {lake} --json")).ok();

    // Of a view the query, of a table what makes the same.
    let ddl = |table: &str| String::from_utf8(etl.etl(&format!("catalog ddl {database}.{table} --catalog glue")).ok().stdout).unwrap();
    assert!(ddl("typed_view").starts_with(&format!("CREATE OR REPLACE VIEW \"{database}\".\"typed_view\" AS\nSELECT ")));
    assert!(ddl("access").contains(&format!("'etl.lake' = '{lake}'")));
    etl.etl(&format!("catalog diff {database}.typed_view")).ok();
    etl.etl("catalog diff no_such.table").fails(1);

    // A table and the view made of it go together, and come again by the next run.
    etl.etl(&format!("catalog drop {database}.typed --yes")).ok().says("typed_view").says("the next run of its pipeline");
    etl.etl(&format!("catalog show {database}.typed_view")).fails(2);
    etl.etl(&format!("catalog diff weblogs.typed --lake {lake}")).fails(1).says("is not registered in any catalog");
    etl.run_pipeline("p.yaml", 0);
    etl.etl(&format!("catalog show {database}.typed_view")).ok();

    // Files can't be registered as what the lake has, and the lake's table is not taken over in passing.
    minio.storage("").put("old/a.csv", b"a\n1\n".to_vec()).unwrap();
    let register = format!("catalog register s3://{}/old --table {database}.access", minio.bucket);
    etl.etl(&register).fails(2).says("belongs to somebody else").says(&lake);
    for table in ["access", "typed"] {
        etl.etl(&format!("catalog drop {database}.{table} --yes")).ok();
    }
}
