//! A direct call, and the message in the same form that goes on with what a call had no time for.

use serde_json::{Map, Value, json};
use soci_image::Reference;

use super::fields::{digest, field, known, text};
use super::{EventError, Request, Resume};

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

/// Reads a direct call.
pub(super) fn read(call: &Map<String, Value>) -> Result<Request, EventError> {
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

#[cfg(test)]
mod tests {
    use soci_image::Digest;

    use super::super::Call;
    use super::super::tests::pushed;
    use super::*;

    #[test]
    fn direct_calls_name_a_registry_and_a_tag() {
        let image = |name: &str| Call::read(&json!({ "image": name }));
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
            let error = Call::read(&call).expect_err("refused").to_string();
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
                let Ok(Call::One(again)) = Call::read(&rest) else {
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
}
