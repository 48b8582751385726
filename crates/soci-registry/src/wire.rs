//! One exchange with any server: repeated after passing troubles, counted, traced, and bounded in time.
//!
//! Everything above (login, registry) sends through here; nothing here knows what is sent.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::error::RegistryError;
use crate::options::{ClientOptions, Traffic};
use crate::origin::Origin;
use crate::redact::{Quoted, Secrets};
use crate::retry;
use crate::transport::{Body, Headers, Request, Response, Transport, TransportError};
use crate::url::Url;

/// Bytes of a refusal's body that are read.
const MAX_REFUSAL: usize = 16 * 1024;

/// The way to servers, and what was seen on it.
pub(crate) struct Wire<T> {
    pub(crate) transport: T,
    pub(crate) options: ClientOptions,
    pub(crate) secrets: Secrets,
    received: AtomicU64,
    sent: AtomicU64,
}

/// Whom a request is for and what it is to do, for messages.
#[derive(Clone, Copy)]
pub(crate) struct About<'a> {
    /// The registry or token server.
    pub(crate) host: &'a str,
    /// "read the manifest app:1"
    pub(crate) what: &'a str,
}

/// Whether a request may be sent twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Reading, and writing what has its content for a name.
    Safe,
    /// A part of an upload session: what became of it must be asked first.
    Never,
}

/// The answer to a request.
pub(crate) struct Answer<B> {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: AnswerBody<B>,
    /// The address that answered: what `Location` is relative to.
    pub(crate) url: Url,
    /// Who answered.
    pub(crate) origin: Origin,
}

/// A body that still comes, or one that was read to look into it.
pub(crate) enum AnswerBody<B> {
    Live(B),
    Read(Vec<u8>),
}

/// Why a body could not be read to its end.
pub(crate) enum ReadFault {
    /// The way there; perhaps it works a second time.
    Transport(TransportError),
    /// The content; it will be the same again.
    Meant(RegistryError),
}

impl<T: Transport> Wire<T> {
    pub(crate) fn new(transport: T, options: ClientOptions) -> Self {
        Self {
            transport,
            options,
            secrets: Secrets::default(),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
        }
    }

    /// What crossed the network so far.
    pub(crate) fn traffic(&self) -> Traffic {
        Traffic {
            received: self.received.load(Ordering::Relaxed),
            sent: self.sent.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn count_received(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// One exchange, repeated after passing troubles if it may be.
    pub(crate) async fn exchange(
        &self,
        request: &Request<'_>,
        repeat: Repeat,
        about: About<'_>,
    ) -> Result<Answer<T::Body>, RegistryError> {
        let mut tries = Tries::begin(self);
        loop {
            let begun = self.transport.now();
            let outcome = self.transport.send(request).await;
            self.trace_exchange(request, begun, &outcome);
            let sent = request.body.map_or(0, <[u8]>::len) as u64;
            self.sent.fetch_add(sent, Ordering::Relaxed);
            let asked = match &outcome {
                Ok(response) if retry::is_transient(response.status) => {
                    Some(retry::retry_after(&response.headers, self.transport.now()))
                }
                Err(error) if error.is_transient() => Some(None),
                _ => None,
            };
            let pause = match (asked, repeat) {
                (Some(asked), Repeat::Safe) => tries.next(self, asked),
                _ => None,
            };
            let Some(pause) = pause else {
                let response =
                    outcome.map_err(|source| self.transport_error(about, tries.attempt, source))?;
                return Ok(Answer {
                    status: response.status,
                    headers: response.headers,
                    body: AnswerBody::Live(response.body),
                    url: request.url.clone(),
                    origin: Origin::of(request.url),
                });
            };
            drop(outcome);
            self.wait(pause, about).await?;
        }
    }

    /// An exchange with a small answer that is read whole; asked for again if the body is cut.
    pub(crate) async fn small_answer(
        &self,
        request: &Request<'_>,
        about: About<'_>,
        limit: u64,
    ) -> Result<(u16, Vec<u8>), RegistryError> {
        let mut tries = Tries::begin(self);
        loop {
            let answer = self.exchange(request, Repeat::Safe, about).await?;
            let status = answer.status;
            match self.read_document(answer, limit, about).await {
                Ok(body) => return Ok((status, body)),
                Err(ReadFault::Meant(error)) => return Err(error),
                Err(ReadFault::Transport(source)) => self.again(&mut tries, source, about).await?,
            }
        }
    }

    /// After a body that was lost: waits before the next attempt, or gives up.
    pub(crate) async fn again(
        &self,
        tries: &mut Tries,
        source: TransportError,
        about: About<'_>,
    ) -> Result<(), RegistryError> {
        let made = tries.attempt;
        let pause = if source.is_transient() {
            tries.next(self, None)
        } else {
            None
        };
        match pause {
            Some(pause) => self.wait(pause, about).await,
            None => Err(self.transport_error(about, made, source)),
        }
    }

    /// Waits; only an interruption is an error.
    pub(crate) async fn wait(&self, pause: Duration, about: About<'_>) -> Result<(), RegistryError> {
        let waited = self.transport.wait(pause).await;
        waited.map_err(|source| self.transport_error(about, 1, source))
    }

    pub(crate) fn transport_error(
        &self,
        about: About<'_>,
        attempts: u32,
        source: TransportError,
    ) -> RegistryError {
        RegistryError::Transport {
            host: about.host.to_owned(),
            what: about.what.to_owned(),
            attempts,
            source: TransportError {
                message: self.secrets.redact(&source.message),
                ..source
            },
        }
    }

    /// Reads the start of a refusal's body, so that messages can quote it, for a short time only.
    pub(crate) async fn read_refusal(&self, mut answer: Answer<T::Body>) -> Answer<T::Body> {
        if let AnswerBody::Live(body) = &mut answer.body {
            let mut text = vec![0; MAX_REFUSAL];
            let mut filled = 0;
            let begun = self.transport.now();
            while filled < text.len() {
                let left = self.left(begun, self.options.limits.refusal_time);
                if left.is_zero() {
                    break;
                }
                match body.read(&mut text[filled..], left).await {
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
        about: About<'_>,
    ) -> Result<Vec<u8>, ReadFault> {
        let too_large = || {
            ReadFault::Meant(RegistryError::TooLarge {
                host: about.host.to_owned(),
                what: about.what.to_owned(),
                limit,
            })
        };
        let mut body = match answer.body {
            AnswerBody::Read(bytes) => return Ok(bytes),
            AnswerBody::Live(body) => body,
        };
        let announced = answer.headers.number("content-length");
        if announced.is_some_and(|length| length > limit) {
            return Err(too_large());
        }
        let whole = self.options.limits.document_time;
        let begun = self.transport.now();
        let mut bytes = Vec::new();
        let mut buffer = vec![0; 32 * 1024];
        let too_slow = || {
            ReadFault::Meant(RegistryError::TooSlow {
                host: about.host.to_owned(),
                what: about.what.to_owned(),
                problem: format!("not complete after {} s", whole.as_secs()),
            })
        };
        loop {
            let left = self.left(begun, whole);
            if left.is_zero() {
                return Err(too_slow());
            }
            let count = match body.read(&mut buffer, left).await {
                Ok(count) => count,
                // The last wait is as short as what was left of the whole: its end is the end of the time
                // for the document, not a silence that is worth another attempt.
                Err(_) if self.left(begun, whole).is_zero() => return Err(too_slow()),
                Err(error) => return Err(ReadFault::Transport(error)),
            };
            self.count_received(count);
            if count == 0 {
                return Ok(bytes);
            }
            if bytes.len() as u64 + count as u64 > limit {
                return Err(too_large());
            }
            bytes.extend_from_slice(&buffer[..count]);
        }
    }

    /// Words of others as they may be shown.
    pub(crate) fn quote(&self, text: &str) -> Quoted {
        self.secrets.quote(text)
    }

    /// A line for those who look closely (`-v`): something was left out that is not needed.
    pub(crate) fn note(&self, line: &str) {
        if let Some(note) = &self.options.note {
            note(&self.secrets.redact(line));
        }
    }

    /// What is left of a time.
    fn left(&self, begun: Duration, whole: Duration) -> Duration {
        whole.saturating_sub(self.transport.now().saturating_sub(begun))
    }

    fn trace_exchange(
        &self,
        request: &Request<'_>,
        begun: Duration,
        outcome: &Result<Response<T::Body>, TransportError>,
    ) {
        let Some(trace) = &self.options.trace else {
            return;
        };
        let took = self.transport.now().saturating_sub(begun).as_millis();
        let (method, url) = (request.method.as_str(), request.url);
        let result = match outcome {
            Ok(response) => response.status.to_string(),
            Err(error) => error.to_string(),
        };
        let sent = match request.body {
            Some(body) => format!(" ({} bytes)", body.len()),
            None => String::new(),
        };
        // The path may be one that a server chose.
        trace(
            &self
                .secrets
                .redact(&format!("{method} {url}{sent} -> {result} in {took} ms")),
        );
    }
}

/// Attempts at one thing: so many, and none begins later than the limit for repeating.
pub(crate) struct Tries {
    /// The attempt that is under way, from 1.
    pub(crate) attempt: u32,
    begun: Duration,
}

impl Tries {
    pub(crate) fn begin<T: Transport>(wire: &Wire<T>) -> Self {
        Self {
            attempt: 1,
            begun: wire.transport.now(),
        }
    }

    /// The pause before the next attempt; `None` to give up.
    pub(crate) fn next<T: Transport>(&mut self, wire: &Wire<T>, asked: Option<Duration>) -> Option<Duration> {
        let random = wire.transport.random();
        let pause = wire.options.retry.pause(self.attempt + 1, asked, random)?;
        let passed = wire.transport.now().saturating_sub(self.begun);
        if passed + pause > wire.options.limits.repeating {
            return None;
        }
        self.attempt += 1;
        Some(pause)
    }
}
