//! One build from its plan to what the builder made.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use soci_image::{Digest, Reference};
use soci_store::store::Source;
use soci_store::{Location, block_on};

use super::buildx::Output;
use super::child;
use super::metadata_file;
use super::plan::{Builder, Outputs, Plan, docker};
use super::publish::Made;
use crate::context::Context;
use crate::error::{CommandError, OrFail};
use crate::exit::Exit;
use crate::places;

/// Runs the builder and finds out what it made.
pub fn build(plan: &Plan, outputs: &Outputs, context: &Context) -> Result<Made, CommandError> {
    let output = match plan.builder {
        Builder::Buildx(_) => plan.buildx_output(driver(context, &[]).as_deref(), outputs),
        // A command finds its own way.
        Builder::Command(..) => Output::Archive(outputs.image.clone()),
    };
    let mut command = plan.command(&output, outputs, context);
    let shown = child::show(&command);
    context.note(&format!("running {}", crate::escape::terminal(&shown)));
    match &plan.builder {
        Builder::Buildx(_) => {
            buildx(&mut command, OWN_BUILDER, context)?;
            made_by_buildx(&output, outputs)
        }
        Builder::Command(..) => {
            // A command that only pushes tells nothing; then the tag must have changed.
            let before = plan.names.first().and_then(|name| digest_of(name, context).ok());
            succeeded(child::run(&mut command, &context.cancel)?, &shown)?;
            made_by_command(plan, outputs, &shown, before.as_ref(), context)
        }
    }
}

/// Runs a command of buildx; where there is no buildx, says so and what else there is.
pub fn buildx(command: &mut Command, otherwise: &str, context: &Context) -> Result<(), CommandError> {
    let shown = child::show(command);
    let outcome = child::run(command, &context.cancel).and_then(|status| succeeded(status, &shown));
    match outcome {
        Err(error) if error.exit() == Exit::Failed => Err(match missing_buildx(context) {
            Some(problem) => CommandError::failed(problem).help(format!(
                "install buildx (https://github.com/docker/buildx#installing), or {otherwise}"
            )),
            None => error,
        }),
        other => other,
    }
}

/// Asked only after a failure: a build that works costs no question.
fn missing_buildx(context: &Context) -> Option<String> {
    let mut command = docker(context);
    command.args(["buildx", "version"]);
    let quiet = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    match quiet.status() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Some("`docker buildx build` cannot run: there is no docker on PATH".to_owned())
        }
        Ok(status) if !status.success() => {
            Some("`docker buildx build` cannot run: this docker has no buildx".to_owned())
        }
        _ => None,
    }
}

/// The other way out of a missing buildx, for builds that the configuration describes.
const OWN_BUILDER: &str = "set another builder: builder = [\"buildah\", \"bud\", \"--tag\", \"oci-archive:{output}\", \
                           \"{context}\"] (docs/workflows/builders.md has more)";

/// A builder that failed has said why on stderr.
pub fn succeeded(status: std::process::ExitStatus, shown: &str) -> Result<(), CommandError> {
    if status.success() {
        return Ok(());
    }
    // BuildKit's own code for a cancelled build, when the terminal's Ctrl-C reached it and not us.
    if status.code() == Some(130) {
        return Err(CommandError::interrupted());
    }
    Err(
        CommandError::failed(format!("the builder failed: `{shown}` ended with {status}"))
            .help("its own messages are above; nothing was published"),
    )
}

/// The driver of the builder that buildx would use: `docker` is the engine's own.
pub fn driver(context: &Context, flags: &[String]) -> Option<String> {
    let mut command: Command = docker(context);
    command.args(["buildx", "inspect"]).args(flags);
    let answer = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&answer.stdout);
    text.lines()
        .find_map(|line| line.strip_prefix("Driver:"))
        .map(|driver| driver.trim().to_owned())
}

fn made_by_buildx(output: &Output, outputs: &Outputs) -> Result<Made, CommandError> {
    if let Output::Archive(path) = output {
        if !path.exists() {
            return Err(CommandError::failed(
                "docker buildx build made no image: it ended well and wrote no archive",
            )
            .help("its own messages are above"));
        }
        return Ok(Made::Stored(archive(path)));
    }
    let bytes = fs::read(&outputs.metadata_file).map_err(|error| {
        CommandError::failed("docker buildx build wrote no metadata file")
            .because(&error)
            .help("buildx 0.4 and later write it; `docker buildx version` shows yours")
    })?;
    let images = metadata_file::read(&bytes, None).or_fail(|| "buildx's metadata file".into())?;
    let image = images.first().expect("read gives at least one image");
    Ok(Made::Pushed(image.digest.clone()))
}

/// A command may write an archive or layout, tell the digest of what it pushed, or only push.
fn made_by_command(
    plan: &Plan,
    outputs: &Outputs,
    shown: &str,
    before: Option<&Digest>,
    context: &Context,
) -> Result<Made, CommandError> {
    if outputs.image.is_dir() {
        return Ok(Made::Stored(Location::Layout {
            path: outputs.image.clone(),
            tag: None,
        }));
    }
    if outputs.image.exists() {
        return Ok(Made::Stored(archive(&outputs.image)));
    }
    if let Ok(text) = fs::read_to_string(&outputs.digest_file)
        && !text.trim().is_empty()
    {
        return Digest::parse(text.trim())
            .map(Made::Pushed)
            .or_fail(|| format!("the digest that `{shown}` wrote"));
    }
    if let Ok(bytes) = fs::read(&outputs.metadata_file) {
        let images =
            metadata_file::read(&bytes, None).or_fail(|| format!("the metadata file of `{shown}`"))?;
        let image = images.first().expect("read gives at least one image");
        return Ok(Made::Pushed(image.digest.clone()));
    }
    match plan.names.first() {
        Some(name) => {
            let digest = digest_of(name, context).map_err(|error| {
                let message = format!("`{shown}` wrote no {{output}}, and what it pushed is not there");
                CommandError::with_exit(error.exit(), format!("{message}: {}", error.message()))
                    .help("let it write an OCI archive or layout to {output}, or push {image}")
            })?;
            if before == Some(&digest) {
                return Err(CommandError::failed(format!(
                    "`{shown}` built nothing: it wrote neither {{output}} nor {{digest-file}}, and {name} still names \
                     the image that it named before, {digest}"
                ))
                .help(
                    "let it write an OCI archive or layout to {output}, or the digest of what it pushes to \
                     {digest-file}, if that may be the same image again",
                ));
            }
            Ok(Made::Pushed(digest))
        }
        None => Err(CommandError::failed(format!("`{shown}` wrote no {{output}}"))
            .help("let it write an OCI archive or layout to {output}, or configure `image`")),
    }
}

/// What a tag names now; everything after goes by this digest.
pub fn digest_of(name: &Reference, context: &Context) -> Result<Digest, CommandError> {
    let source = places::open(&Location::Registry(name.clone()), context)?;
    let roots = block_on(source.roots()).map_err(|error| places::failed(&error))?;
    roots
        .first()
        .map(|root| root.descriptor.digest.clone())
        .ok_or_else(|| CommandError::failed(format!("{name} is not there")))
}

fn archive(path: &Path) -> Location {
    Location::Archive {
        path: path.to_path_buf(),
        tag: None,
    }
}
