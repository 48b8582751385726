//! One repository of one registry: its manifests.

use std::sync::Arc;

use soci_image::{Digest, Reference};

use crate::DOCUMENT_LIMIT;
use crate::client::{Call, Client, Host};
use crate::error::RegistryError;
use crate::refusal::{self, Asked, Subject, Written};
use crate::token::Scope;
use crate::transport::{Headers, Method, Patience, Transport};
use crate::wire::{About, Answer, ReadFault, Repeat, Tries, Wire};

/// Every manifest type there is: a registry that is not asked for a type may hide it or convert to it.
pub(crate) const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, \
     application/vnd.oci.artifact.manifest.v1+json, */*;q=0.1";

/// A repository that a client talks to.
pub struct Repository<T> {
    pub(crate) client: Client<T>,
    pub(crate) host: Arc<Host>,
    pub(crate) name: String,
    pub(crate) pull: Vec<Scope>,
    pub(crate) push: Vec<Scope>,
}

impl<T> Clone for Repository<T> {
    fn clone(&self) -> Self {
        Self {
            client: self.client.clone(),
            host: Arc::clone(&self.host),
            name: self.name.clone(),
            pull: self.pull.clone(),
            push: self.push.clone(),
        }
    }
}

/// A manifest as it came: raw bytes whose digest has been compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The Content-Type of the answer, without parameters; empty if there was none.
    pub media_type: String,
    /// The digest of the bytes.
    pub digest: Digest,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// What a registry says about a manifest without sending it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestHead {
    /// The Content-Type, without parameters.
    pub media_type: String,
    /// Docker-Content-Digest, where the registry sends one.
    pub digest: Option<Digest>,
    /// Content-Length, where the registry sends one.
    pub size: Option<u64>,
    /// ETag, where the registry sends one.
    pub etag: Option<String>,
}

/// What a tag names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tagged {
    /// The manifest.
    pub digest: Digest,
    /// The registry's mark of this state.
    pub etag: Option<String>,
}

/// Where a manifest is put.
#[derive(Clone, Copy, Debug)]
pub enum ManifestName<'a> {
    /// Under a tag, which moves.
    Tag(&'a str),
    /// Under its digest.
    Digest(&'a Digest),
}

impl<T: Transport> Client<T> {
    /// The repository of a reference; asks its registry how it wants to be spoken to, once.
    pub async fn repository(&self, reference: &Reference) -> Result<Repository<T>, RegistryError> {
        self.repository_at(reference.registry(), reference.repository())
            .await
    }

    /// The repository `name` of the registry `host` (with its port).
    pub async fn repository_at(&self, host: &str, name: &str) -> Result<Repository<T>, RegistryError> {
        let host = self.host(host).await?;
        Ok(Repository {
            client: self.clone(),
            host,
            pull: vec![Scope::pull(name)],
            push: vec![Scope::push(name)],
            name: name.to_owned(),
        })
    }
}

impl<T: Transport> Repository<T> {
    /// The registry's host and port.
    pub fn registry(&self) -> &str {
        &self.host.name
    }

    /// The repository's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The client behind.
    pub fn client(&self) -> &Client<T> {
        &self.client
    }

    /// Reads the manifest under a tag; its digest is compared with the one that the registry states.
    pub async fn manifest_by_tag(&self, tag: &str) -> Result<Manifest, RegistryError> {
        self.read_manifest(tag, None).await
    }

    /// Reads the manifest of a digest and compares it.
    pub async fn manifest(&self, digest: &Digest) -> Result<Manifest, RegistryError> {
        self.read_manifest(digest.as_str(), Some(digest)).await
    }

    async fn read_manifest(&self, name: &str, expected: Option<&Digest>) -> Result<Manifest, RegistryError> {
        let what = format!("read the manifest {}", self.named(name));
        let call = self.call(Method::Get, &format!("manifests/{name}"), &what)?;
        let call = Call {
            headers: vec![("accept", ACCEPT.to_owned()), identity()],
            ..call
        };
        let (headers, bytes) = self.document(&call, DOCUMENT_LIMIT).await?;
        let stated = content_digest(&headers);
        // A registry may state another algorithm than the one that was asked for: the asked one counts.
        let digest = match expected.or(stated.as_ref()) {
            Some(digest) => {
                let mut hasher = digest.algorithm().hasher();
                hasher.update(&bytes);
                let found = hasher.finish();
                if found != *digest {
                    return Err(RegistryError::Digest {
                        host: self.host.name.clone(),
                        what: format!("the manifest {}", self.named(name)),
                        expected: digest.to_string(),
                        found: found.to_string(),
                    });
                }
                found
            }
            None => Digest::sha256(&bytes),
        };
        Ok(Manifest {
            media_type: media_type(&headers),
            digest,
            bytes,
        })
    }

    /// Asks for a manifest without reading it; `None` if it is not there.
    pub async fn manifest_head(&self, name: ManifestName<'_>) -> Result<Option<ManifestHead>, RegistryError> {
        let name = name.as_str();
        let what = format!("look up the manifest {}", self.named(name));
        let call = self.call(Method::Head, &format!("manifests/{name}"), &what)?;
        let call = Call {
            headers: vec![("accept", ACCEPT.to_owned())],
            ..call
        };
        let answer = self.client.call(&self.host, &call).await?;
        match answer.status {
            200 => Ok(Some(ManifestHead {
                media_type: media_type(&answer.headers),
                digest: content_digest(&answer.headers),
                size: answer.headers.number("content-length"),
                etag: answer.headers.get("etag").map(str::to_owned),
            })),
            404 => Ok(None),
            _ => Err(self.refused(&call, Subject::Other, answer).await),
        }
    }

    /// What a tag names now, and the ETag under which it can be replaced; `None` if there is no such tag.
    ///
    /// Registries that do not state the digest with HEAD are asked for the manifest itself.
    pub async fn tag(&self, tag: &str) -> Result<Option<Tagged>, RegistryError> {
        let Some(head) = self.manifest_head(ManifestName::Tag(tag)).await? else {
            return Ok(None);
        };
        if let Some(digest) = head.digest {
            let etag = head.etag;
            return Ok(Some(Tagged { digest, etag }));
        }
        match self.manifest_by_tag(tag).await {
            Ok(manifest) => Ok(Some(Tagged {
                digest: manifest.digest,
                etag: None,
            })),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Stores a manifest under its digest. Says whether the registry itself lists it under its `subject`.
    pub async fn put_manifest(
        &self,
        digest: &Digest,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<bool, RegistryError> {
        self.put_manifest_if(ManifestName::Digest(digest), media_type, bytes, None)
            .await
    }

    /// Lets a tag name this manifest. With `replaces` only while the tag still names that, as far as the registry
    /// heeds `If-Match`.
    ///
    /// # Errors
    /// [`RegistryError::TagMoved`] if the registry says that the tag names something else meanwhile.
    pub async fn put_tag(
        &self,
        tag: &str,
        media_type: &str,
        bytes: &[u8],
        replaces: Option<&Tagged>,
    ) -> Result<(), RegistryError> {
        // A weak ETag never matches (RFC 9110 §13.1.1).
        let etag = replaces
            .and_then(|tagged| tagged.etag.as_ref())
            .filter(|etag| etag.starts_with('"'));
        let condition = etag.map(|etag| ("if-match", etag.clone()));
        let name = ManifestName::Tag(tag);
        let error = match self.put_manifest_if(name, media_type, bytes, condition).await {
            Ok(_) => return Ok(()),
            Err(error) if error.is_interrupted() => return Err(error),
            Err(error) => error,
        };
        // The answer to the first attempt may have been lost, and the tag be ours: then a repetition was refused as
        // one that would move the tag. Whether it was the other attempt or another run's does not matter.
        match self.tag(tag).await {
            Ok(Some(now)) if now.digest.matches(bytes) => Ok(()),
            _ => Err(error),
        }
    }

    /// The same for any name, under a condition: `If-Match` with an ETag, or `If-None-Match: *`.
    pub(crate) async fn put_manifest_if(
        &self,
        name: ManifestName<'_>,
        media_type: &str,
        bytes: &[u8],
        condition: Option<(&'static str, String)>,
    ) -> Result<bool, RegistryError> {
        let what = format!("store the manifest {}", self.named(name.as_str()));
        let call = self.call(Method::Put, &format!("manifests/{}", name.as_str()), &what)?;
        let mut headers = vec![("content-type", media_type.to_owned())];
        headers.extend(condition);
        let call = Call {
            headers,
            body: Some(bytes),
            scopes: &self.push,
            patience: Patience::Commit,
            ..call
        };
        let answer = self.client.call(&self.host, &call).await?;
        if !matches!(answer.status, 200..=204) {
            let written = Written {
                tag: match name {
                    ManifestName::Tag(tag) => Some(tag),
                    ManifestName::Digest(_) => None,
                },
                ..Written::of(bytes)
            };
            return Err(self.refused(&call, Subject::Manifest(written), answer).await);
        }
        if let Some(stored) = content_digest(&answer.headers) {
            let mut hasher = stored.algorithm().hasher();
            hasher.update(bytes);
            let ours = hasher.finish();
            if ours != stored {
                return Err(RegistryError::Digest {
                    host: self.host.name.clone(),
                    what: format!("the stored manifest {}", self.named(name.as_str())),
                    expected: ours.to_string(),
                    found: stored.to_string(),
                });
            }
        }
        Ok(answer.headers.get("oci-subject").is_some())
    }

    /// Reads a document of at most `limit` bytes; a body that is cut is asked for again from the start.
    pub(crate) async fn document(
        &self,
        call: &Call<'_>,
        limit: u64,
    ) -> Result<(Headers, Vec<u8>), RegistryError> {
        let wire = self.client.wire();
        let about = self.about(call.what);
        let mut tries = Tries::begin(wire);
        loop {
            let answer = self.client.call(&self.host, call).await?;
            if answer.status != 200 {
                return Err(self.refused(call, Subject::Other, answer).await);
            }
            check_plain_content(&answer.headers, wire)
                .map_err(|problem| self.protocol(call.what, problem))?;
            let headers = answer.headers.clone();
            match wire.read_document(answer, limit, about).await {
                Ok(bytes) => return Ok((headers, bytes)),
                Err(ReadFault::Meant(error)) => return Err(error),
                Err(ReadFault::Transport(source)) => wire.again(&mut tries, source, about).await?,
            }
        }
    }

    /// The registry and what is asked of it, for messages.
    pub(crate) fn about<'a>(&'a self, what: &'a str) -> About<'a> {
        About {
            host: &self.host.name,
            what,
        }
    }

    /// A call that reads and may be repeated.
    pub(crate) fn call<'a>(
        &'a self,
        method: Method,
        path: &str,
        what: &'a str,
    ) -> Result<Call<'a>, RegistryError> {
        Ok(Call {
            method,
            url: self.host.url(&format!("/v2/{}/{path}", self.name))?,
            headers: Vec::new(),
            body: None,
            scopes: &self.pull,
            repeat: Repeat::Safe,
            patience: Patience::Usual,
            what,
            repository: &self.name,
        })
    }

    /// The error of an answer that is a refusal.
    pub(crate) async fn refused(
        &self,
        call: &Call<'_>,
        subject: Subject<'_>,
        answer: Answer<T::Body>,
    ) -> RegistryError {
        let wire = self.client.wire();
        let answer = wire.read_refusal(answer).await;
        let asked = Asked {
            host: &self.host.name,
            repository: call.repository,
            what: call.what,
            writes: call.scopes.iter().any(Scope::pushes),
            subject,
        };
        refusal::error(asked, &answer, &wire.secrets)
    }

    pub(crate) fn protocol(&self, what: &str, problem: impl AsRef<str>) -> RegistryError {
        RegistryError::Protocol {
            host: self.host.name.clone(),
            what: what.to_owned(),
            problem: self.client.wire().quote(problem.as_ref()),
        }
    }

    /// `app:1.4`, `app@sha256:…`
    fn named(&self, name: &str) -> String {
        let separator = if name.contains(':') { '@' } else { ':' };
        format!("{}{separator}{name}", self.name)
    }
}

impl ManifestName<'_> {
    fn as_str(&self) -> &str {
        match self {
            Self::Tag(tag) => tag,
            Self::Digest(digest) => digest.as_str(),
        }
    }
}

/// Bytes must come as they are stored: they have digests.
pub(crate) fn identity() -> (&'static str, String) {
    ("accept-encoding", "identity".to_owned())
}

/// Refuses bodies that something on the way has encoded.
pub(crate) fn check_plain_content<T: Transport>(headers: &Headers, wire: &Wire<T>) -> Result<(), String> {
    match headers.get("content-encoding") {
        None | Some("" | "identity") => Ok(()),
        Some(encoding) => Err(format!(
            "the body came encoded as {} although its plain bytes were asked for",
            wire.quote(encoding)
        )),
    }
}

fn content_digest(headers: &Headers) -> Option<Digest> {
    Digest::parse(headers.get("docker-content-digest")?).ok()
}

fn media_type(headers: &Headers) -> String {
    let field = headers.get("content-type").unwrap_or_default();
    field.split(';').next().unwrap_or_default().trim().to_owned()
}
