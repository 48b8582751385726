//! One request to a registry: scheme, login, redirects, repetitions, limits.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::auth::{HostLogin, Scope};
use crate::credentials::Keychain;
use crate::error::RegistryError;
use crate::options::{ClientOptions, Traffic};
use crate::refusal::{self, MAX_REFUSAL};
use crate::retry;
use crate::transport::{
    Body, Headers, Method, Patience, Request, Response, Transport, TransportError, TransportFault,
};
use crate::url::{Url, is_loopback};

/// A client for any number of registries. Cloning is cheap and shares logins and counters.
pub struct Client<T> {
    pub(crate) inner: Arc<Inner<T>>,
}

pub(crate) struct Inner<T> {
    pub(crate) transport: T,
    pub(crate) keychain: Keychain,
    pub(crate) options: ClientOptions,
    hosts: Mutex<BTreeMap<String, Arc<Host>>>,
    received: AtomicU64,
    sent: AtomicU64,
}

/// A registry as it was found at its first use.
pub(crate) struct Host {
    /// Host and port as in references.
    pub(crate) name: String,
    /// `https://host/`
    pub(crate) base: Url,
    pub(crate) login: HostLogin,
}

/// Whether a request may be sent twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Reading, and writing what has its content for a name.
    Safe,
    /// A part of an upload session: what became of it must be asked first.
    Never,
}

/// A request to a registry.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<&'a [u8]>,
    pub(crate) scopes: &'a [Scope],
    pub(crate) repeat: Repeat,
    pub(crate) patience: Patience,
    /// "read the manifest app:1", for messages.
    pub(crate) what: &'a str,
    /// For messages.
    pub(crate) repository: &'a str,
}

/// The answer to a call, after logins and redirects.
pub(crate) struct Answer<B> {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: AnswerBody<B>,
    /// The address that answered: what `Location` is relative to.
    pub(crate) url: Url,
}

/// A body that still comes, or one that was read to look into it.
pub(crate) enum AnswerBody<B> {
    Live(B),
    Read(Vec<u8>),
}

impl<T> Clone for Client<T> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<T: Transport> Client<T> {
    /// A client over a transport.
    pub fn new(transport: T, keychain: Keychain, options: ClientOptions) -> Self {
        Self {
            inner: Arc::new(Inner {
                transport,
                keychain,
                options,
                hosts: Mutex::default(),
                received: AtomicU64::new(0),
                sent: AtomicU64::new(0),
            }),
        }
    }

    /// What crossed the network so far.
    pub fn traffic(&self) -> Traffic {
        Traffic {
            received: self.inner.received.load(Ordering::Relaxed),
            sent: self.inner.sent.load(Ordering::Relaxed),
        }
    }

    /// Requests at the same time for one large blob, if that was said.
    pub fn connections_per_blob(&self) -> Option<usize> {
        self.inner.options.connections_per_blob
    }

    pub(crate) fn options(&self) -> &ClientOptions {
        &self.inner.options
    }

    /// The registry of a reference's host; asks it once how it wants to be spoken to.
    pub(crate) async fn host(&self, name: &str) -> Result<Arc<Host>, RegistryError> {
        if let Some(host) = lock(&self.inner.hosts).get(name) {
            return Ok(Arc::clone(host));
        }
        let host = Arc::new(self.discover(name).await?);
        // Another thread may have been faster: its logins are kept.
        Ok(Arc::clone(
            lock(&self.inner.hosts).entry(name.to_owned()).or_insert(host),
        ))
    }

    /// Finds the scheme and the challenge with `GET /v2/`, without credentials.
    ///
    /// Only loopback and named hosts are asked over plain http. On loopback a server that speaks TLS
    /// answers plain http with 400 or with no HTTP at all: then it is asked over https.
    async fn discover(&self, name: &str) -> Result<Host, RegistryError> {
        let wire_name = match name {
            "docker.io" | "index.docker.io" => "registry-1.docker.io",
            other => other,
        };
        let base = |scheme: &str| {
            Url::parse(&format!("{scheme}://{wire_name}/")).map_err(|source| RegistryError::Address {
                host: name.to_owned(),
                who: "the name",
                source,
            })
        };
        let secure = base("https")?;
        let plain_allowed = self.inner.options.plain_http.iter().any(|host| host == name);
        if plain_allowed || is_loopback(secure.host()) {
            let plain = base("http")?;
            match self.ping(name, &plain).await {
                Ok(answer) if plain_allowed || answer.status != 400 => {
                    return Ok(Host::found(name, plain, &answer.headers, answer.status));
                }
                Ok(_) => {}
                Err(error) if !plain_allowed && may_be_tls(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let answer = self.ping(name, &secure).await?;
        Ok(Host::found(name, secure, &answer.headers, answer.status))
    }

    async fn ping(&self, name: &str, base: &Url) -> Result<Answer<T::Body>, RegistryError> {
        let url = base.join("/v2/").expect("a constant path joins any address");
        let what = "answer as a registry";
        let headers = [("accept", "application/json".to_owned())];
        let request = Request {
            method: Method::Get,
            url: &url,
            headers: &headers,
            body: None,
            patience: Patience::Usual,
        };
        let response = self.exchange(&request, Repeat::Safe, name, what).await?;
        Ok(Answer {
            status: response.status,
            headers: response.headers,
            body: AnswerBody::Live(response.body),
            url,
        })
    }

    /// Sends a call with what it needs and gives the first answer that is neither a challenge nor a
    /// redirect nor, where it may be repeated, a passing trouble.
    pub(crate) async fn call(&self, host: &Host, call: &Call<'_>) -> Result<Answer<T::Body>, RegistryError> {
        let mut logins = 0;
        loop {
            let authorization = self.authorization(host, call).await?;
            let answer = self.follow(host, call, authorization.as_deref()).await?;
            let answer = match answer.status {
                401 => {
                    host.login.learn(&answer.headers);
                    answer
                }
                403 => {
                    let answer = self.read_refusal(answer).await;
                    if !refusal::is_expired_token(&answer) {
                        return Ok(answer);
                    }
                    answer
                }
                _ => return Ok(answer),
            };
            // One fresh login: a token may have ended meanwhile. A second refusal is meant.
            logins += 1;
            if logins > 1 {
                let answer = self.read_refusal(answer).await;
                return Err(self.login_error(host, call, &answer));
            }
            host.login.forget(call.scopes, authorization.as_deref());
        }
    }

    /// Sends a call and follows its redirects; credentials stay with the registry.
    async fn follow(
        &self,
        host: &Host,
        call: &Call<'_>,
        authorization: Option<&str>,
    ) -> Result<Answer<T::Body>, RegistryError> {
        let mut url = call.url.clone();
        let mut method = call.method;
        let mut body = call.body;
        for _ in 0..=self.inner.options.limits.redirects {
            let mut headers = call.headers.clone();
            if let Some(authorization) = authorization.filter(|_| url.same_origin(&host.base)) {
                headers.push(("authorization", authorization.to_owned()));
            }
            let request = Request {
                method,
                url: &url,
                headers: &headers,
                body,
                patience: call.patience,
            };
            let response = self
                .exchange(&request, call.repeat, &host.name, call.what)
                .await?;
            let is_redirect = matches!(response.status, 301 | 302 | 303 | 307 | 308);
            let location = response.headers.get("location").filter(|_| is_redirect);
            let Some(location) = location else {
                return Ok(Answer {
                    status: response.status,
                    headers: response.headers,
                    body: AnswerBody::Live(response.body),
                    url,
                });
            };
            let target = url.join(location).map_err(|source| RegistryError::Address {
                host: host.name.clone(),
                who: "the Location of a redirect",
                source,
            })?;
            self.check_plain(&url, &target)?;
            if response.status == 303 && method != Method::Head {
                (method, body) = (Method::Get, None);
            }
            url = target;
        }
        Err(RegistryError::Protocol {
            host: host.name.clone(),
            what: call.what.to_owned(),
            problem: format!("more than {} redirects", self.inner.options.limits.redirects),
        })
    }

    /// From https nothing leads to http; from allowed plain http, only to loopback and named hosts.
    pub(crate) fn check_plain(&self, from: &Url, to: &Url) -> Result<(), RegistryError> {
        let named = self
            .inner
            .options
            .plain_http
            .iter()
            .any(|host| host == to.authority());
        if to.is_https() || (!from.is_https() && (to.is_loopback() || named)) {
            return Ok(());
        }
        Err(RegistryError::Insecure {
            host: to.authority().to_owned(),
            who: "a redirect or Location",
        })
    }

    /// One exchange, repeated after passing troubles if it may be.
    pub(crate) async fn exchange(
        &self,
        request: &Request<'_>,
        repeat: Repeat,
        host: &str,
        what: &str,
    ) -> Result<Response<T::Body>, RegistryError> {
        let mut attempt = 1;
        loop {
            let begun = self.inner.transport.now();
            let outcome = self.inner.transport.send(request).await;
            self.trace(request, begun, &outcome);
            let sent = request.body.map_or(0, <[u8]>::len) as u64;
            self.inner.sent.fetch_add(sent, Ordering::Relaxed);
            let asked = match &outcome {
                Ok(response) if retry::is_transient(response.status) => {
                    retry::retry_after(&response.headers, self.inner.transport.now())
                }
                Err(error) if error.is_transient() => None,
                _ => return outcome.map_err(|source| self.transport_error(host, what, attempt, source)),
            };
            let pause = (repeat == Repeat::Safe)
                .then(|| {
                    self.inner
                        .options
                        .retry
                        .pause(attempt + 1, asked, self.inner.transport.random())
                })
                .flatten();
            let Some(pause) = pause else {
                return outcome.map_err(|source| self.transport_error(host, what, attempt, source));
            };
            drop(outcome);
            self.wait(pause, host, what).await?;
            attempt += 1;
        }
    }

    /// Waits; only an interruption is an error.
    pub(crate) async fn wait(&self, pause: Duration, host: &str, what: &str) -> Result<(), RegistryError> {
        let waited = self.inner.transport.wait(pause).await;
        waited.map_err(|source| self.transport_error(host, what, 1, source))
    }

    pub(crate) fn transport_error(
        &self,
        host: &str,
        what: &str,
        attempts: u32,
        source: TransportError,
    ) -> RegistryError {
        RegistryError::Transport {
            host: host.to_owned(),
            what: what.to_owned(),
            attempts,
            source,
        }
    }

    /// Reads the start of a refusal's body, so that messages can quote it.
    pub(crate) async fn read_refusal(&self, mut answer: Answer<T::Body>) -> Answer<T::Body> {
        if let AnswerBody::Live(body) = &mut answer.body {
            let mut text = vec![0; MAX_REFUSAL];
            let mut filled = 0;
            while filled < text.len() {
                match body.read(&mut text[filled..]).await {
                    Ok(0) | Err(_) => break,
                    Ok(count) => filled += count,
                }
            }
            text.truncate(filled);
            self.count_received(filled);
            answer.body = AnswerBody::Read(text);
        }
        answer
    }

    /// Reads a whole body of at most `limit` bytes, within the time for documents.
    pub(crate) async fn read_document(
        &self,
        answer: Answer<T::Body>,
        limit: u64,
        host: &str,
        what: &str,
    ) -> Result<Vec<u8>, ReadFault> {
        let too_large = || {
            ReadFault::Meant(RegistryError::TooLarge {
                host: host.to_owned(),
                what: what.to_owned(),
                limit,
            })
        };
        let mut body = match answer.body {
            AnswerBody::Read(bytes) => return Ok(bytes),
            AnswerBody::Live(body) => body,
        };
        if answer
            .headers
            .number("content-length")
            .is_some_and(|length| length > limit)
        {
            return Err(too_large());
        }
        let limits = &self.inner.options.limits;
        let begun = self.inner.transport.now();
        let mut bytes = Vec::new();
        let mut buffer = vec![0; 32 * 1024];
        loop {
            let count = body.read(&mut buffer).await.map_err(ReadFault::Transport)?;
            self.count_received(count);
            if count == 0 {
                return Ok(bytes);
            }
            if bytes.len() as u64 + count as u64 > limit {
                return Err(too_large());
            }
            bytes.extend_from_slice(&buffer[..count]);
            if self.inner.transport.now().saturating_sub(begun) > limits.document_time {
                return Err(ReadFault::Meant(RegistryError::TooSlow {
                    host: host.to_owned(),
                    what: what.to_owned(),
                    problem: format!("not complete after {} s", limits.document_time.as_secs()),
                }));
            }
        }
    }

    pub(crate) fn count_received(&self, bytes: usize) {
        self.inner.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn trace(
        &self,
        request: &Request<'_>,
        begun: Duration,
        outcome: &Result<Response<T::Body>, TransportError>,
    ) {
        let Some(trace) = &self.inner.options.trace else {
            return;
        };
        let took = self.inner.transport.now().saturating_sub(begun).as_millis();
        let (method, url) = (request.method.as_str(), request.url);
        let result = match outcome {
            Ok(response) => response.status.to_string(),
            Err(error) => error.to_string(),
        };
        let sent = match request.body {
            Some(body) => format!(" ({} bytes)", body.len()),
            None => String::new(),
        };
        trace(&format!("{method} {url}{sent} -> {result} in {took} ms"));
    }
}

/// Why a body could not be read to its end.
pub(crate) enum ReadFault {
    /// The way there; perhaps it works a second time.
    Transport(TransportError),
    /// The content; it will be the same again.
    Meant(RegistryError),
}

impl Host {
    fn found(name: &str, base: Url, headers: &Headers, status: u16) -> Self {
        let login = HostLogin::default();
        if status == 401 {
            login.learn(headers);
        }
        Self {
            name: name.to_owned(),
            base,
            login,
        }
    }

    /// An address of the protocol.
    pub(crate) fn url(&self, path: &str) -> Result<Url, RegistryError> {
        self.base.join(path).map_err(|source| RegistryError::Address {
            host: self.name.clone(),
            who: "the path",
            source,
        })
    }
}

/// Plain http to a server that waits for a TLS greeting ends in a cut or in bytes that are no HTTP.
fn may_be_tls(error: &RegistryError) -> bool {
    matches!(
        error,
        RegistryError::Transport { source, .. }
            if matches!(source.fault, TransportFault::Cut | TransportFault::Protocol)
    )
}

/// A lock that a panic elsewhere does not poison: the maps behind are whole between calls.
pub(crate) fn lock<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
