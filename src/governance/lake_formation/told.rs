//! What Lake Formation was told of a lake, kept in the lake: only that may be taken back.

use super::state::State;
use crate::catalog::GlueSettings;
use crate::error::{Error, ErrorKind, Result};
use crate::publish::keys::GOVERNED;
use crate::storage::Storage;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What one account's Lake Formation was told.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// Of this format; 1.
    pub format: u32,
    pub glue: GlueSettings,
    pub account: String,
    pub state: State,
}

impl Told {
    /// What the Lake Formation of `account` beside the catalog `glue` was told of the lake in `storage`: nothing yet, perhaps.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where it can't be read.
    pub fn read(storage: &Storage, glue: &GlueSettings, account: &str) -> Result<Told> {
        let new = Told { format: 1, glue: glue.clone(), account: account.to_string(), state: State::default() };
        let key = new.key();
        let Some(object) = storage.get(&key)? else { return Ok(new) };
        serde_json::from_slice(&object.bytes).map_err(|e| {
            let message = format!("{} doesn't record what was sent to Lake Formation", storage.location().join(&key));
            Error::new(ErrorKind::Input, message)
                .with_source(e)
                .with_context("what to do", "remove it; permissions that are no longer wanted then have to be revoked by hand")
        })
    }

    /// Whether Lake Formation was ever told anything of the lake.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where it can't be read.
    pub fn is_any(storage: &Storage) -> Result<bool> {
        Ok(!storage.list(GOVERNED)?.is_empty())
    }

    /// Keeps it.
    ///
    /// # Errors
    /// [`ErrorKind::Output`] where it can't be written.
    pub fn keep(&self, storage: &Storage) -> Result<()> {
        let text =
            serde_json::to_vec_pretty(self).map_err(|e| Error::new(ErrorKind::Internal, "what was told is no JSON").with_source(e))?;
        storage.put(&self.key(), text)
    }

    fn key(&self) -> String {
        let glue = &self.glue;
        let place = [glue.region.as_deref(), glue.catalog_id.as_deref(), Some(glue.database_prefix.as_str()), Some(self.account.as_str())];
        let place: Vec<&str> = place.into_iter().map(Option::unwrap_or_default).collect();
        format!("{GOVERNED}/{}.json", hex::encode(&Sha256::digest(place.join("\n"))[..8]))
    }
}
