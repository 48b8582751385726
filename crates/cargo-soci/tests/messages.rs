//! What stops a run and how it is said: what, where, what to do, once.
#![cfg(unix)]

mod support;

use soci_tests::images::MadeImage;
use soci_tests::registry::{Behaviour, Effect, Fault, TestRegistry};
use support::Place;

/// The words of some runs, with what differs from run to run taken out.
fn said(place: &Place, lines: &[&[&str]]) -> String {
    let mut text = String::new();
    for words in lines {
        let run = place.run(words);
        text.push_str(&format!(
            "$ cargo soci {}\n{}--- exit {}\n\n",
            words.join(" "),
            run.stderr,
            run.code
        ));
    }
    text.replace(&place.path().display().to_string(), "PLACE")
}

fn place() -> Place {
    let place = Place::new();
    MadeImage::new(&[(1, 200_000)]).write_layout(&place.join("image"), "app");
    place.write("file", "no image");
    place
}

#[test]
fn files_and_disks() {
    let place = place();
    insta::assert_snapshot!(said(
        &place,
        &[
            &["inspect", "./nowhere"],
            &[
                "convert",
                "./image",
                "./no/such/folder/image.tar",
                "--min-layer-size=0"
            ],
            &[
                "convert",
                "./image",
                "oci-archive:/dev/full",
                "--min-layer-size=0",
                "--progress=none"
            ],
            &["convert", "./image", "./file/image.tar", "--min-layer-size=0"],
            &["ztoc", "info", "./nowhere"],
        ]
    ));
    assert_eq!(place.leftovers(), [""; 0]);
}

#[test]
fn a_folder_for_temporary_files_that_is_not_there_is_named() {
    let place = place();
    let input = std::fs::File::open(place.join("file")).expect("it is there");
    let output = place
        .command(&["convert", "-", "out.tar"])
        .env("TMPDIR", place.join("gone"))
        .stdin(input)
        .output()
        .expect("runs");
    let run = support::Run::of(output).ended(3);
    let folder = place.join("gone");
    let wanted = format!("cannot write into {}: there is no such folder", folder.display());
    assert!(run.stderr.contains(&wanted), "{}", run.stderr);
}

/// A real disk that is full, which needs the right to mount one.
#[cfg(feature = "real-tools")]
#[test]
fn a_full_disk_for_temporary_files_is_named() {
    let place = Place::new();
    MadeImage::new(&[(1, 3 << 20)]).write_layout(&place.join("image"), "app");
    place
        .run(&["convert", "./image", "image.tar", "--min-layer-size=0"])
        .ended(0);
    place.write("disk/none", "");
    let script = "mount -t tmpfs -o size=1m none disk && TMPDIR=$PWD/disk \"$0\" convert - out.tar --min-layer-size=0 < image.tar";
    let program = env!("CARGO_BIN_EXE_cargo-soci");
    let output = place
        .program(
            std::path::Path::new("unshare"),
            &["--mount", "sh", "-c", script, program],
        )
        .output()
        .expect("unshare is a part of every Debian");
    let run = support::Run::of(output).ended(3);
    insta::assert_snapshot!(run.stderr.replace(&place.path().display().to_string(), "PLACE"));
    assert!(!place.join("out.tar").exists());
}

/// What another user may not read or write. (The superuser may all, so that test becomes somebody else.)
#[cfg(feature = "real-tools")]
#[test]
fn missing_permissions_are_said() {
    use std::os::unix::fs::PermissionsExt;
    let place = place();
    place
        .run(&["convert", "./image", "secret.tar", "--min-layer-size=0"])
        .ended(0);
    place.write("closed/none", "");
    for (name, mode) in [("secret.tar", 0o600), ("closed", 0o755), (".", 0o755)] {
        std::fs::set_permissions(place.join(name), std::fs::Permissions::from_mode(mode)).expect("ours");
    }
    let program = place.join("cargo-soci");
    std::fs::copy(env!("CARGO_BIN_EXE_cargo-soci"), &program).expect("copied to where others may run it");
    let mut said = String::new();
    for words in [
        &["inspect", "./secret.tar"][..],
        &["convert", "./image", "./closed/out.tar", "--min-layer-size=0"],
        &["ztoc", "info", "./secret.tar"],
    ] {
        let user = ["--reuid=65534", "--regid=65534", "--clear-groups"];
        let output = place
            .program(std::path::Path::new("setpriv"), &user)
            .arg(&program)
            .args(words)
            .output()
            .expect("setpriv is a part of every Debian");
        said.push_str(&format!(
            "$ cargo soci {}\n{}",
            words.join(" "),
            support::Run::of(output).ended(3).stderr
        ));
    }
    insta::assert_snapshot!(said);
}

#[test]
fn places_that_nobody_meant() {
    let place = place();
    insta::assert_snapshot!(said(
        &place,
        &[
            &["convert", "oci-archve:image.tar", "x.tar"],
            &["convert", "./image", "oci-archve:dir/x.tar"],
            &["inspect", "OCI:image"],
            &["inspect", "dokcer://r.example/app:1"],
            &["inspect", "docker-daemon:app:1"],
            &["inspect", "file:dir/image.tar"],
            &["inspect", "app"],
        ]
    ));
}

#[test]
fn a_folder_or_file_that_is_there_is_said_to_be_what_was_meant() {
    let place = place();
    place.write("folder/file", "no image");
    MadeImage::new(&[(1, 200_000)]).write_layout(&place.join("folder/layout"), "app");
    insta::assert_snapshot!(said(
        &place,
        &[
            &["convert", "folder/layout", "./out"],
            &["convert", "./image", "image"],
            &["inspect", "folder/file"],
            &["inspect", "folder/nothing"],
        ]
    ));
}

#[test]
fn registries_that_cannot_be_reached() {
    let place = place();
    let run = place.run(&["inspect", "localhost:1/app:1"]).ended(3);
    insta::assert_snapshot!(run.stderr);
}

#[test]
fn a_registry_that_takes_nothing_is_found_out_before_layers_are_read() {
    let registry = TestRegistry::start(Behaviour::default());
    let place = place();
    registry.inject(Fault::new("POST", "blobs/uploads", Effect::Refuse(403, None)));
    let name = registry.name("team/app:1");
    let run = place
        .run(&["convert", "./image", &name, "--min-layer-size=0"])
        .ended(3);
    assert!(
        !run.stderr.contains("indexed"),
        "a layer was read first: {}",
        run.stderr
    );
    insta::assert_snapshot!(run.stderr.replace(&registry.host(), "REGISTRY"));
}

#[test]
fn span_sizes_far_from_sense_are_doubted() {
    let place = place();
    let convert = |size: &str| {
        let words = [
            "convert",
            "./image",
            "x.tar",
            "--min-layer-size=0",
            "--progress=none",
            "--span-size",
            size,
        ];
        place.run(&words).ended(0).stderr
    };
    insta::assert_snapshot!([convert("4KiB"), convert("1GiB"), convert("4MiB")].join("-\n"));
}

#[test]
fn help_has_its_word() {
    let place = place();
    for words in [
        &["help"][..],
        &["soci", "help"],
        &["help", "convert"],
        &["soci", "help", "ztoc", "build"],
        &["help", "help"],
    ] {
        let run = place.run(words).ended(0);
        assert!(run.stdout.contains("Usage: "), "{words:?}: {}", run.stdout);
    }
    assert!(place.run(&["help", "convert"]).stdout.contains("[default: 4MiB]"));
}

#[test]
fn reports_fit_eighty_columns() {
    let place = place();
    for words in [
        &["convert", "./image", "soci.tar", "--min-layer-size=0"][..],
        &["convert", "./image", "soci.tar"],
        &[
            "convert",
            "./image",
            "soci.tar",
            "--min-layer-size=0",
            "--dry-run",
        ],
        &["create", "./image", "index.tar", "--min-layer-size=0"],
        &["rules"],
    ] {
        let run = place.run(words);
        let wide: Vec<&str> = run
            .stdout
            .lines()
            .filter(|line| line.chars().count() > 80)
            .collect();
        assert!(wide.is_empty(), "{words:?}: {wide:#?}");
    }
}
