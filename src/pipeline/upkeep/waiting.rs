//! Another run of the same pipeline that is at work: it is said, and waited for where that is wished.

use crate::error::{Error, ErrorKind, Result};
use crate::progress::Progress;
use crate::publish::{Lease, RunId};
use crate::storage::Storage;
use chrono::Utc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often it is looked whether the other run has ended.
const PAUSE: Duration = Duration::from_millis(500);
const PAUSE_IN_BUCKET: Duration = Duration::from_secs(2);
/// How often it is looked whether the wait is cancelled.
const BLINK: Duration = Duration::from_millis(50);

/// A run that has not begun yet.
pub(crate) struct Waiting<'a> {
    pub(crate) pipeline: &'a str,
    pub(crate) cancel: &'a AtomicBool,
    pub(crate) progress: &'a dyn Progress,
}

impl Waiting<'_> {
    /// Says which run of the pipeline is at work, and waits for its end as long as `wait` says.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] where it is at work even then, [`ErrorKind::Interrupted`] when cancelled, and where signs of runs can't be read.
    pub(crate) fn for_others(&self, storage: &Storage, wait: Option<Duration>) -> Result<()> {
        let began = Instant::now();
        let mut said: Option<RunId> = None;
        while let Some(other) = self.other(storage)? {
            let age = other.began().map_or_else(String::new, |began| format!(", begun {} ago", span(Utc::now() - began)));
            let Some(wait) = wait else {
                self.progress.note(&format!(
                    "run {other} of this pipeline is at work{age}: of the two the one that ends first is published, the other ends with 8; \
                     --wait 10m waits for it"
                ));
                return Ok(());
            };
            if began.elapsed() >= wait {
                let message = format!("run {other} of this pipeline is still at work{age}; it was waited for as long as --wait allows");
                return Err(Error::new(ErrorKind::Conflict, message).with_context("then", "nothing was read or written"));
            }
            if said.as_ref() != Some(&other) {
                self.progress.note(&format!("waiting for run {other} of this pipeline, which is at work{age}"));
                said = Some(other);
            }
            self.pause(if storage.location().path().is_some() { PAUSE } else { PAUSE_IN_BUCKET }.min(wait))?;
        }
        Ok(())
    }

    /// The oldest run of the pipeline that is at work.
    fn other(&self, storage: &Storage) -> Result<Option<RunId>> {
        let signs = Lease::signs(storage, Some(self.pipeline), Some(Utc::now()))?;
        Ok(signs.into_iter().filter(|sign| !sign.is_dead).filter_map(|sign| sign.run).min())
    }

    fn pause(&self, pause: Duration) -> Result<()> {
        let began = Instant::now();
        while began.elapsed() < pause {
            if self.cancel.load(Ordering::Relaxed) {
                return Err(Error::new(ErrorKind::Interrupted, "interrupted while it waited; nothing was read or written"));
            }
            std::thread::sleep(BLINK);
        }
        Ok(())
    }
}

/// `3 s`, `12 min`, `5 h`: the biggest unit that says enough.
fn span(time: chrono::TimeDelta) -> String {
    match time.num_seconds().max(0) {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3_600),
    }
}
