//! Blobs that go: mounted, in one piece, or in parts.
//!
//! ```text
//! POST  uploads/[?mount=D&from=R]     201 mounted · 202 a session, its address in Location
//! PATCH session   Content-Range a-b   202, the next address in Location, what is there in Range
//! PUT   session?digest=D              201
//! ```
//!
//! A PATCH or PUT whose outcome is not known is never sent again as it was: ECR answers 416 then. After
//! a PATCH the session is asked how far it is; after a PUT the blob is looked up, and if it is not there
//! a new session begins.

use soci_image::Digest;

use crate::client::Call;
use crate::error::RegistryError;
use crate::refusal::{self, Subject};
use crate::repository::Repository;
use crate::retry;
use crate::token::Scope;
use crate::transport::{Headers, Method, Patience, Transport};
use crate::url::Url;
use crate::wire::{Answer, Repeat, Tries};

/// The size of a part: between ECR's least (5 MiB) and most (10 MiB).
/// <https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html>, checked 2026-11-24
const PART: usize = 8 * 1024 * 1024;

/// Parts that are held in memory at most, whatever least size a registry asks for.
const LARGEST_PART: u64 = 64 * 1024 * 1024;

/// What a request for an upload brought.
enum Begun {
    Mounted,
    Session(Session),
}

/// An upload in progress at the registry.
struct Session {
    url: Url,
    /// The least size of a part that the registry takes (OCI-Chunk-Min-Length).
    least: u64,
}

/// A blob being written in parts. Dropped without [`BlobWriter::commit`], the blob never was.
pub struct BlobWriter<T> {
    repository: Repository<T>,
    digest: Digest,
    what: String,
    url: Url,
    part: usize,
    buffer: Vec<u8>,
    /// Bytes that the registry has, as far as we know.
    sent: u64,
}

impl<T: Transport> Repository<T> {
    /// Stores a blob that is in memory, unless it is there.
    pub async fn put_blob(&self, digest: &Digest, bytes: &[u8]) -> Result<(), RegistryError> {
        let mut tries = Tries::begin(self.client.wire());
        loop {
            let error = match self.begin(None).await? {
                Begun::Mounted => return Ok(()),
                Begun::Session(session) => match self.put_once(session, digest, bytes).await {
                    Ok(()) => return Ok(()),
                    Err(error) => error,
                },
            };
            let Fault { retry_after, error } = error;
            let wire = self.client.wire();
            let pause = tries.next(wire, retry_after);
            let Some(pause) = pause.filter(|_| may_go_on(&error)) else {
                return Err(error);
            };
            wire.wait(pause, self.about("store a blob")).await?;
            // The answer may have been lost, not the blob.
            if self.blob_head(digest).await?.is_some() {
                return Ok(());
            }
        }
    }

    /// Mounts a blob from another repository of the registry, or opens an upload where it does not.
    pub async fn mount(&self, digest: &Digest, from: &str) -> Result<Option<BlobWriter<T>>, RegistryError> {
        match self.begin(Some((digest, from))).await? {
            Begun::Mounted => Ok(None),
            Begun::Session(session) => Ok(Some(self.writer(session, digest))),
        }
    }

    /// Opens an upload in parts.
    pub async fn begin_blob(&self, digest: &Digest) -> Result<BlobWriter<T>, RegistryError> {
        match self.begin(None).await? {
            Begun::Session(session) => Ok(self.writer(session, digest)),
            Begun::Mounted => Err(self.protocol("open an upload", "a blob was mounted that nobody named")),
        }
    }

    fn writer(&self, session: Session, digest: &Digest) -> BlobWriter<T> {
        let least = session.least.min(LARGEST_PART);
        BlobWriter {
            repository: self.clone(),
            what: format!("store the blob {digest}"),
            digest: digest.clone(),
            url: session.url,
            part: PART.max(usize::try_from(least).unwrap_or(PART)),
            buffer: Vec::new(),
            sent: 0,
        }
    }

    /// Opens a session. Repeating this is safe: a session that nobody uses ends by itself.
    async fn begin(&self, mount: Option<(&Digest, &str)>) -> Result<Begun, RegistryError> {
        let what = match mount {
            Some((digest, from)) => format!("mount the blob {digest} from {from}"),
            None => "open an upload".to_owned(),
        };
        let mut scopes = self.push.clone();
        let mut call = self.call(Method::Post, "blobs/uploads/", &what)?;
        if let Some((digest, from)) = mount {
            call.url = call
                .url
                .with_query("mount", digest.as_str())
                .with_query("from", from);
            scopes.push(Scope::pull(from));
        }
        let call = Call {
            scopes: &scopes,
            ..call
        };
        let answer = self.client.call(&self.host, &call).await?;
        match answer.status {
            201 if mount.is_some() => Ok(Begun::Mounted),
            202 => Ok(Begun::Session(Session {
                url: self.next(&answer, &what)?,
                least: answer.headers.number("oci-chunk-min-length").unwrap_or(0),
            })),
            // Not every registry that cannot mount says 202; without the mount it will.
            400 | 403 | 404 | 405 if mount.is_some() => Box::pin(self.begin(None)).await,
            _ => Err(self.refused(&call, Subject::Other, answer).await),
        }
    }

    /// One PUT with everything. Whatever happens, this session is not used again.
    async fn put_once(&self, session: Session, digest: &Digest, bytes: &[u8]) -> Result<(), Fault> {
        let what = format!("store the blob {digest}");
        let call = self.upload_call(
            Method::Put,
            session.url.with_query("digest", digest.as_str()),
            &what,
        );
        let call = Call {
            headers: vec![("content-type", "application/octet-stream".to_owned())],
            body: Some(bytes),
            patience: Patience::Commit,
            ..call
        };
        self.finish(&call, digest).await
    }

    /// Sends the call that closes an upload and reads its outcome.
    async fn finish(&self, call: &Call<'_>, digest: &Digest) -> Result<(), Fault> {
        let answer = self.client.call(&self.host, call).await?;
        if !matches!(answer.status, 200 | 201 | 204) {
            let retry_after = retry::retry_after(&answer.headers, self.client.wire().transport.now());
            let error = self.refused(call, Subject::Other, answer).await;
            return Err(Fault { retry_after, error });
        }
        let stored = answer
            .headers
            .get("docker-content-digest")
            .and_then(|text| Digest::parse(text).ok());
        match stored {
            Some(stored) if stored.algorithm() == digest.algorithm() && stored != *digest => {
                Err(RegistryError::Digest {
                    host: self.host.name.clone(),
                    what: "the stored blob".into(),
                    expected: digest.to_string(),
                    found: stored.to_string(),
                }
                .into())
            }
            _ => Ok(()),
        }
    }

    /// A call on a session: never repeated blindly, and with the address as the registry gave it.
    fn upload_call<'a>(&'a self, method: Method, url: Url, what: &'a str) -> Call<'a> {
        Call {
            method,
            url,
            headers: Vec::new(),
            body: None,
            scopes: &self.push,
            repeat: Repeat::Never,
            patience: Patience::Usual,
            what,
            repository: &self.name,
        }
    }

    /// The address in `Location`, absolute or relative to the one that answered.
    fn next(&self, answer: &Answer<T::Body>, what: &str) -> Result<Url, RegistryError> {
        let location = answer
            .headers
            .get("location")
            .ok_or_else(|| self.protocol(what, "the answer has no Location"))?;
        let url = answer
            .url
            .join(location)
            .map_err(|source| RegistryError::Address {
                host: self.host.name.clone(),
                who: "the Location of an upload",
                source,
            })?;
        // A registry behind a proxy that ends TLS may think that it is reached over http.
        if !url.is_https() && self.host.base.is_https() && url.host() == self.host.base.host() {
            return self.host.url(&url.path_and_query());
        }
        self.client.check_plain(&answer.url, &url)?;
        Ok(url)
    }
}

impl<T: Transport> BlobWriter<T> {
    /// Takes the next bytes; sends a part whenever one is full.
    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<(), RegistryError> {
        while !bytes.is_empty() {
            let room = self.part - self.buffer.len();
            let (now, later) = bytes.split_at(bytes.len().min(room));
            self.buffer.extend_from_slice(now);
            bytes = later;
            if self.buffer.len() == self.part {
                self.send_part().await?;
            }
        }
        Ok(())
    }

    /// Sends the rest and closes the upload. The registry compares the digest.
    pub async fn commit(mut self) -> Result<(), RegistryError> {
        if self.sent == 0 {
            return self.commit_in_one_piece().await;
        }
        if !self.buffer.is_empty() {
            self.send_part().await?;
        }
        let url = self.url.with_query("digest", self.digest.as_str());
        let call = self.repository.upload_call(Method::Put, url, &self.what);
        let call = Call {
            patience: Patience::Commit,
            ..call
        };
        let outcome = self.repository.finish(&call, &self.digest).await;
        let Err(Fault { error, .. }) = outcome else {
            return Ok(());
        };
        if !may_go_on(&error) {
            return Err(error);
        }
        // The answer may have been lost, not the blob.
        match self.repository.blob_head(&self.digest).await? {
            Some(_) => Ok(()),
            None => Err(self.lost(&error.to_string())),
        }
    }

    /// Nothing was sent yet: one PUT is enough, and its bytes are here for a second session.
    async fn commit_in_one_piece(self) -> Result<(), RegistryError> {
        let session = Session {
            url: self.url,
            least: 0,
        };
        let first = self
            .repository
            .put_once(session, &self.digest, &self.buffer)
            .await;
        match first {
            Ok(()) => Ok(()),
            Err(fault) if may_go_on(&fault.error) => {
                if self.repository.blob_head(&self.digest).await?.is_some() {
                    return Ok(());
                }
                self.repository.put_blob(&self.digest, &self.buffer).await
            }
            Err(fault) => Err(fault.error),
        }
    }

    /// Sends the buffer as one PATCH; after a failure the session is asked what of it arrived.
    async fn send_part(&mut self) -> Result<(), RegistryError> {
        let begin = self.sent;
        let end = begin + self.buffer.len() as u64;
        let mut tries = Tries::begin(self.repository.client.wire());
        while self.sent < end {
            let rest = &self.buffer[(self.sent - begin) as usize..];
            let call = self
                .repository
                .upload_call(Method::Patch, self.url.clone(), &self.what);
            let call = Call {
                headers: vec![
                    ("content-type", "application/octet-stream".to_owned()),
                    ("content-range", format!("{}-{}", self.sent, end - 1)),
                ],
                body: Some(rest),
                ..call
            };
            let (retry_after, error) = match self.repository.client.call(&self.repository.host, &call).await {
                Ok(answer) if matches!(answer.status, 202 | 204) => {
                    let url = self.repository.next(&answer, &self.what)?;
                    let there = received(&answer.headers).unwrap_or(end);
                    // `0-0` is both an empty session and one byte.
                    let there = if (there, end) == (0, 1) { 1 } else { there };
                    if there != end {
                        return Err(self.repository.protocol(
                            &self.what,
                            format!("{there} bytes are said to be there after {end} were sent"),
                        ));
                    }
                    (self.url, self.sent) = (url, there);
                    break;
                }
                Ok(answer) => {
                    let now = self.repository.client.wire().transport.now();
                    let retry_after = retry::retry_after(&answer.headers, now);
                    (
                        retry_after,
                        self.repository.refused(&call, Subject::Other, answer).await,
                    )
                }
                Err(error) => (None, error),
            };
            let wire = self.repository.client.wire();
            let pause = tries.next(wire, retry_after);
            let Some(pause) = pause.filter(|_| may_go_on(&error)) else {
                return Err(error);
            };
            wire.wait(pause, self.repository.about(&self.what)).await?;
            let there = self.ask_session(&error).await?;
            if there < self.sent || there > end {
                return Err(self.lost(&format!("it has {there} of {} bytes", self.sent)));
            }
            self.sent = there;
        }
        self.buffer.clear();
        Ok(())
    }

    /// How many bytes the session has.
    async fn ask_session(&mut self, cause: &RegistryError) -> Result<u64, RegistryError> {
        let call = self
            .repository
            .upload_call(Method::Get, self.url.clone(), &self.what);
        let call = Call {
            repeat: Repeat::Safe,
            ..call
        };
        let answer = self.repository.client.call(&self.repository.host, &call).await?;
        if !matches!(answer.status, 200 | 202 | 204) {
            let wire = self.repository.client.wire();
            let answer = wire.read_refusal(answer).await;
            let words = refusal::words(&answer, &wire.secrets);
            return Err(self.lost(&format!("{cause}; the session answers {} {words}", answer.status)));
        }
        if answer.headers.get("location").is_some() {
            self.url = self.repository.next(&answer, &self.what)?;
        }
        Ok(received(&answer.headers).unwrap_or(0))
    }

    fn lost(&self, message: &str) -> RegistryError {
        RegistryError::UploadLost {
            host: self.repository.host.name.clone(),
            digest: self.digest.to_string(),
            message: self.repository.client.wire().quote(message),
        }
    }
}

/// A failure, and how long the registry asked to wait.
struct Fault {
    retry_after: Option<std::time::Duration>,
    error: RegistryError,
}

impl From<RegistryError> for Fault {
    fn from(error: RegistryError) -> Self {
        Self {
            retry_after: None,
            error,
        }
    }
}

/// Whether a new session, or the rest of this one, may succeed.
fn may_go_on(error: &RegistryError) -> bool {
    match error {
        RegistryError::Transport { source, .. } => source.is_transient(),
        RegistryError::Refused { status, .. } => retry::is_transient(*status) || *status == 416,
        // The session was forgotten.
        RegistryError::NotFound { .. } => true,
        _ => false,
    }
}

/// `Range: 0-N` of a session says that N+1 bytes are there. `0-0` is one byte by the specification;
/// docker-registry says it of an empty session too, which shows only before the first part.
fn received(headers: &Headers) -> Option<u64> {
    let range = headers.get("range")?.trim();
    let range = range.strip_prefix("bytes=").unwrap_or(range);
    let (first, last) = range.split_once('-')?;
    match (
        first.trim().parse::<u64>().ok()?,
        last.trim().parse::<u64>().ok()?,
    ) {
        (0, 0) => Some(0),
        (0, last) => last.checked_add(1),
        _ => None,
    }
}
