//! Finds out which preset a log is of, by trying them all on its first lines.

use super::docker::{is_docker, unwrap};
use super::{DecodeOptions, LogDecoder, LogFormat, Prefix, Preset, behind};
use crate::decode::Decoder;
use crate::error::Result;
use arrow::array::{Array, AsArray};
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use std::net::IpAddr;
use std::sync::Arc;

/// What the first lines of a log say of its format.
#[derive(Debug, Clone)]
pub struct Detection {
    /// The preset that most lines fit.
    pub format: Arc<LogFormat>,
    /// How many of the lines fit it.
    pub fitting: u64,
    /// How many lines, blank ones aside, were tried.
    pub tried: u64,
    /// How many of them have more fields than are known.
    pub longer: u64,
}

/// Tries the presets on `sample`, which ends with a line's end or the input's. Nothing where no line fits any.
///
/// # Errors
/// Only for faults of the program.
pub fn detect(sample: &Bytes) -> Result<Option<Detection>> {
    let mut best: Option<Detection> = None;
    for preset in Preset::ALL {
        let format = preset.format();
        let place = |name: &str| format.columns().iter().position(|column| column.name == name);
        let projection: Vec<usize> = ["auth_user", "x_forwarded_for", "extra"].into_iter().filter_map(place).collect();
        let mut decoder = LogDecoder::new(format.clone(), DecodeOptions { projection: Some(projection), unescape: false });
        let decoded = decoder.decode(sample)?;
        let doubtful = (0..decoded.batch.num_rows()).filter(|row| is_doubtful(&decoded.batch, *row)).count();
        let fitting = (decoded.batch.num_rows() - doubtful) as u64;
        // Presets come longest first, so that at a tie the one that explains more of the line wins.
        if fitting > best.as_ref().map_or(0, |b| b.fitting) {
            let longer = decoded.batch.column_by_name("extra").map_or(0, |extra| extra.len() - extra.null_count()) as u64;
            best = Some(Detection { format, fitting, tried: decoded.lines - decoded.blank, longer });
        }
    }
    Ok(best)
}

/// The lines of `sample` without their `prefix`; nothing where the first has none.
pub fn bare_behind(prefix: Prefix, sample: &Bytes) -> Option<Bytes> {
    let first = sample.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty())?;
    match prefix {
        Prefix::None => Some(sample.clone()),
        Prefix::Docker => is_docker(first).then(|| unwrap(sample).lines),
        _ => {
            prefix.length(first)?;
            let lines = sample.split_inclusive(|byte| *byte == b'\n');
            Some(lines.flat_map(|line| &line[prefix.length(line).unwrap_or(0)..]).copied().collect::<Vec<u8>>().into())
        }
    }
}

/// As [`detect`], of lines behind one of `prefixes`: the first that the first line has, and behind which lines fit a preset.
///
/// # Errors
/// Only for faults of the program.
pub fn detect_behind(prefixes: &[Prefix], sample: &Bytes) -> Result<Option<(Prefix, Detection)>> {
    for prefix in prefixes {
        let Some(bare) = bare_behind(*prefix, sample) else { continue };
        if let Some(found) = detect(&bare)? {
            let format = match prefix {
                Prefix::None => found.format.clone(),
                _ => behind(*prefix, found.format.name(), found.format.text())?,
            };
            return Ok(Some((*prefix, Detection { format, ..found })));
        }
    }
    Ok(None)
}

/// Whether the `row` may as well be of another format.
fn is_doubtful(batch: &RecordBatch, row: usize) -> bool {
    let value = |name: &str| {
        let column = batch.column_by_name(name)?.as_string_view();
        column.is_valid(row).then(|| column.value(row))
    };
    // A name with a blank in it fits also where columns stand before those of the preset, and what is in the last quotes may be any header.
    let is_address = |text: &str| text.split(", ").all(|one| one == "unknown" || one.parse::<IpAddr>().is_ok());
    value("auth_user").is_some_and(|user| user.contains(' ')) || value("x_forwarded_for").is_some_and(|list| !is_address(list))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_behind_prefixes_are_read() {
        let line = r#"1.2.3.4 - - [29/Feb/2020:00:00:02 +0000] "GET / HTTP/1.1" 200 2 "-" "a \"b\"""#;
        let docker = format!(r#"{{"log":"{}\n","stream":"stdout","time":"x"}}"#, line.replace('\\', "\\\\").replace('"', "\\\""));
        for (prefix, text) in [
            (Prefix::None, line.to_string()),
            (Prefix::Syslog, format!("<134>Mar  1 10:00:00 web nginx[7]: {line}")),
            (Prefix::Cri, format!("2026-03-01T10:00:00.123456789Z stdout F {line}")),
            (Prefix::Compose, format!("web-1    | {line}")),
            (Prefix::Docker, docker),
        ] {
            let sample = Bytes::from(format!("{text}\nbad\n{text}\n"));
            let (found, detection) = detect_behind(&Prefix::ALL, &sample).unwrap().unwrap();
            assert_eq!((found, detection.format.name(), detection.fitting), (prefix, "combined", 2), "{text}");
            let decoded = LogDecoder::new(detection.format, DecodeOptions::default()).decode(&sample).unwrap();
            assert_eq!(decoded.batch.column_by_name("host").unwrap().as_string_view().value(1), "1.2.3.4");
            assert_eq!(decoded.batch.column_by_name("user_agent").unwrap().as_string_view().value(1), r#"a \"b\""#);
            let [reject] = &decoded.rejects[..] else { panic!("{:?}", decoded.rejects) };
            let place = text.len() as u64 + 1;
            assert_eq!((reject.line, reject.offset, &reject.raw[..], reject.length), (1, place, &b"bad"[..], 3), "{text}");
            assert_eq!(decoded.taken, sample.len());
        }
    }

    #[test]
    fn the_longest_preset_that_fits_is_taken() {
        let combined = "1.2.3.4 - - [29/Feb/2020:00:00:02 +0000] \"GET / HTTP/1.1\" 200 2 \"-\" \"-\"";
        for (line, name) in [
            (combined.to_string(), "combined"),
            (format!("www.example.com:80 {combined}"), "vhost_combined"),
            (format!("{combined} 12 34"), "combinedio"),
            (format!("{combined} \"203.0.113.9, 2001:db8::1, unknown\""), "nginx_main"),
            (format!("{combined} \"-\""), "nginx_main"),
            ("1.2.3.4 - - [29/Feb/2020:00:00:02 +0000] \"GET / HTTP/1.1\" 200 2".to_string(), "common"),
        ] {
            let found = detect(&Bytes::from(line)).unwrap().unwrap();
            assert_eq!((found.format.name(), found.fitting, found.tried), (name, 1, 1));
        }
        assert!(detect(&Bytes::from_static(b"not a log\n")).unwrap().is_none());
        assert!(detect(&Bytes::from(format!("{combined} \"www.example.com\""))).unwrap().is_none());
        assert!(detect(&Bytes::new()).unwrap().is_none());
    }
}
