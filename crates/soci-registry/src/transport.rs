//! What the client needs of its host: one HTTP exchange, a clock, a pause and a little chance.
//!
//! The protocol is written once over [`Transport`]. Natively `UreqTransport` stands behind it; in
//! WASM it is the host's `fetch`. The futures carry no `Send` bound and nothing is spawned: a
//! native transport is ready at its first poll, so its callers may run on any thread.

use std::time::Duration;

use crate::origin::Authorization;
use crate::url::Url;

/// One HTTP exchange at a time, and the time around it.
///
/// An implementation follows no redirect, decodes no content and keeps no cookies: the client
/// does the first itself and wants none of the others.
pub trait Transport {
    /// The body of a response.
    type Body: Body;

    /// Sends a request and reads the response up to the end of its header.
    ///
    /// A status of 400 and above is a response, not an error.
    async fn send(&self, request: &Request<'_>) -> Result<Response<Self::Body>, TransportError>;

    /// Waits; an error means that the run was interrupted meanwhile.
    async fn wait(&self, duration: Duration) -> Result<(), TransportError>;

    /// The time since 1970-01-01T00:00:00Z.
    fn now(&self) -> Duration;

    /// Any number, different each time; it spreads the retries of several clients.
    fn random(&self) -> u64;
}

/// A body that arrives piece by piece.
pub trait Body {
    /// Fills a part of `buffer` and says how much; 0 is the end. Not called with an empty buffer.
    ///
    /// An end before the announced Content-Length is an error of kind [`TransportFault::Cut`]. The call ends within
    /// the given time ([`TransportFault::Timeout`]), however slowly framing and trailers dribble in.
    async fn read(&mut self, buffer: &mut [u8], within: Duration) -> Result<usize, TransportError>;
}

/// The HTTP methods of the distribution protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `PATCH`
    Patch,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
}

impl Method {
    /// The method as it stands in a request line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// How long a transport waits for the header of the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// The idle limit: an answer is looked up and sent.
    Usual,
    /// The commit limit: a registry that closes an upload reads the whole blob again first.
    Commit,
}

/// A request. Bodies are bytes in memory: what is large is uploaded in parts.
#[derive(Debug)]
pub struct Request<'a> {
    /// The method.
    pub method: Method,
    /// The absolute address.
    pub url: &'a Url,
    /// Header fields without the login. Content-Length is the transport's.
    pub headers: &'a [(&'static str, String)],
    /// The login, if there is one; a transport sends what [`Request::authorization`] gives.
    pub login: Option<&'a Authorization>,
    /// The body; `None` for methods that have none.
    pub body: Option<&'a [u8]>,
    /// How long to wait for the header of the response.
    pub patience: Patience,
}

impl Request<'_> {
    /// The value of the `Authorization` field: the login's, if it is for the origin that is asked.
    pub fn authorization(&self) -> Option<&str> {
        self.login?.value_for(self.url)
    }
}

/// Status, header and the body to come.
#[derive(Debug)]
pub struct Response<B> {
    /// The status code.
    pub status: u16,
    /// The header fields.
    pub headers: Headers,
    /// The body.
    pub body: B,
}

/// Header fields of a response, names in lower case, in the order of arrival.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// Adds a field; the name is lowered.
    pub fn push(&mut self, name: &str, value: &str) {
        self.0.push((name.to_ascii_lowercase(), value.to_owned()));
    }

    /// All fields, in the order of arrival.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The first value of a field, by its lower-case name.
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(have, _)| have == name)?;
        Some(value)
    }

    /// Every value of a field, by its lower-case name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(have, _)| have == name)
            .map(|(_, value)| value.as_str())
    }

    /// A field that holds one decimal number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.trim().parse().ok()
    }
}

/// Why an exchange did not happen or did not end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TransportError {
    /// What kind of trouble it was; decides whether a repetition can help.
    pub fault: TransportFault,
    /// What happened, without the address (which may hold a signature).
    pub message: String,
}

/// The kinds of trouble on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportFault {
    /// No connection: name not found, refused, no route, proxy refused.
    Connect,
    /// TLS: the certificate is not trusted, or the peer speaks no TLS.
    Tls,
    /// Nothing arrived or left for the idle limit, or the total limit passed.
    Timeout,
    /// The connection ended before the message did.
    Cut,
    /// The peer's message is no HTTP, or larger than a limit.
    Protocol,
    /// The run was interrupted.
    Interrupted,
}

impl TransportError {
    /// An error of a kind with its message.
    pub fn new(fault: TransportFault, message: impl Into<String>) -> Self {
        Self {
            fault,
            message: message.into(),
        }
    }

    /// Whether the same request may succeed a moment later.
    pub fn is_transient(&self) -> bool {
        matches!(
            self.fault,
            TransportFault::Connect | TransportFault::Timeout | TransportFault::Cut
        )
    }
}
