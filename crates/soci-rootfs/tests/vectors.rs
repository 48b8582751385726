//! What was seen of real images: each verdict is the one that containerd and the lazy client gave.
#![allow(clippy::disallowed_methods)] // The crate does no I/O, its tests do.

mod common;

use std::collections::BTreeSet;
use std::fs;

use common::build;
use serde_json::Value;
use soci_rootfs::{Client, Layer, Mount, UnpackFault, Verdict, What, compare};
use soci_tests::lazy_view_vectors;
use soci_ztoc::tar::Timestamp;
use soci_ztoc::ztoc::Compression;

/// A path, what differs there, and both values where they are numbers; in the words of `cases.json`.
type Seen = (String, &'static str, String);

fn words(verdict: &Verdict) -> BTreeSet<Seen> {
    let listed = verdict.differences.listed.iter();
    listed
        .map(|difference| {
            let word = match difference.what {
                What::Missing | What::Added | What::Phantom => "presence",
                What::Type(..) => "type",
                What::Mode { .. } => "mode",
                What::Owner { .. } => "own",
                What::Contents | What::Unreadable(_) => "sha",
                What::Xattr { .. } | What::XattrsVary => "xattr",
                What::Modified(..) => "mtime",
                What::Size(..) => "size",
                What::Links(..) => "nlink",
                ref other => panic!("not in the cases: {other}"),
            };
            let path = String::from_utf8_lossy(&difference.path).into_owned();
            (path, word, values(&difference.what))
        })
        .collect()
}

/// First as unpacked, then as the client shows it.
fn values(what: &What) -> String {
    let nanoseconds =
        |time: &Timestamp| i128::from(time.seconds()) * 1_000_000_000 + i128::from(time.nanoseconds());
    match what {
        What::Mode { unpacked, client, .. } => format!("{unpacked:o} {client:o}"),
        What::Owner { unpacked, client, .. } => {
            format!("[{}, {}] [{}, {}]", unpacked.0, unpacked.1, client.0, client.1)
        }
        What::Modified(unpacked, client) => format!("{} {}", nanoseconds(unpacked), nanoseconds(client)),
        What::Size(unpacked, client) => format!("{unpacked} {client}"),
        What::Links(unpacked, client) => format!("{unpacked} {client}"),
        _ => String::new(),
    }
}

fn seen(case: &Value) -> BTreeSet<Seen> {
    let known = [
        "presence", "type", "mode", "own", "sha", "xattr", "mtime", "size", "nlink",
    ];
    let list = case["differences"].as_array().expect("a list");
    list.iter()
        .map(|difference| {
            let path = difference["path"].as_str().expect("a path").to_owned();
            let attribute = difference["attribute"].as_str().expect("an attribute");
            let word = known.into_iter().find(|word| *word == attribute);
            let text = |side: &str| difference[side].as_str().expect("a value").to_owned();
            let values = match attribute {
                // With the bits of the type.
                "mode" => {
                    let bits = |side| {
                        let text = text(side);
                        let mode = u32::from_str_radix(text.trim_start_matches("0o"), 8).expect("octal");
                        mode & 0o7777
                    };
                    format!("{:o} {:o}", bits("unpacked"), bits("client"))
                }
                "own" | "mtime" | "size" | "nlink" => format!("{} {}", text("unpacked"), text("client")),
                _ => String::new(),
            };
            (
                path,
                word.unwrap_or_else(|| panic!("{attribute} is unknown")),
                values,
            )
        })
        // The files in which the client tells about its mounts; their names are digests of layers.
        .filter(|(path, ..)| !(path.starts_with("/.soci-snapshotter/") && path.ends_with(".json")))
        .collect()
}

#[test]
fn every_verdict_is_what_was_seen() {
    let folder = lazy_view_vectors();
    let cases = fs::read(folder.join("cases.json")).expect("the vectors are there");
    let cases: Value = serde_json::from_slice(&cases).expect("JSON");
    let layer = |name: &str| {
        let bytes = fs::read(folder.join(format!("layers/{name}.tar.gz"))).expect("a layer");
        build(&bytes, Compression::Gzip, 4 << 20)
    };
    let base = layer("base").expect("the base has a zTOC");
    let base_mount = Mount::of(&base);
    let mut wrong = Vec::new();
    let cases = cases.as_object().expect("cases by name");
    assert!(cases.len() > 70, "cases are missing");
    for (name, case) in cases {
        let mut is = |what: &str, expected: String, found: String| {
            if expected != found {
                wrong.push(format!("{name}: {what}: seen {expected}, predicted {found}"));
            }
        };
        let (client, unpacked) = (case["client"].as_str(), case["unpacked"].as_str());
        let (client, unpacked) = (client.expect("a word"), unpacked.expect("a word"));
        let verdict = match layer(name) {
            Ok(ztoc) => {
                let mount = Mount::of(&ztoc);
                let layers = [
                    Layer::mounted(base.toc(), &base_mount),
                    Layer::mounted(ztoc.toc(), &mount),
                ];
                let mut comparison = compare(&layers);
                assert_eq!(comparison.layers[0].differences.listed, [], "{name}: the base");
                comparison.layers.pop().expect("two layers")
            }
            Err(reason) => {
                let fault = UnpackFault::of_skipped(&reason);
                let outcome = if fault.is_some() { "error" } else { "ok" };
                is("unpacking", unpacked.into(), outcome.into());
                is(
                    "client",
                    client.into(),
                    if fault.is_some() { "error" } else { "full" }.into(),
                );
                continue;
            }
        };
        let unpacks = if verdict.unpack.is_some() { "error" } else { "ok" };
        is("unpacking", unpacked.into(), unpacks.into());
        let outcome = match (&verdict.client, &verdict.unpack) {
            (Client::Mounts, _) => "lazy",
            (_, None) => "full",
            (_, Some(_)) => "error",
        };
        is("client", client.into(), outcome.into());
        let (mut predicted, seen) = (words(&verdict), seen(case));
        // Which attribute is lost differs from run to run: what was seen is one of the runs.
        if verdict
            .differences
            .listed
            .iter()
            .any(|difference| difference.what == What::XattrsVary)
        {
            predicted.retain(|word| seen.contains(word));
        }
        is("differences", format!("{seen:?}"), format!("{predicted:?}"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn implied_directories_are_cured_from_above_and_by_unpacking() {
    let folder = lazy_view_vectors().join("implied");
    let seen = fs::read(folder.join("seen.json")).expect("the vectors are there");
    let seen: Value = serde_json::from_slice(&seen).expect("JSON");
    for case in seen.as_array().expect("a list") {
        let layers = case["layers"].as_array().expect("a list");
        let ztocs: Vec<_> = layers
            .iter()
            .map(|layer| {
                let name = layer["file"].as_str().expect("a name");
                let bytes = fs::read(folder.join(name)).expect("a layer");
                build(&bytes, Compression::Gzip, 4 << 20).expect("a good layer")
            })
            .collect();
        let mounts: Vec<_> = ztocs.iter().map(Mount::of).collect();
        let stack: Vec<_> = (0..layers.len())
            .map(|index| match layers[index]["mounted"].as_bool() {
                Some(true) => Layer::mounted(ztocs[index].toc(), &mounts[index]),
                _ => Layer::unpacked(ztocs[index].toc()),
            })
            .collect();
        let comparison = compare(&stack);
        let mut predicted = BTreeSet::new();
        for verdict in &comparison.layers {
            assert!(verdict.unpack.is_none());
            predicted.extend(
                verdict
                    .differences
                    .listed
                    .iter()
                    .map(|difference| String::from_utf8_lossy(&difference.path).into_owned()),
            );
        }
        let expected: BTreeSet<String> = case["differences"]
            .as_object()
            .expect("by path")
            .keys()
            .cloned()
            .collect();
        assert_eq!(predicted, expected, "{layers:?}");
        if !expected.is_empty() {
            assert!(comparison.layers[0].is_same(), "the base is not to blame");
            let told: Vec<String> = comparison.layers[1]
                .differences
                .listed
                .iter()
                .map(ToString::to_string)
                .collect();
            insta::assert_debug_snapshot!(told);
        }
    }
}
