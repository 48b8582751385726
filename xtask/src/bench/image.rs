//! Whole images, converted: layout to layout and layout to archive, with few layers and with many.

use std::path::{Path, PathBuf};

use super::measure::{Contestant, compare};
use super::{Bench, inputs};
use crate::oci;
use crate::run::Outcome;

/// Uncompressed sizes of the layers, 2.16 GB together, and where in the material each begins.
const LAYERS: &[(u64, u64)] = &[
    (0, 1_100_000_000),
    (300_000_000, 700_000_000),
    (600_000_000, 360_000_000),
];

/// What each of many layers has, uncompressed.
const SMALL: u64 = 100_000_000;

/// Converts the image; the decompressors work on the same layers, one after another.
pub(super) fn convert(bench: &Bench) -> Outcome {
    let mut layers = Vec::new();
    for (number, (skip, bytes)) in LAYERS.iter().enumerate() {
        layers.push(inputs::layer(
            &bench.folder,
            &format!("image-{number}"),
            *skip,
            *bytes,
        )?);
    }
    let layout = layout(bench, "image", &layers)?;
    let decompress = |tool: &[&str]| {
        let blobs = layers.iter().map(|layer| layer.display().to_string());
        let words = tool.iter().map(|word| (*word).to_owned());
        words.chain(blobs).collect::<Vec<_>>()
    };
    let contestants = [
        Contestant::new("igzip -d of its layers", decompress(&["igzip", "-dc"])),
        Contestant::new(
            "convert, layout to layout",
            converting(bench, &layout, "converted", None),
        ),
        Contestant::new(
            "convert, layout to archive",
            converting(bench, &layout, "converted.tar", None),
        ),
        Contestant::new("gzip -d of its layers", decompress(&["gzip", "-dc"])),
    ];
    let title = "Image of three layers, 2.16 GB uncompressed (`image`)";
    compare(bench, title, &contestants, bench.rounds)
}

/// Memory must not grow with the number of layers, whatever the destination.
pub(super) fn many_layers(bench: &Bench) -> Outcome {
    let mut layers = Vec::new();
    for number in 0..12 {
        let name = format!("twelfth-{number}");
        layers.push(inputs::layer(&bench.folder, &name, number * SMALL, SMALL)?);
    }
    let few = layout(bench, "image-of-3", &layers[..3])?;
    let many = layout(bench, "image-of-12", &layers)?;
    let run =
        |name: &str, from: &Path, to: &str| Contestant::new(name, converting(bench, from, to, Some("2")));
    let contestants = [
        run("3 layers, layout to layout", &few, "converted-3"),
        run("3 layers, layout to archive", &few, "converted-3.tar"),
        run("12 layers, layout to layout", &many, "converted-12"),
        run("12 layers, layout to archive", &many, "converted-12.tar"),
    ];
    let title = "Layers of 100 MB, `--jobs 2`: memory by number (`many-layers`)";
    compare(bench, title, &contestants, bench.rounds)
}

/// The layout with these layers, made once.
pub(super) fn layout(bench: &Bench, name: &str, layers: &[PathBuf]) -> Result<PathBuf, String> {
    let layout = bench.folder.join(name);
    if !layout.join("index.json").exists() {
        oci::write_layout(&layout, layers, "bench")
            .map_err(|error| format!("cannot write {}: {error}", layout.display()))?;
    }
    Ok(layout)
}

/// The command that converts a layout to a place that is not there yet.
fn converting(bench: &Bench, layout: &Path, destination: &str, jobs: Option<&str>) -> Vec<String> {
    let script = "rm -rf \"$3\" && exec \"$1\" convert --quiet ${4:+--jobs \"$4\"} \"$2\" \"$3\"";
    let paths =
        [&bench.binary, layout, &bench.folder.join(destination)].map(|path| path.display().to_string());
    let words = ["bash", "-c", script, "bash"].map(str::to_owned).into_iter();
    words.chain(paths).chain(jobs.map(str::to_owned)).collect()
}
