//! `ztoc build LAYER -o OUT`: the zTOC of one layer.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Serialize;
use soci_store::parse_size;
use soci_store::workflow::Pipeline;
use soci_ztoc::inflate::InputBuffer;
use soci_ztoc::ztoc::{BuildOptions, BuildOutcome, Built, Compression};

use super::hex_digest;
use crate::causes::AtPath;
use crate::commands::CommandResult;
use crate::context::{Context, Format};
use crate::error::{CommandError, OrFail};
use crate::exit::Exit;
use crate::output::OutputFile;
use crate::plural::count;

/// Flags of `ztoc build`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Layer: a gzip'd or plain tar; `-` reads stdin
    #[arg(value_name = "LAYER")]
    pub layer: PathBuf,
    /// Where the zTOC goes; `-` writes it to stdout
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,
    /// How the layer is stored: auto (by its first bytes), gzip or uncompressed
    #[arg(
        long,
        value_enum,
        default_value = "auto",
        value_name = "KIND",
        hide_possible_values = true
    )]
    pub compression: CompressionChoice,
    /// Bytes of the uncompressed layer between two checkpoints, such as 4MiB
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "4MiB")]
    pub span_size: u64,
    /// Name of the build tool in the zTOC
    #[arg(long, value_name = "NAME", default_value = "cargo-soci")]
    pub build_tool_identifier: String,
}

/// How a layer is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CompressionChoice {
    /// By its first bytes.
    Auto,
    /// gzip, one or more members.
    Gzip,
    /// A plain tar.
    Uncompressed,
}

/// What `--format json` prints.
#[derive(Serialize)]
struct Report<'a> {
    digest: String,
    size: u64,
    layer: LayerReport<'a>,
    spans: usize,
    files: usize,
    output: &'a Path,
}

#[derive(Serialize)]
struct LayerReport<'a> {
    digest: String,
    size: u64,
    compression: &'a str,
    gzip_members: u64,
}

/// Reads the layer once and writes its zTOC.
pub fn run(args: Args, context: &Context) -> CommandResult {
    let format = context.format(&[Format::Human, Format::Json])?;
    let to_stdout = args.output == Path::new("-");
    if to_stdout && context.format.is_some() {
        return Err(
            CommandError::usage("stdout carries the zTOC, so there is no room for a report")
                .help("leave --format out, or name a file with -o"),
        );
    }
    let built = read_layer(&args, context)?;
    if let Some(refusal) = built.refusal() {
        return Err(CommandError::nothing_to_index(format!(
            "{}: a snapshotter refuses its zTOC: {refusal}",
            args.layer.display()
        ))
        .help("leave this layer without a zTOC; it is then pulled as a whole"));
    }
    let mut output = OutputFile::create(&args.output)?;
    built.encoded().write_to(|bytes| output.write(bytes))?;
    output.commit()?;
    if to_stdout {
        return Ok(Exit::Done);
    }
    let ztoc = built.ztoc();
    let report = Report {
        digest: hex_digest(built.encoded().digest()),
        size: built.encoded().size(),
        layer: LayerReport {
            digest: hex_digest(built.layer_digest()),
            size: built.compressed_size(),
            compression: ztoc.compression().as_str(),
            gzip_members: built.members(),
        },
        spans: ztoc.span_count(),
        files: ztoc.toc().len(),
        output: &args.output,
    };
    match format {
        Format::Json => context.report_json(&report)?,
        _ if context.is_quiet() => context.report(&report.digest)?,
        _ => context.report(&format!(
            "{}\n  {} bytes, {}, {}\n  of layer {} ({} bytes, {})",
            report.digest,
            report.size,
            count(report.spans, "span"),
            count(report.files, "file"),
            report.layer.digest,
            report.layer.size,
            report.layer.compression
        ))?,
    }
    Ok(Exit::Done)
}

fn read_layer(args: &Args, context: &Context) -> Result<Built, CommandError> {
    let name = args.layer.display().to_string();
    let from_stdin = args.layer == Path::new("-");
    let mut total = None;
    let mut input: Box<dyn Read> = if from_stdin {
        context.registries.leaves_stdin_to("the layer")?;
        Box::new(io::stdin().lock())
    } else {
        let file = File::open(&args.layer).at("read", &args.layer)?;
        total = file.metadata().ok().map(|metadata| metadata.len());
        Box::new(file)
    };
    let mut buffer = InputBuffer::new();
    let mut filled = fill(&mut *input, &mut buffer).at("read", &args.layer)?;
    let compression = compression(args.compression, buffer.filled(), &name)?;
    let options = BuildOptions::new(compression, args.build_tool_identifier.as_str());
    let mut pipeline = Pipeline::new(options.with_span_size(args.span_size))
        .map_err(|error| CommandError::usage(error.to_string()))?;
    let task = context.progress.begin(&name, total);
    while filled > 0 {
        context.cancel.check()?;
        pipeline.push(buffer).or_fail(|| format!("{name} is damaged"))?;
        buffer = pipeline.buffer().or_fail(|| format!("{name} is damaged"))?;
        task.advance(filled as u64);
        filled = fill(&mut *input, &mut buffer).at("read", &args.layer)?;
    }
    task.end("");
    match pipeline.finish().or_fail(|| format!("{name} is damaged"))? {
        BuildOutcome::Indexed(built) => Ok(built),
        BuildOutcome::Skipped(skipped) => Err(CommandError::nothing_to_index(format!(
            "{name}: {}",
            skipped.reason
        ))
        .help("the zTOC format cannot describe this layer; it is pulled as a whole")),
    }
}

/// What the first bytes say, unless the user says it.
fn compression(choice: CompressionChoice, first: &[u8], name: &str) -> Result<Compression, CommandError> {
    match choice {
        CompressionChoice::Gzip => Ok(Compression::Gzip),
        CompressionChoice::Uncompressed => Ok(Compression::Uncompressed),
        CompressionChoice::Auto => match first {
            [] => {
                Err(CommandError::failed(format!("{name} is empty"))
                    .help("give a layer: a gzip'd or plain tar"))
            }
            [0x1f, 0x8b, ..] => Ok(Compression::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Err(CommandError::nothing_to_index(format!(
                "{name} is compressed with zstd"
            ))
            .help(
                "a zTOC describes gzip and plain tars only; `convert --recompress gzip` rewrites the layer",
            )),
            _ => Ok(Compression::Uncompressed),
        },
    }
}

/// Fills the buffer as far as the input goes: short reads of a pipe are no end.
fn fill(input: &mut dyn Read, buffer: &mut InputBuffer) -> io::Result<usize> {
    let space = buffer.space();
    let mut filled = 0;
    while filled < space.len() {
        match input.read(&mut space[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    buffer.set_filled(filled);
    Ok(filled)
}

fn size(text: &str) -> Result<u64, String> {
    parse_size(text).ok_or_else(|| "a size is a number of bytes or such as 4MiB".to_owned())
}
