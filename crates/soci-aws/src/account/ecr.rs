//! The login to a private registry of Amazon ECR.
//!
//! `GetAuthorizationToken` answers with `base64("AWS:password")` and the time it ends, twelve hours later
//! (<https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html>, 2026-11-24). The calling
//! identity needs `ecr:GetAuthorizationToken`.

use std::fmt;

use aws_config::Region;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use soci_image::EcrHost;

use super::error::{Trouble, trouble};
use super::{Account, AccountError};

/// A login.
#[derive(Clone)]
pub struct EcrToken {
    /// `AWS`
    pub username: String,
    /// The password; not for messages.
    pub password: String,
    /// Seconds since 1970 when it ends, where the answer says so.
    pub expires: Option<u64>,
}

/// Without the password.
impl fmt::Debug for EcrToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EcrToken")
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

impl Account {
    /// The ECR API of a registry's region, by the kind of endpoint that the registry is named by.
    pub(super) fn ecr(&self, host: &EcrHost) -> aws_sdk_ecr::Client {
        let mut config =
            aws_sdk_ecr::config::Builder::from(&self.config).region(Region::new(host.region.clone()));
        if host.fips {
            config = config.use_fips(true);
        }
        if host.dual_stack {
            config = config.use_dual_stack(true);
        }
        aws_sdk_ecr::Client::from_conf(config.build())
    }

    /// Asks the ECR API of the registry's region for a login.
    pub fn ecr_token(&self, host: &EcrHost) -> Result<EcrToken, AccountError> {
        let client = self.ecr(host);
        let what = "fetch a login of Amazon ECR";
        let failed = |problem: String| AccountError::Failed {
            what: what.to_owned(),
            problem,
        };
        self.wait(async {
            let answer = client.get_authorization_token().send().await.map_err(|error| {
                match trouble(what, &error) {
                    Trouble::All(error) => error,
                    Trouble::Denied(words) | Trouble::This(words) => failed(words),
                }
            })?;
            let data = answer.authorization_data().first();
            let data = data.ok_or_else(|| failed("the answer holds no token".to_owned()))?;
            let text = data
                .authorization_token()
                .and_then(|token| STANDARD.decode(token).ok())
                .and_then(|bytes| String::from_utf8(bytes).ok());
            let login = text.as_deref().and_then(|text| text.split_once(':'));
            let (username, password) =
                login.ok_or_else(|| failed("the token is no user and password in base64".to_owned()))?;
            Ok(EcrToken {
                username: username.to_owned(),
                password: password.to_owned(),
                expires: data
                    .expires_at()
                    .and_then(|moment| u64::try_from(moment.secs()).ok())
                    .filter(|seconds| *seconds > 0),
            })
        })
    }
}
