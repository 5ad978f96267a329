//! How AWS's services are reached.

use crate::storage::{StoreSettings, defaults};
use serde::{Deserialize, Serialize};

/// How a service is reached. What is left out is found as the AWS tools find it. Keys are not among it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AwsSettings {
    /// Such as `eu-central-1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Of the AWS configuration files, before any keys in the environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Address of a stand-in for the service, such as `http://127.0.0.1:5000`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint_url: Option<String>,
}

impl AwsSettings {
    /// Those of the command line: `--region` and `--profile` hold for all of AWS, `--endpoint-url` for S3 alone.
    pub fn of_command_line() -> AwsSettings {
        AwsSettings::beside(&StoreSettings::default())
    }

    /// Those of services beside a bucket that is reached with `store`: region and profile are the bucket's, the address is not.
    pub fn beside(store: &StoreSettings) -> AwsSettings {
        let defaults = defaults();
        AwsSettings {
            region: store.region.clone().or(defaults.region),
            profile: store.profile.clone().or(defaults.profile),
            endpoint_url: None,
        }
    }

    /// These, and what they leave out as `others` have it.
    #[must_use]
    pub fn or(self, others: AwsSettings) -> AwsSettings {
        AwsSettings {
            region: self.region.or(others.region),
            profile: self.profile.or(others.profile),
            endpoint_url: self.endpoint_url.or(others.endpoint_url),
        }
    }
}
