//! Lambda's Runtime API, as far as a function sees it: it asks for the next call and says what came of it.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html> (2026-11-29)

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

/// The API of one function.
pub struct RuntimeApi {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(u64, String, Duration)>,
    /// By call: what was answered, or the error.
    answers: Vec<(u64, Result<Value, Value>)>,
    calls: u64,
    /// How often the function asked for a call.
    asked: u64,
}

impl RuntimeApi {
    /// Starts it; it ends with the process.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback is there");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::<Shared>::default();
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                thread::spawn(move || shared.serve(stream));
            }
        });
        Self { address, shared }
    }

    /// As in `AWS_LAMBDA_RUNTIME_API`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Waits until the function asks for its first call; whether it does so in time.
    pub fn is_asked_within(&self, patience: Duration) -> bool {
        let state = self.shared.lock();
        let waited = (self.shared.changed).wait_timeout_while(state, patience, |state| state.asked == 0);
        waited.unwrap_or_else(PoisonError::into_inner).0.asked > 0
    }

    /// Hands a call to the function.
    pub fn send(&self, event: &Value, within: Duration) -> u64 {
        let mut state = self.shared.lock();
        state.calls += 1;
        let call = state.calls;
        state.waiting.push_back((call, event.to_string(), within));
        self.shared.changed.notify_all();
        call
    }

    /// Waits for what came of it.
    pub fn answer(&self, call: u64, patience: Duration) -> Option<Result<Value, Value>> {
        let until = Instant::now() + patience;
        let mut state = self.shared.lock();
        loop {
            if let Some(at) = state.answers.iter().position(|(of, _)| *of == call) {
                return Some(state.answers.remove(at).1);
            }
            let left = until.checked_duration_since(Instant::now())?;
            let waited = self.shared.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, stream: TcpStream) {
        let mut output = stream.try_clone().expect("a socket");
        let mut input = BufReader::new(stream);
        while let Some((method, path, body)) = request(&mut input) {
            let path = path
                .strip_prefix("/2018-06-01/runtime/")
                .unwrap_or_else(|| panic!("{method} {path}"))
                .to_owned();
            let answer = match (method.as_str(), path.split('/').collect::<Vec<_>>().as_slice()) {
                ("GET", ["invocation", "next"]) => self.next(),
                ("POST", ["invocation", call, end @ ("response" | "error")]) => {
                    let call = call.parse().expect("an id of ours");
                    let value: Value = serde_json::from_slice(&body).expect("a function answers in JSON");
                    let answer = match *end {
                        "response" => Ok(value),
                        _ => Err(value),
                    };
                    self.lock().answers.push((call, answer));
                    self.changed.notify_all();
                    "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n".to_owned()
                }
                other => panic!("{other:?}"),
            };
            if output.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }

    /// Waits for the next call.
    fn next(&self) -> String {
        let mut state = self.lock();
        state.asked += 1;
        self.changed.notify_all();
        let (call, event, within) = loop {
            match state.waiting.pop_front() {
                Some(next) => break next,
                None => state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        let deadline = (now + within).as_millis();
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Lambda-Runtime-Aws-Request-Id: {call}\r\nLambda-Runtime-Deadline-Ms: {deadline}\r\n\
             Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-west-1:123456789012:function:soci\r\n\
             Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700\r\n\r\n{event}",
            event.len()
        )
    }
}

/// Method, path and body of the next request; `None` at the end of the connection.
fn request(input: &mut BufReader<TcpStream>) -> Option<(String, String, Vec<u8>)> {
    let mut line = String::new();
    if input.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let mut words = line.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let (mut length, mut is_chunked) = (0, false);
    loop {
        let mut line = String::new();
        input.read_line(&mut line).ok()?;
        let field = line.trim().to_ascii_lowercase();
        match field.split_once(':') {
            None => break,
            Some(("content-length", value)) => length = value.trim().parse().ok()?,
            Some(("transfer-encoding", value)) => is_chunked = value.contains("chunked"),
            Some(_) => {}
        }
    }
    let mut body = Vec::new();
    if !is_chunked {
        body.resize(length, 0);
        input.read_exact(&mut body).ok()?;
        return Some((method, path, body));
    }
    loop {
        let mut line = String::new();
        input.read_line(&mut line).ok()?;
        let size = usize::from_str_radix(line.trim(), 16).ok()?;
        let mut chunk = vec![0; size + 2];
        input.read_exact(&mut chunk).ok()?;
        body.extend_from_slice(&chunk[..size]);
        if size == 0 {
            return Some((method, path, body));
        }
    }
}
