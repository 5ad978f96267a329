//! Where buckets are, for every command that reads or writes them.

use crate::storage::{StoreSettings, set_defaults};
use clap::Args;

/// How `s3://` is reached, where a pipeline doesn't say it itself.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "S3")]
pub(super) struct StoreArgs {
    /// Endpoint of a store other than AWS, such as http://127.0.0.1:9000 [env: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL]
    #[arg(long, global = true, value_name = "URL")]
    endpoint_url: Option<String>,
    /// Region of the buckets [env: AWS_REGION, AWS_DEFAULT_REGION]
    #[arg(long, global = true, value_name = "NAME")]
    region: Option<String>,
    /// AWS profile for credentials and region [env: AWS_PROFILE]
    #[arg(long, global = true, value_name = "NAME")]
    profile: Option<String>,
}

impl StoreArgs {
    /// The same as arguments of another process.
    pub(super) fn arguments(&self) -> Vec<String> {
        let named = [("--endpoint-url", &self.endpoint_url), ("--region", &self.region), ("--profile", &self.profile)];
        named.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value.as_ref()?))).collect()
    }

    /// Makes them hold for all stores of this process.
    pub(super) fn apply(self) {
        let StoreArgs { endpoint_url, region, profile } = self;
        set_defaults(StoreSettings { endpoint_url, region, profile, ..StoreSettings::default() });
    }
}
