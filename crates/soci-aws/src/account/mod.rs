//! An AWS account, asked by AWS' own SDK: what runs in it, logins of its registries, and images that their API knows.
//!
//! Credentials are found as the SDK finds them: environment, profiles with SSO, assumed roles and `credential_process`,
//! web identity, containers and instances
//! (<https://docs.aws.amazon.com/sdk-for-rust/latest/dg/credproviders.html>, 2026-11-29). The calls only read, but for messages to queues. HTTP is the
//! caller's ([`Http`]), or that of the registry client ([`Reach`]).

mod convert;
mod ecr;
mod error;
mod http;
mod listing;
mod logins;
mod network;
#[cfg(feature = "queue")]
mod queue;
mod repository;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;

pub use ecr::EcrToken;
pub use error::AccountError;
pub use http::{Answer, Failure, Http, Request};
pub use listing::{Found, Gap, Wanted};
pub use logins::Logins;
pub use network::Reach;
pub use repository::{EcrError, EcrManifest, EcrName, EcrRepository};

/// How an account is chosen.
#[derive(Debug, Clone, Default)]
pub struct AccountOptions {
    /// The region, before that of environment and profile.
    pub region: Option<String>,
    /// The profile, before that of the environment.
    pub profile: Option<String>,
    /// Keys, instead of looking for credentials.
    pub keys: Option<Keys>,
}

/// Keys of a user or a session.
#[derive(Clone)]
pub struct Keys {
    /// As in `AWS_ACCESS_KEY_ID`.
    pub access_key_id: String,
    /// As in `AWS_SECRET_ACCESS_KEY`.
    pub secret_access_key: String,
    /// As in `AWS_SESSION_TOKEN`.
    pub session_token: Option<String>,
}

/// Without the secrets.
impl fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Keys")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// An account, and the way to ask it.
pub struct Account {
    runtime: Option<tokio::runtime::Runtime>,
    config: SdkConfig,
    http: Arc<dyn Http>,
}

/// How long AWS is asked, all calls of one question together.
const PATIENCE: Duration = Duration::from_secs(300);

/// How often a call is made before it counts as failed: throttled ones wait up to [`BACK_OFF`] in between.
const ATTEMPTS: u32 = 8;

/// The longest pause between two attempts.
const BACK_OFF: Duration = Duration::from_secs(20);

impl Account {
    /// Reads configuration; nobody is asked yet.
    pub fn open(options: &AccountOptions, http: Arc<dyn Http>) -> Result<Self, AccountError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| AccountError::Runtime(error.to_string()))?;
        let retry = RetryConfig::standard()
            .with_max_attempts(ATTEMPTS)
            .with_max_backoff(BACK_OFF);
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(Duration::from_secs(60))
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http::Adapter(Arc::clone(&http)))
            .retry_config(retry)
            .timeout_config(timeouts);
        if let Some(region) = &options.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(profile) = &options.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(keys) = options.keys.clone() {
            let Keys {
                access_key_id,
                secret_access_key,
                session_token,
            } = keys;
            let given = Credentials::new(access_key_id, secret_access_key, session_token, None, "given");
            loader = loader.credentials_provider(given);
        }
        let config = runtime.block_on(loader.load());
        Ok(Self {
            runtime: Some(runtime),
            config,
            http,
        })
    }

    /// The region that it is asked in.
    pub fn region(&self) -> Option<&str> {
        self.config.region().map(Region::as_ref)
    }

    fn wait<T>(&self, work: impl Future<Output = Result<T, AccountError>>) -> Result<T, AccountError> {
        self.wait_for(PATIENCE, work)
    }

    fn wait_for<T>(
        &self,
        patience: Duration,
        work: impl Future<Output = Result<T, AccountError>>,
    ) -> Result<T, AccountError> {
        let runtime = self
            .runtime
            .as_ref()
            .expect("it is there until the account is dropped");
        runtime.block_on(async {
            match tokio::time::timeout(patience, work).await {
                Ok(done) => done,
                Err(_) => Err(AccountError::TimeUp(patience.as_secs())),
            }
        })
    }
}

impl Drop for Account {
    /// Does not wait for exchanges that nobody waits for any more.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
