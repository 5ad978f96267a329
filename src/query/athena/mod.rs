//! SQL that Athena answers: started, waited for, stopped where it must be, and read page by page.
//!
//! An [`AthenaEngine`] gives what the engine of this process gives: rows, batch by batch, of the types that Athena names. What a query
//! took and cost is told beside them, in [`Statistics`].

mod client;
mod column;
mod cost;
mod engine;
mod execution;
mod failure;
mod limits;
mod page;
mod parameter;
mod request;
mod result;
mod running;
mod statistics;
mod value;
mod workgroup;
mod workgroup_settings;

pub use client::Client;
pub use cost::{Cost, PricePerTb};
pub use engine::AthenaEngine;
pub use limits::Limits;
pub use parameter::expression;
pub use request::Request;
pub use result::AthenaResult;
pub use statistics::Statistics;
pub use workgroup::{Ensured, WorkgroupLine, ensure_workgroup, list_workgroups, show_workgroup};
pub use workgroup_settings::{Keeping, LEAST_LIMIT, Workgroup};
