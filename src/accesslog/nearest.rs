//! Which preset a line comes nearest to that is of none, and where it stops to fit.

use super::Preset;
use super::line::LineValues;
use super::misfit::Reasons;
use std::sync::Arc;

/// How near a line comes to a preset.
#[derive(Debug, Clone)]
pub struct Nearest {
    pub preset: Preset,
    /// The byte of the line up to which it fits.
    pub at: usize,
    /// What is wrong there.
    pub reason: Arc<str>,
}

/// The preset that most of `line` fits; nothing where all of it fits one.
pub fn nearest(line: &[u8]) -> Option<Nearest> {
    // Of those that it fits as far the last one is told: the one that most logs are in.
    let servers = [Preset::VhostCombined, Preset::CombinedIo, Preset::Common, Preset::Combined];
    let services = [Preset::VpcFlow, Preset::CloudFront, Preset::S3, Preset::Nlb, Preset::Clb, Preset::Alb];
    let mut nearest: Option<Nearest> = None;
    for preset in servers.into_iter().chain(services).filter(|preset| *preset != Preset::VhostCombined || begins_with_port(line)) {
        let format = preset.format();
        let (misfit, at) = LineValues::new(&format).read(&format, line).err()?;
        // Any words are the first fields of a service's line.
        let ahead = if services.contains(&preset) { TELLING } else { 0 };
        if nearest.as_ref().is_none_or(|nearest| nearest.at + ahead <= at) {
            nearest = Some(Nearest { preset, at, reason: Reasons::of(&format, "").of_misfit(misfit) });
        }
    }
    nearest
}

/// A line that fits a service's format so much further than a server's is rather of that.
const TELLING: usize = 16;

/// Whether the first word of `line` ends in a port, as that of a virtual host does: times and much else have colons too.
fn begins_with_port(line: &[u8]) -> bool {
    let word = line.split(|byte| *byte == b' ').next().unwrap_or_default();
    let port = word.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    port > 0 && word[..word.len() - port].ends_with(b":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_told_where_a_line_stops_to_fit() {
        let start = "1.2.3.4 - - [29/Feb/2020:00:00:02 +0000] ";
        for (behind, preset, at, reason) in [
            ("\"GET / HTTP/1.1\" 20 5 \"-\" \"-\"", "combined", 58, "%>s is not three digits"),
            ("\"GET / HTTP/1.1\" 200 x", "combined", 62, "%b is not a number"),
            ("\"GET / HTTP/1.1\" 200 5 \"-\" \"curl", "combined", 69, "no closing quote after %{User-Agent}i"),
            ("\"GET / HTTP/1.1\" 200 5 \"-\" \"-\" \"x\"", "combinedio", 72, "%I is not a number"),
            ("\"GET / HTTP/1.1\" 200 5 0.003", "combined", 63, "expected ` \"` after %b"),
            ("GET / HTTP/1.1 200 5", "combined", 40, "expected ` \"` after %t"),
        ] {
            let found = nearest(format!("{start}{behind}").as_bytes()).unwrap();
            assert_eq!((found.preset.name(), found.at, &*found.reason), (preset, at, reason), "{behind}");
        }
        for (line, at, reason) in [
            ("1.2.3.4 - - [31/Feb/2020:00:00:02 +0000] \"GET / HTTP/1.1\" 200 5", 12, "the time does not exist"),
            ("1.2.3.4 - - [x] \"GET / HTTP/1.1\" 200 5", 12, "%t is not a time"),
            ("2020-02-29T00:00:02Z h - - x", 25, "%t is not a time"),
            ("  1.2.3.4 - - [29/Feb/2020:00:00:02 +0000] \"GET / HTTP/1.1\" 200 5", 0, "%h is empty, or ends with a comma"),
            ("www:80 1.2.3.4 - - [29/Feb/2020:00:00:02 +0000] \"GET / HTTP/1.1\" 20x 5", 65, "%>s is not three digits"),
            ("", 0, "no ` ` after %h"),
        ] {
            let found = nearest(line.as_bytes()).unwrap();
            assert_eq!((found.at, &*found.reason), (at, reason), "{line}");
        }
        assert!(nearest(format!("{start}\"GET / HTTP/1.1\" 200 5").as_bytes()).is_none());
    }
}
