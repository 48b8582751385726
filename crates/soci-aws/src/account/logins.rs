//! Logins of Amazon ECR for the registry client, by the account of a run: that which the environment gives, or that was
//! chosen.

use std::sync::{Arc, OnceLock};

use soci_image::EcrHost;
use soci_registry::Secret;
use soci_registry::credentials::{Credential, EcrLogin, EcrLogins};

use super::{Account, AccountError, AccountOptions, Reach};

/// Logins of ECR for registries.
pub struct Logins {
    options: AccountOptions,
    reach: Reach,
    account: OnceLock<Result<Arc<Account>, AccountError>>,
}

impl Logins {
    /// Nothing is read or asked until a registry of ECR wants a login.
    pub fn new(reach: Reach) -> Self {
        Self::of(AccountOptions::default(), reach)
    }

    /// The same by an account that is chosen.
    pub fn of(options: AccountOptions, reach: Reach) -> Self {
        Self {
            options,
            reach,
            account: OnceLock::new(),
        }
    }

    /// The account, opened at its first use.
    ///
    /// # Errors
    /// As [`Account::reach`], the same at each call.
    pub fn account(&self) -> Result<&Arc<Account>, AccountError> {
        let open = || Account::reach(&self.options, &self.reach).map(Arc::new);
        self.account.get_or_init(open).as_ref().map_err(Clone::clone)
    }
}

impl EcrLogins for Logins {
    fn login(&self, host: &EcrHost) -> Result<EcrLogin, String> {
        let account = self.account().map_err(|error| error.to_string())?;
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
