//! The function: from a call to its answer, one log line per image on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use soci_aws::account::{Logins, Reach};
use soci_registry::credentials::Keychain;
use soci_registry::{Client, ClientOptions, Environment, NativeClient, NativeOptions, UreqTransport};
use soci_store::workflow::Progress;

use crate::deadline::Watch;
use crate::event::{Call, Request};
use crate::image::{self, Images};
use crate::record::{self, About, Outcome};
use crate::rest;
use crate::settings::Settings;

/// What lives as long as the process: connections and logins serve later calls, too.
pub struct Function {
    settings: Settings,
    client: NativeClient,
    /// Raised when the time of a call is up; registries heed it.
    cancel: Arc<AtomicBool>,
    /// The way to the queue, which is asked when that is raised.
    reach: Reach,
}

/// What Lambda says of a call.
#[derive(Debug, Clone, Default)]
pub struct Invocation {
    /// Its id.
    pub request: String,
    /// The function's name.
    pub function: String,
    /// When Lambda ends it: milliseconds since 1970.
    pub deadline: u64,
}

impl Function {
    /// Reads certificates; nothing is asked yet. Registries are reached with the credentials of the environment, if they
    /// are Amazon ECR's, and with none otherwise.
    ///
    /// # Errors
    /// If the certificates cannot be read.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let cancel = Arc::<AtomicBool>::default();
        let extra_roots = match &settings.ca_file {
            Some(path) => std::fs::read(path).map_err(|error| format!("SOCI_CA_FILE={path:?}: {error}"))?,
            None => Vec::new(),
        };
        let mut native = NativeOptions::new(Environment::of_process());
        native.extra_roots.clone_from(&extra_roots);
        native.interrupted = Arc::clone(&cancel);
        let transport = UreqTransport::new(native).map_err(|error| format!("SOCI_CA_FILE: {error}"))?;
        let reach = Reach {
            extra_roots,
            ..Reach::default()
        };
        let logins = Logins::new(Reach {
            interrupted: Arc::clone(&cancel),
            ..reach.clone()
        });
        let keychain = Keychain::anonymous().with_ecr(Arc::new(logins));
        Ok(Self {
            client: Client::new(transport, keychain, ClientOptions::default()),
            settings,
            cancel,
            reach,
        })
    }

    /// Answers a call; blocks until it is done.
    ///
    /// # Errors
    /// If the one thing that was asked for failed, or the call cannot be understood. What fails in a batch is named in
    /// the answer instead.
    pub fn answer(&self, event: &Value, invocation: &Invocation) -> Result<Value, String> {
        let left = Duration::from_millis(invocation.deadline).saturating_sub(since_1970());
        let watch = Watch::start(left.saturating_sub(self.settings.margin), &self.cancel);
        match Call::read(event) {
            Err(error) => {
                let outcome = failed(&error.to_string());
                self.tell(invocation, None, None, &outcome, Instant::now());
                Err(error.to_string())
            }
            Ok(Call::One(request)) => {
                let outcome = self.one(&request, invocation, None);
                match outcome.failure() {
                    Some(reason) => Err(reason.to_owned()),
                    None => Ok(json!({"outcome": outcome.word()})),
                }
            }
            Ok(Call::Batch(messages)) => {
                let mut failures = Vec::new();
                for message in messages {
                    let id = Some(message.id.as_str());
                    let outcome = match &message.request {
                        Ok(_) if watch.is_up() => {
                            let outcome =
                                failed("the time was up before it was begun; the queue hands it out again");
                            self.tell(invocation, id, None, &outcome, Instant::now());
                            outcome
                        }
                        Ok(request) => self.one(request, invocation, id),
                        Err(error) => {
                            let outcome = failed(&error.to_string());
                            self.tell(invocation, id, None, &outcome, Instant::now());
                            outcome
                        }
                    };
                    if outcome.failure().is_some() {
                        failures.push(json!({"itemIdentifier": message.id}));
                    }
                }
                // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html (2026-11-29)
                Ok(json!({"batchItemFailures": failures}))
            }
        }
    }

    fn one(&self, request: &Request, invocation: &Invocation, message: Option<&str>) -> Outcome {
        let begun = Instant::now();
        let progress = Arc::<Progress>::default();
        let images = Images {
            settings: &self.settings,
            client: &self.client,
            cancel: &self.cancel,
            progress: &progress,
        };
        let outcome = match images.answer(request) {
            Err(_) => self.rest(request, &progress),
            // What was broken off in the middle of a login, say, reads as its failure.
            Ok(outcome) if outcome.failure().is_some() && self.cancel.load(Ordering::SeqCst) => {
                self.rest(request, &progress)
            }
            Ok(outcome) => outcome,
        };
        self.tell(
            invocation,
            message,
            image::name(request).map(ToString::to_string),
            &outcome,
            begun,
        );
        outcome
    }

    /// What becomes of an image when the time is up.
    fn rest(&self, request: &Request, progress: &Progress) -> Outcome {
        // The registry is to hear what is done; nothing else is begun then.
        self.cancel.store(false, Ordering::SeqCst);
        let queue = self.settings.queue_url.as_ref();
        let outcome = rest::hand_over(request, progress, &self.client, queue, &self.reach);
        self.cancel.store(true, Ordering::SeqCst);
        outcome
    }

    /// Writes the line.
    fn tell(
        &self,
        invocation: &Invocation,
        message: Option<&str>,
        image: Option<String>,
        outcome: &Outcome,
        begun: Instant,
    ) {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let about = About {
            request: invocation.request.clone(),
            function: invocation.function.clone(),
            message: message.map(str::to_owned),
            image,
            namespace: self.settings.metrics_namespace.clone(),
            now: millis(since_1970()),
            took: millis(begun.elapsed()),
        };
        println!("{}", record::line(&about, outcome));
    }
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn failed(reason: &str) -> Outcome {
    Outcome::Failed {
        reason: reason.to_owned(),
    }
}
