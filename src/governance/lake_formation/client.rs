//! What Lake Formation is asked by.

use super::account::Account;
use crate::aws::{AwsSettings, Calls, Service, code, config, failed};
use crate::catalog::GlueSettings;
use crate::error::{Error, ErrorKind, Result};
use crate::storage::wait;
use aws_config::SdkConfig;
use aws_sdk_lakeformation::Client;
use aws_sdk_lakeformation::config::Builder;
use aws_sdk_lakeformation::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use std::fmt;
use std::future::Future;
use std::time::Duration;

/// How often a change is tried again that collides with another one.
const TRIES: u32 = 8;

/// The Lake Formation beside a Glue catalog.
#[derive(Clone)]
pub struct LakeFormation {
    pub(super) client: Client,
    config: SdkConfig,
    glue: GlueSettings,
    account: Account,
}

impl fmt::Debug for LakeFormation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LakeFormation").field("glue", &self.glue).field("account", &self.account).finish_non_exhaustive()
    }
}

impl LakeFormation {
    /// That beside the catalog of `glue`; what this leaves out of how it is reached, `aws` says. It is asked whose keys these are.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where no region is known, [`ErrorKind::Input`] where it isn't told whose keys these are.
    pub fn connect(glue: &GlueSettings, aws: &AwsSettings) -> Result<LakeFormation> {
        let aws = AwsSettings { region: glue.region.clone(), ..AwsSettings::default() }.or(aws.clone());
        let account = Account::of_keys(&aws)?;
        let config = wait(async move { config(Service::LakeFormation, &aws).await })?;
        Ok(LakeFormation {
            client: Client::from_conf(Builder::from(&config).interceptor(Calls).build()),
            config,
            glue: glue.clone(),
            account,
        })
    }

    /// Whose account it is.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The catalog beside it.
    pub fn glue(&self) -> &GlueSettings {
        &self.glue
    }

    pub(super) fn catalog(&self) -> Option<&String> {
        self.glue.catalog_id.as_ref()
    }

    /// The error of `doing` something.
    pub(super) fn failed<E>(&self, doing: &str, error: &SdkError<E, HttpResponse>) -> Error
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let kind = match code(error) {
            Some(code) if collides(code) => ErrorKind::Conflict,
            _ if doing.starts_with("can't read") || doing.starts_with("can't list") => ErrorKind::Input,
            _ => ErrorKind::Output,
        };
        failed(kind, Service::LakeFormation, doing, &self.config, error)
    }

    /// What `send` gives; tried again, after a pause of random length that grows, where somebody else changes the same.
    pub(super) async fn changed<T, E, F>(&self, doing: &str, send: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = std::result::Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let mut tried = 0;
        loop {
            tried += 1;
            match send().await {
                Ok(answer) => return Ok(answer),
                Err(error) if tried < TRIES && code(&error).is_some_and(collides) => pause(tried).await,
                Err(error) => return Err(self.failed(doing, &error)),
            }
        }
    }
}

/// Whether an error says that another change is under way.
pub(super) fn collides(code: &str) -> bool {
    matches!(code, "ConcurrentModificationException" | "OperationTimeoutException")
}

/// How often a batch of which some collide is tried again.
pub(super) fn may_try(tried: u32) -> bool {
    tried < TRIES
}

/// Up to 50 ms behind the first try, and up to twice as long behind each next one.
pub(super) async fn pause(tried: u32) {
    let most = 50 << tried.min(6);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
    tokio::time::sleep(Duration::from_millis(u64::from(now) % most + 1)).await;
}
