//! Lines that no reader of the format takes, as disks that are full, killed servers and other programs leave them.

use super::random::Random;
use crate::units::Rate;

/// Damages some lines. It has a stream of its own: all other lines are those of a log without damage.
#[derive(Debug)]
pub(super) struct Damage {
    random: Random,
    /// Of a million lines.
    per_million: u32,
}

const MILLION: u32 = 1_000_000;

/// What other programs write to a log that they share.
const FOREIGN: &[u8] = b"PHP Warning:  Undefined variable $page in /srv/www/index.php on line 12";

impl Damage {
    /// Of as many lines as `rate` says, chosen by `seed`.
    pub(super) fn new(seed: u64, rate: Rate) -> Self {
        Damage { random: Random::of(seed, u64::MAX), per_million: (rate.0 * f64::from(MILLION)).round() as u32 }
    }

    /// Damages what `out` has behind `line`, which ends with a line feed, or leaves it as it is.
    pub(super) fn strike(&mut self, out: &mut Vec<u8>, line: usize) {
        if self.per_million == 0 || self.random.below(MILLION) >= self.per_million {
            return;
        }
        let kind = self.random.below(4);
        if kind < 3 && !out[line..].contains(&b'[') {
            // Cut off before what tells most of such formats.
            out.truncate(line + 12 + self.random.below(20) as usize);
            out.push(b'\n');
            return;
        }
        let text = &mut out[line..];
        let at = |text: &[u8], byte: u8| text.iter().position(|b| *b == byte).unwrap_or(0);
        // The time in brackets is what all other formats have; before it there is no bracket, and behind it the request in quotes.
        let time = at(text, b'[');
        match kind {
            // Cut off within the time.
            0 => out.truncate(line + time + 1 + self.random.below(20) as usize),
            // No month is called so.
            1 => {
                text[time + 4..time + 7].copy_from_slice(b"Foo");
                return;
            }
            // The status is none.
            2 => {
                let closed = text.windows(3).position(|bytes| bytes[0] == b'"' && bytes[1] == b' ' && bytes[2].is_ascii_digit());
                if let Some(closed) = closed {
                    text[closed + 2] = b'x';
                    return;
                }
                // There was no request: what is left is the begin of the line.
                out.truncate(line + 12);
            }
            _ => {
                out.truncate(line);
                out.extend_from_slice(FOREIGN);
            }
        }
        out.push(b'\n');
    }
}
