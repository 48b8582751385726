//! `inspect SRC`: what an image is made of, and what of it can be loaded lazily.

use std::collections::BTreeMap;

use indicatif::HumanBytes;
use soci_image::facts::{Effect, ImageFacts, LayerFacts, Oddity, PlatformFacts, SociFacts, ZtocState};
use soci_image::{Digest, Platform, SociVersion};
use soci_store::workflow::{self, Examined};
use soci_store::{block_on, store::RootName};

use crate::commands::CommandResult;
use crate::context::{Context, Format};
use crate::exit::Exit;
use crate::lines::{Lines, row};
use crate::places;

/// Flags of `inspect`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
zTOCs are fetched to know whether they can be read, up to 64 MiB each and 256 MiB together; of layers only whether
they are there. An image that cannot be pulled or started is exit code 1.

  cargo soci inspect image-soci.tar
  cargo soci inspect 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.4 --format json > facts.json")]
pub struct Args {
    /// Where the image is
    #[arg(value_name = "SRC")]
    pub source: String,
    /// Which of several images, by tag, full name or digest
    #[arg(long, value_name = "TAG")]
    pub tag: Option<String>,
}

/// Prints the facts: JSON has one `ImageFacts` document, or a list if there are several images.
pub fn run(args: Args, context: &Context) -> CommandResult {
    let format = context.format(&[Format::Human, Format::Json])?;
    let location = places::source(&args.source, context)?;
    let tag = places::wanted_tag(&location, args.tag.as_deref())?;
    let source = places::open(&location, context)?;
    let images =
        block_on(workflow::examine(&source, tag.as_deref())).map_err(|error| places::failed(&error))?;
    // What nobody can run is no success, whatever can be said about it.
    let worst = images
        .iter()
        .flat_map(|image| &image.facts.oddities)
        .map(Oddity::effect)
        .max();
    let exit = match worst {
        Some(Effect::PullFails | Effect::WrongContents | Effect::ReadsFail) => Exit::Findings,
        _ => Exit::Done,
    };
    if context.is_quiet() {
        let digests: Vec<_> = images
            .iter()
            .map(|image| image.facts.root.digest.to_string())
            .collect();
        context.report(&digests.join("\n"))?;
        return Ok(exit);
    }
    match (format, &images[..]) {
        (Format::Json, [only]) => context.report(&only.facts.to_json())?,
        (Format::Json, several) => {
            let facts: Vec<&ImageFacts> = several.iter().map(|image| &image.facts).collect();
            context.report_json(&facts)?;
        }
        _ => {
            let texts: Vec<String> = images
                .iter()
                .map(|image| human(image, context.columns()))
                .collect();
            context.report(&texts.join("\n"))?;
        }
    }
    Ok(exit)
}

fn human(image: &Examined, columns: usize) -> String {
    let facts = &image.facts;
    let mut lines = Lines::new(columns);
    lines.add(0, &names(&image.root.names));
    lines.add(2, &format!("{} {}", facts.root.media_type, facts.root.digest));
    for platform in &facts.platforms {
        lines.gap();
        describe_platform(&mut lines, platform, &image.spans);
    }
    if !facts.attestations.is_empty() {
        lines.gap();
        lines.add(0, "attestations");
        for attestation in &facts.attestations {
            let about = match (&attestation.refers_to, &attestation.platform) {
                (Some(digest), platform) if attestation.refers_to_present => {
                    format!("about {} ({})", short(digest), name(platform.as_ref()))
                }
                (Some(digest), _) => format!("about {}, which is not in this image", short(digest)),
                (None, _) => "names no image".to_owned(),
            };
            let statements = attestation.statements.join(", ");
            let digest = short(&attestation.manifest.digest);
            lines.add(2, &format!("{digest}  {about}: {statements}"));
            if let Some(subject) = &attestation.subject
                && Some(subject) != attestation.refers_to.as_ref()
            {
                let subject = short(subject);
                lines.add(
                    4,
                    &format!("its subject is {subject}, the image before conversion"),
                );
            }
        }
    }
    if !facts.others.is_empty() {
        lines.gap();
        lines.add(0, "also listed");
        for other in &facts.others {
            let kind = serde_json::to_value(other.kind).unwrap_or_default();
            let kind = kind.as_str().unwrap_or_default().replace('-', " ");
            let (digest, platform) = (short(&other.manifest.digest), name(other.platform.as_ref()));
            lines.add(2, &format!("{digest}  {kind}, {platform}"));
        }
    }
    lines.gap();
    lines.add(0, &totals(facts));
    if !facts.oddities.is_empty() {
        lines.gap();
        for oddity in &facts.oddities {
            let level = match (oddity, oddity.effect()) {
                (_, Effect::PullFails | Effect::WrongContents | Effect::ReadsFail) => "error",
                (Oddity::LargeZtoc { .. }, _) => "hint",
                _ => "note",
            };
            lines.add(0, &format!("{level}: {oddity}"));
        }
    }
    lines.finish()
}

fn describe_platform(lines: &mut Lines, platform: &PlatformFacts, spans: &BTreeMap<Digest, u64>) {
    let name = name(platform.platform.as_ref());
    lines.add(0, &format!("{name}  manifest {}", platform.manifest.digest));
    match &platform.soci {
        None => lines.add(2, "no SOCI index"),
        Some(soci) => {
            let tool = if soci.build_tool.is_empty() {
                "an unnamed tool"
            } else {
                &soci.build_tool
            };
            let spans = soci
                .span_size
                .map_or_else(String::new, |size| format!(", spans of {}", HumanBytes(size)));
            let (version, digest) = (soci.version, &soci.digest);
            lines.add(2, &format!("SOCI index {version} {digest}, by {tool}{spans}"));
        }
    }
    let mut rows = vec![row(["LAYER", "SIZE", "STORED AS", "SPANS", "zTOC", "LAZY"])];
    for layer in &platform.layers {
        let ztoc = layer.ztoc.as_ref();
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".into());
        rows.push(vec![
            short(&layer.digest),
            HumanBytes(layer.size).to_string(),
            layer.compression.to_string(),
            or_none(ztoc.and_then(|ztoc| spans.get(&ztoc.digest)).map(u64::to_string)),
            or_none(ztoc.map(|ztoc| HumanBytes(ztoc.size).to_string())),
            lazy(layer, platform.soci.as_ref()),
        ]);
    }
    lines.table(2, &[1, 3, 4], &rows);
}

/// `yes`, or the reason why not, and what is fetched at once.
fn lazy(layer: &LayerFacts, soci: Option<&SociFacts>) -> String {
    let state = layer.ztoc.as_ref().map(|ztoc| ztoc.state);
    let is_v1 = soci.is_some_and(|soci| soci.usable && soci.version == SociVersion::V1);
    let mut text = match (state, layer.no_ztoc) {
        _ if layer.missing => "no: the layer is missing or has another size".to_owned(),
        (Some(Some(ZtocState::Missing)), _) => "no: its zTOC is missing or damaged".into(),
        (Some(Some(ZtocState::Unreadable)), _) => "no: its zTOC cannot be read".into(),
        (Some(_), _) if is_v1 => "no: by SOCI v1 only, which is off by default".into(),
        (Some(_), _) if !soci.is_some_and(SociFacts::is_taken) => {
            "no: clients do not take the SOCI index".into()
        }
        (Some(Some(ZtocState::There)), _) => "yes; its zTOC is there and was not read".into(),
        (Some(Some(ZtocState::Read)), _) => "yes".into(),
        (Some(None), _) => "perhaps: its zTOC was not looked at".into(),
        (None, Some(reason)) => format!("no: {}", reason.text()),
        (None, None) => "no".into(),
    };
    if layer.ztoc.as_ref().is_some_and(|ztoc| ztoc.start_trace.is_some()) {
        text += ", spans cut for a start";
    }
    if let Some(prefetch) = &layer.prefetch {
        match &prefetch.spans {
            Some(spans) => {
                let ranges: Vec<String> = spans
                    .iter()
                    .map(|range| match range.start == range.end {
                        true => range.start.to_string(),
                        false => format!("{}-{}", range.start, range.end),
                    })
                    .collect();
                text += &format!(", spans to fetch at once: {}", ranges.join(" "));
            }
            None => text += ", its prefetch list cannot be read",
        }
    }
    if layer.foreign {
        text += ", foreign";
    }
    text
}

fn totals(facts: &ImageFacts) -> String {
    let totals = &facts.totals;
    let permille = totals.lazy_permille();
    // What a client fetches beside the layers, as a share of them.
    let overhead = u128::from(totals.ztoc_bytes) * 1000 / u128::from(totals.layer_bytes.max(1));
    format!(
        "{} of {} layers lazy: {} of {} ({}.{}\u{a0}%), zTOCs {} ({}.{}\u{a0}%)",
        totals.lazy_layers,
        totals.layers,
        HumanBytes(totals.lazy_bytes),
        HumanBytes(totals.layer_bytes),
        permille / 10,
        permille % 10,
        HumanBytes(totals.ztoc_bytes),
        overhead / 10,
        overhead % 10,
    )
}

fn names(names: &[RootName]) -> String {
    let names: Vec<_> = names
        .iter()
        .filter_map(|name| name.full.as_deref().or(name.tag.as_deref()))
        .collect();
    if names.is_empty() {
        "image without a name".into()
    } else {
        names.join(", ")
    }
}

fn name(platform: Option<&Platform>) -> String {
    platform.map_or_else(|| "unknown platform".into(), |platform| platform.to_string())
}

fn short(digest: &Digest) -> String {
    format!("{}:{}", digest.algorithm().name(), &digest.hex()[..12])
}
