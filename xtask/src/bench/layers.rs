//! One layer, indexed, against tools that only decompress it.

use std::path::Path;

use super::Bench;
use super::inputs;
use super::measure::{Contestant, compare};
use crate::run::Outcome;

const GIB: u64 = 1 << 30;

/// A layer of more than 1 GB uncompressed, on all cores.
pub(super) fn large(bench: &Bench) -> Outcome {
    let layer = inputs::layer(&bench.folder, "large", 0, GIB + GIB / 8)?;
    against_decompressors("layer of over 1 GB, all cores", bench, &layer, &[])
}

/// The same on one core.
pub(super) fn one_core(bench: &Bench) -> Outcome {
    let layer = inputs::layer(&bench.folder, "large", 0, GIB + GIB / 8)?;
    against_decompressors(
        "layer of over 1 GB, one core",
        bench,
        &layer,
        &["taskset", "--cpu-list", "0"],
    )
}

/// 150,000 small files.
pub(super) fn small_files(bench: &Bench) -> Outcome {
    let layer = inputs::small_files(&bench.folder, 150_000)?;
    against_decompressors("layer of 150,000 small files, all cores", bench, &layer, &[])
}

/// Two layers at once on two cores against the larger one alone on one core.
pub(super) fn two_layers(bench: &Bench) -> Outcome {
    let larger = inputs::layer(&bench.folder, "large", 0, GIB + GIB / 8)?;
    let smaller = inputs::layer(&bench.folder, "second", GIB / 4, GIB)?;
    let ours = bench.binary.display().to_string();
    let one = vec!["taskset", "--cpu-list", "0", &ours, "ztoc", "build"];
    let mut alone: Vec<String> = one.into_iter().map(str::to_owned).collect();
    let out = |name: &str| bench.folder.join(name).display().to_string();
    alone.extend([larger.display().to_string(), "-o".to_owned(), out("alone.ztoc")]);
    let script = "taskset --cpu-list 0,1 \"$1\" ztoc build \"$2\" -o \"$4\" & first=$!; \
                  taskset --cpu-list 0,1 \"$1\" ztoc build \"$3\" -o \"$5\" && wait $first";
    let both: Vec<String> = ["bash", "-c", script, "bash", &ours]
        .into_iter()
        .map(str::to_owned)
        .chain([
            larger.display().to_string(),
            smaller.display().to_string(),
            out("a.ztoc"),
            out("b.ztoc"),
        ])
        .collect();
    let contestants = [
        Contestant::new("larger layer, one core", alone),
        Contestant::new("both layers, two cores", both),
    ];
    compare(
        "two layers on two cores",
        &contestants,
        bench.rounds,
        &bench.folder,
    )
}

fn against_decompressors(title: &str, bench: &Bench, layer: &Path, prefix: &[&str]) -> Outcome {
    let layer = layer.display().to_string();
    let ztoc = bench.folder.join("bench.ztoc").display().to_string();
    let ours = bench.binary.display().to_string();
    let tools: &[(&str, &[&str])] = &[
        ("igzip -d", &["igzip", "-dc", &layer]),
        (
            "cargo soci ztoc build",
            &[&ours, "ztoc", "build", &layer, "-o", &ztoc],
        ),
        ("libdeflate-gunzip", &["libdeflate-gunzip", "-c", &layer]),
        ("pigz -d", &["pigz", "-dc", &layer]),
        ("gzip -d", &["gzip", "-dc", &layer]),
    ];
    let contestants: Vec<Contestant> = tools
        .iter()
        .map(|(name, words)| Contestant::new(name, prefix.iter().chain(words.iter()).copied()))
        .collect();
    compare(title, &contestants, bench.rounds, &bench.folder)?;
    let size = |path: &str| std::fs::metadata(path).map(|facts| facts.len()).unwrap_or(0);
    println!("layer {} bytes, zTOC {} bytes", size(&layer), size(&ztoc));
    Ok(())
}
