//! One layer, indexed, against tools that only decompress it.

use std::path::Path;

use super::facts::allowed_cpus;
use super::measure::{Contestant, compare};
use super::{Bench, inputs};
use crate::run::Outcome;

const GIB: u64 = 1 << 30;

/// What the large layer has, uncompressed.
const LARGE: u64 = GIB + GIB / 8;

/// A layer of more than 1 GB uncompressed, on all cores.
pub(super) fn large(bench: &Bench) -> Outcome {
    let layer = inputs::layer(&bench.folder, "large", 0, LARGE)?;
    let title = "Layer of over 1 GB, all cores (`layer`)";
    against_decompressors(bench, title, &layer, &[], Some(0.95))
}

/// The same with every tool bound to one core.
pub(super) fn one_core(bench: &Bench) -> Outcome {
    let layer = inputs::layer(&bench.folder, "large", 0, LARGE)?;
    let core = cpu_list(1)?;
    let title = "Layer of over 1 GB, every tool bound to one core (`one-core`)";
    against_decompressors(
        bench,
        title,
        &layer,
        &["taskset", "--cpu-list", &core],
        Some(1.25),
    )
}

/// 150,000 small files.
pub(super) fn small_files(bench: &Bench) -> Outcome {
    let layer = inputs::small_files(&bench.folder, 150_000)?;
    let title = "Layer of 150,000 small files, all cores (`small-files`)";
    against_decompressors(bench, title, &layer, &[], None)
}

/// Two layers at once on two cores against the larger one alone on one core.
pub(super) fn two_layers(bench: &Bench) -> Outcome {
    let larger = inputs::layer(&bench.folder, "large", 0, LARGE)?;
    let smaller = inputs::layer(&bench.folder, "second", GIB / 4, GIB)?;
    let out = |name: &str| bench.folder.join(name);
    let script = "taskset --cpu-list \"$1\" \"$2\" ztoc build --quiet \"$3\" -o \"$5\" & first=$!; \
                  taskset --cpu-list \"$1\" \"$2\" ztoc build --quiet \"$4\" -o \"$6\" && wait $first";
    let ours = bench.binary.display().to_string();
    let words = |path: &Path| path.display().to_string();
    let alone = [
        "taskset".to_owned(),
        "--cpu-list".to_owned(),
        cpu_list(1)?,
        ours.clone(),
    ]
    .into_iter()
    .chain(["ztoc", "build", "--quiet"].map(str::to_owned))
    .chain([words(&larger), "-o".to_owned(), words(&out("alone.ztoc"))]);
    let both = ["bash", "-c", script, "bash"]
        .map(str::to_owned)
        .into_iter()
        .chain([
            cpu_list(2)?,
            ours,
            words(&larger),
            words(&smaller),
            words(&out("a.ztoc")),
            words(&out("b.ztoc")),
        ]);
    let contestants = [
        Contestant::new("larger layer alone, one core", alone).ztoc(&out("alone.ztoc")),
        // Two processes; the peak is that of one.
        Contestant::new("both layers at once, two cores", both)
            .goal(1.3)
            .ztoc(&out("a.ztoc")),
    ];
    let title = "Two layers on two cores (`two-layers`)";
    compare(bench, title, &contestants, bench.rounds)
}

/// The first processors that we may use.
fn cpu_list(count: usize) -> Result<String, String> {
    let cpus = allowed_cpus();
    if cpus.len() < count {
        return Err(format!(
            "this case needs {count} cores, and {} are there",
            cpus.len()
        ));
    }
    let numbers: Vec<String> = cpus[..count].iter().map(usize::to_string).collect();
    Ok(numbers.join(","))
}

fn against_decompressors(
    bench: &Bench,
    title: &str,
    layer: &Path,
    prefix: &[&str],
    goal: Option<f64>,
) -> Outcome {
    let ztoc = bench.folder.join("bench.ztoc");
    let words = [layer, &ztoc, &bench.binary].map(|path| path.display().to_string());
    let [layer, out, ours] = words.each_ref().map(String::as_str);
    let with = |name: &str, words: &[&str]| Contestant::new(name, prefix.iter().chain(words.iter()).copied());
    let build = [ours, "ztoc", "build", "--quiet", layer, "-o", out];
    let mut indexed = with("cargo soci ztoc build", &build).ztoc(&ztoc);
    if let Some(goal) = goal {
        indexed = indexed.goal(goal);
    }
    let contestants = [
        with("igzip -d", &["igzip", "-dc", layer]),
        indexed,
        with("libdeflate-gunzip", &["libdeflate-gunzip", "-c", layer]),
        with("pigz -d", &["pigz", "-dc", layer]),
        with("gzip -d", &["gzip", "-dc", layer]),
    ];
    compare(bench, title, &contestants, bench.rounds)?;
    let size = |path: &str| std::fs::metadata(path).map(|facts| facts.len()).unwrap_or(0);
    bench.format.note(&format!(
        "The layer has {} bytes, its zTOC {}.",
        size(layer),
        size(out)
    ));
    Ok(())
}
