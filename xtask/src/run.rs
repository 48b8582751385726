//! Running other programs, with their commands shown and their failures explained.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// What every command of this crate ends with: nothing, or the text for the user.
pub(crate) type Outcome = Result<(), String>;

/// The root folder of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies one level below the root")
        .to_path_buf()
}

/// The build folder of the workspace.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Cargo as it called us.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    // Set for us by `cargo run`; a nested cargo must find its own.
    for name in [
        "CARGO_MANIFEST_DIR",
        "CARGO_MANIFEST_PATH",
        "CARGO_PKG_NAME",
        "CARGO_PKG_VERSION",
    ] {
        command.env_remove(name);
    }
    command
}

/// Runs `command` with its output shown; a failure names it.
pub(crate) fn must(command: &mut Command) -> Outcome {
    let shown = show(command);
    eprintln!("$ {shown}");
    match command.stdin(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{shown}` ended with {status}")),
        Err(error) => Err(format!("cannot run `{shown}`: {error}")),
    }
}

/// Runs `command` and gives its stdout; a failure names it and shows its stderr.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let shown = show(command);
    let done = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot run `{shown}`: {error}"))?;
    if !done.status.success() {
        let told = String::from_utf8_lossy(&done.stderr);
        return Err(format!("`{shown}` ended with {}\n{told}", done.status));
    }
    String::from_utf8(done.stdout).map_err(|_| format!("`{shown}` printed bytes that are not UTF-8"))
}

/// Runs one named stage and prints its seconds, whatever comes of it.
pub(crate) fn stage(name: &str, work: impl FnOnce() -> Outcome) -> Outcome {
    eprintln!("\n=== {name}");
    let started = Instant::now();
    let outcome = work();
    let word = if outcome.is_ok() { "ok" } else { "FAILED" };
    eprintln!("=== {name}: {word}, {:.1} s", started.elapsed().as_secs_f64());
    outcome.map_err(|message| format!("{name}: {message}"))
}

fn show(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}

/// Runs this same command again in an xtask built with `feature`; keeps the plain xtask light.
#[cfg(not(feature = "wasm"))]
pub(crate) fn again_with_feature(feature: &str, command: &str, arguments: &[String]) -> Outcome {
    must(
        cargo()
            .args([
                "run",
                "--quiet",
                "--locked",
                "--package",
                "xtask",
                "--features",
                feature,
            ])
            .args(["--", command])
            .args(arguments),
    )
}
