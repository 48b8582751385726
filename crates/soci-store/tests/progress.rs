//! A run that is stopped leaves what it has to the next one.
#![cfg(feature = "native")]

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use soci_image::{Digest, Reference};
use soci_registry::credentials::Keychain;
use soci_registry::{Client, ClientOptions, Environment, NativeClient, NativeOptions, UreqTransport};
use soci_store::Error;
use soci_store::workflow::{Event, LayerOutcome, Named, Options, Over, Progress, Report};
use soci_tests::images::{MadeImage, noise};
use soci_tests::registry::{Behaviour, TestRegistry};

/// Four layers; the second and the fourth only imply their directory, so how they look depends on others.
fn image() -> MadeImage {
    let tars: Vec<Vec<u8>> = (1..=4).map(|seed| layer(seed, seed % 2 == 0)).collect();
    MadeImage::of_tars(&tars)
}

fn layer(seed: u64, implies: bool) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_mode(0o755);
    if !implies {
        header.set_entry_type(tar::EntryType::Directory);
        header.set_size(0);
        builder
            .append_data(&mut header, format!("layer{seed}/"), &[][..])
            .expect("memory");
    }
    let content = noise(seed, 200_000 + 1000 * usize::try_from(seed).expect("small"));
    header.set_entry_type(tar::EntryType::Regular);
    header.set_size(content.len() as u64);
    let name = format!("layer{}/file{seed}", if implies { seed - 1 } else { seed });
    builder
        .append_data(&mut header, name, &content[..])
        .expect("memory");
    builder.into_inner().expect("memory")
}

fn registry() -> TestRegistry {
    let registry = TestRegistry::start(Behaviour::default());
    registry.with("app", |content| image().store(content, "1"));
    registry
}

fn client() -> NativeClient {
    let transport = UreqTransport::new(NativeOptions::new(Environment::default())).expect("no certificates");
    Client::new(transport, Keychain::anonymous(), ClientOptions::default())
}

fn name(registry: &TestRegistry) -> Reference {
    Reference::parse(&registry.name("app:1")).expect("a name")
}

fn options() -> Options {
    Options {
        span_size: 64 << 10,
        min_layer_size: 0,
        jobs: NonZeroUsize::MIN,
        cancel: Arc::new(AtomicBool::new(false)),
        ..Options::default()
    }
}

/// Converts in place, and stops after so many layers.
fn convert(registry: &TestRegistry, options: &Options, layers: usize) -> Result<Report, Error> {
    let name = name(registry);
    let done = std::sync::atomic::AtomicUsize::new(0);
    let named = Named {
        source: &name,
        names: std::slice::from_ref(&name),
        over: Over::WhatWasRead,
    };
    named.convert(&client(), options, &|event| {
        if matches!(event, Event::LayerStarted { .. }) && done.fetch_add(1, Ordering::SeqCst) == layers {
            options.cancel.store(true, Ordering::SeqCst);
        }
    })
}

fn tag(registry: &TestRegistry) -> Option<String> {
    registry.with("app", |content| content.tags.get("1").cloned())
}

fn outcomes(report: &Report) -> (usize, usize) {
    let layers = report.layers();
    let count = |is: fn(&LayerOutcome) -> bool| layers.iter().filter(|layer| is(&layer.outcome)).count();
    (
        count(|outcome| matches!(outcome, LayerOutcome::Indexed { .. })),
        count(|outcome| matches!(outcome, LayerOutcome::Reused { .. })),
    )
}

#[test]
fn the_next_run_reads_only_what_is_not_done_and_gives_the_same_image() {
    let whole = registry();
    let expected = convert(&whole, &options(), usize::MAX)
        .expect("a good image")
        .images[0]
        .digest
        .clone();
    for stopped_after in 0..4 {
        let registry = registry();
        let before = tag(&registry);
        let progress = Arc::new(Progress::default());
        let first = Options {
            progress: Some(Arc::clone(&progress)),
            ..options()
        };
        let stopped = convert(&registry, &first, stopped_after);
        assert!(matches!(stopped, Err(Error::Interrupted)), "{stopped:?}");
        assert_eq!(tag(&registry), before);
        assert_eq!(progress.layers(), stopped_after);
        let left = progress
            .leave(&client(), &name(&registry), Options::BUILD_TOOL)
            .expect("a registry");
        assert_eq!(left.is_some(), stopped_after > 0);
        let second = Options {
            earlier: left,
            progress: Some(Arc::default()),
            ..options()
        };
        let report = convert(&registry, &second, usize::MAX).expect("a good image");
        assert_eq!(outcomes(&report), (4 - stopped_after, stopped_after));
        assert_eq!(report.images[0].digest, expected);
        let told = second.progress.expect("set above");
        assert_eq!(told.layers(), 4, "what was taken up is left again");
        assert_eq!(registry.broken_tags(), Vec::<String>::new());
    }
}

/// Whatever is claimed to be an earlier run's: the layers are read then.
#[test]
fn what_was_left_is_not_taken_on_its_word() {
    let expected = convert(&registry(), &options(), usize::MAX)
        .expect("a good image")
        .images[0]
        .digest
        .clone();
    let registry = registry();
    let progress = Arc::new(Progress::default());
    let first = Options {
        progress: Some(Arc::clone(&progress)),
        ..options()
    };
    assert!(convert(&registry, &first, 3).is_err());
    let left = progress
        .leave(&client(), &name(&registry), Options::BUILD_TOOL)
        .expect("a registry")
        .expect("three layers");
    let index = registry.with("app", |content| content.manifests[left.as_str()].bytes.clone());
    let index = String::from_utf8(index.to_vec()).expect("JSON");
    let digests = image().layer_digests();
    let config = registry.with("app", |content| content.tags["1"].clone());
    // The largest layers are done first, so the last three are in it.
    let mut changed = vec![
        // Of another layer, of another size, with other spans, and no index at all.
        index
            .replace(&digests[2], "@")
            .replace(&digests[3], &digests[2])
            .replace('@', &digests[3]),
        index.replace("\"65536\"", "\"131072\""),
        index.replacen("\"size\":", "\"size\":1", 3),
        index.replace("soci.index.v2", "soci.index.v9"),
    ];
    changed.retain(|text| *text != index);
    assert_eq!(changed.len(), 4, "{index}");
    let mut tried: BTreeSet<Digest> = BTreeSet::from([Digest::sha256(b"nowhere")]);
    for text in changed {
        registry.with("app", |content| {
            content.add_manifest("application/vnd.oci.image.manifest.v1+json", text.as_bytes())
        });
        tried.insert(Digest::sha256(text.as_bytes()));
    }
    tried.insert(Digest::parse(&config).expect("a digest"));
    for earlier in tried {
        // As it was before the first run.
        registry.with("app", |content| image().store(content, "1"));
        let options = Options {
            earlier: Some(earlier.clone()),
            ..options()
        };
        let report = convert(&registry, &options, usize::MAX).expect("a good image");
        assert_eq!(report.images[0].digest, expected, "{earlier}");
        let (indexed, reused) = outcomes(&report);
        assert!(indexed >= 3 && reused <= 1, "{earlier}: {reused} taken");
    }
}
