//! Access logs: from a LogFormat string to record batches.
//!
//! A [`LogFormat`] is data: it is parsed from what stands in `httpd.conf`, and a [`LogDecoder`] reads any of them. The
//! [`Preset`]s are the formats that servers ship with.

mod apache;
mod building;
mod clock;
mod column;
mod decoder;
mod detect;
mod digits;
mod directive;
mod docker;
mod ends;
mod fields;
mod format;
mod formats;
mod guard;
pub mod heading;
mod httpd_conf;
pub mod instant;
mod java_regex;
mod json_format;
mod json_keys;
mod json_log;
mod json_read;
mod json_text;
mod keys;
mod line;
mod misfit;
mod near;
mod nearest;
mod nginx;
mod nginx_conf;
mod nginx_variable;
mod notation;
mod number;
mod parsed;
mod prefix;
mod preset;
pub mod request;
#[cfg(test)]
mod samples;
mod seconds;
mod strftime;
mod suggestion;
mod user;
mod zone;

pub use column::{Column, time_type};
pub use decoder::{DecodeOptions, LogDecoder};
pub use detect::{Detection, bare_behind, detect, detect_behind};
pub use format::LogFormat;
pub use formats::{LogFormats, behind, named_format};
pub use httpd_conf::{nickname, nicknames};
pub use java_regex::JavaRegex;
pub use json_log::{is_json, json_format};
pub use nearest::{Nearest, nearest};
pub use nginx_conf::{NginxConf, named};
pub use notation::Notation;
pub use prefix::Prefix;
pub use preset::Preset;
pub use suggestion::{Suggestion, suggest};
