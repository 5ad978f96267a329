//! Says that a query is at work, when it has been for a second, on a terminal only.

use super::terminal::is_quiet;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::future::Future;
use std::io::IsTerminal;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Who waits is told nothing before.
const PATIENCE: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(200);

/// What is shown while rows are waited for. Dropped, it is gone.
pub(super) struct Waiting {
    bar: Option<ProgressBar>,
    began: Instant,
    rows: AtomicU64,
}

impl Waiting {
    /// For the rows of a query.
    pub(super) fn for_rows() -> Waiting {
        let bar = (std::io::stderr().is_terminal() && !is_quiet()).then(|| {
            let style = ProgressStyle::with_template("{spinner} {elapsed}  {pos} rows  Ctrl-C to cancel")
                .unwrap_or_else(|_| ProgressStyle::default_spinner());
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5)).with_style(style)
        });
        Waiting { bar, began: Instant::now(), rows: AtomicU64::new(0) }
    }

    /// Shows nothing.
    pub(super) fn silent() -> Waiting {
        Waiting { bar: None, began: Instant::now(), rows: AtomicU64::new(0) }
    }

    /// So many more rows have come.
    pub(super) fn count(&self, rows: usize) {
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// What `work` gives; it is shown that it is at work.
    pub(super) async fn watch<T>(&self, work: impl Future<Output = T>) -> T {
        let Some(bar) = &self.bar else { return work.await };
        let mut work = pin!(work);
        loop {
            match tokio::time::timeout(TICK, work.as_mut()).await {
                Ok(done) => return done,
                Err(_) if self.began.elapsed() >= PATIENCE => {
                    bar.set_position(self.rows.load(Ordering::Relaxed));
                    bar.tick();
                }
                Err(_) => {}
            }
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
