//! `cargo xtask demo`: the main job on an example image made on the spot.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::oci;
use crate::run::{Outcome, cargo, must, root, target};

/// The file that is read back through its spans.
const EXAMPLE_FILE: &str = "/srv/app/Cargo.lock";

/// Makes a small image, converts, inspects, verifies, reads a file, lints; says what it does and what comes next.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    if !arguments.is_empty() {
        return Err(format!("demo takes no arguments, not {arguments:?}"));
    }
    let started = Instant::now();
    eprintln!("building cargo-soci (the first time takes some minutes) …");
    // Its own warnings and errors are shown, the list of crates is not.
    must(cargo().args(["build", "--quiet", "--locked", "--package", "cargo-soci"]))?;
    let built = started.elapsed().as_secs();
    let folder = target().join("demo");
    let _ = fs::remove_dir_all(&folder);
    make_image(&folder)
        .map_err(|error| format!("cannot make the example image in {}: {error}", folder.display()))?;
    let binary = target().join("debug/cargo-soci");
    let soci = |words: &[&str]| {
        println!("\n$ cargo soci {}", words.join(" "));
        must_quietly(Command::new(&binary).args(words).current_dir(&folder))
    };

    say(
        "An image as a builder leaves it: an archive of two layers (a layer is a compressed tar of files), made of files of \
         this repository.",
    );
    println!("  {}", folder.join("image.tar").display());

    say(
        "Convert it. Each large layer gets a zTOC: a table of contents, and checkpoints at which decompression can begin. \
         The stretch between two checkpoints is a span. The SOCI index lists the zTOCs of the image.",
    );
    soci(&["convert", "image.tar", "image-soci.tar"])?;

    say(
        "Look at it. The large layer is lazy: it would be mounted, not pulled. The small one is quicker pulled whole.",
    );
    soci(&["inspect", "image-soci.tar"])?;

    say(
        "Check it as a client would: every span is opened from its checkpoint, every file compared with a plain walk.",
    );
    soci(&["verify", "image-soci.tar"])?;

    say(
        "Read one file out of the compressed layer, through the spans that hold it and nothing else: what a lazy start does.",
    );
    println!("\n$ cargo soci cat -v image-soci.tar {EXAMPLE_FILE} > Cargo.lock");
    let mut cat = Command::new(&binary);
    cat.args(["cat", "-v", "image-soci.tar", EXAMPLE_FILE])
        .current_dir(&folder);
    let read = cat
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot run {}: {error}", binary.display()))?;
    let original =
        fs::read(root().join("Cargo.lock")).map_err(|error| format!("cannot read Cargo.lock: {error}"))?;
    if !read.status.success() || read.stdout != original {
        return Err("the file that was read differs from the one that went into the image".to_owned());
    }
    println!("  {} bytes, the same as went in", read.stdout.len());

    say("Lint a task definition: the verdict of each container, and the line that decides it.");
    let task = root().join("examples/demo/task-definition.json");
    soci(&["lint", "--fail-on", "never", &task.display().to_string()])?;

    let took = started.elapsed().as_secs();
    say(&format!(
        "That was all, {took} seconds, {built} of them for building the program. Your own image:"
    ));
    println!(
        "  cargo install --locked --path crates/cargo-soci\n  \
         cargo soci convert HOST/app:1.0 HOST/app:1.0-soci      # HOST: ACCOUNT.dkr.ecr.REGION.amazonaws.com\n  \
         cargo soci lint task-definition.json                   # with app:1.0-soci in it\n\n\
         docs/start.md goes through it step by step."
    );
    Ok(())
}

fn say(text: &str) {
    println!("\n=== {text}");
}

/// Runs one of our commands with its output shown.
fn must_quietly(command: &mut Command) -> Outcome {
    match command.stdin(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("the command above ended with {status}")),
        Err(error) => Err(format!("cannot run {}: {error}", command.get_program().display())),
    }
}

/// Writes `image.tar`: a large layer of this repository's test vectors, a small one of the example.
pub(crate) fn make_image(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let vectors = root().join("tests/vectors");
    let base = layer(
        folder,
        "base.tar.gz",
        &[
            (vectors, "srv/data"),
            (root().join("Cargo.lock"), "srv/app/Cargo.lock"),
        ],
    )?;
    let app = layer(
        folder,
        "app.tar.gz",
        &[(root().join("examples/demo/app"), "srv/app")],
    )?;
    let layout = folder.join("layout");
    oci::write_layout(&layout, &[base, app], "1.0")?;
    let mut archive = tar::Builder::new(File::create(folder.join("image.tar"))?);
    archive.append_dir_all("", &layout)?;
    archive.finish()?;
    fs::remove_dir_all(&layout)
}

/// A gzip'd tar of files and folders under the given names.
fn layer(folder: &Path, name: &str, content: &[(PathBuf, &str)]) -> io::Result<PathBuf> {
    let path = folder.join(name);
    let mut archive = tar::Builder::new(GzEncoder::new(File::create(&path)?, Compression::default()));
    archive.mode(tar::HeaderMode::Deterministic);
    for (from, name) in content {
        if from.is_dir() {
            archive.append_dir_all(name, from)?;
        } else {
            archive.append_path_with_name(from, name)?;
        }
    }
    archive.into_inner()?.finish()?;
    Ok(path)
}
