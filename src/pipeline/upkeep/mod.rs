//! What is done with a lake between runs: going back, cleaning up, mending, looking at what was.

pub(crate) mod drop;
pub(crate) mod failed_run;
pub(crate) mod gone_tables;
pub(crate) mod history;
pub(crate) mod pages;
pub(crate) mod repair;
pub(crate) mod rollback;
pub(crate) mod sweep;
pub(crate) mod vacuum;
pub(crate) mod waiting;
