//! What is looked at, in which order.

use super::cloud;
use super::finding::{Finding, Verdict};
use super::governed;
use super::patient::Patient;
use crate::catalog::{GlueSettings, LocalCatalog, Registration, Snapshot};
use crate::storage::{Location, Storage, StoreSettings};

/// Looks at all of it. What depends on something that failed is told as unknown.
pub fn examine(patient: &Patient) -> Vec<Finding> {
    let mut findings = Vec::new();
    let opened = patient.lake.as_ref().and_then(|lake| lake_of(lake, &patient.store, &mut findings));
    if let Some((storage, snapshot)) = &opened {
        findings.extend(governed::lake(storage, snapshot));
    }
    let registrations = opened.as_ref().map(|(storage, _)| Registration::all(storage).unwrap_or_default()).unwrap_or_default();
    let is_bucket = patient.lake.as_ref().is_some_and(|lake| lake.starts_with("s3://"));
    if patient.cloud || is_bucket || !registrations.is_empty() || patient.glue.is_some() {
        let mut catalogs: Vec<GlueSettings> = Vec::new();
        for glue in registrations.iter().map(|one| one.glue.clone()).chain(patient.glue.clone()) {
            if !catalogs.contains(&glue) {
                catalogs.push(glue);
            }
        }
        findings.extend(cloud::look(patient, opened.as_ref(), &registrations, &catalogs));
    }
    findings
}

fn lake_of(lake: &str, store: &StoreSettings, findings: &mut Vec<Finding>) -> Option<(Storage, Snapshot)> {
    let what = "lake";
    let opened = Location::parse(lake).and_then(|location| match location.path() {
        Some(path) if !path.is_dir() => {
            Err(crate::error::Error::new(crate::error::ErrorKind::Input, format!("there is no lake at {lake}")))
        }
        _ => Storage::open_with(location, store),
    });
    let read = opened.and_then(|storage| LocalCatalog::new(storage.clone()).snapshot().map(|snapshot| (storage, snapshot)));
    match read {
        Ok((storage, snapshot)) => {
            let tables = snapshot.head.tables().count();
            let told = match tables {
                0 => format!("{lake} can be read, but has no tables yet"),
                1 => format!("{lake} has 1 table"),
                _ => format!("{lake} has {tables} tables"),
            };
            findings.push(Finding { what: what.to_string(), verdict: Verdict::Well, told, mend: None });
            Some((storage, snapshot))
        }
        Err(error) => {
            findings.push(Finding::ill(
                what,
                error.to_string(),
                Some("`etl run PIPELINE` creates a lake; one in a bucket needs s3:ListBucket and s3:GetObject".to_string()),
            ));
            None
        }
    }
}
