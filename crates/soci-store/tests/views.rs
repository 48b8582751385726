//! What conversion does with layers that a container would see differently when they are loaded lazily.

#[path = "../../../tests/fuzz/bodies/rootfs/layers.rs"]
#[allow(unreachable_pub, missing_docs)]
mod layers;
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use layers::{Item, tar};
use soci_image::SkipReason;
use soci_store::store::{AnyDestination, AnySource};
use soci_store::workflow::{self, Finding, LayerOutcome, LayerReport, Options, Report, Tables};
use soci_store::{Error, Location, block_on};
use soci_tests::images::{MadeImage, noise};
use support::never;

fn location(path: &Path) -> Location {
    path.to_str().expect("UTF-8").parse().expect("a location")
}

/// Converts an image of these layers to a layout and to an archive; both say the same.
fn convert(layers: &[Vec<Item>], options: &Options) -> soci_store::Result<Report> {
    let folder = tempfile::tempdir().expect("temporary folder");
    let tars: Vec<Vec<u8>> = layers.iter().map(|layer| tar(layer)).collect();
    let image = MadeImage::of_tars(&tars);
    let from = folder.path().join("image");
    image.write_layout(&from, "1");
    let run = |to: &Path| {
        let source = AnySource::open(&location(&from), &never()).expect("opens");
        let destination = AnyDestination::create(&location(to), &options.cancel)?;
        workflow::convert(&source, destination, None, options, &|_| {})
    };
    let (layout, archive) = (folder.path().join("layout"), folder.path().join("archive.tar"));
    let (report, archived) = (run(&layout), run(&archive));
    let Ok(report) = report else {
        archived.expect_err("the layout was refused");
        return report;
    };
    assert_eq!(report, archived.expect("the layout was made"));
    // What no document names is not there either.
    let mut blobs = BTreeSet::new();
    for entry in fs::read_dir(layout.join("blobs/sha256")).expect("a layout") {
        blobs.insert(
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("a digest"),
        );
    }
    let documents: Vec<String> = fs::read_dir(layout.join("blobs/sha256"))
        .expect("a layout")
        .map(|entry| {
            String::from_utf8_lossy(&fs::read(entry.expect("an entry").path()).expect("a blob")).into_owned()
        })
        .chain([fs::read_to_string(layout.join("index.json")).expect("a layout")])
        .collect();
    for blob in blobs {
        assert!(
            documents.iter().any(|text| text.contains(&blob)),
            "{blob} is a stray"
        );
    }
    Ok(report)
}

fn options() -> Options {
    Options {
        min_layer_size: 0,
        ..Options::default()
    }
}

fn big() -> Item {
    let data = noise(3, 20_000);
    Item {
        size: data.len() as u64,
        data,
        ..Item::new(b'0', "big")
    }
}

fn base() -> Vec<Item> {
    vec![
        Item::directory("tmp/").with_mode(0o1777),
        Item::directory("home/app/").owned_by(1000, 1000).with_mode(0o700),
        Item::file("etc/passwd", "root"),
        big(),
    ]
}

fn outcomes(report: &Report) -> Vec<String> {
    let words = |layer: &LayerReport| match &layer.outcome {
        LayerOutcome::Skipped { message, .. } => message.clone(),
        LayerOutcome::Indexed { .. } => match &layer.remark {
            Some(remark) => format!("indexed, {}: {}", remark.code, remark.message),
            None => "indexed".to_owned(),
        },
        other => format!("{other:?}"),
    };
    report.images[0].platforms[0].layers.iter().map(words).collect()
}

#[test]
fn directories_that_a_layer_implies_decide_with_the_layers_around_it() {
    let implies = || vec![Item::file("tmp/x", "1"), Item::file("home/app/data", "2"), big()];
    let lists = || {
        vec![
            Item::directory("tmp/").with_mode(0o1777),
            Item::directory("home/app/").owned_by(1000, 1000).with_mode(0o700),
        ]
    };
    let alone = convert(&[base(), implies()], &options()).expect("converts");
    let cured = convert(&[base(), implies(), lists()], &options()).expect("converts");
    let small = Options {
        min_layer_size: 5000,
        ..options()
    };
    let cured_by_a_small_one = convert(&[base(), implies(), lists()], &small).expect("converts");
    let allowed = Options {
        allow_differences: true,
        ..options()
    };
    let allowed = convert(&[base(), implies()], &allowed).expect("converts");
    insta::assert_debug_snapshot!([
        outcomes(&alone),
        outcomes(&cured),
        outcomes(&cured_by_a_small_one),
        outcomes(&allowed),
    ]);
}

#[test]
fn what_a_layer_shows_wrongly_by_itself_is_left_out() {
    let cases: [(&str, Vec<Item>); 6] = [
        (
            "below a link",
            vec![
                Item::directory("usr/lib/"),
                Item::symlink("lib", "usr/lib"),
                Item::file("lib/libx.so", "ELF"),
            ],
        ),
        (
            "a directory that becomes a link",
            vec![
                Item::directory("usr/lib/"),
                Item::directory("lib/"),
                Item::file("lib/libx.so", "ELF"),
                Item::symlink("lib", "usr/lib"),
            ],
        ),
        (
            "a hard link to another layer",
            vec![Item::hard_link("ostree", "etc/passwd")],
        ),
        (
            "a hard link to what comes later",
            vec![Item::hard_link("b", "a"), Item::file("a", "x")],
        ),
        (
            "a hard link through a link",
            vec![
                Item::directory("real/"),
                Item::file("real/x", "x"),
                Item::symlink("link", "real"),
                Item::hard_link("y", "link/x"),
            ],
        ),
        (
            "an owner that is cut",
            vec![Item::file("x", "x").owned_by(0x1_0000_0001, 0)],
        ),
    ];
    let mut told = Vec::new();
    for (name, mut items) in cases {
        items.push(big());
        let report = convert(&[base(), items.clone()], &options()).expect("the base can be indexed");
        told.push((name, outcomes(&report)[1].clone()));
        let strict = Options {
            strict: true,
            ..options()
        };
        let outcome = convert(&[base(), items.clone()], &strict);
        assert_eq!(outcome.is_ok(), outcomes(&report)[1] == "indexed", "{name}");
        // The same layer at the bottom of an image, where nothing else can be indexed.
        let single = convert(&[items], &options());
        assert_eq!(single.is_ok(), outcomes(&report)[1] == "indexed", "{name}");
        if let Err(error) = single {
            let Error::NothingToIndex { layers } = error else {
                panic!("{name}: {error}");
            };
            assert!(!matches!(layers[0].1, SkipReason::TooSmall { .. }), "{name}");
        }
    }
    insta::assert_debug_snapshot!(told);
}

/// An image that was converted whatever it looks like.
struct Converted {
    _folder: tempfile::TempDir,
    layout: PathBuf,
}

impl Converted {
    fn of(layers: &[Vec<Item>]) -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let tars: Vec<Vec<u8>> = layers.iter().map(|layer| tar(layer)).collect();
        let (from, layout) = (folder.path().join("image"), folder.path().join("converted"));
        MadeImage::of_tars(&tars).write_layout(&from, "1");
        let allowed = Options {
            allow_differences: true,
            ..options()
        };
        let source = AnySource::open(&location(&from), &never()).expect("opens");
        let destination = AnyDestination::create(&location(&layout), &never()).expect("a new layout");
        workflow::convert(&source, destination, None, &allowed, &|_| {}).expect("converts");
        Self {
            _folder: folder,
            layout,
        }
    }

    fn source(&self) -> AnySource {
        AnySource::open(&location(&self.layout), &never()).expect("opens")
    }

    fn in_place(&self) -> AnyDestination {
        AnyDestination::create(&location(&self.layout), &never()).expect("a layout")
    }

    fn findings(&self) -> Vec<Finding> {
        let source = self.source();
        let documents = block_on(workflow::examine_documents(&source, None)).expect("examined");
        let verdict = workflow::verify(&source, &documents[0], &options(), &|_| {}).expect("verified");
        verdict.findings
    }

    /// What `verify` and `inspect` say.
    fn said(&self) -> (Vec<String>, Vec<String>) {
        let findings = self.findings();
        let findings = findings
            .iter()
            .map(|finding| format!("{}: {}", finding.cause, hidden(&finding.message)));
        let examined = block_on(workflow::examine(&self.source(), None)).expect("examined");
        let oddities = examined[0].facts.oddities.iter();
        let oddities = oddities.map(|oddity| hidden(&oddity.to_string()));
        (findings.collect(), oddities.collect())
    }
}

/// Digests are not what the snapshots are about.
fn hidden(text: &str) -> String {
    let words = text.split(' ');
    let words: Vec<&str> = words
        .map(|word| {
            if word.starts_with("sha256:") {
                "DIGEST"
            } else {
                word
            }
        })
        .collect();
    words.join(" ")
}

#[test]
fn images_that_somebody_else_converted_are_seen_through() {
    let cases: [(&str, Vec<Vec<Item>>); 6] = [
        (
            "an owner of more than 32 bits",
            vec![vec![Item::file("a", "x").owned_by(-2, 0), big()]],
        ),
        (
            "a hard link through a link",
            vec![vec![
                Item::directory("real/"),
                Item::symlink("sl", "real"),
                Item::file("real/x", "1"),
                Item::hard_link("h", "sl/x"),
            ]],
        ),
        (
            "nothing is wrong",
            vec![base(), vec![Item::directory("a/"), Item::file("a/b", "x")]],
        ),
        (
            "below a link",
            vec![vec![
                Item::directory("usr/lib/"),
                Item::symlink("lib", "usr/lib"),
                Item::file("lib/libx.so", "ELF"),
            ]],
        ),
        (
            "implied directories",
            vec![
                base(),
                vec![Item::file("tmp/x", "1"), Item::file("home/app/data", "2")],
            ],
        ),
        (
            "a hard link to another layer",
            vec![base(), vec![Item::hard_link("ostree", "etc/passwd"), big()]],
        ),
    ];
    let told: Vec<_> = cases
        .into_iter()
        .map(|(name, layers)| (name, Converted::of(&layers).said()))
        .collect();
    insta::assert_debug_snapshot!(told);
}

#[test]
fn what_is_advised_helps() {
    let below_a_link = || {
        vec![
            Item::directory("usr/lib/"),
            Item::symlink("lib", "usr/lib"),
            Item::file("lib/libx.so", "ELF"),
        ]
    };
    for (layers, is_left) in [
        (vec![base(), below_a_link()], true),
        (vec![below_a_link()], false),
    ] {
        let image = Converted::of(&layers);
        let findings = image.findings();
        let [finding] = &findings[..] else {
            panic!("{findings:?}")
        };
        assert_eq!(finding.cause, "looks-different");
        assert!(
            finding.help.contains("convert the image again"),
            "{}",
            finding.help
        );
        match workflow::convert(&image.source(), image.in_place(), None, &options(), &|_| {}) {
            Ok(_) => {
                assert!(is_left);
                assert_eq!(image.findings(), []);
            }
            Err(Error::NothingToIndex { .. }) => {
                assert!(!is_left);
                assert!(finding.help.contains("cargo soci remove"), "{}", finding.help);
                workflow::remove(&image.source(), image.in_place(), None, &options()).expect("removed");
                let causes: Vec<_> = image.findings().iter().map(|finding| finding.cause).collect();
                assert_eq!(causes, ["no-soci-index"]);
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn tables_without_room_leave_unknown_what_depends_on_other_layers() {
    let implies = || vec![Item::file("tmp/x", "1"), big()];
    let narrow = |allow_differences| Options {
        tables: Tables::with_room(100),
        allow_differences,
        ..options()
    };
    let told = [false, true].map(|allow| {
        let report = convert(&[base(), implies()], &narrow(allow)).expect("converts");
        outcomes(&report)
    });
    let image = Converted::of(&[base(), implies()]);
    let source = image.source();
    let documents = block_on(workflow::examine_documents(&source, None)).expect("examined");
    let verdict = workflow::verify(&source, &documents[0], &narrow(false), &|_| {}).expect("verified");
    assert_eq!(verdict.findings, []);
    let unknown: Vec<String> = verdict
        .unknown
        .iter()
        .map(|unknown| hidden(&unknown.message))
        .collect();
    insta::assert_debug_snapshot!((told, unknown));
    // What is kept of one image makes room for the next one.
    let tables = Tables::with_room(1 << 20);
    for _ in 0..3 {
        let enough = Options {
            tables: tables.clone(),
            ..options()
        };
        let verdict = workflow::verify(&source, &documents[0], &enough, &|_| {}).expect("verified");
        assert_eq!((verdict.findings.len(), verdict.unknown.len()), (1, 0));
    }
}
