//! Generated files: written, or compared with the committed ones. Nothing else in `gen` touches the disk.

use std::io::ErrorKind;
use std::path::Path;

use crate::run::{Outcome, root};

/// One generated file.
pub(crate) struct Generated {
    /// Where it lies, from the root of the repository, with `/`.
    path: String,
    bytes: Vec<u8>,
}

impl Generated {
    /// A file at `path` with these bytes.
    pub(crate) fn new(path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            path: path.into(),
            bytes: bytes.into(),
        }
    }
}

/// Writes the files, or with `check` fails where the disk differs from them. `whole` are folders that
/// hold generated files only: what else lies in them is removed, or is a difference.
pub(crate) fn settle(check: bool, whole: &[&str], files: &[Generated]) -> Outcome {
    let mut differences = Vec::new();
    for file in files {
        let path = root().join(&file.path);
        let on_disk = std::fs::read(&path).ok();
        if on_disk.as_ref() == Some(&file.bytes) {
            continue;
        }
        if !check {
            write(&path, &file.bytes)?;
            eprintln!("wrote {} ({} bytes)", file.path, file.bytes.len());
            continue;
        }
        differences.push(match on_disk {
            Some(bytes) => format!("{} differs: {}", file.path, first_difference(&bytes, &file.bytes)),
            None => format!("{} is missing", file.path),
        });
    }
    for folder in whole {
        for name in names_in(&root().join(folder))? {
            let path = format!("{folder}/{name}");
            if files.iter().any(|file| file.path == path) {
                continue;
            }
            if check {
                differences.push(format!("{path} is not generated any more"));
            } else {
                std::fs::remove_file(root().join(&path)).map_err(|e| format!("cannot remove {path}: {e}"))?;
                eprintln!("removed {path}");
            }
        }
    }
    if differences.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{}\nrun `cargo xtask gen` and commit what it writes",
        differences.join("\n")
    ))
}

fn write(path: &Path, bytes: &[u8]) -> Outcome {
    let folder = path.parent().expect("a path below the root has a parent");
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(path, bytes))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}

fn names_in(folder: &Path) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(names),
        Err(error) => return Err(format!("cannot read {}: {error}", folder.display())),
    };
    for entry in entries {
        let entry = entry.map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn first_difference(committed: &[u8], generated: &[u8]) -> String {
    let at = committed
        .iter()
        .zip(generated)
        .position(|(left, right)| left != right)
        .unwrap_or_else(|| committed.len().min(generated.len()));
    let line = committed[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
    format!(
        "byte {at} (line {line}), {} bytes committed, {} generated",
        committed.len(),
        generated.len()
    )
}
