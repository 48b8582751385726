//! One request to a registry: scheme, login, redirects.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::auth::{Login, Need};
use crate::credentials::Keychain;
use crate::error::RegistryError;
use crate::options::{ClientOptions, Traffic};
use crate::origin::{Authorization, Origin};
use crate::redact::Quoted;
use crate::refusal;
use crate::token::Scope;
use crate::transport::{Method, Patience, Request, Transport, TransportFault};
use crate::url::{Url, is_loopback};
use crate::wire::{About, Answer, Repeat, Wire};

/// A client for any number of registries. Cloning is cheap and shares logins and counters.
pub struct Client<T> {
    inner: Arc<Inner<T>>,
}

struct Inner<T> {
    wire: Wire<T>,
    keychain: Keychain,
    hosts: Mutex<BTreeMap<String, Arc<Host>>>,
}

/// A registry as it was found at its first use.
pub(crate) struct Host {
    /// Host and port as in references.
    pub(crate) name: String,
    /// `https://host/`
    pub(crate) base: Url,
    login: Login,
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
        let wire = Wire::new(transport, options);
        if let Some(credential) = keychain.explicit() {
            wire.secrets.add(credential.secret().expose());
        }
        Self {
            inner: Arc::new(Inner {
                wire,
                keychain,
                hosts: Mutex::default(),
            }),
        }
    }

    /// What crossed the network so far.
    pub fn traffic(&self) -> Traffic {
        self.wire().traffic()
    }

    /// Requests at the same time for one large blob, if that was said.
    pub fn connections_per_blob(&self) -> Option<usize> {
        self.options().connections_per_blob
    }

    /// Tells those who look closely (`-v`) what was left out because it is not needed and could not be had.
    pub fn note(&self, line: &str) {
        self.wire().note(line);
    }

    pub(crate) fn wire(&self) -> &Wire<T> {
        &self.inner.wire
    }

    pub(crate) fn options(&self) -> &ClientOptions {
        &self.inner.wire.options
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
        let plain_allowed = self.options().plain_http.iter().any(|host| host == name);
        if plain_allowed || is_loopback(secure.host()) {
            let plain = base("http")?;
            match self.ping(name, &plain).await {
                Ok(answer) if plain_allowed || answer.status != 400 => {
                    return Ok(Host::found(name, plain, &answer));
                }
                Ok(_) => {}
                Err(error) if !plain_allowed && may_be_tls(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let answer = self.ping(name, &secure).await?;
        Ok(Host::found(name, secure, &answer))
    }

    async fn ping(&self, name: &str, base: &Url) -> Result<Answer<T::Body>, RegistryError> {
        let url = base.join("/v2/").expect("a constant path joins any address");
        let headers = [("accept", "application/json".to_owned())];
        let request = Request {
            method: Method::Get,
            url: &url,
            headers: &headers,
            login: None,
            body: None,
            patience: Patience::Usual,
        };
        let about = About {
            host: name,
            what: "answer as a registry",
        };
        self.wire().exchange(&request, Repeat::Safe, about).await
    }

    /// Sends a call with what it needs and gives the first answer that is neither a challenge nor a
    /// redirect nor, where it may be repeated, a passing trouble.
    pub(crate) async fn call(&self, host: &Host, call: &Call<'_>) -> Result<Answer<T::Body>, RegistryError> {
        let need = Need {
            repository: call.repository,
            scopes: call.scopes,
        };
        let mut logins = 0;
        loop {
            let authorization = host
                .login
                .authorization(self.wire(), &self.inner.keychain, need)
                .await?;
            let answer = self.follow(host, call, authorization.as_ref()).await?;
            let answer = match answer.status {
                401 if host.login.learn(&answer) => answer,
                // Somebody else asks: whom a download or an upload was sent to. There is nothing for them.
                401 => {
                    return Err(RegistryError::ForeignChallenge {
                        host: host.name.clone(),
                        other: self.wire().quote(answer.url.authority()),
                        what: call.what.to_owned(),
                    });
                }
                403 => {
                    let answer = self.wire().read_refusal(answer).await;
                    if answer.origin != host.origin() || !refusal::is_expired_token(&answer) {
                        return Ok(answer);
                    }
                    answer
                }
                _ => return Ok(answer),
            };
            // One fresh login: a token may have ended meanwhile. A second refusal is meant.
            logins += 1;
            if logins > 1 {
                let answer = self.wire().read_refusal(answer).await;
                let words = refusal::words(&answer, &self.wire().secrets);
                return Err(host.login.refused(call.repository, words));
            }
            host.login.forget(call.scopes, authorization.as_ref());
        }
    }

    /// Sends a call and follows its redirects; the login stays with the registry.
    async fn follow(
        &self,
        host: &Host,
        call: &Call<'_>,
        authorization: Option<&Authorization>,
    ) -> Result<Answer<T::Body>, RegistryError> {
        let mut url = call.url.clone();
        let mut method = call.method;
        let mut body = call.body;
        let mut login = authorization;
        let redirects = self.options().limits.redirects;
        for _ in 0..=redirects {
            if Origin::of(&url) != host.origin() {
                // Also should somebody else send us back to the registry: it is not our errand then.
                login = None;
            }
            let request = Request {
                method,
                url: &url,
                headers: &call.headers,
                login,
                body,
                patience: call.patience,
            };
            let about = About {
                host: &host.name,
                what: call.what,
            };
            let answer = self.wire().exchange(&request, call.repeat, about).await?;
            let is_redirect = matches!(answer.status, 301 | 302 | 303 | 307 | 308);
            let location = answer.headers.get("location").filter(|_| is_redirect);
            let Some(location) = location else {
                return Ok(answer);
            };
            let target = url.join(location).map_err(|source| RegistryError::Address {
                host: host.name.clone(),
                who: "the Location of a redirect",
                source,
            })?;
            self.check_plain(&url, &target)?;
            if answer.status == 303 && method != Method::Head {
                (method, body) = (Method::Get, None);
            }
            url = target;
        }
        Err(RegistryError::Protocol {
            host: host.name.clone(),
            what: call.what.to_owned(),
            problem: Quoted::own(format!("more than {redirects} redirects")),
        })
    }

    /// From https nothing leads to http; from allowed plain http, only to loopback and named hosts.
    pub(crate) fn check_plain(&self, from: &Url, to: &Url) -> Result<(), RegistryError> {
        let named = self
            .options()
            .plain_http
            .iter()
            .any(|host| host == to.authority());
        if to.is_https() || (!from.is_https() && (to.is_loopback() || named)) {
            return Ok(());
        }
        Err(RegistryError::Insecure {
            host: self.wire().quote(to.authority()),
            who: "a redirect or Location",
        })
    }
}

impl Host {
    fn found<B>(name: &str, base: Url, ping: &Answer<B>) -> Self {
        let login = Login::new(name, Origin::of(&base));
        if ping.status == 401 {
            login.learn(ping);
        }
        Self {
            name: name.to_owned(),
            base,
            login,
        }
    }

    /// Whom its login belongs to.
    pub(crate) fn origin(&self) -> Origin {
        Origin::of(&self.base)
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
