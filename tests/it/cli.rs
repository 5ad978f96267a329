//! The command line: what options mean, and what is said of wrong ones.

use super::etl::{Etl, Outcome};
use insta::assert_snapshot;

fn said(outcome: Outcome, code: i32) -> String {
    let outcome = outcome.fails(code);
    assert_eq!(outcome.stdout, b"");
    outcome.scrubbed()
}

#[test]
fn wrong_options_are_told_with_what_to_do() {
    let etl = Etl::new();
    etl.log("access.log", 5).write("a.csv", "a\n1\n").write("b.json", "{}\n").write("x.bin", b"\x89PNG\r\n\x1a\n\0\0");
    etl.write("a.xz", b"\xfd7zXZ\0\0\x04").write("text.txt", "hello\n");
    let convert = |arguments: &str, code| said(etl.convert(arguments), code);
    assert_snapshot!(convert("access.log -o out --log-format combind", 2), @r#"
        error: unknown log format `combind`; did you mean `combined`?
          known: combinedio, vhost_combined, nginx_main, combined, nginx_combined, common, alb, nlb, clb, s3, cloudfront, vpc_flow, auto
          or: a format as httpd.conf or nginx.conf has it, such as '%h %l %u %t "%r" %>s %b', or a name in the file of --httpd-conf or --nginx-conf
        "#);
    assert_snapshot!(said(etl.run(["convert", "access.log", "-o", "out", "--log-format", "%h %l %Z %t"]), 2), @r#"
        error: this LogFormat can't be used:
          %h %l %Z %t
                ^^ no such directive in Apache 2.4; a percent sign is `%%`
        "#);
    assert_snapshot!(said(etl.run(["convert", "access.log", "-o", "out", "--log-format", "%h%l"]), 2), @r#"
        error: this log format can't be read without guessing:
          %h%l
          ^^ nothing marks where %h ends; put a blank or quotes around it
        "#);
    assert_snapshot!(convert("acess.log -o out", 3), @r#"
        error: can't read acess.log: No such file or directory (os error 2)
          did you mean: access.log
        "#);
    assert_snapshot!(convert("*.lgo -o out", 3), @r#"
        error: no file matches `*.lgo`
          what to do: look at what is in this folder: `**` matches folders, `*` is within one name
        "#);
    assert_snapshot!(convert("a[ -o out", 2), @"error: `a[` is not a glob: invalid range pattern at character 2");
    assert_snapshot!(convert("access.log -o out --to csv --compression snappy", 2), @"error: csv can't be compressed with snappy; expected none or gzip");
    assert_snapshot!(convert("access.log -o out --compression zstd --compression-level 99", 2), @"error: compression level 99 is out of range; expected 1 to 22");
    assert_snapshot!(convert("access.log a.csv -o out", 2), @"error: access.log and a.csv are not of one format: read them one at a time, or say which with --from");
    assert_snapshot!(convert("text.txt -o out", 2), @r#"
        error: text.txt is in none of the formats that are known by name
          its first line: `hello`
          nearest: combined, which is %h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"
          stops to fit: at byte 0, where `hello` stands: no ` ` after %h
          known: combinedio, vhost_combined, nginx_main, combined, nginx_combined, common, alb, nlb, clb, s3, cloudfront, vpc_flow
          what to do: give its format with --log-format, or its name and --httpd-conf FILE or --nginx-conf FILE; a table is named by --from csv|tsv|json|parquet
        "#);
    assert_snapshot!(convert("a.xz -o out", 3), @"error: can't read a.xz: it is compressed with xz, which etl can't read; decompress it first: xz -dc FILE | etl … -");
    assert_snapshot!(convert("access.log -o out --dialect athena", 2), @"error: --dialect is for CSV output: add --to csv; for CSV inputs use --from-dialect");
    assert_snapshot!(convert("- - -o out", 2), @"error: `-` (standard input) can be read only once");
    for wrong in ["--splits 0", "--splits -1", "--threads 0", "--rows-per-file 0", "--target-size 0", "--max-reject-rate 101%", "--to xml"]
    {
        etl.convert(&format!("access.log -o out {wrong}")).fails(2);
    }
    etl.convert("access.log -o out --splits 2 --rows-per-file 3").fails(2).says("cannot be used with");
    etl.convert("access.log -o out --overwrite --append").fails(2).says("cannot be used with");
    etl.convert("access.log").fails(2);
    assert!(!etl.path("out").exists());
    etl.convert("access.log -o out --threads 1000000").ok();
}

#[test]
fn each_preset_is_found_and_can_be_named() {
    let etl = Etl::new();
    for preset in etl::accesslog::Preset::ALL {
        let log = etl.run(["generate", "--lines", "300", "--format", preset.name()]).ok().stdout;
        let name = format!("{}.log", preset.name());
        etl.write(&name, log);
        let found = etl.report(&format!("{name} -o {name}-auto --to json"));
        let named = etl.report(&format!("{name} -o {name}-named --to json --log-format {}", preset.name()));
        let custom =
            ["convert", &name, "-o", "custom", "--overwrite", "--to", "json", "--log-format", preset.log_format(), "--report", "json"];
        let custom: serde_json::Value = serde_json::from_slice(&etl.run(custom).ok().stdout).unwrap();
        for report in [&found, &named, &custom] {
            assert_eq!((report["rows"].as_u64(), report["rejects"].as_u64()), (Some(300), Some(0)), "{name}");
        }
        // nginx's combined can be a line of Apache's, and is told by its own marks only where it has some.
        if preset.name() != "nginx_combined" {
            assert_eq!((&found["format"], &custom["format"]), (&preset.name().into(), &"custom".into()));
            assert_eq!(etl.read(&format!("{name}-auto/part-00000.json")), etl.read(&format!("{name}-named/part-00000.json")));
        }
    }
}

#[test]
fn a_format_can_have_a_nickname_in_a_configuration() {
    let etl = Etl::new();
    etl.write("httpd.conf", "# mine\nLogFormat \"%h %>s\" short\nLogFormat \"%h %D\" \\\n  slow\n").write("a.log", "h 200\nh 404\n");
    etl.convert("a.log -o out --to csv --httpd-conf httpd.conf --log-format short").ok();
    assert_eq!(etl.read("out/part-00000.csv"), b"host,status\nh,200\nh,404\n");
    etl.convert("a.log -o x --httpd-conf httpd.conf --log-format shrt").fails(2).says("did you mean `short`?");
    etl.convert("a.log -o x --httpd-conf httpd.con --log-format short").fails(3).says("httpd.con");
}

#[test]
fn standard_input_needs_no_name() {
    let etl = Etl::new();
    etl.pipe("- -o out --to json --from csv", b"a,b\n1,x\n").ok();
    assert_eq!(etl.read("out/part-00000.json"), b"{\"a\":1,\"b\":\"x\"}\n");
}
