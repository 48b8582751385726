//! `cargo xtask gen [--check]`: the only builder of what is generated and committed.
//!
//! Order: the WASM module and its glue, then schema, types and rule pages out of the Rust structs,
//! then the bundles that are made from all of these. Every generator gives bytes; only this file writes.
//! `--check` writes nothing and fails on the first step whose bytes differ from the committed ones.

#[cfg(feature = "wasm")]
mod files;
#[cfg(feature = "wasm")]
mod wasm;

use crate::run::Outcome;

/// `cargo xtask gen [--check]`.
#[cfg(not(feature = "wasm"))]
pub(crate) fn run(arguments: &[String]) -> Outcome {
    check_flag(arguments)?;
    crate::run::again_with_feature("wasm", "gen", arguments)
}

/// `cargo xtask gen [--check]`.
#[cfg(feature = "wasm")]
pub(crate) fn run(arguments: &[String]) -> Outcome {
    use crate::npm;
    use files::{Generated, settle};

    let check = check_flag(arguments)?;
    let module = wasm::build()?;
    settle(
        check,
        &["wasm/glue"],
        &[
            Generated::new("wasm/action/dist/soci_wasm.wasm", module.wasm),
            Generated::new("wasm/glue/soci_wasm.js", module.js),
            Generated::new("wasm/glue/soci_wasm.d.ts", module.declarations),
        ],
    )?;
    npm::install()?;
    npm::type_check()?;
    settle(
        check,
        &[],
        &[Generated::new("wasm/action/dist/index.cjs", npm::bundle_action()?)],
    )
}

fn check_flag(arguments: &[String]) -> Result<bool, String> {
    match arguments {
        [] => Ok(false),
        [flag] if flag == "--check" => Ok(true),
        _ => Err(format!("gen takes --check or nothing, not {arguments:?}")),
    }
}
