//! `etl generate`: access logs of a site that never was.

use crate::accesslog::Preset;
use crate::error::{Error, ErrorKind, Result};
use crate::generate::{GenerateOptions, generate};
use clap::Args;
use std::io::Write;

/// Write a made-up access log to standard output: to try things, to test, to measure
///
/// The same seed gives the same bytes, with every version of etl.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  etl generate --lines 148534 --seed 1 > access.log\n  etl generate --lines 1000 --format vhost_combined | gzip > vhosts.log.gz"
)]
pub(super) struct GenerateArgs {
    /// How many lines
    #[arg(long, default_value_t = 10_000)]
    lines: u64,

    /// What all chance comes from
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// The preset that the lines are in: common, combined, vhost_combined, combinedio or nginx_combined
    #[arg(long, default_value = "combined", value_name = "PRESET")]
    format: String,
}

pub(super) fn run(args: &GenerateArgs) -> Result<()> {
    let Some(format) = Preset::named(&args.format) else {
        let known = Preset::ALL.map(Preset::name).join(", ");
        return Err(Error::new(ErrorKind::Usage, format!("no log format is called `{}`; there are {known}", args.format)));
    };
    let options = GenerateOptions { lines: args.lines, seed: args.seed, format, ..GenerateOptions::default() };
    let mut out = std::io::stdout().lock();
    generate(&options, &mut out)?;
    out.flush().map_err(|e| Error::output("standard output", e))
}
