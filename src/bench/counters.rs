//! What this process has read so far, as Linux counts it.

use std::fs;

/// What was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counters {
    /// Bytes that calls of `read` and its like gave.
    pub(super) bytes: u64,
    /// Such calls.
    pub(super) reads: u64,
    /// Bytes that came from a disk.
    pub(super) from_disk: u64,
}

impl Counters {
    /// Until now; nothing where the system doesn't count ([proc_pid_io(5)](https://man7.org/linux/man-pages/man5/proc_pid_io.5.html)).
    pub(super) fn now() -> Option<Counters> {
        Counters::parse(&fs::read_to_string("/proc/self/io").ok()?)
    }

    fn parse(text: &str) -> Option<Counters> {
        let number = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")?.parse().ok());
        Some(Counters { bytes: number("rchar")?, reads: number("syscr")?, from_disk: number("read_bytes")? })
    }

    /// What was read since `before`.
    pub(super) fn since(self, before: Counters) -> Counters {
        Counters {
            bytes: self.bytes.saturating_sub(before.bytes),
            reads: self.reads.saturating_sub(before.reads),
            from_disk: self.from_disk.saturating_sub(before.from_disk),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_are_read() {
        let counters = Counters::parse("rchar: 10\nwchar: 1\nsyscr: 3\nsyscw: 0\nread_bytes: 4\nwrite_bytes: 0\n").unwrap();
        assert_eq!(counters, Counters { bytes: 10, reads: 3, from_disk: 4 });
        assert_eq!(counters.since(Counters { bytes: 4, reads: 1, from_disk: 0 }), Counters { bytes: 6, reads: 2, from_disk: 4 });
        assert_eq!(Counters::parse("nothing"), None);
    }
}
