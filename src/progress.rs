//! What a long job tells while it runs. The command line shows a bar; tests and libraries stay silent.

/// Told by the work as it goes on, from any thread.
pub trait Progress: Send + Sync {
    /// A phase begins: its name, and the input bytes it will read where they are known.
    fn start(&self, phase: &str, total_bytes: Option<u64>);
    /// More input bytes are done.
    fn advance(&self, bytes: u64);
    /// The phase is over.
    fn finish(&self);
    /// Something that the user should know now, not at the end.
    fn note(&self, _note: &str) {}
}

/// Says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn start(&self, _phase: &str, _total_bytes: Option<u64>) {}
    fn advance(&self, _bytes: u64) {}
    fn finish(&self) {}
}
