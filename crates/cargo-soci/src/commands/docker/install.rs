//! Puts this program where the Docker CLI looks for plugins, and takes it away again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{InstallArgs, UninstallArgs};
use crate::causes::AtPath;
use crate::commands::CommandResult;
use crate::context::{Context, Format};
use crate::error::{CommandError, OrFail};
use crate::exit::Exit;

/// Links or copies the running program to `docker-soci`.
pub(super) fn install(args: InstallArgs, context: &Context) -> CommandResult {
    let format = context.format(&[Format::Human, Format::Json])?;
    let folder = folder(args.dir, context)?;
    let program = std::env::current_exe()
        .and_then(fs::canonicalize)
        .or_fail(|| "cannot find the path of this program".into())?;
    fs::create_dir_all(&folder).at("make", &folder)?;
    let target = folder.join(FILE_NAME);
    if fs::symlink_metadata(&target).is_ok() && !args.force && !is_ours(&target) {
        return Err(
            CommandError::failed(format!("{} is another program", target.display()))
                .help("--force replaces it"),
        );
    }
    let how = place(&program, &target, args.copy).at("write into", &folder)?;
    match format {
        Format::Json => context.report_json(&serde_json::json!({
            "plugin": target, "program": program, "how": how,
        }))?,
        _ if context.is_quiet() => context.report(&target.display().to_string())?,
        _ => context.report(&format!(
            "{} ({how} {})\n`docker soci --help` now answers.",
            target.display(),
            program.display()
        ))?,
    }
    Ok(Exit::Done)
}

/// Removes `docker-soci`, if it is this program.
pub(super) fn uninstall(args: UninstallArgs, context: &Context) -> CommandResult {
    let format = context.format(&[Format::Human, Format::Json])?;
    let target = folder(args.dir, context)?.join(FILE_NAME);
    if fs::symlink_metadata(&target).is_err() {
        return Err(CommandError::failed(format!(
            "{} does not exist",
            target.display()
        )));
    }
    if !is_ours(&target) {
        return Err(
            CommandError::failed(format!("{} is another program", target.display()))
                .help("remove it by hand if it is not needed"),
        );
    }
    fs::remove_file(&target).at("remove", &target)?;
    match format {
        Format::Json => context.report_json(&serde_json::json!({ "removed": target }))?,
        _ => context.report(&format!("removed {}", target.display()))?,
    }
    Ok(Exit::Done)
}

fn folder(given: Option<PathBuf>, context: &Context) -> Result<PathBuf, CommandError> {
    if let Some(folder) = given {
        return Ok(folder);
    }
    context
        .docker_config_folder()
        .map(|folder| folder.join("cli-plugins"))
        .ok_or_else(|| {
            CommandError::failed(
                "docker's configuration folder is unknown: DOCKER_CONFIG and HOME are not set",
            )
            .help("name the folder with --dir")
        })
}

/// Whether the file answers as this plugin, or is a link that leads nowhere.
fn is_ours(target: &Path) -> bool {
    if !target.exists() {
        return true;
    }
    let Ok(answer) = Command::new(target).arg("docker-cli-plugin-metadata").output() else {
        return false;
    };
    let metadata: serde_json::Value = serde_json::from_slice(&answer.stdout).unwrap_or_default();
    metadata["Vendor"] == "cargo-soci"
}

/// Puts the program at `target` by renaming, so that a docker that runs meanwhile sees the old or
/// the new one.
fn place(program: &Path, target: &Path, copy: bool) -> io::Result<&'static str> {
    let folder = target.parent().unwrap_or(Path::new("."));
    let fresh = tempfile::Builder::new()
        .prefix(".docker-soci-")
        .tempdir_in(folder)?;
    let staged = fresh.path().join(FILE_NAME);
    let how = if copy || !link(program, &staged)? {
        fs::copy(program, &staged)?;
        "copy of"
    } else {
        "link to"
    };
    fs::rename(&staged, target)?;
    Ok(how)
}

#[cfg(unix)]
fn link(program: &Path, at: &Path) -> io::Result<bool> {
    std::os::unix::fs::symlink(program, at).map(|()| true)
}

/// Links need special rights on Windows.
#[cfg(not(unix))]
fn link(_program: &Path, _at: &Path) -> io::Result<bool> {
    Ok(false)
}

const FILE_NAME: &str = if cfg!(windows) {
    "docker-soci.exe"
} else {
    "docker-soci"
};
