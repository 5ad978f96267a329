//! The `etl` command.

use std::process::ExitCode;

/// Decoders and encoders ask for and free megabytes all the time, from many threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // A fault of ours has told where it is; its exit code is the one that the README has for it.
    std::panic::catch_unwind(etl::cli::main).unwrap_or(ExitCode::FAILURE)
}
