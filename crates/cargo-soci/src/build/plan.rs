//! What one build does: its builder, what the builder is to make, and where the result goes.

use std::path::{Path, PathBuf};
use std::process::Command;

use soci_image::Reference;
use soci_store::Location;

use super::buildx::{self, Output, Request};
use super::child::show_words;
use super::command::{self, Values};
use super::publish::{TagModel, tag_model};
use crate::config::{Config, ConfigError};
use crate::context::Context;
use crate::error::CommandError;

/// One build.
#[derive(Debug)]
pub struct Plan {
    /// Package or folder, for messages.
    pub label: String,
    /// Names of the image, as they are configured.
    pub names: Vec<Reference>,
    /// Which image the tag names.
    pub model: TagModel,
    /// Where the SOCI-enabled image goes.
    pub target: Target,
    /// What builds.
    pub builder: Builder,
    /// Folder that the builder runs in; the working folder if there is none.
    pub folder: Option<PathBuf>,
    /// Task definitions that are linted afterwards.
    pub task_definitions: Vec<PathBuf>,
}

/// Where the SOCI-enabled image goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Into the registries of its names.
    Registry,
    /// Into a layout or an archive.
    Place(Location),
}

/// What builds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Builder {
    /// `docker buildx build`
    Buildx(Request),
    /// The command of the configuration.
    Command(Vec<String>, Request),
}

/// Where a builder writes what it made; all of it lies in a temporary folder.
#[derive(Debug)]
pub struct Outputs {
    /// An OCI archive or layout.
    pub image: PathBuf,
    /// The digest of a pushed image.
    pub digest_file: PathBuf,
    /// buildx's metadata file.
    pub metadata_file: PathBuf,
}

impl Outputs {
    /// The files of a build in a folder of their own.
    pub fn within(folder: &Path) -> Self {
        Self {
            image: folder.join("image.tar"),
            digest_file: folder.join("digest"),
            metadata_file: folder.join("metadata.json"),
        }
    }
}

impl Plan {
    /// Plans the build that a configuration describes.
    pub fn of(config: &Config, target: Option<Location>, no_push: bool) -> Result<Self, CommandError> {
        let project = &config.project;
        let mut names = Vec::new();
        for name in config.image_names(|| git_sha(&project.folder))? {
            let reference = Reference::parse(&name)
                .map_err(|error| CommandError::usage(format!("{}: {error}", config.origin("image"))))?;
            if reference.digest().is_some() {
                return Err(CommandError::usage(format!(
                    "{}: {name} has a digest, which only a finished image can have",
                    config.origin("image")
                )));
            }
            names.push(reference);
        }
        let label = project
            .name
            .clone()
            .unwrap_or_else(|| project.folder.display().to_string());
        let target = match (target, no_push) {
            (Some(location), _) => Target::Place(location),
            (None, true) => Target::Place(default_place(config)?),
            (None, false) => Target::Registry,
        };
        if target == Target::Registry {
            check_names(&names, config, &label)?;
        }
        let request = Request {
            dockerfile: config.path("dockerfile").map(Path::to_path_buf),
            context: config.path("context").unwrap_or(&project.folder).to_path_buf(),
            target: config.text("target").map(str::to_owned),
            build_args: config
                .entries("build-args")
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            platforms: config.list("platforms").to_vec(),
        };
        let words = config.list("builder");
        let builder = if words.is_empty() {
            Builder::Buildx(request)
        } else {
            command::check(words, config, !names.is_empty())?;
            Builder::Command(words.to_vec(), request)
        };
        Ok(Self {
            label,
            names,
            model: tag_model(config),
            target,
            folder: matches!(builder, Builder::Command(..)).then(|| project.folder.clone()),
            builder,
            task_definitions: config.paths("task-definitions").to_vec(),
        })
    }

    /// What buildx is to do with the image. Docker's own builder cannot push without a tag
    /// (<https://github.com/docker/buildx/blob/v0.36.1/build/opt.go>, read 2026-11-24).
    pub fn buildx_output(&self, driver: Option<&str>, outputs: &Outputs) -> Output {
        match (&self.target, self.model) {
            (Target::Place(_), _) => Output::Archive(outputs.image.clone()),
            (Target::Registry, TagModel::Replace) if driver != Some("docker") => {
                Output::PushByDigest(self.names.clone())
            }
            (Target::Registry, _) => Output::Push(self.names.clone()),
        }
    }

    /// The builder's command line.
    pub fn command(&self, output: &Output, outputs: &Outputs, context: &Context) -> Command {
        match &self.builder {
            Builder::Buildx(request) => {
                let mut command = docker(context);
                command.args(buildx::words(request, output, &outputs.metadata_file));
                command
            }
            Builder::Command(words, request) => {
                let mut command = Values::of(&self.names, request, outputs).command(words);
                if let Some(folder) = &self.folder {
                    command.current_dir(folder);
                }
                command
            }
        }
    }

    /// What `--dry-run` prints.
    pub fn describe(&self, context: &Context) -> String {
        let outputs = Outputs::within(Path::new("TEMPORARY"));
        let output = self.buildx_output(None, &outputs);
        let command = self.command(&output, &outputs, context);
        let mut words = vec![command.get_program().to_string_lossy().into_owned()];
        words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
        let mut text = format!("{}\n  build    {}\n", self.label, show_words(&words));
        let names = |model: TagModel| -> String {
            let names: Vec<String> = self
                .names
                .iter()
                .filter_map(|name| model.soci_name(name).ok())
                .map(|name| name.to_string())
                .collect();
            names.join(", ")
        };
        let target = match &self.target {
            Target::Registry => names(self.model),
            Target::Place(location) => location.to_string(),
        };
        text.push_str(&format!("  convert  by digest, to {target}\n"));
        if self.target == Target::Registry && self.model == TagModel::Sibling {
            text.push_str(&format!("  keep     {}\n", names(TagModel::Replace)));
        }
        for path in &self.task_definitions {
            text.push_str(&format!("  lint     {}\n", path.display()));
        }
        text
    }
}

/// `docker` with the flags that docker itself was called with.
pub fn docker(context: &Context) -> Command {
    let mut command = Command::new("docker");
    command.args(&context.docker.words);
    command
}

/// The commit that is checked out.
fn git_sha(folder: &Path) -> Result<String, ConfigError> {
    let failed = |problem: String| {
        ConfigError::new(format!(
            "{{git-sha}} needs the commit of {}: {problem}",
            folder.display()
        ))
    };
    let output = Command::new("git")
        .args(["rev-parse", "HEAD"])
        .current_dir(folder)
        .output()
        .map_err(|error| failed(format!("cannot run git: {error}")))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn default_place(config: &Config) -> Result<Location, CommandError> {
    let project = &config.project;
    match (&project.target_folder, &project.name) {
        (Some(target), Some(name)) => Ok(Location::Archive {
            path: target.join("soci").join(format!("{name}.tar")),
            tag: None,
        }),
        _ => Err(
            CommandError::usage("--no-push without a Cargo package needs a place for the image")
                .help("name it with --output, such as --output image-soci.tar"),
        ),
    }
}

fn check_names(names: &[Reference], config: &Config, label: &str) -> Result<(), CommandError> {
    if names.is_empty() {
        return Err(
            CommandError::usage(format!("{label}: no `image` is configured")).help(
                "set it in [package.metadata.soci] or soci.toml (`cargo soci init` writes a start), \
             or give --image, or --output for a local image",
            ),
        );
    }
    for name in names {
        if !name.has_explicit_registry() {
            return Err(
                CommandError::usage(format!("{}: {name} names no registry", config.origin("image")))
                    .help("write the host in front; Docker Hub is docker.io"),
            );
        }
    }
    Ok(())
}
