//! `etl generate`: access logs of a site that never was.

use crate::accesslog::Preset;
use crate::error::{Error, ErrorKind, Result};
use crate::generate::{GenerateOptions, generate};
use crate::units::Rate;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use clap::Args;
use std::io::Write;
use std::num::NonZeroU32;

/// Generate a synthetic access log, for trying things out, tests and benchmarks
///
/// The same seed gives the same bytes, with every version of etl.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  etl generate --lines 148534 --seed 1 > access.log\n  etl generate --lines 1000 --format vhost_combined | gzip > vhosts.log.gz\n  etl generate --lines 7000 --start 2026-03-01 --days 7 --bad 1% > week.log"
)]
pub(super) struct GenerateArgs {
    /// Number of lines: a number, or one of thousands or millions such as 10k or 2M
    #[arg(long, value_name = "N", default_value = "10000", value_parser = lines)]
    lines: u64,

    /// Random seed
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Format of the lines: common, combined, vhost_combined, combinedio, nginx_combined, nginx_main, alb, clb, nlb, s3, cloudfront or vpc_flow
    #[arg(long, visible_alias = "log-format", default_value = "combined", value_name = "PRESET")]
    format: String,

    /// First day, or time of the first line (UTC): 2026-03-01 or 2026-03-01T08:00:00 [default: 2020-02-29T00:00:02]
    #[arg(long, value_name = "TIME", value_parser = time)]
    start: Option<DateTime<Utc>>,

    /// Number of days to spread the lines over [default: 30000 lines per day]
    #[arg(long, value_name = "N")]
    days: Option<NonZeroU32>,

    /// Share of lines to damage so that they can't be parsed: 1% or 0.01
    #[arg(long, value_name = "RATE", default_value_t = Rate(0.0))]
    bad: Rate,
}

/// A number of lines; `k` and `M` are thousands and millions.
fn lines(text: &str) -> std::result::Result<u64, String> {
    let (number, times) = match text.char_indices().next_back() {
        Some((at, 'k' | 'K')) => (&text[..at], 1_000),
        Some((at, 'm' | 'M')) => (&text[..at], 1_000_000),
        _ => (text, 1),
    };
    let found = number.replace('_', "").parse::<u64>().ok().and_then(|number| number.checked_mul(times));
    found.ok_or_else(|| "expected a number of lines, such as 7000, 10k or 2M".to_string())
}

const DAY: i64 = 86_400;

/// A day, or a time without zone.
fn time(text: &str) -> std::result::Result<DateTime<Utc>, String> {
    let day = || Some(NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_time(NaiveTime::MIN));
    let time = |form| NaiveDateTime::parse_from_str(text, form).ok();
    let found = day().or_else(|| time("%Y-%m-%dT%H:%M:%S")).or_else(|| time("%Y-%m-%d %H:%M:%S"));
    found.map(|time| time.and_utc()).ok_or_else(|| "expected a day or a time, for example 2026-03-01 or 2026-03-01T08:00:00".to_string())
}

pub(super) fn run(args: &GenerateArgs) -> Result<()> {
    let Some(format) = Preset::named(&args.format) else {
        let known = Preset::ALL.map(Preset::name).join(", ");
        return Err(Error::new(ErrorKind::Usage, format!("unknown log format `{}`; expected {known}", args.format)));
    };
    let default = GenerateOptions::default();
    let start = args.start.map_or(default.start, |start| start.timestamp());
    let days = args.days.map(|days| u64::from(days.get()));
    let options = GenerateOptions {
        lines: args.lines,
        seed: args.seed,
        format,
        start,
        lines_per_day: days.map_or(default.lines_per_day, |days| args.lines.div_ceil(days).max(1)),
        // A start within a day is followed by whole days, as the first line of a log often is some seconds late.
        end: days.map(|days| start - start.rem_euclid(DAY) + days as i64 * DAY - 1),
        bad: args.bad,
    };
    let mut out = std::io::stdout().lock();
    generate(&options, &mut out)?;
    out.flush().map_err(|e| Error::output("standard output", e))
}
