//! How much memory queries may hold: what is above goes to disk, or ends the query.

use super::engine::QueryOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::units::ByteSize;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::prelude::SessionConfig;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

/// What a query can't be run with less than.
const LEAST: u64 = 16 << 20;
/// What each thread that sorts or groups needs.
const THREAD: u64 = 8 << 20;
/// What each file takes that is merged with others, with those that other steps of the thread merge.
const MERGE: u64 = 8 << 20;
/// With less, batches of rows are small.
const SMALL: u64 = 256 << 20;
/// Rows of such a batch.
const FEW: usize = 1024;
/// What is taken where the machine doesn't say what it has.
const UNKNOWN: u64 = 2 << 30;

/// Half of what the machine has, or of what the control groups of this process let it have.
pub fn default_memory() -> ByteSize {
    share_of(machine() / 2, 1)
}

/// What each of `parts` gets of `bytes`.
pub fn share_of(bytes: u64, parts: usize) -> ByteSize {
    ByteSize((bytes / parts.max(1) as u64).max(LEAST))
}

/// The memory of the machine, or the least limit above this process.
fn machine() -> u64 {
    let total = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total(&text)).unwrap_or(UNKNOWN);
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    limits(&groups, Path::new("/sys/fs/cgroup")).into_iter().fold(total, u64::min)
}

/// `MemTotal:       24605216 kB`
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
}

/// The limits of the groups that `groups` names, `/proc/self/cgroup`, and of those above them; `root` is where their files are.
fn limits(groups: &str, root: &Path) -> Vec<u64> {
    let mut found = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(group)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let (top, file) = match controllers {
            "" => (root.to_path_buf(), "memory.max"),
            _ if controllers.split(',').any(|name| name == "memory") => (root.join("memory"), "memory.limit_in_bytes"),
            _ => continue,
        };
        let group = top.join(group.trim_start_matches('/'));
        for folder in group.ancestors().take_while(|folder| folder.starts_with(&top)) {
            // `max` is no number, and no limit.
            found.extend(fs::read_to_string(folder.join(file)).ok().and_then(|text| text.trim().parse::<u64>().ok()));
        }
    }
    found
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_limit_above_the_process_counts() {
        assert_eq!(total("MemTotal:       24605216 kB\nMemFree: 1 kB\n"), Some(24_605_216 << 10));
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            fs::create_dir_all(root.path().join(path).parent().unwrap()).unwrap();
            fs::write(root.path().join(path), text).unwrap();
        };
        write("system.slice/etl.service/memory.max", "max\n");
        write("system.slice/memory.max", "1073741824\n");
        write("memory/docker/1/memory.limit_in_bytes", "536870912\n");
        assert_eq!(limits("0::/system.slice/etl.service\n", root.path()), [1 << 30]);
        assert_eq!(limits("5:cpu,memory:/docker/1\n4:cpu:/x\n", root.path()), [512 << 20]);
        assert!(limits("", root.path()).is_empty() && default_memory().0 >= LEAST);
        assert_eq!(share_of(1 << 30, 4), ByteSize(256 << 20));
    }
}
