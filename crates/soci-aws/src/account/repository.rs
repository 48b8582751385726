//! Images of a private repository, told by Amazon ECR's own API: for where the registry itself cannot be reached, or
//! refuses.
//!
//! `BatchGetImage` gives manifests as they were pushed, `GetDownloadUrlForLayer` an address of S3 for a blob, and
//! `ListImageReferrers` what refers to a manifest
//! (<https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchGetImage.html>,
//! <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetDownloadUrlForLayer.html>,
//! <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ListImageReferrers.html>, 2026-11-29).
//! Each needs the permission of its name.

use std::error::Error;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_ecr::Client;
use aws_sdk_ecr::types::{ImageFailureCode, ImageIdentifier, ListImageReferrersFilter, SubjectIdentifier};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use soci_image::{Descriptor, Digest, EcrHost};

use super::error::{Trouble, trouble};
use super::http::Request;
use super::{Account, AccountError};

/// A repository of a registry of Amazon ECR.
#[derive(Clone)]
pub struct EcrRepository {
    account: Arc<Account>,
    client: Client,
    /// The account that owns the registry.
    registry: String,
    name: String,
}

/// Why the API does not say something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EcrError {
    /// A right is missing.
    #[error("the permission {permission} is missing ({words})")]
    Denied {
        /// As policies name it: `ecr:BatchGetImage`.
        permission: &'static str,
        /// AWS' words.
        words: String,
    },
    /// This one thing cannot be had.
    #[error("{0}")]
    This(String),
    /// The account cannot be asked.
    #[error(transparent)]
    Account(#[from] AccountError),
}

/// A manifest, as it was pushed. Nobody has compared its bytes with a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EcrManifest {
    /// Its media type; empty if ECR does not say it.
    pub media_type: String,
    /// The digest that ECR knows it by.
    pub digest: Option<Digest>,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What a manifest is asked for by.
#[derive(Debug, Clone, Copy)]
pub enum EcrName<'a> {
    /// The tag that names it now.
    Tag(&'a str),
    /// Its digest.
    Digest(&'a Digest),
}

/// How long one question may take, repetitions included.
const PATIENCE: Duration = Duration::from_secs(60);

/// The largest page of `ListImageReferrers`, and how many are read.
const REFERRERS_A_PAGE: i32 = 50;
const PAGES: usize = 20;

/// How often a blob is fetched before it counts as out of reach.
const FETCHES: u32 = 3;

impl EcrRepository {
    /// A repository; nobody is asked yet.
    pub fn new(account: Arc<Account>, host: &EcrHost, name: &str) -> Self {
        Self {
            client: account.ecr(host),
            account,
            registry: host.account.clone(),
            name: name.to_owned(),
        }
    }

    /// A manifest or index; `None` if it is not there.
    pub fn manifest(&self, name: EcrName<'_>) -> Result<Option<EcrManifest>, EcrError> {
        let id = ImageIdentifier::builder();
        let id = match name {
            EcrName::Tag(tag) => id.image_tag(tag),
            EcrName::Digest(digest) => id.image_digest(digest.to_string()),
        };
        let call = self.client.batch_get_image();
        let call = call.registry_id(&self.registry).repository_name(&self.name);
        let answer = self.ask("ecr:BatchGetImage", call.image_ids(id.build()).send());
        let Some(answer) = answer? else { return Ok(None) };
        if let Some(image) = answer.images().first() {
            let bytes = image.image_manifest().unwrap_or_default().as_bytes().to_vec();
            let known = image.image_id().and_then(ImageIdentifier::image_digest);
            return Ok(Some(EcrManifest {
                media_type: image.image_manifest_media_type().unwrap_or_default().to_owned(),
                digest: known.and_then(|digest| Digest::parse(digest).ok()),
                bytes,
            }));
        }
        let failure = answer.failures().first();
        match failure.and_then(|failure| failure.failure_code()) {
            None | Some(ImageFailureCode::ImageNotFound) => Ok(None),
            Some(code) => {
                let reason = failure.and_then(|failure| failure.failure_reason());
                Err(EcrError::This(match reason {
                    Some(reason) => format!("{}: {reason}", code.as_str()),
                    None => code.as_str().to_owned(),
                }))
            }
        }
    }

    /// Whether a blob is there.
    pub fn has_blob(&self, digest: &Digest) -> Result<bool, EcrError> {
        Ok(self.address(digest)?.is_some())
    }

    /// A blob's bytes, all at once; `None` if it is not there. They come from S3, by an address that ends after a while.
    pub fn blob(&self, digest: &Digest) -> Result<Option<Vec<u8>>, EcrError> {
        let Some(url) = self.address(digest)? else {
            return Ok(None);
        };
        let request = Request {
            method: "GET".to_owned(),
            url,
            headers: Vec::new(),
            body: Vec::new(),
        };
        let mut problem = String::new();
        for _ in 0..FETCHES {
            match self.account.http.exchange(&request) {
                Ok(answer) if answer.status == 200 => return Ok(Some(answer.body)),
                Ok(answer) => {
                    problem = format!("the address of {digest} answers {}", answer.status);
                    if answer.status < 500 {
                        break;
                    }
                }
                Err(failure) => {
                    problem = format!("the address of {digest} cannot be read: {}", failure.message);
                    if !failure.is_transient {
                        break;
                    }
                }
            }
        }
        Err(EcrError::This(problem))
    }

    /// The manifests that have `subject` as their subject and are of this artifact type.
    pub fn referrers(&self, subject: &Digest, artifact_type: &str) -> Result<Vec<Descriptor>, EcrError> {
        let wrong = |problem: String| EcrError::This(problem);
        let subject = SubjectIdentifier::builder()
            .image_digest(subject.to_string())
            .build();
        let subject = subject.map_err(|error| wrong(error.to_string()))?;
        let filter = ListImageReferrersFilter::builder()
            .artifact_types(artifact_type)
            .build();
        let mut found = Vec::new();
        let mut token = None;
        for _ in 0..PAGES {
            let call = self.client.list_image_referrers();
            let call = call.registry_id(&self.registry).repository_name(&self.name);
            let call = call.subject_id(subject.clone()).filter(filter.clone());
            let call = call.max_results(REFERRERS_A_PAGE).set_next_token(token);
            let Some(page) = self.ask("ecr:ListImageReferrers", call.send())? else {
                return Ok(found);
            };
            for referrer in page.referrers() {
                let digest = Digest::parse(referrer.digest()).map_err(|error| wrong(error.to_string()))?;
                let size = u64::try_from(referrer.size()).unwrap_or_default();
                let mut descriptor = Descriptor::new(referrer.media_type(), digest, size);
                descriptor.artifact_type = referrer.artifact_type().unwrap_or_default().to_owned();
                // What is archived or on its way back cannot be pulled; the filter leaves it out already.
                if descriptor.artifact_type == artifact_type {
                    found.push(descriptor);
                }
            }
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(found);
            }
        }
        Err(wrong(format!("more than {PAGES} pages of referrers")))
    }

    fn address(&self, digest: &Digest) -> Result<Option<String>, EcrError> {
        let call = self.client.get_download_url_for_layer();
        let call = call.registry_id(&self.registry).repository_name(&self.name);
        let answer = self.ask(
            "ecr:GetDownloadUrlForLayer",
            call.layer_digest(digest.to_string()).send(),
        )?;
        match answer {
            None => Ok(None),
            Some(answer) => match answer.download_url() {
                Some(url) => Ok(Some(url.to_owned())),
                None => Err(EcrError::This(format!("ECR gives no address for {digest}"))),
            },
        }
    }

    /// One call; `None` for what the API says is not there.
    fn ask<T, E>(
        &self,
        permission: &'static str,
        send: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<Option<T>, EcrError>
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let work = async { Ok(send.await) };
        let error = match self.account.wait_for(PATIENCE, work)? {
            Ok(answer) => return Ok(Some(answer)),
            Err(error) => error,
        };
        let absent = [
            "RepositoryNotFoundException",
            "ImageNotFoundException",
            "LayersNotFoundException",
        ];
        if error.code().is_some_and(|code| absent.contains(&code)) {
            return Ok(None);
        }
        Err(match trouble("ask Amazon ECR", &error) {
            Trouble::All(error) => EcrError::Account(error),
            Trouble::Denied(words) => EcrError::Denied { permission, words },
            Trouble::This(words) => EcrError::This(words),
        })
    }
}
