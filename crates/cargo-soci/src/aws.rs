//! AWS accounts of a run: made at their first use, over the same HTTP as registries.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use soci_aws::account::{Account, AccountError, AccountOptions, Answer, Failure, Http, Request};
use soci_image::EcrHost;
use soci_registry::credentials::{Credential, EcrLogin, EcrLogins};
use soci_registry::transport::{
    Body, Method, Patience, Request as Sent, Transport, TransportError, TransportFault,
};
use soci_registry::{Environment, NativeOptions, Secret, Trace, UreqTransport, Url, block_on};

use crate::cancel::Cancel;
use crate::error::CommandError;

/// The largest answer that is read: a hundred tasks have about half a MiB.
const MAX_ANSWER: usize = 64 << 20;

/// HTTP for the SDK.
struct OverUreq {
    usual: UreqTransport,
    /// For what is beside this machine: no proxy knows it.
    direct: UreqTransport,
    trace: Option<Trace>,
}

impl OverUreq {
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

impl Http for OverUreq {
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

/// Opens an account over transports that trust what registries' do.
pub fn open(
    options: &AccountOptions,
    extra_roots: Vec<u8>,
    cancel: &Cancel,
    trace: Option<Trace>,
) -> Result<Account, AccountError> {
    let transport = |environment: Environment| {
        let mut native = NativeOptions::new(environment);
        native.extra_roots.clone_from(&extra_roots);
        native.interrupted = cancel.flag();
        UreqTransport::new(native).map_err(|error| AccountError::Failed {
            what: "prepare the connection to AWS".to_owned(),
            problem: error.to_string(),
        })
    };
    let http = OverUreq {
        usual: transport(Environment::of_process())?,
        direct: transport(Environment::default())?,
        trace,
    };
    Account::open(options, Arc::new(http))
}

/// The error of a command.
pub fn failed(error: &AccountError) -> CommandError {
    let shown = match error {
        AccountError::NoRegion => CommandError::usage(error.to_string()),
        _ => CommandError::failed(error.to_string()),
    };
    match error.help() {
        Some(help) => shown.help(help),
        None => shown,
    }
}

/// Logins of ECR for registries, by the account of the environment.
pub struct Logins {
    extra_roots: Vec<u8>,
    cancel: Cancel,
    trace: Option<Trace>,
    account: OnceLock<Result<Account, AccountError>>,
}

impl Logins {
    /// Nothing is read or asked until a registry of ECR wants a login.
    pub fn new(extra_roots: Vec<u8>, cancel: Cancel, trace: Option<Trace>) -> Self {
        Self {
            extra_roots,
            cancel,
            trace,
            account: OnceLock::new(),
        }
    }
}

impl EcrLogins for Logins {
    fn login(&self, host: &EcrHost) -> Result<EcrLogin, String> {
        let account = self.account.get_or_init(|| {
            let options = AccountOptions::default();
            open(
                &options,
                self.extra_roots.clone(),
                &self.cancel,
                self.trace.clone(),
            )
        });
        let account = account.as_ref().map_err(ToString::to_string)?;
        let token = account.ecr_token(host).map_err(|error| error.to_string())?;
        Ok(EcrLogin {
            credential: Credential::Basic {
                username: token.username,
                password: Secret::new(token.password),
            },
            expires: token.expires,
        })
    }
}
