//! A registry that answers whatever the input says: the client must end, with a result or an error.
//!
//! The input is a list of answers, one after the other: a line with the status, header fields, an empty line, the
//! body; a NUL ends an answer. When the list is used up it begins anew, a hundred exchanges at most.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use soci_image::{Descriptor, Digest};
use soci_registry::block_on;
use soci_registry::credentials::{Credential, Keychain};
use soci_registry::transport::{Body, Headers, Request, Response, Transport, TransportError, TransportFault};
use soci_registry::{Client, ClientOptions, Origin, RetryPolicy, Secret, Url};

const HOST: &str = "registry.example";

/// `user:never-shown` in base64.
const LOGIN: &str = "dXNlcjpuZXZlci1zaG93bg";

/// The whole protocol against the answers of the input.
pub(crate) fn answers(bytes: &[u8]) {
    let host = HOST;
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
        match repository.manifest(&digest).await {
            Ok(manifest) => assert!(digest.matches(&manifest.bytes)),
            Err(error) => told(&error),
        }
        match repository.blob(&digest, 7).await {
            Ok(mut reader) => {
                let mut buffer = [0; 5];
                let mut read = 0;
                loop {
                    match reader.read(&mut buffer).await {
                        Ok(0) => break,
                        Ok(count) => read += count,
                        Err(error) => {
                            told(&error);
                            break;
                        }
                    }
                    assert!(read <= 7, "more than the blob came");
                }
            }
            Err(error) => told(&error),
        }
        if let Err(error) = repository.put_blob(&digest, b"content").await {
            told(&error);
        }
        match repository.mount(&digest, "other").await {
            Ok(Some(mut writer)) => {
                let ended = match writer.write(b"content").await {
                    Ok(()) => writer.commit().await.map(drop),
                    Err(error) => Err(error),
                };
                if let Err(error) = ended {
                    told(&error);
                }
            }
            Ok(None) => {}
            Err(error) => told(&error),
        }
        if let Err(error) = repository.put_tag("1", "a/b", b"{}", None).await {
            told(&error);
        }
        if let Err(error) = repository.tag("1").await {
            told(&error);
        }
        if let Err(error) = repository.referrers(&digest, "a/b").await {
            told(&error);
        }
        let descriptor = Descriptor::of("a/b", b"{}");
        if let Err(error) = repository.put_referrer(&digest, &descriptor, b"{}").await {
            told(&error);
        }
    });
}

/// The fields that are read closely, one a line: a challenge, a Link, a Location. Each stands in an answer where it
/// counts; addresses are also read by themselves.
pub(crate) fn fields(text: &str) {
    let mut lines = text.lines();
    let mut next = || lines.next().unwrap_or_default();
    let (challenge, link, location) = (next(), next(), next());
    for line in [challenge, link, location] {
        address(line);
    }
    let list = "{\"manifests\":[]}";
    for body in [
        format!(
            "401\nwww-authenticate: {challenge}\n\n\0200\n\n{{\"token\":\"given\"}}\0200\nlink: {link}\n\n{list}"
        ),
        format!(
            "200\n\n\0307\nlocation: {location}\n\n\0401\nwww-authenticate: {challenge}\n\n\0200\n\n{{}}"
        ),
        format!("401\nwww-authenticate: {challenge}\n\n\0202\nlocation: {location}\n\n"),
    ] {
        answers(body.as_bytes());
    }
}

/// An address that is read says what it is, and keeps saying it.
fn address(text: &str) {
    let base = Url::parse("https://registry.example/v2/app/blobs/x?a=b").expect("an address");
    for url in [Url::parse(text), base.join(text)].into_iter().flatten() {
        let again = Url::parse(&url.to_wire()).expect("what was read is an address");
        assert_eq!((Origin::of(&again), &again), (Origin::of(&url), &url));
        assert!(
            !url.to_wire().bytes().any(|byte| byte <= b' '),
            "a request line would be split"
        );
        assert!(
            !url.to_string().contains('?') || url.to_string().ends_with("?…"),
            "a query is shown"
        );
        let joined = url.join("/v2/").expect("a path joins any address");
        assert_eq!(Origin::of(&joined), Origin::of(&url));
    }
}

/// Every error has words, and none holds the password.
fn told(error: &soci_registry::RegistryError) {
    let text = format!("{error} {error:?} {:?}", error.help()).to_lowercase();
    assert!(
        !text.contains("never-shown") && !text.contains(&LOGIN.to_lowercase()),
        "{text}"
    );
}

struct Answers<'a> {
    list: Vec<&'a [u8]>,
    /// Whether the input holds the password, in whatever case.
    knows_the_password: bool,
    /// What the registry itself said about logging in.
    challenges: RefCell<String>,
    next: Cell<usize>,
    clock: Cell<u64>,
}

impl<'a> Answers<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let list = bytes.split(|byte| *byte == 0).collect();
        let text = String::from_utf8_lossy(bytes).to_lowercase();
        Self {
            list,
            knows_the_password: text.contains("never-shown") || text.contains(&LOGIN.to_lowercase()),
            challenges: RefCell::default(),
            next: Cell::new(0),
            clock: Cell::new(0),
        }
    }
}

impl<'a> Transport for Answers<'a> {
    type Body = Rest<'a>;

    async fn send(&self, request: &Request<'_>) -> Result<Response<Rest<'a>>, TransportError> {
        let url = request.url.to_wire();
        let own =
            url.starts_with(&format!("https://{HOST}/")) || url.starts_with(&format!("https://{HOST}:443/"));
        let header = request.headers.iter().map(|(_, value)| value.as_str());
        // An address that the input wrote with the password in it carries no login of ours.
        let address = (!self.knows_the_password).then_some(url.as_str());
        let mut sent = header.chain(request.authorization()).chain(address);
        if sent
            .any(|text| text.contains("never-shown") || text.contains("Basic ") || text.contains("Bearer "))
        {
            assert!(url.starts_with("https://"), "credentials over plain http");
            // Not the registry: then a token server that it named itself.
            let origin = Origin::of(request.url);
            let challenges = self.challenges.borrow();
            let named = challenges
                .split(['"', ',', ' ', '='])
                .filter_map(|word| Url::parse(&word.replace('\\', "")).ok())
                .any(|url| Origin::of(&url) == origin);
            assert!(own || named, "credentials for {origin}");
        }
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
        if own && status == 401 {
            for challenge in headers.all("www-authenticate") {
                self.challenges.borrow_mut().push_str(&format!(" {challenge}"));
            }
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
    async fn read(&mut self, buffer: &mut [u8], _within: Duration) -> Result<usize, TransportError> {
        let count = self.0.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}
