//! What the engine works in: memory with a limit, and a place for what does not fit.

use super::memory::LEAST;
use super::options::QueryOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::units::ByteSize;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::prelude::SessionConfig;
use std::fs;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// What each thread that sorts or groups needs.
const THREAD: u64 = 8 << 20;
/// What each file takes that is merged with others, with those that other steps of the thread merge.
const MERGE: u64 = 8 << 20;
/// With less, batches of rows are small.
const SMALL: u64 = 256 << 20;
/// Rows of such a batch.
const FEW: usize = 1024;
/// Where queries get their memory, and where they go on when there is none left.
///
/// # Errors
/// [`ErrorKind::Usage`] for less than is needed at all, [`ErrorKind::Output`] where the folder for what goes to disk can't be made.
pub(super) fn environment(options: &QueryOptions) -> Result<Arc<RuntimeEnv>> {
    let ByteSize(memory) = options.memory;
    if memory < LEAST {
        let message = format!("a query can't be run with {}; expected at least 16 MiB", options.memory.as_given());
        return Err(Error::new(ErrorKind::Usage, message));
    }
    let size = usize::try_from(memory).unwrap_or(usize::MAX);
    // Those that can go on on disk share what is left by those that can't. The three that held most are named in errors.
    let pool = TrackConsumersPool::new(FairSpillPool::new(size), NonZeroUsize::MIN.saturating_add(2));
    let mode = match &options.spill {
        Some(folder) => {
            fs::create_dir_all(folder).map_err(|e| Error::output(folder.display(), e))?;
            DiskManagerMode::Directories(vec![folder.clone()])
        }
        None => DiskManagerMode::OsTmpDirectory,
    };
    // How much fits is for the disk to say.
    // A merge would take all memory that there is for as many files as it can; those beside it must have some, too.
    let files = usize::try_from(memory / (threads(options) as u64 * MERGE)).unwrap_or(usize::MAX).max(2);
    let disk = DiskManagerBuilder::default().with_mode(mode).with_max_temp_directory_size(u64::MAX).with_max_spill_merge_fan_in(files);
    let environment = RuntimeEnvBuilder::new().with_memory_pool(Arc::new(pool)).with_disk_manager_builder(disk).build_arc();
    environment.map_err(|e| Error::new(ErrorKind::Output, "no folder for what goes to disk could be made").with_source(e))
}

/// How many threads work at once.
fn threads(options: &QueryOptions) -> usize {
    usize::try_from(options.memory.0 / THREAD).unwrap_or(usize::MAX).min(options.threads).max(1)
}

/// How a query works within its memory.
pub(super) fn configuration(options: &QueryOptions) -> SessionConfig {
    let ByteSize(memory) = options.memory;
    let threads = threads(options);
    let mut config = SessionConfig::new().with_target_partitions(threads).with_information_schema(true);
    if memory < SMALL {
        config = config.with_batch_size(FEW);
    }
    let execution = &mut config.options_mut().execution;
    // Each thread that sorts sets so much aside for merging what it holds: the keys of all of it are copied then.
    execution.sort_spill_reservation_bytes = usize::try_from(memory / 8 * 3 / threads as u64).unwrap_or(usize::MAX);
    config
}
