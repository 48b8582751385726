//! `cargo xtask demo`: the main job on an example image made on the spot.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::oci;
use crate::run::{Outcome, cargo, must, output, root, target};

/// The file that is read back through its spans.
const EXAMPLE_FILE: &str = "/srv/app/Cargo.lock";

/// Makes a small image, converts, inspects, verifies, extracts, lints; says what it does and what comes next.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    if !arguments.is_empty() {
        return Err(format!("demo takes no arguments, not {arguments:?}"));
    }
    must(cargo().args(["build", "--locked", "--package", "cargo-soci"]))?;
    let folder = target().join("demo");
    let _ = fs::remove_dir_all(&folder);
    make_image(&folder)
        .map_err(|error| format!("cannot make the example image in {}: {error}", folder.display()))?;
    let binary = target().join("debug/cargo-soci");
    let soci = |words: &[&str]| {
        println!("\n$ cargo soci {}", words.join(" "));
        must_quietly(Command::new(&binary).args(words).current_dir(&folder))
    };

    say("An image as a builder leaves it: an OCI archive of two layers, made of files of this repository.");
    println!("  {}", folder.join("image.tar").display());

    say(
        "Convert it: each layer is read once; the zTOCs, the SOCI index and the new manifests go into a new archive.",
    );
    soci(&["convert", "image.tar", "image-soci.tar"])?;

    say("Look at it: which layers will be loaded lazily, and why another will not.");
    soci(&["inspect", "image-soci.tar"])?;

    say(
        "Check it as a client would: every span is opened from its checkpoint, every file compared with a plain walk.",
    );
    soci(&["verify", "image-soci.tar"])?;

    say("Read one file out of the compressed layer through the spans that hold it, nothing else.");
    let layer = unpack_layer(&binary, &folder)?;
    soci(&["ztoc", "build", &layer, "-o", "layer.ztoc"])?;
    soci(&[
        "ztoc",
        "extract",
        &layer,
        "layer.ztoc",
        EXAMPLE_FILE,
        "-o",
        "Cargo.lock",
    ])?;
    let extracted =
        fs::read(folder.join("Cargo.lock")).map_err(|error| format!("nothing was extracted: {error}"))?;
    let original =
        fs::read(root().join("Cargo.lock")).map_err(|error| format!("cannot read Cargo.lock: {error}"))?;
    if extracted != original {
        return Err("the extracted file differs from the one that went into the image".to_owned());
    }
    println!("  {} bytes, the same as went in", extracted.len());

    say("Lint a task definition: the verdict of each container, and the line that decides it.");
    let task = root().join("examples/demo/task-definition.json");
    soci(&["lint", "--fail-on", "never", &task.display().to_string()])?;

    say("Your own image, from a build to a tag that Fargate loads lazily:");
    println!(
        "  docker buildx build --output type=oci,dest=image.tar .\n  \
         cargo soci convert image.tar docker://ACCOUNT.dkr.ecr.REGION.amazonaws.com/app:1.0-soci\n  \
         cargo soci lint task-definition.json\n\n\
         Install the command with: cargo install --locked --path crates/cargo-soci"
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

/// Takes the largest layer out of the converted archive; gives its file name.
fn unpack_layer(binary: &Path, folder: &Path) -> Result<String, String> {
    let report = output(
        Command::new(binary)
            .args(["inspect", "--format", "json", "image-soci.tar"])
            .current_dir(folder),
    )?;
    let report: Value =
        serde_json::from_str(&report).map_err(|error| format!("inspect printed no JSON: {error}"))?;
    let digest = largest_layer(&report).ok_or("inspect named no layer")?;
    let blob = format!("blobs/{}", digest.replace(':', "/"));
    must_quietly(
        Command::new("tar")
            .args(["-xf", "image-soci.tar", &blob])
            .current_dir(folder),
    )?;
    Ok(blob)
}

/// The digest of the largest object anywhere in the report that has a digest, a size and a compression.
fn largest_layer(report: &Value) -> Option<String> {
    fn visit<'a>(value: &'a Value, best: &mut Option<(u64, &'a str)>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| visit(item, best)),
            Value::Object(fields) => {
                if let (Some(digest), Some(size), true) = (
                    value["digest"].as_str(),
                    value["size"].as_u64(),
                    fields.contains_key("compression"),
                ) && best.is_none_or(|(largest, _)| size > largest)
                {
                    *best = Some((size, digest));
                }
                fields.values().for_each(|field| visit(field, best));
            }
            _ => {}
        }
    }
    let mut best = None;
    visit(report, &mut best);
    best.map(|(_, digest)| digest.to_owned())
}
