//! The most memory that this process has held.

use std::fs;

/// In bytes, where the system tells it ([proc_pid_status(5)](https://man7.org/linux/man-pages/man5/proc_pid_status.5.html)).
pub fn peak_memory() -> Option<u64> {
    peak(&fs::read_to_string("/proc/self/status").ok()?)
}

fn peak(status: &str) -> Option<u64> {
    let told = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = told.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_are_read() {
        assert_eq!(peak("Name:\tetl\nVmHWM:\t   12345 kB\nVmRSS:\t1 kB\n"), Some(12_345 * 1024));
        assert_eq!(peak("Name:\tetl\n"), None);
    }
}
