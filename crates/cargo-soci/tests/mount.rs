//! Images mounted lazily: every file beside what umoci unpacks, many readers, damage, signals. Needs root and FUSE, as
//! mounting does; a machine without them fails these tests.
#![cfg(all(target_os = "linux", feature = "real-tools"))]

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use soci_tests::images::MadeImage;
use soci_tests::registry::digest_of;
use soci_tests::servers::Server;
use support::Place;
use support::machine::{Running, convert, is_mounted, large, layers};

/// A place with the image as it is built, in `plain`, and converted, in `soci`; and an empty folder `mnt`.
fn place() -> (Place, PathBuf) {
    let place = Place::new();
    MadeImage::of_tars(&layers()).write_layout(&place.join("plain"), "app");
    convert(&place, "oci:plain:app", "oci:soci:app");
    let folder = place.join("mnt");
    fs::create_dir(&folder).expect("a new folder");
    let folder = folder.canonicalize().expect("a folder");
    (place, folder)
}

/// Every path below a folder and everything about it, in words; names of one file know each other.
fn walk(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut seen = BTreeMap::new();
    let mut names: BTreeMap<u64, PathBuf> = BTreeMap::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(path) = open.pop() {
        let metadata = path.symlink_metadata().expect("it is listed");
        let inside = path.strip_prefix(root).expect("below the root").to_path_buf();
        let kind = metadata.file_type();
        let mut text = format!(
            "{:?} {:o} {}:{} at {}.{}",
            kind,
            metadata.mode() & 0o7777,
            metadata.uid(),
            metadata.gid(),
            metadata.mtime(),
            metadata.mtime_nsec()
        );
        if kind.is_dir() {
            let mut children: Vec<_> = fs::read_dir(&path)
                .expect("a folder")
                .map(|entry| entry.expect("an entry").path())
                .collect();
            children.sort();
            open.extend(children.into_iter().rev());
        } else {
            write!(text, " size {} names {}", metadata.size(), metadata.nlink()).expect("a string");
            let first = names.entry(metadata.ino()).or_insert_with(|| inside.clone());
            write!(text, " is {}", first.display()).expect("a string");
        }
        if kind.is_symlink() {
            write!(text, " -> {}", fs::read_link(&path).expect("a link").display()).expect("a string");
        }
        if kind.is_char_device() || kind.is_block_device() {
            write!(text, " device {:x}", metadata.rdev()).expect("a string");
        }
        if kind.is_file() {
            text.push(' ');
            text.push_str(&digest_of(&fs::read(&path).expect("readable")));
        }
        for (key, value) in xattrs(&path) {
            write!(text, " {key}={value:?}").expect("a string");
        }
        seen.insert(inside, text);
    }
    seen
}

fn xattrs(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut names = vec![0; 4096];
    let length = rustix::fs::llistxattr(path, &mut names[..]).expect("names");
    let names = names[..length]
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty());
    let value = |name: &[u8]| {
        let mut value = vec![0; 4096];
        let length = rustix::fs::lgetxattr(path, name, &mut value[..]).expect("a value");
        value.truncate(length);
        (String::from_utf8_lossy(name).into_owned(), value)
    };
    names.map(value).collect()
}

#[test]
fn every_file_of_the_mount_is_the_unpacked_file() {
    let (place, folder) = place();
    place.tool(&["umoci", "unpack", "--image", "plain:app", "bundle"]);
    let unpacked = walk(&place.join("bundle/rootfs"));
    assert!(unpacked.len() > 75, "{} paths", unpacked.len());

    let registry = Server::docker_registry(None, None);
    let remote = format!("{}/team/app:soci", registry.host());
    place
        .run(&["convert", "oci:plain:app", &remote, "--min-layer-size", "0", "-q"])
        .ended(0);
    place
        .run(&[
            "convert",
            "oci:plain:app",
            "soci.tar",
            "--min-layer-size",
            "0",
            "-q",
        ])
        .ended(0);
    // In the last one a layer has no zTOC and comes whole.
    let middle = "3000";
    place
        .run(&[
            "convert",
            "oci:plain:app",
            "mixed.tar",
            "--min-layer-size",
            middle,
            "-q",
        ])
        .ended(0);
    for image in ["oci:soci:app", "soci.tar", &remote, "mixed.tar"] {
        let running = Running::mount(&place, image, &folder, &["--format", "json"]);
        let mounted = walk(&folder);
        let run = running.interrupt().ended(0);
        for (path, text) in &unpacked {
            // The root's time is that of unpacking.
            if *path != Path::new("") {
                assert_eq!(mounted.get(path), Some(text), "{} in {image}", path.display());
            }
        }
        assert_eq!(mounted.len(), unpacked.len(), "{image}");
        let report = run.json();
        assert_eq!(
            report["layers"][1]["spans"].is_null(),
            image == "mixed.tar",
            "{report:#}"
        );
        assert_eq!(report["faults"], serde_json::json!([]));
        assert_eq!(
            report["fetched"]["spans"], report["fetched"]["of_spans"],
            "all was read"
        );
        assert!(!is_mounted(&folder));
    }
}

#[test]
fn many_readers_at_once_fetch_each_span_once() {
    let (place, folder) = place();
    let running = Running::mount(&place, "oci:soci:app", &folder, &["--format", "json"]);
    let large = large();
    std::thread::scope(|scope| {
        for reader in 0..16_usize {
            let (large, folder) = (&large, &folder);
            scope.spawn(move || {
                let file = File::open(folder.join("data/large")).expect("a file");
                for step in 0..40_usize {
                    let begin = (reader * 7919 + step * 104_729) % large.len();
                    let end = (begin + 1 + step * 977).min(large.len());
                    let mut buffer = vec![0; end - begin];
                    file.read_exact_at(&mut buffer, begin as u64).expect("readable");
                    assert!(buffer == large[begin..end], "{begin}..{end}");
                }
                for number in (0..60).rev() {
                    let bytes = fs::read(folder.join(format!("data/small-{number:02}"))).expect("a file");
                    assert_eq!(bytes.len(), 37 * number);
                }
            });
        }
    });
    // Memory of a process that is the file: what the kernel asks for then are pages.
    let mapped = "import mmap,sys,hashlib\nf=open(sys.argv[1],'rb')\n\
                  print(hashlib.sha256(mmap.mmap(f.fileno(),0,access=mmap.ACCESS_READ)).hexdigest())";
    let path = folder.join("data/large").display().to_string();
    let told = place.tool(&["python3", "-c", mapped, &path]);
    let told = format!("sha256:{}", String::from_utf8_lossy(&told).trim());
    assert_eq!(told, digest_of(&large));
    let report = running.interrupt().ended(0).json();
    assert!(
        report["fetched"]["spans"].as_u64() <= report["fetched"]["of_spans"].as_u64(),
        "{report:#}"
    );
    let file = report["files"].as_array().expect("files").iter();
    let file = file
        .clone()
        .find(|file| file["path"] == "/data/large")
        .expect("it was opened");
    assert_eq!(file["read_bytes"], file["size"]);
}

#[test]
fn a_damaged_span_is_an_io_error_and_is_told() {
    let (place, folder) = place();
    let largest = fs::read_dir(place.join("soci/blobs/sha256")).expect("a layout");
    let largest = largest
        .flatten()
        .max_by_key(|entry| entry.metadata().expect("a file").len());
    let blob = largest.expect("blobs").path();
    let mut bytes = fs::read(&blob).expect("a layer");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    fs::write(&blob, bytes).expect("writable");

    let running = Running::mount(&place, "oci:soci:app", &folder, &[]);
    let error = fs::read(folder.join("data/large")).expect_err("it is damaged");
    assert_eq!(error.raw_os_error(), Some(5), "{error}");
    assert_eq!(
        fs::read(folder.join("data/replaced")).expect("another layer"),
        b"new and longer"
    );
    let mut begin = vec![0; 4096];
    let file = File::open(folder.join("data/large")).expect("it is listed");
    file.read_exact_at(&mut begin, 0)
        .expect("the span before is right");
    assert!(begin == large()[..4096]);
    let run = running.interrupt().ended(3);
    assert!(
        run.stderr.contains("error: 1 thing could not be read:\n"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr
            .contains("its bytes do not have the digest of the zTOC"),
        "{}",
        run.stderr
    );
    assert!(
        run.stdout.contains("spans    "),
        "the report all the same: {}",
        run.stdout
    );
    assert!(!is_mounted(&folder));
}

#[test]
fn ended_at_any_moment_nothing_stays_mounted() {
    let (place, folder) = place();
    let folder_word = folder.display().to_string();
    for moment in 0..12_u64 {
        let link = ["--link", "50Mbit/5ms"];
        let words = [&["mount", "oci:soci:app", &folder_word][..], &link].concat();
        let running = Running::start(place.command(&words));
        let reader = std::thread::spawn({
            let path = folder.join("data/large");
            move || fs::read(path).is_ok()
        });
        std::thread::sleep(Duration::from_millis(moment * moment * 7));
        running.signal(if moment % 2 == 0 {
            Signal::TERM
        } else {
            Signal::INT
        });
        let run = running.output();
        assert!(
            [0, 3, 130].contains(&run.code) || run.code == -1 && moment < 5,
            "{run:?}"
        );
        assert!(!is_mounted(&folder), "after {run:?}");
        reader.join().expect("no panic");
    }
    // Nobody can clean up after a kill: the next run does.
    let running = Running::mount(&place, "oci:soci:app", &folder, &[]);
    running.signal(Signal::KILL);
    running.output();
    assert!(is_mounted(&folder), "it is dead and there");
    let running = Running::start(place.command(&["mount", "oci:soci:app", &folder_word]));
    let started = Instant::now();
    while fs::read(folder.join("data/replaced")).is_err() {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "it was never mounted"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    let run = running.interrupt().ended(0);
    assert!(run.stderr.contains("was taken away"), "{}", run.stderr);
    assert!(!is_mounted(&folder));
}

#[test]
fn somebody_else_can_unmount_it_also_while_it_is_used() {
    let (place, folder) = place();
    let path = folder.display().to_string();
    let running = Running::mount(&place, "oci:soci:app", &folder, &[]);
    place.tool(&["umount", &path]);
    running.output().ended(0);
    let running = Running::mount(&place, "oci:soci:app", &folder, &[]);
    let file = File::open(folder.join("data/large")).expect("a file");
    running.interrupt().ended(0);
    assert!(!is_mounted(&folder));
    drop(file);
}

#[test]
fn what_cannot_be_done_is_said() {
    let (place, folder) = place();
    place.write("full/file", "");
    let folder_word = folder.display().to_string();
    for (words, code, said) in [
        (
            ["mount", "oci:soci:app", "missing"],
            3,
            "missing: there is no such f",
        ),
        (["mount", "oci:soci:app", "full"], 2, "full is not empty"),
        (["mount", "oci:plain:app", &folder_word], 3, "no SOCI index"),
        (["mount", "oci:none:app", &folder_word], 3, "none"),
    ] {
        let run = place.run(&words).ended(code);
        assert!(run.stderr.contains(said), "{words:?}: {}", run.stderr);
        assert_eq!(run.stdout, "");
        assert!(!is_mounted(&folder));
    }
    let mut command = place.command(&["mount", "oci:soci:app", &folder_word]);
    command.uid(65534).gid(65534);
    let run = support::Run::of(command.output().expect("it runs as nobody")).ended(3);
    assert!(
        run.stderr.contains("/dev/fuse cannot be opened"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("help: run this as root"), "{}", run.stderr);
}
