//! Access logs that never happened: as many lines as wanted, of a site that looks like a real one, for trying out,
//! testing and measuring.
//!
//! The same options make the same bytes for ever, on every machine: logs are named by lines and seed, not kept. A test
//! pins the bytes. Sessions of some hundred to some thousand clients overlap; each has one browser, loads pages with
//! their files, and says which page it came from. Between them come calendar programs, robots, scanners, timeouts and
//! garbage. Days have a busy noon and a quiet night.

mod agent;
mod client;
mod clock;
mod damage;
mod entry;
mod line;
mod random;
mod service;
mod session;
mod site;
mod traffic;

use crate::accesslog::Preset;
use crate::error::{Error, ErrorKind, Result};
use crate::units::Rate;
use clock::{Clock, LAST_SECOND};
use damage::Damage;
use line::LineWriter;
pub(crate) use random::Random;
use std::io::Write;
use traffic::Traffic;

/// What to generate.
#[derive(Debug, Clone)]
pub struct GenerateOptions {
    /// How many lines.
    pub lines: u64,
    /// Which log of all the possible ones.
    pub seed: u64,
    /// The format of the lines.
    pub format: Preset,
    /// When the log starts, in seconds since 1970.
    pub start: i64,
    /// How many lines a day has on average.
    pub lines_per_day: u64,
    /// The second that no line is later than, in seconds since 1970.
    pub end: Option<i64>,
    /// How many of the lines are damaged so that no reader of the format takes them.
    pub bad: Rate,
}

impl Default for GenerateOptions {
    /// 10,000 lines of a site with 30,000 a day, from the leap day of 2020 on.
    fn default() -> Self {
        GenerateOptions {
            lines: 10_000,
            seed: 1,
            format: Preset::Combined,
            start: 1_582_934_402,
            lines_per_day: 30_000,
            end: None,
            bad: Rate(0.0),
        }
    }
}

/// How much is gathered before it is written.
const BUFFER: usize = 256 * 1024;

/// Writes the log to `out`, in large pieces: `out` needs no buffer of its own.
///
/// ```
/// use etl::generate::{GenerateOptions, generate};
///
/// let mut log = Vec::new();
/// generate(&GenerateOptions { lines: 3, ..GenerateOptions::default() }, &mut log)?;
/// assert_eq!(log.iter().filter(|byte| **byte == b'\n').count(), 3);
/// # Ok::<(), etl::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Usage`] where the start is not a time of the years 1970 to 9999 or a day has no line;
/// [`ErrorKind::Output`] where `out` can't be written.
pub fn generate(options: &GenerateOptions, out: &mut dyn Write) -> Result<()> {
    let start = second("start", options.start)?;
    let end = options.end.map_or(Ok(LAST_SECOND), |end| second("end", end))?;
    if end < start {
        return Err(Error::new(ErrorKind::Usage, "a generated log can't end before it starts"));
    }
    if options.lines_per_day == 0 {
        return Err(Error::new(ErrorKind::Usage, "a generated log needs at least one line per day"));
    }
    // A bigger log has more clients, up to what a middle-sized company has.
    let clients = (options.lines / 150).clamp(300, 5_000) as u32;
    let mut traffic = Traffic::new(options.seed, clients, Clock::new(start, end, options.lines_per_day));
    let writer = LineWriter::new(options.format);
    let mut damage = Damage::new(options.seed, options.bad);
    let mut buffer = Vec::with_capacity(BUFFER + 4096);
    if options.lines > 0 {
        buffer.extend_from_slice(service::heading(options.format).as_bytes());
    }
    for _ in 0..options.lines {
        let line = buffer.len();
        traffic.write_next(writer, &mut buffer);
        damage.strike(&mut buffer, line);
        if buffer.len() >= BUFFER {
            write(&buffer, out)?;
            buffer.clear();
        }
    }
    write(&buffer, out)?;
    out.flush().map_err(failed)
}

/// `time` as a second that a log can show.
fn second(name: &str, time: i64) -> Result<u64> {
    u64::try_from(time).ok().filter(|second| *second <= LAST_SECOND).ok_or_else(|| {
        let message = format!("a generated log can't {name} at {time}; expected seconds since 1970, up to {LAST_SECOND}");
        Error::new(ErrorKind::Usage, message)
    })
}

fn write(buffer: &[u8], out: &mut dyn Write) -> Result<()> {
    out.write_all(buffer).map_err(failed)
}

fn failed(error: std::io::Error) -> Error {
    Error::output("the generated log", error)
}

#[cfg(test)]
mod tests;
