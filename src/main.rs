//! The `etl` command.

use std::process::ExitCode;

/// Decoders and encoders ask for and free megabytes all the time, from many threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    etl::cli::main()
}
