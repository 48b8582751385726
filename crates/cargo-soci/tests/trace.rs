//! Starts of real containers: lazily mounted images under Debian's runc, recorded until ready, and nothing left of them.
//! Needs root, FUSE and runc; a machine without them fails these tests.
#![cfg(all(target_os = "linux", feature = "real-tools"))]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};
use soci_start::Trace;
use soci_tests::images::MadeImage;
use soci_tests::servers::Server;
use support::machine::{Layer, Running, convert, is_mounted, layers};
use support::{Place, Run};

/// The static program of the containers.
fn probe(place: &Place) -> Vec<u8> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/probe.c");
    let (source, program) = (
        source.display().to_string(),
        place.join("probe").display().to_string(),
    );
    place.tool(&[
        "musl-gcc", "-static", "-O1", "-Wall", "-Werror", "-o", &program, &source,
    ]);
    fs::read(program).expect("it was built")
}

/// A program of this machine, with the libraries that it is linked with.
fn add_program(place: &Place, layer: &mut Layer, program: &str) {
    let told = String::from_utf8(place.tool(&["ldd", program])).expect("UTF-8");
    let libraries = told.split_whitespace().filter(|word| word.starts_with('/'));
    for file in libraries.map(str::to_owned).chain([program.to_owned()]) {
        let bytes = fs::read(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        layer.file(file.trim_start_matches('/'), 0o755, &bytes);
    }
}

/// A place with an image in `plain` and `soci`: the files of `layers`, the probe, a shell.
fn place() -> Place {
    let mut place = Place::new();
    fs::create_dir(place.join("tmp")).expect("a new folder");
    place.set("TMPDIR", &place.join("tmp").display().to_string());
    let mut top = Layer::bare();
    top.file("bin/probe", 0o755, &probe(&place))
        .file(
            "etc/passwd",
            0o644,
            b"root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/:/bin/sh\n",
        )
        .file("etc/group", 0o644, b"root:x:0:\napp:x:1001:\nvideo:x:44:app\n");
    let mut tools = Layer::bare();
    add_program(&place, &mut tools, "/usr/bin/dash");
    add_program(&place, &mut tools, "/usr/bin/cat");
    let mut tars = layers();
    // Of those layers only the upper one, which deletes and replaces.
    tars.remove(0);
    let mut low = Layer::new();
    for number in 0..80_u64 {
        low.file(
            &format!("data/small-{number:02}"),
            0o644,
            &soci_tests::images::noise(number, 3000),
        );
    }
    low.file("data/deleted", 0o644, b"gone");
    low.file("data/large", 0o644, &support::machine::large())
        .symlink("data/link", "large");
    tars.splice(0..0, [low.tar(), tools.tar(), top.tar()]);
    let config = json!({
        "Entrypoint": ["/bin/probe"], "Cmd": ["who"], "User": "app", "WorkingDir": "/data",
        "Env": ["NOTE=from the image"],
    });
    MadeImage::with_config(&tars, &config).write_layout(&place.join("plain"), "app");
    convert(&place, "oci:plain:app", "oci:soci:app");
    place
}

/// `trace oci:soci:app` with these words before and behind `--`.
fn trace(place: &Place, flags: &[&str], command: &[&str]) -> Run {
    let words = [&["trace", "oci:soci:app"][..], flags, &["--"], command].concat();
    place.run(&words)
}

fn opened(place: &Place, name: &str) -> BTreeSet<String> {
    let (trace, _) = Trace::read(place.read(name).as_bytes()).expect("a trace");
    assert!(trace.ready.is_some());
    let path = |file: &soci_start::Opened| String::from_utf8_lossy(&file.path).into_owned();
    trace.files.iter().map(path).collect()
}

/// Nothing of a run is left: mounts, folders, processes that have `token` among their words, control groups.
#[track_caller]
fn nothing_left(place: &Place, token: &str) {
    assert!(!is_mounted(place.path()));
    let started = Instant::now();
    // The kernel takes a moment for the processes of a killed namespace.
    while processes(token) > 0 {
        assert!(started.elapsed() < Duration::from_secs(10), "a process is left");
        std::thread::sleep(Duration::from_millis(20));
    }
    let left: Vec<_> = fs::read_dir(place.join("tmp"))
        .expect("a folder")
        .flatten()
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

fn processes(token: &str) -> usize {
    let processes = fs::read_dir("/proc").expect("/proc").flatten();
    processes
        .filter(|process| {
            let words = fs::read(process.path().join("cmdline")).unwrap_or_default();
            let is_number = process.file_name().to_string_lossy().parse::<u32>().is_ok();
            is_number
                && words
                    .split(|byte| *byte == 0)
                    .any(|word| word == token.as_bytes())
        })
        .count()
}

fn free_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port().to_string()
}

#[test]
fn a_static_program_runs_as_the_image_says() {
    let place = place();
    let run = place
        .run(&["trace", "oci:soci:app", "--ready-exit", "--format", "json"])
        .ended(0);
    let said = "uid 1000 gid 1001 groups 44 in /data with NOTE=from the image\n";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    assert!(opened(&place, "app.trace").contains("/bin/probe"));
    let report = run.json();
    assert_eq!(report["command"], json!(["/bin/probe", "who"]));
    assert_eq!((&report["way"], &report["link"]), (&json!("lazy"), &Value::Null));
    let spans = |report: &Value| report["fetched"]["spans"].as_u64().expect("a number");
    assert!(
        spans(&report) < report["fetched"]["of_spans"].as_u64().expect("a number"),
        "{report:#}"
    );

    let flags = [
        "--ready-exit",
        "-e",
        "NOTE=mine",
        "--user",
        "root:7",
        "--workdir",
        "/tmp",
        "--entrypoint",
        "/bin/probe",
    ];
    let run = trace(&place, &flags, &["who"]).ended(0);
    assert!(
        run.stderr.contains("uid 0 gid 7 groups in /tmp with NOTE=mine\n"),
        "{}",
        run.stderr
    );
    assert!(
        run.stdout.contains("ready    ") && run.stdout.contains("The trace is in app.trace."),
        "{}",
        run.stdout
    );
    nothing_left(&place, "who");
}

#[test]
fn what_is_read_is_in_the_trace_by_ranges_and_estimate_reads_it() {
    let place = place();
    let flags = ["--ready-exit", "--output", "one.trace", "-q"];
    trace(&place, &flags, &["begin", "link"]).ended(0);
    let (trace_read, _) = Trace::read(place.read("one.trace").as_bytes()).expect("a trace");
    let large = trace_read
        .files
        .iter()
        .find(|file| file.path == b"/data/large")
        .expect("the path behind the link");
    let ranges = large.ranges.as_ref().expect("ranges");
    let read: u64 = ranges.iter().map(|range| range.end - range.start).sum();
    // The kernel reads ahead, but not all of it.
    assert!((4096..800_000).contains(&read), "{ranges:?}");
    assert!(!opened(&place, "one.trace").contains("/data/link"));

    let report = trace(
        &place,
        &["--ready-exit", "--format", "json", "--output", "two.trace"],
        &["read", "large"],
    );
    let report = report.ended(0).json();
    let estimated = place
        .run(&["estimate", "two.trace", "oci:soci:app", "--format", "json"])
        .ended(0)
        .json();
    assert_eq!(estimated["start"]["missing"], json!([]));
    let (fetched, predicted) = (&report["fetched"]["spans"], &estimated["start"]["spans"]);
    // The client reads headers as well, which may lie in a span before.
    let (fetched, predicted) = (
        fetched.as_u64().expect("a number"),
        predicted.as_u64().expect("a number"),
    );
    assert!(
        predicted > 5 && (predicted..=predicted + 4).contains(&fetched),
        "{fetched} for {predicted}"
    );

    let run = trace(&place, &["--ready-exit", "--output", "-"], &["who"]).ended(0);
    assert!(Trace::read(run.stdout.as_bytes()).is_ok(), "{}", run.stdout);
}

#[test]
fn a_shell_with_many_small_files_over_a_link_on_every_place() {
    let place = place();
    let registry = Server::docker_registry(None, None);
    let remote = format!("{}/team/app:soci", registry.host());
    let small = ["--min-layer-size", "0", "--span-size", "64KiB", "-q"];
    for to in ["soci.tar", &remote] {
        place
            .run(&[&["convert", "oci:plain:app", to][..], &small].concat())
            .ended(0);
    }
    let script = "for file in /data/small-*; do /usr/bin/cat $file > /dev/null; done; echo end of script";
    for image in ["oci:soci:app", "soci.tar", &remote] {
        let shell = [
            "--entrypoint",
            "/usr/bin/dash",
            "--link",
            "1Gbit/1ms",
            "--format",
            "json",
        ];
        let words = [
            &["trace", image, "--ready-log", "^end of"][..],
            &shell,
            &["--", "-c", script],
        ]
        .concat();
        let run = place.run(&words).ended(0);
        assert!(run.stderr.contains("end of script\n"), "{image}: {}", run.stderr);
        let small = opened(&place, "app.trace")
            .into_iter()
            .filter(|path| path.starts_with("/data/small-"))
            .count();
        assert_eq!(small, 80);
        assert_eq!(run.json()["link"], "1Gbit/1ms");
    }
}

#[test]
fn a_server_is_ready_when_it_listens_answers_or_says_so() {
    let place = place();
    for (kind, flag) in [
        ("port", "--ready-port"),
        ("http", "--ready-http"),
        ("port", "--ready-log"),
    ] {
        let port = free_port();
        let value = match flag {
            "--ready-port" => port.clone(),
            "--ready-http" => format!("http://127.0.0.1:{port}/health"),
            _ => "^listening$".to_owned(),
        };
        let run = trace(&place, &[flag, &value, "--format", "json"], &[kind, &port]).ended(0);
        assert!(run.json()["container_seconds"].as_f64() < Some(60.0));
        assert!(opened(&place, "app.trace").contains("/bin/probe"));
        assert!(
            TcpListener::bind(format!("127.0.0.1:{port}")).is_ok(),
            "the server is gone"
        );
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port().to_string();
    let run = trace(&place, &["--ready-port", &port], &["port", &port]).ended(3);
    assert!(
        run.stderr.contains("already, before the container does"),
        "{}",
        run.stderr
    );
    nothing_left(&place, &port);
}

#[test]
fn pulled_whole_it_runs_the_same() {
    let place = place();
    let script = "cat /data/large /data/small-* | /usr/bin/cat > /data/sum; echo $(/usr/bin/cat /data/sum | wc -c 2>/dev/null); \
                  read word < /data/replaced; echo $word; [ -e /data/deleted ] || echo deleted";
    let shell = [
        "--ready-exit",
        "--user",
        "root",
        "--entrypoint",
        "/usr/bin/dash",
        "--format",
        "json",
    ];
    let lazy = trace(&place, &shell, &["-c", script]).ended(0);
    let whole = trace(&place, &[&shell[..], &["--whole"]].concat(), &["-c", script]).ended(0);
    assert_eq!(lazy.stderr.lines().last(), whole.stderr.lines().last());
    assert!(whole.stderr.contains("new and longer\n"), "{}", whole.stderr);
    let report = whole.json();
    assert_eq!(
        (&report["way"], &report["trace"]),
        (&json!("whole"), &Value::Null)
    );
    assert_eq!(report["fetched"]["share"], 1.0);
    // An image that was not converted can be pulled whole as well; what is written stays out of the image.
    place
        .run(&[
            "trace",
            "oci:plain:app",
            "--whole",
            "--ready-exit",
            "--user",
            "0",
            "--",
            "write",
            "/data/large",
        ])
        .ended(0);
    let run = trace(
        &place,
        &["--ready-exit", "--user", "0", "-q"],
        &["write", "/data/large"],
    )
    .ended(0);
    assert!(run.stderr.contains("/data/large 7\n"), "{}", run.stderr);
    let run = trace(&place, &["--ready-exit"], &["read", "/data/large"]).ended(0);
    assert!(run.stderr.contains("/data/large 900000\n"), "{}", run.stderr);
    nothing_left(&place, "write");
}

#[test]
fn a_container_that_is_never_ready_is_told_and_taken_away() {
    let place = place();
    for (flags, command, said) in [
        (
            &["--ready-exit"][..],
            &["crash"][..],
            "ended before it was ready: exit code 139",
        ),
        (&["--ready-exit"], &["nothing"], "exit code 7"),
        (&["--ready-log", "never"], &["who"], "exit code 0"),
        (
            &["--ready-log", "never", "--timeout", "500ms"],
            &["wait", "never-ready"],
            "was not ready after 0.5 s",
        ),
        (
            &["--ready-exit", "--entrypoint", "/no/such"],
            &[],
            "ended before it was ready: exit code 1",
        ),
        (
            &["--ready-exit", "--user", "nobody"],
            &[],
            "the user \"nobody\" is not in the image's /etc/passwd",
        ),
    ] {
        let run = trace(&place, flags, command).ended(3);
        assert!(run.stderr.contains(said), "{command:?}: {}", run.stderr);
        assert!(
            !place.join("app.trace").exists() && run.stdout.is_empty(),
            "{command:?}"
        );
        nothing_left(&place, "never-ready");
    }
    let run = trace(&place, &["--for", "300ms"], &["wait", "for-a-time"]).ended(0);
    assert!(run.stderr.contains("waiting"), "{}", run.stderr);
    nothing_left(&place, "for-a-time");
}

#[test]
fn a_damaged_span_ends_the_start_and_is_told() {
    let place = place();
    // The last layer but one that has large files.
    let blobs = fs::read_dir(place.join("soci/blobs/sha256"))
        .expect("a layout")
        .flatten();
    let largest = blobs
        .max_by_key(|entry| entry.metadata().expect("a file").len())
        .expect("blobs");
    let mut bytes = fs::read(largest.path()).expect("a layer");
    for at in (bytes.len() / 8..bytes.len()).step_by(bytes.len() / 64) {
        bytes[at] ^= 0x10;
    }
    fs::write(largest.path(), bytes).expect("writable");
    let all = [
        "read",
        "/data/large",
        "/data/small-79",
        "/usr/bin/cat",
        "/usr/bin/dash",
    ];
    let run = trace(&place, &["--ready-exit"], &all).ended(3);
    assert!(
        run.stderr.contains("do not have the digest of the zTOC"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("Input/output error") || run.stderr.contains("I/O error"),
        "{}",
        run.stderr
    );
    assert!(!place.join("app.trace").exists());
    nothing_left(&place, "read");
}

#[test]
fn ended_at_any_moment_nothing_is_left() {
    let place = place();
    for moment in 0..30_u64 {
        let token = format!("moment-{moment}");
        let whole = if moment % 5 == 4 { &["--whole"][..] } else { &[] };
        let link = ["trace", "oci:soci:app", "--link", "100Mbit/2ms", "--for", "20s"];
        let words = [&link[..], whole, &["--", "wait", &token]].concat();
        let running = Running::start(place.command(&words));
        std::thread::sleep(Duration::from_millis(moment * moment * 2));
        let signal = [Signal::INT, Signal::TERM, Signal::KILL][moment as usize % 3];
        running.signal(signal);
        let run = running.output();
        if signal != Signal::KILL {
            assert!(run.code == 130 || moment < 6, "{run:?}");
        }
        assert!(!is_mounted(place.path()));
        if signal == Signal::KILL || moment < 6 {
            // Nobody was there to remove folders: the next run does it.
            trace(&place, &["--ready-exit", "-q"], &["who"]).ended(0);
        }
        nothing_left(&place, &token);
    }
}

#[test]
fn what_is_missing_is_said() {
    let place = place();
    let mut command = place.command(&["trace", "oci:soci:app"]);
    command.uid(65534).gid(65534).env("TMPDIR", "/tmp");
    let run = Run::of(command.output().expect("it runs as nobody")).ended(3);
    assert!(run.stderr.contains("needs root"), "{}", run.stderr);
    let mut command: Command = place.command(&["trace", "oci:soci:app"]);
    command.env("PATH", place.join("tmp"));
    let run = Run::of(command.output().expect("it runs")).ended(3);
    assert!(
        run.stderr.contains("neither runc nor crun is on PATH"),
        "{}",
        run.stderr
    );
    for (words, code, said) in [
        (
            &["trace", "oci:soci:app", "--runtime", "no-such"][..],
            3,
            "no runtime \"no-such\"",
        ),
        (&["trace", "oci:plain:app"], 3, "no SOCI index"),
        (
            &["trace", "oci:soci:app", "--ready-port", "1", "--network", "none"],
            2,
            "without a network",
        ),
        (
            &["trace", "oci:soci:app", "--ready-http", "https://x/"],
            2,
            "https is not supported",
        ),
        (
            &["trace", "oci:soci:app", "--ready-log", "("],
            2,
            "is no regular expression",
        ),
        (
            &["trace", "oci:soci:app", "--ready-exit", "--for", "3s"],
            2,
            "cannot be used with",
        ),
        (
            &["trace", "oci:soci:app", "--whole", "--output", "x"],
            2,
            "cannot be used with",
        ),
    ] {
        let run = place.run(words).ended(code);
        assert!(run.stderr.contains(said), "{words:?}: {}", run.stderr);
    }
    let run = trace(&place, &["--ready-exit", "--network", "none"], &["who"]).ended(0);
    assert!(run.stdout.contains("ready    "), "{}", run.stdout);
    nothing_left(&place, "who");
}
