//! What `lint --fix` does to files, and what it shows instead with `--diff`.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use similar::TextDiff;
use soci_lint::Input;

use crate::causes::AtPath;
use crate::error::CommandError;
use crate::escape;
use crate::replace::replace;

/// Pairs of a file as it was and as it is to be, where those differ.
fn changed<'f>(before: &'f [Input], after: &'f [Input]) -> impl Iterator<Item = (&'f Input, &'f Input)> {
    before.iter().zip(after).filter(|(before, after)| before != after)
}

/// Writes the files that changed, each as a whole, and gives their names. A file that is not any more what was
/// checked stays as it is, and so do all behind it.
pub fn write<'f>(before: &'f [Input], after: &'f [Input]) -> Result<Vec<&'f str>, CommandError> {
    let mut written = Vec::new();
    for (old, new) in changed(before, after) {
        let path = old.path.as_str();
        if path == "-" {
            return Err(CommandError::usage("--fix cannot change stdin")
                .help("name the file, or add --diff to see what would change"));
        }
        // A link that was named stays a link.
        let real = fs::canonicalize(path).at("read", path)?;
        let mut now = Vec::new();
        let limit = old.bytes.len() as u64 + 1;
        File::open(&real)
            .and_then(|file| file.take(limit).read_to_end(&mut now))
            .at("read", path)?;
        if now != old.bytes {
            return Err(CommandError::failed(format!(
                "{path} changed while it was checked and was left as it is"
            ))
            .help("run the command again"));
        }
        replace(&real, &new.bytes).at("write", path)?;
        written.push(path);
    }
    Ok(written)
}

/// What would change, as a unified diff that `git apply` and `patch -p1` take; for a terminal with foreign text made
/// harmless.
pub fn diff(before: &[Input], after: &[Input], for_terminal: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for (old, new) in changed(before, after) {
        let path = Path::new(&old.path);
        let (a, b) = match path.is_absolute() {
            true => (old.path.clone(), old.path.clone()),
            false => (format!("a/{}", old.path), format!("b/{}", old.path)),
        };
        let texts = TextDiff::from_lines(
            std::str::from_utf8(&old.bytes).unwrap_or_default(),
            std::str::from_utf8(&new.bytes).unwrap_or_default(),
        );
        let shown = texts.unified_diff().header(&a, &b).to_string();
        match for_terminal {
            false => out.extend_from_slice(shown.as_bytes()),
            true => {
                for line in shown.lines() {
                    out.extend_from_slice(escape::terminal(line).as_bytes());
                    out.push(b'\n');
                }
            }
        }
    }
    out
}
