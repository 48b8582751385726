//! What the function is called with, read without I/O: strict in what is acted on, deaf to what else an event says.
//!
//! | call | shape |
//! |---|---|
//! | a push | an EventBridge event `ECR Image Action` of `aws.ecr` |
//! | messages of a queue | `{"Records": [{"messageId": …, "eventSource": "aws:sqs", "body": "…"}]}`, each body a push or a direct call |
//! | a direct call | `{"image": "HOST/REPOSITORY:TAG"}` |
//! | what is left of a call | the same with `pushed` and `resume`, which the function sends to itself ([`Request::rest`]) |
//!
//! <https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html>,
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html> (2026-11-29)

mod direct;
mod fields;
mod push;

use serde_json::Value;
use soci_image::{Digest, Reference};

use self::fields::{field, shown, text};

/// What the function is called with.
#[derive(Debug, PartialEq, Eq)]
pub enum Call {
    /// One thing to do; if it fails, the whole call does.
    One(Request),
    /// Messages of a queue; each fails by itself.
    Batch(Vec<Message>),
}

/// A message of a queue.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// How the queue calls it.
    pub id: String,
    /// What it asks for.
    pub request: Result<Request, EventError>,
}

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// An image was pushed under a tag.
    Push {
        /// Its name, with the tag.
        image: Reference,
        /// What the tag named then.
        digest: Digest,
    },
    /// Somebody wants this image converted, or an earlier call did not come to its end.
    Image {
        /// Its name.
        image: Reference,
        /// What the tag named when it was pushed, if that is what it is about.
        pushed: Option<Digest>,
        /// What an earlier call left.
        resume: Option<Resume>,
    },
    /// Something else happened in a registry: what, for the log.
    Other(String),
}

/// What a call that ran out of time left to the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resume {
    /// The SOCI index of what is done, in the image's repository; none if nothing is.
    pub index: Option<Digest>,
    /// How many layers are in it.
    pub layers: u64,
    /// How many calls after another got no further.
    pub fruitless: u64,
}

/// Why a call cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// It is none of the shapes.
    #[error(
        "the event is neither an EventBridge event (detail-type), nor messages of a queue (Records), nor {{\"image\": …}}"
    )]
    Unknown,
    /// The body of a message is not JSON.
    #[error("the message's body is not JSON: {0}")]
    Body(String),
    /// A field is missing or is not what it must be.
    #[error("the event's {field} {problem}")]
    Field {
        /// Where, as in `detail.image-tag`.
        field: String,
        /// What is wrong, as in `is missing`.
        problem: String,
    },
}

impl Call {
    /// Reads a call.
    ///
    /// # Errors
    /// If it is none of the shapes, or a batch in which a message cannot be named: then no part of it is done.
    pub fn read(event: &Value) -> Result<Self, EventError> {
        match event.get("Records") {
            Some(records) => {
                let records = records
                    .as_array()
                    .ok_or_else(|| field("Records", "is not a list"))?;
                records
                    .iter()
                    .enumerate()
                    .map(|(at, record)| message(at, record))
                    .collect::<Result<_, _>>()
                    .map(Self::Batch)
            }
            None => Request::read(event).map(Self::One),
        }
    }
}

impl Request {
    /// Reads a push or a direct call.
    ///
    /// # Errors
    /// If it is neither.
    pub fn read(event: &Value) -> Result<Self, EventError> {
        let event = event.as_object().ok_or(EventError::Unknown)?;
        if event.contains_key("detail-type") {
            push::read(event)
        } else if event.contains_key("image") {
            direct::read(event)
        } else {
            Err(EventError::Unknown)
        }
    }
}

fn message(at: usize, record: &Value) -> Result<Message, EventError> {
    let at = format!("Records[{at}]");
    let record = record.as_object().ok_or_else(|| field(&at, "is not an object"))?;
    let source = text(record, &at, "eventSource")?;
    if source != "aws:sqs" {
        return Err(field(
            &format!("{at}.eventSource"),
            &format!("is {}, not aws:sqs", shown(source)),
        ));
    }
    let id = text(record, &at, "messageId")?.to_owned();
    let request = text(record, &at, "body").and_then(|body| {
        let body: Value = serde_json::from_str(body).map_err(|error| EventError::Body(error.to_string()))?;
        Request::read(&body)
    });
    Ok(Message { id, request })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    pub(super) const PUSH: &str = include_str!("event/fixtures/push.json");
    const QUEUE: &str = include_str!("event/fixtures/queue_documented.json");

    pub(super) fn parsed(text: &str) -> Value {
        serde_json::from_str(text).expect("JSON")
    }

    pub(super) fn with(path: &[&str], value: Value) -> Value {
        let mut event = parsed(PUSH);
        let mut at = &mut event;
        for key in path {
            at = &mut at[*key];
        }
        *at = value;
        event
    }

    pub(super) fn pushed() -> Request {
        Request::Push {
            image: Reference::parse("123456789012.dkr.ecr.us-west-2.amazonaws.com/my-repository-name:latest")
                .expect("a name"),
            digest: Digest::parse("sha256:7f5b2640fe6fb4f46592dfd3410c4a79dac4f89e4782432e0378abcd12345678")
                .expect("a digest"),
        }
    }

    #[test]
    fn messages_of_a_queue_are_read_one_by_one() {
        let mut event = parsed(QUEUE);
        event["Records"][0]["body"] = json!(PUSH);
        event["Records"][1]["body"] = json!("no JSON");
        let Ok(Call::Batch(messages)) = Call::read(&event) else {
            panic!("a batch")
        };
        assert_eq!(messages[0].id, "059f36b4-87a3-44ab-83d2-661975830a7d");
        assert_eq!(messages[0].request, Ok(pushed()));
        assert!(matches!(messages[1].request, Err(EventError::Body(_))));
        event["Records"][1]["eventSource"] = json!("aws:sns");
        let error = Call::read(&event).expect_err("another source").to_string();
        assert!(error.contains("Records[1].eventSource is \"aws:sns\""), "{error}");
        let nameless = json!({"Records": [{"eventSource": "aws:sqs", "body": "{}"}]});
        assert!(
            Call::read(&nameless).is_err(),
            "its failure could not be told to the queue"
        );
        assert_eq!(Call::read(&json!({"Records": []})), Ok(Call::Batch(Vec::new())));
    }
}
