//! Ctrl-C, SIGTERM, a failed builder, a full disk, a closed pipe: no tag, no file left behind, the builder
//! stopped, and the exit code that says which it was.
#![cfg(unix)]

mod support;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use support::{Place, Run, replayed, send, tags, wait_for};

/// A build whose builder takes a minute, sent a signal once it runs.
fn interrupted_build(signal: Signal) {
    let (registry, mut place) = replayed("push-single-default");
    place.set("STAND_IN_SLEEP", "60");
    place.set("TMPDIR", &place.path().display().to_string());
    let name = registry.name("team/app:1.0");
    let child = place
        .command(&["build", "--image", &name, "--min-layer-size=0"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let log = place.join("docker.log");
    wait_for(&log, "sleeping");
    let started = Instant::now();
    send(&child, signal);
    let run = Run::of(child.wait_with_output().expect("it ends")).ended(130);
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "it took {:?}",
        started.elapsed()
    );
    assert!(run.stderr.contains("interrupted"), "{}", run.stderr);
    wait_for(&log, "stopped");
    assert_eq!(tags(&registry, "team/app"), [""; 0]);
    assert_eq!(place.leftovers(), [""; 0]);
}

#[test]
fn ctrl_c_stops_the_builder_and_leaves_nothing() {
    interrupted_build(Signal::INT);
}

#[test]
fn sigterm_stops_the_builder_and_leaves_nothing() {
    interrupted_build(Signal::TERM);
}

#[test]
fn the_third_signal_kills_a_builder_that_does_not_listen() {
    let place = Place::new();
    let marker = place.join("running");
    place.write(
        "soci.toml",
        &format!(
            "image = \"localhost:1/app:1\"\nbuilder = [\"sh\", \"-c\", \"trap '' INT; echo running > {}; sleep 60; sleep 60\"]\n",
            marker.display()
        ),
    );
    let mut child = place
        .command(&["build"])
        .env("TMPDIR", place.path())
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program runs");
    wait_for(&marker, "running");
    let started = Instant::now();
    for _ in 0..3 {
        send(&child, Signal::INT);
        std::thread::sleep(Duration::from_millis(200));
    }
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(130));
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(place.leftovers(), [""; 0]);
}

/// Stops a program that waits for something that does not come, and looks at what is left.
#[track_caller]
fn stopped_while_it_waits(place: &Place, mut child: Child, signal: Signal) {
    std::thread::sleep(Duration::from_millis(500));
    assert!(
        child.try_wait().expect("it can be asked").is_none(),
        "it should wait"
    );
    let started = Instant::now();
    send(&child, signal);
    let status = loop {
        if let Some(status) = child.try_wait().expect("it can be asked") {
            break status;
        }
        // Two seconds, and time for a busy machine.
        if started.elapsed() > Duration::from_secs(8) {
            child.kill().expect("it runs");
            panic!("it did not end");
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(status.code(), Some(130), "{status} {:?}", status.signal());
    assert!(!place.join("out.tar").exists() && !place.join("layout").exists());
    assert_eq!(place.leftovers(), [""; 0]);
}

const SIGNALS: [Signal; 2] = [Signal::INT, Signal::TERM];

fn big_image() -> String {
    let image = soci_tests::buildx_vectors().join("oci-big/image.tar");
    image.display().to_string()
}

fn spawn(place: &Place, words: &[&str]) -> Child {
    place
        .command(words)
        .env("TMPDIR", place.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program runs")
}

#[test]
fn a_stdin_that_stalls_holds_nobody() {
    for signal in SIGNALS {
        for words in [
            &["convert", "-", "out.tar"][..],
            &["convert", "-", "./layout"],
            &["inspect", "-"],
            &["ztoc", "build", "-", "-o", "out.tar"],
            &["lint", "-"],
        ] {
            let place = Place::new();
            let mut child = spawn(&place, words);
            // Some bytes, and then no more.
            let mut stdin = child.stdin.take().expect("piped");
            stdin.write_all(&[0x1f, 0x8b]).expect("it reads");
            stopped_while_it_waits(&place, child, signal);
        }
    }
}

#[test]
fn a_pipe_that_nobody_reads_holds_nobody() {
    for signal in SIGNALS {
        let place = Place::new();
        let child = spawn(&place, &["convert", &big_image(), "-", "--min-layer-size=0"]);
        stopped_while_it_waits(&place, child, signal);
    }
}

#[test]
fn a_named_pipe_without_another_end_holds_nobody() {
    for signal in SIGNALS {
        for words in [
            &["convert", "./pipe", "out.tar"][..],
            &["convert", "oci-archive:pipe", "./layout"],
            &["convert", &big_image(), "oci-archive:pipe", "--min-layer-size=0"],
        ] {
            let place = Place::new();
            place.tool(&["mkfifo", "pipe"]);
            let child = spawn(&place, words);
            stopped_while_it_waits(&place, child, signal);
        }
    }
}

#[test]
fn the_lock_of_another_run_holds_nobody() {
    for signal in SIGNALS {
        let place = Place::new();
        place
            .run(&["convert", &big_image(), "./image", "--min-layer-size=0"])
            .ended(0);
        let lock = fs::File::create(place.join("image/.cargo-soci-lock")).expect("writable");
        lock.lock().expect("a file system with locks");
        let child = spawn(
            &place,
            &["convert", &big_image(), "oci:image:other", "--min-layer-size=0"],
        );
        // It waits for this very file, also when the name is gone.
        std::thread::sleep(Duration::from_millis(1500));
        fs::remove_file(place.join("image/.cargo-soci-lock")).expect("writable");
        stopped_while_it_waits(&place, child, signal);
    }
}

#[test]
fn a_builder_that_does_not_listen_holds_nobody() {
    for signal in SIGNALS {
        let place = Place::new();
        place.write(
            "soci.toml",
            "image = \"localhost:1/app:1\"\nbuilder = [\"sh\", \"-c\", \"trap '' INT TERM; sleep 60; sleep 60\"]\n",
        );
        let child = spawn(&place, &["build"]);
        stopped_while_it_waits(&place, child, signal);
    }
}

#[test]
fn what_a_killed_run_left_is_taken_away_by_the_next() {
    let place = Place::new();
    for target in ["./new", "out.tar", "./layout"] {
        if target == "./layout" {
            place
                .run(&["convert", &big_image(), target, "--min-layer-size=0"])
                .ended(0);
        }
        let mut child = spawn(&place, &["convert", &big_image(), target, "--min-layer-size=0"]);
        std::thread::sleep(Duration::from_millis(30));
        child.kill().expect("it runs or has ended");
        child.wait().expect("it ends");
        place
            .run(&["convert", &big_image(), target, "--min-layer-size=0"])
            .ended(0);
        assert_eq!(place.leftovers(), [""; 0], "{target}");
    }
}

#[test]
fn a_full_disk_is_an_error_and_leaves_nothing() {
    let image = soci_tests::buildx_vectors().join("oci-single/image.tar");
    let place = Place::new();
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .expect("Linux has it");
    let output = place
        .command(&["convert", &image.display().to_string(), "-", "--min-layer-size=0"])
        .stdout(full)
        .output()
        .expect("the program runs");
    let run = Run::of(output).ended(3);
    assert!(run.stderr.contains("standard output"), "{}", run.stderr);
}

/// A file that may not grow is what a full disk looks like: the write fails, the program goes on.
#[test]
fn a_disk_that_fills_up_leaves_no_file() {
    let image = soci_tests::buildx_vectors().join("oci-zstd/image.tar");
    let place = Place::new();
    for words in [
        &["convert", "IMAGE", "out.tar", "--min-layer-size=0"][..],
        &["convert", "IMAGE", "./layout", "--min-layer-size=0"],
        &[
            "convert",
            "IMAGE",
            "out.tar",
            "--min-layer-size=0",
            "--recompress=gzip",
        ],
    ] {
        let image = image.with_file_name(if words.len() == 4 {
            "../oci-single/image.tar"
        } else {
            "image.tar"
        });
        let mut command = place.program(Path::new("/bin/sh"), &[]);
        command
            .args([
                "-c",
                "trap '' XFSZ; ulimit -f 16; exec \"$0\" \"$@\"",
                env!("CARGO_BIN_EXE_cargo-soci"),
            ])
            .args(words.iter().map(|word| {
                if *word == "IMAGE" {
                    image.display().to_string()
                } else {
                    (*word).to_owned()
                }
            }))
            .env("TMPDIR", place.path());
        let run = Run::of(command.output().expect("sh runs")).ended(3);
        assert!(run.stderr.contains("cannot write"), "{words:?}: {}", run.stderr);
        assert!(
            !place.join("out.tar").exists() && !place.join("layout").exists(),
            "{words:?}"
        );
        assert_eq!(place.leftovers(), [""; 0], "{words:?}");
    }
}

#[test]
fn a_reader_of_an_archive_that_goes_away_is_an_error() {
    let image = soci_tests::buildx_vectors().join("oci-big/image.tar");
    let place = Place::new();
    let mut child = place
        .command(&["convert", &image.display().to_string(), "-", "--min-layer-size=0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut begun = [0; 512];
    child
        .stdout
        .take()
        .expect("piped")
        .read_exact(&mut begun)
        .expect("an archive begins");
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(3));
}

#[test]
fn a_reader_of_a_report_that_goes_away_is_no_error() {
    let place = Place::new();
    let mut child = place
        .command(&["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}
