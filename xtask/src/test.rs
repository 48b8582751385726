//! `cargo xtask test`: all tests, each stage with its seconds.

use std::time::Instant;

use crate::run::{Outcome, cargo, must, stage};
use crate::{generate, js, readme, setup, workflows};

/// Runs every test; with `--quick` those that need no servers, no browser and no fuzzing.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let quick = match arguments {
        [] => false,
        [flag] if flag == "--quick" => true,
        _ => return Err(format!("test takes --quick or nothing, not {arguments:?}")),
    };
    let started = Instant::now();
    stage("set-up", || setup::all(quick))?;
    stage("pure crates build for wasm32", || {
        must(
            cargo()
                .args([
                    "build",
                    "--locked",
                    "--target",
                    "wasm32-unknown-unknown",
                    "--no-default-features",
                ])
                .args([
                    "--package",
                    "soci-ztoc",
                    "--package",
                    "soci-image",
                    "--package",
                    "soci-lint",
                ]),
        )
    })?;
    stage("Rust tests", || {
        let mut command = cargo();
        command
            .args(["test", "--workspace", "--locked"])
            .env("INSTA_UPDATE", "no");
        if !quick {
            command.args(["--features", "cargo-soci/real-tools,soci-lambda/real-tools"]);
        }
        must(&mut command)
    })?;
    stage("JavaScript: the Action, the page, WASM against native", || {
        js::tests(quick, false)
    })?;
    if !quick {
        stage(
            "generated files are fresh, the WASM modules made elsewhere",
            || generate::run(&["--reproduce".to_owned()]),
        )?;
        stage("workflows on GitHub, by actionlint", workflows::check)?;
        stage("the README, followed in a clean clone", || readme::run(&[]))?;
    }
    let (ran, left_out) = if quick {
        (
            "Rust, JavaScript",
            "; not run with --quick: real servers and tools, the browser, the workflows on GitHub, the README",
        )
    } else {
        (
            "Rust with real servers and tools, JavaScript with the browser, WASM made again, the workflows on GitHub, the README followed",
            "",
        )
    };
    let seconds = started.elapsed().as_secs();
    eprintln!(
        "\nall tests passed in {} min {} s: {ran}{left_out}",
        seconds / 60,
        seconds % 60
    );
    Ok(())
}
