//! The host's `fetch` as the transport of the registry client.
//!
//! Redirects, logins, repetitions and limits are the client's: what is here sends one request as it is told to. Node
//! takes proxies (`NODE_USE_ENV_PROXY`) and certificates (`NODE_EXTRA_CA_CERTS`) from its environment.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use soci_registry::transport::{
    Body, Headers, Method, Patience, Request, Response, Transport, TransportError, TransportFault,
};

use super::host;

/// Longest silence: while connecting, while waiting for a header.
const IDLE: f64 = 60.0;

/// Longest wait for the answer that closes an upload; Node's own limit for a header is as long.
const COMMIT: f64 = 300.0;

/// The slowest that a request's body may go, in bytes per second.
const SLOWEST: f64 = 1024.0;

/// The host's `fetch`.
pub(super) struct Fetch;

/// A body that the host keeps under a number.
pub(super) struct FetchBody(u32);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Asked<'a> {
    method: &'a str,
    url: &'a str,
    headers: Vec<(&'a str, &'a str)>,
    has_body: bool,
    seconds: f64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Answered {
    Header {
        status: u16,
        headers: Vec<(String, String)>,
        body: u32,
    },
    Trouble(Trouble),
}

#[derive(Deserialize)]
struct Trouble {
    fault: String,
    message: String,
}

impl Transport for Fetch {
    type Body = FetchBody;

    async fn send(&self, request: &Request<'_>) -> Result<Response<FetchBody>, TransportError> {
        check()?;
        let url = request.url.to_wire();
        let mut headers: Vec<(&str, &str)> = (request.headers.iter())
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        // Blobs have digests: nothing on the way may encode them, nor this host decode them.
        if !headers.iter().any(|(name, _)| *name == "accept-encoding") {
            headers.push(("accept-encoding", "identity"));
        }
        headers.push(("user-agent", concat!("cargo-soci/", env!("CARGO_PKG_VERSION"))));
        if let Some(authorization) = request.authorization() {
            headers.push(("authorization", authorization));
        }
        let body = request.body.unwrap_or_default();
        let silence = match request.patience {
            Patience::Usual => IDLE,
            Patience::Commit => COMMIT,
        };
        let asked = Asked {
            method: request.method.as_str(),
            url: &url,
            headers,
            // An empty body is sent as such: registries want `Content-Length: 0` with POST and PUT.
            has_body: matches!(request.method, Method::Post | Method::Put | Method::Patch),
            seconds: silence + body.len() as f64 / SLOWEST,
        };
        let asked = serde_json::to_string(&asked).expect("texts and numbers");
        let answered = host::send(&asked, body);
        match serde_json::from_str(&answered).map_err(|error| protocol(&error.to_string()))? {
            Answered::Trouble(trouble) => Err(trouble.into()),
            Answered::Header {
                status,
                headers,
                body,
            } => {
                let mut fields = Headers::default();
                for (name, value) in headers {
                    fields.push(&name, &value);
                }
                Ok(Response {
                    status,
                    headers: fields,
                    body: FetchBody(body),
                })
            }
        }
    }

    async fn wait(&self, duration: Duration) -> Result<(), TransportError> {
        host::wait(duration.as_secs_f64());
        check()
    }

    fn now(&self) -> Duration {
        Duration::from_secs_f64(host::now() / 1000.0)
    }

    fn random(&self) -> u64 {
        (host::random() * u64::MAX as f64) as u64
    }
}

impl Body for FetchBody {
    async fn read(&mut self, buffer: &mut [u8], within: Duration) -> Result<usize, TransportError> {
        let seconds = within.as_secs_f64().min(IDLE);
        match usize::try_from(host::read(self.0, buffer, seconds)) {
            Ok(count) => Ok(count),
            Err(_) => Err(match serde_json::from_str::<Trouble>(&host::trouble()) {
                Ok(trouble) => trouble.into(),
                Err(error) => protocol(&error.to_string()),
            }),
        }
    }
}

impl Drop for FetchBody {
    fn drop(&mut self) {
        host::close(self.0);
    }
}

impl From<Trouble> for TransportError {
    fn from(Trouble { fault, message }: Trouble) -> Self {
        let fault = match fault.as_str() {
            "connect" => TransportFault::Connect,
            "tls" => TransportFault::Tls,
            "timeout" => TransportFault::Timeout,
            "cut" => TransportFault::Cut,
            "interrupted" => TransportFault::Interrupted,
            _ => TransportFault::Protocol,
        };
        Self::new(fault, message)
    }
}

fn check() -> Result<(), TransportError> {
    match host::interrupted() {
        true => Err(TransportError::new(TransportFault::Interrupted, "interrupted")),
        false => Ok(()),
    }
}

fn protocol(problem: &str) -> TransportError {
    TransportError::new(TransportFault::Protocol, format!("the host answered {problem}"))
}
