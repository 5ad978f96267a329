//! Lines of each preset: what their values are, and that no other preset takes them.

use super::{DecodeOptions, LogDecoder, LogFormats, Preset, detect, heading};
use crate::decode::{Decoded, Decoder};
use arrow::array::ArrayRef;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use bytes::Bytes;
use std::path::Path;

fn sample(preset: Preset) -> Bytes {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/formats");
    std::fs::read(folder.join(format!("{}.log", preset.name()))).unwrap().into()
}

fn decoded(preset: Preset, lines: &Bytes) -> Decoded {
    LogDecoder::new(preset.format(), DecodeOptions::default()).decode(lines).unwrap()
}

/// What a column of the sample's row holds.
fn value(preset: Preset, row: usize, column: &str) -> String {
    let decoded = decoded(preset, &sample(preset));
    let options = FormatOptions::default().with_null("NULL");
    let column = decoded.batch.column_by_name(column).unwrap();
    ArrayFormatter::try_new(column, &options).unwrap().value(row).to_string()
}

#[test]
fn each_sample_is_of_its_preset_and_of_no_other() {
    for preset in Preset::ALL {
        let lines = sample(preset);
        let own = decoded(preset, &lines);
        let why: Vec<String> = own.rejects.iter().map(|reject| format!("{}: {}", reject.line + 1, reject.reason)).collect();
        assert_eq!(why, Vec::<String>::new(), "{}", preset.name());
        assert!(own.batch.num_rows() > 0);
        let found = detect(&lines).unwrap().unwrap();
        // The lines of nginx's combined are those of Apache's.
        let expected = if preset == Preset::NginxCombined { "combined" } else { preset.name() };
        assert_eq!((found.format.name(), found.fitting), (expected, own.batch.num_rows() as u64));
        for other in Preset::ALL.into_iter().filter(|other| other.log_format() != preset.log_format()) {
            assert_eq!(decoded(other, &lines).batch.num_rows(), 0, "{} reads lines of {}", other.name(), preset.name());
        }
    }
}

#[test]
fn values_of_aws_are_read() {
    use Preset::{Alb, Clb, CloudFront, Nlb, S3, VpcFlow};
    for (preset, row, column, expected) in [
        (Alb, 0, "type", "http"),
        (Alb, 0, "time", "2026-03-02T22:23:00.186641Z"),
        (Alb, 0, "client_ip", "192.0.2.39"),
        (Alb, 0, "client_port", "2817"),
        (Alb, 0, "target_processing_time", "0.001"),
        (Alb, 0, "method", "GET"),
        (Alb, 0, "origin", "http://www.example.com:80"),
        (Alb, 0, "path", "/cart"),
        (Alb, 0, "query", "item=7"),
        (Alb, 0, "request_creation_time", "2026-03-02T22:22:48.364Z"),
        (Alb, 0, "domain_name", "NULL"),
        (Alb, 0, "conn_trace_id", "TID_1234abcd5678ef90"),
        (Alb, 0, "extra", "NULL"),
        (Alb, 1, "client_ip", "2001:db8::7"),
        (Alb, 1, "client_port", "41000"),
        (Alb, 1, "target_ip", "NULL"),
        (Alb, 1, "target_port", "NULL"),
        (Alb, 1, "request_processing_time", "-1.0"),
        (Alb, 1, "target_status_code", "NULL"),
        (Alb, 1, "matched_rule_priority", "-1"),
        (Alb, 1, "classification_reason", "SpaceInUri"),
        (Alb, 1, "conn_trace_id", "NULL"),
        (Alb, 2, "domain_name", "www.example.com"),
        (Alb, 2, "redirect_url", "NULL"),
        (Alb, 2, "classification", "NULL"),
        (Alb, 3, "request", "- http://www.example.com:80- -"),
        (Alb, 3, "transformed_uri", "/v2"),
        (Alb, 3, "extra", "new-field \"a newer one\""),
        (Clb, 0, "request_processing_time", "0.000073"),
        (Clb, 1, "backend_ip", "NULL"),
        (Clb, 1, "ssl_protocol", "TLSv1.2"),
        (Clb, 2, "request", "- - - "),
        (Clb, 3, "user_agent", "NULL"),
        (Nlb, 0, "time", "2026-03-20T02:59:40Z"),
        (Nlb, 0, "alpn_client_preference_list", "\"h2\",\"http/1.1\""),
        (Nlb, 0, "tls_connection_creation_time", "2026-03-20T02:59:30Z"),
        (Nlb, 1, "destination_port", "NULL"),
        (Nlb, 1, "tls_connection_creation_time", "NULL"),
        (S3, 0, "time", "2026-02-06T00:00:38Z"),
        (S3, 0, "path", "/my-bucket/photos/2026/a%20b.jpg"),
        (S3, 0, "object_size", "4096"),
        (S3, 0, "acl_required", "Yes"),
        (S3, 1, "remote_ip", "NULL"),
        (S3, 1, "request", "NULL"),
        (S3, 1, "http_status", "NULL"),
        (S3, 2, "user_agent", "agent \"with\" quotes"),
        (S3, 2, "host_id", "NULL"),
        (S3, 3, "extra", "us-east-1"),
        (CloudFront, 0, "time", "2026-03-04T21:02:31Z"),
        (CloudFront, 0, "cs_uri_stem", "/index.html"),
        (CloudFront, 0, "time_taken", "0.001"),
        (CloudFront, 0, "sc_content_len", "78"),
        (CloudFront, 1, "sc_status", "0"),
        (CloudFront, 1, "c_port", "NULL"),
        (VpcFlow, 0, "time", "2014-12-14T04:06:50Z"),
        (VpcFlow, 0, "time_end", "2014-12-14T04:07:50Z"),
        (VpcFlow, 1, "srcaddr", "NULL"),
        (VpcFlow, 1, "log_status", "NODATA"),
    ] {
        assert_eq!(value(preset, row, column), expected, "{} {row} {column}", preset.name());
    }
}

#[test]
fn headings_are_neither_rows_nor_rejects() {
    let decoded = decoded(Preset::CloudFront, &sample(Preset::CloudFront));
    assert_eq!((decoded.lines, decoded.blank, decoded.batch.num_rows(), decoded.rejects.len()), (4, 2, 2, 0));
}

/// Decodes `blocks` one after the other, each with the heading that stands before it, by the formats of `known` headings.
fn headed(known: &[(&str, &str)], blocks: &[(Option<&str>, &str)]) -> (Vec<String>, Vec<String>) {
    let formats = known.iter().map(|(line, sample)| heading::format_of(line.as_bytes(), Some(sample.as_bytes())).unwrap()).collect();
    let formats = LogFormats::new(formats).unwrap();
    let (mut rows, mut rejects) = (Vec::new(), Vec::new());
    for (before, block) in blocks {
        // Another worker has not seen what was before.
        let mut decoder = LogDecoder::new(formats.clone(), DecodeOptions::default());
        let before = before.map(|line| Bytes::copy_from_slice(line.as_bytes()));
        decoder.head(before.as_ref());
        let decoded = decoder.decode(&Bytes::copy_from_slice(block.as_bytes())).unwrap();
        let options = FormatOptions::default().with_null("NULL");
        for row in 0..decoded.batch.num_rows() {
            let value = |column: &ArrayRef| ArrayFormatter::try_new(column, &options).unwrap().value(row).to_string();
            rows.push(decoded.batch.columns().iter().map(value).collect::<Vec<_>>().join("|"));
        }
        rejects.extend(decoded.rejects.iter().map(|reject| reject.reason.to_string()));
    }
    (rows, rejects)
}

#[test]
fn lines_are_read_by_the_heading_before_them() {
    let first = "#Fields: date time cs-method sc-status";
    let same_width = "#Fields: date time sc-status cs-method";
    let known = [(first, "2026-01-01 00:00:00 GET 200"), (same_width, "2026-01-01 00:00:00 200 GET")];
    let (rows, rejects) = headed(
        &known,
        &[
            (
                None,
                "#Software: x\r\n#Fields: date time cs-method sc-status\r\n2026-01-01 00:00:01 - 200\r\n#Fields: date time sc-status cs-method\r\n",
            ),
            (
                Some(same_width),
                "2026-01-01 00:00:02 - 404\n2026-01-01 00:00:03 200 404\n#Fields: date time sc-status\n2026-01-01 00:00:04 500\n",
            ),
            (Some(first), "2026-01-01 00:00:05 PUT 201\n#Fields: date time c-ip\n2026-01-01 00:00:06 192.0.2.1\n"),
        ],
    );
    assert_eq!(
        rows,
        [
            "2026-01-01T00:00:01Z|NULL|200",
            "2026-01-01T00:00:02Z|404|NULL",
            "2026-01-01T00:00:03Z|404|200",
            "2026-01-01T00:00:04Z|NULL|500",
            "2026-01-01T00:00:05Z|PUT|201",
        ]
    );
    assert_eq!(rejects, ["behind a heading with the field c_ip, which the table hasn't"]);
}

#[test]
fn flow_logs_in_another_order_are_not_read_by_the_first() {
    let known = [("srcaddr dstaddr srcport", "192.0.2.1 192.0.2.2 80")];
    let (rows, rejects) = headed(
        &known,
        &[
            (None, "srcaddr dstaddr srcport\n192.0.2.1 192.0.2.2 80\n"),
            (None, "dstaddr srcaddr srcport\n192.0.2.4 192.0.2.3 81\n"),
            (None, "srcaddr dstaddr dstport\n192.0.2.5 192.0.2.6 82\n"),
        ],
    );
    assert_eq!(rows, ["192.0.2.1|192.0.2.2|80", "192.0.2.3|192.0.2.4|81"]);
    assert_eq!(rejects, ["behind a heading with the field dstport, which the table hasn't"]);
}

#[test]
fn tabs_and_blanks_are_told_by_the_line_behind_a_heading() {
    let heading = "#Fields: date time cs-method";
    let (rows, rejects) = headed(
        &[(heading, "2026-01-01\t00:00:00\tGET")],
        &[(Some(heading), "2026-01-01\t00:00:01\tA B\n"), (Some(heading), "2026-01-01 00:00:02 GET\n")],
    );
    assert_eq!((rows, rejects), (vec!["2026-01-01T00:00:01Z|A B".to_string(), "2026-01-01T00:00:02Z|GET".to_string()], vec![]));
}
