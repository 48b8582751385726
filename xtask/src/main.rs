//! Commands of this repository: `cargo xtask <command>`.
//!
//! One file per command; [`main`] only dispatches. `demo` and `test` are the two commands that the
//! README names: each does its own set-up.

mod bench;
mod demo;
mod dist;
mod fuzz;
mod generate;
mod js;
mod licences;
mod npm;
mod oci;
mod package;
mod picture;
mod readme;
mod real_documents;
mod release;
mod run;
mod setup;
mod site;
mod test;
mod workflows;

use std::process::ExitCode;

const HELP: &str = "\
Commands of this repository:

  cargo xtask demo              make a small image, convert, inspect and verify it, lint a task definition
  cargo xtask test [--quick]    set up what is missing and run all tests
                                (--quick: no servers, no browser, no fuzzing)
  cargo xtask bench [CASE…]     measure against the tools named in docs/benchmarks.md
                                (--rounds N, --markdown, --binary FILE)
  cargo xtask gen [--docs|--check]  build what is generated and committed; --docs: without bundles; --check: fail where it differs
  cargo xtask fuzz [--seconds N] [--executions N] [TARGET…]
                                fuzz each parser of foreign bytes (nightly toolchain) until either is reached
  cargo xtask js [--quick]      the tests of the Action and the page (--update: write their snapshots)
  cargo xtask site [--serve] [DIR]
                                the finished page and the documentation in one folder (target/site); --serve: on loopback
  cargo xtask package [DIR]     the npm package @cargo-soci/lint in one folder (target/package)
  cargo xtask real-documents DIR
                                lint a folder of documents with known verdicts (index.json)
  cargo xtask dist [--quick] [--twice] [--target NAME] [FOLDER]
                                what a release uploads: static binaries, completions, manual pages, licences,
                                SBOM, container image, zips for AWS Lambda, each run once (--quick:
                                x86_64-unknown-linux-musl, its image and zip; --twice: all of it again from nothing, and the bytes compared)
  cargo xtask picture           draw the picture of the README
  cargo xtask readme [--slow]   follow the README in a clean clone: every command block (--slow: also the installation)
  cargo xtask release VERSION [--dry-run]
                                write a new version everywhere, and say what a person must do then
  cargo xtask setup [--quick]   only the set-up of `test`
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", &[][..]),
    };
    let outcome = match command {
        "demo" => demo::run(rest),
        "dist" => dist::run(rest),
        "test" => test::run(rest),
        "bench" => bench::run(rest),
        "fuzz" => fuzz::run(rest),
        "gen" => generate::run(rest),
        "js" => js::run(rest),
        "package" => package::run(rest),
        "real-documents" => real_documents::run(rest),
        "picture" => picture::run(rest),
        "readme" => readme::run(rest),
        "release" => release::run(rest),
        "setup" => setup::run(rest),
        "site" => site::run(rest),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(format!("unknown command {other:?}\n\n{HELP}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
