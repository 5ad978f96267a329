//! A progress bar on a terminal; nothing in a pipe.

use super::terminal::{is_quiet, say};
use crate::progress::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::Mutex;
use std::sync::PoisonError;

/// Shows the work as a bar on standard error.
#[derive(Debug, Default)]
pub(super) struct Bar {
    shown: Mutex<Option<ProgressBar>>,
    /// What is told is no number of bytes, but of things.
    counts: bool,
}

impl Bar {
    /// A bar of things, not of bytes.
    pub(super) fn counting() -> Bar {
        Bar { counts: true, ..Bar::default() }
    }

    fn with(&self, act: impl FnOnce(&mut Option<ProgressBar>)) {
        act(&mut self.shown.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Shows no work, as in a pipe, but what the user should know at once.
#[derive(Debug, Default)]
pub(super) struct Plain;

impl Progress for Plain {
    fn start(&self, _phase: &str, _total_bytes: Option<u64>) {}
    fn advance(&self, _bytes: u64) {}
    fn finish(&self) {}
    fn note(&self, note: &str) {
        say(&format!("note: {note}"));
    }
}

impl Progress for Bar {
    fn note(&self, note: &str) {
        say(&format!("note: {note}"));
    }

    fn start(&self, phase: &str, total_bytes: Option<u64>) {
        let template = match total_bytes {
            Some(_) if self.counts => "{msg:10} {wide_bar} {pos}/{len}  {eta} left",
            Some(_) => "{msg:10} {wide_bar} {decimal_bytes}/{decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} left",
            None => "{msg:10} {spinner} {decimal_bytes}  {decimal_bytes_per_sec}",
        };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let target = if is_quiet() { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(5) };
        let bar = ProgressBar::with_draw_target(total_bytes, target).with_style(style);
        bar.set_message(phase.to_string());
        self.with(|shown| *shown = Some(bar));
    }

    fn advance(&self, bytes: u64) {
        self.with(|shown| {
            if let Some(bar) = shown {
                bar.inc(bytes);
            }
        });
    }

    fn finish(&self) {
        self.with(|shown| {
            if let Some(bar) = shown.take() {
                bar.finish_and_clear();
            }
        });
    }
}
