//! What `convert` and `create` ask for in the same words: which image, and how its layers are indexed.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use soci_store::Location;
use soci_store::workflow::Options;

use super::reuse::{self, ReuseFlags};
use crate::causes::AtPath;
use crate::config::{Config, ConfigError, Flags};
use crate::context::Context;
use crate::conversion;
use crate::error::CommandError;
use crate::places;

/// Flags about the image and its zTOCs.
#[derive(Debug, clap::Args)]
pub struct IndexFlags {
    /// Which of several images in SRC, by tag, full name or digest
    #[arg(long, value_name = "TAG")]
    pub tag: Option<String>,
    /// How layers are indexed.
    #[command(flatten)]
    pub layers: LayerFlags,
    /// Whether zTOCs that exist already are taken.
    #[command(flatten)]
    pub reuse: ReuseFlags,
    /// Trace of the program's start, as `estimate` reads it: spans are cut for it. May be repeated; FILE=2 counts twice
    #[arg(long, value_name = "FILE[=WEIGHT]")]
    pub start_trace: Vec<String>,
    /// With --start-trace: no list of the spans that the start needs
    #[arg(long)]
    pub no_prefetch: bool,
    /// With --start-trace: a layer on top that repeats the files of the start; below 10 MiB it comes whole during the pull
    #[arg(long)]
    pub start_layer: bool,
    /// A small layer on top with the directories whose attributes a lazy client would lose
    #[arg(long)]
    pub restate_directories: bool,
    /// Layers that are indexed at the same time
    #[arg(long, value_name = "N")]
    pub jobs: Option<String>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Flags about how layers are indexed, whichever images they are of.
#[derive(Debug, clap::Args)]
pub struct LayerFlags {
    /// Platform to index, such as linux/arm64; may be repeated [default: all that are there]
    #[arg(short, long = "platform", value_name = "PLATFORM")]
    pub platforms: Vec<String>,
    /// Bytes between two checkpoints of a layer, such as 4MiB
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true)]
    pub span_size: Option<String>,
    /// Layers below this compressed size get no zTOC
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true)]
    pub min_layer_size: Option<String>,
    /// Who builds, as zTOCs and SOCI indexes say it
    #[arg(long, value_name = "TEXT", default_value = Options::BUILD_TOOL)]
    pub build_tool_identifier: String,
    /// Index layers too that a container would see differently when they are loaded lazily, or that the
    /// snapshotter would refuse
    #[arg(long)]
    pub allow_differences: bool,
    /// Optimizations to allow; may be repeated
    #[arg(long, value_name = "NAME", value_enum)]
    pub optimizations: Vec<Optimization>,
    /// File that clients should fetch at once; may be repeated
    #[arg(long = "prefetch-file", value_name = "PATH")]
    pub prefetch_files: Vec<String>,
    /// JSON file with a list of such files
    #[arg(long, value_name = "FILE")]
    pub prefetch_files_json: Option<PathBuf>,
}

/// An optimization that needs to be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Optimization {
    /// Tell clients which layers have no extended attributes.
    Xattr,
}

impl IndexFlags {
    /// Those that are settings.
    pub(crate) fn settings(&self) -> Result<Flags, ConfigError> {
        let mut flags = self.layers.settings()?;
        flags.list("start-trace", "--start-trace", &self.start_trace)?;
        let refused = self.no_prefetch.then_some("false");
        flags.word("start-prefetch", "--no-prefetch", refused)?;
        let wanted = |flag: bool| flag.then_some("true");
        flags.word("start-layer", "--start-layer", wanted(self.start_layer))?;
        let restate = wanted(self.restate_directories);
        flags.word("restate-directories", "--restate-directories", restate)?;
        flags.word("jobs", "--jobs", self.jobs.as_deref())?;
        Ok(flags)
    }

    /// Sets the options that depend on where the image is and where it goes.
    pub(crate) fn apply_places(
        &self,
        options: &mut Options,
        source: &Location,
        destination: &Location,
        context: &Context,
    ) -> Result<(), CommandError> {
        options.tag = places::wanted_tag(source, self.tag.as_deref())?;
        reuse::apply(&self.reuse, options, source, destination, context)
    }
}

impl LayerFlags {
    /// Those that are settings.
    pub(crate) fn settings(&self) -> Result<Flags, ConfigError> {
        let mut flags = Flags::default();
        flags.list("platforms", "--platform", &self.platforms)?;
        flags.word("span-size", "--span-size", self.span_size.as_deref())?;
        flags.word(
            "min-layer-size",
            "--min-layer-size",
            self.min_layer_size.as_deref(),
        )?;
        let allow = self.allow_differences.then_some("true");
        flags.word("allow-differences", "--allow-differences", allow)?;
        Ok(flags)
    }

    /// The options, with what the configuration made of those that are settings.
    pub(crate) fn options(&self, config: &Config, context: &Context) -> Result<Options, CommandError> {
        Ok(Options {
            build_tool_identifier: self.build_tool_identifier.clone(),
            optimize_xattrs: self.optimizations.contains(&Optimization::Xattr),
            prefetch: self.prefetch_files()?,
            ..conversion::options(config, context)?
        })
    }

    fn prefetch_files(&self) -> Result<Vec<String>, CommandError> {
        let mut files = match &self.prefetch_files_json {
            Some(path) => read_list(path)?,
            None => Vec::new(),
        };
        files.extend(self.prefetch_files.iter().cloned());
        Ok(files)
    }
}

fn read_list(path: &Path) -> Result<Vec<String>, CommandError> {
    let wrong = |error: &(dyn std::error::Error + 'static)| {
        CommandError::usage(format!("cannot read the list of files in {}", path.display())).because(error)
    };
    let text = std::fs::read_to_string(path).at("read", path)?;
    serde_json::from_str(&text).map_err(|error| {
        wrong(&error).help(r#"the file must hold a JSON list such as ["/app/main", "/etc/app.toml"]"#)
    })
}
