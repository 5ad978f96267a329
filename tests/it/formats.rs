//! Logs of other servers and services, as users have them: nginx with its configuration, AWS, W3C, containers.

use crate::etl::{Etl, gzip};
use crate::lake::{Lake, on_both_lakes};

on_both_lakes!(a_w3c_log_that_grows_goes_on_by_its_last_heading);

fn csv(etl: &Etl, sql: &str) -> String {
    String::from_utf8(etl.run(["query", "--format", "csv", sql]).ok().stdout).unwrap()
}

#[test]
fn a_format_of_nginx_is_given_or_read_from_its_configuration() {
    let etl = Etl::new();
    etl.write(
        "a.log",
        "192.0.2.1 - - [29/Feb/2020:00:00:02 +0100] \"GET /a?b=c HTTP/2.0\" 200 612 \"-\" \"curl\" \"203.0.113.9, 10.0.0.1\" 0.250 0.003, 0.200 : -\n\
         192.0.2.2 - bob [29/Feb/2020:00:00:03 +0100] \"\\x16\\x03\" 400 0 \"-\" \"-\" \"-\" 12.001 -\nbad\n",
    );
    let format = concat!(
        r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" "#,
        r#""$http_x_forwarded_for" $request_time $upstream_response_time"#
    );
    etl.write("nginx/nginx.conf", "http {\n  include mime.types;\n  include conf.d/*.conf;\n}\n")
        .write("nginx/conf.d/log.conf", format!("log_format timed '{}'\n  '{}';\n", &format[..43], &format[43..]));
    let expected = "host,auth_user,time,method,path,query,protocol,status,bytes,referer,user_agent,x_forwarded_for,duration_ms,upstream_response_time,upstream_response_time_sum,request\n\
         192.0.2.1,,2020-02-28 23:00:02.000,GET,/a,b=c,HTTP/2.0,200,612,,curl,\"203.0.113.9, 10.0.0.1\",250,\"0.003, 0.200 : -\",0.203,\n\
         192.0.2.2,bob,2020-02-28 23:00:03.000,,,,,400,0,,,,12001,,,\\x16\\x03\n";
    for (number, options) in [
        vec!["--log-format", format],
        vec!["--nginx-conf", "nginx/nginx.conf", "--log-format", "timed"],
        vec!["--nginx-conf", "nginx/nginx.conf"],
    ]
    .into_iter()
    .enumerate()
    {
        let out = format!("out{number}");
        let mut arguments = vec!["convert", "a.log", "-o", &out, "--to", "csv", "--on-error", "skip"];
        arguments.extend(options);
        etl.run(arguments).ok().says("3 lines = 2 rows + 1 reject + 0 blank");
        let read = String::from_utf8(etl.read(&format!("{out}/part-00000.csv"))).unwrap();
        assert_eq!(read, expected);
    }
    etl.run(["convert", "a.log", "-o", "no", "--nginx-conf", "nginx/nginx.conf", "--log-format", "time"])
        .fails(2)
        .says("has no log_format called `time`; did you mean `timed`?")
        .says("mime.types");
    // The first line of an unknown format names one that would fit.
    etl.convert("a.log -o no").fails(2).says("perhaps: --log-format '$remote_addr - $remote_user").says("$request_time");
    let suggested = etl.run(["inspect", "a.log", "--suggest-format"]).ok();
    let suggested = String::from_utf8(suggested.stdout).unwrap();
    let rows = etl.run(["query", "--format", "csv", "--log-format", suggested.trim(), "SELECT count(*) AS n FROM 'a.log'"]);
    assert_eq!(String::from_utf8(rows.stdout).unwrap(), "n\n2\n");
}

#[test]
fn values_of_nginx_that_are_escaped_as_json_are_as_they_were() {
    let etl = Etl::new();
    let format = r#"escape=json {"t":"$time_iso8601","ua":"$http_user_agent","status":$status,"u":"$remote_user"}"#;
    etl.write("j.log", "{\"t\":\"2026-03-01T10:00:00+01:00\",\"ua\":\"a \\\"b\\\" \\\\ \\u00e9\",\"status\":200,\"u\":\"\"}\n");
    let rows = etl.run(["query", "--format", "json", "--log-format", format, "FROM 'j.log'"]).ok();
    let row: serde_json::Value = serde_json::from_slice(&rows.stdout).unwrap();
    assert_eq!((&row["user_agent"], &row["status"], &row["auth_user"]), (&"a \"b\" \\ é".into(), &200.into(), &serde_json::Value::Null));
}

#[test]
fn entries_of_json_logs_are_rows_whatever_the_order_of_their_keys() {
    let etl = Etl::new();
    let caddy = |second: u32, more: &str| {
        format!(
            "{{\"ts\":{}.5,\"request\":{{\"remote_ip\":\"192.0.2.1\",\"method\":\"GET\",\"uri\":\"/a?b={second}\"{more}}},\"status\":200}}\n",
            1_772_355_600 + second
        )
    };
    let first: String = (0..5_000).map(|second| caddy(second, "")).collect();
    // Another order, another key, values of other types, a message of the server, and a line that was torn.
    let second = [
        "{\"status\":404,\"request\":{\"uri\":\"/\",\"method\":\"PUT\",\"remote_ip\":\"192.0.2.2\"},\"ts\":1772362800}\n",
        &caddy(1, ",\"headers\":{\"User-Agent\":[\"a\",\"b\"]}"),
        "{\"status\":\"gone\",\"request\":\"x\",\"ts\":true}\n",
        "{\"ts\":1772362801,\"msg\":\"started\"}\n",
        "{\"status\":200,\"requ",
    ];
    etl.write("logs/a.log", first).write("logs/b.log.gz", gzip(second.concat().as_bytes()));
    etl.convert("logs -o out --to parquet --partition-by dt")
        .ok()
        .says("5,005 lines = 5,002 rows + 3 rejects + 0 blank")
        .says("not an entry of an access log")
        .says("not a JSON object");
    let sql = "SELECT count(*) AS n, count(DISTINCT query) AS queries, min(time) AS first, max(time) AS last FROM 'out'";
    assert_eq!(csv(&etl, sql), "n,queries,first,last\n5002,5000,2026-03-01 09:00:00.500000,2026-03-01 11:00:00.000000\n");
    let sql = "SELECT host, method, path, query, status, extra FROM 'out' WHERE extra IS NOT NULL OR status = 404 ORDER BY time";
    assert_eq!(
        csv(&etl, sql),
        "host,method,path,query,status,extra\n192.0.2.1,GET,/a,b=1,200,\"{\"\"request.headers\"\":{\"\"User-Agent\"\":[\"\"a\"\",\"\"b\"\"]}}\"\n\
         192.0.2.2,PUT,/,,404,\n"
    );
    // The format that was found is one that can be given.
    let format = etl.run(["inspect", "--suggest-format", "logs/a.log"]).ok().stdout;
    let format = String::from_utf8(format).unwrap();
    let rows = etl.run(["query", "--format", "csv", "--log-format", format.trim(), "SELECT count(*) AS n FROM 'logs/b.log.gz'"]);
    assert!(rows.says("3 lines of logs/b.log.gz are not rows").stdout.starts_with(b"n\n2\n"));
}

#[test]
fn a_suggested_format_stands_behind_what_the_logger_put_there() {
    let etl = Etl::new();
    etl.write("cri.log", "2026-03-01T10:00:00.1Z stdout F 192.0.2.1 - - [01/Mar/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"x y\"\n");
    let told = String::from_utf8(etl.run(["inspect", "--suggest-format", "cri.log"]).ok().stdout).unwrap();
    assert!(told.starts_with("prefix=cri ") && !told.contains("stdout"), "{told}");
    etl.run(["query", "--log-format", told.trim(), "FROM 'cri.log'"]).ok();
}

#[test]
fn logs_of_load_balancers_are_found_and_split_by_day() {
    let etl = Etl::new();
    let alb = include_str!("../fixtures/formats/alb.log");
    etl.write("logs/AWSLogs/1/elasticloadbalancing/eu/2026/03/02/a.log.gz", gzip(alb.as_bytes()));
    etl.convert("logs/**/*.log.gz -o lake/alb --to parquet --partition-by dt")
        .ok()
        .says("log format alb")
        .says("4 rows")
        .says("lines have more fields than alb is known to have: the others are in the column `extra`");
    assert!(etl.path("lake/alb/dt=2018-07-02").exists() && etl.path("lake/alb/dt=2026-03-02").exists());
    let sql =
        "SELECT elb_status_code, target_ip, request_processing_time, path, extra FROM 'lake/alb' WHERE dt = '2026-03-02' ORDER BY time";
    assert_eq!(
        csv(&etl, sql),
        "elb_status_code,target_ip,request_processing_time,path,extra\n200,10.0.0.1,0.0,/cart,\n503,,-1.0,/,\n200,10.0.0.1,0.0,,\"new-field \"\"a newer one\"\"\"\n"
    );
}

#[test]
fn each_file_and_each_line_of_a_w3c_log_is_read_by_its_heading() {
    let etl = Etl::new();
    // More than a block between two headings, so that other workers decode what is behind them.
    let mut iis =
        "#Software: Microsoft Internet Information Services 10.0\r\n#Fields: date time cs-method cs-uri-stem sc-status time-taken\r\n"
            .to_string();
    for line in 0..40_000 {
        iis.push_str(&format!("2026-03-01 00:{:02}:{:02} GET /a+{line} 200 {line}\r\n", line / 60 % 60, line % 60));
    }
    iis.push_str("#Fields: date time sc-status cs-method\r\n");
    for line in 0..40_000 {
        iis.push_str(&format!("2026-03-02 00:{:02}:{:02} 404 PUT\r\n", line / 60 % 60, line % 60));
    }
    etl.write("iis/a.log", &iis).write("iis/b.log.gz", gzip(b"#Fields: date time c-ip\n2026-03-03 00:00:00 192.0.2.1\n"));
    etl.write("iis/c.log", "#Fields: date\ttime\tcs-method\n2026-03-04\t00:00:00\tA B\n");
    let said = etl.convert("iis -o out --to parquet --threads 4").ok();
    said.says("80,007 lines = 80,002 rows + 0 rejects + 5 blank");
    let sql = "SELECT CAST(time AS DATE) AS day, count(*) AS n, min(sc_status) AS s, min(cs_method) AS m, sum(time_taken) AS t, min(c_ip) AS ip \
               FROM 'out' GROUP BY 1 ORDER BY 1";
    let expected =
        "day,n,s,m,t,ip\n2026-03-01,40000,200,GET,799980000,\n2026-03-02,40000,404,PUT,,\n2026-03-03,1,,,,192.0.2.1\n2026-03-04,1,,A B,,\n";
    assert_eq!(csv(&etl, sql), expected);
    assert_eq!(csv(&etl, &sql.replace("'out'", "'iis'")), expected);
    for threads in [1, 3] {
        etl.convert(&format!("iis -o csv{threads} --to csv --threads {threads}")).ok();
    }
    assert!(etl.read("csv1/part-00000.csv") == etl.read("csv3/part-00000.csv"));
    // A field that comes later in a file and is none of the table's.
    etl.write(
        "late.log",
        "#Fields: date time cs-method\n2026-03-01 00:00:00 GET\n#Fields: date time c-ip\n2026-03-01 00:00:01 192.0.2.1\n",
    );
    etl.run(["query", "--format", "csv", "FROM 'late.log'"]).ok();
    etl.convert("late.log -o late --to csv").ok();
    assert_eq!(String::from_utf8(etl.read("late/part-00000.csv")).unwrap().lines().count(), 3);
}

fn a_w3c_log_that_grows_goes_on_by_its_last_heading(lake: &Lake) {
    lake.pipeline(
        "w.yaml",
        "version: 1\nname: w\nlake: {location: lake}\nsources: {w: {location: 'w*.log'}}\noutputs: {w: {from: w, table: web.w, mode: append}}\n",
    );
    let first = "#Fields: date time cs-method sc-status\n2026-03-01 00:00:00 GET 200\n#Fields: date time sc-status cs-method\n2026-03-01 00:00:01 404 PUT\n";
    lake.write("w1.log", first);
    lake.run_pipeline("w.yaml", 0);
    lake.write("w1.log", format!("{first}2026-03-01 00:00:02 500 -\n"));
    lake.run_pipeline("w.yaml", 0);
    assert_eq!(lake.value("SELECT count(*) FROM web.w WHERE sc_status = 500 AND cs_method IS NULL"), "1");
    assert_eq!(lake.value("SELECT count(*) FROM web.w"), "3");
    // A table of the lake that can be made anew from what it remembers.
    lake.run_pipeline("w.yaml --full", 0);
    assert_eq!(lake.value("SELECT sum(sc_status) FROM web.w"), "1104");
}

#[test]
fn custom_flow_logs_are_read_by_the_names_at_their_start() {
    let etl = Etl::new();
    etl.write(
        "flow/a.log.gz",
        gzip(b"start srcaddr bytes traffic-path flow-direction\n1418530010 192.0.2.1 4249 8 egress\n1418530011 - - - -\n"),
    );
    assert_eq!(
        csv(&etl, "SELECT srcaddr, bytes, traffic_path, flow_direction FROM 'flow' ORDER BY time"),
        "srcaddr,bytes,traffic_path,flow_direction\n192.0.2.1,4249,8,egress\n,,,\n"
    );
}

#[test]
fn what_loggers_put_before_lines_is_no_column() {
    let etl = Etl::new();
    let line = r#"192.0.2.1 - - [29/Feb/2020:00:00:02 +0000] "GET / HTTP/1.1" 200 2 "-" "a \"b\"""#;
    let docker = serde_json::json!({ "log": format!("{line}\n"), "stream": "stdout", "time": "2026-03-01T10:00:00.1Z" }).to_string();
    // Docker writes its keys in this order.
    let docker = format!(
        "{{\"log\":{},\"stream\":\"stdout\",\"time\":\"t\"}}",
        &docker[docker.find("\"log\":").unwrap() + 6..docker.find(",\"stream\"").unwrap()]
    );
    for (name, text) in [
        ("syslog", format!("<134>1 2026-03-01T10:00:00.003Z web nginx 7 - - {line}\nMar  1 10:00:00 web nginx[7]: {line}\nbad\n")),
        ("cri", format!("2026-03-01T10:00:00.123456789Z stdout F {line}\n2026-03-01T10:00:00.2Z stderr F {line}\nbad\n")),
        ("compose", format!("web-1  | {line}\nweb-1  | {line}\nbad\n")),
        ("docker", format!("{docker}\n{docker}\nbad\n")),
    ] {
        let file = format!("{name}.log");
        etl.write(&file, &text);
        etl.convert(&format!("{file} -o {name} --to csv --rejects {name}.rejects"))
            .ok()
            .says(&format!("log format combined after a prefix of {name}"))
            .says("3 lines = 2 rows + 1 reject + 0 blank");
        let rejects = String::from_utf8(etl.read(&format!("{name}.rejects"))).unwrap();
        assert!(rejects.contains("bad"), "{rejects}");
        let named = [
            "query",
            "--format",
            "csv",
            "--prefix",
            name,
            "--log-format",
            "combined",
            &format!("SELECT host, user_agent FROM '{file}' LIMIT 1"),
        ];
        assert_eq!(String::from_utf8(etl.run(named).stdout).unwrap(), "host,user_agent\n192.0.2.1,\"a \\\"\"b\\\"\"\"\n", "{name}");
    }
    // As a pipeline names it, and remembers it.
    let lake = Lake::in_folder();
    for (name, format) in [("a", ", log_format: 'prefix=cri combined'"), ("b", "")] {
        lake.pipeline(
            &format!("{name}.yaml"),
            format!("version: 1\nname: {name}\nlake: {{location: lake}}\nsources: {{s: {{location: 'c*.log'{format}}}}}\noutputs: {{s: {{from: s, table: web.{name}, mode: append}}}}\n"),
        );
        lake.write("c1.log", format!("2026-03-01T10:00:00.123456789Z stdout F {line}\n"));
        lake.run_pipeline(&format!("{name}.yaml"), 0);
        lake.write("c2.log", format!("2026-03-01T10:00:01.123456789Z stdout F {line}\n"));
        lake.run_pipeline(&format!("{name}.yaml"), 0);
        assert_eq!(lake.value(&format!("SELECT count(*) FROM web.{name} WHERE host = '192.0.2.1'")), "2");
        std::fs::remove_file(lake.path("c2.log")).unwrap();
    }
}

#[test]
fn logs_of_each_preset_are_generated_and_found() {
    let etl = Etl::new();
    for preset in ["nginx_main", "alb", "clb", "nlb", "s3", "cloudfront", "vpc_flow"] {
        let log = etl.run(["generate", "--lines", "200", "--log-format", preset]).ok().stdout;
        etl.write("g.log", &log);
        let report = etl.report(&format!("g.log -o {preset} --to parquet"));
        assert_eq!(
            (&report["rows"], &report["rejects"], &report["inputs"][0]["format"]),
            (&200.into(), &0.into(), &report["inputs"][0]["format"]),
            "{preset}"
        );
        let suggested = etl.run(["inspect", "g.log", "--suggest-format"]).ok().stdout;
        let suggested = String::from_utf8(suggested).unwrap();
        assert!(suggested.trim() == preset || suggested.starts_with("{#"), "{suggested}");
    }
}
