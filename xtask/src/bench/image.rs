//! A whole image of three layers, converted: layout to layout and layout to archive.

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
    let layout = bench.folder.join("image");
    if !layout.join("index.json").exists() {
        oci::write_layout(&layout, &layers, "bench")
            .map_err(|error| format!("cannot write {}: {error}", layout.display()))?;
    }
    let ours = bench.binary.display().to_string();
    let convert = |destination: &str| {
        let script = "rm -rf \"$3\" && exec \"$1\" convert --quiet \"$2\" \"$3\"";
        let destination = bench.folder.join(destination).display().to_string();
        ["bash", "-c", script, "bash"]
            .map(str::to_owned)
            .into_iter()
            .chain([ours.clone(), layout.display().to_string(), destination])
    };
    let decompress = |tool: &[&str]| {
        let blobs = layers.iter().map(|layer| layer.display().to_string());
        tool.iter()
            .map(|word| (*word).to_owned())
            .chain(blobs)
            .collect::<Vec<_>>()
    };
    let contestants = [
        Contestant::new("igzip -d of its layers", decompress(&["igzip", "-dc"])),
        Contestant::new("convert, layout to layout", convert("converted")),
        Contestant::new("convert, layout to archive", convert("converted.tar")),
        Contestant::new("gzip -d of its layers", decompress(&["gzip", "-dc"])),
    ];
    compare(
        "image of three layers, 2.16 GB uncompressed",
        &contestants,
        bench.rounds,
        &bench.folder,
    )
}
