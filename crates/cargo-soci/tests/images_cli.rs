//! What users of `convert`, `inspect` and `verify` see.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// A folder with some of the vectors' inputs under short names.
fn folder(inputs: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("temporary folder");
    for name in inputs {
        let from = soci_tests::image_vectors()
            .join("inputs")
            .join(format!("{name}.tar"));
        fs::copy(from, folder.path().join(format!("{name}.tar"))).expect("an input");
    }
    folder
}

/// One command as a user sees it: the words, exit code, stdout and stderr.
fn see(folder: &Path, words: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-soci"));
    command
        .current_dir(folder)
        .args(words.split_whitespace())
        .args(["--progress", "none"]);
    let output = command.output().expect("runs");
    let mut text = format!("$ cargo soci {words}\n");
    text += &String::from_utf8(output.stdout).expect("UTF-8");
    let errors = String::from_utf8(output.stderr).expect("UTF-8");
    if !errors.is_empty() {
        writeln!(text, "--- stderr\n{}", errors.trim_end()).expect("a String");
    }
    writeln!(text, "--- exit {}", output.status.code().expect("no signal")).expect("a String");
    text
}

#[test]
fn converting_an_image() {
    let folder = folder(&["mixed"]);
    let at = |words: &str| see(folder.path(), words);
    insta::assert_snapshot!(
        [
            at("convert mixed.tar soci.tar --min-layer-size 4000 --span-size 64KiB --dry-run"),
            at("convert mixed.tar soci.tar --min-layer-size 4000 --span-size 64KiB"),
            at("convert mixed.tar soci.tar --min-layer-size 4000 --span-size 64KiB --format json"),
            at("convert mixed.tar soci.tar --min-layer-size 4000 -q"),
            at("convert soci.tar --min-layer-size 4000"),
            at("inspect soci.tar"),
            at("verify soci.tar"),
        ]
        .join("\n")
    );
}

#[test]
fn an_image_with_attestations_and_prefetch_lists() {
    let folder = folder(&["attested", "prefetch"]);
    let at = |words: &str| see(folder.path(), words);
    insta::assert_snapshot!(
        [
            at("convert attested.tar soci.tar --min-layer-size 4000 -p linux/amd64"),
            at("inspect soci.tar"),
            at("convert prefetch.tar ./layout --min-layer-size 4000 --span-size 64KiB --prefetch-file /opt/a.bin --prefetch-file nowhere"),
            at("inspect ./layout"),
        ]
        .join("\n")
    );
}

#[test]
fn a_broken_image() {
    let folder = folder(&["single", "two"]);
    let path = folder.path();
    see(
        path,
        "convert single.tar ./layout --min-layer-size 0 --span-size 64KiB",
    );
    let blobs = path.join("layout/blobs/sha256");
    let ztoc = fs::read_dir(&blobs)
        .expect("a layout")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            fs::read(path)
                .expect("a blob")
                .windows(10)
                .any(|window| window == b"cargo-soci")
        })
        .filter(|path| !fs::read(path).expect("a blob").starts_with(b"{"))
        .min()
        .expect("a zTOC");
    fs::remove_file(ztoc).expect("a zTOC");
    insta::assert_snapshot!(
        [
            see(path, "verify ./layout"),
            see(path, "verify ./layout --format json"),
            see(path, "verify two.tar"),
            see(path, "verify ./layout -p windows/amd64"),
        ]
        .join("\n")
    );
}

#[test]
fn what_cannot_be_done() {
    let folder = folder(&[
        "single",
        "zstd-only",
        "corrupt",
        "wrong-digest",
        "two-images",
        "not-a-tar",
        "span0-plain",
        "mixed",
    ]);
    let path = folder.path();
    fs::create_dir(path.join("home")).expect("temporary folder");
    fs::write(path.join("home/letter.txt"), "dear").expect("temporary folder");
    fs::write(path.join("list.json"), r#"{"files":[]}"#).expect("temporary folder");
    let before: Vec<_> = list(path);
    let seen: Vec<String> = [
        "convert single.tar soci.tar",
        "convert zstd-only.tar soci.tar --min-layer-size 0",
        "convert corrupt.tar soci.tar --min-layer-size 0",
        "convert wrong-digest.tar soci.tar --min-layer-size 0",
        "convert single.tar ./home --min-layer-size 0",
        "convert single.tar layout",
        "convert missing.tar soci.tar",
        "convert not-a-tar.tar soci.tar",
        "convert two-images.tar oci-archive:soci.tar:v1 --min-layer-size 0",
        "convert two-images.tar soci.tar --tag tag7",
        "convert oci-archive:two-images.tar:tag1 soci.tar --tag tag0",
        "convert single.tar soci.tar --platform linux/riscv64",
        "convert single.tar soci.tar --platform linux/amd64/v1/x/y",
        "convert single.tar soci.tar --span-size many",
        "convert span0-plain.tar soci.tar --span-size 0 --min-layer-size 0",
        "convert single.tar soci.tar --jobs 0",
        "convert single.tar soci.tar --prefetch-files-json list.json",
        "convert mixed.tar soci.tar --min-layer-size 0 --strict",
        "convert -",
        "inspect single.tar --format sarif",
    ]
    .iter()
    .map(|words| see(path, words))
    .collect();
    assert_eq!(list(path), before, "nothing is left behind");
    insta::assert_snapshot!(seen.join("\n"));
}

fn list(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

#[test]
fn standard_input_and_output_carry_archives() {
    let folder = folder(&["single"]);
    let run = |input: &[u8], words: &[&str]| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_cargo-soci"))
            .current_dir(folder.path())
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("runs");
        let mut stdin = child.stdin.take().expect("a pipe");
        let input = input.to_vec();
        let writer = std::thread::spawn(move || std::io::Write::write_all(&mut stdin, &input));
        let output = child.wait_with_output().expect("runs");
        let _ = writer.join().expect("no panic");
        output
    };
    let input = fs::read(folder.path().join("single.tar")).expect("an input");
    let words = ["convert", "-", "-", "--min-layer-size", "0"];
    let piped = run(&input, &words);
    assert!(piped.status.success());
    see(folder.path(), "convert single.tar file.tar --min-layer-size 0");
    assert_eq!(
        piped.stdout,
        fs::read(folder.path().join("file.tar")).expect("a file")
    );
    let errors = String::from_utf8(piped.stderr).expect("UTF-8");
    assert!(
        errors.contains("SOCI index\n    sha256:"),
        "the report is on stderr: {errors}"
    );

    // What was cut off is refused, and so is nothing at all.
    for length in [0, 1000, input.len() / 2] {
        let cut = run(&input[..length], &words);
        assert_eq!(cut.status.code(), Some(3), "{length} bytes");
        assert!(cut.stdout.is_empty(), "{length} bytes");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_nothing_and_says_so() {
    use std::io::Write;
    let folder = tempfile::tempdir().expect("temporary folder");
    let pipe = folder.path().join("pipe.tar");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .expect("mkfifo")
            .success()
    );
    for destination in ["out.tar", "./out"] {
        let child = Command::new(env!("CARGO_BIN_EXE_cargo-soci"))
            .current_dir(folder.path())
            .args(["convert", "pipe.tar", destination, "--min-layer-size", "0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("runs");
        // Half an archive, and then nothing more: the run waits for us.
        let input = fs::read(soci_tests::image_vectors().join("inputs/single.tar")).expect("an input");
        let mut writer = fs::OpenOptions::new().write(true).open(&pipe).expect("the pipe");
        writer.write_all(&input[..input.len() / 2]).expect("it is read");
        let id = child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-INT", &id])
                .status()
                .expect("kill")
                .success()
        );
        // The flag is looked at between two reads: a little more arrives now and then, until nobody reads any more.
        // Never the last byte: a run that sees the flag late must not be able to end before that.
        let rest = &input[input.len() / 2..input.len() - 1];
        for piece in rest.chunks(rest.len().div_ceil(2000)) {
            std::thread::sleep(std::time::Duration::from_millis(5));
            if writer.write_all(piece).is_err() {
                break;
            }
        }
        drop(writer);
        let output = child.wait_with_output().expect("runs");
        assert_eq!(
            output.status.code(),
            Some(130),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(list(folder.path()), ["pipe.tar"]);
    }
}
