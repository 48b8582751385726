//! The AWS account of a run: reached as registries are.

use std::sync::{Arc, Mutex, PoisonError};

use soci_aws::account::{AccountError, EcrError, EcrName, EcrRepository, Logins, Reach};
use soci_image::{Descriptor, Digest, EcrHost, Reference};
use soci_registry::{ManifestName, Trace};
use soci_store::told::{ImageApi, ToldManifest, Untold};

use crate::cancel::Cancel;
use crate::error::CommandError;

/// How AWS is reached: with the authorities that registries are, until the run is stopped.
pub fn reach(extra_roots: Vec<u8>, cancel: &Cancel, trace: Option<Trace>) -> Reach {
    Reach {
        extra_roots,
        interrupted: cancel.flag(),
        trace,
    }
}

/// The error of a command.
pub fn failed(error: &AccountError) -> CommandError {
    let shown = match error {
        AccountError::NoRegion => CommandError::usage(error.to_string()),
        _ => CommandError::failed(error.to_string()),
    };
    match error.help() {
        Some(help) => shown.help(help),
        None => shown,
    }
}

/// What ECR's own API knows about the repository of an image; `None` for other registries.
pub fn images(logins: &Logins, reference: &Reference) -> Option<Result<EcrImages, AccountError>> {
    let host = EcrHost::parse(reference.registry())?;
    let repository = logins
        .account()
        .map(|account| EcrRepository::new(Arc::clone(account), &host, reference.repository()));
    Some(repository.map(|repository| EcrImages {
        repository,
        account_error: Mutex::default(),
    }))
}

/// A repository's images, told by ECR's own API.
pub struct EcrImages {
    repository: EcrRepository,
    /// Why the account could not be asked at all.
    account_error: Mutex<Option<AccountError>>,
}

impl EcrImages {
    /// Why the account could not be asked at all, if that happened.
    pub fn account_error(&self) -> Option<AccountError> {
        let error = self.account_error.lock();
        error.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn told<T>(&self, told: Result<T, EcrError>) -> Result<T, Untold> {
        told.map_err(|error| {
            let words = error.to_string();
            if let EcrError::Account(error) = error {
                let mut first = self.account_error.lock().unwrap_or_else(PoisonError::into_inner);
                first.get_or_insert(error);
            }
            Untold(words)
        })
    }
}

impl ImageApi for EcrImages {
    fn manifest(&self, name: ManifestName<'_>) -> Result<Option<ToldManifest>, Untold> {
        let name = match name {
            ManifestName::Tag(tag) => EcrName::Tag(tag),
            ManifestName::Digest(digest) => EcrName::Digest(digest),
        };
        let told = self.told(self.repository.manifest(name))?;
        Ok(told.map(|manifest| ToldManifest {
            media_type: manifest.media_type,
            bytes: manifest.bytes,
        }))
    }

    fn has_blob(&self, digest: &Digest) -> Result<bool, Untold> {
        self.told(self.repository.has_blob(digest))
    }

    fn blob(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Untold> {
        self.told(self.repository.blob(digest))
    }

    fn referrers(&self, subject: &Digest, artifact_type: &str) -> Result<Vec<Descriptor>, Untold> {
        self.told(self.repository.referrers(subject, artifact_type))
    }
}
