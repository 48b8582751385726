//! `cargo xtask gen [--check | --reproduce]`: the only builder of what is generated and committed.
//!
//! Order: the WASM modules and their glue, then schema, types and rule pages out of the Rust structs,
//! then the bundles that are made from all of these. Every generator gives bytes; only this file writes.
//! `--check` writes nothing and fails on the first step whose bytes differ from the committed ones. `--reproduce` is the
//! same with the modules built in another place, and shows that the comparison sees paths.

#[cfg(feature = "wasm")]
mod cli;
#[cfg(feature = "wasm")]
mod files;
#[cfg(feature = "wasm")]
mod licences;
#[cfg(feature = "wasm")]
mod pages;
#[cfg(feature = "wasm")]
mod reproduce;
#[cfg(feature = "wasm")]
mod types;
#[cfg(feature = "wasm")]
mod wasm;

use crate::run::Outcome;

/// `cargo xtask gen [--check | --reproduce]`.
#[cfg(not(feature = "wasm"))]
pub(crate) fn run(arguments: &[String]) -> Outcome {
    read(arguments)?;
    crate::run::again_with_feature("wasm", "gen", arguments)
}

/// `cargo xtask gen [--check | --reproduce]`.
#[cfg(feature = "wasm")]
pub(crate) fn run(arguments: &[String]) -> Outcome {
    use crate::npm;
    use files::{Generated, settle};
    use wasm::{Door, Place};

    let mode = read(arguments)?;
    let check = mode != Mode::Write;
    let [lint, image] = match mode {
        Mode::Write | Mode::Check => wasm::all(&Place::here()?)?,
        Mode::Reproduce => reproduce::modules()?,
    };
    settle(
        check,
        &["wasm/glue"],
        &[
            Generated::new(Door::Lint.committed(), lint.wasm),
            Generated::new("wasm/glue/soci_wasm.js", lint.js),
            Generated::new("wasm/glue/soci_wasm.d.ts", lint.declarations),
            Generated::new(Door::Image.committed(), image.wasm),
            Generated::new("wasm/glue/soci_image.js", image.js),
            Generated::new("wasm/glue/soci_image.d.ts", image.declarations),
        ],
    )?;
    settle(check, &["docs/rules"], &pages::rules())?;
    settle(check, &["wasm/types"], &pages::schemas()?)?;
    settle(check, &[], &[cli::reference()?])?;
    npm::install()?;
    npm::type_check()?;
    settle(
        check,
        &[],
        &[
            Generated::new("wasm/action/dist/index.cjs", npm::bundle_action("action")?),
            licences::file(Door::Lint, "action")?,
            Generated::new("wasm/convert/dist/index.cjs", npm::bundle_action("convert")?),
            licences::file(Door::Image, "convert")?,
        ],
    )
}

#[derive(PartialEq, Eq)]
enum Mode {
    Write,
    Check,
    Reproduce,
}

fn read(arguments: &[String]) -> Result<Mode, String> {
    match arguments {
        [] => Ok(Mode::Write),
        [flag] if flag == "--check" => Ok(Mode::Check),
        [flag] if flag == "--reproduce" => Ok(Mode::Reproduce),
        _ => Err(format!(
            "gen takes --check, --reproduce or nothing, not {arguments:?}"
        )),
    }
}
