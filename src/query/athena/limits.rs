//! When a query must not go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// So often it is looked whether a query may go on.
const LOOK: Duration = Duration::from_millis(50);

/// What a query may take.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// The longest from its start to its end, the queue included.
    pub timeout: Option<Duration>,
    /// The bytes that it may scan: when it is seen to have scanned more it is stopped.
    pub max_scan: Option<u64>,
    /// Set when the user has had enough.
    pub cancel: Arc<AtomicBool>,
}

/// Why a query was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    Interrupted,
    TimedOut(Duration),
    Scanned { most: u64 },
}

impl Limits {
    /// Waits until a query that was begun at `begun` may not go on.
    pub(super) async fn passed(&self, begun: Instant) -> Stop {
        loop {
            if self.cancel.load(Ordering::Relaxed) {
                return Stop::Interrupted;
            }
            if let Some(timeout) = self.timeout
                && begun.elapsed() >= timeout
            {
                return Stop::TimedOut(timeout);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until the user has had enough.
    pub(super) async fn interrupted(&self) {
        while !self.cancel.load(Ordering::Relaxed) {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Whether a query that has scanned this may not go on.
    pub(super) fn scanned(&self, bytes: u64) -> Option<Stop> {
        self.max_scan.filter(|most| bytes > *most).map(|most| Stop::Scanned { most })
    }
}
