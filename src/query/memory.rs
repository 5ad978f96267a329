//! How much memory queries may hold: what is above goes to disk, or ends the query.

use crate::units::ByteSize;
use std::fs;
use std::path::Path;

/// What a query can't be run with less than.
pub(super) const LEAST: u64 = 16 << 20;
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
