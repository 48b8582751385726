//! `cargo xtask readme [--slow]`: the README, followed literally in a clean clone.
//!
//! Every block of commands runs with `sh -e`, one after the other, in the clone. A comment above a block exempts it:
//! `<!-- needs: an AWS account -->` forever, `<!-- slow: … -->` unless `--slow` is given.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::run::{Outcome, cargo, must, output, root, target};

/// A block of commands.
#[derive(Debug, PartialEq, Eq)]
struct Block {
    /// The line of the README that it begins at.
    line: usize,
    commands: String,
    /// The comment above it.
    mark: Option<String>,
}

/// Follows the README.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let slow = match arguments {
        [] => false,
        [flag] if flag == "--slow" => true,
        _ => return Err(format!("readme takes --slow or nothing, not {arguments:?}")),
    };
    let clone = target().join("readme/clone");
    clean_clone(&clone)?;
    must(cargo().args(["build", "--quiet", "--locked", "--package", "cargo-soci"]))?;
    let text = fs::read_to_string(clone.join("README.md"))
        .map_err(|error| format!("cannot read the README: {error}"))?;
    let (mut ran, mut exempt) = (0, 0);
    for block in blocks(&text)? {
        match block.mark.as_deref() {
            Some(mark) if mark.starts_with("needs: ") || (mark.starts_with("slow: ") && !slow) => {
                println!("README.md:{}: not run, {mark}", block.line);
                exempt += 1;
            }
            Some(mark) if !mark.starts_with("slow: ") => {
                return Err(format!(
                    "README.md:{}: the mark {mark:?} is not known",
                    block.line
                ));
            }
            _ => {
                println!("README.md:{}:\n{}", block.line, block.commands);
                follow(&block, &clone)?;
                ran += 1;
            }
        }
    }
    if ran == 0 {
        return Err("no block of the README was run: it or this command has changed its form".to_owned());
    }
    println!("README: {ran} blocks run in a clean clone, {exempt} not");
    Ok(())
}

/// Clones what is committed here into `folder`.
pub(crate) fn clean_clone(folder: &Path) -> Outcome {
    let _ = fs::remove_dir_all(folder);
    let changes = output(
        Command::new("git")
            .args(["status", "--porcelain"])
            .current_dir(root()),
    )?;
    if !changes.is_empty() {
        eprintln!("note: the clone has what is committed; these changes are not in it:\n{changes}");
    }
    must(
        Command::new("git")
            .args(["clone", "--quiet", "--no-hardlinks"])
            .arg(root())
            .arg(folder),
    )
}

fn follow(block: &Block, clone: &Path) -> Outcome {
    let home = target().join("readme/home");
    let path = std::env::var_os("PATH").unwrap_or_default();
    // The program as `cargo install` would have put it there, and a cargo that installs into a folder of ours.
    let folders = [home.join("bin"), target().join("debug")]
        .into_iter()
        .chain(std::env::split_paths(&path));
    let path = std::env::join_paths(folders).map_err(|error| format!("PATH: {error}"))?;
    let mut shell = Command::new("sh");
    shell
        .args(["-e", "-x", "-c", &block.commands])
        .current_dir(clone)
        .env("PATH", path)
        .env("CARGO_INSTALL_ROOT", &home)
        .env("DOCKER_CONFIG", home.join("docker"))
        // Not ours: cargo would take what was built from the clone for what is built from here, and the reverse.
        .env("CARGO_TARGET_DIR", target().join("readme/target"))
        .stdin(Stdio::null());
    for name in [
        "CARGO_MANIFEST_DIR",
        "CARGO_MANIFEST_PATH",
        "CARGO_PKG_NAME",
        "CARGO_PKG_VERSION",
    ] {
        shell.env_remove(name);
    }
    match shell.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("README.md:{}: ended with {status}", block.line)),
        Err(error) => Err(format!("cannot run sh: {error}")),
    }
}

/// The blocks of commands. Every fence has a language, so that none is overlooked.
fn blocks(text: &str) -> Result<Vec<Block>, String> {
    let mut blocks = Vec::new();
    let mut mark = None;
    let mut open: Option<(usize, bool, String)> = None;
    for (number, line) in text.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some("")) => return Err(format!("README.md:{}: a block without a language", number + 1)),
            (None, Some(language)) => open = Some((number + 2, language == "sh", String::new())),
            (Some(_), Some(_)) => {
                if let Some((line, true, commands)) = open.take() {
                    blocks.push(Block {
                        line,
                        commands,
                        mark: mark.take(),
                    });
                }
                mark = None;
            }
            (Some((_, _, commands)), None) => {
                commands.push_str(line);
                commands.push('\n');
            }
            (None, None) => {
                let comment = line
                    .strip_prefix("<!-- ")
                    .and_then(|rest| rest.strip_suffix(" -->"));
                match comment {
                    Some(comment) => mark = Some(comment.to_owned()),
                    None if !line.trim().is_empty() => mark = None,
                    None => {}
                }
            }
        }
        if line.starts_with("    ") && open.is_none() {
            return Err(format!(
                "README.md:{}: an indented block, which is not followed",
                number + 1
            ));
        }
    }
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_their_marks() {
        let text =
            "<!-- needs: x -->\n```sh\na\n```\n\n```sh\nb\nc\n```\n<!-- slow: y -->\ntext\n```yaml\nd\n```\n";
        let blocks = blocks(text).expect("well formed");
        let shown: Vec<_> = blocks
            .iter()
            .map(|block| (block.commands.as_str(), block.mark.as_deref()))
            .collect();
        assert_eq!(shown, [("a\n", Some("needs: x")), ("b\nc\n", None)]);
        assert!(super::blocks("```\nx\n```").is_err());
        assert!(super::blocks("x\n\n    y\n").is_err());
    }

    #[test]
    fn most_of_the_readme_can_be_followed() {
        let text = fs::read_to_string(root().join("README.md")).expect("it is there");
        let blocks = blocks(&text).expect("every block can be followed");
        let is_never_run = |block: &&Block| {
            block
                .mark
                .as_ref()
                .is_some_and(|mark| mark.starts_with("needs: "))
        };
        let never = blocks.iter().filter(is_never_run).count();
        let free = blocks.iter().filter(|block| block.mark.is_none()).count();
        assert!(free >= 2 && never * 2 < blocks.len(), "{blocks:?}");
    }
}
