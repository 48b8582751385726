//! The compilers and tools of a release, in versions that are written down here.

use std::path::PathBuf;
use std::process::Command;

use crate::run::{Outcome, cargo, must, output, root, target};

use super::Platform;

/// One C compiler and linker for every target, without a package of the system: its wheels hold it whole.
const ZIG: &str = "ziglang==0.17.1";
/// Calls it as rustc's linker and as the C compiler of build scripts.
const ZIGBUILD: &str = "cargo-zigbuild==0.24.1";
/// Writes the SBOM.
const CYCLONEDX: (&str, &str) = ("cargo-cyclonedx", "0.5.9");

/// Installed tools.
pub(super) struct Tools {
    python: PathBuf,
    cargo: PathBuf,
}

impl Tools {
    /// Installs what is missing below the build folder.
    pub(super) fn install(sbom: bool) -> Result<Self, String> {
        let folder = target().join("dist-tools");
        let tools = Self {
            python: folder.join("python"),
            cargo: folder.join("cargo"),
        };
        let stamp = tools.python.join("installed");
        let wanted = format!("{ZIG} {ZIGBUILD}");
        if std::fs::read_to_string(&stamp).unwrap_or_default() != wanted {
            must(
                Command::new("python3")
                    .args(["-m", "venv", "--clear"])
                    .arg(&tools.python),
            )?;
            must(Command::new(tools.python.join("bin/pip")).args([
                "install",
                "--quiet",
                "--disable-pip-version-check",
                ZIG,
                ZIGBUILD,
            ]))?;
            std::fs::write(&stamp, wanted)
                .map_err(|error| format!("cannot write {}: {error}", stamp.display()))?;
        }
        if sbom {
            let (name, version) = CYCLONEDX;
            must(
                cargo()
                    .args([
                        "install",
                        "--quiet",
                        "--locked",
                        name,
                        "--version",
                        version,
                        "--root",
                    ])
                    .arg(&tools.cargo),
            )?;
        }
        Ok(tools)
    }

    /// `cargo` as cargo-zigbuild runs it.
    pub(super) fn zigbuild(&self) -> Command {
        let mut command = cargo();
        command.arg("zigbuild").env("PATH", self.path());
        command
    }

    /// zig's C compiler.
    pub(super) fn c_compiler(&self) -> Command {
        let mut command = Command::new(self.python.join("bin/python"));
        command.args(["-m", "ziglang", "cc"]);
        command
    }

    /// The SBOM's writer.
    pub(super) fn cyclonedx(&self) -> Command {
        let mut command = cargo();
        command.arg("cyclonedx").env("PATH", self.path());
        command
    }

    /// Ours before the system's.
    fn path(&self) -> std::ffi::OsString {
        let before = [self.python.join("bin"), self.cargo.join("bin")];
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = before.into_iter().chain(std::env::split_paths(&path));
        std::env::join_paths(folders).expect("folders of PATH have no separator in them")
    }
}

/// Adds the standard library of a target to the pinned toolchain where it is missing.
pub(super) fn rust_target(platform: Platform) -> Outcome {
    let list = output(
        Command::new("rustup")
            .args(["target", "list", "--installed"])
            .current_dir(root()),
    )?;
    if list.lines().any(|line| line == platform.target) {
        return Ok(());
    }
    must(
        Command::new("rustup")
            .args(["target", "add", platform.target])
            .current_dir(root()),
    )
}
