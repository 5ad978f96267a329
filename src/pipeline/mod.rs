//! Jobs that are described once and run every day: what they are, what a run would do, and doing it.

mod athena_engine;
mod governing;
mod hooks;
mod make;
mod model;
mod order;
mod plan;
mod registering;
mod run;
mod run_report;
pub mod spec;
mod state;
mod upkeep;
mod verify;

pub use crate::convert::RejectExample;
pub use governing::applying::apply_policy;
pub use governing::comparing::{Comparison, Disagreement, compare_with_aws};
pub use governing::remote::tell_lake_formation;
pub use hooks::tell_hooks;
pub use model::{
    AthenaSettings, Bounds, CatalogKind, CatchUp, Check, CheckEngine, Expectation, Fingerprint, Hook, Hooks, Lake, Layout, Mode, OnError,
    OnFailure, OnMismatch, Output, Pipeline, Removal, Schedule, Severity, Source, SourceFormat, TableName, Transform, TransformEngine,
    When,
};
pub use order::{Ordered, in_order};
pub use plan::{ColumnPlan, OutputPlan, Plan, SourcePlan, plan};
pub use registering::comparison::ReaderPlan;
pub use registering::differences::{ReaderDifference, differences_in, differences_of};
pub use registering::dropping::{Dropped, drop_from_glue};
pub use registering::existing::{Registering, said};
pub use registering::renaming::{check_rename, rename};
pub use registering::sync::sync;
pub use run::{Outcome, RunSettings, run};
pub use run_report::{Action, CheckRun, OutputRun, RejectFile, Renamed, RunReport, RunStatus, Sample, SourceRun, StepRun, TransformRun};
pub use state::before::Scope;
pub use state::lost_rows::{likely_folders, lost_rows};
pub use state::published::head_of;
pub use upkeep::drop::drop_table;
pub use upkeep::history::{Around, PastRun, history};
pub use upkeep::pages::Page;
pub use upkeep::repair::{RepairAction, RepairReport, TableRepair, repair};
pub use upkeep::rollback::rollback;
pub use upkeep::vacuum::{Later, Removed, VacuumReport, vacuum};
