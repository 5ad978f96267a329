//! The keys that sign requests, found as the AWS tools find them: environment, profile, SSO, web identity, container, instance.

use crate::secrets;
use async_trait::async_trait;
use aws_config::Region;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::meta::region::ProvideRegion;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use object_store::aws::AwsCredential;
use object_store::client::CredentialProvider;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::Mutex;

/// The longest that finding keys may take: a sign-on or a program that gives them may need a few seconds.
const LONGEST: Duration = Duration::from_secs(20);
/// Keys are renewed when they hold for less than this: as long as a request and its retries may take, and more.
const MARGIN: Duration = Duration::from_secs(5 * 60);

/// Keys as the AWS chain gives them, looked for when the first request needs them, and again before they end.
pub struct Chain {
    profile: Option<String>,
    region: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    provider: Option<Box<dyn ProvideCredentials>>,
    held: Option<(Arc<AwsCredential>, Option<SystemTime>)>,
}

/// Why there are no keys.
#[derive(Debug)]
pub struct NoCredentials {
    /// Whether none were found anywhere, and not that some could not be had.
    pub none: bool,
    text: String,
}

impl fmt::Display for NoCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for NoCredentials {}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain").field("profile", &self.profile).finish_non_exhaustive()
    }
}

impl Chain {
    /// The chain, beginning with `profile` where one is named; roles are asked for in `region`.
    pub fn new(profile: Option<String>, region: String) -> Chain {
        Chain { profile, region, state: Mutex::default() }
    }

    async fn provider(&self) -> Box<dyn ProvideCredentials> {
        let region = Region::new(self.region.clone());
        match &self.profile {
            // Named on the command line or in a pipeline, a profile comes before keys in the environment.
            Some(profile) => {
                let config = ProviderConfig::without_region().with_region(Some(region));
                Box::new(ProfileFileCredentialsProvider::builder().configure(&config).profile_name(profile).build())
            }
            None => Box::new(DefaultCredentialsChain::builder().region(region).build().await),
        }
    }

    async fn find(&self, state: &mut State) -> Result<Credentials, NoCredentials> {
        if state.provider.is_none() {
            state.provider = Some(self.provider().await);
        }
        let Some(provider) = &state.provider else { unreachable!("it was just set") };
        provider.provide_credentials().await.map_err(|error| {
            let none = matches!(error, CredentialsError::CredentialsNotLoaded(_));
            let mut text = error.to_string();
            let mut cause = std::error::Error::source(&error);
            while let Some(source) = cause {
                text = format!("{text}: {source}");
                cause = source.source();
            }
            NoCredentials { none, text: secrets::redact(&text) }
        })
    }
}

impl ProvideCredentials for Chain {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async move {
            let found = self.get_credential().await.map_err(CredentialsError::provider_error)?;
            let until = self.state.lock().await.held.as_ref().and_then(|(_, until)| *until);
            Ok(Credentials::new(&found.key_id, &found.secret_key, found.token.clone(), until, "etl"))
        })
    }
}

#[async_trait]
impl CredentialProvider for Chain {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let mut state = self.state.lock().await;
        let holds = |until: Option<SystemTime>, margin| until.is_none_or(|until| until > SystemTime::now() + margin);
        if let Some((credential, until)) = &state.held
            && holds(*until, MARGIN)
        {
            return Ok(credential.clone());
        }
        let found = match tokio::time::timeout(LONGEST, self.find(&mut state)).await {
            Ok(found) => found,
            Err(_) => Err(NoCredentials { none: false, text: format!("finding them took more than {} s", LONGEST.as_secs()) }),
        };
        match found {
            Ok(found) => {
                secrets::remember_key(found.secret_access_key());
                // What is read from a file may end with its line, which no header can hold.
                let parts = [found.access_key_id(), found.secret_access_key(), found.session_token().unwrap_or_default()];
                if parts.iter().any(|part| part.trim().contains(|c: char| c.is_control() || !c.is_ascii())) {
                    let text = "a key contains a line break or another character that keys never have".to_string();
                    let failure = NoCredentials { none: false, text };
                    return Err(object_store::Error::Unauthenticated { path: String::new(), source: Box::new(failure) });
                }
                found.session_token().into_iter().for_each(secrets::remember_key);
                let credential = Arc::new(AwsCredential {
                    key_id: found.access_key_id().trim().to_string(),
                    secret_key: found.secret_access_key().trim().to_string(),
                    token: found.session_token().map(|token| token.trim().to_string()),
                });
                state.held = Some((credential.clone(), found.expiry()));
                Ok(credential)
            }
            Err(failure) => match &state.held {
                // Those that are held are good for a while yet.
                Some((credential, until)) if holds(*until, Duration::ZERO) => Ok(credential.clone()),
                _ => Err(object_store::Error::Unauthenticated { path: String::new(), source: Box::new(failure) }),
            },
        }
    }
}

/// The region that a profile of the AWS configuration files names.
pub async fn region_of_profile(profile: Option<&str>) -> Option<String> {
    let builder = ProfileFileRegionProvider::builder();
    let provider = match profile {
        Some(profile) => builder.profile_name(profile).build(),
        None => builder.build(),
    };
    provider.region().await.map(|region| region.to_string())
}
