//! What refers to a manifest: the referrers API, and the tag that stands for it where there is none.
//!
//! <https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers> and
//! `#referrers-tag-schema` (checked 2026-11-24).

use std::time::Duration;

use serde_json::{Value, json};
use soci_image::{Descriptor, Digest};

use crate::DOCUMENT_LIMIT;
use crate::client::Call;
use crate::error::RegistryError;
use crate::repository::{ACCEPT, ManifestName, Repository, identity};
use crate::transport::{Method, Transport};

const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";

/// How often a writer tries to get its entry into a list that others write too.
const WRITE_ATTEMPTS: u32 = 24;

/// A list under the referrers tag.
struct TagList {
    document: Value,
    etag: Option<String>,
}

impl<T: Transport> Repository<T> {
    /// The manifests that have `subject` as their subject and are of this artifact type.
    pub async fn referrers(
        &self,
        subject: &Digest,
        artifact_type: &str,
    ) -> Result<Vec<Descriptor>, RegistryError> {
        let found = match self.referrers_api(subject, artifact_type).await? {
            Some(found) => found,
            None => match self.tag_list(subject).await? {
                Some(list) => entries(&list.document).unwrap_or_default(),
                None => Vec::new(),
            },
        };
        // Not every registry filters, and the tag never does.
        Ok(found
            .into_iter()
            .filter(|one| one.artifact_type == artifact_type)
            .collect())
    }

    /// Stores a manifest with a subject and sees to it that it is found from there.
    ///
    /// `descriptor` is the entry for the list; it is written only where the registry keeps none itself.
    pub async fn put_referrer(
        &self,
        subject: &Digest,
        descriptor: &Descriptor,
        bytes: &[u8],
    ) -> Result<(), RegistryError> {
        let listed = self
            .put_manifest(&descriptor.digest, &descriptor.media_type, bytes)
            .await?;
        if listed {
            Ok(())
        } else {
            self.add_to_tag(subject, descriptor).await
        }
    }

    /// All pages of the API; `None` where the registry has none.
    async fn referrers_api(
        &self,
        subject: &Digest,
        artifact_type: &str,
    ) -> Result<Option<Vec<Descriptor>>, RegistryError> {
        let what = format!("list what refers to {subject}");
        let call = self.call(Method::Get, &format!("referrers/{subject}"), &what)?;
        let first = call.url.with_query("artifactType", artifact_type);
        let mut found = Vec::new();
        let mut pages = 0;
        let mut take = |bytes: &[u8]| {
            pages += 1;
            let document: Value =
                serde_json::from_slice(bytes).map_err(|_| self.protocol(&what, "the list is not JSON"))?;
            let more =
                entries(&document).ok_or_else(|| self.protocol(&what, "the list is not an image index"))?;
            found.extend(more);
            Ok(())
        };
        match self.pages(first, INDEX_TYPE, &what, &mut take).await {
            Ok(()) => Ok(Some(found)),
            Err(error) if pages == 0 && has_no_api(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn tag_list(&self, subject: &Digest) -> Result<Option<TagList>, RegistryError> {
        let tag = tag_of(subject);
        let what = format!("read the list of referrers {}:{tag}", self.name);
        let call = self.call(Method::Get, &format!("manifests/{tag}"), &what)?;
        let call = Call {
            headers: vec![("accept", ACCEPT.to_owned()), identity()],
            ..call
        };
        let (headers, bytes) = match self.document(&call, DOCUMENT_LIMIT).await {
            Ok(document) => document,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        let document: Value =
            serde_json::from_slice(&bytes).map_err(|_| self.protocol(&what, "it is not JSON"))?;
        Ok(Some(TagList {
            document,
            etag: headers.get("etag").map(str::to_owned),
        }))
    }

    /// Adds an entry to the list under the tag. Other writers may do the same at the same time.
    ///
    /// Registries that give ETags keep writers apart with `If-Match`. Most do not: after each write the
    /// list is read again, twice, and an entry that was overwritten is written again. A writer that
    /// read before our write needs about as long as we do to write; the pauses are longer than that.
    async fn add_to_tag(&self, subject: &Digest, descriptor: &Descriptor) -> Result<(), RegistryError> {
        const WHAT: &str = "add to the list of referrers";
        let tag = tag_of(subject);
        let clock = &self.client.wire().transport;
        let mut written = false;
        let mut seen = 0;
        let mut cycle = Duration::ZERO;
        for attempt in 1..=WRITE_ATTEMPTS {
            let begun = clock.now();
            let list = self.tag_list(subject).await?;
            let mut document = match &list {
                Some(list) => list.document.clone(),
                None => json!({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": []}),
            };
            let Some(listed) = entries(&document) else {
                return Err(self.protocol(
                    WHAT,
                    format!("the tag {tag} is not an image index; it was not touched"),
                ));
            };
            if listed.iter().any(|entry| entry.digest == descriptor.digest) {
                seen += 1;
                if !written || seen == 2 {
                    return Ok(());
                }
            } else {
                seen = 0;
                let entry: Value = serde_json::from_slice(&descriptor.to_vec())
                    .map_err(|_| self.protocol(WHAT, "the entry is not JSON"))?;
                if let Some(Value::Array(manifests)) = document.get_mut("manifests") {
                    manifests.push(entry);
                }
                let bytes = document.to_string().into_bytes();
                if bytes.len() as u64 > DOCUMENT_LIMIT {
                    return Err(RegistryError::TooLarge {
                        host: self.host.name.clone(),
                        what: WHAT.to_owned(),
                        limit: DOCUMENT_LIMIT,
                    });
                }
                let condition = match &list {
                    Some(list) => list.etag.as_ref().map(|etag| ("if-match", etag.clone())),
                    None => Some(("if-none-match", "*".to_owned())),
                };
                let name = ManifestName::Tag(&tag);
                match self.put_manifest_if(name, INDEX_TYPE, &bytes, condition).await {
                    Ok(_) => written = true,
                    Err(RegistryError::TagMoved { .. } | RegistryError::Refused { status: 409, .. }) => {}
                    Err(error) => return Err(error),
                }
                cycle = cycle.max(clock.now().saturating_sub(begun));
            }
            self.pause_for_writers(attempt, cycle).await?;
        }
        Err(RegistryError::Contended {
            host: self.host.name.clone(),
            attempts: WRITE_ATTEMPTS,
        })
    }

    /// A pause of random length, at least twice as long as reading and writing takes, so that writers
    /// do not stay in step.
    async fn pause_for_writers(&self, attempt: u32, cycle: Duration) -> Result<(), RegistryError> {
        let policy = &self.client.options().retry;
        let random = self.client.wire().transport.random();
        let longest = policy.first_pause.max(cycle).saturating_mul(attempt.min(6));
        let share = (random >> 11) as f64 / (1u64 << 53) as f64;
        let pause = cycle.saturating_mul(2) + longest.mul_f64(share);
        let about = self.about("add to the list of referrers");
        self.client.wire().wait(pause, about).await
    }
}

/// Whether a registry says so that it has no referrers API.
fn has_no_api(error: &RegistryError) -> bool {
    matches!(
        error,
        RegistryError::NotFound { .. }
            | RegistryError::NoRepository { .. }
            | RegistryError::Refused {
                status: 400 | 405 | 501,
                ..
            }
    )
}

/// `sha256-…`, the tag that lists what refers to a digest.
pub fn tag_of(subject: &Digest) -> String {
    subject.as_str().replacen(':', "-", 1)
}

/// The descriptors of an index; `None` if it is none. Entries that cannot be read are left out.
fn entries(document: &Value) -> Option<Vec<Descriptor>> {
    let manifests = document.get("manifests")?;
    if manifests.is_null() {
        return Some(Vec::new());
    }
    let readable = |entry: &Value| Descriptor::parse(entry.to_string().as_bytes()).ok();
    Some(manifests.as_array()?.iter().filter_map(readable).collect())
}
