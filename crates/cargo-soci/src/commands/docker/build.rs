//! `docker soci build ARGS…`: hands its arguments to `docker buildx build` and makes what comes out
//! SOCI-enabled, wherever the user's own `--push` and `--output` put it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use soci_image::Reference;
use soci_store::Location;
use soci_store::workspace::Workspace;

use crate::build::buildx::user::{self, UserBuild, UserOutput};
use crate::build::child;
use crate::build::metadata_file;
use crate::build::plan::docker;
use crate::build::publish::{self, Made, Settings, TagModel};
use crate::build::run::{self, digest_of};
use crate::causes;
use crate::commands::CommandResult;
use crate::commands::convert::human;
use crate::commands::convert::reuse::ReuseFlags;
use crate::config::{Config, Flags};
use crate::context::{Context, Format};
use crate::conversion::{self, Converted, Plain};
use crate::error::{CommandError, OrFail};
use crate::escape;
use crate::exit::Exit;
use crate::output::OutputFile;

/// Shown under the flags in help and documentation.
pub const AFTER_HELP: &str = "\
All arguments go to `docker buildx build`, which must push the image or write it to an OCI archive or layout:

  docker soci build --push -t HOST/app:1.4 .
  docker soci build --output type=oci,dest=image.tar .

--metadata-file and --iidfile are written as asked for, and name the SOCI-enabled image. Ours are any setting of
docs/configuration.md as --soci-KEY VALUE, such as --soci-tag-model sibling or --soci-min-layer-size 4MiB, and:

  --soci-format json     the report as JSON
  --soci-dry-run         say what would be done, and do nothing";

/// Our own words among the user's.
#[derive(Debug, Default)]
struct OwnWords {
    settings: Vec<String>,
    format: Option<String>,
    dry_run: bool,
}

/// One result of the build, after conversion.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    names: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
    digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    nothing_to_index: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conversion: Option<Converted>,
}

/// Builds and converts.
pub(super) fn run(words: Vec<OsString>, context: &Context) -> CommandResult {
    let words = words
        .into_iter()
        .map(|word| {
            word.into_string()
                .map_err(|word| CommandError::usage(format!("{} is not UTF-8", word.display())))
        })
        .collect::<Result<Vec<String>, _>>()?;
    let (own, words) = split_own(words)?;
    let build = user::read_user_words(&words).map_err(CommandError::usage)?;
    if build.help {
        let usage = "Usage: docker soci build [OPTIONS] PATH | URL | -";
        context.report(&format!(
            "{usage}\n\n{AFTER_HELP}\n\n`docker buildx build --help` shows its options."
        ))?;
        return Ok(Exit::Done);
    }
    if build.only_checks {
        let mut command = docker(context);
        command.args(["buildx", "build"]).args(&words);
        run::buildx(&mut command, OTHER_BUILDER, context)?;
        return Ok(Exit::Done);
    }
    let format = match own.format.as_deref() {
        None | Some("human") => context.format.unwrap_or(Format::Human),
        Some("json") => Format::Json,
        Some(other) => {
            return Err(
                CommandError::usage(format!("there is no --soci-format {other}")).help("use human or json")
            );
        }
    };
    check_outputs(&build)?;
    let config = config(&own)?;
    config.warn(context);
    context.registries.configure(&config)?;
    let options = conversion::options(&config, context)?;
    let settings = Settings {
        model: publish::tag_model(&config),
        options: &options,
        config: &config,
        // The user's own words choose the compression.
        plain: Plain::Keep,
        reuse: ReuseFlags::default(),
    };
    let scratch =
        Workspace::private_in(&std::env::temp_dir()).map_err(|error| crate::places::failed(&error))?;
    let metadata_path = scratch.path().join("metadata.json");
    let mut command = command(&build, &metadata_path, scratch.path(), context);
    let shown = child::show(&command);
    if own.dry_run {
        context.report(&format!(
            "  build    {}\n{}",
            escape::terminal(&shown),
            describe(&build, settings.model)
        ))?;
        return Ok(Exit::Done);
    }
    if let Some(path) = &build.metadata_file {
        // buildx leaves the file of an earlier build alone when it fails; nobody should take it for ours.
        remove_old(path)?;
    }
    let before: Vec<Stamp> = build.outputs.iter().map(stamp).collect();
    run::buildx(&mut command, OTHER_BUILDER, context)?;
    for (output, before) in build.outputs.iter().zip(before) {
        if let (Some(before), UserOutput::Archive(path) | UserOutput::Layout(path)) = (before, output)
            && stamp(output) == Some(before)
        {
            return Err(CommandError::failed(format!(
                "docker buildx build made no image: {} is as it was before the build",
                path.display()
            ))
            .help("its own messages are above"));
        }
    }
    let metadata =
        fs::read(&metadata_path).or_fail(|| "docker buildx build wrote no metadata file".into())?;
    let reports = convert_all(&build, &metadata, scratch.path(), &settings, context)?;
    write_user_files(&build, &metadata, &reports)?;
    print(&build, &reports, format, context)?;
    let nothing = reports.iter().any(|report| report.nothing_to_index.is_some())
        && !conversion::passes_nothing_to_index(&config);
    Ok(if nothing { Exit::NothingToIndex } else { Exit::Done })
}

/// Takes our own words out.
fn split_own(words: Vec<String>) -> Result<(OwnWords, Vec<String>), CommandError> {
    let mut own = OwnWords::default();
    let mut others = Vec::new();
    let mut rest = words.into_iter();
    while let Some(word) = rest.next() {
        let Some(key) = word.strip_prefix("--soci-") else {
            others.push(word);
            continue;
        };
        if key == "dry-run" {
            own.dry_run = true;
            continue;
        }
        let (key, value) = match key.split_once('=') {
            Some((key, value)) => (key.to_owned(), value.to_owned()),
            None => match rest.next() {
                Some(value) => (key.to_owned(), value),
                None => return Err(CommandError::usage(format!("{word} needs a value"))),
            },
        };
        match key.as_str() {
            "format" => own.format = Some(value),
            _ => own.settings.push(format!("{key}={value}")),
        }
    }
    Ok((own, others))
}

fn config(own: &OwnWords) -> Result<Config, CommandError> {
    let mut flags = Flags::default();
    flags.pairs(&own.settings)?;
    Config::around_working_folder(&flags)
}

/// A build whose result we cannot reach is refused before it runs.
fn check_outputs(build: &UserBuild) -> Result<(), CommandError> {
    let has_image = build
        .outputs
        .iter()
        .any(|output| !matches!(output, UserOutput::NoImage | UserOutput::AsBuilt));
    if !has_image {
        let problem = if build.outputs.contains(&UserOutput::AsBuilt) {
            "soci=false in --output leaves nothing to make SOCI-enabled"
        } else if build.loads {
            "an image that is only loaded into the Docker engine cannot be made SOCI-enabled there"
        } else {
            "this build neither pushes an image nor writes one"
        };
        return Err(CommandError::usage(problem)
            .help("add --push, or --output type=oci,dest=image.tar for an archive"));
    }
    for output in &build.outputs {
        match output {
            UserOutput::Push { names } if names.is_empty() && build.tags.is_empty() => {
                return Err(CommandError::usage("this build pushes an image without a name")
                    .help("give the name with --tag HOST/REPOSITORY:TAG"));
            }
            UserOutput::PushByDigest => {
                return Err(
                    CommandError::usage("an image that is pushed by digest has no tag to convert").help(
                        "merge the platforms with `docker buildx imagetools create --metadata-file FILE` and \
                           run `docker soci convert --from-metadata FILE --name HOST/REPOSITORY:TAG`",
                    ),
                );
            }
            _ => {}
        }
    }
    Ok(())
}

fn command(build: &UserBuild, metadata: &Path, scratch: &Path, context: &Context) -> Command {
    let mut words = build.words.clone();
    for (number, output) in build.outputs.iter().enumerate() {
        if let UserOutput::Stdout { word, fields } = output {
            words[*word] = user::output_to_file(fields, &spool(scratch, number));
        }
    }
    let mut command = docker(context);
    command
        .args(["buildx", "build", "--metadata-file"])
        .arg(metadata)
        .args(words);
    command
}

fn spool(scratch: &Path, number: usize) -> PathBuf {
    scratch.join(format!("image-{number}.tar"))
}

fn describe(build: &UserBuild, model: TagModel) -> String {
    let mut text = String::new();
    for output in &build.outputs {
        let target = match output {
            UserOutput::Push { names } => {
                let names = if names.is_empty() { &build.tags } else { names };
                let names: Vec<String> = names
                    .iter()
                    .filter_map(|name| Reference::parse(name).ok())
                    .filter_map(|name| model.soci_name(&name).ok())
                    .map(|name| name.to_string())
                    .collect();
                names.join(", ")
            }
            UserOutput::Archive(path) | UserOutput::Layout(path) => path.display().to_string(),
            UserOutput::Stdout { .. } => "stdout".to_owned(),
            UserOutput::PushByDigest | UserOutput::AsBuilt | UserOutput::NoImage => continue,
        };
        text.push_str(&format!(
            "  convert  by digest, to {}\n",
            escape::terminal(&target)
        ));
    }
    text
}

/// What tells an output of this build from that of an earlier one; `None` if nothing is there.
type Stamp = Option<(std::time::SystemTime, u64)>;

fn stamp(output: &UserOutput) -> Stamp {
    let path = match output {
        UserOutput::Archive(path) => path.clone(),
        UserOutput::Layout(path) => path.join("index.json"),
        _ => return None,
    };
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// The other way out of a missing buildx.
const OTHER_BUILDER: &str = "build with another program into an OCI archive and run `docker soci convert image.tar \
                             HOST/REPOSITORY:TAG`";

fn remove_old(path: &Path) -> Result<(), CommandError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(causes::of_file("remove", path, &error))
        }
        _ => Ok(()),
    }
}

/// Converts every image that the build made.
fn convert_all(
    build: &UserBuild,
    metadata: &[u8],
    scratch: &Path,
    settings: &Settings<'_>,
    context: &Context,
) -> Result<Vec<Report>, CommandError> {
    let mut reports = Vec::new();
    for (number, output) in build.outputs.iter().enumerate() {
        let (source, target) = match output {
            UserOutput::NoImage | UserOutput::AsBuilt | UserOutput::PushByDigest => continue,
            UserOutput::Push { names } => {
                let names = if names.is_empty() { &build.tags } else { names };
                reports.push(pushed(build, names, metadata, settings, context)?);
                continue;
            }
            UserOutput::Archive(path) => (archive(path), archive(path)),
            UserOutput::Layout(path) => {
                let location = Location::Layout {
                    path: path.clone(),
                    tag: None,
                };
                (location.clone(), location)
            }
            UserOutput::Stdout { .. } => (archive(&spool(scratch, number)), Location::Stream),
        };
        reports.push(stored(source, &target, settings, context)?);
    }
    Ok(reports)
}

fn archive(path: &Path) -> Location {
    Location::Archive {
        path: path.to_path_buf(),
        tag: None,
    }
}

fn pushed(
    build: &UserBuild,
    names: &[String],
    metadata: &[u8],
    settings: &Settings<'_>,
    context: &Context,
) -> Result<Report, CommandError> {
    let names = names
        .iter()
        .map(|name| {
            let name =
                Reference::parse(name).map_err(|error| CommandError::usage(format!("--tag: {error}")))?;
            publish::soci_name(TagModel::Replace, &name)
        })
        .collect::<Result<Vec<_>, CommandError>>()?;
    // With several outputs the metadata file has the digest of the last one, whichever that is.
    let digest = if build.outputs.len() == 1 {
        let images = metadata_file::read(metadata, None).or_fail(|| "buildx's metadata file".into())?;
        images
            .first()
            .expect("read gives at least one image")
            .digest
            .clone()
    } else {
        digest_of(names.first().expect("the names were checked"), context)?
    };
    let published = publish::to_registry(&Made::Pushed(digest), &names, settings, context)?;
    if let Some(reason) = &published.nothing_to_index {
        context.warn(reason.message());
    }
    Ok(Report {
        names: published.names.iter().map(ToString::to_string).collect(),
        output: None,
        digest: published.digest.to_string(),
        nothing_to_index: published.nothing_to_index.map(|error| error.message().to_owned()),
        conversion: published.converted,
    })
}

fn stored(
    source: Location,
    target: &Location,
    settings: &Settings<'_>,
    context: &Context,
) -> Result<Report, CommandError> {
    let placed = publish::to_place(&Made::Stored(source), &[], target, settings, context)?;
    let images = placed
        .converted
        .iter()
        .flat_map(|converted| &converted.report.images);
    Ok(Report {
        names: images.flat_map(|image| image.names.clone()).collect(),
        output: Some(target.to_string()),
        digest: placed.digest.map(|digest| digest.to_string()).unwrap_or_default(),
        nothing_to_index: placed.nothing_to_index.map(|reason| reason.message().to_owned()),
        conversion: placed.converted,
    })
}

/// The files that the user asked buildx for, with the SOCI-enabled image in them.
fn write_user_files(build: &UserBuild, metadata: &[u8], reports: &[Report]) -> Result<(), CommandError> {
    let Some(report) = reports.last() else {
        return Ok(());
    };
    if let Some(path) = &build.metadata_file {
        let mut document: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(metadata).or_fail(|| "buildx's metadata file".into())?;
        if let Some(image) = report
            .conversion
            .as_ref()
            .and_then(|done| done.report.images.first())
        {
            let descriptor = serde_json::json!({
                "mediaType": image.media_type, "digest": image.digest, "size": image.size,
            });
            document.insert("containerimage.digest".into(), report.digest.clone().into());
            document.insert("containerimage.descriptor".into(), descriptor);
            document.remove("containerimage.config.digest");
            if !report.names.is_empty() {
                document.insert("image.name".into(), report.names.join(",").into());
            }
        }
        let text = serde_json::to_string_pretty(&document).or_fail(|| "cannot write JSON".into())?;
        let mut file = OutputFile::create(path)?;
        file.write(text.as_bytes())?;
        file.commit()?;
    }
    if let Some(path) = &build.iid_file {
        let mut file = OutputFile::create(path)?;
        file.write(report.digest.as_bytes())?;
        file.commit()?;
    }
    Ok(())
}

fn print(
    build: &UserBuild,
    reports: &[Report],
    format: Format,
    context: &Context,
) -> Result<(), CommandError> {
    let to_stdout = build
        .outputs
        .iter()
        .any(|output| matches!(output, UserOutput::Stdout { .. }));
    let text: String = reports.iter().map(text).collect();
    if to_stdout {
        context.note(&text);
        return Ok(());
    }
    if context.is_quiet() || build.is_quiet {
        let digests: Vec<&str> = reports.iter().map(|report| report.digest.as_str()).collect();
        return context.report(&digests.join("\n"));
    }
    match format {
        Format::Json => context.report_json(&serde_json::json!({ "images": reports })),
        _ => context.report(&text),
    }
}

fn text(report: &Report) -> String {
    let place = report.output.clone().unwrap_or_else(|| report.names.join(", "));
    let mut text = format!("{}\n", escape::terminal(&place));
    match &report.conversion {
        Some(converted) => text.push_str(&human::images(&converted.report)),
        None => text.push_str(&format!(
            "  {} as it was built: nothing to index\n",
            report.digest
        )),
    }
    text
}
