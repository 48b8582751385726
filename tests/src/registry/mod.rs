//! A container registry in this process: the distribution protocol over memory, with bytes counted and
//! faults on request.
//!
//! ```text
//! http        requests and responses over TCP
//! protocol    a request in, a response out
//! store       repositories: blobs, manifests, tags, uploads
//! faults      how it may differ from the plain registry
//! ```
//!
//! It listens on 127.0.0.1, and on 127.0.0.2 as the other host that blobs are redirected to.

mod faults;
pub(crate) mod http;
mod protocol;
mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufReader;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

pub use self::faults::{Asks, Behaviour, Effect, Fault, TokenRules};
pub use self::http::{Delivery, Request, Response};
pub(crate) use self::store::digest_of_hash;
pub use self::store::{RepositoryContent, StoredManifest, digest_of};

/// A running registry; it stops when it is dropped.
pub struct TestRegistry {
    address: SocketAddr,
    other: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    stopped: AtomicBool,
}

/// Everything that changes.
pub(crate) struct State {
    repositories: BTreeMap<String, RepositoryContent>,
    behaviour: Behaviour,
    faults: Vec<Fault>,
    log: BTreeMap<u64, Exchange>,
    /// Exchanges whose bodies are on their way.
    open: BTreeSet<u64>,
    /// How often each token may still be used.
    tokens: BTreeMap<String, usize>,
    /// Addresses at the other host that are still good: repository and digest.
    signed: BTreeMap<String, (String, String)>,
    other: SocketAddr,
    counter: u64,
    cuts_done: usize,
}

/// A request that was answered.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The status; 0 where the connection was closed without one.
    pub status: u16,
    /// Bytes of the request's body.
    pub received: usize,
    /// Bytes of the response's body that went out.
    pub sent: usize,
    /// Whether it came with an `Authorization` field.
    pub authorized: bool,
    /// Whether it came to the other host.
    pub elsewhere: bool,
    /// The `Range` field.
    pub range: Option<String>,
    /// All that the request said: path, query, header fields, the beginning of its body.
    pub said: String,
}

impl TestRegistry {
    /// Starts a registry that behaves like this.
    pub fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback is there");
        let elsewhere = TcpListener::bind("127.0.0.2:0").expect("all of 127.0.0.0/8 is loopback");
        let address = listener.local_addr().expect("a bound socket has an address");
        let other = elsewhere.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                repositories: BTreeMap::new(),
                behaviour,
                faults: Vec::new(),
                log: BTreeMap::new(),
                open: BTreeSet::new(),
                tokens: BTreeMap::new(),
                signed: BTreeMap::new(),
                other,
                counter: 0,
                cuts_done: 0,
            }),
            stopped: AtomicBool::new(false),
        });
        for (listener, is_elsewhere) in [(listener, false), (elsewhere, true)] {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                for stream in listener.incoming() {
                    if shared.stopped.load(Ordering::Relaxed) {
                        return;
                    }
                    let Ok(stream) = stream else { continue };
                    let shared = Arc::clone(&shared);
                    thread::spawn(move || shared.serve(stream, is_elsewhere));
                }
            });
        }
        Self {
            address,
            other,
            shared,
        }
    }

    /// Host and port as in references.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Host and port of the other host, which blobs can be redirected to.
    pub fn other_host(&self) -> String {
        self.other.to_string()
    }

    /// `host:port/repository`
    pub fn name(&self, repository: &str) -> String {
        format!("{}/{repository}", self.address)
    }

    /// Looks into a repository or changes it.
    pub fn with<R>(&self, repository: &str, look: impl FnOnce(&mut RepositoryContent) -> R) -> R {
        look(
            self.state()
                .repositories
                .entry(repository.to_owned())
                .or_default(),
        )
    }

    /// Changes how it behaves.
    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.state().behaviour);
    }

    /// Adds a fault.
    pub fn inject(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    /// Ends all faults.
    pub fn heal(&self) {
        self.state().faults.clear();
    }

    /// Makes every token that was given useless.
    pub fn expire_tokens(&self) {
        self.state().tokens.clear();
    }

    /// What was asked so far; the log begins anew. Bodies that are on their way are waited for a little.
    pub fn take_log(&self) -> Vec<Exchange> {
        for _ in 0..200 {
            if self.state().open.is_empty() {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        std::mem::take(&mut self.state().log).into_values().collect()
    }

    /// What is missing below any tag of any repository.
    pub fn broken_tags(&self) -> Vec<String> {
        self.state()
            .repositories
            .values()
            .flat_map(RepositoryContent::broken_tags)
            .collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for TestRegistry {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        // Wakes the two listeners, which then see the flag.
        let _ = TcpStream::connect(self.address);
        let _ = TcpStream::connect(self.other);
    }
}

impl State {
    fn next_number(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// An address at the other host that is good for one request.
    fn sign(&mut self, repository: &str, digest: &str) -> String {
        let key = format!("k{}", self.next_number());
        self.signed
            .insert(key.clone(), (repository.to_owned(), digest.to_owned()));
        format!("http://{}/data?X-Signature={key}", self.other)
    }

    /// A number below `bound` that depends on nothing but the requests so far.
    fn chance(&mut self, bound: usize) -> usize {
        let mut value = self.next_number().wrapping_mul(0x9E37_79B9_7F4A_7C15);
        value = (value ^ (value >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        ((value >> 16) as usize) % bound.max(1)
    }
}

impl Shared {
    fn serve(&self, stream: TcpStream, elsewhere: bool) {
        let _ = stream.set_nodelay(true);
        // A connection that nobody uses ends with the registry, or after a while.
        let _ = stream.set_read_timeout(Some(Duration::from_secs(30)));
        let Ok(mut output) = stream.try_clone() else {
            return;
        };
        let mut reader = BufReader::new(stream);
        while !self.stopped.load(Ordering::Relaxed) {
            let request = match http::read_request(&mut reader) {
                Ok(Some(request)) => request,
                Ok(None) => return,
                Err(error) => {
                    if error.kind() == std::io::ErrorKind::InvalidData {
                        http::write_response(&mut output, &Response::new(400), false);
                    }
                    return;
                }
            };
            let (response, link) = self.respond(&request, elsewhere);
            let number = self.note(&request, &response, elsewhere);
            let response = match link {
                Some((rate, delay)) if response.delivery == Delivery::Whole => {
                    thread::sleep(delay);
                    let piece = (rate / 100).max(1) as usize;
                    Response {
                        delivery: Delivery::Trickle(piece, Duration::from_millis(10)),
                        ..response
                    }
                }
                _ => response,
            };
            let (goes_on, sent) = http::write_response(&mut output, &response, request.method == "HEAD");
            self.finish(number, sent);
            if !goes_on {
                return;
            }
        }
    }

    /// Writes the exchange down before its answer goes out: who has the answer finds it in the log.
    fn note(&self, request: &Request, response: &Response, elsewhere: bool) -> u64 {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let number = state.next_number();
        let exchange = Exchange {
            method: request.method.clone(),
            path: request.path.clone(),
            status: if response.delivery == Delivery::Nothing {
                0
            } else {
                response.status
            },
            received: request.body.len(),
            sent: 0,
            authorized: request.header("authorization").is_some(),
            elsewhere,
            range: request.header("range").map(str::to_owned),
            said: said(request),
        };
        state.log.insert(number, exchange);
        state.open.insert(number);
        number
    }

    fn finish(&self, number: u64, sent: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.open.remove(&number);
        if let Some(exchange) = state.log.get_mut(&number) {
            exchange.sent = sent;
        }
    }

    fn respond(&self, request: &Request, elsewhere: bool) -> (Response, Option<(u64, Duration)>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let effect = state
            .faults
            .iter_mut()
            .find_map(|fault| fault.meets(request).then(|| fault.effect.clone()));
        let mut request = request.clone();
        match &effect {
            Some(Effect::Refuse(status, retry_after)) => {
                let mut response = Response::new(*status);
                if let Some(retry_after) = retry_after {
                    response = response.with("Retry-After", retry_after);
                }
                return (response, None);
            }
            Some(Effect::RefuseWith(status, body)) => {
                return (Response::new(*status).with_body(body.as_bytes()), None);
            }
            Some(Effect::Echo(status)) => {
                let field = request.header("authorization").unwrap_or_default().to_owned();
                let inside = field.split_once(' ').map_or("", |(_, value)| value);
                let message = format!("{field} is wrong, {inside} is: {}", unbase64(inside));
                return (protocol::refuse(*status, "DENIED", &message), None);
            }
            Some(Effect::AnswerWith(status, name, value)) => {
                return (Response::new(*status).with(name, value), None);
            }
            Some(Effect::Redirect(address)) => {
                return (Response::new(307).with("Location", address), None);
            }
            Some(Effect::TakePart(size)) => request.body.truncate(*size),
            _ => {}
        }
        let mut response = if elsewhere {
            state.answer_elsewhere(&request)
        } else {
            state.answer(&request)
        };
        let is_blob = request.method == "GET" && (elsewhere || request.path.contains("/blobs/sha256:"));
        let can_be_cut = is_blob && matches!(response.status, 200 | 206) && response.body.len() > 1;
        if can_be_cut && state.cuts_done < state.behaviour.cuts {
            state.cuts_done += 1;
            let size = response.body.len();
            response.delivery = Delivery::Cut(state.chance(size));
        }
        match effect {
            Some(Effect::LoseAnswer(status)) => response = Response::new(status),
            Some(Effect::TakePart(_)) => response.delivery = Delivery::Nothing,
            Some(Effect::Deliver(delivery)) => response.delivery = delivery,
            Some(Effect::Add(name, value)) => response = response.with(name, value),
            Some(Effect::Replace(body)) => response.body = body,
            Some(Effect::ReplaceManifest(body)) => {
                response.status = 200;
                response
                    .headers
                    .retain(|(name, _)| name != "Docker-Content-Digest");
                response = response
                    .with("Docker-Content-Digest", digest_of(&body))
                    .with_body(body);
            }
            Some(Effect::Corrupt) => {
                let middle = response.body.len() / 2;
                if let Some(byte) = response.body.get_mut(middle) {
                    *byte ^= 1;
                }
            }
            Some(
                Effect::Refuse(..)
                | Effect::RefuseWith(..)
                | Effect::Echo(_)
                | Effect::AnswerWith(..)
                | Effect::Redirect(_),
            )
            | None => {}
        }
        (response, state.behaviour.link)
    }
}

impl State {
    fn answer(&mut self, request: &Request) -> Response {
        if request.path == "/token" {
            return self.token(request);
        }
        if let Some(refusal) = self.check_login(request) {
            return refusal;
        }
        protocol::answer(self, request)
    }

    fn answer_elsewhere(&mut self, request: &Request) -> Response {
        if let Some(asks) = self.behaviour.elsewhere_asks {
            if request.path == "/token" {
                return Response::new(200).with_body("{\"token\": \"foreign-token\"}");
            }
            let challenge = match asks {
                Asks::Basic => "Basic realm=\"elsewhere\"".to_owned(),
                Asks::Bearer => format!(
                    "Bearer realm=\"http://{}/token\",service=\"elsewhere\"",
                    self.other
                ),
            };
            return protocol::refuse(401, "UNAUTHORIZED", "log in here").with("WWW-Authenticate", challenge);
        }
        let key = request.parameter("X-Signature").unwrap_or_default();
        let Some((repository, digest)) = self.signed.remove(key) else {
            return Response::new(403)
                .with_body("<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>");
        };
        let bytes = self
            .repositories
            .get(&repository)
            .and_then(|content| content.blobs.get(&digest))
            .cloned();
        match bytes {
            Some(bytes) => protocol::blob_bytes(self, request, &bytes),
            None => Response::new(404),
        }
    }

    fn check_login(&mut self, request: &Request) -> Option<Response> {
        let authorization = request.header("authorization");
        if let Some(challenge) = &self.behaviour.challenge {
            return Some(Response::new(401).with("WWW-Authenticate", challenge));
        }
        if let Some((user, password)) = &self.behaviour.basic {
            let expected = format!("Basic {}", base64(format!("{user}:{password}").as_bytes()));
            return (authorization != Some(expected.as_str())).then(|| {
                protocol::refuse(401, "UNAUTHORIZED", "authentication required")
                    .with("WWW-Authenticate", "Basic realm=\"test\"")
            });
        }
        self.behaviour.tokens.as_ref()?;
        let left = authorization
            .and_then(|text| text.strip_prefix("Bearer "))
            .and_then(|token| self.tokens.get_mut(token));
        if let Some(left) = left.filter(|left| **left > 0) {
            *left -= 1;
            return None;
        }
        let host = request.header("host").unwrap_or_default();
        let challenge = format!("Bearer realm=\"http://{host}/token\",service=\"test\"");
        Some(
            protocol::refuse(401, "UNAUTHORIZED", "authentication required")
                .with("WWW-Authenticate", challenge),
        )
    }

    fn token(&mut self, request: &Request) -> Response {
        let Some(rules) = self.behaviour.tokens.clone() else {
            return Response::new(404);
        };
        if let Some((user, password)) = &rules.user {
            let expected = format!("Basic {}", base64(format!("{user}:{password}").as_bytes()));
            if request.header("authorization") != Some(expected.as_str()) {
                return protocol::refuse(401, "UNAUTHORIZED", "wrong user or password");
            }
        }
        let token = format!("token-{}", self.next_number());
        self.tokens.insert(token.clone(), rules.uses);
        Response::new(200)
            .with("Content-Type", "application/json")
            .with_body(format!("{{\"token\": \"{token}\", \"expires_in\": 300}}"))
    }
}

/// The text of a request, to be searched for what it must not hold.
fn said(request: &Request) -> String {
    let fields = request.headers.iter().chain(&request.query);
    let mut text = request.path.clone();
    for (name, value) in fields {
        text.push_str(&format!("\n{name}: {value}"));
    }
    let body = &request.body[..request.body.len().min(8 * 1024)];
    text + "\n" + &String::from_utf8_lossy(body)
}

/// Base64 with padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let mut value = 0u32;
        for (place, byte) in group.iter().enumerate() {
            value |= u32::from(*byte) << (16 - 8 * place);
        }
        for place in 0..4 {
            let letter = LETTERS[(value >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= group.len() {
                char::from(letter)
            } else {
                '='
            });
        }
    }
    text
}

/// What base64 stands for, as text; empty if it is none.
fn unbase64(text: &str) -> String {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut value, mut bits) = (0u32, 0);
    for letter in text.trim_end_matches('=').chars() {
        let Some(digit) = LETTERS.find(letter) else {
            return String::new();
        };
        value = value << 6 | digit as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((value >> bits) as u8);
            value &= (1 << bits) - 1;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
