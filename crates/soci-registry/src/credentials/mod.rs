//! Credentials as users already have them.
//!
//! Looked up in this order, the first hit wins:
//!
//! 1. what was given by flags or `CARGO_SOCI_REGISTRY_*`
//! 2. `DOCKER_AUTH_CONFIG`
//! 3. docker's `config.json`: `credHelpers`, then `credsStore`, then `auths`
//! 4. the `auth.json` of podman, buildah and skopeo
//! 5. for Amazon ECR: whoever has AWS credentials ([`EcrLogins`])
//!
//! `docs/registry.md` tells users the same.

mod auth_file;
mod files;
mod helper;

use std::io;
use std::path::Path;
use std::sync::Arc;
#[cfg(feature = "native")]
use std::sync::atomic::AtomicBool;

use soci_image::EcrHost;

pub use self::auth_file::AuthFile;
#[cfg(feature = "native")]
pub use self::helper::ProcessHelpers;
pub use self::helper::{HelperAnswer, Helpers, MAX_HELPER_OUTPUT, NoHelpers, helper_answer, helper_program};

use crate::environment::Environment;
use crate::secret::Secret;

/// How a user proves who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// User and password, or a token with a fixed user name.
    Basic {
        /// The user name; `AWS` for ECR.
        username: String,
        /// The password.
        password: Secret,
    },
    /// An OAuth2 refresh token that is changed into access tokens.
    IdentityToken(Secret),
    /// A token that the registry takes as it is.
    RegistryToken(Secret),
}

impl Credential {
    /// The part that nobody may see.
    pub(crate) fn secret(&self) -> &Secret {
        match self {
            Self::Basic { password, .. } => password,
            Self::IdentityToken(token) | Self::RegistryToken(token) => token,
        }
    }
}

/// A credential and where it came from, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The credential.
    pub credential: Credential,
    /// "credential helper docker-credential-ecr-login (/home/u/.docker/config.json)"
    pub origin: String,
}

/// Logins of Amazon ECR, by AWS credentials that the caller finds.
pub trait EcrLogins: Send + Sync {
    /// A login to a registry; or why there is none, in words without secrets.
    fn login(&self, host: &EcrHost) -> Result<EcrLogin, String>;
}

/// A login of Amazon ECR.
#[derive(Clone, Debug)]
pub struct EcrLogin {
    /// User `AWS` and the token.
    pub credential: Credential,
    /// Seconds since 1970 when it ends, where that is known.
    pub expires: Option<u64>,
}

/// What a search brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lookup {
    /// The first hit.
    pub found: Option<Found>,
    /// The places that were asked before it and what each said.
    pub tried: Vec<String>,
    /// Those of them that could not answer: the search went on as if they knew nothing.
    pub failures: Vec<String>,
}

/// Everything that is known about credentials, read once.
pub struct Keychain {
    explicit: Option<(String, Found)>,
    files: Vec<AuthFile>,
    helpers: Box<dyn Helpers>,
    ecr: Option<Arc<dyn EcrLogins>>,
    notes: Vec<String>,
}

impl Keychain {
    /// A keychain over auth files that were read already, and a way to run credential helpers.
    pub fn new(files: Vec<AuthFile>, helpers: Box<dyn Helpers>) -> Self {
        Self {
            explicit: None,
            files,
            helpers,
            ecr: None,
            notes: Vec::new(),
        }
    }

    /// A keychain that knows nobody.
    pub fn anonymous() -> Self {
        Self::new(Vec::new(), Box::new(NoHelpers))
    }

    /// A keychain over the files that the environment names and the helpers on its `PATH`, which end when the
    /// flag is raised.
    #[cfg(feature = "native")]
    pub fn of_environment(environment: &Environment, interrupted: Arc<AtomicBool>) -> Self {
        let helpers = Box::new(ProcessHelpers::new(environment.clone(), interrupted));
        Self::over(environment, &files::read, helpers)
    }

    /// A keychain over the files that the environment names. `read` gives at most one byte more than
    /// [`AuthFile::MAX_SIZE`].
    pub fn over(
        environment: &Environment,
        read: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
        helpers: Box<dyn Helpers>,
    ) -> Self {
        let (files, notes) = files::auth_files(environment, read);
        Self {
            notes,
            ..Self::new(files, helpers)
        }
    }

    /// What was given for one registry: known before anything is asked.
    pub(crate) fn explicit(&self) -> Option<&Credential> {
        self.explicit.as_ref().map(|(_, found)| &found.credential)
    }

    /// Adds a credential that goes before all others, for this host alone.
    #[must_use]
    pub fn with_explicit(mut self, host: &str, credential: Credential, origin: &str) -> Self {
        let found = Found {
            credential,
            origin: origin.to_owned(),
        };
        self.explicit = Some((host.to_owned(), found));
        self
    }

    /// Adds logins of Amazon ECR, for its registries that nothing else knows.
    #[must_use]
    pub fn with_ecr(mut self, logins: Arc<dyn EcrLogins>) -> Self {
        self.ecr = Some(logins);
        self
    }

    /// The logins of Amazon ECR.
    pub(crate) fn ecr(&self) -> Option<&dyn EcrLogins> {
        self.ecr.as_deref()
    }

    /// Searches for a repository's credential; `host` is the registry's host and port.
    pub fn lookup(&self, host: &str, repository: &str) -> Lookup {
        let mut tried = Vec::new();
        match &self.explicit {
            Some((for_host, found)) if for_host == host => {
                return Lookup {
                    found: Some(found.clone()),
                    ..Lookup::default()
                };
            }
            Some((for_host, found)) => tried.push(format!("{}: is for {for_host} alone", found.origin)),
            None => {}
        }
        tried.extend(self.notes.iter().cloned());
        let mut lookup = Lookup {
            tried,
            failures: self.notes.clone(),
            found: None,
        };
        for file in &self.files {
            lookup.found = file.lookup(host, repository, &*self.helpers, &mut lookup);
            if lookup.found.is_some() {
                break;
            }
        }
        lookup
    }
}
