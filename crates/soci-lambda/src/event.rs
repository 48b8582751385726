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

use serde_json::{Map, Value, json};
use soci_image::{Digest, EcrHost, Reference};

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
            push(event)
        } else if event.contains_key("image") {
            direct(event)
        } else {
            Err(EventError::Unknown)
        }
    }
}

impl Request {
    /// The message that goes on with a request; `None` if there is no image to go on with.
    pub fn rest(&self, resume: &Resume) -> Option<Value> {
        let (image, pushed) = match self {
            Self::Push { image, digest } => (image, Some(digest)),
            Self::Image { image, pushed, .. } => (image, pushed.as_ref()),
            Self::Other(_) => return None,
        };
        let mut call = json!({
            "image": image.to_string(),
            "resume": {"layers": resume.layers, "fruitless": resume.fruitless},
        });
        if let Some(index) = &resume.index {
            call["resume"]["index"] = json!(index);
        }
        if let Some(pushed) = pushed {
            call["pushed"] = json!(pushed);
        }
        Some(call)
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

fn push(event: &Map<String, Value>) -> Result<Request, EventError> {
    let kind = text(event, "", "detail-type")?;
    let source = text(event, "", "source")?;
    if (source, kind) != ("aws.ecr", "ECR Image Action") {
        return Ok(Request::Other(format!("{} of {}", shown(kind), shown(source))));
    }
    let detail = event.get("detail").and_then(Value::as_object);
    let detail = detail.ok_or_else(|| field("detail", "is missing or not an object"))?;
    let of_detail = |name| text(detail, "detail", name);
    let (action, result) = (of_detail("action-type")?, of_detail("result")?);
    if (action, result) != ("PUSH", "SUCCESS") {
        return Ok(Request::Other(format!(
            "{} with the result {}",
            shown(action),
            shown(result)
        )));
    }
    // Manifests below an index are pushed without a tag, and so is much else.
    let tag = match detail.get("image-tag") {
        None | Some(Value::Null) => "",
        Some(_) => of_detail("image-tag")?,
    };
    if tag.is_empty() {
        return Ok(Request::Other("a push without a tag".to_owned()));
    }
    let (account, region) = (text(event, "", "account")?, text(event, "", "region")?);
    let host = EcrHost::of(account, region).ok_or_else(|| {
        let problem = format!("{} in {} is no registry of ECR", shown(account), shown(region));
        field("account", &problem)
    })?;
    let digest = digest(detail, "detail", "image-digest")?;
    let name = format!("{host}/{}:{tag}", of_detail("repository-name")?);
    let image = Reference::parse(&name)
        .map_err(|error| field("detail.repository-name or image-tag", &error.to_string()))?;
    // A name that reads as something else than what it was made of is none.
    if image.registry() != host.to_string() || image.tag() != Some(tag) || image.digest().is_some() {
        return Err(field("detail.image-tag", &format!("{} is no tag", shown(tag))));
    }
    Ok(Request::Push { image, digest })
}

fn direct(call: &Map<String, Value>) -> Result<Request, EventError> {
    known(call, &["image", "pushed", "resume"])?;
    let name = text(call, "", "image")?;
    let image = Reference::parse(name).map_err(|error| field("image", &error.to_string()))?;
    if !image.has_explicit_registry() {
        return Err(field("image", "names no registry: write HOST/REPOSITORY:TAG"));
    }
    if image.digest().is_some() {
        return Err(field(
            "image",
            "names a digest, which cannot change: write HOST/REPOSITORY:TAG",
        ));
    }
    let pushed = match call.get("pushed") {
        None => None,
        Some(_) => Some(digest(call, "", "pushed")?),
    };
    let resume = match call.get("resume") {
        None => None,
        Some(Value::Object(resume)) => {
            known(resume, &["index", "layers", "fruitless"])?;
            let number = |name: &str| {
                let number = resume.get(name).and_then(Value::as_u64);
                number.ok_or_else(|| field(&format!("resume.{name}"), "is missing or no number"))
            };
            Some(Resume {
                index: match resume.get("index") {
                    None => None,
                    Some(_) => Some(digest(resume, "resume", "index")?),
                },
                layers: number("layers")?,
                fruitless: number("fruitless")?,
            })
        }
        Some(_) => return Err(field("resume", "is not an object")),
    };
    Ok(Request::Image {
        image,
        pushed,
        resume,
    })
}

fn known(object: &Map<String, Value>, names: &[&str]) -> Result<(), EventError> {
    match object.keys().find(|key| !names.contains(&key.as_str())) {
        Some(other) => Err(field(
            &shown(other),
            &format!("is unknown: there are {}", names.join(", ")),
        )),
        None => Ok(()),
    }
}

fn digest(object: &Map<String, Value>, within: &str, name: &str) -> Result<Digest, EventError> {
    let text = text(object, within, name)?;
    let path = match within {
        "" => name.to_owned(),
        within => format!("{within}.{name}"),
    };
    Digest::parse(text).map_err(|error| field(&path, &error.to_string()))
}

fn text<'a>(object: &'a Map<String, Value>, within: &str, name: &str) -> Result<&'a str, EventError> {
    let path = match within {
        "" => name.to_owned(),
        within => format!("{within}.{name}"),
    };
    match object.get(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(field(&path, "is not a text")),
        None => Err(field(&path, "is missing")),
    }
}

fn field(name: &str, problem: &str) -> EventError {
    EventError::Field {
        field: name.to_owned(),
        problem: problem.to_owned(),
    }
}

/// A foreign word in a message: quoted, and not without end.
fn shown(text: &str) -> String {
    let short: String = text.chars().take(100).collect();
    format!("{short:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUSH: &str = include_str!("event/fixtures/push.json");
    const DOCUMENTED_PUSH: &str = include_str!("event/fixtures/push_documented.json");
    const QUEUE: &str = include_str!("event/fixtures/queue_documented.json");

    fn parsed(text: &str) -> Value {
        serde_json::from_str(text).expect("JSON")
    }

    fn read(event: &Value) -> Result<Call, EventError> {
        Call::read(event)
    }

    fn with(path: &[&str], value: Value) -> Value {
        let mut event = parsed(PUSH);
        let mut at = &mut event;
        for key in path {
            at = &mut at[*key];
        }
        *at = value;
        event
    }

    fn pushed() -> Request {
        Request::Push {
            image: Reference::parse("123456789012.dkr.ecr.us-west-2.amazonaws.com/my-repository-name:latest")
                .expect("a name"),
            digest: Digest::parse("sha256:7f5b2640fe6fb4f46592dfd3410c4a79dac4f89e4782432e0378abcd12345678")
                .expect("a digest"),
        }
    }

    #[test]
    fn a_push_names_its_image() {
        assert_eq!(read(&parsed(PUSH)), Ok(Call::One(pushed())));
        let more = with(&["detail", "manifest-media-type"], json!("application/x"));
        assert_eq!(read(&more), Ok(Call::One(pushed())), "additions are no trouble");
    }

    #[test]
    fn the_documented_digest_is_too_short_to_be_one() {
        let error = read(&parsed(DOCUMENTED_PUSH)).expect_err("60 digits");
        assert!(error.to_string().contains("detail.image-digest"), "{error}");
    }

    #[test]
    fn what_is_no_push_is_told_and_is_no_error() {
        for (event, said) in [
            (with(&["detail-type"], json!("ECR Image Scan")), "ECR Image Scan"),
            (with(&["source"], json!("my.app")), "my.app"),
            (with(&["detail", "action-type"], json!("DELETE")), "DELETE"),
            (with(&["detail", "result"], json!("FAILURE")), "FAILURE"),
            (with(&["detail", "image-tag"], json!("")), "without a tag"),
            (with(&["detail", "image-tag"], Value::Null), "without a tag"),
        ] {
            match read(&event) {
                Ok(Call::One(Request::Other(what))) => assert!(what.contains(said), "{what}"),
                other => panic!("{said}: {other:?}"),
            }
        }
    }

    #[test]
    fn fields_that_are_acted_on_must_be_right() {
        for (path, value) in [
            (&["account"][..], json!("12345")),
            (&["account"], json!(123_456_789_012_u64)),
            (&["region"], json!("evil.example/x")),
            (&["detail"], json!([])),
            (&["detail", "repository-name"], json!("../x")),
            (&["detail", "repository-name"], json!("")),
            (&["detail", "image-tag"], json!("a:b")),
            (
                &["detail", "image-tag"],
                json!(format!("a@sha256:{}", "0".repeat(64))),
            ),
            (&["detail", "image-tag"], json!(7)),
            (&["detail", "image-digest"], json!("sha256:")),
        ] {
            let read = read(&with(path, value.clone()));
            assert!(
                matches!(read, Err(EventError::Field { .. })),
                "{path:?} {value}: {read:?}"
            );
        }
    }

    #[test]
    fn messages_of_a_queue_are_read_one_by_one() {
        let mut event = parsed(QUEUE);
        event["Records"][0]["body"] = json!(PUSH);
        event["Records"][1]["body"] = json!("no JSON");
        let Ok(Call::Batch(messages)) = read(&event) else {
            panic!("a batch")
        };
        assert_eq!(messages[0].id, "059f36b4-87a3-44ab-83d2-661975830a7d");
        assert_eq!(messages[0].request, Ok(pushed()));
        assert!(matches!(messages[1].request, Err(EventError::Body(_))));
        event["Records"][1]["eventSource"] = json!("aws:sns");
        let error = read(&event).expect_err("another source").to_string();
        assert!(error.contains("Records[1].eventSource is \"aws:sns\""), "{error}");
        let nameless = json!({"Records": [{"eventSource": "aws:sqs", "body": "{}"}]});
        assert!(
            read(&nameless).is_err(),
            "its failure could not be told to the queue"
        );
        assert_eq!(read(&json!({"Records": []})), Ok(Call::Batch(Vec::new())));
    }

    #[test]
    fn direct_calls_name_a_registry_and_a_tag() {
        let image = |name: &str| read(&json!({ "image": name }));
        let named = |text| Reference::parse(text).expect("a name");
        assert_eq!(
            image("127.0.0.1:5000/app:1"),
            Ok(Call::One(Request::Image {
                image: named("127.0.0.1:5000/app:1"),
                pushed: None,
                resume: None,
            }))
        );
        for (call, said) in [
            (json!({"image": "app:1"}), "names no registry"),
            (
                json!({"image": format!("r.example/app@sha256:{}", "0".repeat(64))}),
                "names a digest",
            ),
            (
                json!({"image": "r.example/app:1", "imagge": 1}),
                "\"imagge\" is unknown",
            ),
            (json!({"image": 1}), "image is not a text"),
            (json!({"image": "r.example/app:1", "pushed": "x"}), "pushed"),
            (
                json!({"image": "r.example/app:1", "resume": 1}),
                "resume is not an object",
            ),
            (
                json!({"image": "r.example/app:1", "resume": {"layers": 1}}),
                "resume.fruitless",
            ),
            (
                json!({"image": "r.example/app:1", "resume": {"layers": 1, "fruitless": 0, "index": "x"}}),
                "resume.index",
            ),
            (
                json!({"image": "r.example/app:1", "resume": {"token": 1}}),
                "\"token\" is unknown",
            ),
            (json!({}), "neither"),
            (json!("x"), "neither"),
            (json!([]), "neither"),
        ] {
            let error = read(&call).expect_err("refused").to_string();
            assert!(error.contains(said), "{call}: {error}");
        }
    }

    #[test]
    fn what_is_left_reads_as_what_was_asked_and_what_is_done() {
        let resume = |index| Resume {
            index,
            layers: 3,
            fruitless: 1,
        };
        let digest = Digest::sha256(b"");
        for (request, with_push) in [
            (pushed(), true),
            (
                Request::Image {
                    image: Reference::parse("r.example/app:1").expect("a name"),
                    pushed: None,
                    resume: None,
                },
                false,
            ),
        ] {
            for index in [None, Some(digest.clone())] {
                let rest = request.rest(&resume(index.clone())).expect("an image");
                let Ok(Call::One(again)) = read(&rest) else {
                    panic!("{rest}")
                };
                let Request::Image {
                    pushed, resume: told, ..
                } = &again
                else {
                    panic!("{rest}")
                };
                assert_eq!(pushed.is_some(), with_push);
                assert_eq!(*told, Some(resume(index)));
                assert_eq!(again.rest(&resume(None)), request.rest(&resume(None)));
            }
        }
        assert_eq!(Request::Other(String::new()).rest(&resume(None)), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_in_any_field_names_what_it_says_or_nothing(repository in ".{0,20}", tag in ".{0,20}", account in "[0-9]{11,13}") {
            let mut event = with(&["detail", "repository-name"], json!(repository));
            event["detail"]["image-tag"] = json!(tag);
            event["account"] = json!(account);
            if let Ok(Call::One(Request::Push { image, .. })) = Call::read(&event) {
                proptest::prop_assert_eq!(image.repository(), repository);
                proptest::prop_assert_eq!(image.tag(), Some(&*tag));
                proptest::prop_assert_eq!(image.registry(), format!("{account}.dkr.ecr.us-west-2.amazonaws.com"));
            }
        }
    }
}
