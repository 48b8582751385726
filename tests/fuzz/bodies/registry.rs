//! A registry that answers whatever the input says: the client must end, with a result or an error.
//!
//! The input is a list of answers, one after the other: a line with the status, header fields, an empty line, the
//! body; a NUL ends an answer. When the list is used up it begins anew, a hundred exchanges at most.

use std::cell::Cell;
use std::time::Duration;

use soci_image::{Descriptor, Digest};
use soci_registry::block_on;
use soci_registry::credentials::{Credential, Keychain};
use soci_registry::transport::{Body, Headers, Request, Response, Transport, TransportError, TransportFault};
use soci_registry::{Client, ClientOptions, ManifestName, RetryPolicy, Secret};

/// The whole protocol against the answers of the input.
pub(crate) fn answers(bytes: &[u8]) {
    let host = "registry.example";
    let password = Secret::new("never-shown");
    let credential = Credential::Basic {
        username: "user".into(),
        password,
    };
    let keychain = Keychain::anonymous().with_explicit(host, credential, "the test");
    let options = ClientOptions {
        retry: RetryPolicy {
            attempts: 3,
            ..RetryPolicy::default()
        },
        ..ClientOptions::default()
    };
    let client = Client::new(Answers::new(bytes), keychain, options);
    let digest = Digest::sha256(b"content");
    block_on(async {
        let repository = match client.repository_at(host, "app").await {
            Ok(repository) => repository,
            Err(error) => return told(&error),
        };
        if let Err(error) = repository.manifest_by_tag("1").await {
            told(&error);
        }
        if let Ok(manifest) = repository.manifest(&digest).await {
            assert!(digest.matches(&manifest.bytes));
        }
        if let Ok(mut reader) = repository.blob(&digest, 7).await {
            let mut buffer = [0; 5];
            let mut read = 0;
            while let Ok(count @ 1..) = reader.read(&mut buffer).await {
                read += count;
                assert!(read <= 7, "more than the blob came");
            }
        }
        if let Err(error) = repository.put_blob(&digest, b"content").await {
            told(&error);
        }
        if let Ok(Some(mut writer)) = repository.mount(&digest, "other").await {
            let written = writer.write(b"content").await;
            if written.is_ok()
                && let Err(error) = writer.commit().await
            {
                told(&error);
            }
        }
        let _ = repository
            .put_manifest(ManifestName::Tag("1"), "a/b", b"{}", false)
            .await;
        let _ = repository.referrers(&digest, "a/b").await;
        let descriptor = Descriptor::of("a/b", b"{}");
        if let Err(error) = repository.put_referrer(&digest, &descriptor, b"{}").await {
            told(&error);
        }
    });
}

/// Every error has words, and none holds the password.
fn told(error: &soci_registry::RegistryError) {
    let text = format!("{error} {error:?} {:?}", error.help());
    assert!(!text.contains("never-shown"), "{text}");
}

struct Answers<'a> {
    list: Vec<&'a [u8]>,
    next: Cell<usize>,
    clock: Cell<u64>,
}

impl<'a> Answers<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let list = bytes.split(|byte| *byte == 0).collect();
        Self {
            list,
            next: Cell::new(0),
            clock: Cell::new(0),
        }
    }
}

impl<'a> Transport for Answers<'a> {
    type Body = Rest<'a>;

    async fn send(&self, request: &Request<'_>) -> Result<Response<Rest<'a>>, TransportError> {
        let url = request.url.to_wire();
        let secret = request
            .headers
            .iter()
            .any(|(_, value)| value.contains("bmV2ZXItc2hvd24") || value.contains("Basic "));
        assert!(
            !secret || url.starts_with("https://"),
            "credentials over plain http"
        );
        let number = self.next.get();
        self.next.set(number + 1);
        let lost = || TransportError::new(TransportFault::Protocol, "no more answers");
        if number >= 100 {
            return Err(lost());
        }
        let mut rest = self.list[number % self.list.len()];
        let mut line = || {
            let end = rest.iter().position(|byte| *byte == b'\n')?;
            let line = std::str::from_utf8(&rest[..end]).ok();
            rest = &rest[end + 1..];
            line
        };
        let status = line()
            .and_then(|line| line.trim().parse().ok())
            .ok_or_else(lost)?;
        let mut headers = Headers::default();
        while let Some((name, value)) = line().and_then(|line| line.split_once(": ")) {
            headers.push(name, value);
        }
        Ok(Response {
            status,
            headers,
            body: Rest(rest),
        })
    }

    async fn wait(&self, duration: Duration) -> Result<(), TransportError> {
        self.clock.set(self.clock.get() + duration.as_secs());
        Ok(())
    }

    fn now(&self) -> Duration {
        self.clock.set(self.clock.get() + 1);
        Duration::from_secs(self.clock.get())
    }

    fn random(&self) -> u64 {
        self.clock.get().wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
}

struct Rest<'a>(&'a [u8]);

impl Body for Rest<'_> {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, TransportError> {
        let count = self.0.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}
