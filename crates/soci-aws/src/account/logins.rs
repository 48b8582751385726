//! Logins of Amazon ECR for the registry client, by the account that the environment gives.

use std::sync::OnceLock;

use soci_image::EcrHost;
use soci_registry::Secret;
use soci_registry::credentials::{Credential, EcrLogin, EcrLogins};

use super::{Account, AccountError, AccountOptions, Reach};

/// Logins of ECR for registries.
pub struct Logins {
    reach: Reach,
    account: OnceLock<Result<Account, AccountError>>,
}

impl Logins {
    /// Nothing is read or asked until a registry of ECR wants a login.
    pub fn new(reach: Reach) -> Self {
        Self {
            reach,
            account: OnceLock::new(),
        }
    }
}

impl EcrLogins for Logins {
    fn login(&self, host: &EcrHost) -> Result<EcrLogin, String> {
        let open = || Account::reach(&AccountOptions::default(), &self.reach);
        let account = self.account.get_or_init(open);
        let account = account.as_ref().map_err(ToString::to_string)?;
        let token = account.ecr_token(host).map_err(|error| error.to_string())?;
        Ok(EcrLogin {
            credential: Credential::Basic {
                username: token.username,
                password: Secret::new(token.password),
            },
            expires: token.expires,
        })
    }
}
