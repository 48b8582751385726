//! `cargo xtask gen [--check | --reproduce]`: the only builder of what is generated and committed.
//!
//! Order: the WASM module and its glue, then schema, types and rule pages out of the Rust structs,
//! then the bundles that are made from all of these. Every generator gives bytes; only this file writes.
//! `--check` writes nothing and fails on the first step whose bytes differ from the committed ones.

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

    let check = match read(arguments)? {
        Mode::Write => false,
        Mode::Check => true,
        Mode::Reproduce => return reproduce::run(),
    };
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
    settle(check, &["docs/rules"], &pages::rules())?;
    settle(check, &["wasm/types"], &pages::schemas()?)?;
    settle(check, &[], &[cli::reference()?])?;
    npm::install()?;
    npm::type_check()?;
    settle(
        check,
        &[],
        &[
            Generated::new("wasm/action/dist/index.cjs", npm::bundle_action()?),
            licences::file()?,
        ],
    )
}

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
