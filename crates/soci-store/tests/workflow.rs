//! Conversions as a whole: any number of threads, in place, interrupted, damaged; and what `verify` says about them.

mod support;

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use soci_image::SkipReason;
use soci_store::store::{AnyDestination, AnySource};
use soci_store::workflow::{self, Event, LayerOutcome, Options, Report};
use soci_store::{Error, Location};
use support::{never, tree};

fn location(path: &Path) -> Location {
    path.to_str().expect("UTF-8").parse().expect("a location")
}

fn open(path: &Path) -> AnySource {
    AnySource::open(&location(path), &never()).expect("opens")
}

fn options() -> Options {
    Options {
        min_layer_size: 0,
        span_size: 65536,
        ..Options::default()
    }
}

fn convert(from: &Path, to: &Path, options: &Options) -> soci_store::Result<Report> {
    let destination = AnyDestination::create(&location(to), &options.cancel)?;
    workflow::convert(&open(from), destination, None, options, &|_| {})
}

fn image(name: &str) -> PathBuf {
    soci_tests::image_vectors()
        .join("inputs")
        .join(format!("{name}.tar"))
}

fn unpacked(name: &str, folder: &Path) -> PathBuf {
    let path = folder.join(name);
    let file = fs::File::open(image(name)).expect("an input");
    tar::Archive::new(file).unpack(&path).expect("an input");
    path
}

#[test]
fn the_number_of_threads_never_matters() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let buildx = soci_tests::buildx_vectors().join("oci-multi-provmax-sbom/image.tar");
    for (name, input) in [
        ("mixed", image("mixed")),
        ("many", image("many")),
        ("buildx", buildx),
    ] {
        let mut archives = Vec::new();
        let mut layouts = Vec::new();
        for jobs in [1, 2, 3, 16] {
            let options = Options {
                jobs: NonZeroUsize::new(jobs).expect("not 0"),
                ..options()
            };
            let archive = folder.path().join(format!("{name}-{jobs}.tar"));
            let layout = folder.path().join(format!("{name}-{jobs}"));
            convert(&input, &archive, &options).expect("converts");
            convert(&input, &layout, &options).expect("converts");
            archives.push(fs::read(archive).expect("a file"));
            layouts.push(tree(&layout));
        }
        assert!(
            archives.iter().all(|archive| *archive == archives[0]),
            "{name}: archives differ"
        );
        assert!(
            layouts.iter().all(|layout| *layout == layouts[0]),
            "{name}: layouts differ"
        );
    }
}

#[test]
fn a_layer_stands_before_its_ztoc_and_documents_behind_both() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let output = folder.path().join("out.tar");
    let report = convert(&image("single"), &output, &options()).expect("converts");
    let mut archive = tar::Archive::new(fs::File::open(&output).expect("a file"));
    let names: Vec<String> = archive
        .entries()
        .expect("a tar")
        .map(|entry| {
            entry
                .expect("a tar")
                .path()
                .expect("a name")
                .display()
                .to_string()
        })
        .collect();
    let place = |digest: &soci_image::Digest| {
        names
            .iter()
            .position(|name| name.ends_with(digest.hex()))
            .expect("it is in the archive")
    };
    assert_eq!(names[0], "oci-layout");
    assert_eq!(names.last().map(String::as_str), Some("index.json"));
    let platform = &report.images[0].platforms[0];
    let mut last = 0;
    for layer in &platform.layers {
        let LayerOutcome::Indexed { ztoc, .. } = &layer.outcome else {
            panic!("every layer is indexed")
        };
        assert!(place(&layer.digest) > last);
        last = place(ztoc);
        assert_eq!(last, place(&layer.digest) + 1);
    }
    let soci = platform.soci_index.as_ref().expect("a SOCI index");
    for digest in [&platform.manifest, soci] {
        assert!(place(digest) > last);
        assert!(place(digest) < place(&report.images[0].digest));
    }
}

#[test]
fn converting_in_place_replaces_the_image_and_doing_it_again_changes_nothing() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let layout = unpacked("single-desc", folder.path());
    let archive = folder.path().join("image.tar");
    fs::copy(image("single-desc"), &archive).expect("temporary folder");
    for path in [&layout, &archive] {
        let first = convert(path, path, &options()).expect("converts");
        assert!(first.images[0].changed);
        assert_eq!(first.images[0].names, ["v1.2"]);
        let before = tree(folder.path());
        let second = convert(path, path, &options()).expect("converts");
        assert!(!second.images[0].changed);
        assert_eq!(second.images[0].digest, first.images[0].digest);
        assert_eq!(tree(folder.path()), before);
    }
}

#[test]
fn the_destination_can_give_the_image_another_name() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let to = folder.path().join("out");
    let destination = AnyDestination::create(&location(&to), &never()).expect("creates");
    let source = open(&image("single-desc"));
    workflow::convert(&source, destination, Some("v2"), &options(), &|_| {}).expect("converts");
    let index = fs::read_to_string(to.join("index.json")).expect("a file");
    assert!(
        index.ends_with(
            r#""annotations":{"org.example.note":"on the descriptor","org.opencontainers.image.ref.name":"v2"}}]}"#
        ),
        "{index}"
    );
}

#[test]
fn one_of_two_images_is_chosen_by_tag() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let to = folder.path().join("out");
    let wanted = |tag: &str| Options {
        tag: Some(tag.into()),
        ..options()
    };
    let report = convert(&image("two-images"), &to, &wanted("tag1")).expect("converts");
    assert_eq!(report.images.len(), 1);
    assert_eq!(report.images[0].names, ["tag1"]);
    // The other one comes to the same layout beside it.
    convert(&image("two-images"), &to, &wanted("tag0")).expect("converts");
    let both = soci_store::block_on(workflow::examine(&open(&to), None)).expect("reads");
    assert_eq!(both.len(), 2);
    let error = convert(&image("two-images"), &to, &wanted("tag2")).expect_err("a refusal");
    assert_eq!(
        error.to_string(),
        r#"no image is called "tag2"; there is tag0, tag1"#
    );
    let destination = AnyDestination::create(&location(&to), &never()).expect("creates");
    let error = workflow::convert(
        &open(&image("two-images")),
        destination,
        Some("x"),
        &options(),
        &|_| {},
    );
    assert!(matches!(error, Err(Error::SeveralImages { images: 2, .. })));
}

#[test]
fn an_interrupt_at_any_moment_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let there = unpacked("two", folder.path());
    fs::copy(image("two"), folder.path().join("there.tar")).expect("temporary folder");
    let before = tree(folder.path());
    let mut completed = 0;
    for name in ["new", "new.tar", "two", "there.tar"] {
        let to = folder.path().join(name);
        for moment in 0.. {
            let options = Options {
                jobs: NonZeroUsize::new(2).expect("not 0"),
                ..options()
            };
            let options = Options {
                cancel: Default::default(),
                ..options
            };
            let seen = std::sync::atomic::AtomicUsize::new(0);
            let destination = AnyDestination::create(&location(&to), &options.cancel).expect("creates");
            let outcome = workflow::convert(&open(&there), destination, None, &options, &|_: Event| {
                if seen.fetch_add(1, Ordering::Relaxed) == moment {
                    options.cancel.store(true, Ordering::Relaxed);
                }
            });
            match outcome {
                Err(Error::Interrupted) => assert_eq!(tree(folder.path()), before, "{name}, moment {moment}"),
                Ok(_) => {
                    completed += 1;
                    break;
                }
                Err(error) => panic!("{name}, moment {moment}: {error}"),
            }
        }
        // For the next round everything as it was.
        if to.is_dir() {
            fs::remove_dir_all(&to)
        } else {
            fs::remove_file(&to)
        }
        .expect("temporary folder");
        match name {
            "two" => drop(unpacked("two", folder.path())),
            "there.tar" => drop(fs::copy(image("two"), &to).expect("temporary folder")),
            _ => {}
        }
    }
    assert_eq!(completed, 4);
}

#[test]
fn damaged_images_are_refused_with_the_cause_and_nothing_is_written() {
    let folder = tempfile::tempdir().expect("temporary folder");
    for (name, expected) in [
        ("corrupt", "layer sha256:"),
        ("wrong-digest", "its bytes were changed or damaged"),
        ("short-size", "its descriptor says"),
        ("wrong-size", "its descriptor says"),
        ("truncated-layer", "ends"),
        ("missing-blob", "is missing"),
        ("missing-index", "is missing"),
        ("truncated-manifest", "is cut off"),
        ("wrong-manifest-digest", "its descriptor says"),
    ] {
        for output in ["out", "out.tar"] {
            let error = convert(&image(name), &folder.path().join(output), &options())
                .expect_err(name)
                .to_string();
            assert!(
                error.contains(expected) || name == "truncated-manifest",
                "{name}: {error}"
            );
        }
    }
    assert_eq!(tree(folder.path()), []);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_that_names_the_place() {
    let error = convert(&image("single"), Path::new("/dev/full"), &options())
        .expect_err("a refusal")
        .to_string();
    assert!(
        error.starts_with("cannot write /dev/full: No space left on device"),
        "{error}"
    );
}

#[test]
fn strict_makes_a_skip_an_error_unless_the_layer_is_only_small() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let strict = Options {
        strict: true,
        ..options()
    };
    let error = convert(&image("mixed"), &folder.path().join("a"), &strict).expect_err("a refusal");
    assert!(matches!(
        error,
        Error::Strict {
            reason: SkipReason::Zstd,
            ..
        }
    ));
    let error = convert(&image("unindexable"), &folder.path().join("b"), &strict).expect_err("a refusal");
    assert!(matches!(
        error,
        Error::Strict {
            reason: SkipReason::UnsupportedTar { .. },
            ..
        }
    ));
    let small = Options {
        min_layer_size: 36013,
        ..strict
    };
    convert(&image("min-size"), &folder.path().join("c"), &small).expect("converts");
}

#[test]
fn nothing_to_index_says_why() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let large = Options {
        min_layer_size: 10 << 20,
        ..options()
    };
    let error = convert(&image("single"), &folder.path().join("a"), &large)
        .expect_err("a refusal")
        .to_string();
    assert_eq!(
        error,
        "no layer can be indexed: 2 layers below the minimum of 10485760 bytes (the largest has 66607)"
    );
    let error = convert(&image("zstd-only"), &folder.path().join("a"), &options())
        .expect_err("a refusal")
        .to_string();
    assert!(error.starts_with("no layer can be indexed: "), "{error}");
    assert!(
        error.ends_with("compressed with zstd, which SOCI cannot index"),
        "{error}"
    );
    assert_eq!(tree(folder.path()), []);
}
