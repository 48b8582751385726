//! Every fault that a lazy-loading client is known to trip over, made on purpose, and what `verify` calls it.

mod support;

use std::fs;

use soci_image::{Digest, SociIndex};
use soci_store::store::AnySource;
use soci_store::workflow::{self, Consequence, Options};
use soci_ztoc::ztoc::{Checkpoint, GzipZinfo, Window, Zinfo, Ztoc};
use support::converted::{Image, place};
use support::never;

#[test]
fn a_converted_image_is_good() {
    for name in [
        "single",
        "mixed",
        "two",
        "xattr",
        "twice",
        "plain",
        "sha512-digests",
        "umoci",
        "ctr-export",
    ] {
        let verdict = Image::new(name).verify();
        assert_eq!(verdict.findings, [], "{name}");
        assert!(
            verdict.layers > 0 && verdict.files > 0 && verdict.spans > 0,
            "{name}"
        );
    }
}

#[test]
fn a_plain_image_has_no_soci_index() {
    let source = AnySource::open(
        &place(&soci_tests::image_vectors().join("inputs/two.tar")),
        &never(),
    )
    .expect("opens");
    let images = soci_store::block_on(workflow::examine(&source, None)).expect("reads");
    let verdict = workflow::verify(&source, &images[0], &Options::default(), &|_| {}).expect("verifies");
    let causes: Vec<_> = verdict.findings.iter().map(|finding| finding.cause).collect();
    assert_eq!(causes, ["no-soci-index", "no-soci-index"]);
    assert!(!verdict.is_good());
}

#[test]
fn a_soci_index_that_is_not_spelled_as_go_spells_it() {
    for change in [
        |text: &str| text.replace("\":", "\": "),
        |text: &str| {
            text.replace(
                "\"config\":",
                "\"artifactType\":\"application/vnd.amazon.soci.index.v2+json\",\"config\":",
            )
        },
        |text: &str| format!("{text}\n"),
    ] {
        let image = Image::new("single");
        image.change_soci(change);
        assert_eq!(
            image.causes(),
            [("non-canonical-index", Consequence::ImageNotLazy)]
        );
    }
}

#[test]
fn a_soci_index_that_is_missing_or_of_another_kind() {
    let image = Image::new("single");
    fs::remove_file(image.path(&image.soci().0)).expect("a blob");
    assert_eq!(image.causes(), [("missing-index", Consequence::ImageNotLazy)]);

    let image = Image::new("single");
    image.change_soci(|text| text.replace("soci.index.v2+json", "soci.index.v9+json"));
    let causes = image.causes();
    assert_eq!(
        causes[0],
        ("unreadable-index", Consequence::ImageNotLazy),
        "{causes:?}"
    );
}

#[test]
fn a_ztoc_that_is_missing_damaged_or_unreadable() {
    let image = Image::new("single");
    fs::remove_file(image.path(&image.ztoc().0)).expect("a blob");
    assert_eq!(image.causes(), [("missing-ztoc", Consequence::ImageNotLazy)]);

    let image = Image::new("single");
    let (digest, mut bytes) = image.ztoc();
    fs::write(image.path(&digest), &bytes[..100]).expect("a blob");
    assert_eq!(image.causes(), [("wrong-ztoc-size", Consequence::ImageNotLazy)]);
    bytes[50] ^= 1;
    fs::write(image.path(&digest), &bytes).expect("a blob");
    assert_eq!(image.causes(), [("wrong-ztoc-digest", Consequence::ImageNotLazy)]);

    let image = Image::new("single");
    let (digest, bytes) = image.ztoc();
    image.replace(&digest, &bytes[..bytes.len() / 2]);
    assert_eq!(image.causes(), [("unreadable-ztoc", Consequence::LayerNotLazy)]);
}

#[test]
fn ztocs_of_the_wrong_layers() {
    let image = Image::new("single");
    image.change_soci(|text| {
        let index = SociIndex::parse(text.as_bytes()).expect("a SOCI index");
        let [first, second] = [0, 1].map(|layer: usize| index.ztocs[layer].layer.to_string());
        text.replace(&first, "X")
            .replace(&second, &first)
            .replace('X', &second)
    });
    assert_eq!(image.causes(), [("misplaced-ztoc", Consequence::ReadsFail)]);

    let image = Image::new("single");
    image.change_soci(|text| {
        let index = SociIndex::parse(text.as_bytes()).expect("a SOCI index");
        text.replace(index.ztocs[0].layer.as_str(), Digest::sha256(b"other").as_str())
    });
    assert_eq!(
        image.causes(),
        [("ztoc-of-other-layer", Consequence::LayerNotLazy)]
    );
}

#[test]
fn wrong_span_digests_windows_and_entries() {
    let image = Image::new("single");
    image.change_ztoc(|ztoc| ztoc.span_digests[0][0] ^= 1);
    assert_eq!(image.causes(), [("wrong-span-digest", Consequence::ReadsFail)]);

    let image = Image::new("single");
    image.change_ztoc(|ztoc| {
        let Zinfo::Gzip(zinfo) = &ztoc.zinfo else {
            panic!("a gzip layer")
        };
        let mut checkpoints = zinfo.checkpoints().to_vec();
        let old = &checkpoints[1];
        let window = Window::new(&old.window().map(|byte| byte ^ 0x20));
        let (compressed, uncompressed) = (old.compressed_offset(), old.uncompressed_offset());
        checkpoints[1] =
            Checkpoint::new(compressed, uncompressed, old.bits(), window).expect("the same place");
        ztoc.zinfo = Zinfo::Gzip(GzipZinfo::new(zinfo.span_size(), checkpoints).expect("they ascend"));
    });
    let causes = image.causes();
    assert_eq!(causes, [("wrong-window", Consequence::WrongContents)]);

    let image = Image::new("single");
    image.change_ztoc(|ztoc| {
        ztoc.span_digests.pop();
    });
    let causes = image.causes();
    assert!(
        causes.contains(&("refused-ztoc", Consequence::LayerNotLazy)),
        "{causes:?}"
    );

    let image = Image::new("single");
    let (digest, mut bytes) = image.ztoc();
    let name = Ztoc::from_bytes(&bytes)
        .expect("a zTOC")
        .toc()
        .get(1)
        .expect("an entry")
        .name
        .to_vec();
    // Windows hold tar headers, and so names, as well.
    let is_name = |bytes: &[u8]| {
        Ztoc::from_bytes(bytes).is_ok_and(|ztoc| ztoc.toc().get(1).is_some_and(|e| e.name == name))
    };
    let places: Vec<usize> = (0..bytes.len() - name.len())
        .filter(|at| bytes[*at..].starts_with(&name))
        .collect();
    let at = places.into_iter().find(|at| {
        let mut changed = bytes.clone();
        changed[*at] = b'_';
        !is_name(&changed)
    });
    bytes[at.expect("the name is in the zTOC")] = b'_';
    image.replace(&digest, &bytes);
    assert_eq!(image.causes(), [("wrong-toc-entry", Consequence::ReadsFail)]);
}

#[test]
fn a_soci_index_listed_before_its_image_or_not_at_all() {
    let swap = |text: &str, keep_both: bool| {
        let start = text.find("[{").expect("a list") + 1;
        let end = text.rfind("}]").expect("a list") + 1;
        let middle = text[start..end].find("},{\"mediaType\"").expect("two entries") + start + 1;
        let (image, soci) = (&text[start..middle], &text[middle + 1..end]);
        let list = if keep_both {
            format!("{soci},{image}")
        } else {
            image.to_owned()
        };
        format!("{}{list}{}", &text[..start], &text[end..])
    };
    let image = Image::new("single");
    let (digest, text) = image.index();
    image.replace(&digest, swap(&text, true).as_bytes());
    assert_eq!(image.causes(), [("index-before-image", Consequence::PullFails)]);

    let image = Image::new("single");
    let (digest, text) = image.index();
    image.replace(&digest, swap(&text, false).as_bytes());
    assert_eq!(image.causes(), [("index-not-listed", Consequence::None)]);
    assert!(image.verify().is_good(), "it is found all the same");

    let image = Image::new("single");
    let (digest, text) = image.index();
    let lost = text.replace(
        r#","artifactType":"application/vnd.amazon.soci.index.v2+json""#,
        "",
    );
    image.replace(&digest, lost.as_bytes());
    assert_eq!(image.causes(), [("artifact-type-lost", Consequence::None)]);
}

#[test]
fn layers_and_configs_that_are_missing_or_damaged() {
    let image = Image::new("single");
    let layer = SociIndex::parse(image.soci().1.as_bytes())
        .expect("a SOCI index")
        .ztocs[0]
        .layer
        .to_string();
    let mut bytes = fs::read(image.path(&layer)).expect("a layer");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(image.path(&layer), bytes).expect("a layer");
    assert_eq!(image.causes(), [("wrong-layer-digest", Consequence::PullFails)]);
    fs::remove_file(image.path(&layer)).expect("a layer");
    assert_eq!(image.causes(), [("missing-layer", Consequence::PullFails)]);

    let image = Image::new("single");
    let empty = Digest::sha256(b"{}").to_string();
    fs::remove_file(image.path(&empty)).expect("a config");
    assert_eq!(
        image.causes(),
        [("missing-soci-config", Consequence::ImageNotLazy)]
    );
}
