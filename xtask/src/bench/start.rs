//! An image that is cut for a start: what the start then fetches and how long it takes by the estimate, and what
//! cutting costs the conversion.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::measure::{Contestant, compare};
use super::{Bench, image, inputs};
use crate::run::{Outcome, output};

/// Uncompressed sizes of the layers, and where in the material each begins.
const LAYERS: &[(u64, u64)] = &[
    (0, 300_000_000),
    (300_000_000, 200_000_000),
    (500_000_000, 150_000_000),
];

/// The start opens one file in so many of the first and the last layer.
const OPENED: usize = 3;

/// Of each it reads so many bytes out of so many: programs map libraries and read parts of them.
const READ: (u64, u64) = (256 << 10, 6 << 20);

const LINK: &str = "200Mbit/2ms";

/// Converts plainly and for a start, estimates both, and compares the conversions.
pub(super) fn run(bench: &Bench) -> Outcome {
    let mut layers = Vec::new();
    let mut opened = String::new();
    for (number, (skip, bytes)) in LAYERS.iter().enumerate() {
        let layer = inputs::layer(&bench.folder, &format!("start-{number}"), *skip, *bytes)?;
        if number != 1 {
            let names = output(Command::new("tar").arg("-tzf").arg(&layer))?;
            for name in names.lines().step_by(OPENED) {
                let path = format!("/{}", name.trim_start_matches('/'));
                let ranges: Vec<_> = (0..LAYERS[0].1 / READ.1)
                    .map(|part| (part * READ.1, part * READ.1 + READ.0))
                    .collect();
                let line = serde_json::json!({"op": "open", "path": path, "ranges": ranges});
                opened.push_str(&format!("{line}\n"));
            }
        }
        layers.push(layer);
    }
    let trace = bench.folder.join("start.trace");
    fs::write(&trace, opened).map_err(|error| format!("cannot write {}: {error}", trace.display()))?;
    let layout = image::layout(bench, "start-image", &layers)?;
    let at = |name: &str| bench.folder.join(name);
    let (plain, shaped) = (at("start-plain"), at("start-shaped"));
    convert(bench, &layout, &plain, None)?;
    convert(bench, &layout, &shaped, Some(&trace))?;
    let mut rows = Vec::new();
    for (image, what) in [(&plain, "plain"), (&shaped, "shaped")] {
        let estimate = estimate(bench, &trace, image)?;
        let ways = estimate["links"][0]["ways"]
            .as_array()
            .ok_or("no ways in the estimate")?;
        let ztocs: u64 = sum(&estimate["layers"], "ztoc_size");
        for (way, number) in ways.iter().zip(0..) {
            let name = match (number, what) {
                (0, "plain") => "pulled whole".to_owned(),
                (0, _) => continue,
                (1, _) => format!("{what} spans"),
                _ => format!("{what} spans, fetched ahead"),
            };
            let is_whole = number == 0;
            let cell = |text: String| if is_whole { String::new() } else { text };
            rows.push(vec![
                name,
                cell(estimate["start"]["spans"].to_string()),
                cell(megabytes(estimate["start"]["span_bytes"].as_u64().unwrap_or(0))),
                cell(megabytes(ztocs)),
                megabytes(way["bytes"].as_u64().unwrap_or(0)),
                format!("{:.2}", way["seconds"].as_f64().unwrap_or(f64::NAN)),
            ]);
        }
    }
    bench.format.title(&format!(
        "A start that opens one file in {OPENED} of two layers and reads {} KiB of every {} MiB, by the estimate over {LINK} \
         (`start`)",
        READ.0 >> 10,
        READ.1 >> 20
    ));
    let head = ["", "spans", "span MB", "zTOC MB", "MB until ready", "seconds"];
    bench.format.table(&head, &rows);
    let contestants = [
        Contestant::new("convert", converting(bench, &layout, "start-1", None)),
        Contestant::new("convert, zTOCs there", converting(bench, &plain, "start-2", None)),
        Contestant::new(
            "convert for the start, zTOCs there",
            converting(bench, &plain, "start-3", Some(&trace)),
        ),
        Contestant::new(
            "convert for the start",
            converting(bench, &layout, "start-4", Some(&trace)),
        ),
    ];
    let title = "The conversion of that image, 0.65 GB uncompressed, layout to layout (`start`)";
    compare(bench, title, &contestants, bench.rounds)
}

fn convert(bench: &Bench, from: &Path, to: &Path, trace: Option<&Path>) -> Outcome {
    let _ = fs::remove_dir_all(to);
    let mut command = Command::new(&bench.binary);
    command.args(["convert", "--quiet"]).arg(from).arg(to);
    if let Some(trace) = trace {
        command.arg("--start-trace").arg(trace);
    }
    output(&mut command).map(drop)
}

fn estimate(bench: &Bench, trace: &Path, image: &Path) -> Result<Value, String> {
    let mut command = Command::new(&bench.binary);
    command.arg("estimate").arg(trace).arg(image);
    command.args(["--link", LINK, "--format", "json"]);
    serde_json::from_str(&output(&mut command)?).map_err(|error| format!("the estimate is no JSON: {error}"))
}

fn sum(list: &Value, key: &str) -> u64 {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(|item| item[key].as_u64()).sum()
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / 1e6)
}

/// The command that converts to a place that is not there yet.
fn converting(bench: &Bench, layout: &Path, destination: &str, trace: Option<&Path>) -> Vec<String> {
    let script = "rm -rf \"$3\" && exec \"$1\" convert --quiet ${4:+--start-trace \"$4\"} \"$2\" \"$3\"";
    let paths =
        [&bench.binary, layout, &bench.folder.join(destination)].map(|path| path.display().to_string());
    let words = ["bash", "-c", script, "bash"].map(str::to_owned).into_iter();
    let trace = trace.map(|trace| trace.display().to_string());
    words.chain(paths).chain(trace).collect()
}
