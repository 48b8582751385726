//! `cargo xtask gen [--docs | --check | --reproduce]`: the only builder of what is generated and committed.
//!
//! Order: the WASM modules and their glue, then schema, types and rule pages out of the Rust structs,
//! then the bundles that are made from all of these. Every generator gives bytes; only this file writes.
//! `--check` writes nothing and fails on the first step whose bytes differ from the committed ones. `--reproduce` is the
//! same with the modules built in another place, and shows that the comparison sees paths. `--docs` writes what is made of
//! the Rust structs alone, and needs neither npm nor the WASM target.

#[cfg(feature = "lint")]
mod cli;
#[cfg(feature = "lint")]
mod files;
#[cfg(feature = "wasm")]
mod licences;
#[cfg(feature = "lint")]
mod pages;
#[cfg(feature = "wasm")]
mod reproduce;
#[cfg(feature = "lint")]
mod types;
#[cfg(feature = "wasm")]
mod wasm;

use crate::run::Outcome;

/// `cargo xtask gen [--docs | --check | --reproduce]`.
#[cfg(not(feature = "wasm"))]
pub(crate) fn run(arguments: &[String]) -> Outcome {
    match read(arguments)? {
        #[cfg(feature = "lint")]
        Mode::Docs => docs(false),
        #[cfg(not(feature = "lint"))]
        Mode::Docs => crate::run::again_with_feature("lint", "gen", arguments),
        Mode::Write | Mode::Check | Mode::Reproduce => {
            crate::run::again_with_feature("wasm", "gen", arguments)
        }
    }
}

/// The pages of the rules, the schemas, the types and the reference of the commands.
#[cfg(feature = "lint")]
fn docs(check: bool) -> Outcome {
    use files::settle;
    settle(check, &["docs/rules"], &pages::rules())?;
    settle(check, &["wasm/types"], &pages::schemas()?)?;
    settle(check, &[], &[cli::reference()?])
}

/// `cargo xtask gen [--docs | --check | --reproduce]`.
#[cfg(feature = "wasm")]
pub(crate) fn run(arguments: &[String]) -> Outcome {
    use crate::npm;
    use files::{Generated, settle};
    use wasm::{Door, Place};

    let mode = read(arguments)?;
    if mode == Mode::Docs {
        return docs(false);
    }
    let check = mode != Mode::Write;
    let [lint, image, local, look] = match mode {
        Mode::Write | Mode::Check => wasm::all(&Place::here()?)?,
        Mode::Reproduce | Mode::Docs => reproduce::modules()?,
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
            Generated::new(Door::Local.committed(), local.wasm),
            Generated::new("wasm/glue/soci_local.js", local.js),
            Generated::new("wasm/glue/soci_local.d.ts", local.declarations),
            Generated::new(Door::Look.committed(), look.wasm),
            Generated::new("wasm/glue/soci_look.js", look.js),
            Generated::new("wasm/glue/soci_look.d.ts", look.declarations),
        ],
    )?;
    docs(check)?;
    npm::install()?;
    npm::type_check()?;
    settle(
        check,
        &[],
        &[
            Generated::new("wasm/action/dist/index.cjs", npm::bundle_action("action")?),
            licences::file(&[Door::Lint, Door::Look], "action")?,
            Generated::new("wasm/convert/dist/index.cjs", npm::bundle_action("convert")?),
            licences::file(&[Door::Image], "convert")?,
        ],
    )
}

#[derive(PartialEq, Eq)]
enum Mode {
    Write,
    Docs,
    Check,
    Reproduce,
}

fn read(arguments: &[String]) -> Result<Mode, String> {
    match arguments {
        [] => Ok(Mode::Write),
        [flag] if flag == "--docs" => Ok(Mode::Docs),
        [flag] if flag == "--check" => Ok(Mode::Check),
        [flag] if flag == "--reproduce" => Ok(Mode::Reproduce),
        _ => Err(format!(
            "gen takes --docs, --check, --reproduce or nothing, not {arguments:?}"
        )),
    }
}
