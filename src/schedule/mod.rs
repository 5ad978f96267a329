//! Pipelines that run by themselves: when each is due, and a process that runs them.
//!
//! What is to be done at which time is told by the [`Board`], which has no clock and does nothing. The [`Scheduler`] asks it, with a
//! [`Clock`] for the time and a [`Runner`] for the work.

mod board;
mod endpoint;
mod event;
mod folder;
mod memory;
mod metrics;
mod scheduler;
#[cfg(test)]
mod tests;
mod times;

pub use board::{Board, Figures, Job, Standing};
pub use endpoint::serve;
pub use event::{Ended, Event};
pub use folder::Folder;
pub use memory::Memory;
pub use scheduler::{Clock, INTERRUPTED, Looked, Message, Runner, Scheduler, Shared, SystemClock};
pub use times::Times;
