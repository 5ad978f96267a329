//! The keys of what a lake keeps of itself, all below `_etl`. Readers of its tables look at none of them.

/// The folder of all of it.
pub const OWN: &str = "_etl";
/// The object that says which version of each table is read.
pub const HEAD: &str = "_etl/catalog/head.json";
/// The folder of the descriptions of tables, by database, name and version.
pub const TABLES: &str = "_etl/catalog/tables";
/// The folder of the policies, by owner.
pub const POLICIES: &str = "_etl/catalog/policies";
/// The folder of what Lake Formation was told, by account and catalog.
pub const GOVERNED: &str = "_etl/catalog/governed";
/// The folder of the lists of what is to be removed.
pub const CONDEMNED: &str = "_etl/catalog/condemned";
/// The folder of what readers' catalogs were told of, by table and catalog.
pub const READERS: &str = "_etl/catalog/readers";
/// The folder of the signs of runs at work, by pipeline.
pub const ACTIVE: &str = "_etl/active";
/// The folder of what runs say of themselves, by pipeline and run.
pub const RUNS: &str = "_etl/runs";
/// The folder of rows on their way, by run; in a lake that is a folder.
pub const WORK: &str = "_etl/work";
/// The folder of what a scheduler remembers, by pipeline.
pub const SCHEDULE: &str = "_etl/schedule";
/// What the name of a copy of a table's description ends with, in the folder of the run that made it.
pub const COPY: &str = ".table.json";
/// What the name of a manifest ends with.
pub const MANIFEST: &str = ".manifest.json";

/// The folder of what a run says of itself.
pub fn run_folder(pipeline: &str, run: &str) -> String {
    format!("{RUNS}/{pipeline}/{run}")
}

/// The report of a run.
pub fn report(pipeline: &str, run: &str) -> String {
    format!("{RUNS}/{pipeline}/{run}/report.json")
}

/// The list of the files that a run made for an output.
pub fn manifest(pipeline: &str, run: &str, output: &str) -> String {
    format!("{RUNS}/{pipeline}/{run}/{output}{MANIFEST}")
}

/// A version of a table.
pub fn table(database: &str, name: &str, version: u64, run: &str) -> String {
    format!("{TABLES}/{database}/{name}/{version:06}-{run}.json")
}

/// The copy of the description that a run made for an output.
pub fn copy(pipeline: &str, run: &str, output: &str) -> String {
    format!("{RUNS}/{pipeline}/{run}/{output}{COPY}")
}

/// The policy that `owner` published as `run`.
pub fn policy(owner: &str, run: &str) -> String {
    format!("{POLICIES}/{owner}/{run}.json")
}
