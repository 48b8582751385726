//! The SDK's HTTP over that of the registry client: one stack, one list of authorities, the same proxies.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use soci_registry::transport::{
    Body, Method, Patience, Request as Sent, Transport, TransportError, TransportFault,
};
use soci_registry::{Environment, NativeOptions, Trace, UreqTransport, Url, block_on};

use super::{Account, AccountError, AccountOptions, Answer, Failure, Http, Request};

/// How AWS is reached.
#[derive(Clone, Default)]
pub struct Reach {
    /// Certificates in PEM form that are trusted besides the system's.
    pub extra_roots: Vec<u8>,
    /// Raised from outside to end what is under way.
    pub interrupted: Arc<AtomicBool>,
    /// Told one line per exchange, without secrets.
    pub trace: Option<Trace>,
}

impl Account {
    /// Opens an account over the HTTP of registries, with the proxies of this process' environment.
    ///
    /// # Errors
    /// As [`Account::open`], and if the certificates cannot be read.
    pub fn reach(options: &AccountOptions, reach: &Reach) -> Result<Self, AccountError> {
        let transport = |environment: Environment| {
            let mut native = NativeOptions::new(environment);
            native.extra_roots.clone_from(&reach.extra_roots);
            native.interrupted = Arc::clone(&reach.interrupted);
            UreqTransport::new(native).map_err(|error| AccountError::Failed {
                what: "prepare the connection to AWS".to_owned(),
                problem: error.to_string(),
            })
        };
        let network = Network {
            usual: transport(Environment::of_process())?,
            direct: transport(Environment::default())?,
            trace: reach.trace.clone(),
        };
        Self::open(options, Arc::new(network))
    }
}

/// The largest answer that is read: a hundred tasks have about half a MiB.
const MAX_ANSWER: usize = 64 << 20;

/// The registry client's HTTP, for the SDK.
struct Network {
    usual: UreqTransport,
    /// For what is beside this machine: no proxy knows it.
    direct: UreqTransport,
    trace: Option<Trace>,
}

impl Network {
    fn send(&self, request: &Request) -> Result<Answer, Failure> {
        let refused = |message: String| Failure {
            is_transient: false,
            message,
        };
        let url = Url::parse(&request.url)
            .map_err(|error| refused(format!("the address cannot be used: {error}")))?;
        let is_beside = is_beside(url.host());
        if !url.is_https() && !url.is_loopback() && !is_beside {
            return Err(refused(format!(
                "{} would be reached without encryption",
                url.authority()
            )));
        }
        let method = match request.method.as_str() {
            "GET" => Method::Get,
            "PUT" => Method::Put,
            "POST" => Method::Post,
            other => return Err(refused(format!("no such method: {other}"))),
        };
        // What the transport writes itself.
        let own = ["host", "content-length", "transfer-encoding", "connection"];
        let headers: Vec<(&'static str, String)> = request
            .headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .filter(|(name, _)| !own.contains(&name.as_str()))
            .map(|(name, value)| (kept(&name), value.clone()))
            .collect();
        if let Some(trace) = &self.trace {
            let target = headers.iter().find(|(name, _)| *name == "x-amz-target");
            let action = target
                .and_then(|(_, value)| value.rsplit('.').next())
                .unwrap_or_default();
            trace(&format!("{} {} {action}", request.method, url.authority()));
        }
        let sent = Sent {
            method,
            url: &url,
            headers: &headers,
            login: None,
            body: (method != Method::Get).then_some(&request.body),
            patience: Patience::Usual,
        };
        let transport = if is_beside || url.is_loopback() {
            &self.direct
        } else {
            &self.usual
        };
        let failed = |error: TransportError| Failure {
            is_transient: error.is_transient() && !is_beside && error.fault != TransportFault::Interrupted,
            message: format!("{}: {}", url.authority(), error.message),
        };
        block_on(async {
            let mut answer = transport.send(&sent).await.map_err(failed)?;
            let mut body = Vec::new();
            let mut buffer = vec![0; 1 << 16];
            loop {
                match answer.body.read(&mut buffer, READ).await.map_err(failed)? {
                    0 => break,
                    count => body.extend_from_slice(&buffer[..count]),
                }
                if body.len() > MAX_ANSWER {
                    return Err(refused(format!(
                        "{} sent more than {} MiB",
                        url.authority(),
                        MAX_ANSWER >> 20
                    )));
                }
            }
            Ok(Answer {
                status: answer.status,
                headers: answer
                    .headers
                    .iter()
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect(),
                body,
            })
        })
    }
}

/// The longest silence in an answer.
const READ: Duration = Duration::from_secs(60);

impl Http for Network {
    fn exchange(&self, request: &Request) -> Result<Answer, Failure> {
        self.send(request)
    }
}

/// Addresses where instances and containers find their credentials: only what is beside them answers there.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>,
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-imds-credentials.html> (2026-11-29)
fn is_beside(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.starts_with("169.254.") || host == "fd00:ec2::23" || host == "fd00:ec2::254"
}

/// A name that lives as long as the process. The SDK has a few dozen.
fn kept(name: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    let name: &'static str = Box::leak(name.to_owned().into_boxed_str());
    names.insert(name);
    name
}
