//! Starts run on this machine over shaped links, beside what the estimate says of them. Needs root, FUSE and runc.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use super::measure::ascending;
use super::{Bench, image, inputs};
use crate::run::{Outcome, must, output};

/// Bandwidth and round trip.
const LINKS: [&str; 3] = ["200Mbit/2ms", "1Gbit/1ms", "50Mbit/20ms"];

/// Uncompressed bytes of a layer that no start reads.
const MATERIAL: u64 = 200_000_000;

/// A start of an image.
struct Start {
    name: &'static str,
    title: &'static str,
    layers: Vec<PathBuf>,
    command: Vec<String>,
}

/// Three images and starts, each lazily and pulled whole, over each link.
pub(super) fn starts(bench: &Bench) -> Outcome {
    let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]))?;
    let rustc = Path::new(sysroot.trim()).join("bin/rustc");
    let shell = PathBuf::from("/usr/bin/dash");
    let cat = PathBuf::from("/usr/bin/cat");
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let compiler = programs(&bench.folder, "compiler", std::slice::from_ref(&rustc))?;
    let tools = programs(&bench.folder, "tools", &[rustc.clone(), cat])?;
    let small = "for file in /app/node_modules/package-1*/lib/*; do read line < $file; done";
    for start in [
        Start {
            name: "compiler",
            title: "`rustc --version`: pages all over two large libraries",
            layers: vec![inputs::layer(&bench.folder, "trace", 0, MATERIAL)?, compiler],
            command: vec![rustc.display().to_string(), "--version".to_owned()],
        },
        Start {
            name: "shell",
            title: "a shell that opens thousands of small files",
            layers: vec![
                inputs::small_files(&bench.folder, 20_000)?,
                programs(&bench.folder, "shell", &[shell])?,
            ],
            command: words(&["/usr/bin/dash", "-c", small]),
        },
        Start {
            name: "large-file",
            title: "`cat` of one large file",
            layers: vec![tools],
            command: words(&["/usr/bin/cat", &large(&rustc)?]),
        },
    ] {
        one(bench, &start)?;
    }
    Ok(())
}

/// The largest library of the compiler.
fn large(rustc: &Path) -> Result<String, String> {
    let libraries = libraries(rustc)?;
    let size = |path: &&String| fs::metadata(path).map_or(0, |facts| facts.len());
    let found = libraries.iter().max_by_key(size);
    found
        .map(|path| plain(Path::new(path)).display().to_string())
        .ok_or_else(|| "rustc has no libraries".to_owned())
}

fn one(bench: &Bench, start: &Start) -> Outcome {
    let plain = image::layout(bench, &format!("trace-image-{}", start.name), &start.layers)?;
    let lazy = bench.folder.join("trace-soci");
    let _ = fs::remove_dir_all(&lazy);
    must(
        Command::new(&bench.binary)
            .args(["convert", "--quiet", "--min-layer-size", "1MiB"])
            .args([&plain, &lazy])
            .stdout(Stdio::null()),
    )?;
    let mut rows = Vec::new();
    for link in LINKS {
        let trace = bench.folder.join("bench.trace");
        let report = |flags: &[&str]| -> Result<Value, String> {
            let mut command = Command::new(&bench.binary);
            command
                .arg("trace")
                .arg(&lazy)
                .args(["--ready-exit", "--format", "json", "--link", link])
                .args(flags);
            command.arg("--").args(&start.command);
            json(&mut command)
        };
        let output = trace.display().to_string();
        let mut whole = Vec::new();
        let mut warm = Vec::new();
        let mut lazily = Vec::new();
        for _ in 0..bench.rounds.min(3) {
            let run = report(&["--whole"])?;
            whole.push(number(&run["seconds"])?);
            warm.push(number(&run["container_seconds"])?);
            lazily.push(number(&report(&["--output", &output])?["seconds"])?);
        }
        let estimated = json(
            Command::new(&bench.binary)
                .arg("estimate")
                .args([&trace, &lazy])
                .args(["--format", "json", "--link", link]),
        )?;
        let warm = median(warm);
        let mut row = vec![link.to_owned()];
        for (measured, way) in [(median(lazily), "lazy"), (median(whole), "pulled whole")] {
            let ways = estimated["links"][0]["ways"].as_array();
            let found = ways.and_then(|ways| ways.iter().find(|found| found["way"] == way));
            let model = number(&found.ok_or("the estimate lacks a way")?["seconds"])? + warm;
            row.extend([
                format!("{measured:.2}"),
                format!("{model:.2}"),
                format!("{:.2}", model / measured),
            ]);
        }
        rows.push(row);
    }
    bench.format.title(&format!("A start: {} (`trace`)", start.title));
    let head = [
        "link", "lazy s", "estimate", "ratio", "whole s", "estimate", "ratio",
    ];
    bench.format.table(&head, &rows);
    bench.format.note(
        "Seconds until the program has ended. An estimate is that of `estimate` with the seconds that the program takes by \
         itself: those of the container when all of the image is on the disk.",
    );
    Ok(())
}

fn json(command: &mut Command) -> Result<Value, String> {
    let text = output(command)?;
    serde_json::from_str(&text).map_err(|error| format!("no JSON: {error}: {text}"))
}

fn number(value: &Value) -> Result<f64, String> {
    value.as_f64().ok_or_else(|| format!("no number: {value}"))
}

fn median(values: Vec<f64>) -> f64 {
    let values = ascending(values);
    values[values.len() / 2]
}

/// A layer with programs of this machine and the libraries that they are linked with.
fn programs(folder: &Path, name: &str, programs: &[PathBuf]) -> Result<PathBuf, String> {
    let path = folder.join(format!("trace-{name}.tar.gz"));
    let mut files: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
    for program in programs {
        files.insert(plain(program), program.clone());
        for library in libraries(program)? {
            files.insert(plain(Path::new(&library)), PathBuf::from(library));
        }
    }
    let wrong = |error: std::io::Error| format!("cannot write {}: {error}", path.display());
    let gzip = GzEncoder::new(File::create(&path).map_err(wrong)?, Compression::default());
    let mut archive = tar::Builder::new(gzip);
    for (name, file) in files {
        let name = name.strip_prefix("/").unwrap_or(&name);
        archive.append_path_with_name(&file, name).map_err(wrong)?;
    }
    let gzip = archive.into_inner().map_err(wrong)?;
    gzip.finish().map_err(wrong)?;
    Ok(path)
}

/// What the linker of programs would load.
fn libraries(program: &Path) -> Result<Vec<String>, String> {
    // Cargo's own, for what it runs; the container has none.
    let told = output(Command::new("ldd").arg(program).env_remove("LD_LIBRARY_PATH"))?;
    let words = told.split_whitespace().filter(|word| word.starts_with('/'));
    Ok(words.map(|word| word.trim_end_matches(':').to_owned()).collect())
}

/// The path without `..`: a name in an archive, which the linker finds through folders that need not be there.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            other => plain.push(other),
        }
    }
    plain
}
