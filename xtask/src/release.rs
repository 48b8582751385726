//! `cargo xtask release VERSION [--dry-run]`: the new version everywhere it is written, and what a person must do then.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::dist;
use crate::run::{Outcome, cargo, must, output, root};

/// Writes the version, or with `--dry-run` says what would be written.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let (version, dry_run) = match arguments {
        [version] => (version, false),
        [version, flag] | [flag, version] if flag == "--dry-run" => (version, true),
        _ => {
            return Err(format!(
                "release takes a version and perhaps --dry-run, not {arguments:?}"
            ));
        }
    };
    let before = dist::version()?;
    check(&before, version)?;
    let date = output(Command::new("date").args(["--utc", "+%Y-%m-%d"]))?;
    let changes = [
        change("Cargo.toml", |text| manifest(text, &before, version))?,
        change("CHANGELOG.md", |text| changelog(text, version, date.trim()))?,
    ];
    for (name, old, new) in &changes {
        println!("{name}:");
        for line in different(old, new) {
            println!("  {line}");
        }
        if !dry_run {
            let path = root().join(name);
            fs::write(&path, new).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        }
    }
    if dry_run {
        println!("Cargo.lock:\n  the versions of this workspace's crates");
    } else {
        must(cargo().args(["update", "--workspace", "--offline"]))?;
    }
    println!("\n{}", what_a_person_does(version, dry_run));
    Ok(())
}

fn what_a_person_does(version: &str, dry_run: bool) -> String {
    let first = if dry_run {
        format!("run it without --dry-run: cargo xtask release {version}")
    } else {
        "read the changes: git diff".to_owned()
    };
    format!(
        "What a person does then:
  1. {first}
  2. look at what will be uploaded: cargo xtask dist --twice
  3. git commit -am 'release {version}' && git push, and wait for CI
  4. git tag -s v{version} -m v{version} && git push origin v{version}: the tag starts .github/workflows/release.yml
  5. approve the environment `release` there; it publishes the crates, the GitHub release and the image
  6. move the major tag of the Action: git tag -f v{} v{version}^{{}} && git push -f origin v{}
Once, before the first release: trusted publishing of each crate at the registry of crates (workflow release.yml, environment
release), for which a crate must have been published by hand once; the environments `release` and `github-pages`.",
        major(version),
        major(version)
    )
}

/// The part of a version that the Action's users follow.
fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or(version)
}

/// Only a larger version, written out, and with something to say about it.
fn check(before: &str, version: &str) -> Outcome {
    let numbers =
        |text: &str| -> Option<Vec<u64>> { text.split('.').map(|part| part.parse().ok()).collect() };
    let old = numbers(before)
        .ok_or_else(|| format!("the version {before} of the workspace is no three numbers"))?;
    match numbers(version) {
        Some(new) if new.len() == 3 && new > old => Ok(()),
        Some(new) if new.len() == 3 => Err(format!("{version} does not come after {before}")),
        _ => Err(format!("{version} is no version: three numbers, such as 0.2.0")),
    }
}

/// A file, as it is and as it becomes.
fn change(
    name: &'static str,
    new: impl FnOnce(&str) -> Result<String, String>,
) -> Result<(&'static str, String, String), String> {
    let path = root().join(Path::new(name));
    let old =
        fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let new = new(&old).map_err(|error| format!("{name}: {error}"))?;
    Ok((name, old, new))
}

/// The version of the workspace and those that its crates ask of each other.
fn manifest(text: &str, before: &str, version: &str) -> Result<String, String> {
    let mut changed = 0;
    let lines: Vec<String> = text
        .lines()
        .map(|line| {
            let is_ours = line.starts_with("version = ") || line.contains("path = \"crates/");
            let old = format!("version = \"{before}\"");
            if is_ours && line.contains(&old) {
                changed += 1;
                line.replace(&old, &format!("version = \"{version}\""))
            } else {
                line.to_owned()
            }
        })
        .collect();
    if changed < 2 {
        return Err(format!(
            "version {before} stands there {changed} times, and it is asked for by each crate"
        ));
    }
    Ok(lines.join("\n") + "\n")
}

/// What is unreleased becomes the version's, under a new empty heading.
fn changelog(text: &str, version: &str, date: &str) -> Result<String, String> {
    const UNRELEASED: &str = "## Unreleased\n";
    let (above, below) = text.split_once(UNRELEASED).ok_or("there is no `## Unreleased`")?;
    let entry = below.split("\n## ").next().unwrap_or_default();
    if !entry.contains("* ") {
        return Err("nothing is written under `## Unreleased`".to_owned());
    }
    Ok(format!("{above}{UNRELEASED}\n## {version} - {date}\n{below}"))
}

/// Lines that are in one text only.
fn different(old: &str, new: &str) -> Vec<String> {
    let gone = old
        .lines()
        .filter(|line| !new.lines().any(|other| other == *line));
    let come = new
        .lines()
        .filter(|line| !old.lines().any(|other| other == *line));
    gone.map(|line| format!("- {line}"))
        .chain(come.map(|line| format!("+ {line}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_only_grow() {
        assert!(check("0.1.0", "0.2.0").is_ok() && check("0.9.0", "0.10.0").is_ok());
        for wrong in ["0.1.0", "0.0.9", "1", "v0.2.0", "0.2.0-rc.1", "0.2.0.1"] {
            assert!(check("0.1.0", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_dry_run_on_this_repository_finds_all_that_must_change() {
        let (_, old, new) =
            change("Cargo.toml", |text| manifest(text, &dist::version()?, "999.0.0")).expect("found");
        let ours = old
            .lines()
            .filter(|line| line.contains("path = \"crates/"))
            .count();
        assert_eq!(new.matches("version = \"999.0.0\"").count(), ours + 1);
        let (_, _, new) =
            change("CHANGELOG.md", |text| changelog(text, "999.0.0", "2026-11-28")).expect("an entry");
        assert!(new.contains("## Unreleased\n\n## 999.0.0 - 2026-11-28\n"));
    }

    #[test]
    fn an_empty_changelog_is_no_release() {
        assert!(changelog("# C\n\n## Unreleased\n\n## 0.1.0 - x\n* a\n", "0.2.0", "d").is_err());
        assert!(changelog("# C\n", "0.2.0", "d").is_err());
    }
}
