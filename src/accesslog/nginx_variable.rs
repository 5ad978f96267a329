//! The variables of nginx: what each logs, and what may be in it.
//!
//! Those of the core, log, upstream, proxy, ssl, gzip, realip, geoip, limit, http2 and http3 modules:
//! <https://nginx.org/en/docs/varindex.html>. The same meaning has the same column as with Apache.

use super::directive::{Field, Kind, snake_case};
use super::strftime::{COMMON, TimeItem, parse};
use crate::diagnostic::nearest;

/// Those that have a column of their own name, and the kind of their text.
const TEXTS: [(&str, Kind); 62] = [
    ("binary_remote_addr", Kind::Free),
    ("connections_active", Kind::Plain),
    ("connections_reading", Kind::Plain),
    ("connections_waiting", Kind::Plain),
    ("connections_writing", Kind::Plain),
    ("content_type", Kind::Header),
    ("document_root", Kind::Free),
    ("fastcgi_path_info", Kind::Free),
    ("fastcgi_script_name", Kind::Free),
    ("geoip_area_code", Kind::Plain),
    ("geoip_city", Kind::Free),
    ("geoip_city_continent_code", Kind::Plain),
    ("geoip_city_country_code", Kind::Plain),
    ("geoip_city_country_code3", Kind::Plain),
    ("geoip_city_country_name", Kind::Free),
    ("geoip_country_code", Kind::Plain),
    ("geoip_country_code3", Kind::Plain),
    ("geoip_country_name", Kind::Free),
    ("geoip_dma_code", Kind::Plain),
    ("geoip_latitude", Kind::Plain),
    ("geoip_longitude", Kind::Plain),
    ("geoip_org", Kind::Free),
    ("geoip_postal_code", Kind::Free),
    ("geoip_region", Kind::Plain),
    ("geoip_region_name", Kind::Free),
    ("hostname", Kind::Word),
    ("http2", Kind::Plain),
    ("http3", Kind::Plain),
    ("https", Kind::Plain),
    ("invalid_referer", Kind::Plain),
    ("is_args", Kind::Plain),
    ("is_request_port", Kind::Plain),
    ("jwt_claim_sub", Kind::Free),
    ("limit_conn_status", Kind::Plain),
    ("limit_rate", Kind::Plain),
    ("limit_req_status", Kind::Plain),
    ("nginx_version", Kind::Plain),
    ("pipe", Kind::Plain),
    ("proxy_add_x_forwarded_for", Kind::Header),
    ("proxy_host", Kind::Plain),
    ("proxy_protocol_addr", Kind::Word),
    ("proxy_protocol_server_addr", Kind::Word),
    ("realpath_root", Kind::Free),
    ("request_body", Kind::Free),
    ("request_body_file", Kind::Free),
    ("request_completion", Kind::Plain),
    ("request_id", Kind::Plain),
    ("request_port", Kind::Plain),
    ("scheme", Kind::Plain),
    ("secure_link", Kind::Plain),
    ("slice_range", Kind::Plain),
    ("tls_version", Kind::Plain),
    ("uid_got", Kind::Plain),
    ("uid_reset", Kind::Plain),
    ("uid_set", Kind::Plain),
    ("upstream_addr", Kind::Upstream),
    ("upstream_cache_etag", Kind::Plain),
    ("upstream_cache_key", Kind::Free),
    ("upstream_cache_last_modified", Kind::Free),
    ("upstream_cache_status", Kind::Plain),
    ("upstream_last_server_name", Kind::Plain),
    ("upstream_status", Kind::Upstream),
];

/// Those whose texts have other names as columns, as Apache's have them.
const RENAMED: [(&str, &str, Kind); 12] = [
    ("http_host", "http_host", Kind::Header),
    ("document_uri", "path", Kind::Free),
    ("host", "server_name", Kind::Plain),
    ("realip_remote_addr", "peer_ip", Kind::Word),
    ("remote_addr", "host", Kind::Word),
    ("request_filename", "filename", Kind::Free),
    ("request_method", "method", Kind::Plain),
    ("server_addr", "local_ip", Kind::Word),
    ("server_name", "vhost", Kind::Plain),
    ("server_protocol", "protocol", Kind::Plain),
    ("uri", "path", Kind::Free),
    ("http_referrer", "referer", Kind::Header),
];

/// Those that are numbers: of 32 bits, of 64 bits.
const INTS: [(&str, &str); 6] = [
    ("proxy_port", "proxy_port"),
    ("proxy_protocol_port", "proxy_protocol_port"),
    ("proxy_protocol_server_port", "proxy_protocol_server_port"),
    ("realip_remote_port", "peer_port"),
    ("remote_port", "port_remote"),
    ("server_port", "port"),
];
const LONGS: [(&str, &str); 10] = [
    ("connection", "connection"),
    ("connection_requests", "connection_requests"),
    ("content_length", "content_length"),
    ("pid", "pid"),
    ("request_length", "bytes_in"),
    ("ssl_client_v_remain", "ssl_client_v_remain"),
    ("tcpinfo_rcv_space", "tcpinfo_rcv_space"),
    ("tcpinfo_rtt", "tcpinfo_rtt"),
    ("tcpinfo_rttvar", "tcpinfo_rttvar"),
    ("tcpinfo_snd_cwnd", "tcpinfo_snd_cwnd"),
];

/// What upstream servers took: a list, of which there is a sum.
const SUMS: [&str; 7] = [
    "upstream_bytes_received",
    "upstream_bytes_sent",
    "upstream_connect_time",
    "upstream_first_byte_time",
    "upstream_header_time",
    "upstream_response_length",
    "upstream_response_time",
];

/// Those that are read in a way of their own.
const OTHERS: [&str; 14] = [
    "args",
    "body_bytes_sent",
    "bytes_sent",
    "connection_time",
    "gzip_ratio",
    "msec",
    "query_string",
    "remote_user",
    "request",
    "request_time",
    "request_uri",
    "status",
    "time_iso8601",
    "time_local",
];

/// Names that go on with a name of the user's: a header, a cookie. The kind of their texts, and what the column's name begins with.
const FAMILIES: [(&str, &str, Kind); 11] = [
    ("arg_", "arg_", Kind::Free),
    ("cookie_", "cookie_", Kind::Free),
    ("http_", "", Kind::Header),
    ("jwt_", "jwt_", Kind::Free),
    ("proxy_protocol_tlv_", "proxy_protocol_tlv_", Kind::Free),
    ("sent_http_", "resp_", Kind::Header),
    ("sent_trailer_", "resp_trailer_", Kind::Header),
    ("ssl_", "ssl_", Kind::Free),
    ("upstream_cookie_", "upstream_cookie_", Kind::Free),
    ("upstream_http_", "upstream_http_", Kind::Header),
    ("upstream_trailer_", "upstream_trailer_", Kind::Header),
];

fn found<'a, T>(list: &'a [T], name: &str, of: impl Fn(&T) -> &'static str) -> Option<&'a T> {
    list.iter().find(|entry| of(entry) == name)
}

/// Whether nginx has the variable `name` itself.
pub(super) fn is_known(name: &str) -> bool {
    names().any(|known| known == name) || FAMILIES.iter().any(|(begin, ..)| name.len() > begin.len() && name.starts_with(begin))
}

fn names() -> impl Iterator<Item = &'static str> {
    let texts = TEXTS.iter().map(|(name, _)| *name).chain(RENAMED.iter().map(|(name, ..)| *name));
    let numbers = INTS.iter().chain(&LONGS).map(|(name, _)| *name);
    texts.chain(numbers).chain(SUMS).chain(OTHERS)
}

/// The variable of nginx that a `name` which it hasn't comes near to.
pub(super) fn near(name: &str) -> Option<&'static str> {
    nearest(name, names())
}

/// What the variable `name` logs, and what may be in its text.
pub(super) fn value(name: &str) -> (Field, Kind) {
    let time = |items: Vec<TimeItem>| (Field::Time { column: "time".to_string(), items }, Kind::Plain);
    // nginx's own words for what Apache has directives for.
    match name {
        "remote_user" => return (Field::User, Kind::Free),
        "request" => return (Field::RequestLine, Kind::Free),
        "request_uri" => return (Field::Target, Kind::Free),
        "args" | "query_string" => return (Field::Query, Kind::Free),
        "status" => return (Field::Int("status".to_string()), Kind::Plain),
        "body_bytes_sent" => return (Field::BytesOut { headers: false }, Kind::Plain),
        "bytes_sent" => return (Field::BytesOut { headers: true }, Kind::Plain),
        "request_time" => return (Field::Millis("duration_ms"), Kind::Plain),
        "connection_time" => return (Field::Millis("connection_duration_ms"), Kind::Plain),
        "gzip_ratio" => return (Field::Double("gzip_ratio".to_string()), Kind::Plain),
        "time_local" => return time(COMMON[1..COMMON.len() - 1].to_vec()),
        "time_iso8601" => return time(parse("%FT%T%z").map(|(_, items)| items).unwrap_or_default()),
        "msec" => return time(vec![TimeItem::Epoch, TimeItem::Literal(b'.'), TimeItem::MillisFraction]),
        _ => {}
    }
    if let Some(name) = SUMS.iter().find(|known| **known == name) {
        return (Field::Sum(name), Kind::Upstream);
    }
    if let Some((_, column)) = found(&INTS, name, |(name, _)| name) {
        return (Field::Int((*column).to_string()), Kind::Plain);
    }
    if let Some((_, column)) = found(&LONGS, name, |(name, _)| name) {
        return (Field::Long((*column).to_string()), Kind::Plain);
    }
    if let Some((_, column, kind)) = found(&RENAMED, name, |(name, ..)| name) {
        return (Field::Text((*column).to_string()), *kind);
    }
    if let Some((_, kind)) = found(&TEXTS, name, |(name, _)| name) {
        return (Field::Text(name.to_string()), *kind);
    }
    // The longest beginning is the family: `upstream_http_x` is none of `http_`.
    let family =
        FAMILIES.iter().filter(|(begin, ..)| name.len() > begin.len() && name.starts_with(begin)).max_by_key(|(begin, ..)| begin.len());
    match family {
        Some((begin, column, kind)) => (Field::Text(format!("{column}{}", snake_case(&name[begin.len()..]))), *kind),
        None => (Field::Text(snake_case(name)), Kind::Free),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_variable_stands_once() {
        let mut all: Vec<&str> = names().collect();
        all.sort_unstable();
        for two in all.windows(2) {
            assert_ne!(two[0], two[1]);
        }
        for name in &all {
            let (field, _) = value(name);
            assert_ne!(field, Field::Text(String::new()), "{name}");
        }
        assert_eq!(value("upstream_http_x_cache").0, Field::Text("upstream_http_x_cache".to_string()));
        assert_eq!(value("http_x_real_ip").0, Field::Text("x_real_ip".to_string()));
        assert!(is_known("cookie_sid") && !is_known("cookie_") && !is_known("my_id"));
    }
}
