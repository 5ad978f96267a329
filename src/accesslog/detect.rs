//! Finds out which preset a log is of, by trying them all on its first lines.

use super::{DecodeOptions, LogDecoder, LogFormat, Preset};
use crate::decode::Decoder;
use crate::error::Result;
use arrow::array::AsArray;
use bytes::Bytes;
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
}

/// Tries the presets on `sample`, which ends with a line's end or the input's. Nothing where no line fits any.
///
/// # Errors
/// Only for faults of the program.
pub fn detect(sample: &Bytes) -> Result<Option<Detection>> {
    let mut best: Option<Detection> = None;
    for preset in Preset::ALL {
        let format = preset.format();
        let users = format.columns().iter().position(|column| column.name == "auth_user");
        let mut decoder = LogDecoder::new(format.clone(), DecodeOptions { projection: Some(users.into_iter().collect()), unescape: false });
        let decoded = decoder.decode(sample)?;
        // A name with a blank in it fits also where columns stand before those of the preset: it tells nothing.
        let doubtful = decoded.batch.columns().iter().flat_map(|users| users.as_string_view().iter().flatten());
        let fitting = (decoded.batch.num_rows() - doubtful.filter(|user| user.contains(' ')).count()) as u64;
        // Presets come longest first, so that at a tie the one that explains more of the line wins.
        if fitting > best.as_ref().map_or(0, |b| b.fitting) {
            best = Some(Detection { format, fitting, tried: decoded.lines - decoded.blank });
        }
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_preset_that_fits_is_taken() {
        let combined = "1.2.3.4 - - [29/Feb/2020:00:00:02 +0000] \"GET / HTTP/1.1\" 200 2 \"-\" \"-\"";
        for (line, name) in [
            (combined.to_string(), "combined"),
            (format!("www.example.com:80 {combined}"), "vhost_combined"),
            (format!("{combined} 12 34"), "combinedio"),
            ("1.2.3.4 - - [29/Feb/2020:00:00:02 +0000] \"GET / HTTP/1.1\" 200 2".to_string(), "common"),
        ] {
            let found = detect(&Bytes::from(line)).unwrap().unwrap();
            assert_eq!((found.format.name(), found.fitting, found.tried), (name, 1, 1));
        }
        assert!(detect(&Bytes::from_static(b"not a log\n")).unwrap().is_none());
        assert!(detect(&Bytes::new()).unwrap().is_none());
    }
}
