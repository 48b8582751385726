//! `convert --from-metadata FILE[#TARGET]`: exactly what a build pushed, by digest, under all its names.

use soci_image::Reference;

use super::metadata::{self, Published};
use super::{Args, human};
use crate::build::metadata_file::{self, BuiltImage, MetadataArgument};
use crate::build::publish::{self, Made, PublishedImage, Settings, TagModel};
use crate::causes;
use crate::commands::CommandResult;
use crate::config::Config;
use crate::context::{Context, Format};
use crate::conversion;
use crate::error::{CommandError, OrFail};
use crate::escape;
use crate::exit::Exit;

/// What `--format json` prints for each image.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    names: Vec<String>,
    source_digest: String,
    digest: String,
    tag_model: TagModel,
    #[serde(skip_serializing_if = "Option::is_none")]
    nothing_to_index: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conversion: Option<crate::conversion::Converted>,
}

/// Converts the images of a metadata file.
pub(super) fn run(
    file: &MetadataArgument,
    args: &Args,
    config: &Config,
    format: Format,
    context: &Context,
) -> CommandResult {
    let shown = file.path.display();
    let bytes = std::fs::read(&file.path).map_err(|error| {
        causes::of_file("read", &file.path, &error)
            .help("builders write it only when the build succeeded: docker buildx build --metadata-file FILE")
    })?;
    let images = metadata_file::read(&bytes, file.target.as_deref()).or_fail(|| shown.to_string())?;
    let options = super::options(args, config, context)?;
    let settings = Settings {
        model: publish::tag_model(config),
        options: &options,
        config,
        plain: super::plain(args),
        reuse: args.index.reuse.clone(),
    };
    // All names are known before anything is converted.
    let mut work = Vec::new();
    for image in images {
        let names = names(&image, &args.names, &shown.to_string())?;
        work.push((image, names));
    }
    if !args.names.is_empty() && work.len() > 1 {
        return Err(CommandError::usage(format!(
            "{shown} has {} targets, and --name can be meant for one",
            work.len()
        ))
        .help("name the target: --from-metadata FILE#TARGET"));
    }
    if args.metadata_file.is_some() && work.len() > 1 {
        return Err(CommandError::usage(format!(
            "{shown} has {} targets, and --metadata-file is about one image",
            work.len()
        ))
        .help("name the target: --from-metadata FILE#TARGET"));
    }
    let mut exit = Exit::Done;
    let mut reports = Vec::new();
    for (image, names) in work {
        if args.index.dry_run {
            let names: Vec<String> = names
                .iter()
                .filter_map(|name| settings.model.soci_name(name).ok())
                .map(|name| name.to_string())
                .collect();
            context.report(&format!(
                "{} would be converted to {}",
                image.digest,
                names.join(", ")
            ))?;
            continue;
        }
        let made = Made::Earlier {
            digest: image.digest.clone(),
            // The names of the file were given to this image; those that the user gives may be anything.
            tagged: args.names.is_empty(),
        };
        let published = publish::to_registry(&made, &names, &settings, context)
            .map_err(|error| explain(error, &image))?;
        if let Some(reason) = &published.nothing_to_index {
            context.warn(reason.message());
            if !conversion::passes_nothing_to_index(config) {
                exit = Exit::NothingToIndex;
            }
        }
        if let (Some(path), Some(converted)) = (&args.metadata_file, &published.converted) {
            metadata::write(path, &converted.report, &Published::Under(&published.names))?;
        }
        reports.push(report(&image, published, settings.model));
    }
    match format {
        _ if args.index.dry_run => {}
        Format::Json => context.report_json(&serde_json::json!({ "images": reports }))?,
        _ if context.is_quiet() => {
            let digests: Vec<&str> = reports.iter().map(|report| report.digest.as_str()).collect();
            context.report(&digests.join("\n"))?;
        }
        _ => {
            let texts: Vec<String> = reports.iter().map(text).collect();
            context.report(&texts.concat())?;
        }
    }
    Ok(exit)
}

/// The names that the user gives, else those of the file.
fn names(image: &BuiltImage, given: &[String], file: &str) -> Result<Vec<Reference>, CommandError> {
    if !given.is_empty() {
        return given
            .iter()
            .map(|name| {
                Reference::parse(name).map_err(|error| CommandError::usage(format!("--name: {error}")))
            })
            .collect();
    }
    let what = match &image.target {
        Some(target) => format!("{file}: target {target}"),
        None => file.to_owned(),
    };
    if image.names.is_empty() {
        return Err(CommandError::usage(format!("{what} has no name of the image"))
            .help("builders of several nodes leave it out: give it with --name HOST/REPOSITORY:TAG"));
    }
    if let Some(name) = image.names.iter().find(|name| name.tag().is_none()) {
        return Err(CommandError::usage(format!(
            "{what}: {name} has no tag: the image was pushed by digest"
        ))
        .help(format!("give the tag with --name {}:TAG", name.name())));
    }
    Ok(image.names.clone())
}

/// The usual reason why what a build is said to have pushed is not there.
fn explain(error: CommandError, image: &BuiltImage) -> CommandError {
    let is_missing = error.message().contains(&format!("{} is not at", image.digest));
    if !is_missing {
        return error;
    }
    error.help(
        "was this image pushed? With several outputs the metadata file has the digest of the last one, which may \
         be an archive",
    )
}

fn report(image: &BuiltImage, published: PublishedImage, tag_model: TagModel) -> Report {
    Report {
        target: image.target.clone(),
        names: published.names.iter().map(ToString::to_string).collect(),
        source_digest: image.digest.to_string(),
        digest: published.digest.to_string(),
        tag_model,
        nothing_to_index: published.nothing_to_index.map(|error| error.message().to_owned()),
        conversion: published.converted,
    }
}

fn text(report: &Report) -> String {
    let mut text = format!("{}\n", escape::terminal(&report.names.join(", ")));
    match &report.conversion {
        Some(converted) => text.push_str(&human::images(&converted.report)),
        None => text.push_str(&format!(
            "  {} as it was built: nothing to index\n",
            report.digest
        )),
    }
    text
}
