//! `remove SRC [DST]`: SOCI out of an image again.

use std::fmt::Write as _;

use soci_store::Location;
use soci_store::workflow::{self, ImageReport, Options};

use crate::commands::CommandResult;
use crate::commands::convert::human::heading;
use crate::context::{Context, Format};
use crate::conversion::short;
use crate::error::CommandError;
use crate::escape;
use crate::exit::Exit;
use crate::places;

/// Flags of `remove`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Fargate has no switch against lazy loading: an image without a SOCI index is pulled as a whole. What `convert` added
goes, all else stays; an image that was in plain OCI form before gets its first digest back. A SOCI index v1 is not
part of an image and stays where it is.

  cargo soci remove 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.4
  cargo soci remove image-soci.tar image.tar")]
pub struct Args {
    /// Where the image is
    #[arg(value_name = "SRC")]
    pub source: String,
    /// Where the image without SOCI goes; without it, it takes the place of SRC
    #[arg(value_name = "DST")]
    pub destination: Option<String>,
    /// Which of several images in SRC, by tag, full name or digest
    #[arg(long, value_name = "TAG")]
    pub tag: Option<String>,
}

/// Removes, and prints what was done.
pub fn run(args: Args, context: &Context) -> CommandResult {
    let format = context.format(&[Format::Human, Format::Json])?;
    let source_location = places::source(&args.source, context)?;
    let destination_location = match &args.destination {
        Some(text) => places::location(text)?,
        None if source_location == Location::Stream => {
            return Err(CommandError::usage(
                "an image from standard input needs a destination",
            ));
        }
        None => source_location.clone(),
    };
    let options = Options {
        tag: places::wanted_tag(&source_location, args.tag.as_deref())?,
        cancel: context.cancel.flag(),
        ..Options::default()
    };
    let source = places::open(&source_location, context)?;
    let new_tag = args
        .destination
        .as_ref()
        .and(places::new_tag(&destination_location));
    let destination = match &args.destination {
        Some(_) => places::create(&destination_location, context)?,
        None => places::create_in_place(&destination_location, context)?,
    };
    let reports =
        workflow::remove(&source, destination, new_tag, &options).map_err(|error| places::failed(&error))?;
    if destination_location == Location::Stream {
        context.note(&human(&reports, &destination_location));
    } else if context.is_quiet() {
        let digests: Vec<_> = reports.iter().map(|image| image.digest.to_string()).collect();
        context.report(&digests.join("\n"))?;
    } else {
        match format {
            Format::Json => context.report_json(&serde_json::json!({ "images": reports }))?,
            _ => context.report(&human(&reports, &destination_location))?,
        }
    }
    Ok(Exit::Done)
}

fn human(reports: &[ImageReport], destination: &Location) -> String {
    let mut text = String::new();
    for image in reports {
        line(&mut text, &heading(image, destination));
        if image.changed {
            line(
                &mut text,
                &format!("  {} (was {})", image.digest, short(&image.source_digest)),
            );
            for platform in &image.platforms {
                let name = escape::terminal(&platform.platform);
                line(
                    &mut text,
                    &format!("  {name}: without SOCI, manifest {}", platform.manifest),
                );
            }
        } else {
            line(
                &mut text,
                &format!("  {} (had no SOCI index: nothing changed)", image.digest),
            );
        }
    }
    text
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("writing to a string never fails");
}
