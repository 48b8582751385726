//! `mount SRC DIR`: an image lazily mounted on this machine, until Ctrl-C.

use std::path::PathBuf;

use soci_start::Link;

use crate::commands::CommandResult;
use crate::context::{Context, Format};
use crate::lazy_image::Which;

/// Flags of `mount`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The files of all layers as a container gets them, read-only, at DIR, an empty folder. Each span is fetched when it is
read for the first time, and compared with its digest; layers without a zTOC are fetched whole before. Ctrl-C, SIGTERM
or `umount DIR` end it, and it tells what was fetched. What cannot be read is an I/O error for the reader, and is told
at the end. Linux only, as root.

  sudo cargo soci mount ./app-soci /mnt
  sudo cargo soci mount 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.4-soci /mnt --link 200Mbit/2ms")]
pub struct Args {
    /// Where the image is
    #[arg(value_name = "SRC")]
    pub source: String,
    /// Where it is mounted: an empty folder
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// The image, if SRC has several.
    #[command(flatten)]
    pub which: Which,
    /// Be as slow as this link, bandwidth and round trip, and as the lazy client behind it
    #[arg(long, value_name = "LINK")]
    pub link: Option<Link>,
}

/// Mounts, waits, unmounts, tells.
pub fn run(args: Args, context: &Context) -> CommandResult {
    let format = context.format(&[Format::Human, Format::Json])?;
    machine(args, format, context)
}

#[cfg(not(target_os = "linux"))]
fn machine(args: Args, format: Format, context: &Context) -> CommandResult {
    let _ = (args, format, context);
    Err(crate::error::CommandError::failed("`mount` works on Linux only")
        .help("`cargo soci cat` reads single files everywhere"))
}

#[cfg(target_os = "linux")]
use linux::machine;

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::io;
    use std::path::Path;
    use std::sync::Arc;
    use std::time::Duration;

    use serde::Serialize;
    use soci_mount::Mount;

    use super::Args;
    use crate::causes::AtPath;
    use crate::commands::CommandResult;
    use crate::context::{Context, Format};
    use crate::error::CommandError;
    use crate::exit::Exit;
    use crate::machine::report::{self, Fetched, FileReport, LayerReport};
    use crate::machine::{Opened, cannot, text};
    use crate::plural::count;

    /// What `--format json` prints.
    #[derive(Serialize)]
    struct Report {
        folder: String,
        fetched: Fetched,
        layers: Vec<LayerReport>,
        /// In the order of their first opening.
        files: Vec<FileReport>,
        /// What could not be read.
        faults: Vec<String>,
    }

    pub(super) fn machine(args: Args, format: Format, context: &Context) -> CommandResult {
        Mount::check().map_err(|error| cannot(&error))?;
        let folder = empty(&args.folder, context)?;
        let opened = Opened::new(&args.source, args.which, args.link, context)?;
        let begin = opened.begin;
        let index = opened.index()?;
        let pulled = opened.pull(Some(&index), context)?;
        let layers = pulled.layers().to_vec();
        context.cancel.check()?;
        let mount = Mount::new(pulled, Some(&index), Arc::clone(&opened.wire), folder, begin)
            .map_err(|error| cannot(&error))?;
        for layer in layers.iter().filter(|layer| layer.refused.is_some()) {
            context.warn(&format!(
                "layer {} is not lazy: {}",
                layer.digest,
                layer.refused.as_deref().unwrap_or_default()
            ));
        }
        context.note(&format!(
            "mounted at {} after {:.2} s; Ctrl-C unmounts it",
            folder.display(),
            begin.elapsed().as_secs_f64()
        ));
        while mount.is_mounted() && !context.cancel.is_set() {
            std::thread::sleep(GLANCE);
        }
        let recorded = mount.recorded();
        mount.unmount().map_err(|error| cannot(&error))?;
        let report = Report {
            folder: folder.display().to_string(),
            fetched: Fetched::of(&layers, &recorded),
            layers: report::layers(&layers, &recorded),
            files: report::files(&recorded),
            faults: recorded.faults.iter().map(ToString::to_string).collect(),
        };
        match format {
            Format::Json => context.report_json(&report)?,
            _ => context.report(&format!(
                "{}\nfiles    {} opened",
                text::fetched(&report.layers, &report.fetched),
                report.files.len()
            ))?,
        }
        unreadable(&report.faults)
    }

    /// How often the end is looked for.
    const GLANCE: Duration = Duration::from_millis(20);

    /// Done, unless something could not be read.
    fn unreadable(faults: &[String]) -> CommandResult {
        if faults.is_empty() {
            return Ok(Exit::Done);
        }
        Err(CommandError::failed(format!(
            "{} could not be read:\n{}",
            count(faults.len(), "thing"),
            faults.join("\n")
        ))
        .help("`cargo soci verify` says what is wrong with an image and its index"))
    }

    /// The folder, if nothing is in it. What a killed run left mounted there goes away.
    fn empty<'a>(folder: &'a Path, context: &Context) -> Result<&'a Path, CommandError> {
        let list = || fs::read_dir(folder).map(|mut entries| entries.next().is_some());
        let listed = match list() {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => {
                soci_mount::detach(folder).map_err(|error| cannot(&error))?;
                context.note(&format!(
                    "what a killed run had left mounted at {} was taken away",
                    folder.display()
                ));
                list()
            }
            other => other,
        };
        match listed.at("mount at", folder)? {
            true => Err(CommandError::usage(format!("{} is not empty", folder.display()))
                .help("mount at an empty folder: files in it would be hidden")),
            false => Ok(folder),
        }
    }
}
