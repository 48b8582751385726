//! A push, as EventBridge tells it.

use serde_json::{Map, Value};
use soci_image::{EcrHost, Reference};

use super::fields::{digest, field, shown, text};
use super::{EventError, Request};

/// Reads an event of EventBridge.
pub(super) fn read(event: &Map<String, Value>) -> Result<Request, EventError> {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Call;
    use super::super::tests::{PUSH, parsed, pushed, with};
    use super::*;

    const DOCUMENTED_PUSH: &str = include_str!("fixtures/push_documented.json");

    #[test]
    fn a_push_names_its_image() {
        assert_eq!(Call::read(&parsed(PUSH)), Ok(Call::One(pushed())));
        let more = with(&["detail", "manifest-media-type"], json!("application/x"));
        assert_eq!(
            Call::read(&more),
            Ok(Call::One(pushed())),
            "additions are no trouble"
        );
    }

    #[test]
    fn the_documented_digest_is_too_short_to_be_one() {
        let error = Call::read(&parsed(DOCUMENTED_PUSH)).expect_err("60 digits");
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
            match Call::read(&event) {
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
            let read = Call::read(&with(path, value.clone()));
            assert!(
                matches!(read, Err(EventError::Field { .. })),
                "{path:?} {value}: {read:?}"
            );
        }
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
