//! A panic on any thread of a conversion: the run ends, nothing is visible, nothing is left.

mod support;

use std::fs;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use soci_store::Location;
use soci_store::store::{AnyDestination, AnySource};
use soci_store::workflow::{self, Event, Options, Recompress};
use soci_tests::images::MadeImage;
use support::{Files, entry, never, tree};

fn location(path: &Path) -> Location {
    path.to_str().expect("UTF-8").parse().expect("a location")
}

fn open(path: &Path) -> AnySource {
    AnySource::open(&location(path), &never()).expect("opens")
}

/// An image of several layers, as a layout.
fn image(folder: &Path) -> PathBuf {
    let image = MadeImage::new(&[(1, 400_000), (2, 300_000), (3, 200_000), (4, 100_000)]);
    let mut blobs: Vec<&[u8]> = image.layers.iter().map(Vec::as_slice).collect();
    blobs.extend([&image.config[..], &image.manifest]);
    let path = folder.join("image");
    Files::layout(&blobs, &[entry(&image.manifest, "")]).write_folder(&path);
    path
}

fn options(jobs: usize) -> Options {
    Options {
        min_layer_size: 0,
        jobs: NonZeroUsize::new(jobs).expect("not 0"),
        ..Options::default()
    }
}

/// The moments at which the observer panics.
const FAULTS: [fn(&Event) -> bool; 3] = [
    |event| matches!(event, Event::LayerStarted { .. }),
    |event| matches!(event, Event::LayerAdvanced { .. }),
    |event| matches!(event, Event::LayerFinished { .. }),
];

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_panic_of_a_thread_ends_the_run_and_nothing_is_left() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let image = image(folder.path());
    let before = tree(folder.path());
    for jobs in [1, 4] {
        for fault in FAULTS {
            for target in ["new", "new.tar", "image"] {
                let target = folder.path().join(target);
                let outcome = catch_unwind(AssertUnwindSafe(|| {
                    let destination =
                        AnyDestination::create(&location(&target), &never()).expect("can be made");
                    workflow::convert(&open(&image), destination, None, &options(jobs), &|event| {
                        assert!(!fault(&event), "a fault made for the test");
                    })
                }));
                assert!(outcome.is_err(), "{jobs} jobs, {}", target.display());
                assert_eq!(names(folder.path()), ["image"]);
                assert_eq!(tree(folder.path()), before);
            }
        }
    }
}

#[test]
fn so_does_one_while_layers_are_rewritten() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let image = image(folder.path());
    let plain = Recompress {
        unsuitable: true,
        uncompressed: true,
        level: 1,
    };
    for jobs in [1, 4] {
        for fault in FAULTS {
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                workflow::recompress(open(&image), &options(jobs), plain, &|event| {
                    assert!(!fault(&event), "a fault made for the test");
                })
            }));
            // Layers of one gzip member are read to know it.
            assert!(outcome.is_err(), "{jobs} jobs");
        }
    }
}
