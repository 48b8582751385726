//! `cargo xtask package [DIR]`: the npm package `@cargo-soci/lint`, ready for `npm pack` or `npm publish`.
//!
//! It is put together from what is committed: the module and its glue as the Action has them, the types that come
//! from the Rust structs, and the few files of `wasm/package`. The version is that of the workspace.

use std::path::{Path, PathBuf};

use crate::run::{Outcome, root, target};

/// Files of the package and where in the repository they come from.
const FILES: &[(&str, &str)] = &[
    ("README.md", "wasm/package/README.md"),
    ("browser.js", "wasm/package/browser.js"),
    ("lint.d.ts", "wasm/package/lint.d.ts"),
    ("lint.js", "wasm/package/lint.js"),
    ("node.js", "wasm/package/node.js"),
    ("soci_wasm.js", "wasm/glue/soci_wasm.js"),
    ("soci_wasm.wasm", "wasm/action/dist/soci_wasm.wasm"),
    // Declarations alone: no code belongs to them.
    ("types/options.d.ts", "wasm/types/options.ts"),
    ("types/report.d.ts", "wasm/types/report.ts"),
    ("types/rules.d.ts", "wasm/types/rules.ts"),
    ("LICENSE", "LICENSE"),
    ("LICENSES.txt", "wasm/action/dist/LICENSES.txt"),
];

/// `cargo xtask package [DIR]`; without a folder it is `target/package`.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let to = match arguments {
        [] => target().join("package"),
        [folder] if !folder.starts_with('-') => PathBuf::from(folder),
        _ => return Err(format!("package takes one folder or none, not {arguments:?}")),
    };
    build(&to)?;
    eprintln!("the package is in {}", to.display());
    Ok(())
}

/// Puts the package together in `to`, which holds nothing else afterwards.
pub(crate) fn build(to: &Path) -> Outcome {
    let failed = |error: std::io::Error| format!("cannot write {}: {error}", to.display());
    if to.join("package.json").exists() {
        std::fs::remove_dir_all(to).map_err(failed)?;
    }
    std::fs::create_dir_all(to.join("types")).map_err(failed)?;
    for (name, from) in FILES {
        let from = root().join(from);
        std::fs::copy(&from, to.join(name))
            .map_err(|error| format!("cannot copy {} to {}: {error}", from.display(), to.display()))?;
    }
    std::fs::write(to.join("package.json"), manifest()?).map_err(failed)
}

/// The package's manifest with its version and the list of its files. Put in as text: the first fitting key of
/// `exports` counts, so their order has to stay.
fn manifest() -> Result<String, String> {
    let path = root().join("wasm/package/package.json");
    let text =
        std::fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let files: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
    let ours = format!(
        "{{\n  \"version\": \"{}\",\n  \"files\": {},",
        env!("CARGO_PKG_VERSION"),
        serde_json::json!(files)
    );
    let manifest = text.replacen('{', &ours, 1);
    serde_json::from_str::<serde_json::Value>(&manifest)
        .map_err(|error| format!("{} with its version: {error}", path.display()))?;
    Ok(manifest)
}
