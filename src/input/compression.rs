//! Compressed inputs, told by their first bytes: names lie.

/// How an input is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// RFC 1952, also of many members.
    Gzip,
    /// RFC 8878, also of many frames.
    Zstd,
    /// bzip2, also of many streams.
    Bzip2,
}

impl Compression {
    /// Told by the magic bytes at the start of a file.
    pub fn of(start: &[u8]) -> Compression {
        match start {
            [0x1f, 0x8b, ..] => Compression::Gzip,
            // A frame, or one that is to be skipped, which some tools put before it.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Compression::Bzip2,
            _ => Compression::None,
        }
    }

    /// The name that people use.
    pub fn name(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
            Compression::Bzip2 => "bzip2",
        }
    }

    /// The command that decompresses it to standard output.
    pub(super) fn unpack(self) -> Option<&'static str> {
        match self {
            Compression::None => None,
            Compression::Gzip => Some("gzip -dc"),
            Compression::Zstd => Some("zstd -dc"),
            Compression::Bzip2 => Some("bzip2 -dc"),
        }
    }

    /// Whether a stream begins with `start`, also one of which no more is there.
    pub(super) fn may_begin(self, start: &[u8]) -> bool {
        let magic: &[u8] = match self {
            Compression::None => return false,
            Compression::Gzip => &[0x1f, 0x8b],
            Compression::Zstd => &[0x28, 0xb5, 0x2f, 0xfd],
            Compression::Bzip2 => b"BZh",
        };
        Compression::of(start) == self || magic.starts_with(start)
    }
}

/// How many first bytes tell a compression.
pub(super) const MAGIC: usize = 6;

/// Compressions that are known but not read, with the program that reads them.
pub(super) fn unreadable(start: &[u8]) -> Option<(&'static str, &'static str)> {
    match start {
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(("xz", "xz -dc")),
        [b'P', b'K', 3, 4, ..] => Some(("zip", "unzip -p")),
        [0x1f, 0x9d, ..] => Some(("compress", "gzip -dc")),
        [0x04, 0x22, 0x4d, 0x18, ..] => Some(("lz4", "lz4 -dc")),
        [b'7', b'z', 0xbc, 0xaf, ..] => Some(("7z", "7z x -so")),
        _ => None,
    }
}
