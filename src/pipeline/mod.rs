//! Jobs that are described once and run every day: what they are, what a run would do, and doing it.

mod model;
mod run_report;
pub mod spec;

pub use model::{
    Bounds, CatalogKind, CatchUp, Check, Expectation, Fingerprint, Grant, GrantOn, Lake, Layout, Mode, OnError, Output, Permission,
    Pipeline, RemovedSources, Schedule, Severity, Source, SourceFormat, TableName, Transform, When,
};
pub use run_report::{Action, CheckRun, OutputRun, RejectedLine, RunReport, RunStatus, Sample, SourceRun, TransformRun};
