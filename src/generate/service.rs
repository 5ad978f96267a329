//! Writes one request as a line of a service's log: load balancers, CDN, storage and network of AWS.

use super::clock::Clock;
use super::entry::{Entry, Request, push_number};
use crate::accesslog::Preset;
use crate::accesslog::instant::civil_from_days;

/// What stands before the first line of a log.
pub(super) fn heading(format: Preset) -> &'static str {
    match format {
        Preset::CloudFront => {
            "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) \
             cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for \
             ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port \
             time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end\n"
        }
        Preset::VpcFlow => {
            "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n"
        }
        _ => "",
    }
}

const ACCOUNT: &str = "111122223333";
const OWNER: &str = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be";
const CIPHER: &str = "ECDHE-RSA-AES128-GCM-SHA256";

/// Appends `entry` as a line of the service's `format`, without its end. Nothing where the format is a server's.
pub(super) fn write(format: Preset, entry: &Entry<'_>, clock: &Clock, out: &mut Vec<u8>) -> bool {
    let line = Service { entry, clock, id: clock.micros().wrapping_mul(0x9e37_79b9_7f4a_7c15) };
    match format {
        Preset::Alb => line.alb(out),
        Preset::Clb => line.clb(out),
        Preset::Nlb => line.nlb(out),
        Preset::S3 => line.s3(out),
        Preset::CloudFront => line.cloudfront(out),
        Preset::VpcFlow => line.vpc_flow(out),
        _ => return false,
    }
    true
}

struct Service<'a> {
    entry: &'a Entry<'a>,
    clock: &'a Clock,
    /// A number that is the line's own.
    id: u64,
}

impl Service<'_> {
    fn alb(&self, out: &mut Vec<u8>) {
        let secure = self.is_secure();
        put(out, if secure { "https " } else { "http " });
        self.iso(true, out);
        put(out, "Z app/shop/50dc6c495c0c9188 ");
        self.exchange("0.000", "0.000", out);
        put(out, " arn:aws:elasticloadbalancing:eu-central-1:111122223333:targetgroup/shop/73e2d6bc24d8a067 \"Root=1-");
        put(out, &format!("{:08x}-{:024x}\" ", self.clock.second(), self.id));
        put(out, if secure { "\"www.example\" \"arn:aws:acm:eu-central-1:111122223333:certificate/1\" 1 " } else { "\"-\" \"-\" 0 " });
        self.iso(true, out);
        put(out, "Z \"forward\" \"-\" \"-\" \"10.0.0.1:80\" \"");
        self.target_status(out);
        put(out, &format!("\" \"-\" \"-\" TID_{:016x} \"-\" \"-\" \"-\"", self.id));
    }

    fn clb(&self, out: &mut Vec<u8>) {
        self.iso(true, out);
        put(out, "Z my-loadbalancer ");
        self.exchange("0.000073", "0.000057", out);
    }

    /// What a load balancer tells of a request and its answer, from the client's address to the version of TLS; `request` and `response` are
    /// the seconds that it took itself.
    fn exchange(&self, request: &str, response: &str, out: &mut Vec<u8>) {
        let seconds = |seconds: &str| if self.answers() { format!(" {seconds} ") } else { " -1 ".to_string() };
        self.endpoints(80, out);
        put(out, &seconds(request));
        self.taken(out);
        put(out, &seconds(response));
        self.status(out);
        put(out, " ");
        self.target_status(out);
        self.sizes(out);
        self.url_request(out);
        put(out, " \"");
        quoted(self.entry.agent.as_bytes(), out);
        put(out, if self.is_secure() { "\" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2" } else { "\" - -" });
    }

    fn nlb(&self, out: &mut Vec<u8>) {
        put(out, "tls 2.0 ");
        self.iso(false, out);
        put(out, " net/gate/c6e77e28c25b2234 g3d4b5e8bb8464cd ");
        self.endpoints(443, out);
        put(out, &format!(" {} {}", 1 + self.id % 900, 1 + self.id % 40));
        self.sizes(out);
        put(out, "- arn:aws:acm:eu-central-1:111122223333:certificate/1 - ");
        put(out, CIPHER);
        put(out, " tlsv12 - www.example h2 h2 \"h2\",\"http/1.1\" ");
        self.iso(false, out);
    }

    fn s3(&self, out: &mut Vec<u8>) {
        put(out, OWNER);
        put(out, " my-bucket ");
        out.extend_from_slice(self.clock.text());
        put(out, " ");
        out.extend_from_slice(self.entry.host);
        put(out, &format!(" - {:016X} ", self.id));
        match self.entry.request {
            Request::Http { method, target, protocol } => {
                let path = target.split(|byte| *byte == b'?').next().unwrap_or(target);
                put(out, &format!("REST.{method}.OBJECT "));
                match path.strip_prefix(b"/").unwrap_or(path) {
                    b"" => put(out, "-"),
                    key => encoded(key, out),
                }
                put(out, &format!(" \"{method} /my-bucket"));
                encoded(target, out);
                put(out, &format!(" {protocol}\""));
            }
            _ => put(out, "BATCH.DELETE.OBJECT - -"),
        }
        put(out, " ");
        self.status(out);
        put(out, if self.entry.status == 404 { " NoSuchKey " } else { " - " });
        self.number_or_dash(u64::from(self.entry.bytes), out);
        put(out, " ");
        self.number_or_dash(u64::from(self.entry.bytes), out);
        put(out, &format!(" {} {} \"", 1 + self.id % 90, 1 + self.id % 70));
        encoded(self.entry.referer, out);
        put(out, "\" \"");
        quoted(self.entry.agent.as_bytes(), out);
        put(out, &format!("\" - {:016x}= SigV4 {CIPHER} AuthHeader my-bucket.s3.eu-central-1.amazonaws.com TLSv1.2 - -", self.id));
    }

    fn cloudfront(&self, out: &mut Vec<u8>) {
        let before = out.len();
        self.iso(false, out);
        if let Some(letter) = out[before..].iter_mut().find(|byte| **byte == b'T') {
            *letter = b'\t';
        }
        put(out, "\tFRA56-P3\t");
        push_number(u64::from(self.entry.bytes) + 300, out);
        put(out, "\t");
        out.extend_from_slice(self.entry.host);
        let (method, target, protocol) = match self.entry.request {
            Request::Http { method, target, protocol } => (method, target, protocol),
            _ => ("-", &b"-"[..], "-"),
        };
        put(out, &format!("\t{method}\td111111abcdef8.cloudfront.net\t"));
        let (path, query) = match target.iter().position(|byte| *byte == b'?') {
            Some(at) => (&target[..at], &target[at + 1..]),
            None => (target, &b"-"[..]),
        };
        encoded(path, out);
        put(out, "\t");
        self.status(out);
        put(out, "\t");
        encoded(self.entry.referer, out);
        put(out, "\t");
        encoded(self.entry.agent.as_bytes(), out);
        put(out, "\t");
        encoded(if query.is_empty() { b"-" } else { query }, out);
        let result = if self.entry.status >= 400 { "Error" } else { "Hit" };
        let (scheme, tls) = if self.is_secure() { ("https", "TLSv1.3\tTLS_AES_128_GCM_SHA256") } else { ("http", "-\t-") };
        put(out, &format!("\t-\t{result}\t{:016x}==\twww.example\t{scheme}\t{}\t", self.id, 100 + self.id % 400));
        self.taken(out);
        put(out, &format!("\t-\t{tls}\t{result}\t{protocol}\t-\t-\t{}\t0.001\t{result}\ttext/html\t", 1024 + self.id % 60_000));
        push_number(u64::from(self.entry.bytes), out);
        put(out, "\t-\t-");
    }

    fn vpc_flow(&self, out: &mut Vec<u8>) {
        put(out, &format!("2 {ACCOUNT} eni-1235b8ca123456789 "));
        out.extend_from_slice(self.entry.host);
        put(out, &format!(" 172.31.16.21 {} {} 6 ", 1024 + self.id % 60_000, if self.is_secure() { 443 } else { 80 }));
        push_number(u64::from(self.entry.bytes) / 1_400 + 1, out);
        put(out, " ");
        push_number(u64::from(self.entry.bytes) + 40, out);
        put(out, &format!(" {} {} ACCEPT OK", self.clock.second(), self.clock.second() + 60));
    }

    fn is_secure(&self) -> bool {
        self.entry.vhost.url.starts_with("https")
    }

    /// Whether there was a target that answered.
    fn answers(&self) -> bool {
        self.entry.status != 408 && self.entry.status < 502
    }

    /// The time of the clock, with microseconds or without.
    fn iso(&self, micros: bool, out: &mut Vec<u8>) {
        let second = self.clock.second();
        let (year, month, day) = civil_from_days((second / 86_400) as i64);
        let of_day = second % 86_400;
        put(out, &format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}", of_day / 3600, of_day / 60 % 60, of_day % 60));
        if micros {
            put(out, &format!(".{:06}", self.clock.micros() % 1_000_000));
        }
    }

    /// The addresses and ports of client and target.
    fn endpoints(&self, port: u16, out: &mut Vec<u8>) {
        out.extend_from_slice(self.entry.host);
        put(out, &format!(":{} ", 1024 + self.id % 60_000));
        put(out, &if self.answers() { format!("10.0.0.{}:{port}", 1 + self.id % 4) } else { "-".to_string() });
    }

    /// Seconds that the answer took.
    fn taken(&self, out: &mut Vec<u8>) {
        put(out, &if self.answers() { format!("0.{:03}", self.id % 1_000) } else { "-1".to_string() });
    }

    fn status(&self, out: &mut Vec<u8>) {
        push_number(u64::from(self.entry.status), out);
    }

    fn target_status(&self, out: &mut Vec<u8>) {
        if self.answers() { self.status(out) } else { put(out, "-") }
    }

    /// Bytes received and sent, between blanks.
    fn sizes(&self, out: &mut Vec<u8>) {
        put(out, &format!(" {} {} ", 100 + self.id % 400, self.entry.bytes));
    }

    fn number_or_dash(&self, number: u64, out: &mut Vec<u8>) {
        if number == 0 { put(out, "-") } else { push_number(number, out) }
    }

    /// The request line with the whole URL.
    fn url_request(&self, out: &mut Vec<u8>) {
        let port = if self.is_secure() { 443 } else { 80 };
        match self.entry.request {
            Request::Http { method, target, protocol } => {
                put(out, &format!("\"{method} {}:{port}", self.entry.vhost.url));
                quoted(target, out);
                put(out, &format!(" {protocol}\""));
            }
            _ => put(out, &format!("\"- {}:{port}- -\"", self.entry.vhost.url)),
        }
    }
}

fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

/// Appends `text` without bare quotes, as load balancers write it.
fn quoted(text: &[u8], out: &mut Vec<u8>) {
    for byte in text.iter().filter(|byte| **byte != b'\\') {
        match byte {
            b'"' => put(out, "\\x22"),
            0x21..=0x7e | b' ' => out.push(*byte),
            _ => put(out, &format!("\\x{byte:02X}")),
        }
    }
}

/// Appends `text` as it is in a URL.
fn encoded(text: &[u8], out: &mut Vec<u8>) {
    for byte in text.iter().filter(|byte| **byte != b'\\') {
        match byte {
            b'"' | b' ' | 0..=0x20 | 0x7f.. => put(out, &format!("%{byte:02X}")),
            _ => out.push(*byte),
        }
    }
}
