//! Layers that are put on top: whatever the layers below, the file system stays as it was, or the reason is told.

#[path = "../../../tests/fuzz/bodies/rootfs/layers.rs"]
#[allow(unreachable_pub, missing_docs)]
mod layers;
mod support;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use layers::{Item, stack, tar};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRng, TestRunner};
use soci_image::document::Document;
use soci_image::{Descriptor, Digest, Json, TopLayer};
use soci_rootfs::{Found, Rootfs};
use soci_store::store::{AnySource, Blob, Source};
use soci_store::workflow::{Needed, Needs, Options, Repeat, RepeatedLayer, Start, put_on_top};
use soci_store::{Error, Location, block_on};
use soci_tests::images::MadeImage;
use soci_ztoc::ztoc::{BuildOptions, BuildOutcome, Compression, Need, SpanCost, Toc, Ztoc, ZtocBuilder};
use support::never;

/// A start that opens these paths.
#[derive(Debug)]
struct Opens(Vec<Vec<u8>>);

impl Needs for Opens {
    fn of(&self, layers: &[Option<&Toc>]) -> Needed {
        let rootfs = Rootfs::new(layers);
        let found = self.0.iter().filter_map(|path| rootfs.find(path).ok());
        let mut needed = Needed {
            layers: vec![Vec::new(); layers.len()],
            ..Needed::default()
        };
        for found in found {
            needed.files += 1;
            let row = found.entry.and_then(|entry| layers[found.layer]?.get(entry));
            if let Some(row) = row {
                let range = row.offset..row.offset + found.size;
                needed.layers[found.layer].push(Need::new(1, vec![range]));
            }
        }
        needed
    }

    fn files(&self) -> Vec<Vec<u8>> {
        self.0.clone()
    }
}

fn options(paths: &[&str]) -> Options {
    let paths = paths.iter().map(|path| path.as_bytes().to_vec()).collect();
    let cost = SpanCost {
        span: 1,
        request: 1,
        compressed_byte: 1,
        uncompressed_byte: 1,
    };
    Options {
        min_layer_size: 0,
        start: Some(Start::new(
            Digest::sha256(b"trace"),
            Arc::new(Opens(paths)),
            cost,
            true,
        )),
        ..Options::default()
    }
}

const BOTH: Repeat = Repeat {
    start: true,
    directories: true,
};

fn read_all(source: &AnySource, descriptor: &Descriptor) -> Vec<u8> {
    let mut blob = block_on(source.open(descriptor)).expect("opens");
    let mut bytes = vec![0; usize::try_from(descriptor.size).expect("small")];
    let mut filled = 0;
    while filled < bytes.len() {
        match block_on(blob.read(&mut bytes[filled..])).expect("reads") {
            0 => break,
            count => filled += count,
        }
    }
    assert!(descriptor.digest.matches(&bytes), "{}", descriptor.digest);
    bytes
}

fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::MultiGzDecoder::new(bytes), &mut plain).expect("gzip");
    plain
}

fn plain_ztoc(tar: &[u8]) -> Ztoc {
    let mut builder = ZtocBuilder::new(BuildOptions::new(Compression::Uncompressed, "tests")).expect("good");
    builder.push(tar).expect("a tar");
    match builder.finish().expect("a tar") {
        BuildOutcome::Indexed(built) => built.into_encoded().into_ztoc(),
        BuildOutcome::Skipped(skipped) => panic!("{}", skipped.reason),
    }
}

/// The one image of a source: its layers as tars, their descriptors, its config.
fn image(source: &AnySource) -> (Vec<Vec<u8>>, Vec<Descriptor>, Vec<u8>) {
    let root = block_on(source.roots()).expect("roots").remove(0).descriptor;
    let bytes = block_on(source.document(&root)).expect("a manifest");
    let Document::Manifest(manifest) = Document::parse(&bytes, &root.media_type).expect("good") else {
        panic!("the image is a manifest");
    };
    let tars = manifest
        .layers
        .iter()
        .map(|layer| gunzip(&read_all(source, layer)));
    let config = read_all(source, &manifest.config);
    assert_eq!(
        block_on(source.document(&manifest.config)).expect("the same"),
        config
    );
    (tars.collect(), manifest.layers.clone(), config)
}

/// Everything that a container sees, with the contents; a time only where there is one in `like`.
fn view(tars: &[Vec<u8>]) -> BTreeMap<Vec<u8>, (Found, Vec<u8>)> {
    let ztocs: Vec<Ztoc> = tars.iter().map(|tar| plain_ztoc(tar)).collect();
    let tocs: Vec<Option<&Toc>> = ztocs.iter().map(|ztoc| Some(ztoc.toc())).collect();
    let mut view = BTreeMap::new();
    Rootfs::new(&tocs).each(|mut found| {
        let mut contents = Vec::new();
        if let Some(entry) = found.entry
            && found.size > 0
        {
            let row = tocs[found.layer]
                .and_then(|toc| toc.get(entry))
                .expect("its entry");
            let start = usize::try_from(row.offset).expect("small");
            contents = tars[found.layer][start..start + found.size as usize].to_vec();
        }
        // Where it lies is no matter of a container's.
        (found.layer, found.entry) = (0, None);
        view.insert(found.path.clone(), (found, contents));
    });
    view
}

/// Compares by other code than the proof's. Directories that nothing lists have no time before.
fn assert_same(before: &[Vec<u8>], after: &[Vec<u8>]) {
    let (before, mut after) = (view(before), view(after));
    for (path, (found, _)) in &before {
        if let Some((later, _)) = after.get_mut(path)
            && found.modified.is_none()
        {
            later.modified = None;
        }
    }
    assert_eq!(before, after);
}

fn source_of(folder: &std::path::Path, tars: &[Vec<u8>]) -> AnySource {
    MadeImage::of_tars(tars).write_layout(folder, "app");
    let location: Location = format!("oci:{}", folder.display()).parse().expect("a location");
    AnySource::open(&location, &never()).expect("opens")
}

fn top(
    tars: &[Vec<u8>],
    options: &Options,
    repeat: Repeat,
) -> Result<(AnySource, RepeatedLayer, tempfile::TempDir), Error> {
    let folder = tempfile::tempdir().expect("a folder");
    let source = source_of(&folder.path().join("image"), tars);
    let (source, mut reports) = put_on_top(source, options, repeat, &|_| {})?;
    Ok((source, reports.remove(0), folder))
}

const PATHS: [&str; 14] = [
    "/a", "/b", "/c", "/d", "/lib", "/usr", "/a/b", "/b/a", "/usr/lib", "/lib/a", "/a/b/c", "/b/lib", "/d/d",
    "/c/a/b",
];

#[test]
fn random_images_look_the_same_with_a_layer_on_top() {
    let cases = std::env::var("ON_TOP_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    let config = Config {
        cases: cases.unwrap_or(400),
        failure_persistence: None,
        ..Config::default()
    };
    // The same images each time, so that the test says of a change what it changed.
    let rng = TestRng::from_seed(config.rng_algorithm, &[5; 32]);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let (topped, files, directories, refused) = (Cell::new(0), Cell::new(0), Cell::new(0), Cell::new(0));
    let add = |cell: &Cell<usize>, more: usize| cell.set(cell.get() + more);
    let outcome = runner.run(
        &(
            prop::collection::vec(any::<u8>(), 0..150),
            prop::collection::vec(0..3 * PATHS.len(), 0..10),
        ),
        |(bytes, paths)| {
            let tars: Vec<Vec<u8>> = stack(&bytes).iter().map(|layer| tar(layer)).collect();
            // Files that there are, by whatever name, and paths that lead through links or nowhere.
            let there: Vec<String> = view(&tars)
                .into_iter()
                .filter(|(_, (found, _))| found.size > 0)
                .map(|(path, _)| String::from_utf8_lossy(&path).into_owned())
                .collect();
            let named = paths.iter().map(|path| match path % 3 {
                0 => PATHS[path / 3],
                _ => there
                    .get((path / 3) % there.len().max(1))
                    .map_or("/none", |path| path.as_str()),
            });
            let paths: Vec<&str> = named.collect();
            match top(&tars, &options(&paths), BOTH) {
                // What cannot be unpacked has no file system; each refusal names its reason.
                Err(Error::OnTop { problem, .. }) => {
                    prop_assert!(
                        problem.contains("cannot be unpacked") || problem.contains("cannot be known"),
                        "{}",
                        problem
                    );
                    add(&refused, 1);
                }
                Err(other) => prop_assert!(false, "{}", other),
                Ok((source, report, _folder)) => {
                    let (after, layers, config) = image(&source);
                    assert_same(&tars, &after);
                    prop_assert_eq!(after.len() - tars.len(), usize::from(report.digest.is_some()));
                    if report.digest.is_some() {
                        add(&topped, 1);
                        add(&files, report.files);
                        add(&directories, report.directories);
                        let layer = layers.last().expect("the layer on top");
                        prop_assert!(TopLayer::of_descriptor(layer).is_some());
                        let ids = Json::parse(&config).expect("JSON");
                        let ids = ids
                            .get("rootfs")
                            .and_then(|rootfs| rootfs.get("diff_ids")?.as_array())
                            .expect("a list")
                            .to_vec();
                        let expected: Vec<Json> = after
                            .iter()
                            .map(|tar| Json::String(Digest::sha256(tar).to_string()))
                            .collect();
                        prop_assert_eq!(ids, expected);
                    }
                }
            }
            Ok(())
        },
    );
    if let Err(TestError::Fail(reason, input)) = outcome {
        panic!("{reason}\nof {:#?} {:?}", stack(&input.0), input.1);
    }
    let told = format!(
        "{} layers with {} files and {} lost directories, {} refused",
        topped.get(),
        files.get(),
        directories.get(),
        refused.get()
    );
    println!("{told}");
    assert!(
        topped.get() > 40 && files.get() > 40 && directories.get() > 10 && refused.get() > 5,
        "{told}"
    );
}

#[test]
fn entries_stand_in_the_order_of_their_first_use_behind_their_directories() {
    let long = format!("usr/{}", "long-".repeat(30));
    let low = tar(&[
        Item::directory("usr/").with_mode(0o750).owned_by(3_000_000, 7),
        Item::file("usr/b", "bb").with_xattr("user.note", b"1"),
        Item::file("usr/a", "a"),
        Item::file(&long, "long"),
        Item::file("usr/linked", "x"),
        Item::hard_link("usr/other", "usr/linked"),
        Item::file("usr/empty", ""),
        Item::symlink("bin", "usr"),
        Item::file("etc/passwd", "root"),
        Item::file("usr/deleted", "gone"),
    ]);
    let high = tar(&[Item::file("usr/a", "newer"), Item::file("usr/.wh.deleted", "")]);
    let long = format!("/{long}");
    let paths = [
        "/bin/b",
        "/usr/a",
        &long,
        "/usr/b",
        "/usr/linked",
        "/usr/empty",
        "/usr/deleted",
        "/none",
        "/etc/passwd",
    ];
    let (source, report, _folder) =
        top(&[low.clone(), high.clone()], &options(&paths), BOTH).expect("a layer");
    let (after, _, _) = image(&source);
    let ztoc = plain_ztoc(&after[2]);
    let names: Vec<_> = ztoc
        .toc()
        .iter()
        .map(|entry| String::from_utf8_lossy(entry.name).into_owned())
        .collect();
    assert_eq!(
        names,
        ["usr/", "usr/b", "usr/a", &long[1..], "etc/", "etc/passwd"]
    );
    let left: Vec<_> = report.left_below.iter().map(|file| &file.path[..]).collect();
    assert_eq!((report.files, left), (4, vec!["/usr/linked"]));
    // `/usr` is implied by the upper layer, which a lazy client shows as root's.
    assert_eq!(report.directories, 1);
    assert_same(&[low, high], &after);
}

#[test]
fn a_layer_of_an_earlier_run_is_replaced_or_taken_off() {
    let tars = [tar(&[Item::file("a", "1"), Item::file("b", "2")])];
    let start = Repeat {
        start: true,
        directories: false,
    };
    let folder = tempfile::tempdir().expect("a folder");
    let source = source_of(&folder.path().join("image"), &tars);
    let root = |source: &AnySource| {
        block_on(source.roots()).expect("roots")[0]
            .descriptor
            .digest
            .clone()
    };
    let plain = root(&source);
    let (source, reports) = put_on_top(source, &options(&["/a"]), start, &|_| {}).expect("a layer");
    assert!(!reports[0].replaced);
    let first = root(&source);
    let (source, reports) = put_on_top(source, &options(&["/a"]), start, &|_| {}).expect("a layer");
    assert!(reports[0].replaced);
    assert_eq!(root(&source), first, "the same again");
    let (source, _) = put_on_top(source, &options(&["/b"]), start, &|_| {}).expect("a layer");
    assert_ne!(root(&source), first);
    assert_eq!(image(&source).0.len(), 2);
    // A start of which nothing is in the image.
    let (source, reports) = put_on_top(source, &options(&["/none"]), start, &|_| {}).expect("no layer");
    assert!(reports[0].replaced && reports[0].digest.is_none());
    assert_eq!(root(&source), plain, "every byte is what it was");
    // Only what containerd reads itself is not worth a layer.
    let (source, reports) = put_on_top(source, &options(&[]), start, &|_| {}).expect("no layer");
    assert_eq!((root(&source), &reports[0].digest), (plain, &None));
}

#[test]
fn what_cannot_be_proved_is_refused_with_its_reason() {
    let unpackable = tar(&[Item::hard_link("a", "nowhere"), Item::file("b", "2")]);
    let odd = tar(&[Item::file("b", "2"), Item::new(b'7', "odd")]);
    for tars in [unpackable, odd] {
        let error = top(&[tars], &options(&["/b"]), BOTH)
            .expect_err("refused")
            .to_string();
        assert!(
            error.starts_with("cannot put a layer on top of the image sha256:"),
            "{error}"
        );
        assert!(
            error.contains("cannot be unpacked") || error.contains("cannot be known"),
            "{error}"
        );
    }
    let many: Vec<Vec<u8>> = (0..125)
        .map(|number| tar(&[Item::file(&format!("f{number}"), "x")]))
        .collect();
    let error = top(&many, &options(&["/f1"]), BOTH)
        .expect_err("refused")
        .to_string();
    assert!(
        error.contains("it has 125 layers, and overlayfs takes 125"),
        "{error}"
    );
}
