//! Places where a reader of logs can go wrong, one by one.

use super::fixture;
use super::table::{Cell, Table};
use etl::ErrorKind;
use etl::accesslog::{DecodeOptions, LogDecoder, LogFormat, Preset};
use etl::decode::Decoder;

fn text(text: &str) -> Cell {
    Cell::Text(text.as_bytes().to_vec())
}

#[test]
fn a_value_ends_where_all_the_numbers_behind_it_fit() {
    let table = Table::custom("%{A}i %s %b", b"GET 5 b 7 - x 9999999999 1 200 12\n");
    assert_eq!(
        (table.named("a", 0), table.named("status", 0), table.named("bytes", 0)),
        (text("GET 5 b 7 - x 9999999999 1"), Cell::Number(200), Cell::Number(12))
    );
}

#[test]
fn the_last_value_ends_at_the_end_of_the_line() {
    let table = Table::custom("[%{A}i] [%{B}i]", b"[a] [b]c]\n");
    assert_eq!((table.named("a", 0), table.named("b", 0)), (text("a"), text("b]c")));
    assert_eq!(Table::custom("%h %u", b"x \"\"\n").named("auth_user", 0), text(""));
    assert_eq!(&*Table::custom("[%h]", b"[x] y\n").decoded.rejects[0].reason, "expected `]` at the end");
}

#[test]
fn a_list_of_addresses_ends_before_the_ident() {
    let format = r#"%{X-Forwarded-For}i %l %u %t "%r" %>s %b"#;
    let log = b"10.0.0.1, 10.0.0.2 - - [10/Oct/2000:13:55:36 -0700] \"-\" 408 -\n- - a b [10/Oct/2000:13:55:36 -0700] \"-\" 408 -\n\
                10.0.0.1 bob - [10/Oct/2000:13:55:36 -0700] \"-\" 408 -\n";
    let table = Table::custom(format, log);
    let row = |row| ["x_forwarded_for", "ident", "auth_user"].map(|name| table.named(name, row));
    assert_eq!(row(0), [text("10.0.0.1, 10.0.0.2"), Cell::Null, Cell::Null]);
    assert_eq!(row(1), [Cell::Null, Cell::Null, text("a b")]);
    assert_eq!(row(2), [text("10.0.0.1"), text("bob"), Cell::Null]);
}

#[test]
fn a_comma_before_a_blank_goes_on_with_a_list_of_addresses() {
    for (format, name, line, next) in [
        ("%{X-Forwarded-For}i %h %l", "host", "10.0.0.1, 10.0.0.2, ::1 192.0.2.1 -", "192.0.2.1"),
        ("%{X-Forwarded-For}i %u %t", "auth_user", "10.0.0.1, 10.0.0.2, ::1 bob [10/Oct/2000:13:55:36 -0700]", "bob"),
        ("%{X-Forwarded-For}i %a", "client_ip", "10.0.0.1, 10.0.0.2, ::1 192.0.2.1", "192.0.2.1"),
        ("%{X-Forwarded-For}i %v %h", "vhost", "10.0.0.1, 10.0.0.2, ::1 www.example.com 192.0.2.1", "www.example.com"),
        ("%{X-Forwarded-For}i %l %u %t", "ident", "10.0.0.1, 10.0.0.2, ::1 frank - [10/Oct/2000:13:55:36 -0700]", "frank"),
    ] {
        let table = Table::custom(format, line.as_bytes());
        assert_eq!((table.named("x_forwarded_for", 0), table.named(name, 0)), (text("10.0.0.1, 10.0.0.2, ::1"), text(next)), "{format}");
    }
    assert_eq!(Table::custom("%{X-Forwarded-For}i %h", b"a, b, \n").rows(), 0);
}

#[test]
fn a_user_that_could_be_more_columns_is_none() {
    let row = |line: &str| {
        let line = format!("{line} [10/Feb/2012:16:42:07 -0500] \"GET /x HTTP/1.0\" 301 368 \"-\" \"x\"\n");
        let table = Table::custom(Preset::Combined.log_format(), line.as_bytes());
        let reason = table.decoded.rejects.first().map_or(String::new(), |reject| reject.reason.to_string());
        (table.rows() == 1, reason)
    };
    for line in ["192.0.2.1 - bob", "192.0.2.1 - john doe", "192.0.2.1 frank bob", "192.0.2.1 - x [01/Jan/2000", "192.0.2.1 - \"\""] {
        assert_eq!(row(line), (true, String::new()), "{line}");
    }
    for line in [
        "www.example.com 192.0.2.1 - bob",
        "www.example.com 192.0.2.1 - -",
        "www.example.com 192.0.2.1 frank bob",
        "- 192.0.2.1 - bob",
        "x - 192.0.2.1 bob",
        "x - 2001:db8::1, bob",
        "Dec 23 15:31:15 web01 nginx: 192.0.2.1 - -",
        "<190>Dec 23 15:31:15 web01 192.0.2.1 - frank",
        "2020-01-01T00:00:00Z stdout F 192.0.2.1 - -",
        "192.0.2.1 - [192.0.2.1] - -",
        "192.0.2.1 - [192.0.2.1] - bob",
        "192.0.2.1 - - bob",
        "192.0.2.1 - bob -",
        "192.0.2.1 - a - b",
        "192.0.2.1 - www.example.com bob",
        "192.0.2.1 - 443 bob",
        "192.0.2.1 - 0.005 bob",
        "192.0.2.1 - GET bob",
        "192.0.2.1 - unknown bob",
        "192.0.2.1 - localhost bob",
        "192.0.2.1 - https://x.example/ bob",
        "192.0.2.1 - bob 0.005",
        "192.0.2.1 -  bob",
        "192.0.2.1 - bob ",
        "192.0.2.1 - b ",
    ] {
        assert_eq!(row(line), (false, "one more column than the format has".to_string()), "{line}");
    }
}

#[test]
fn a_name_with_blanks_never_tells_a_format() {
    let line = |start: &str| format!("{start} [10/Feb/2012:16:42:07 -0500] \"GET /x HTTP/1.0\" 301 368 \"-\" \"x\"\n");
    let found = |log: String| etl::accesslog::detect(&log.into()).unwrap().map(|found| (found.format.name().to_string(), found.fitting));
    assert_eq!(found(line("192.0.2.1 - john doe").repeat(9)), None);
    assert_eq!(found(line("192.0.2.1 - john doe") + &line("192.0.2.1 - -")), Some(("combined".to_string(), 1)));
    for start in ["Dec 23 15:31:15 web01 nginx: 192.0.2.1 - -", "2020-01-01T00:00:00Z stdout F 192.0.2.1 - -", "web_1  | 192.0.2.1 - -"] {
        assert_eq!(found(line(start)), None, "{start}");
    }
}

#[test]
fn a_status_has_three_digits() {
    for (status, rows) in [("200", 1), ("000", 1), ("-", 1), ("20", 0), ("2000", 0), ("2", 0), ("", 0), ("-1", 0), ("20x", 0), ("+20", 0)] {
        assert_eq!(Table::custom("%s", status.as_bytes()).rows(), rows, "{status}");
        assert_eq!(Table::custom("\"%r\" %>s %b", format!("\"-\" {status} 5").as_bytes()).rows(), rows, "{status}");
    }
}

#[test]
fn a_reject_names_what_is_wrong() {
    let good = r#"192.0.2.1 - - [10/Feb/2012:16:42:07 -0500] "GET /x HTTP/1.0" 301 368 "-" "x""#;
    for (from, to, reason) in [
        ("10/Feb", "31/Feb", "the time does not exist"),
        (":16:", ":24:", "the time does not exist"),
        (":07 ", ":61 ", "the time does not exist"),
        ("2012", "0012", "the time is of a year before 1969, in which there were no logs"),
        ("2012", "1968", "the time is of a year before 1969, in which there were no logs"),
        ("10/Feb/2012", "30/Feb/1968", "the time does not exist"),
        (":16:42:07 -0500]", ":16:192.0.2.1 - - [10/Feb/2012:16:42:07 -0500]", "%t is not a time"),
        ("- - [10/Feb/2012:16", "- frank [10/192.0.2.1 - - [10/Feb/2012:16", "%t is not a time"),
        ("- - [", "-   [", "%u begins or ends with a blank, as if a column were missing"),
        ("192.0.2.1 - -", "192.0.2.1  -", "%l is empty"),
        ("192.0.2.1 - -", " - -", "%h is empty, or ends with a comma"),
        ("192.0.2.1 - -", "192.0.2.1, 192.0.2.2 bob", "%h is empty, or ends with a comma"),
        ("368", "007", "%b has zeros before its digits"),
        ("368", "00", "%b has zeros before its digits"),
        ("Feb", "feb", "%t is not a time"),
        ("Feb", "FEB", "%t is not a time"),
        ("Feb", "February", "%t is not a time"),
        ("2012", "12", "%t is not a time"),
        ("16:42:07 -0500] \"GET /x HTTP/1.0\" 301 368 \"-\" \"x\"", "16:4", "%t is not a time"),
        ("[10/Feb/2012:16:42:07 -0500]", "-", "%t is not a time"),
        ("301", "20", "%>s is not three digits"),
        ("368", "3x8", "expected ` \"` after %b"),
        ("368", "x", "%b is not a number"),
        ("0 - - ", "0 -", "%t is not a time"),
    ] {
        let line = good.replace(from, to);
        let table = Table::custom(Preset::Combined.log_format(), line.as_bytes());
        if line != good {
            assert_eq!(&*table.decoded.rejects[0].reason, reason, "{line}");
        }
    }
    // A text that numbers end: the place where most of them fit is the one that was meant.
    for (line, reason) in [("a b 200 x 7", "%b is not a number"), ("a 20 5 7", "%s is not three digits"), ("a", "no ` ` after %{A}i")] {
        assert_eq!(&*Table::custom("%{A}i %s %b %D", line.as_bytes()).decoded.rejects[0].reason, reason, "{line}");
    }
}

#[test]
fn a_host_has_no_blank() {
    // Without that, a client could make lines of `combined` fit `vhost_combined` too.
    let forged = "x - - [10/Oct/2000:13:55:36 -0700] \"a:1 b c [10/Oct/2000:13:55:36 -0700] \" 200 1 \"-\" \"-\"";
    let vhost = Preset::VhostCombined.log_format();
    assert_eq!(Table::custom(vhost, forged.as_bytes()).rows(), 0);
    assert_eq!(Table::custom("[%{Host}i] %h", b"[a b] c").named("host", 0), text("a b"));
}

#[test]
fn a_quote_ends_a_value_only_where_it_is_bare() {
    let table = Table::custom(r#""%h %{A}i" "%{B}i""#, br#""x a\"b\\" "\\\"""#);
    assert_eq!((table.named("host", 0), table.named("a", 0), table.named("b", 0)), (text("x"), text(r#"a\"b\\"#), text(r#"\\\""#)));
}

#[test]
fn a_conditional_time_is_a_time_or_nothing() {
    let format = r#"%{A}i %200t "%r""#;
    let table = Table::custom(format, b"a - b [10/Oct/2000:13:55:36 -0700] \"-\"\na - \"-\"\n");
    assert_eq!(table.named("a", 0), text("a - b"));
    assert_eq!(table.named("time", 0), Cell::Time(fixture::millis("2000-10-10T13:55:36-07:00")));
    assert_eq!((table.named("a", 1), table.named("time", 1)), (text("a"), Cell::Null));
}

#[test]
fn what_is_logged_only_for_some_statuses_is_null_for_the_others() {
    let table = Table::custom("%400,408{A}i|%!200,304b|%404{X-T}^ti|%{X-T}^to|%X", b"-|-|-|-|-\na|12|b|c|+\n");
    let row = |row| [0, 1, 2, 3, 4].map(|column| table.cell(column, row));
    // `%X` logs `-` for a connection that is closed: a value.
    assert_eq!(row(0), [Cell::Null, Cell::Null, Cell::Null, Cell::Null, text("-")]);
    assert_eq!(row(1), [text("a"), Cell::Number(12), text("b"), text("c"), text("+")]);
}

#[test]
fn a_line_of_blanks_is_a_row_only_where_the_format_says_so() {
    let counts = |format: &str, log: &[u8]| {
        let table = Table::custom(format, log);
        (table.rows(), table.decoded.blank, table.decoded.rejects.len())
    };
    assert_eq!(counts("%{User-Agent}i", b"\n\r\nx\n"), (3, 0, 0));
    assert_eq!(counts(r"%{A}i\t%{B}i", b"\t\n\n  \n"), (1, 2, 0));
    assert_eq!(counts("%h %s", b"\n \t \n\x00\n"), (0, 2, 1));
}

#[test]
fn path_and_query_part_at_the_first_question_mark() {
    let table = Table::custom("%m %U%q %s %D", b"GET /a b?c d?e 200 7\nGET /a b 200 7\nGET /a? - 7\n");
    let row = |row| (table.named("path", row), table.named("query", row), table.named("status", row));
    assert_eq!(row(0), (text("/a b"), text("c d?e"), Cell::Number(200)));
    assert_eq!(row(1), (text("/a b"), Cell::Null, Cell::Number(200)));
    assert_eq!(row(2), (text("/a"), text(""), Cell::Null));
    assert_eq!(Table::custom("%q|%h", b"a=b|x\n").named("query", 0), text("a=b"));
}

#[test]
fn numbers_that_are_too_large_reject_the_line() {
    for (format, line, rows) in [
        ("%k", "2147483647", 1),
        ("%k", "2147483648", 0),
        ("%b", "9223372036854775807", 1),
        ("%b", "9223372036854775808", 0),
        ("%b", "00000000000000000001", 0),
        ("%b", "-1", 0),
        ("%b", "+1", 0),
        ("%b", "", 0),
        // The last millisecond of 64 bits, and the one that a fraction would make of it.
        ("%{sec}t.%{msec_frac}t", "9223372036853.999", 1),
        ("%{sec}t.%{msec_frac}t", "9223372036854.999", 0),
    ] {
        assert_eq!(Table::custom(format, line.as_bytes()).rows(), rows, "{format} {line}");
    }
}

#[test]
fn numbers_have_no_zeros_before_them() {
    for format in ["%b", "%B", "%O", "%D", "%T", "%{ms}T", "%I", "%p", "%P", "%k", "%{sec}t", "%{msec}t", "%{usec}t", "%{%s}t"] {
        for (number, rows) in [("0", 1), ("7", 1), ("10", 1), ("007", 0), ("07", 0), ("00", 0), ("-07", 0), ("-0", 0)] {
            assert_eq!(Table::custom(format, number.as_bytes()).rows(), rows, "{format} {number}");
            let between = format!("{format} %h");
            assert_eq!(Table::custom(&between, format!("{number} x").as_bytes()).rows(), rows, "{between} {number}");
        }
    }
    let reason = |format, line: &[u8]| Table::custom(format, line).decoded.rejects[0].reason.to_string();
    assert_eq!(reason("%h %b", b"x 007"), "%b has zeros before its digits");
    assert_eq!(reason("%{A}i %s %b %D", b"x y 200 7 007"), "%D has zeros before its digits");
    // Digits of a known count have them.
    assert_eq!(Table::custom("%s %{sec}t.%{usec_frac}t", b"007 7.000007").rows(), 1);
}

#[test]
fn microseconds_are_kept_where_a_format_has_them() {
    use arrow::array::AsArray;
    use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
    for (format, line, micros) in [
        ("%h %{usec}t", "x 1582934402123456", Some(1_582_934_402_123_456)),
        ("%h %{begin:usec}t", "x 1582934402123456", Some(1_582_934_402_123_456)),
        ("%h %{sec}t.%{usec_frac}t", "x 1582934402.123456", Some(1_582_934_402_123_456)),
        ("%h %{sec}t%{usec_frac}t", "x 1582934402123456", Some(1_582_934_402_123_456)),
        ("%h %{%F %T}t.%{usec_frac}t %{%z}t", "x 2020-02-29 01:00:02.123456 +0100", Some(1_582_934_402_123_456)),
        ("%h %{usec}t", "x -1", Some(-1)),
        ("%h %200{usec}t", "x -", None),
    ] {
        let table = Table::custom(format, line.as_bytes());
        let column = table.decoded.batch.column_by_name("time").unwrap();
        assert_eq!(*column.data_type(), DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), "{format}");
        assert_eq!(column.as_primitive::<TimestampMicrosecondType>().iter().next(), Some(micros), "{format}");
    }
    // Each time has its own unit, and those without microseconds stay as they are.
    let units = |format| {
        let schema = LogFormat::parse("test", format).unwrap().schema();
        let units = schema.fields().iter().filter_map(|field| match field.data_type() {
            DataType::Timestamp(unit, _) => Some(*unit),
            _ => None,
        });
        units.collect::<Vec<_>>()
    };
    assert_eq!(units("%t %{end:usec}t"), [TimeUnit::Millisecond, TimeUnit::Microsecond]);
    assert_eq!(units("%{msec}t"), [TimeUnit::Millisecond]);
    assert_eq!(units("%{sec}t.%{msec_frac}t"), [TimeUnit::Millisecond]);
}

#[test]
fn a_list_that_may_end_elsewhere_is_no_value() {
    for (format, line, rows) in [
        ("%{X-Forwarded-For}i,%h", "10.0.0.1,10.0.0.2", 1),
        ("%{X-Forwarded-For}i,%h", "10.0.0.1,10.0.0.2,10.0.0.3", 0),
        ("%{X-Forwarded-For}i,%h", "10.0.0.1, 10.0.0.2", 1),
        ("%h,%{X-Forwarded-For}i,%l,%u,%t", "a,b,-,-,[10/Oct/2000:13:55:36 -0700]", 1),
        ("%h,%{X-Forwarded-For}i,%l,%u,%t", "a,b,c,-,-,[10/Oct/2000:13:55:36 -0700]", 1),
        ("%h,%{X-Forwarded-For}i,%u,%t", "a,b,c,-,[10/Oct/2000:13:55:36 -0700]", 0),
        ("%{X-Forwarded-For}i,%t", "a,b,c,[10/Oct/2000:13:55:36 -0700]", 1),
        ("\"%{X-Forwarded-For}i\",%h", "\"a, b\",c", 1),
        ("%{X-Forwarded-For}i %h %l", "10.0.0.1, 10.0.0.3  -", 0),
        ("%{X-Forwarded-For}i %l %u %t", "10.0.0.1, 10.0.0.3  - bob [10/Oct/2000:13:55:36 -0700]", 0),
        ("%{X-Forwarded-For}i %h", "a,  b c", 0),
        ("%{Referer}i %h", " x", 1),
        ("%v:%p %h", ":80 x", 0),
    ] {
        let table = Table::custom(format, line.as_bytes());
        assert_eq!(table.rows(), rows, "{format} {line}: {:?}", table.decoded.rejects);
    }
}

#[test]
fn times_are_of_days_that_exist() {
    for (time, rows) in [
        ("[29/Feb/2020:23:59:60 +0000]", 1),
        ("[29/Feb/2019:00:00:00 +0000]", 0),
        ("[29/Feb/2019:00:00:00 +0000", 0),
        ("[31/Apr/2019:00:00:00 +0000]", 0),
        ("[00/Apr/2019:00:00:00 +0000]", 0),
        ("[01/Apr/2019:24:00:00 +0000]", 0),
        ("[01/Apr/2019:23:59:61 +0000]", 0),
        ("[01/Apr/2019:00:00:00 +0060]", 0),
        ("[01/Apr/2019:00:00:00 0000]", 0),
        ("[\u{e9}/Apr/2019:00:00:00 +0000]", 0),
        ("-", 0),
    ] {
        assert_eq!(Table::custom("%t", time.as_bytes()).rows(), rows, "{time}");
    }
}

#[test]
fn a_time_that_was_seen_is_not_trusted_for_another() {
    // Most lines have the time of the one before; each of these differs from it in one part, or is wrong in one.
    let log = b"[29/Feb/2020:00:00:00 +0000]\n[29/Feb/2020:00:00:00 +0100]\n[29/Feb/2021:00:00:00 +0100]\n[29/Feb/2020:01:00:00 +0000]\n\
                [30/Feb/2020:01:00:00 +0000]\n[29/Feb/2020:01:00:0x +0000]\n[29/Feb/2020:01:00:01 +0000]\n";
    let table = Table::custom("%t", log);
    let rejected: Vec<u64> = table.decoded.rejects.iter().map(|r| r.line).collect();
    assert_eq!(rejected, [2, 4, 5]);
    let times: Vec<Cell> = (0..4).map(|row| table.named("time", row)).collect();
    let expected = ["2020-02-29T00:00:00Z", "2020-02-28T23:00:00Z", "2020-02-29T01:00:00Z", "2020-02-29T01:00:01Z"];
    assert_eq!(times, expected.map(|time| Cell::Time(fixture::millis(time))));
}

#[test]
fn bytes_that_are_not_utf8_are_escaped_alone() {
    let log = b"m\xc3\xbcller \xff\xc3 x\n";
    let table = Table::custom("%h %u %l", log);
    assert_eq!([0, 1, 2].map(|column| table.cell(column, 0)), [text("müller"), text(r"\xff\xc3"), text("x")]);
    let options = DecodeOptions { projection: None, unescape: true };
    let format = LogFormat::parse("test", "%h %u").unwrap();
    let table = Table::decoded(&format.into(), b"m\\xc3\\xbcller a\\\"\\xff\n", options);
    assert_eq!([0, 1].map(|column| table.cell(column, 0)), [text("müller"), text(r#"a"\xff"#)]);
}

#[test]
fn a_log_format_of_two_lines_is_refused() {
    for format in [r"%h\n%u", "%h\n", "\n%h"] {
        let error = LogFormat::parse("test", format).unwrap_err();
        assert!(error.kind() == ErrorKind::Format && error.to_string().contains("line break"), "{error}");
    }
}

#[test]
fn a_block_that_offsets_cannot_span_is_an_error() {
    let block = vec![b'x'; (i32::MAX / 4) as usize + 1];
    let error = LogDecoder::new(Preset::Common.format(), DecodeOptions::default()).decode(&block.into()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
}

#[test]
fn the_same_directive_thousands_of_times_is_thousands_of_columns() {
    let format = LogFormat::parse("test", &"%s ".repeat(20_000)).unwrap();
    assert_eq!(format.columns()[19_999].name, "status_20000");
}
