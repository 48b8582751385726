//! `cargo xtask js [--quick | --update]`: the tests of the Actions, the npm package and the page, and that the module
//! gives what the native linter gives. Run by `cargo xtask test` as well.

use std::path::Path;
use std::process::Command;

use crate::npm;
use crate::package;
use crate::run::{Outcome, must, target};
use crate::site;

/// Tests that need no browser.
const QUICK: &[&str] = &[
    "action", "equality", "image", "local", "package", "snippets", "sizes",
];
/// Tests with real servers.
const SERVERS: &[&str] = &["check-images", "convert", "convert-tls"];
/// Tests in Chromium.
const BROWSER: &[&str] = &["page", "image-page", "estimate-page", "docs", "package-browser"];

/// `cargo xtask js [--quick | --update]`.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    match arguments {
        [] => tests(false, false),
        [flag] if flag == "--quick" => tests(true, false),
        [flag] if flag == "--update" => tests(true, true),
        _ => Err(format!(
            "js takes --quick, --update or nothing, not {arguments:?}"
        )),
    }
}

/// Runs the tests; with `quick` those without a browser, with `update` their snapshots are written anew.
pub(crate) fn tests(quick: bool, update: bool) -> Outcome {
    npm::install()?;
    let site = target().join("site");
    site::build(&site)?;
    package::build(&target().join("package"))?;
    node_test(QUICK, &site, update)?;
    if quick && !update {
        return Ok(());
    }
    node_test(SERVERS, &site, update)?;
    if quick {
        return Ok(());
    }
    node_test(BROWSER, &site, false)
}

fn node_test(names: &[&str], site: &Path, update: bool) -> Outcome {
    let mut command = Command::new(npm::node24()?);
    command.arg("--test");
    if update {
        command.arg("--test-update-snapshots");
    }
    must(
        command
            .args(names.iter().map(|name| format!("tests/{name}.test.mjs")))
            .env("SOCI_SITE", site)
            .env("SOCI_PACKAGE", target().join("package"))
            .current_dir(npm::folder()),
    )
}
