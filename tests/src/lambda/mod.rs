//! A function of AWS Lambda, run as Lambda runs it: its own program under a Runtime API.

mod runtime_api;

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

pub use self::runtime_api::RuntimeApi;

/// A running function, and what it wrote.
pub struct Bootstrap {
    api: RuntimeApi,
    process: Child,
    lines: Arc<Mutex<Vec<Value>>>,
    reader: Option<JoinHandle<()>>,
}

/// A program, given with what runs it, among the variables that Lambda sets: settings of the caller's, and nobody's
/// credentials.
pub fn program(words: &[&OsStr], api: &str, settings: &[(&str, &str)]) -> Command {
    let (first, rest) = words.split_first().expect("a program");
    let mut command = Command::new(first);
    command
        .args(rest)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin")
        .env("AWS_LAMBDA_RUNTIME_API", api)
        .env("AWS_LAMBDA_FUNCTION_NAME", "soci")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/soci")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "2026/11/29/[$LATEST]1")
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(settings.iter().copied())
        .stdin(Stdio::null());
    command
}

impl Bootstrap {
    /// Starts a program with these settings.
    pub fn start(words: &[&OsStr], settings: &[(&str, &str)]) -> Self {
        let api = RuntimeApi::start();
        let mut process = program(words, &api.host(), settings)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{words:?} does not start: {error}"));
        let output = process.stdout.take().expect("it is piped");
        let lines = Arc::<Mutex<Vec<Value>>>::default();
        let kept = Arc::clone(&lines);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"));
                kept.lock().expect("no panic").push(line);
            }
        });
        Self {
            api,
            process,
            lines,
            reader: Some(reader),
        }
    }

    /// Its process, to be looked at in `/proc`.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits until it asks for a call; whether it does so in time.
    pub fn is_ready_within(&self, patience: Duration) -> bool {
        self.api.is_asked_within(patience)
    }

    /// Calls it and waits: its answer, or its error.
    pub fn call(&self, event: &Value) -> Result<Value, Value> {
        self.call_within(event, Duration::from_secs(900))
    }

    /// The same for work that may take all of the 15 minutes.
    pub fn call_patiently(&self, event: &Value) -> Result<Value, Value> {
        let limit = Duration::from_secs(900);
        let call = self.api.send(event, limit);
        self.api.answer(call, limit).expect("an answer within 15 minutes")
    }

    /// The same with a deadline.
    pub fn call_within(&self, event: &Value, within: Duration) -> Result<Value, Value> {
        let call = self.api.send(event, within);
        self.api
            .answer(call, Duration::from_secs(120))
            .expect("an answer within two minutes")
    }

    /// Calls it, and does not wait.
    pub fn send(&self, event: &Value) -> u64 {
        self.api.send(event, Duration::from_secs(900))
    }

    /// What came of it.
    pub fn answer(&self, call: u64) -> Result<Value, Value> {
        self.api
            .answer(call, Duration::from_secs(120))
            .expect("an answer within two minutes")
    }

    /// Ends it and gives the lines it wrote.
    pub fn end(mut self) -> Vec<Value> {
        self.stop();
        std::mem::take(&mut self.lines.lock().expect("no panic"))
    }

    fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if let Some(reader) = self.reader.take() {
            reader.join().expect("every line is JSON");
        }
    }
}

impl Drop for Bootstrap {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.stop();
        } else {
            let _ = self.process.kill();
        }
    }
}
