//! What `convert` and `build` share: a conversion's settings out of the configuration, layers rewritten on the
//! way, and progress.

use std::num::NonZeroUsize;

use indicatif::HumanBytes;
use soci_image::skip::SkipReason;
use soci_image::{Digest, Platform};
use soci_store::block_on;
use soci_store::store::{AnyDestination, AnySource};
use soci_store::workflow::{self, Options, Recompress, RecompressedLayer, Repeat, RepeatedLayer, Report};

use crate::commands::layer_progress::LayerProgress;
use crate::config::Config;
use crate::context::Context;
use crate::error::CommandError;
use crate::escape;
use crate::exit::Exit;
use crate::places;
use crate::plural::count;
use crate::start;

/// What was done: the report of the conversion, and the layers that were rewritten before.
#[derive(Debug, serde::Serialize)]
pub struct Converted {
    /// The conversion.
    #[serde(flatten)]
    pub report: Report,
    /// Layers that were rewritten.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recompressed: Vec<RecompressedLayer>,
}

/// The settings of a conversion; all that no key sets has its default.
pub fn options(config: &Config, context: &Context) -> Result<Options, CommandError> {
    let mut options = Options {
        cancel: context.cancel.flag(),
        ..Options::default()
    };
    for text in config.list("platforms") {
        let platform = Platform::parse(text)
            .map_err(|error| CommandError::usage(format!("{}: {error}", config.origin("platforms"))))?;
        options.platforms.push(platform);
    }
    options.span_size = config.number("span-size").unwrap_or(options.span_size);
    if let Some(doubt) = doubtful_span_size(options.span_size) {
        context.warn(&format!("{}: {doubt}", config.origin("span-size")));
    }
    options.min_layer_size = config.number("min-layer-size").unwrap_or(options.min_layer_size);
    options.start = start::of(config, config.text("start-prefetch") != Some("false"), context)?;
    options.allow_differences = config.text("allow-differences") == Some("true");
    if let Some(jobs) = config.number("jobs") {
        let jobs = usize::try_from(jobs).ok().and_then(NonZeroUsize::new);
        let origin = config.origin("jobs");
        options.jobs =
            jobs.ok_or_else(|| CommandError::usage(format!("{origin}: at least one job is needed")))?;
    }
    Ok(options)
}

/// What a span size far from sense leads to. A checkpoint takes 32 KiB for each span of the unpacked layer, and one
/// byte of a file fetches the whole span that holds it.
fn doubtful_span_size(span_size: u64) -> Option<String> {
    const GIB: u64 = 1 << 30;
    let shown = HumanBytes(span_size);
    if (1..SMALLEST_SENSIBLE).contains(&span_size) {
        let ztocs = HumanBytes((GIB / span_size).saturating_mul(32 << 10));
        return Some(format!(
            "spans of {shown} make zTOCs of about {ztocs} for each GiB of unpacked layers, which clients fetch before \
             anything else; with the default of 4 MiB it is 8 MiB"
        ));
    }
    (span_size > LARGEST_SENSIBLE).then(|| {
        format!(
            "with spans of {shown}, reading one byte fetches up to {shown} of the unpacked layer; with the default of \
             4 MiB it is 4 MiB"
        )
    })
}

/// Below it zTOCs are more than an eighth of the layers.
const SMALLEST_SENSIBLE: u64 = 256 << 10;
/// Above it a span takes a Fargate task longer than most files are worth.
const LARGEST_SENSIBLE: u64 = 64 << 20;

/// What becomes of uncompressed layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plain {
    /// They stay.
    Keep,
    /// Those of an archive that `docker save` wrote are compressed: the engine stores them so, nobody pushes them so.
    CompressDockerSave,
    /// All are compressed.
    Compress,
}

/// Which layers are rewritten: those that the configuration asks for, and uncompressed ones as `plain` says.
pub fn recompress(
    config: &Config,
    source: &AnySource,
    plain: Plain,
) -> Result<Option<Recompress>, CommandError> {
    let level = match config.number("recompress-level") {
        None => Recompress::LEVEL,
        Some(level @ 1..=9) => u32::try_from(level).expect("at most 9"),
        Some(level) => {
            let origin = config.origin("recompress-level");
            return Err(CommandError::usage(format!(
                "{origin}: gzip has the levels 1 to 9, not {level}"
            )));
        }
    };
    let from_docker_save = matches!(source, AnySource::Archive(archive) if archive.is_docker_archive());
    let what = Recompress {
        unsuitable: config.text("recompress").is_some(),
        uncompressed: plain == Plain::Compress || (plain == Plain::CompressDockerSave && from_docker_save),
        level,
    };
    Ok((what.unsuitable || what.uncompressed).then_some(what))
}

/// An image on its way to its conversion.
#[derive(Debug)]
pub struct Prepared {
    /// What is converted.
    pub source: AnySource,
    /// Layers that were rewritten.
    pub recompressed: Vec<RecompressedLayer>,
    has_layer_on_top: bool,
}

impl Prepared {
    /// The image as it is without a layer on top.
    pub fn original(&self) -> &AnySource {
        match &self.source {
            AnySource::Overlay(overlay) if self.has_layer_on_top => overlay.base(),
            source => source,
        }
    }
}

/// What a layer on top is to repeat.
pub fn repeat(config: &Config) -> Result<Repeat, CommandError> {
    let is_wanted = |key: &str| config.text(key) == Some("true");
    let repeat = Repeat {
        start: is_wanted("start-layer"),
        directories: is_wanted("restate-directories"),
    };
    if repeat.start && config.paths("start-trace").is_empty() {
        let origin = config.origin("start-layer");
        return Err(
            CommandError::usage(format!("{origin}: which files a start needs, a trace says"))
                .help("--start-trace FILE; `cargo soci trace` and strace make one (docs/estimate.md)"),
        );
    }
    Ok(repeat)
}

/// Says of a run that does nothing that there would be a layer on top.
pub fn tell_repeat(repeat: Repeat, context: &Context) {
    if repeat != Repeat::default() {
        context.note("before that, a layer would be put on top: which files it repeats is known when all layers are read");
    }
}

/// Rewrites the layers that have to be, and puts a layer on top if one is wanted.
pub fn prepare(
    source: AnySource,
    options: &Options,
    recompress: Option<Recompress>,
    repeat: Repeat,
    context: &Context,
) -> Result<Prepared, CommandError> {
    let (source, recompressed) = rewrite(source, options, recompress, context)?;
    let has_layer_on_top = repeat != Repeat::default();
    let source = match has_layer_on_top {
        true => put_on_top(source, options, repeat, context)?,
        false => source,
    };
    Ok(Prepared {
        source,
        recompressed,
        has_layer_on_top,
    })
}

fn rewrite(
    source: AnySource,
    options: &Options,
    recompress: Option<Recompress>,
    context: &Context,
) -> Result<(AnySource, Vec<RecompressedLayer>), CommandError> {
    let Some(what) = recompress else {
        return Ok((source, Vec::new()));
    };
    let progress = LayerProgress::new(context, "indexed", "left without a zTOC");
    let (source, layers) = workflow::recompress(source, options, what, &|event| progress.event(event))
        .map_err(|error| places::failed(&error))?;
    for layer in &layers {
        context.note(&format!(
            "layer {} rewritten as gzip ({}): {}, {} bytes were {}",
            short(&layer.source_digest),
            layer.reason,
            short(&layer.digest),
            layer.size,
            layer.source_size
        ));
    }
    Ok((source, layers))
}

fn put_on_top(
    source: AnySource,
    options: &Options,
    repeat: Repeat,
    context: &Context,
) -> Result<AnySource, CommandError> {
    let progress = LayerProgress::new(context, "indexed", "left without a zTOC");
    let (source, layers) = workflow::put_on_top(source, options, repeat, &|event| progress.event(event))
        .map_err(|error| places::failed(&error))?;
    drop(progress);
    for layer in &layers {
        tell_repeated(layer, repeat, context);
    }
    Ok(source)
}

/// What was put on top, and what was not.
fn tell_repeated(layer: &RepeatedLayer, repeat: Repeat, context: &Context) {
    let platform = escape::terminal(&layer.platform);
    let mut parts = Vec::new();
    if repeat.start {
        parts.push(count(layer.files, "file"));
    }
    if repeat.directories {
        parts.push(count(layer.directories, "directory"));
    }
    let what = parts.join(" and ");
    match &layer.digest {
        Some(digest) => context.note(&format!(
            "{platform}: {what} repeated in a layer on top: {}, {}{}",
            short(digest),
            HumanBytes(layer.size),
            if layer.replaced { ", in the place of an earlier one" } else { "" }
        )),
        None if repeat.start => context.warn(&format!(
            "{platform}: nothing is put on top: no file of the start's trace lies in a layer that is loaded lazily"
        )),
        None => context.note(&format!(
            "{platform}: nothing is put on top: a lazy client loses no directory's attributes"
        )),
    }
    // Below it the image is hardly larger; above it the start is most of the image.
    if layer.digest.is_some() && layer.size > layer.image_size / 2 {
        context.warn(&format!(
            "{platform}: the layer on top repeats {} of {}: who pulls the image whole waits that much longer, and a start \
             that reads most of its image gains little from lazy loading",
            HumanBytes(layer.size),
            HumanBytes(layer.image_size)
        ));
    }
    if !layer.left_below.is_empty() {
        context.note(&format!(
            "{platform}: {} of the start not repeated (-v names them)",
            count(layer.left_below.len(), "file")
        ));
    }
    for file in &layer.left_below {
        let path = escape::terminal(&file.path);
        context.detail(&format!("{platform}: {path} stays below: {}", file.reason));
    }
}

/// Whether an image of which nothing can be indexed is good as it is.
pub fn passes_nothing_to_index(config: &Config) -> bool {
    config.text("if-nothing-to-index") == Some("pass")
}

/// What became of an image that was to go to a place.
#[derive(Debug)]
pub enum Outcome {
    /// It was converted.
    Converted(Report),
    /// Nothing of it can be indexed, and that was to pass: it is there as it was.
    AsItWas {
        /// Digests of the images.
        digests: Vec<Digest>,
        /// Why nothing can be indexed.
        reason: CommandError,
    },
}

/// Converts into a place; with `passes`, an image of which nothing can be indexed goes there as it is. `again`
/// opens the destination once more, because the first one is used up by then.
#[allow(clippy::too_many_arguments, reason = "the words of one command line")]
pub fn convert_into(
    prepared: &Prepared,
    destination: AnyDestination,
    again: &dyn Fn() -> Result<AnyDestination, CommandError>,
    in_place: bool,
    tag: Option<&str>,
    options: &Options,
    passes: bool,
    context: &Context,
) -> Result<Outcome, CommandError> {
    let reason = match convert(&prepared.source, destination, tag, options, context) {
        Err(error) if passes && error.exit() == Exit::NothingToIndex => error,
        other => return other.map(Outcome::Converted),
    };
    let (failed, source) = (|error| places::failed(&error), prepared.original());
    let digests = if in_place {
        let plan = block_on(workflow::plan(source, options)).map_err(failed)?;
        let roots = plan
            .images
            .iter()
            .map(|image| image.root.descriptor.digest.clone());
        roots.collect()
    } else {
        let images = workflow::copy(source, again()?, tag, options).map_err(failed)?;
        images.into_iter().map(|image| image.descriptor.digest).collect()
    };
    context.warn(reason.message());
    Ok(Outcome::AsItWas { digests, reason })
}

/// Converts, with progress and warnings shown.
pub fn convert(
    source: &AnySource,
    destination: AnyDestination,
    tag: Option<&str>,
    options: &Options,
    context: &Context,
) -> Result<Report, CommandError> {
    let progress = LayerProgress::new(context, "indexed", "left without a zTOC");
    let report = workflow::convert(source, destination, tag, options, &|event| progress.event(event))
        .map_err(|error| places::failed(&error))?;
    warn(&report, context);
    Ok(report)
}

/// What the user should know of what was done.
pub fn warn(report: &Report, context: &Context) {
    for path in &report.missing_prefetch_files {
        context.warn(&format!(
            "no layer has the file {path}, which was to be fetched at once"
        ));
    }
    for start in report.start.iter().flat_map(|start| &start.platforms) {
        start::tell(start, context);
    }
    for layer in report.layers() {
        if let workflow::LayerOutcome::Skipped {
            reason: reason @ SkipReason::CannotBeUnpacked { .. },
            ..
        } = &layer.outcome
        {
            context.warn(&format!(
                "layer {}: {}",
                layer.digest,
                escape::terminal(&reason.to_string())
            ));
        }
        if let workflow::LayerOutcome::Indexed { members, .. } = layer.outcome
            && members > 1
        {
            context.warn(&format!(
                "layer {} has several gzip members, of which soci-snapshotter before v0.14.0 reads only the \
                 first one; --recompress gzip rewrites it",
                layer.digest
            ));
        }
    }
}

/// As many digits as people compare.
pub fn short(digest: &Digest) -> String {
    format!("{}:{}", digest.algorithm().name(), &digest.hex()[..12])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn span_sizes_far_from_sense_say_what_they_lead_to() {
        let said: Vec<String> = [
            1,
            4096,
            (256 << 10) - 1,
            256 << 10,
            4 << 20,
            64 << 20,
            1 << 30,
            u64::MAX,
        ]
        .into_iter()
        .map(|size| format!("{size}: {}", doubtful_span_size(size).unwrap_or_default()))
        .collect();
        insta::assert_snapshot!(said.join("\n"));
    }
}
