//! The commands on single layers: the reference's digests, what users see, what goes wrong.

mod support;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;
use support::{Place, Run};

/// A case of the vectors: a layer and the zTOC that the reference makes of it.
fn cases() -> (String, Vec<Value>) {
    let text = fs::read(soci_tests::ztoc_vectors().join("cases.json")).expect("vectors");
    let document: Value = serde_json::from_slice(&text).expect("JSON");
    let tool = document["build_tool_identifier"]
        .as_str()
        .expect("a tool")
        .to_owned();
    (tool, document["cases"].as_array().expect("cases").clone())
}

fn layer(name: &str) -> PathBuf {
    soci_tests::ztoc_vectors().join("layers").join(name)
}

#[test]
fn build_gives_the_digests_of_the_reference() {
    let (tool, cases) = cases();
    let place = Place::new();
    let mut seen = 0;
    for case in cases.iter().filter(|case| case["reader"] == "accepts") {
        let path = layer(case["layer"].as_str().expect("a layer"));
        if path.ends_with("mix-emptyfirst.tar.gz") {
            // The reference builds it, and its client does not mount it.
            let run = place.run(&["ztoc", "build", "-o", "layer.ztoc", path.to_str().expect("UTF-8")]);
            assert!(run.ended(4).stderr.contains("span offsets are non-monotonic"));
            continue;
        }
        let span_size = case["span_size"].to_string();
        let run = place
            .command(&[
                "ztoc",
                "build",
                "-q",
                "-o",
                "layer.ztoc",
                "--build-tool-identifier",
                &tool,
            ])
            .args([
                "--span-size",
                &span_size,
                "--compression",
                case["compression"].as_str().expect("a kind"),
            ])
            .arg(&path)
            // A time zone has no influence.
            .env("TZ", "Asia/Kathmandu")
            .output()
            .expect("runs");
        let run = Run::of(run).ended(0);
        let expected = format!("sha256:{}", case["ztoc_sha256"].as_str().expect("a digest"));
        assert_eq!(run.stdout.trim(), expected, "{case}");
        let info = place
            .run(&["ztoc", "info", "layer.ztoc", "--format", "json"])
            .ended(0)
            .json();
        assert_eq!(info["num_spans"], case["spans"], "{case}");
        assert_eq!(info["num_files"], case["entries"], "{case}");
        assert_eq!(info["size"], case["ztoc_size"], "{case}");
        place
            .run(&["ztoc", "verify", &path.display().to_string(), "layer.ztoc"])
            .ended(0);
        seen += 1;
    }
    assert!(seen > 20, "only {seen} cases");
}

#[test]
fn layers_that_cannot_be_indexed_are_exit_code_4_and_damaged_ones_3() {
    let (_, cases) = cases();
    let place = Place::new();
    let (mut refused, mut damaged) = (0, 0);
    for case in &cases {
        let path = layer(case["layer"].as_str().expect("a layer"));
        if case["reader"] != "refuses" && case.get("error").is_none() {
            continue;
        }
        let run = place
            .command(&["ztoc", "build", "-o", "layer.ztoc"])
            .args(["--compression", case["compression"].as_str().expect("a kind")])
            .arg(&path)
            .output();
        let run = Run::of(run.expect("runs"));
        match run.code {
            4 => refused += 1,
            3 => damaged += 1,
            _ => panic!("{case}: {run:?}"),
        }
        assert!(run.stderr.starts_with("error: "), "{case}: {}", run.stderr);
        assert!(!place.join("layer.ztoc").exists(), "{case}");
    }
    assert!(refused > 0 && damaged > 0, "{refused} refused, {damaged} damaged");
}

/// Bytes that do not compress, so that the layer has several spans.
fn big() -> Vec<u8> {
    let mut state = 1_u64;
    let next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(3_000_000).collect()
}

/// A layer with a few files of each kind, made by code.
fn small_layer() -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    {
        let mut tar = tar::Builder::new(&mut gzip);
        let mut add = |name: &str, contents: &[u8]| {
            let mut header = tar::Header::new_gnu();
            header.set_size(contents.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, name, contents).expect("writes");
        };
        add("app/config.toml", b"answer = 42\n");
        add("app/\u{1b}[31mred", b"a name that would colour the terminal\n");
        add("app/big", &big());
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        tar.append_link(&mut header, "etc/app.toml", "../app/config.toml")
            .expect("writes");
        tar.finish().expect("writes");
    }
    gzip.finish().expect("writes")
}

/// A place with that layer and its zTOC, and what was said about it.
fn small_ztoc(span_size: &str) -> (Place, Run) {
    let place = Place::new();
    fs::write(place.join("layer.tar.gz"), small_layer()).expect("writable");
    let words = ["ztoc", "build", "layer.tar.gz", "-o", "layer.ztoc"];
    let built = place
        .run(&[&words[..], &["--span-size", span_size]].concat())
        .ended(0);
    (place, built)
}

#[test]
fn what_users_see() {
    let (place, built) = small_ztoc("1MiB");
    insta::assert_snapshot!("build", built.stdout);
    insta::assert_snapshot!("info", place.run(&["ztoc", "info", "layer.ztoc"]).ended(0).stdout);
    insta::assert_snapshot!("ls", place.run(&["ztoc", "ls", "layer.ztoc"]).ended(0).stdout);
    let short = place
        .run(&["ztoc", "ls", "layer.ztoc", "--format", "short"])
        .ended(0);
    assert_eq!(
        short.stdout,
        "app/config.toml\napp/\\u{1b}[31mred\napp/big\netc/app.toml\n"
    );
    insta::assert_snapshot!(
        "verify",
        place
            .run(&["ztoc", "verify", "layer.tar.gz", "layer.ztoc"])
            .ended(0)
            .stdout
    );
}

#[test]
fn a_file_is_read_through_its_spans_only() {
    let (place, _) = small_ztoc("64KiB");
    for path in [
        "app/config.toml",
        "/app/config.toml",
        "./app/config.toml",
        "etc/app.toml",
    ] {
        let run = place
            .run(&["ztoc", "extract", "layer.tar.gz", "layer.ztoc", path])
            .ended(0);
        assert_eq!(run.stdout, "answer = 42\n", "{path}");
    }
    place
        .run(&[
            "ztoc",
            "extract",
            "layer.tar.gz",
            "layer.ztoc",
            "app/big",
            "-o",
            "big",
        ])
        .ended(0);
    assert_eq!(fs::read(place.join("big")).expect("written"), big());
    let run = place
        .run(&["ztoc", "extract", "layer.tar.gz", "layer.ztoc", "config.toml"])
        .ended(3);
    assert!(
        run.stderr.contains("files of that name: app/config.toml"),
        "{}",
        run.stderr
    );

    // Bytes of the layer that nobody needs may be wrong; those of the file's span may not.
    let mut damaged = small_layer();
    let last = damaged.len() - 40;
    damaged[last] ^= 0xff;
    fs::write(place.join("damaged.tar.gz"), &damaged).expect("writable");
    place
        .run(&[
            "ztoc",
            "extract",
            "damaged.tar.gz",
            "layer.ztoc",
            "app/config.toml",
        ])
        .ended(0);
    let run = place
        .run(&[
            "ztoc",
            "extract",
            "damaged.tar.gz",
            "layer.ztoc",
            "app/big",
            "-o",
            "new",
        ])
        .ended(3);
    assert!(run.stderr.contains("cannot extract app/big"), "{}", run.stderr);
    assert!(!place.join("new").exists());
    let run = place
        .run(&["ztoc", "extract", "damaged.tar.gz", "layer.ztoc", "app/big"])
        .ended(3);
    assert_eq!(run.stdout, "", "nothing of a damaged file comes out");
    let code = place
        .run(&["ztoc", "verify", "damaged.tar.gz", "layer.ztoc"])
        .code;
    assert!(code == 1 || code == 3, "{code}");
}

#[test]
fn findings_of_verify_are_exit_code_1() {
    let (place, _) = small_ztoc("4MiB");
    // Another layer of the same kind.
    let mut other = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(1));
    other.write_all(&[0; 10_240]).expect("writes");
    fs::write(place.join("other.tar.gz"), other.finish().expect("writes")).expect("writable");
    let run = place
        .run(&["ztoc", "verify", "other.tar.gz", "layer.ztoc"])
        .ended(1);
    assert!(run.stdout.contains(" fault"), "{}", run.stdout);
    let json = place
        .run(&["ztoc", "verify", "other.tar.gz", "layer.ztoc", "--format", "json"])
        .ended(1)
        .json();
    assert_eq!(json["ok"], false);
}

#[test]
fn a_layer_from_stdin_and_a_ztoc_to_stdout() {
    let (place, _) = small_ztoc("4MiB");
    let mut child = place
        .command(&["ztoc", "build", "-", "-o", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    child
        .stdin
        .take()
        .expect("piped")
        .write_all(&small_layer())
        .expect("read to its end");
    let output = child.wait_with_output().expect("ends");
    assert!(output.status.success());
    assert!(output.stdout == fs::read(place.join("layer.ztoc")).expect("written"));
}

#[test]
fn mistakes_say_what_and_what_to_do() {
    let place = Place::new();
    fs::write(place.join("layer.tar.gz"), small_layer()).expect("writable");
    place.write("empty", "");
    place.write("index.json", "{}");
    fs::write(place.join("zstd"), [0x28, 0xb5, 0x2f, 0xfd, 0, 0]).expect("writable");
    for (words, code, message) in [
        (&["ztoc", "build", "none", "-o", "x"][..], 3, "cannot read none"),
        (&["ztoc", "build", "empty", "-o", "x"], 3, "empty is empty"),
        (&["ztoc", "build", "zstd", "-o", "x"], 4, "--recompress gzip"),
        (
            &["ztoc", "build", "layer.tar.gz", "-o", "no/such/folder/x"],
            3,
            "cannot write into no/such/folder: there is no such folder",
        ),
        (
            &["ztoc", "build", "layer.tar.gz", "-o", "x", "--span-size", "many"],
            2,
            "--span-size",
        ),
        (
            &["ztoc", "build", "layer.tar.gz", "-o", "-", "--format", "json"],
            2,
            "no room for a report",
        ),
        (&["ztoc", "info", "layer.tar.gz"], 3, "is it the layer instead"),
        (&["ztoc", "info", "index.json"], 3, "is it the SOCI index instead"),
        (
            &["ztoc", "info", "empty", "--format", "sarif"],
            2,
            "this command has no `--format sarif`",
        ),
        (&["ztoc", "extract", "layer.tar.gz"], 2, "<PATH|ZTOC>"),
        (&["ztoc", "extract", "app", "etc/app.toml"], 2, "docker://app"),
        (
            &["ztoc", "extract", "./none", "etc/app.toml", "-o", "x"],
            3,
            "none",
        ),
        (
            &["ztoc", "extract", "layer.tar.gz", "x.ztoc", "a", "--tag", "1"],
            2,
            "--tag and --platform choose an image",
        ),
        (
            &[
                "ztoc",
                "extract",
                "layer.tar.gz",
                "x.ztoc",
                "a",
                "-p",
                "linux/amd64",
            ],
            2,
            "--tag and --platform choose an image",
        ),
        (&["ztoc"], 2, "Usage: "),
    ] {
        let run = place.run(words).ended(code);
        assert!(run.stderr.contains(message), "{words:?}: {}", run.stderr);
        assert_eq!(run.stdout, "", "{words:?}");
        assert!(!place.join("x").exists());
    }
}
