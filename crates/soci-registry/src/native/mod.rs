//! The native transport: ureq over rustls, blocking, ready at the first poll.

mod proxy;
mod roots;
mod socket;

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ureq::config::AutoHeaderValue;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::transport::{ConnectProxyConnector, Connector, RustlsConnector};

use self::proxy::{Proxies, Route};
use self::socket::{Flag, Names, Sockets, within};
use crate::client::Client;
use crate::environment::Environment;
use crate::transport::{
    Body, Headers, Method, Patience, Request, Response, Transport, TransportError, TransportFault,
};
use crate::url::Url;

pub use self::roots::RootsError;

/// What the native transport is made of.
#[derive(Clone, Debug)]
pub struct NativeOptions {
    /// Where proxies (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`) are read from.
    pub environment: Environment,
    /// Certificates in PEM form that are trusted besides the system's.
    pub extra_roots: Vec<u8>,
    /// Longest silence: while connecting, while waiting for a header, between two pieces of a body.
    pub idle: Duration,
    /// Longest wait for the answer that closes an upload.
    pub commit: Duration,
    /// Raised from outside to end the run.
    pub interrupted: Arc<AtomicBool>,
}

impl NativeOptions {
    /// The usual limits with the given environment.
    pub fn new(environment: Environment) -> Self {
        Self {
            environment,
            extra_roots: Vec::new(),
            idle: Duration::from_secs(60),
            commit: Duration::from_secs(15 * 60),
            interrupted: Arc::default(),
        }
    }
}

/// The client over the native transport: what the commands use.
pub type NativeClient = Client<UreqTransport>;

/// HTTP/1.1 over TCP and TLS; connections are kept and used again.
pub struct UreqTransport {
    options: NativeOptions,
    proxies: Proxies,
    roots: RootCerts,
    /// One agent per route and patience: ureq holds its TLS configuration per agent.
    agents: [OnceLock<ureq::Agent>; 6],
}

/// The largest header that is read; registries send presigned addresses of a few KiB.
const MAX_HEADER: usize = 64 * 1024;

/// Idle connections that are kept per host: the layers in flight times the connections per layer.
const IDLE_CONNECTIONS: usize = 16;

/// Longest time until a connection is open, proxy and TLS included.
const CONNECT: Duration = Duration::from_secs(30);

/// The slowest that a request's body may go, in bytes per second.
const SLOWEST: u64 = 1024;

/// How often a pause looks whether the run was interrupted.
const PAUSE_STEP: Duration = Duration::from_millis(50);

impl UreqTransport {
    /// A transport; fails if an extra certificate or a proxy address cannot be read.
    pub fn new(options: NativeOptions) -> Result<Self, RootsError> {
        let proxies = Proxies::from_environment(&options.environment);
        let roots = roots::root_certificates(&options.extra_roots)?;
        Ok(Self {
            options,
            proxies,
            roots,
            agents: Default::default(),
        })
    }

    fn agent(&self, url: &Url, patience: Patience) -> Result<&ureq::Agent, TransportError> {
        let route = self.proxies.route(url);
        let (row, proxy) = match &route {
            Route::Direct => (0, None),
            Route::Http(proxy) => (1, Some(proxy)),
            Route::Https(proxy) => (2, Some(proxy)),
        };
        let proxy = proxy
            .map(|proxy| {
                if proxy.as_str().starts_with("socks") {
                    return Err(TransportError::new(
                        TransportFault::Connect,
                        "SOCKS proxies are not supported, and the environment names one",
                    ));
                }
                ureq::Proxy::new(proxy.as_str()).map_err(|_| {
                    TransportError::new(
                        TransportFault::Connect,
                        "the proxy address in the environment cannot be read",
                    )
                })
            })
            .transpose()?;
        let slot = &self.agents[row * 2 + usize::from(patience == Patience::Commit)];
        Ok(slot.get_or_init(|| self.new_agent(proxy, patience)))
    }

    fn new_agent(&self, proxy: Option<ureq::Proxy>, patience: Patience) -> ureq::Agent {
        let silence = match patience {
            Patience::Usual => self.options.idle,
            Patience::Commit => self.options.commit,
        };
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(proxy)
            .tls_config(TlsConfig::builder().root_certs(self.roots.clone()).build())
            .user_agent(AutoHeaderValue::Provided(Arc::new(
                concat!("cargo-soci/", env!("CARGO_PKG_VERSION")).to_owned(),
            )))
            .accept(AutoHeaderValue::None)
            .accept_encoding(AutoHeaderValue::None)
            .max_response_header_size(MAX_HEADER)
            .input_buffer_size(128 * 1024)
            .max_idle_connections(4 * IDLE_CONNECTIONS)
            .max_idle_connections_per_host(IDLE_CONNECTIONS)
            .timeout_resolve(Some(self.options.idle))
            .timeout_connect(Some(self.options.idle.min(CONNECT)))
            .timeout_per_read(Some(silence))
            .timeout_per_write(Some(self.options.idle))
            .timeout_recv_response(Some(silence))
            .build();
        let flag = Flag(Arc::clone(&self.options.interrupted));
        let connector =
            ().chain(ConnectProxyConnector::default())
                .chain(Sockets(flag.clone()))
                .chain(RustlsConnector::default());
        ureq::Agent::with_parts(config, connector, Names(flag))
    }

    fn check_interrupted(&self) -> Result<(), TransportError> {
        check(&self.options.interrupted)
    }

    /// How long a request may take until the header of its answer is there.
    fn longest(&self, request: &Request<'_>) -> Duration {
        let silence = match request.patience {
            Patience::Usual => self.options.idle,
            Patience::Commit => self.options.commit,
        };
        let body = request.body.map_or(0, <[u8]>::len) as u64 / SLOWEST;
        // The name, the connection, the request, the answer.
        self.options.idle + CONNECT + Duration::from_secs(body) + silence
    }
}

impl Transport for UreqTransport {
    type Body = NativeBody;

    async fn send(&self, request: &Request<'_>) -> Result<Response<NativeBody>, TransportError> {
        self.check_interrupted()?;
        let agent = self.agent(request.url, request.patience)?;
        let mut builder = ureq::http::Request::builder()
            .method(request.method.as_str())
            .uri(request.url.to_wire());
        for (name, value) in request.headers {
            builder = builder.header(*name, value.as_str());
        }
        if let Some(authorization) = request.authorization() {
            builder = builder.header("authorization", authorization);
        }
        let invalid = |_| TransportError::new(TransportFault::Protocol, "the request cannot be written");
        // An empty body is sent as such: registries want `Content-Length: 0` with POST and PUT.
        let takes_body = matches!(request.method, Method::Post | Method::Put | Method::Patch);
        let outcome = match request.body {
            Some(body) => {
                let request_with_body = builder.body(body).map_err(invalid)?;
                within(self.longest(request), || agent.run(request_with_body))
            }
            None if takes_body => {
                let empty = builder.body(&b""[..]).map_err(invalid)?;
                within(self.longest(request), || agent.run(empty))
            }
            None => {
                let bare = builder.body(()).map_err(invalid)?;
                within(self.longest(request), || agent.run(bare))
            }
        };
        let response = outcome.map_err(|error| match self.check_interrupted() {
            Err(interrupted) => interrupted,
            Ok(()) => transport_error(&error),
        })?;
        let (head, body) = response.into_parts();
        let mut headers = Headers::default();
        for (name, value) in &head.headers {
            // A value that is not text means nothing to this protocol.
            if let Ok(value) = value.to_str() {
                headers.push(name.as_str(), value);
            }
        }
        Ok(Response {
            status: head.status.as_u16(),
            headers,
            body: NativeBody {
                reader: body.into_reader(),
                interrupted: Arc::clone(&self.options.interrupted),
                idle: self.options.idle,
            },
        })
    }

    async fn wait(&self, duration: Duration) -> Result<(), TransportError> {
        let mut left = duration;
        while !left.is_zero() {
            self.check_interrupted()?;
            let step = left.min(PAUSE_STEP);
            std::thread::sleep(step);
            left -= step;
        }
        self.check_interrupted()
    }

    fn now(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    fn random(&self) -> u64 {
        // The standard library seeds its hash maps from the system's random numbers.
        RandomState::new().build_hasher().finish()
    }
}

/// The body of a native response.
pub struct NativeBody {
    reader: ureq::BodyReader<'static>,
    interrupted: Arc<AtomicBool>,
    idle: Duration,
}

impl Body for NativeBody {
    async fn read(&mut self, buffer: &mut [u8], limit: Duration) -> Result<usize, TransportError> {
        check(&self.interrupted)?;
        let outcome = within(limit.min(self.idle), || self.reader.read(buffer));
        outcome.map_err(|error| {
            if let Err(interrupted) = check(&self.interrupted) {
                return interrupted;
            }
            let error = ureq::Error::from(error);
            let found = transport_error(&error);
            match found.fault {
                // Whatever breaks once the header is there can be asked for again.
                TransportFault::Connect | TransportFault::Protocol => TransportError {
                    fault: TransportFault::Cut,
                    ..found
                },
                _ => found,
            }
        })
    }
}

fn check(interrupted: &AtomicBool) -> Result<(), TransportError> {
    if interrupted.load(Ordering::Relaxed) {
        return Err(TransportError::new(TransportFault::Interrupted, "interrupted"));
    }
    Ok(())
}

/// Sorts ureq's errors; addresses are left out of the text.
fn transport_error(error: &ureq::Error) -> TransportError {
    use TransportFault::{Connect, Cut, Protocol, Timeout, Tls};
    let (fault, message) = match error {
        ureq::Error::Io(error) => return io_error(error),
        ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
            (Connect, "the connection took too long".to_owned())
        }
        ureq::Error::Timeout(_) => (Timeout, "nothing arrived in time".to_owned()),
        ureq::Error::HostNotFound => (Connect, "the host name is not known".to_owned()),
        ureq::Error::ConnectionFailed => (Connect, "the connection failed".to_owned()),
        ureq::Error::ConnectProxyFailed(text) => (Connect, format!("the proxy refused: {text}")),
        ureq::Error::InvalidProxyUrl => (Connect, "the proxy address cannot be read".to_owned()),
        ureq::Error::Rustls(error) => (Tls, error.to_string()),
        ureq::Error::Tls(text) => (Tls, (*text).to_owned()),
        ureq::Error::LargeResponseHeader(size, limit) => (
            Protocol,
            format!("the response header has {size} bytes, at most {limit} are read"),
        ),
        ureq::Error::BadUri(_) => (Protocol, "the address cannot be used".to_owned()),
        ureq::Error::BodyStalled => (Cut, "the connection ended early".to_owned()),
        ureq::Error::Protocol(error) => (Protocol, error.to_string()),
        other => (Protocol, other.to_string()),
    };
    TransportError::new(fault, message)
}

fn io_error(error: &io::Error) -> TransportError {
    let fault = match error.kind() {
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::AddrNotAvailable
        | io::ErrorKind::NotFound => TransportFault::Connect,
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => TransportFault::Timeout,
        io::ErrorKind::InvalidData | io::ErrorKind::Other if is_tls(error) => TransportFault::Tls,
        _ => TransportFault::Cut,
    };
    TransportError::new(fault, error.to_string())
}

/// rustls reports a refused certificate as an I/O error of the handshake.
fn is_tls(error: &io::Error) -> bool {
    let text = error.to_string();
    text.contains("certificate")
        || text.contains("invalid peer")
        || text.contains("InvalidContentType")
        || text.contains("corrupt message")
}
