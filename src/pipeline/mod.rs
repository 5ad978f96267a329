//! Jobs that are described once and run every day: what they are, what a run would do, and doing it.

mod changes;
mod checking;
mod definition;
mod history;
mod listing;
mod model;
mod opening;
mod plan;
mod producing;
mod publication;
mod published;
mod repair;
mod rollback;
mod run;
mod run_report;
pub mod schedule;
pub mod spec;
mod state;
mod sweep;
mod transforming;
mod vacuum;
mod verify;
mod workspace;
mod writing;

pub use crate::convert::RejectExample;
pub use history::{PastRun, history};
pub use model::{
    Bounds, CatalogKind, CatchUp, Check, Expectation, Fingerprint, Grant, GrantOn, Lake, Layout, Mode, OnError, OnMismatch, Output,
    Permission, Pipeline, RemovedSources, Schedule, Severity, Source, SourceFormat, TableName, Transform, When,
};
pub use plan::{ColumnPlan, OutputPlan, Plan, SourcePlan, plan};
pub use published::head_of;
pub use repair::{RepairAction, RepairReport, TableRepair, repair};
pub use rollback::rollback;
pub use run::{Outcome, RunSettings, run};
pub use run_report::{Action, CheckRun, OutputRun, RunReport, RunStatus, Sample, SourceRun, TransformRun};
pub use state::Scope;
pub use vacuum::{Removed, VacuumReport, vacuum};
