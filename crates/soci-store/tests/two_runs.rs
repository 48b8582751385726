//! Two runs in one place at the same time, and what one that failed or was killed leaves to the next.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use soci_image::{Descriptor, Digest};
use soci_store::store::{AnyDestination, AnySource, Destination, Source};
use soci_store::workflow::{self, Options};
use soci_store::workspace::Workspace;
use soci_store::{Error, Location, block_on};
use soci_tests::images::MadeImage;
use support::{Files, blob_name, entry, never, tree};

const NOTHING: [PathBuf; 0] = [];

/// A folder in memory where there is one: hundreds of runs wait for no disk.
fn temporary_folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    folder.expect("a temporary folder")
}

fn location(path: &Path) -> Location {
    path.to_str().expect("UTF-8").parse().expect("a location")
}

fn open(path: &Path) -> AnySource {
    AnySource::open(&location(path), &never()).expect("opens")
}

fn create(path: &Path) -> AnyDestination {
    AnyDestination::create(&location(path), &never()).expect("can be written to")
}

fn options() -> Options {
    Options {
        min_layer_size: 0,
        jobs: NonZeroUsize::MIN,
        ..Options::default()
    }
}

/// The files of a layout with this image under this name.
fn files(image: &MadeImage, name: &str) -> Files {
    let mut blobs: Vec<&[u8]> = image.layers.iter().map(Vec::as_slice).collect();
    blobs.extend([&image.config[..], &image.manifest]);
    let name = format!(r#""org.opencontainers.image.ref.name":"{name}""#);
    Files::layout(&blobs, &[entry(&image.manifest, &name)])
}

/// An image of a layer that all share and one of its own.
fn image(number: u64) -> MadeImage {
    MadeImage::new(&[(7, 3000), (1000 + number, 500)])
}

fn convert(from: &Path, to: &Path) -> soci_store::Result<()> {
    workflow::convert(&open(from), create(to), None, &options(), &|_| {}).map(drop)
}

/// What both do, begun at the same moment.
fn at_once<A: Send, B: Send>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B + Send) -> (A, B) {
    let barrier = Barrier::new(2);
    thread::scope(|scope| {
        let one = scope.spawn(|| {
            barrier.wait();
            one()
        });
        barrier.wait();
        let other = other();
        (one.join().expect("it does not panic"), other)
    })
}

/// The names that a place lists, after a look at everything that they lead to.
fn sound_names(place: &Path) -> BTreeSet<String> {
    let source = open(place);
    let mut names = BTreeSet::new();
    for root in block_on(source.roots()).expect("a list") {
        names.extend(root.names.iter().filter_map(|name| name.tag.clone()));
        check(&source, &root.descriptor);
    }
    names
}

/// Everything below a document is there, byte for byte.
fn check(source: &AnySource, descriptor: &Descriptor) {
    let bytes = block_on(source.document(descriptor)).expect("it is there and right");
    let json = soci_image::Json::parse(&bytes).expect("JSON");
    let list = |key: &str| -> Vec<Descriptor> {
        let items = json
            .get(key)
            .and_then(soci_image::Json::as_array)
            .unwrap_or_default();
        items
            .iter()
            .map(|item| {
                let text = |key| item.get(key).and_then(soci_image::Json::as_str).expect("a text");
                let size = item.get("size").expect("a size").to_vec();
                let size = String::from_utf8(size)
                    .expect("digits")
                    .parse()
                    .expect("a number");
                Descriptor::new(
                    text("mediaType"),
                    Digest::parse(text("digest")).expect("a digest"),
                    size,
                )
            })
            .collect()
    };
    for child in list("manifests") {
        check(source, &child);
    }
    for blob in list("layers") {
        let mut bytes = vec![0; usize::try_from(blob.size).expect("small")];
        block_on(source.read_at(&blob, 0, &mut bytes)).expect("it is there");
        assert!(blob.digest.matches(&bytes), "{} is damaged", blob.digest);
    }
}

fn leftovers(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        if entry.file_name().to_string_lossy().starts_with(".cargo-soci-") {
            found.push(entry.path());
        } else if entry.path().is_dir() {
            found.extend(leftovers(&entry.path()));
        }
    }
    found
}

#[test]
fn two_hundred_pairs_into_one_layout_lose_nothing() {
    let folder = temporary_folder();
    let layout = folder.path().join("layout");
    let mut expected = BTreeSet::new();
    for pair in 0..200 {
        let sources = [2 * pair, 2 * pair + 1].map(|number| {
            let source = folder.path().join(format!("source-{number}"));
            let mut files = files(&image(number), &format!("v{number}"));
            // Every tenth run fails, with a layer that its twin takes as well written already.
            if number % 10 == 3 {
                let own = &mut files.0[2].1;
                let last = own.len() - 9;
                own[last] ^= 1;
            }
            files.write_folder(&source);
            source
        });
        let (one, other) = at_once(|| convert(&sources[0], &layout), || convert(&sources[1], &layout));
        for (number, outcome) in [(2 * pair, one), (2 * pair + 1, other)] {
            match outcome {
                Ok(()) => {
                    assert_ne!(number % 10, 3, "a damaged layer was taken");
                    expected.insert(format!("v{number}"));
                }
                Err(error) => assert_eq!(number % 10, 3, "{error}"),
            }
        }
        for source in sources {
            fs::remove_dir_all(source).expect("temporary folder");
        }
    }
    assert_eq!(expected.len(), 360);
    assert_eq!(sound_names(&layout), expected);
    assert_eq!(leftovers(folder.path()), NOTHING);
}

#[test]
fn two_runs_that_make_the_same_new_folder_both_find_their_image_in_it() {
    let folder = temporary_folder();
    for number in [0, 1] {
        files(&image(number), &format!("v{number}")).write_folder(&folder.path().join(format!("{number}")));
    }
    for round in 0..30 {
        let layout = folder.path().join(format!("new-{round}"));
        if round % 2 == 0 {
            fs::create_dir(&layout).expect("temporary folder");
        }
        let run = |number: u64| {
            let from = folder.path().join(format!("{number}"));
            convert(&from, &layout)
        };
        let (one, other) = at_once(|| run(0), || run(1));
        one.expect("converts");
        other.expect("converts");
        let names: Vec<_> = sound_names(&layout).into_iter().collect();
        assert_eq!(names, ["v0", "v1"], "round {round}");
    }
    assert_eq!(leftovers(folder.path()), NOTHING);
}

/// In place, a name that no longer leads to what was read is left alone, and the run says so.
#[test]
fn of_conversion_and_removal_in_place_the_later_one_knows() {
    let folder = temporary_folder();
    let mut refused = 0;
    for round in 0..40 {
        for name in ["layout", "image.tar"] {
            let place = folder.path().join(format!("{round}-{name}"));
            let files = files(&image(round), "v1");
            if name == "layout" {
                files.write_folder(&place);
            } else {
                fs::write(&place, files.archive()).expect("temporary folder");
            }
            let made = create(&place);
            let conversion = || workflow::convert(&open(&place), made, None, &options(), &|_| {}).map(drop);
            let removal = || {
                let source = open(&place);
                workflow::remove(&source, create(&place), None, &options()).map(drop)
            };
            let (converted, removed) = at_once(conversion, removal);
            for outcome in [&converted, &removed] {
                if let Err(error) = outcome {
                    refused += 1;
                    assert!(error.to_string().contains("by somebody else"), "{error}");
                }
            }
            assert!(converted.is_ok() || removed.is_ok());
            assert_eq!(sound_names(&place), BTreeSet::from(["v1".to_owned()]));
            assert_eq!(leftovers(folder.path()), NOTHING);
        }
    }
    // Without any the test would show nothing.
    let place = folder.path().join("sure");
    files(&image(99), "v1").write_folder(&place);
    let (source, slow) = (open(&place), create(&place));
    workflow::copy(&open(&place), create(&place), Some("other"), &options()).expect("another name");
    convert(&place, &place).expect("converts");
    let error = workflow::remove(&source, slow, None, &options()).expect_err("the name has moved");
    assert!(
        error.to_string().contains("v1 was changed by somebody else"),
        "{error}"
    );
    assert_eq!(
        sound_names(&place),
        BTreeSet::from(["v1".to_owned(), "other".to_owned()])
    );
    println!("{refused} of 80 pairs met");
}

#[test]
fn an_archive_that_was_replaced_meanwhile_is_left_alone() {
    let folder = temporary_folder();
    let path = folder.path().join("image.tar");
    fs::write(&path, files(&image(1), "v1").archive()).expect("temporary folder");
    let (source, slow) = (open(&path), create(&path));
    convert(&path, &path).expect("converts");
    let converted = fs::read(&path).expect("a file");
    let error = workflow::remove(&source, slow, None, &options()).expect_err("it is another file");
    assert!(error.to_string().contains("replaced by somebody else"), "{error}");
    assert_eq!(fs::read(&path).expect("a file"), converted);
    // With the same source at another place nothing stands in the way.
    workflow::remove(
        &source,
        create(&folder.path().join("other.tar")),
        None,
        &options(),
    )
    .expect("removes");
}

#[test]
fn a_run_that_fails_takes_nothing_from_one_that_found_its_blobs() {
    let folder = temporary_folder();
    let (from, layout) = (folder.path().join("from"), folder.path().join("layout"));
    files(&image(1), "v1").write_folder(&from);
    convert(&from, &layout).expect("converts");
    let before = tree(&layout);
    let slow = create(&layout);
    let blob = b"shared".as_slice();
    let descriptor = Descriptor::of("x", blob);
    block_on(slow.put_blob(&descriptor, blob)).expect("puts");
    assert!(block_on(slow.contains(&descriptor)).expect("looks"));
    let other = create(&layout);
    block_on(other.put_blob(&descriptor, blob)).expect("puts");
    block_on(other.publish(&[])).expect("publishes");
    block_on(slow.abort());
    assert_eq!(
        fs::read(layout.join(blob_name(&descriptor.digest))).expect("it stayed"),
        blob
    );
    fs::remove_file(layout.join(blob_name(&descriptor.digest))).expect("a file");
    assert_eq!(tree(&layout), before);
}

#[test]
fn a_layout_can_be_read_while_it_is_written() {
    let folder = temporary_folder();
    let layout = folder.path().join("layout");
    files(&image(0), "v0").write_folder(&layout);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 1..30 {
                let from = folder.path().join(format!("{number}"));
                files(&image(number), &format!("v{number}")).write_folder(&from);
                convert(&from, &layout).expect("converts");
            }
            done.store(true, Ordering::Relaxed);
        });
        let mut seen = 0;
        while !done.load(Ordering::Relaxed) {
            let count = sound_names(&layout).len();
            assert!(count >= seen);
            seen = count;
        }
    });
    assert_eq!(sound_names(&layout).len(), 30);
}

#[test]
fn what_a_killed_run_left_goes_with_the_next_one() {
    let folder = temporary_folder();
    let from = folder.path().join("from");
    files(&image(1), "v1").write_folder(&from);
    let layout = folder.path().join("layout");
    convert(&from, &layout).expect("converts");
    for place in [folder.path(), &layout] {
        fs::create_dir_all(place.join(".cargo-soci-killed/blobs/sha256")).expect("temporary folder");
        fs::write(place.join(".cargo-soci-killed/blobs/sha256/x"), "half").expect("temporary folder");
        fs::write(place.join(".cargo-soci-killed.lock"), "").expect("temporary folder");
    }
    let living = Workspace::new_in(&layout).expect("writable");
    fs::write(living.path().join("mine"), "").expect("it is there");
    convert(&from, &layout).expect("converts");
    convert(&from, &folder.path().join("other.tar")).expect("converts");
    assert!(living.path().join("mine").exists());
    drop(living);
    assert_eq!(leftovers(folder.path()), NOTHING);
}

/// A name and a size are no proof.
#[test]
fn a_blob_with_other_bytes_of_the_same_length_is_written_again() {
    let folder = temporary_folder();
    let (from, layout) = (folder.path().join("from"), folder.path().join("layout"));
    let image = image(1);
    files(&image, "v1").write_folder(&from);
    convert(&from, &layout).expect("converts");
    let blobs = layout.join("blobs/sha256");
    let right = tree(&layout);
    for entry in fs::read_dir(&blobs).expect("a folder").flatten() {
        let mut bytes = fs::read(entry.path()).expect("a file");
        bytes[0] ^= 1;
        // Not through the hard link, which would change the source as well.
        fs::remove_file(entry.path()).expect("a file");
        fs::write(entry.path(), bytes).expect("a file");
    }
    convert(&from, &layout).expect("converts");
    assert_eq!(tree(&layout), right);
}

#[test]
fn in_place_a_damaged_layer_that_nobody_reads_is_found() {
    let folder = temporary_folder();
    let layout = folder.path().join("layout");
    let image = MadeImage::new(&[(1, 40_000), (2, 300)]);
    let mut files = files(&image, "v1");
    let small = &mut files.0[2];
    assert!(small.1.len() < 2000 && small.0 == blob_name(&Digest::sha256(&image.layers[1])));
    let last = small.1.len() - 9;
    small.1[last] ^= 1;
    files.write_folder(&layout);
    let before = tree(&layout);
    let options = Options {
        min_layer_size: 2000,
        ..options()
    };
    let outcome = workflow::convert(&open(&layout), create(&layout), None, &options, &|_| {});
    assert!(
        matches!(outcome, Err(Error::DigestMismatch { .. })),
        "{outcome:?}"
    );
    assert_eq!(tree(&layout), before);
}

#[cfg(unix)]
#[test]
fn what_is_replaced_leaves_its_mode() {
    use std::os::unix::fs::PermissionsExt;

    let folder = temporary_folder();
    let from = folder.path().join("from");
    files(&image(1), "v1").write_folder(&from);
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o7777;
    let set = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("ours");
    };
    let archive = folder.path().join("image.tar");
    convert(&from, &archive).expect("converts");
    let by_umask = mode(&archive);
    set(&archive, 0o600);
    convert(&from, &archive).expect("converts");
    assert_eq!(mode(&archive), 0o600);

    let layout = folder.path().join("layout");
    fs::create_dir(&layout).expect("temporary folder");
    set(&layout, 0o2710);
    convert(&from, &layout).expect("converts");
    assert_eq!(mode(&layout), 0o2710);
    let list = layout.join("index.json");
    assert_eq!(mode(&list), by_umask);
    set(&list, 0o640);
    convert(&from, &layout).expect("converts");
    assert_eq!(mode(&list), 0o640);
}
