//! `verify SRC`: everything about a SOCI-enabled image that a client would trip over, and what it would do then.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::num::NonZeroUsize;

use soci_image::Platform;
use soci_store::block_on;
use soci_store::workflow::{self, Consequence, Options, Sample, VerifiedImage};

use crate::commands::{CommandResult, layer_progress::LayerProgress};
use crate::context::{Context, Format};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::lines::Lines;
use crate::places;
use crate::plural::count;

/// Flags of `verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Every document is compared with its descriptor, and every layer is read once: its digest, what it inflates to, and
where it has a zTOC every span from its checkpoint and every file. Findings that change nothing while the image runs
are told and leave the exit code at 0; what could not be looked at is told as unknown and does not.

  cargo soci verify image-soci.tar")]
pub struct Args {
    /// Where the image is
    #[arg(value_name = "SRC")]
    pub source: String,
    /// Which of several images, by tag, full name or digest
    #[arg(long, value_name = "TAG")]
    pub tag: Option<String>,
    /// Platform to check, such as linux/arm64; may be repeated [default: all that are there]
    #[arg(short, long = "platform", value_name = "PLATFORM")]
    pub platforms: Vec<Platform>,
    /// Check only so many spans of each layer with a zTOC, chosen at random and fetched with the one before each,
    /// instead of reading all layers whole; what that leaves out is told as unknown
    #[arg(long, value_name = "N")]
    pub sample: Option<NonZeroUsize>,
    /// Layers that are checked at the same time
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
}

/// Checks the image; findings are exit code 1.
pub fn run(args: Args, context: &Context) -> CommandResult {
    let format = context.format(&[Format::Human, Format::Json])?;
    let location = places::source(&args.source, context)?;
    let mut options = Options {
        tag: places::wanted_tag(&location, args.tag.as_deref())?,
        platforms: args.platforms,
        cancel: context.cancel.flag(),
        ..Options::default()
    };
    options.jobs = args.jobs.unwrap_or(options.jobs);
    let source = places::open(&location, context)?;
    let failed = |error| places::failed(&error);
    let images = block_on(workflow::examine_documents(&source, options.tag.as_deref())).map_err(failed)?;
    for image in images.iter().filter(|_| !options.platforms.is_empty()) {
        // A platform that is not there is a mistake, not a good image.
        image
            .image
            .select(&options.platforms)
            .map_err(|error| CommandError::failed(error.to_string()))?;
    }
    options.sample = args.sample.map(|spans| Sample {
        spans: spans.get(),
        seed: RandomState::new().build_hasher().finish(),
    });
    let progress = LayerProgress::new(context, "checked", "checked");
    let mut verdicts = Vec::new();
    for image in &images {
        let verdict = workflow::verify(&source, image, &options, &|event| progress.event(event));
        verdicts.push(verdict.map_err(failed)?);
    }
    if context.is_quiet() {
        let digests: Vec<_> = verdicts
            .iter()
            .map(|verdict| verdict.digest.to_string())
            .collect();
        context.report(&digests.join("\n"))?;
    } else {
        match format {
            Format::Json => context.report_json(&BTreeMap::from([("images", &verdicts)]))?,
            _ => context.report(&human(&verdicts, context.columns()))?,
        }
    }
    Ok(if verdicts.iter().all(VerifiedImage::is_good) {
        Exit::Done
    } else {
        Exit::Findings
    })
}

fn human(verdicts: &[VerifiedImage], columns: usize) -> String {
    let mut lines = Lines::new(columns);
    for verdict in verdicts {
        let name = match &verdict.names[..] {
            [] => verdict.digest.to_string(),
            names => names.join(", "),
        };
        let counted = format!(
            "{}, {}, {} checked",
            count(verdict.layers, "layer"),
            count(verdict.spans, "span"),
            count(verdict.files, "file")
        );
        let result = match verdict.findings.len() {
            0 if verdict.unknown.is_empty() && verdict.is_good() => "good".to_owned(),
            0 => "no fault found".to_owned(),
            number => count(number, "finding"),
        };
        lines.add(0, &format!("{name}: {result}; {counted}"));
        for finding in &verdict.findings {
            let platform = match &finding.platform {
                Some(platform) => format!("{platform}: "),
                None => String::new(),
            };
            lines.add(2, &format!("{}: {platform}{}", finding.cause, finding.message));
            lines.add(4, consequence(finding.consequence));
            lines.add(4, &format!("help: {}", finding.help));
        }
        for unknown in &verdict.unknown {
            lines.add(2, &format!("unknown: {}", unknown.message));
        }
    }
    lines.finish()
}

fn consequence(consequence: Consequence) -> &'static str {
    match consequence {
        Consequence::None => "no effect while the image runs",
        Consequence::NotPrefetched => "what should be fetched at once is fetched when it is read",
        Consequence::LayerNotLazy => "clients load this layer whole",
        Consequence::ImageNotLazy => "clients load the whole image, without saying so",
        Consequence::ReadsFail => "clients mount the image, and reading files fails",
        Consequence::WrongContents => "clients read wrong file contents, without noticing",
        Consequence::PullFails => "the image cannot be pulled",
    }
}
