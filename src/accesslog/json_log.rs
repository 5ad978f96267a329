//! Tells the format of access logs whose lines are JSON objects: Caddy's, Traefik's, `escape=json` of nginx, JSON LogFormats of Apache,
//! CloudFront's, and those of others who name their keys as these do.

use super::column::Nothing;
use super::directive::snake_case;
use super::heading;
use super::json_format::EXTRA;
use super::json_keys::MARK;
use super::json_text::{DEEPEST, Next, Token, blanks, next, only_text, value};
use super::line::LineValues;
use super::{LogFormat, Prefix, behind};
use bytes::Bytes;
use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;

/// The most columns of a format; keys that come after so many stay in the column for all others.
const MOST_COLUMNS: usize = 120;

/// What keys mean that access logs have: the field, and the keys that it has in logs, the likeliest first, with a point before each key within
/// an object. <https://caddyserver.com/docs/caddyfile/directives/log>,
/// <https://doc.traefik.io/traefik/observe/logs-and-access-logs/>, <https://www.elastic.co/docs/reference/ecs/ecs-http>.
const MEANINGS: [(&str, &[&str]); 13] = [
    (
        "{host}",
        &[
            "remote_addr",
            "remote_ip",
            "remote_host",
            "client_ip",
            "clientip",
            "clienthost",
            "client",
            "ip",
            "request.remote_ip",
            "request.client_ip",
            "request.remote_addr",
            "source.ip",
            "client.ip",
        ],
    ),
    ("{auth_user}", &["remote_user", "auth_user", "clientusername", "user", "user_id", "user.name"]),
    ("{request:request}", &["request", "request_line"]),
    ("{method}", &["request_method", "requestmethod", "method", "verb", "request.method", "http.request.method"]),
    (
        "{path:target}",
        &["request_uri", "requestpath", "uri", "url", "path", "request.uri", "request.url", "request.path", "url.original", "url.path"],
    ),
    ("{protocol}", &["server_protocol", "requestprotocol", "protocol", "http_version", "request.proto", "request.protocol", "proto"]),
    (
        "{status:int}",
        &["status", "response", "status_code", "response_code", "downstreamstatus", "response.status", "http.response.status_code"],
    ),
    (
        "{bytes:bigint}",
        &[
            "body_bytes_sent",
            "bytes",
            "bytes_sent",
            "size",
            "response_size",
            "downstreamcontentsize",
            "response.bytes",
            "http.response.body.bytes",
        ],
    ),
    (
        "{referer}",
        &["http_referer", "referer", "referrer", "request_referer", "request.headers.referer", "http.request.referrer", "request.referer"],
    ),
    (
        "{user_agent}",
        &[
            "http_user_agent",
            "user_agent",
            "useragent",
            "agent",
            "request_user-agent",
            "request.headers.user-agent",
            "user_agent.original",
            "request.user_agent",
        ],
    ),
    ("{vhost}", &["server_name", "vhost", "requesthost", "request.host", "url.domain"]),
    ("{x_forwarded_for}", &["http_x_forwarded_for", "x_forwarded_for", "request_x-forwarded-for", "request.headers.x-forwarded-for"]),
    ("{duration_ms:seconds}", &["request_time"]),
];

/// Keys of the time of a request, the likeliest first.
const TIMES: [&str; 14] = [
    "time",
    "timestamp",
    "@timestamp",
    "time_iso8601",
    "time_local",
    "msec",
    "ts",
    "datetime",
    "date",
    "start_time",
    "starttime",
    "startutc",
    "startlocal",
    "request.time",
];

/// Types of times, in the order in which they are tried.
const TIME_TYPES: [&str; 7] = ["iso", "iso_nanos", "clf", "local", "unix", "unix_nanos", "unix_millis"];

/// Columns that have a meaning: a key that is called so and means something else gets another name.
const NAMES: [&str; 17] = [
    "host",
    "auth_user",
    "time",
    "method",
    "path",
    "query",
    "protocol",
    "status",
    "bytes",
    "referer",
    "user_agent",
    "vhost",
    "x_forwarded_for",
    "duration_ms",
    "request",
    "time_text",
    EXTRA,
];

/// Whether one of the first lines of `sample` is a JSON object, as far as its first key tells: a log may begin with a line that was torn.
pub fn is_json(sample: &[u8]) -> bool {
    const LINES: usize = 16;
    sample.split(|byte| *byte == b'\n').take(LINES).any(|line| {
        let at = blanks(line, 0);
        line.get(at) == Some(&b'{') && matches!(next(line, at + 1, true), Some(Next::Key(_)))
    })
}

/// The format of the lines of all `samples`, behind `prefix`; nothing where they aren't of an access log. Lines that are no JSON tell nothing.
pub fn json_format(prefix: Prefix, samples: &[Bytes]) -> Option<Arc<LogFormat>> {
    let mut seen = Seen::default();
    for line in samples.iter().flat_map(|sample| sample.split(|byte| *byte == b'\n')) {
        let at = blanks(line, 0);
        let text = std::str::from_utf8(line).ok().filter(|_| line.get(at) == Some(&b'{'));
        // A line that is broken off tells what it has before that.
        text.and_then(|text| seen.object(text, at, &mut Vec::new()));
    }
    let fields = seen.fields()?;
    let mut text = MARK.to_string();
    write(&mut text, &fields.iter().collect::<Vec<_>>(), 0);
    behind(prefix, "json_log", &text).ok()
}

/// The values that a key had.
#[derive(Debug, Default)]
struct Values<'a> {
    /// The keys of the objects that it is in, and its own, as they are written.
    path: Vec<&'a str>,
    texts: Vec<&'a str>,
    numbers: Vec<&'a str>,
    /// How often it was `true` or `false`.
    words: usize,
    /// Whether its texts stood in arrays of one.
    only: bool,
}

impl Values<'_> {
    /// The keys with points between them, in lower case.
    fn name(&self) -> String {
        self.path.join(".").to_ascii_lowercase()
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().chain(&self.numbers).copied()
    }

    /// Whether most values can be those of `field`.
    fn fit(&self, field: &str) -> bool {
        let (mut fitting, mut all) = (0, 0);
        // A field called `status` has three digits in other notations.
        let format = field.split_once(':').and_then(|(_, kind)| LogFormat::parse("field", &format!("{{n:{kind}")).ok());
        let mut line = format.as_ref().map(|format| (format, LineValues::new(format)));
        for text in self.all().filter(|text| !is_nothing(text)) {
            all += 1;
            fitting += usize::from(line.as_mut().is_some_and(|(format, line)| line.read(format, text.as_bytes()).is_ok()));
        }
        self.words == 0 && (all == 0 || fitting * 2 > all)
    }
}

/// The keys of the lines, in the order in which they came.
#[derive(Debug, Default)]
struct Seen<'a> {
    values: Vec<Values<'a>>,
    places: HashMap<Vec<&'a str>, usize>,
    /// Keys that were objects.
    objects: HashSet<Vec<&'a str>>,
}

/// A key and the field of its value.
#[derive(Debug)]
struct Keyed<'a> {
    path: Vec<&'a str>,
    only: bool,
    field: String,
}

impl<'a> Seen<'a> {
    /// Looks at the object at `start`; gives its end.
    fn object(&mut self, line: &'a str, start: usize, path: &mut Vec<&'a str>) -> Option<usize> {
        let bytes = line.as_bytes();
        let mut at = start + 1;
        loop {
            let key = match next(bytes, at, at == start + 1)? {
                Next::End(end) => return Some(end),
                Next::Key(key) => key,
            };
            path.push(&line[key.key]);
            let token = value(bytes, key.value)?;
            at = token.whole().end;
            match &token {
                Token::Nested(range) if bytes[range.start] == b'{' => {
                    if path.len() < DEEPEST {
                        if !self.objects.contains(&path[..]) {
                            self.objects.insert(path.clone());
                        }
                        self.object(line, range.start, path)?;
                    }
                }
                token => self.see(line, path, token),
            }
            path.pop();
        }
    }

    fn see(&mut self, line: &'a str, path: &[&'a str], token: &Token) {
        let text = |range: &Range<usize>| &line[range.clone()];
        let only = match token {
            Token::Nested(array) => match only_text(line.as_bytes(), array) {
                Some(inside) => Some(inside),
                // Of what has many values there is no column.
                None => return,
            },
            _ => None,
        };
        let place = match self.places.get(path) {
            Some(place) => *place,
            None => {
                self.places.insert(path.to_vec(), self.values.len());
                self.values.push(Values { path: path.to_vec(), ..Values::default() });
                self.values.len() - 1
            }
        };
        let values = &mut self.values[place];
        match (token, &only) {
            (_, Some(inside)) => {
                values.texts.push(text(inside));
                values.only = true;
            }
            (Token::Text(inside), _) => values.texts.push(text(inside)),
            (Token::Bare(range), _) if text(range).starts_with(['t', 'f']) => values.words += 1,
            (Token::Bare(range), _) => values.numbers.push(text(range)),
            _ => {}
        }
    }

    /// The fields of the keys; nothing where too few of them mean what those of access logs do.
    fn fields(&self) -> Option<Vec<Keyed<'a>>> {
        let values: Vec<&Values<'a>> = self.values.iter().filter(|values| !self.objects.contains(&values.path)).collect();
        let names: Vec<String> = values.iter().map(|values| values.name()).collect();
        let mut fields: Vec<Option<String>> = vec![None; values.len()];
        if heading::is_w3c(&names) {
            for (field, name) in fields.iter_mut().zip(&names) {
                *field = Some(heading::keyed_field(name, &names));
            }
        } else {
            let mut known = 0;
            for (field, keys) in MEANINGS {
                let found = keys.iter().find_map(|key| {
                    let is_it = |place: &usize| names[*place] == *key && fields[*place].is_none() && means(field, values[*place]);
                    (0..values.len()).find(is_it)
                });
                if let Some(place) = found {
                    fields[place] = Some(field.to_string());
                    // A key that never has a value may be one of any other kind of log.
                    known += usize::from(values[place].all().any(|text| !is_nothing(text)));
                }
            }
            let time = TIMES.iter().find_map(|key| {
                let place = (0..values.len()).find(|place| names[*place] == *key && fields[*place].is_none())?;
                Some((place, time_type(values[place])?))
            });
            if let Some((place, kind)) = time {
                fields[place] = Some(format!("{{time:{kind}}}"));
                known += 1;
            }
            if known < 3 {
                return None;
            }
        }
        let mut all = Vec::new();
        for (values, known) in values.iter().zip(fields) {
            // The headers of a request are as many as clients like; those without a meaning stay together.
            let is_header = values.path.iter().rev().skip(1).any(|key| key.to_ascii_lowercase().contains("headers")) || values.only;
            if let Some(field) = known.or_else(|| (!is_header && all.len() < MOST_COLUMNS).then(|| other(values))) {
                all.push(Keyed { path: values.path.clone(), only: values.only, field });
            }
        }
        Some(all)
    }
}

/// Whether the values of a key can be those of the `field` that such a key mostly has.
fn means(field: &str, values: &Values<'_>) -> bool {
    let is_text = values.numbers.is_empty() && values.words == 0;
    match field {
        "{request:request}" => is_text && values.texts.iter().any(|text| text.contains(" HTTP/")),
        _ if field.ends_with(":int}") || field.ends_with(":bigint}") || field.ends_with(":seconds}") => values.fit(field),
        _ => is_text,
    }
}

/// Whether `text` is what servers write for nothing.
fn is_nothing(text: &str) -> bool {
    Nothing::Either.is(text.as_bytes())
}

/// The type of the times that a key has.
fn time_type(values: &Values<'_>) -> Option<&'static str> {
    let whole = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let is_likely = |kind: &str, text: &str| match kind {
        // What has more digits counts smaller units than seconds.
        "unix" | "unix_nanos" => whole(text) <= 11,
        "unix_millis" => (12..=14).contains(&whole(text)),
        _ => true,
    };
    let fitting = |kind: &str| {
        let Ok(format) = LogFormat::parse("time", &format!("{{time:{kind}}}")) else { return 0 };
        let mut line = LineValues::new(&format);
        values.all().filter(|text| is_likely(kind, text) && line.read(&format, text.as_bytes()).is_ok()).count()
    };
    // Of those that fit as many, the first.
    let (most, best) = TIME_TYPES.into_iter().rev().map(|kind| (fitting(kind), kind)).max_by_key(|(fitting, _)| *fitting)?;
    (most * 2 > values.all().count() + values.words).then_some(best)
}

/// The field of a key without a meaning.
fn other(values: &Values<'_>) -> String {
    let plain = snake_case(&values.path.join("_"));
    let plain = if plain.starts_with(|c: char| c.is_ascii_digit()) { format!("_{plain}") } else { plain };
    let name = if NAMES.contains(&plain.as_str()) { format!("{plain}_field") } else { plain };
    let is_number = values.texts.is_empty() && values.words == 0 && !values.numbers.is_empty();
    let is_whole = |text: &&str| text.parse::<i64>().is_ok();
    match is_number {
        true if values.numbers.iter().all(is_whole) => format!("{{{name}:bigint}}"),
        // A number of more digits than a double has would be another one.
        true if values.numbers.iter().all(|text| text.len() <= 24 && text.contains(['.', 'e', 'E'])) => format!("{{{name}:double}}"),
        true if values.numbers.iter().all(|text| text.len() <= 17) => format!("{{{name}:double}}"),
        _ => format!("{{{name}}}"),
    }
}

/// Writes an object of `fields`, whose keys from that of `depth` on it has.
fn write(text: &mut String, fields: &[&Keyed<'_>], depth: usize) {
    let mut done: HashSet<&str> = HashSet::new();
    let mut between = '{';
    for field in fields {
        let key = field.path[depth];
        if !done.insert(key) {
            continue;
        }
        // Writing to a String can't fail.
        let _ = write!(text, "{between}\"{key}\":");
        between = ',';
        match (field.path.len() == depth + 1, field.only) {
            (true, false) => {
                let _ = write!(text, "\"{}\"", field.field);
            }
            (true, true) => {
                let _ = write!(text, "[\"{}\"]", field.field);
            }
            (false, _) => {
                let within: Vec<&Keyed<'_>> =
                    fields.iter().filter(|of| of.path[depth] == key && of.path.len() > depth + 1).copied().collect();
                self::write(text, &within, depth + 1);
            }
        }
    }
    text.push('}');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accesslog::{DecodeOptions, LogDecoder};
    use crate::decode::Decoder;
    use arrow::util::display::{ArrayFormatter, FormatOptions};

    /// The columns with their types, the rows, and the reasons of rejects.
    fn read(lines: &str) -> Option<(String, Vec<String>, Vec<String>)> {
        let sample = Bytes::from(lines.to_string());
        let format = json_format(Prefix::None, std::slice::from_ref(&sample))?;
        let again = LogFormat::parse("again", format.text()).unwrap();
        assert_eq!((again.text(), again.schema()), (format.text(), format.schema()));
        let columns: Vec<String> = format
            .columns()
            .iter()
            .map(|column| {
                let kind = column.data_type.to_string();
                let kind = kind.replace("Utf8View", "text").replace("Timestamp", "").replace(", \"UTC\"", "");
                format!("{} {kind}", column.name)
            })
            .collect();
        let decoded = LogDecoder::new(format, DecodeOptions::default()).decode(&sample).unwrap();
        assert_eq!(decoded.lines, decoded.batch.num_rows() as u64 + decoded.rejects.len() as u64 + decoded.blank);
        let options = FormatOptions::default().with_null("NULL");
        let row = |row: usize| {
            let cells =
                decoded.batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap().value(row).to_string());
            cells.collect::<Vec<_>>().join("|")
        };
        let rejects = decoded.rejects.iter().map(|reject| reject.reason.to_string()).collect();
        Some((columns.join(", "), (0..decoded.batch.num_rows()).map(row).collect(), rejects))
    }

    #[test]
    fn the_same_has_the_same_name_whoever_writes_it() {
        let (columns, rows, rejects) = read(
            r#"{"time": "2026-03-01T10:00:00+01:00", "remote_addr": "192.0.2.1", "request": "GET /a?b=c HTTP/1.1", "status": 200, "body_bytes_sent": 5, "http_user_agent": "a \"b\"", "request_time": 0.250, "more": "", "n": 1, "host": "example.org"}
{"status": 404, "remote_addr": "192.0.2.2", "request": "x", "n": 2.5, "body_bytes_sent": 0, "http_user_agent": "-", "request_time": 0.001, "time": "2026-03-01T10:00:01+01:00", "more": "x"}
bad
{"status":404
"#,
        )
        .unwrap();
        assert_eq!(
            columns,
            "time (µs), host text, method text, path text, query text, protocol text, status Int32, bytes Int64, user_agent text, \
             duration_ms Int64, more text, n Float64, host_field text, request text, extra text"
        );
        assert_eq!(
            rows,
            [
                r#"2026-03-01T09:00:00Z|192.0.2.1|GET|/a|b=c|HTTP/1.1|200|5|a "b"|250|NULL|1.0|example.org|NULL|NULL"#,
                "2026-03-01T09:00:01Z|192.0.2.2|NULL|NULL|NULL|NULL|404|0|NULL|1|x|2.5|NULL|x|NULL",
            ]
        );
        assert_eq!(rejects, ["not a JSON object", "not a JSON object"]);
    }

    #[test]
    fn objects_within_are_read_and_headers_too() {
        let (columns, rows, rejects) = read(concat!(
            r#"{"level":"info","ts":1772355600.5241024,"logger":"http.log.access","request":{"remote_ip":"192.0.2.1","remote_port":"5000","client_ip":"192.0.2.1","proto":"HTTP/2.0","method":"GET","host":"example.org","uri":"/a?b=%20","headers":{"User-Agent":["curl/8"],"Accept":["*/*"]},"tls":{"resumed":false,"version":772}},"user_id":"","duration":0.000929675,"size":10900,"status":200,"resp_headers":{"Server":["Caddy"]}}"#,
            "\n",
            r#"{"level":"info","ts":1772355601.25,"logger":"http.log.access","request":{"method":"PUT","uri":"/","proto":"HTTP/1.1","remote_ip":"192.0.2.2","headers":{"User-Agent":["a","b"],"Referer":["https://example.org/"]}},"user_id":"ana","duration":9.2e-05,"size":0,"status":0}"#,
            "\n",
            r#"{"level":"info","ts":1772355602,"msg":"serving initial configuration"}"#,
            "\n",
        ))
        .unwrap();
        assert_eq!(
            columns,
            "level text, time (µs), time_text text, logger text, host text, request_remote_port text, request_client_ip text, protocol text, \
             method text, vhost text, path text, query text, user_agent text, referer text, request_tls_resumed text, \
             request_tls_version Int64, auth_user text, duration Float64, bytes Int64, status Int32, msg text, extra text"
        );
        assert_eq!(
            rows,
            [
                r#"info|2026-03-01T09:00:00.524102Z|1772355600.5241024|http.log.access|192.0.2.1|5000|192.0.2.1|HTTP/2.0|GET|example.org|/a|b=%20|curl/8|NULL|false|772|NULL|0.000929675|10900|200|NULL|{"request.headers.Accept":["*/*"],"resp_headers":{"Server":["Caddy"]}}"#,
                r#"info|2026-03-01T09:00:01.250Z|1772355601.25|http.log.access|192.0.2.2|NULL|NULL|HTTP/1.1|PUT|NULL|/|NULL|NULL|https://example.org/|NULL|NULL|ana|0.000092|0|0|NULL|{"request.headers.User-Agent":["a","b"]}"#,
            ]
        );
        assert_eq!(rejects, ["a JSON object without a client, method, path or status: not an entry of an access log"]);
    }

    #[test]
    fn what_does_not_fit_a_column_is_kept_beside_it() {
        let lines = concat!(
            r#"{"ip":"192.0.2.1","method":"GET","status":200,"bytes":"12","n":1,"none":null,"t":"x"}"#,
            "\n",
            r#"{"ip":"192.0.2.2","method":"GET","status":"-","bytes":"","n":2,"none":null,"t":"y"}"#,
            "\n"
        );
        let format = json_format(Prefix::None, &[Bytes::from(lines)]).unwrap();
        let later = Bytes::from(concat!(
            r#"{"ip":"192.0.2.3","method":7,"status":"ok","bytes":1e3,"n":9223372036854775808,"none":"now","t":{"a":[1]},"new":"k\"ey","gone":null}"#,
            "\r\n",
            r#"{"ip":"192.0.2.4","ip":"192.0.2.5","n":007}"#,
            "\n",
            r#" { "ip" : "192.0.2.6" , "n" : -3 } "#,
            "\n\n",
            r#"{"ip":"192.0.2.7","ip":"192.0.2.8"}"#,
        ));
        let mut decoder = LogDecoder::new(format, DecodeOptions::default());
        let decoded = decoder.decode(&later).unwrap();
        let text = |name: &str, row: usize| {
            let options = FormatOptions::default().with_null("NULL");
            let column = decoded.batch.column_by_name(name).unwrap();
            ArrayFormatter::try_new(column, &options).unwrap().value(row).to_string()
        };
        assert_eq!((decoded.batch.num_rows(), decoded.rejects.len(), decoded.blank), (3, 1, 1));
        assert_eq!(text("extra", 0), r#"{"status":"ok","bytes":1e3,"n":9223372036854775808,"t":{"a":[1]},"new":"k\"ey"}"#);
        assert_eq!([text("method", 0), text("none", 0), text("status", 0)], ["7", "now", "NULL"]);
        assert_eq!((text("n", 1), text("host", 1), text("extra", 1)), ("-3".into(), "192.0.2.6".into(), "NULL".into()));
        assert_eq!((text("host", 2), text("extra", 2)), ("192.0.2.7".into(), r#"{"ip":"192.0.2.8"}"#.into()));
    }

    #[test]
    fn other_servers_and_services_are_known() {
        let (columns, rows, _) = read(concat!(
            r#"{"ClientHost":"192.0.2.1","DownstreamStatus":200,"Duration":929675,"RequestMethod":"GET","RequestPath":"/a?b","StartUTC":"2026-03-01T09:00:00.123456789Z","TLSVersion":"1.3","level":"info","time":"2026-03-01T09:00:00Z"}"#,
            "\n"
        ))
        .unwrap();
        assert_eq!(
            columns,
            "host text, status Int32, duration Int64, method text, path text, query text, startutc text, tlsversion text, level text, \
             time (µs), extra text"
        );
        assert_eq!(rows, ["192.0.2.1|200|929675|GET|/a|b|2026-03-01T09:00:00.123456789Z|1.3|info|2026-03-01T09:00:00Z|NULL"]);
        let (columns, rows, _) = read(
            r#"{"date":"2026-03-01","time":"09:00:00","x-edge-location":"FRA56-P1","sc-bytes":"391","c-ip":"192.0.2.1","cs-method":"GET","cs(Host)":"d1.cloudfront.net","cs-uri-stem":"/a","sc-status":"200","cs(Referer)":"-","cs(User-Agent)":"curl/8","cs-uri-query":"-","time-taken":"0.001"}"#,
        )
        .unwrap();
        assert_eq!(
            columns,
            "time (ms), x_edge_location text, sc_bytes Int64, c_ip text, cs_method text, cs_host text, cs_uri_stem text, sc_status Int32, \
             cs_referer text, cs_user_agent text, cs_uri_query text, time_taken Float64, extra text"
        );
        assert_eq!(rows, ["2026-03-01T09:00:00Z|FRA56-P1|391|192.0.2.1|GET|d1.cloudfront.net|/a|200|NULL|curl/8|NULL|0.001|NULL"]);
    }

    #[test]
    fn a_day_without_its_clock_is_kept() {
        let sample = Bytes::from(r#"{"date":"2026-03-01","time":"09:00:00","cs-method":"GET","sc-status":"200"}"#);
        let format = json_format(Prefix::None, &[sample]).unwrap();
        let later =
            Bytes::from("{\"date\":\"2026-03-02\",\"cs-method\":\"PUT\"}\n{\"time\":\"10:00:00\",\"date\":\"-\",\"cs-method\":\"PUT\"}\n");
        let decoded = LogDecoder::new(format, DecodeOptions::default()).decode(&later).unwrap();
        let extra = decoded.batch.column_by_name("extra").unwrap();
        let text = |row: usize| ArrayFormatter::try_new(extra, &FormatOptions::default()).unwrap().value(row).to_string();
        assert_eq!([text(0), text(1)], [r#"{"date":"2026-03-02"}"#, r#"{"time":"10:00:00"}"#]);
    }

    #[test]
    fn json_of_another_kind_is_none() {
        // Keys without a value are what they are called.
        let (columns, rows, _) =
            read(r#"{"remote_addr":"::1","method":"GET","status":200,"bytes":"-","remote_user":null,"request_time":"","request":null}"#)
                .unwrap();
        assert_eq!(
            columns,
            "host text, method text, status Int32, bytes Int64, auth_user text, duration_ms Int64, request_field text, extra text"
        );
        assert_eq!(rows, ["::1|GET|200|NULL|NULL|NULL|NULL|NULL"]);
        for none in [
            "",
            "x",
            "{}",
            r#"{"a":1}"#,
            r#"{"ip":null,"method":"","status":"-","time":null}"#,
            r#"{"level":"info","msg":"x","ts":1}"#,
            r#"{"status":200"#,
            r#"{"a":[1]}"#,
            "[1]",
        ] {
            assert!(read(none).is_none(), "{none}");
        }
        assert!(is_json(b"torn\n {\"a\":") && !is_json(b"{}") && !is_json(b"{x") && !is_json(b"1.2.3.4 - -"));
    }

    #[test]
    fn mistakes_in_a_format_are_shown_at_their_place() {
        for (text, expected) in [
            (r#"json {"a":"{b:bigin}"}"#, "             ^^^^^ no such type of a field; did you mean `bigint`?"),
            (r#"json {"a":5}"#, "            ^^ expected a field in quotes"),
            (r#"json {"a":"b"}"#, "             ^ expected one field"),
            (r#"json {"a":"{b}","a":"{c}"}"#, "^ this key is there already"),
            (r#"json {}"#, "^^ there is no field in it"),
            (r#"json {"a":"{b}"} x"#, "expected nothing behind the object"),
            (r#"json {"a""#, "expected a key in quotes"),
        ] {
            let error = LogFormat::parse("test", text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
