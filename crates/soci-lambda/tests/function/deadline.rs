//! The time of a call ends at any moment: what is done is kept, what is left is done by later calls.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use soci_tests::images::{MadeImage, noise};
use soci_tests::registry::{Behaviour, TestRegistry};
use soci_tests::servers::Server;

use crate::bootstrap::{self, Bootstrap};
use crate::{batch, direct, expected, outcomes, tag};

/// A queue that moto plays.
pub(crate) struct Queue {
    moto: Server,
    url: String,
}

impl Queue {
    pub(crate) fn start() -> Self {
        let moto = Server::moto();
        let mut queue = Self {
            moto,
            url: String::new(),
        };
        let made = queue.ask("CreateQueue", &json!({"QueueName": "soci"}));
        made["QueueUrl"]
            .as_str()
            .expect("a URL")
            .clone_into(&mut queue.url);
        queue
    }

    fn ask(&self, action: &str, body: &Value) -> Value {
        self.moto.ask("sqs", &format!("AmazonSQS.{action}"), body)
    }

    /// Takes a message out of the queue.
    pub(crate) fn take(&self) -> Option<String> {
        let answer = self.ask("ReceiveMessage", &json!({"QueueUrl": self.url}));
        let message = answer["Messages"].get(0)?;
        let receipt = &message["ReceiptHandle"];
        self.ask(
            "DeleteMessage",
            &json!({"QueueUrl": self.url, "ReceiptHandle": receipt}),
        );
        Some(message["Body"].as_str().expect("a text").to_owned())
    }

    pub(crate) fn function(&self) -> Bootstrap {
        let moto = format!("http://{}", self.moto.host());
        bootstrap::start(&[
            ("SOCI_QUEUE_URL", &self.url),
            ("SOCI_DEADLINE_MARGIN", "1"),
            ("AWS_ENDPOINT_URL_SQS", &moto),
            ("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "hunter2"),
        ])
    }
}

pub(crate) const MARGIN: Duration = Duration::from_secs(1);

fn image() -> MadeImage {
    MadeImage::new(&[(1, 300_000), (2, 400_000), (3, 350_000), (4, 300_000)])
}

/// A registry with it as `app:1`, over a link on which it takes about half a second.
fn registry() -> TestRegistry {
    let registry = TestRegistry::start(Behaviour {
        link: Some((2_000_000, Duration::from_millis(5))),
        ..Behaviour::default()
    });
    registry.with("app", |content| image().store(content, "1"));
    registry
}

#[test]
fn fifty_calls_whose_time_ends_anywhere_are_all_gone_on_with() {
    let expected = expected(&image());
    let queue = Queue::start();
    let function = queue.function();
    let begun = Instant::now();
    let warm = registry();
    function.call(&direct(&warm, "app:1")).expect("a good image");
    let whole = begun.elapsed();
    // Bytes that follow from nothing but a number: which moments are tried.
    let moments = noise(16, 4096);
    let mut moments = moments.iter().map(|byte| whole * u32::from(*byte) / 256);
    let (mut continued, mut calls, mut given_again) = (0, 0, 0);
    for trial in 0..50 {
        let registry = registry();
        let before = tag(&registry, "1");
        let mut call = direct(&registry, "app:1");
        // What a layer takes at least is given after a while, as a function's time is much longer than that.
        let mut least = Duration::ZERO;
        loop {
            calls += 1;
            let within = MARGIN + least + moments.next().expect("enough of them");
            let answer = function.call_within(&call, within);
            assert_eq!(registry.broken_tags(), Vec::<String>::new(), "trial {trial}");
            let done = match &answer {
                // No time to begin with it, or too little for a layer, as on a busy machine: the queue gives it out again.
                Ok(answer) if answer["batchItemFailures"] == json!([{"itemIdentifier": "m0"}]) => {
                    assert_eq!(queue.take(), None, "trial {trial}: it is in its queue already");
                    given_again += 1;
                    least += whole / 2;
                    continue;
                }
                Ok(answer) if answer.get("batchItemFailures").is_some() => {
                    assert_eq!(answer["batchItemFailures"], json!([]), "trial {trial}");
                    tag(&registry, "1") != before
                }
                Ok(answer) => answer["outcome"] != "continued",
                Err(error) => panic!("trial {trial}: {error}"),
            };
            match queue.take() {
                None => {
                    assert!(done, "trial {trial}: nothing is lost");
                    break;
                }
                Some(body) => {
                    continued += 1;
                    call = batch(&[body]);
                    least += whole / 2;
                }
            }
        }
        assert_eq!(tag(&registry, "1"), Some(expected.clone()), "trial {trial}");
    }
    assert!(continued >= 25, "{continued} of {calls} calls ran out of time");
    assert!(
        given_again <= 10,
        "{given_again} of {calls} messages were given out again"
    );
}

#[test]
fn layers_that_are_done_are_not_read_again() {
    let queue = Queue::start();
    let function = queue.function();
    let registry = registry();
    // The last layer comes so slowly that the call ends in it.
    let layers = image().layer_digests();
    let digest = layers[3].clone();
    let slow = soci_tests::registry::Delivery::Trickle(1000, Duration::from_millis(20));
    registry.inject(
        soci_tests::registry::Fault::new("GET", &digest, soci_tests::registry::Effect::Deliver(slow))
            .times(1),
    );
    let answer = function.call_within(&direct(&registry, "app:1"), MARGIN + Duration::from_secs(4));
    assert_eq!(answer, Ok(json!({"outcome": "continued"})));
    registry.take_log();
    let body = queue.take().expect("what is left");
    assert_eq!(
        function.call(&batch(&[body])),
        Ok(json!({"batchItemFailures": []}))
    );
    let read: Vec<String> = registry
        .take_log()
        .into_iter()
        .filter(|exchange| exchange.method == "GET" && exchange.range.is_none())
        .filter_map(|exchange| {
            layers
                .iter()
                .find(|layer| exchange.path.ends_with(layer.as_str()))
                .cloned()
        })
        .collect();
    assert_eq!(read, [digest]);
    assert_eq!(tag(&registry, "1"), Some(expected(&image())));
    let lines = function.end();
    assert_eq!(outcomes(&lines), ["continued", "converted"]);
    assert_eq!(lines[0]["layersDone"], 3);
    assert_eq!(
        (&lines[1]["LayersIndexed"], &lines[1]["LayersReused"]),
        (&json!(1), &json!(3))
    );
}

#[test]
fn calls_that_get_no_further_end_as_an_error() {
    let queue = Queue::start();
    let function = queue.function();
    let registry = registry();
    let mut call = direct(&registry, "app:1");
    for _ in 0..2 {
        function.call_within(&call, MARGIN).expect("it is handed over");
        call = serde_json::from_str(&queue.take().expect("what is left")).expect("JSON");
    }
    let error = function
        .call_within(&call, MARGIN)
        .expect_err("enough")
        .to_string();
    assert!(error.contains("3 calls after another got no further"), "{error}");
    assert_eq!(queue.take(), None);
}

#[test]
fn without_a_queue_the_call_fails_in_time_and_its_next_attempt_begins_again() {
    let registry = registry();
    let function = bootstrap::start(&[("SOCI_DEADLINE_MARGIN", "1")]);
    let call = direct(&registry, "app:1");
    let error = function
        .call_within(&call, MARGIN)
        .expect_err("no time")
        .to_string();
    assert!(error.contains("without SOCI_QUEUE_URL"), "{error}");
    assert_eq!(function.call(&call), Ok(json!({"outcome": "converted"})));
    // In a batch, what was not begun goes back to its queue.
    let bodies = [call.to_string(), call.to_string()];
    let failures = json!({"batchItemFailures": [{"itemIdentifier": "m0"}, {"itemIdentifier": "m1"}]});
    assert_eq!(function.call_within(&batch(&bodies), MARGIN), Ok(failures));
}
