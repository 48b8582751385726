//! Direct calls and messages of a queue, against the registry in this process.

use std::time::Duration;

use serde_json::{Value, json};
use soci_tests::images::MadeImage;
use soci_tests::registry::{Behaviour, Effect, Fault, TokenRules};

use crate::bootstrap;
use crate::{batch, direct, expected, image, outcomes, tag, with_image};

#[test]
fn an_image_is_converted_in_place_and_the_same_call_finds_it_done() {
    let registry = with_image(Behaviour::default());
    let function = bootstrap::start(&[]);
    let call = direct(&registry, "app:1");
    assert_eq!(function.call(&call), Ok(json!({"outcome": "converted"})));
    let expected = expected(&image());
    assert_eq!(tag(&registry, "1").as_deref(), Some(&*expected));
    assert_eq!(registry.broken_tags(), Vec::<String>::new());
    assert_eq!(function.call(&call), Ok(json!({"outcome": "already"})));
    assert_eq!(tag(&registry, "1").as_deref(), Some(&*expected));

    let lines = function.end();
    assert_eq!(outcomes(&lines), ["converted", "already"]);
    let line = &lines[0];
    assert_eq!(line["image"], registry.name("app:1"));
    assert_eq!(line["digest"], *expected);
    assert_eq!(
        (&line["LayersIndexed"], &line["LayersReused"]),
        (&json!(3), &json!(0))
    );
    let layers: u64 = image().layers.iter().map(|layer| layer.len() as u64).sum();
    let received = line["BytesReceived"].as_u64().expect("a number");
    assert!(
        received > layers * 9 / 10 && received < layers * 2,
        "{received} of {layers}"
    );
}

#[test]
fn a_sibling_stands_beside_the_image_as_built() {
    let registry = with_image(Behaviour::default());
    let before = tag(&registry, "1");
    let function = bootstrap::start(&[("SOCI_TAG_MODEL", "sibling")]);
    let call = direct(&registry, "app:1");
    assert_eq!(function.call(&call), Ok(json!({"outcome": "converted"})));
    assert_eq!(tag(&registry, "1"), before);
    assert_eq!(tag(&registry, "1-soci"), Some(expected(&image())));
    // The zTOCs are taken from there the next time.
    registry.take_log();
    assert_eq!(function.call(&call), Ok(json!({"outcome": "already"})));
    let reads = registry.take_log();
    let layers = image().layer_digests();
    let read_again = |exchange: &soci_tests::registry::Exchange| {
        let is_layer = layers.iter().any(|layer| exchange.path.ends_with(layer.as_str()));
        exchange.method == "GET" && exchange.range.is_none() && is_layer
    };
    assert!(!reads.iter().any(read_again), "no layer is read again");
}

#[test]
fn one_bad_message_of_a_batch_fails_alone() {
    let registry = with_image(Behaviour::default());
    registry.with("app", |content| image().store(content, "2"));
    let body = |name: &str| direct(&registry, name).to_string();
    let bodies = [body("app:1"), "no JSON".to_owned(), body("app:9"), body("app:2")];
    let function = bootstrap::start(&[]);
    let failures = json!({"batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "m2"}]});
    assert_eq!(function.call(&batch(&bodies)), Ok(failures));
    let expected = Some(expected(&image()));
    assert_eq!(
        (tag(&registry, "1"), tag(&registry, "2")),
        (expected.clone(), expected)
    );
    let lines = function.end();
    assert_eq!(outcomes(&lines), ["converted", "failed", "failed", "converted"]);
    assert_eq!(lines[1]["messageId"], "m1");
    let reason = lines[2]["reason"].as_str().expect("a text");
    assert!(reason.contains("app:9 is not at"), "{reason}");
}

#[test]
fn what_cannot_be_done_is_the_calls_error() {
    let registry = with_image(Behaviour::default());
    let function = bootstrap::start(&[]);
    let error = function
        .call(&direct(&registry, "app:9"))
        .expect_err("no such tag");
    assert_eq!(error["errorType"], "Soci.Failed");
    let message = error["errorMessage"].as_str().expect("a text");
    assert!(message.contains("app:9 is not at"), "{message}");
    let unknown = function.call(&json!({"imago": "x"})).expect_err("no call");
    assert!(
        unknown.to_string().contains("neither an EventBridge event"),
        "{unknown}"
    );
    // It lives on.
    assert!(function.call(&direct(&registry, "app:1")).is_ok());
    assert_eq!(outcomes(&function.end()), ["failed", "failed", "converted"]);
}

#[test]
fn small_layers_and_things_that_are_no_images_are_told_and_are_no_error() {
    let registry = with_image(Behaviour::default());
    registry.with("app", |content| {
        MadeImage::new(&[(5, 2000)]).store(content, "small");
        let index = br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.amazon.soci.index.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}"#;
        content.add_blob(b"{}");
        let digest = content.add_manifest("application/vnd.oci.image.manifest.v1+json", index);
        content.tags.insert("artifact".to_owned(), digest);
    });
    let function = bootstrap::start(&[]);
    assert_eq!(
        function.call(&direct(&registry, "app:small")),
        Ok(json!({"outcome": "nothing-to-index"}))
    );
    assert_eq!(
        function.call(&direct(&registry, "app:artifact")),
        Ok(json!({"outcome": "ignored"}))
    );
}

#[test]
fn throttling_and_expired_tokens_are_waited_for() {
    let registry = with_image(Behaviour {
        tokens: Some(TokenRules { user: None, uses: 5 }),
        ..Behaviour::default()
    });
    let throttled = Effect::Refuse(429, Some("0".to_owned()));
    registry.inject(Fault::new("GET", "/manifests/", throttled.clone()).times(2));
    registry.inject(Fault::new("PUT", "/manifests/", throttled).times(2));
    let function = bootstrap::start(&[]);
    assert_eq!(
        function.call(&direct(&registry, "app:1")),
        Ok(json!({"outcome": "converted"}))
    );
    assert_eq!(tag(&registry, "1"), Some(expected(&image())));
}

#[test]
fn two_at_once_on_one_tag_end_as_one_does() {
    for conditions in [true, false] {
        let registry = with_image(Behaviour {
            conditions,
            link: Some((4_000_000, Duration::from_millis(2))),
            ..Behaviour::default()
        });
        let functions = [bootstrap::start(&[]), bootstrap::start(&[])];
        let call = direct(&registry, "app:1");
        let calls: Vec<u64> = functions.iter().map(|function| function.send(&call)).collect();
        for (function, call) in functions.iter().zip(calls) {
            assert!(function.answer(call).is_ok());
        }
        assert_eq!(tag(&registry, "1"), Some(expected(&image())));
        assert_eq!(registry.broken_tags(), Vec::<String>::new());
    }
}

/// While an image is converted its tag moves to another one: whatever was read, the newest image wins.
#[test]
fn a_tag_that_moves_meanwhile_is_gone_on_with() {
    let newer = MadeImage::new(&[(1, 900_000), (9, 1_000_000)]);
    let (old, new) = (expected(&image()), expected(&newer));
    for model in ["replace", "sibling"] {
        // Seconds for its layers, so that a test that gets no time still moves the tag before they are here.
        let registry = with_image(Behaviour {
            link: Some((250_000, Duration::from_millis(2))),
            ..Behaviour::default()
        });
        let function = bootstrap::start(&[("SOCI_TAG_MODEL", model)]);
        let call = function.send(&direct(&registry, "app:1"));
        // They are on their way now.
        while !registry
            .take_log()
            .iter()
            .any(|exchange| exchange.path.contains("/blobs/"))
        {
            std::thread::sleep(Duration::from_millis(5));
        }
        registry.with("app", |content| newer.store(content, "1"));
        registry.behave(|behaviour| behaviour.link = None);
        assert_eq!(
            function.answer(call),
            Ok(json!({"outcome": "converted"})),
            "{model}"
        );
        let (name, other) = match model {
            "replace" => ("1", None),
            _ => ("1-soci", tag(&registry, "1")),
        };
        let named = tag(&registry, name).expect("a tag");
        assert_eq!(named, new, "{model}: not {old}");
        assert_ne!(other, Some(named));
        assert_eq!(registry.broken_tags(), Vec::<String>::new());
    }
}

/// No damage becomes an index.
#[test]
fn a_damaged_layer_fails_the_call_and_moves_no_tag() {
    let registry = with_image(Behaviour::default());
    let before = tag(&registry, "1");
    registry.inject(Fault::new("GET", "/blobs/", Effect::Corrupt).times(1000));
    let function = bootstrap::start(&[]);
    let error: Value = function.call(&direct(&registry, "app:1")).expect_err("damaged");
    assert!(!error["errorMessage"].as_str().unwrap_or_default().is_empty());
    assert_eq!(tag(&registry, "1"), before);
}
