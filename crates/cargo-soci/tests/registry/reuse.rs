//! `--reuse`, `--reuse-from`, `--dry-run`, `create`, `remove`, `cat`, `ztoc extract`, `verify --sample`.

use soci_ztoc::ztoc::{EncodedZtoc, Ztoc, ZtocParts};

use soci_tests::images::MadeImage;
use soci_tests::registry::{Behaviour, TestRegistry};

use crate::{convert, failed, good, image, run, soci, tag, text, with_image};

/// A registry with the converted image, and the image's name.
fn converted(span_size: &str) -> (TestRegistry, String) {
    let registry = with_image(Behaviour::default());
    let name = registry.name("app:1");
    let flags = ["--min-layer-size", "0", "--span-size", span_size];
    good(&run(&[&["convert", &name], &flags[..]].concat()));
    (registry, name)
}

#[test]
fn another_tools_ztocs_serve_only_who_asks_for_them() {
    let registry = with_image(Behaviour::default());
    let (one, two) = (registry.name("app:1"), registry.name("app:2"));
    good(&convert(&[&one, &two, "--build-tool-identifier", "another tool"]));
    let ours = good(&convert(&[&two, &registry.name("app:3"), "--dry-run"]));
    assert!(!ours.contains("reused"), "{ours}");
    let any = good(&convert(&[
        &two,
        &registry.name("app:3"),
        "--dry-run",
        "--reuse",
        "any",
    ]));
    assert!(
        any.contains("zTOC would be reused from the source, made by another tool"),
        "{any}"
    );
    assert_eq!(tag(&registry, "app", "3"), None);
    let spans = good(&run(&[
        "convert",
        &two,
        &registry.name("app:3"),
        "--dry-run",
        "--reuse",
        "any",
        "--min-layer-size",
        "50KiB",
    ]));
    assert!(
        !spans.contains("reused"),
        "another span size does not serve: {spans}"
    );
}

#[test]
fn layers_in_common_with_a_named_image_are_not_read() {
    let registry = with_image(Behaviour::default());
    let base = MadeImage::new(&[(1, 900_000)]);
    registry.with("base", |content| base.store(content, "1"));
    good(&convert(&[&registry.name("base:1")]));
    registry.take_log();
    let report = good(&convert(&[
        &registry.name("app:1"),
        "--reuse-from",
        &registry.name("base:1"),
    ]));
    assert!(report.contains("reused from 127.0.0.1"), "{report}");
    let read = registry.take_log().iter().any(|one| {
        one.method == "GET" && one.path.ends_with(&base.layer_digests()[0]) && one.range.is_none()
    });
    // One span of it is read back, by a range.
    assert!(!read);
    assert_eq!(registry.broken_tags(), Vec::<String>::new());
    let verdict = good(&run(&["verify", &registry.name("app:1")]));
    assert!(verdict.contains("good"), "{verdict}");
}

/// Puts a SOCI index v1 of somebody who lies into the place of an honest one. Gives the digest of the false zTOC.
fn lie(registry: &TestRegistry, change: &dyn Fn(&mut Vec<u8>)) -> String {
    let flags = ["--min-layer-size", "50KiB", "--span-size", "256KiB"];
    let honest = good(&run(
        &[&["create", &registry.name("app:1"), "-q"], &flags[..]].concat()
    ));
    registry.with("app", |content| {
        let manifest = content.manifests.remove(&honest).expect("it was made");
        let mut text = String::from_utf8(manifest.bytes.to_vec()).expect("JSON");
        let index: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let told = &index["layers"][0];
        let digest = told["digest"].as_str().expect("a digest");
        let before = content.blobs.remove(digest).expect("a zTOC");
        let mut ztoc = before.to_vec();
        change(&mut ztoc);
        let of = |digest: &str, size: usize| format!(r#""digest":"{digest}","size":{size}"#);
        let false_one = content.add_blob(&ztoc);
        text = text.replace(&of(digest, before.len()), &of(&false_one, ztoc.len()));
        assert!(text.contains(&false_one));
        content.add_manifest(&manifest.media_type, text.as_bytes());
        false_one
    })
}

fn rebuilt(ztoc: &mut Vec<u8>, change: impl FnOnce(&mut ZtocParts)) {
    let mut parts = Ztoc::from_bytes(ztoc).expect("a zTOC").into_parts();
    change(&mut parts);
    let encoded = EncodedZtoc::new(Ztoc::from_parts(parts).expect("still a zTOC"));
    *ztoc = encoded.expect("encodes").to_bytes();
}

#[test]
fn what_somebody_says_of_a_layer_is_not_believed() {
    let expected = crate::expected();
    type Change<'a> = &'a dyn Fn(&mut Vec<u8>);
    let lies: [(&str, Change<'_>); 5] = [
        ("cut", &|ztoc| ztoc.truncate(1000)),
        ("no zTOC", &|ztoc| *ztoc = b"no zTOC".to_vec()),
        ("another layer", &|ztoc| {
            rebuilt(ztoc, |parts| parts.compressed_size += 1)
        }),
        ("other digests", &|ztoc| {
            rebuilt(ztoc, |parts| {
                parts.span_digests.iter_mut().for_each(|digest| digest[0] ^= 1)
            });
        }),
        ("digests turned round", &|ztoc| {
            rebuilt(ztoc, |parts| parts.span_digests.reverse())
        }),
    ];
    for (what, change) in lies {
        let registry = with_image(Behaviour::default());
        let ztoc = lie(&registry, change);
        let (name, other) = (registry.name("app:1"), registry.name("app:2"));
        registry.take_log();
        // Nobody looks at what lies beside the source, unless it is asked for or the image is converted in place.
        assert_eq!(good(&convert(&[&name, &other, "-q"])), expected, "{what}");
        let asked = |registry: &TestRegistry| registry.take_log().iter().any(|one| one.path.ends_with(&ztoc));
        assert!(!asked(&registry), "{what}");
        let third = registry.name("app:3");
        let from = ["--reuse-from", &name];
        assert_eq!(
            good(&convert(&[&[name.as_str(), &third, "-q"], &from[..]].concat())),
            expected,
            "{what}"
        );
        assert!(asked(&registry), "{what}");
        assert_eq!(good(&convert(&[&name, "-q"])), expected, "{what}");
        let verdict = good(&run(&["verify", &name]));
        assert!(verdict.contains("good"), "{what}: {verdict}");
    }
}

#[test]
fn removing_gives_the_first_bytes_back() {
    let registry = with_image(Behaviour::default());
    let before = tag(&registry, "app", "1");
    let name = registry.name("app:1");
    good(&convert(&[&name]));
    assert_ne!(tag(&registry, "app", "1"), before);
    good(&run(&["remove", &name]));
    assert_eq!(tag(&registry, "app", "1"), before);
    let again = good(&run(&["remove", &name]));
    assert!(again.contains("had no SOCI index"), "{again}");
}

#[test]
fn v1_refers_to_the_image_and_leaves_it() {
    for native in [true, false] {
        let registry = with_image(Behaviour {
            native_referrers: native,
            ..Behaviour::default()
        });
        let before = tag(&registry, "app", "1");
        let name = registry.name("app:1");
        let flags = ["--min-layer-size", "50KiB", "--span-size", "256KiB"];
        let made = good(&run(&[&["create", name.as_str(), "-q"][..], &flags].concat()));
        assert_eq!(tag(&registry, "app", "1"), before);
        let shown = crate::in_one_line(&good(&run(&["inspect", &name])));
        assert!(shown.contains(&format!("SOCI index v1 {made}")), "{shown}");
        registry.take_log();
        assert_eq!(
            good(&run(&[&["create", name.as_str(), "-q"][..], &flags].concat())),
            made
        );
        assert!(
            registry
                .take_log()
                .iter()
                .all(|one| one.path.contains("/manifests/") || one.received == 0)
        );
        // Its zTOCs serve for v2 as well.
        let report = good(&convert(&[&name]));
        assert!(report.contains("reused from the source"), "{report}");
    }
}

#[test]
fn v1_is_for_all_platforms_unless_a_flag_chooses() {
    let registry = with_image(Behaviour::default());
    let run = |verb: &str, more: &[&str]| {
        let words = [verb, &registry.name("app:1"), "--min-layer-size", "50KiB"];
        soci(&[&words, more].concat())
            .env("CARGO_SOCI_PLATFORMS", "linux/s390x")
            .output()
            .expect("our program starts")
    };
    let made = good(&run("create", &[]));
    assert!(made.contains("linux/amd64"), "{made}");
    for (verb, more) in [("create", &["--platform", "linux/s390x"][..]), ("convert", &[])] {
        let errors = failed(&run(verb, more));
        assert!(errors.contains("linux/s390x"), "{verb}: {errors}");
    }
}

#[test]
fn one_file_comes_through_its_spans_only() {
    let (registry, name) = converted("256KiB");
    let expected = &soci_tests::images::noise(3, 2_000_000)[1_100_000..1_200_000];
    let layers = image().layer_digests();
    for verb in [&["cat"][..], &["ztoc", "extract"]] {
        registry.take_log();
        let output = run(&[verb, &[name.as_str(), "/layer3/file11"]].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(output.stdout == expected, "{verb:?}: other bytes came");
        let log = registry.take_log();
        let from_layers: usize = log
            .iter()
            .filter(|one| layers.iter().any(|layer| one.path.ends_with(layer)))
            .map(|one| one.sent)
            .sum();
        assert!(
            (expected.len()..600_000).contains(&from_layers),
            "{verb:?}: {from_layers} bytes of a layer of 2 MB: {log:#?}"
        );
        let errors = failed(&run(&[verb, &[name.as_str(), "/absent"]].concat()));
        assert!(errors.contains("'/absent' is not in the image"), "{errors}");
    }
}

#[test]
fn extract_takes_an_image_wherever_it_is() {
    let registry = with_image(Behaviour::default());
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let places = [registry.name("app:2"), path("layout"), path("image.tar")];
    let expected = &soci_tests::images::noise(3, 2_000_000)[1_100_000..1_200_000];
    let target = path("file11");
    for place in &places {
        good(&run(&[
            "convert",
            &registry.name("app:1"),
            place,
            "--min-layer-size",
            "0",
        ]));
        let output = run(&["ztoc", "extract", place, "layer3/file11", "-o", &target]);
        assert!(output.status.success(), "{place}: {}", text(&output.stderr));
        assert!(output.stdout.is_empty());
        assert!(std::fs::read(&target).expect("written") == expected, "{place}");
        std::fs::remove_file(&target).expect("it is there");
    }
    // The flags that choose an image count.
    let other = run(&["ztoc", "extract", &places[1], "x", "-p", "linux/s390x"]);
    assert!(failed(&other).contains("linux/s390x"), "{}", text(&other.stderr));
}

#[test]
fn nothing_of_a_file_comes_out_if_a_span_of_it_is_damaged() {
    let (registry, name) = converted("16KiB");
    let layer = &image().layer_digests()[2];
    for verb in [&["cat"][..], &["ztoc", "extract"]] {
        // The first spans of the file are good.
        registry.inject(
            soci_tests::registry::Fault::new("GET", layer, soci_tests::registry::Effect::Corrupt)
                .after(2)
                .times(1),
        );
        let errors = run(&[verb, &[name.as_str(), "/layer3/file11"]].concat());
        assert!(errors.stdout.is_empty(), "{verb:?}: half a file came out");
        assert!(
            failed(&errors).contains("cannot read /layer3/file11"),
            "{}",
            text(&errors.stderr)
        );
    }
}

#[test]
fn stdin_holds_a_password_or_an_image() {
    let registry = with_image(Behaviour::default());
    let name = registry.name("app:new");
    registry.take_log();
    for (words, what) in [
        (&["convert", "-", name.as_str()][..], "image"),
        (&["create", "-", name.as_str()], "image"),
        (&["remove", "-", name.as_str()], "image"),
        (&["verify", "-"], "image"),
        (&["inspect", "-"], "image"),
        (&["cat", "-", "/x"], "image"),
        (&["ztoc", "extract", "-", "/x"], "image"),
        (&["ztoc", "build", "-", "-o", "x"], "layer"),
        (&["lint", "-"], "document"),
    ] {
        let output = run(&[words, &["--username", "me", "--password-stdin"]].concat());
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{words:?}: {errors}");
        let message = format!("--password-stdin and the {what} `-` both read stdin");
        assert!(errors.contains(&message), "{words:?}: {errors}");
        assert!(output.stdout.is_empty(), "{words:?}");
    }
    assert!(registry.take_log().is_empty(), "nothing was asked before");
}

#[test]
fn a_sample_of_spans_is_checked_by_ranged_reads() {
    let registry = with_image(Behaviour::default());
    let name = registry.name("app:1");
    good(&convert(&[&name]));
    registry.take_log();
    let verdict = good(&run(&["verify", &name, "--sample", "2"]));
    assert!(verdict.contains("no fault found; 3 layers, 6 spans"), "{verdict}");
    assert!(verdict.contains("unknown: "), "{verdict}");
    let layers = image().layer_digests();
    let log = registry.take_log();
    let reads: Vec<_> = log
        .iter()
        .filter(|one| one.method == "GET" && layers.iter().any(|layer| one.path.ends_with(layer)))
        .collect();
    // One byte to know whether ranges are answered, two spans of each layer, and those before them.
    assert!((7..=13).contains(&reads.len()), "{}", reads.len());
    assert!(reads.iter().all(|one| one.range.is_some()));
    // A zTOC that is not of this layer is found out by any sample.
    registry.inject(soci_tests::registry::Fault::new(
        "GET",
        &layers[2],
        soci_tests::registry::Effect::Corrupt,
    ));
    let bad = run(&["verify", &name, "--sample", "1"]);
    assert_eq!(bad.status.code(), Some(1), "{}", text(&bad.stdout));
    assert!(text(&bad.stdout).contains("wrong-span-digest"));
}
