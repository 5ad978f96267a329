//! What a workgroup is like, and what it should be like.

use crate::units::ByteSize;
use aws_sdk_athena::types::{
    ManagedQueryResultsConfiguration, ManagedQueryResultsConfigurationUpdates, ResultConfiguration, ResultConfigurationUpdates, WorkGroup,
    WorkGroupConfiguration, WorkGroupConfigurationUpdates,
};
use serde::Serialize;
use std::fmt;

/// The least that a workgroup's limit can be, in bytes.
pub const LEAST_LIMIT: u64 = 10_000_000;

/// Where the results of a workgroup's queries are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Keeping {
    /// Athena keeps them for 24 hours, and only who may use the workgroup reads them.
    Managed,
    /// In a bucket, below this address.
    Location(String),
    /// Each query says it.
    Unsaid,
}

impl fmt::Display for Keeping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Keeping::Managed => f.write_str("kept by Athena"),
            Keeping::Location(location) => f.write_str(location),
            Keeping::Unsaid => f.write_str("each query says where"),
        }
    }
}

/// A workgroup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Workgroup {
    pub name: String,
    pub description: Option<String>,
    /// Whether queries run in it.
    pub enabled: bool,
    /// The version of the engine.
    pub engine: Option<String>,
    /// Whether its settings go before those of queries.
    pub enforced: bool,
    /// The most bytes that a query scans: one that scans more is stopped by Athena.
    pub max_scan: Option<u64>,
    pub results: Keeping,
}

impl Workgroup {
    pub(super) fn of(live: &WorkGroup) -> Workgroup {
        let configuration = live.configuration();
        let location = configuration.and_then(|all| all.result_configuration()).and_then(|results| results.output_location());
        let managed = configuration.and_then(|all| all.managed_query_results_configuration()).is_some_and(|managed| managed.enabled());
        let engine = configuration.and_then(|all| all.engine_version());
        Workgroup {
            name: live.name().to_string(),
            description: live.description().filter(|text| !text.is_empty()).map(str::to_string),
            enabled: live.state().is_none_or(|state| state.as_str() == "ENABLED"),
            engine: engine.and_then(|engine| engine.effective_engine_version()).map(str::to_string),
            // So it is where nothing is said.
            enforced: configuration.and_then(|all| all.enforce_work_group_configuration()).unwrap_or(true),
            max_scan: configuration.and_then(|all| all.bytes_scanned_cutoff_per_query()).and_then(|most| u64::try_from(most).ok()),
            results: match location.filter(|location| !location.is_empty()) {
                _ if managed => Keeping::Managed,
                Some(location) => Keeping::Location(location.to_string()),
                None => Keeping::Unsaid,
            },
        }
    }

    /// Whether its engine is not one for SQL.
    pub(super) fn is_spark(&self) -> bool {
        self.engine.as_deref().is_some_and(|engine| engine.contains("PySpark") || engine.contains("Spark"))
    }
}

/// What is asked of a workgroup.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) max_scan: u64,
    pub(super) results: &'a Keeping,
}

impl Wanted<'_> {
    /// The settings of a new workgroup.
    pub(super) fn configuration(&self) -> WorkGroupConfiguration {
        let all = WorkGroupConfiguration::builder()
            .enforce_work_group_configuration(true)
            .bytes_scanned_cutoff_per_query(i64::try_from(self.max_scan).unwrap_or(i64::MAX));
        match self.results {
            Keeping::Managed => {
                all.managed_query_results_configuration(ManagedQueryResultsConfiguration::builder().enabled(true).build()).build()
            }
            Keeping::Location(location) => {
                all.result_configuration(ResultConfiguration::builder().output_location(location).build()).build()
            }
            Keeping::Unsaid => all.build(),
        }
    }

    /// What must be changed of `live`, and the same in words; nothing where it is as it should be.
    pub(super) fn updates(&self, live: &Workgroup) -> Option<(WorkGroupConfigurationUpdates, Vec<String>)> {
        let mut updates = WorkGroupConfigurationUpdates::builder();
        let mut changes = Vec::new();
        if !live.enforced {
            updates = updates.enforce_work_group_configuration(true);
            changes.push("enforced: no -> yes".to_string());
        }
        if live.max_scan != Some(self.max_scan) {
            updates = updates.bytes_scanned_cutoff_per_query(i64::try_from(self.max_scan).unwrap_or(i64::MAX));
            let before = live.max_scan.map_or("none".to_string(), |most| ByteSize(most).as_given());
            changes.push(format!("scan limit per query: {before} -> {}", ByteSize(self.max_scan).as_given()));
        }
        if live.results != *self.results {
            let managed = |enabled| ManagedQueryResultsConfigurationUpdates::builder().enabled(enabled).build();
            let results = ResultConfigurationUpdates::builder();
            // Athena refuses both at once.
            updates = match (self.results, &live.results) {
                (Keeping::Managed, Keeping::Location(_)) => updates
                    .managed_query_results_configuration_updates(managed(true))
                    .result_configuration_updates(results.remove_output_location(true).build()),
                (Keeping::Managed, _) => updates.managed_query_results_configuration_updates(managed(true)),
                (Keeping::Location(location), Keeping::Managed) => updates
                    .managed_query_results_configuration_updates(managed(false))
                    .result_configuration_updates(results.output_location(location).build()),
                (Keeping::Location(location), _) => updates.result_configuration_updates(results.output_location(location).build()),
                (Keeping::Unsaid, _) => updates,
            };
            changes.push(format!("results: {} -> {}", live.results, self.results));
        }
        (!changes.is_empty()).then(|| (updates.build(), changes))
    }
}
