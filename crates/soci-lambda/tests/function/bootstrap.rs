//! The function's own program, under a Runtime API.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use crate::runtime_api::RuntimeApi;

/// A running function, and what it wrote.
pub(crate) struct Bootstrap {
    api: RuntimeApi,
    process: Child,
    lines: Arc<Mutex<Vec<Value>>>,
    reader: Option<JoinHandle<()>>,
}

/// The program with what Lambda sets, settings that suit small images, and nobody's credentials.
pub(crate) fn program(api: &str, settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bootstrap"));
    command
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", api)
        .env("AWS_LAMBDA_FUNCTION_NAME", "soci")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/soci")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "2026/11/29/[$LATEST]1")
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("SOCI_MIN_LAYER_SIZE", "50KiB")
        .env("SOCI_SPAN_SIZE", "256KiB")
        .envs(settings.iter().copied())
        .stdin(Stdio::null());
    command
}

impl Bootstrap {
    /// Starts it with these settings.
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        let api = RuntimeApi::start();
        let mut process = program(&api.host(), settings)
            .stdout(Stdio::piped())
            .spawn()
            .expect("our program starts");
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

    /// Calls it and waits: its answer, or its error.
    pub(crate) fn call(&self, event: &Value) -> Result<Value, Value> {
        self.call_within(event, Duration::from_secs(900))
    }

    /// The same with a deadline.
    pub(crate) fn call_within(&self, event: &Value, within: Duration) -> Result<Value, Value> {
        let call = self.api.send(event, within);
        self.api
            .answer(call, Duration::from_secs(120))
            .expect("an answer within two minutes")
    }

    /// Calls it, and does not wait.
    pub(crate) fn send(&self, event: &Value) -> u64 {
        self.api.send(event, Duration::from_secs(900))
    }

    /// What came of it.
    pub(crate) fn answer(&self, call: u64) -> Result<Value, Value> {
        self.api
            .answer(call, Duration::from_secs(120))
            .expect("an answer within two minutes")
    }

    /// Ends it and gives the lines it wrote.
    pub(crate) fn end(mut self) -> Vec<Value> {
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
