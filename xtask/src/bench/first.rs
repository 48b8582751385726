//! What somebody waits for who has just met the program: the demo, the first verdict, the first converted image.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::measure::{ascending, seconds};
use super::{Bench, image, inputs};
use crate::readme;
use crate::run::{Outcome, cargo, root};

/// Uncompressed bytes of the image, about 400 MB as gzip.
const LAYER: u64 = 1_150_000_000;

/// The demo from a clean clone with nothing built and again; then lint and convert, whole processes.
pub(super) fn results(bench: &Bench) -> Outcome {
    let folder = bench.folder.join("first");
    let built = folder.join("target");
    let _ = fs::remove_dir_all(&built);
    let clone = folder.join("clone");
    readme::clean_clone(&clone)?;
    let mut demo = cargo();
    demo.args(["xtask", "demo"])
        .current_dir(&clone)
        .env("CARGO_TARGET_DIR", &built);
    let cold = seconds(&mut demo)?;
    let warm = median(bench.rounds, || seconds(&mut demo))?;

    let document = root().join("examples/demo/task-definition.json");
    let mut lint = Command::new(&bench.binary);
    lint.args(["lint", "--fail-on", "never"]).arg(document);
    let lint = median(bench.rounds, || seconds(&mut lint))?;

    let layer = inputs::layer(&bench.folder, "first", 0, LAYER)?;
    let bytes = fs::metadata(&layer)
        .map_err(|error| format!("{}: {error}", layer.display()))?
        .len();
    let layout = image::layout(bench, "first-image", &[layer])?;
    let converted = bench.folder.join("first-converted");
    let convert = median(bench.rounds, || convert(bench, &layout, &converted))?;

    let row = |what: &str, seconds: f64| vec![what.to_owned(), format!("{seconds:.2}")];
    bench.format.title("Times to a first result (`first`)");
    bench.format.table(
        &["", "wall s"],
        &[
            row("`cargo xtask demo`, nothing built, crates downloaded", cold),
            row("`cargo xtask demo`, again", warm),
            row("`lint` of the example", lint),
            row(
                &format!("`convert` of {:.0} MB, layout to layout", bytes as f64 / 1e6),
                convert,
            ),
        ],
    );
    Ok(())
}

fn convert(bench: &Bench, from: &Path, to: &Path) -> Result<f64, String> {
    let _ = fs::remove_dir_all(to);
    seconds(
        Command::new(&bench.binary)
            .args(["convert", "--quiet"])
            .arg(from)
            .arg(to),
    )
}

fn median(rounds: usize, mut run: impl FnMut() -> Result<f64, String>) -> Result<f64, String> {
    let seconds = ascending((0..rounds).map(|_| run()).collect::<Result<Vec<_>, _>>()?);
    Ok(seconds[seconds.len() / 2])
}
