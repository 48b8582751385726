//! `cargo xtask real-documents DIR`: the linter over documents that other people wrote, with verdicts that
//! were set by hand. Reports crashes, false errors and verdicts that differ.
//!
//! `DIR/index.json` is a list of `{file, kind, broken?, task_definitions: [{containers: [{name, image, line,
//! verdict, alt?}]}]}`; `file` is a path below `DIR`, `line` is where the image stands, `alt` are verdicts
//! that are right as well. `DIR/expected.json` has such a list under `cases`, with `case` for a file or a folder of
//! Terraform in the place of `file`, and `file` and `line` with each reason. `broken` says where the file stops being JSON or YAML.

#[cfg(feature = "lint")]
mod compare;

use crate::run::Outcome;

/// `cargo xtask real-documents DIR`.
#[cfg(not(feature = "lint"))]
pub(crate) fn run(arguments: &[String]) -> Outcome {
    crate::run::again_with_feature("lint", "real-documents", arguments)
}

/// `cargo xtask real-documents DIR`.
#[cfg(feature = "lint")]
pub(crate) fn run(arguments: &[String]) -> Outcome {
    match arguments {
        [folder] if !folder.starts_with('-') => compare::run(std::path::Path::new(folder)),
        _ => Err(format!("real-documents takes one folder, not {arguments:?}")),
    }
}
