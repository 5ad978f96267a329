//! Brings all catalogs forward that know tables of a lake.

use super::forwarding::forward;
use crate::aws::AwsSettings;
use crate::catalog::{GlueCatalog, Registered, Registration};
use crate::error::Result;
use crate::publish::{Claim, Lease, RunId};
use crate::storage::Storage;
use chrono::Utc;

/// The folder of the signs of those who bring catalogs forward: the name of no pipeline.
const SYNC: &str = ".sync";

/// Tells every catalog that was told of tables of the lake in `storage` what they are now.
///
/// # Errors
/// Where the lake or a catalog can't be read or written.
pub fn sync(storage: &Storage) -> Result<Vec<Registered>> {
    let registrations = Registration::all(storage)?;
    let tables = registrations.iter().map(|one| (one.database.clone(), one.table.clone())).collect();
    let claim = Claim { run: RunId::new(Utc::now()), pipeline: SYNC.to_string(), folders: Vec::new(), tables, versions: Vec::new() };
    // Meanwhile no vacuum removes lists of these tables.
    let _lease = Lease::take(storage, &claim)?;
    let mut registered = Vec::new();
    for registration in &registrations {
        let glue = GlueCatalog::connect(&registration.glue, &AwsSettings::of_command_line())?;
        registered.extend(forward(storage, registration, &glue, false)?);
    }
    Ok(registered)
}
