//! What the environment gives, and passwords in addresses, are shown nowhere: in no stream, no report, and no object of the lake.

use super::etl::{Etl, generated};
use std::fs;
use std::path::Path;

/// Of one line, as a LogFormat can have it; and of several, with what other formats escape.
const PLAIN: &str = "hunter2 &<secret>'\"=x/y";
const LINES: &str = "-----BEGIN hunter3-----\nMIIhunter3<>&\"'/+==\n-----END hunter3-----";
const PASSWORD: &str = "hunter4pw";

/// No file below `folder` has a secret in it, in any form.
fn hidden_below(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => hidden_below(&path),
            false => hidden(&path.display().to_string(), &fs::read(&path).unwrap()),
        }
    }
}

#[track_caller]
fn hidden(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let forms = [PLAIN, LINES, PASSWORD].into_iter().flat_map(etl::secrets::forms);
    for form in forms.chain(["hunter2", "hunter3", "hunter4"].map(str::to_string)) {
        assert!(!text.contains(&form), "{what} shows {form}: {text}");
    }
}

#[test]
fn what_the_environment_gives_is_shown_nowhere() {
    let etl = Etl::new().with("PLAIN", PLAIN).with("LINES", LINES);
    etl.write("a.log", String::from_utf8(generated(20)).unwrap().replace(" - - [", " = - ["));
    let quoted = |name: &str| format!("''${{env:{name}}}''");
    let pipeline = |sql: &str, more: &str| {
        format!(
            "version: 1\nname: p\nlake: {{location: lake}}\nvars: {{v: '${{env:PLAIN}}', l: '${{env:LINES}}'}}\n\
             sources: {{s: {{location: a.log, max_reject_rate: 100%, format: log, log_format: '%h ${{v}} %l'}}, r: {{location: a.log, log_format: combined}}}}\n\
             transforms: {{t: {{sql: {sql}}}}}\n\
             outputs: {{a: {{from: s, table: w.a}}, b: {{from: t, table: w.b}}}}\n{more}"
        )
    };
    let checks = "verify:\n  - {name: 'n ${v}', value: {sql: \"SELECT 'x'\", equals: '${l}'}, severity: warn}\n";
    etl.write("p/good.yaml", pipeline("SELECT length(host) AS n FROM r", checks).replace("a.log", "../a.log").replace("lake}", "../lake}"));
    etl.write(
        "p/column.yaml",
        pipeline(&format!("'SELECT {}, 1 AS n FROM r'", quoted("LINES").replace("''", "")), "").replace("a.log", "../a.log"),
    );
    etl.write("p/literal.yaml", pipeline(&format!("'SELECT {} FROM r'", quoted("LINES")), "").replace("a.log", "../a.log"));
    let unread = pipeline("SELECT 1 AS n FROM r", "").replace("max_reject_rate: 100%, ", "");
    etl.write("p/lines.yaml", unread.replace("%h ${v} %l", "%h ${l} %l").replace("a.log", "../a.log"));
    etl.write("p/format.yaml", pipeline("SELECT 1 AS n FROM r", "").replace("format: log,", "format: '${l}',"));
    etl.write(
        "p/cast.yaml",
        pipeline(&format!("'SELECT CAST({} AS INT) AS n FROM r'", quoted("PLAIN").replace("''", "")), "").replace("a.log", "../a.log"),
    );
    let run = |arguments: &[&str]| {
        let outcome = etl.run(arguments);
        hidden(&format!("{arguments:?} stdout"), &outcome.stdout);
        hidden(&format!("{arguments:?} stderr"), outcome.stderr.as_bytes());
        outcome
    };
    for name in ["good", "column", "literal", "lines", "format", "cast"] {
        let file = format!("p/{name}.yaml");
        for arguments in [
            &["validate", &file][..],
            &["validate", "--json", &file],
            &["plan", &file],
            &["plan", "--json", &file],
            &["run", &file],
            &["run", "--json", "--full", &file],
            &["history", &file],
            &["history", "--json", &file],
        ] {
            run(arguments);
        }
    }
    run(&["run", "p/good.yaml", "--full"]).ok().says("[redacted]");
    for table in ["w.a", "w.b"] {
        run(&["catalog", "show", table, "--lake", "lake"]).ok();
        run(&["catalog", "show", table, "--lake", "lake", "--json"]).ok();
    }
    run(&["schedule", "--list", "p"]);
    run(&["schedule", "--list", "--json", "p"]);
    hidden_below(&etl.path("lake"));
    hidden_below(&etl.path("p/lake"));
    // It was used, and so the test has something to find.
    let report = String::from_utf8(run(&["history", "--json", "p/good.yaml"]).ok().stdout).unwrap();
    assert!(report.contains("[redacted]") && report.contains("rejects_by_reason"), "{report}");
}

#[test]
fn a_value_in_a_location_is_shown_in_that_location_only() {
    const VALUE: &str = "hunter5 box";
    let etl = Etl::new().with("BOX", VALUE);
    let path = etl.path(VALUE).canonicalize().unwrap_or_else(|_| etl.path(VALUE)).display().to_string();
    let log = String::from_utf8(generated(20)).unwrap().replace(" - - [", " = - [");
    etl.write(&format!("{VALUE}/a.log"), &log).write(&format!("{VALUE}/b.log"), &log).write("c.log", &log);
    let pipeline = |sql: &str| {
        format!(
            "version: 1\nname: p\nlake: {{location: '${{env:BOX}}/lake'}}\nvars: {{v: '${{env:BOX}}'}}\n\
             sources: {{s: {{location: '${{v}}/*.log', max_reject_rate: 100%, format: log, log_format: '%h ${{v}} %l'}},\n\
               r: {{location: ['${{v}}/*.log', c.log], log_format: combined}}}}\n\
             transforms: {{t: {{sql: \"{sql}\"}}}}\n\
             outputs: {{a: {{from: s, table: w.a}}, b: {{from: t, table: w.b}}}}\n\
             verify:\n  - {{name: 'n ${{v}}', value: {{sql: \"SELECT 'x'\", equals: '${{v}}'}}, severity: warn}}\n"
        )
    };
    let hides = |what: &str, bytes: &[u8]| {
        let mut text = String::from_utf8_lossy(bytes).into_owned();
        for form in etl::secrets::forms(&path) {
            text = text.replace(&form, "THERE");
        }
        // Manifests name files from the folder on that they have in common.
        let text = text.replace(&format!("\"path\":\"{VALUE}/"), "\"path\":\"THERE/");
        for form in etl::secrets::forms(VALUE).into_iter().chain(["hunter5".to_string()]) {
            assert!(!text.contains(&form), "{what} shows {form}: {text}");
        }
        text
    };
    fn below(folder: &Path, each: &mut dyn FnMut(&Path)) {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { below(&path, each) } else { each(&path) }
        }
    }
    etl.write("p.yaml", pipeline("SELECT length(host) AS n FROM r"));
    etl.write("cast.yaml", pipeline("SELECT CAST('${v}' AS INT) AS n FROM r"));
    etl.write("column.yaml", pipeline("SELECT \\\"${v}\\\", 1 AS n FROM r"));
    for file in ["p.yaml", "cast.yaml", "column.yaml"] {
        for arguments in [
            &["validate", file][..],
            &["validate", "--json", file],
            &["plan", file],
            &["plan", "--json", file],
            &["run", file, "--full"],
            &["run", "--json", "--full", file],
            &["history", file],
            &["history", "--json", file],
            &["schedule", "--list", "."],
        ] {
            let outcome = etl.run(arguments);
            let well = file == "p.yaml";
            assert!(arguments[0] != "run" || (outcome.code == Some(0)) == well, "{arguments:?}: {}", outcome.stderr);
            hides(&format!("{arguments:?} stdout"), &outcome.stdout);
            hides(&format!("{arguments:?} stderr"), outcome.stderr.as_bytes());
        }
    }
    // What is compared by path is found again, and only what is new is read.
    etl.write(&format!("{VALUE}/d.log"), &log);
    let report = hides("report", &etl.run(["run", "--json", "p.yaml"]).ok().stdout);
    assert!(report.contains("\"THERE/lake\"") && report.contains("\"n [redacted]\""), "{report}");
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!((&report["sources"][0]["files_new"], &report["sources"][0]["files_unchanged"]), (&1.into(), &2.into()), "{report}");
    etl.run(["run", "p.yaml"]).ok().says("nothing to do");
    let mut objects = 0;
    below(&etl.path(VALUE).join("lake"), &mut |path| {
        objects += 1;
        hides(&path.strip_prefix(etl.path(VALUE)).unwrap().display().to_string(), &fs::read(path).unwrap());
    });
    assert!(objects > 10, "{objects}");
}

#[test]
fn passwords_in_addresses_are_shown_nowhere() {
    let etl = Etl::new();
    let address = |scheme: &str| format!("{scheme}://user:{PASSWORD}@bucket/x");
    let yaml = |lake: &str, source: &str, endpoint: &str| {
        format!(
            "version: 1\nname: p\nlake: {{location: '{lake}'}}\nsources: {{s: {{location: '{source}', s3: {{endpoint_url: '{endpoint}'}}}}}}\n\
             outputs: {{a: {{from: s, table: w.a}}}}\n"
        )
    };
    for (index, text) in [
        yaml(&address("s3"), "a.log", "http://h"),
        yaml("lake", &address("s3"), "http://h"),
        yaml("lake", &address("http"), "http://h"),
        yaml("lake", &format!("s3://AKID:a/{PASSWORD}@bucket/x"), "http://h"),
        yaml("lake", "s3://bucket/x", &address("http")),
        yaml("lake", "s3://bucket/x", &format!("http://h@{PASSWORD}:x@h")),
    ]
    .into_iter()
    .enumerate()
    {
        let file = format!("p{index}/p.yaml");
        etl.write(&file, text);
        for arguments in [
            &["validate", &file][..],
            &["validate", "--json", &file],
            &["plan", &file],
            &["run", &file],
            &["history", &file],
            &["schedule", "--list", &format!("p{index}")],
        ] {
            let outcome = etl.run(arguments);
            assert_ne!(outcome.code, Some(0), "{arguments:?}");
            hidden(&format!("{arguments:?} stdout"), &outcome.stdout);
            hidden(&format!("{arguments:?} stderr"), outcome.stderr.as_bytes());
        }
        hidden_below(&etl.path(&format!("p{index}/lake")));
    }
    for place in [address("s3"), address("http")] {
        let outcome = etl.run(["convert", &place, "-o", "x", "--to", "csv"]);
        hidden("convert", outcome.stderr.as_bytes());
        let outcome = etl.run(["query", "--lake", &place, "SELECT 1"]);
        hidden("query", outcome.stderr.as_bytes());
    }
}
