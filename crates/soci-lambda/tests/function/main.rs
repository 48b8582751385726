//! The function's own program: under a Runtime API, against the registry in this process with its faults, and against
//! real servers under ECR's names.
#![cfg(all(feature = "function", target_os = "linux"))]

mod bootstrap;
mod calls;
mod deadline;
mod deploy;
#[cfg(feature = "real-tools")]
mod ecr;
mod memory;
mod settings;

use std::sync::Arc;

use serde_json::{Value, json};
use soci_image::Reference;
use soci_registry::credentials::Keychain;
use soci_registry::{Client, ClientOptions, Environment, NativeClient, NativeOptions, UreqTransport};
use soci_store::workflow::{Named, Options, Over, TagModel};
use soci_tests::images::MadeImage;
use soci_tests::registry::{Behaviour, TestRegistry};

/// Three layers to index and one that is too small.
pub(crate) fn image() -> MadeImage {
    MadeImage::new(&[(1, 900_000), (2, 3000), (3, 2_000_000), (4, 400_000)])
}

/// A registry with that image as `app:1`.
pub(crate) fn with_image(behaviour: Behaviour) -> TestRegistry {
    let registry = TestRegistry::start(behaviour);
    registry.with("app", |content| image().store(content, "1"));
    registry
}

/// A client of loopback.
pub(crate) fn client() -> NativeClient {
    let transport = UreqTransport::new(NativeOptions::new(Environment::default())).expect("no certificates");
    Client::new(transport, Keychain::anonymous(), ClientOptions::default())
}

/// What the image becomes, by the workflow itself and without anything that is there already.
pub(crate) fn expected(image: &MadeImage) -> String {
    let registry = TestRegistry::start(Behaviour::default());
    registry.with("app", |content| image.store(content, "1"));
    let name = Reference::parse(&registry.name("app:1")).expect("a name");
    let options = Options {
        span_size: 256 << 10,
        min_layer_size: 50 << 10,
        cancel: Arc::default(),
        ..Options::default()
    };
    let target = TagModel::Replace.soci_name(&name).expect("a tag");
    let named = Named {
        source: &name,
        names: &[target],
        over: Over::WhatWasRead,
    };
    let report = named.convert(&client(), &options, &|_| {}).expect("a good image");
    report.images[0].digest.to_string()
}

/// The digest of a tag.
pub(crate) fn tag(registry: &TestRegistry, tag: &str) -> Option<String> {
    registry.with("app", |content| content.tags.get(tag).cloned())
}

pub(crate) fn direct(registry: &TestRegistry, name: &str) -> Value {
    json!({"image": registry.name(name)})
}

/// Messages of a queue, `m0` and so on.
pub(crate) fn batch(bodies: &[String]) -> Value {
    let records: Vec<Value> = bodies
        .iter()
        .enumerate()
        .map(|(number, body)| {
            json!({"messageId": format!("m{number}"), "receiptHandle": "r", "body": body, "attributes": {},
                "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:soci", "awsRegion": "eu-west-1"})
        })
        .collect();
    json!({ "Records": records })
}

/// What became of each image, in the order of the lines.
pub(crate) fn outcomes(lines: &[Value]) -> Vec<&str> {
    lines
        .iter()
        .map(|line| line["outcome"].as_str().expect("every line says it"))
        .collect()
}
