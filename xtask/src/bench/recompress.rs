//! Plain layers of `docker save` written as gzip and indexed in the same pass, against pigz on the same bytes.

use std::fs;
use std::process::Command;

use super::measure::{Contestant, compare};
use super::{Bench, inputs};
use crate::run::{Outcome, must, output};

/// Uncompressed sizes of the two layers, and where in the material each begins.
const LAYERS: &[(u64, u64)] = &[(0, 300_000_000), (400_000_000, 300_000_000)];

/// Converts the archive; pigz and gzip compress its layers, with the same level.
pub(super) fn run(bench: &Bench) -> Outcome {
    let saved = bench.folder.join("saved.tar");
    let mut plain = Vec::new();
    for (number, (skip, bytes)) in LAYERS.iter().enumerate() {
        let packed = inputs::layer(&bench.folder, &format!("plain-{number}"), *skip, *bytes)?;
        let path = bench.folder.join(format!("plain-{number}.tar"));
        if !path.exists() {
            let script = "gzip -dc \"$1\" > \"$2.part\" && mv \"$2.part\" \"$2\"";
            must(
                Command::new("bash")
                    .args(["-c", script, "bash"])
                    .arg(packed)
                    .arg(&path),
            )?;
        }
        plain.push(path);
    }
    if !saved.exists() {
        let mut diff_ids = Vec::new();
        let mut names = Vec::new();
        for path in &plain {
            let told = output(Command::new("sha256sum").arg(path))?;
            let hex = told.split_whitespace().next().unwrap_or_default();
            diff_ids.push(format!("\"sha256:{hex}\""));
            names.push(
                path.file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
            );
        }
        let write = |name: &str, text: String| {
            let path = bench.folder.join(name);
            fs::write(&path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
        };
        write(
            "saved-config.json",
            format!(
                r#"{{"architecture":"amd64","os":"linux","rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
                diff_ids.join(",")
            ),
        )?;
        let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
        write(
            "manifest.json",
            format!(
                r#"[{{"Config":"saved-config.json","RepoTags":["bench:1"],"Layers":[{}]}}]"#,
                quoted.join(",")
            ),
        )?;
        must(
            Command::new("tar")
                .arg("--create")
                .arg("--file")
                .arg(&saved)
                .arg("--directory")
                .arg(&bench.folder)
                .args(["manifest.json", "saved-config.json"])
                .args(&names),
        )?;
    }
    let files = || plain.iter().map(|path| path.display().to_string());
    let words = |tool: &[&str]| -> Vec<String> {
        tool.iter()
            .map(|word| (*word).to_owned())
            .chain(files())
            .collect()
    };
    let converted = bench.folder.join("saved-soci.tar").display().to_string();
    let ours = [bench.binary.display().to_string()]
        .into_iter()
        .chain(["convert", "--quiet"].map(str::to_owned))
        .chain([saved.display().to_string(), converted]);
    let contestants = [
        Contestant::new("pigz -6, all cores", words(&["pigz", "-6", "-c"])),
        Contestant::new("convert docker-archive, gzip -6", ours),
        Contestant::new("gzip -6", words(&["gzip", "-6", "-c"])),
    ];
    let title = "Two plain layers of docker save, 600 MB, written as gzip (`recompress`)";
    compare(bench, title, &contestants, bench.rounds)
}
