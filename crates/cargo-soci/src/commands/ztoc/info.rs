//! `ztoc info ZTOC` and `ztoc ls ZTOC`: what a zTOC says about its layer.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Serialize;
use soci_ztoc::ztoc::{FileFacts, Ztoc};

use super::read_ztoc;
use crate::commands::CommandResult;
use crate::context::{Context, Format};
use crate::escape;
use crate::exit::Exit;

/// Flags of `ztoc info` and `ztoc ls`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The zTOC
    #[arg(value_name = "ZTOC")]
    pub ztoc: PathBuf,
}

/// The JSON of both commands: the fields of the reference's `ztoc info`, and ours after them.
#[derive(Serialize)]
struct Report {
    version: String,
    build_tool: String,
    size: u64,
    span_size: u64,
    num_spans: usize,
    num_files: usize,
    num_multi_span_files: usize,
    files: Vec<FileReport>,
    digest: String,
    compression: &'static str,
    layer_size: u64,
    uncompressed_size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused_by_snapshotter: Option<String>,
}

#[derive(Serialize)]
struct FileReport {
    filename: String,
    offset: u64,
    size: i64,
    r#type: &'static str,
    start_span: u64,
    end_span: u64,
    #[serde(skip_serializing_if = "String::is_empty")]
    link_name: String,
    /// The name's bytes, when they are not UTF-8 and `filename` cannot show them.
    #[serde(skip_serializing_if = "Option::is_none")]
    filename_hex: Option<String>,
}

/// Prints the facts about the whole.
pub fn info(args: Args, context: &Context) -> CommandResult {
    let format = context.format(&[Format::Human, Format::Json])?;
    let (ztoc, bytes) = read_ztoc(&args.ztoc)?;
    let report = report(&ztoc, &bytes);
    match format {
        Format::Json => context.report_json(&report)?,
        _ if context.is_quiet() => context.report(&report.digest)?,
        _ => context.report(&human(&report))?,
    }
    Ok(Exit::Done)
}

/// Prints the files.
pub fn ls(args: Args, context: &Context) -> CommandResult {
    let format = context.format(&[Format::Human, Format::Short, Format::Json])?;
    let (ztoc, bytes) = read_ztoc(&args.ztoc)?;
    match format {
        Format::Json => context.report_json(&report(&ztoc, &bytes))?,
        Format::Short => {
            let mut list = String::new();
            for file in ztoc.files() {
                list.push_str(&escape::terminal_bytes(file.entry.name));
                list.push('\n');
            }
            context.report(&list)?;
        }
        _ => context.report(&table(&ztoc))?,
    }
    Ok(Exit::Done)
}

fn report(ztoc: &Ztoc, bytes: &[u8]) -> Report {
    Report {
        version: lossy(ztoc.version()),
        build_tool: lossy(ztoc.build_tool_identifier()),
        size: bytes.len() as u64,
        span_size: ztoc.span_size(),
        num_spans: ztoc.span_count(),
        num_files: ztoc.toc().len(),
        num_multi_span_files: ztoc.multi_span_files(),
        files: ztoc.files().map(file).collect(),
        digest: soci_image::Digest::sha256(bytes).to_string(),
        compression: ztoc.compression().as_str(),
        layer_size: ztoc.compressed_size(),
        uncompressed_size: ztoc.uncompressed_size(),
        refused_by_snapshotter: ztoc.refusal().map(|refusal| refusal.to_string()),
    }
}

fn file(file: FileFacts<'_>) -> FileReport {
    let is_text = std::str::from_utf8(file.entry.name).is_ok();
    FileReport {
        filename: lossy(file.entry.name),
        offset: file.entry.offset,
        size: file.entry.size,
        r#type: file.entry.entry_type.as_str(),
        start_span: file.start_span,
        end_span: file.end_span,
        link_name: lossy(file.entry.link_name),
        filename_hex: (!is_text).then(|| super::hex(file.entry.name)),
    }
}

fn human(report: &Report) -> String {
    let mut text = format!(
        "\
digest            {}
version           {}
build tool        {}
size              {} bytes
layer             {} bytes {}, {} bytes uncompressed
span size         {} bytes
spans             {}
files             {}, {} of them in more than one span
",
        report.digest,
        escape::terminal(&report.version),
        escape::terminal(&report.build_tool),
        report.size,
        report.layer_size,
        report.compression,
        report.uncompressed_size,
        report.span_size,
        report.num_spans,
        report.num_files,
        report.num_multi_span_files,
    );
    if let Some(refusal) = &report.refused_by_snapshotter {
        writeln!(text, "refused           {}", escape::terminal(refusal))
            .expect("writing to a string never fails");
    }
    text
}

fn table(ztoc: &Ztoc) -> String {
    let mut text = String::from("TYPE             SIZE      SPANS  NAME\n");
    for file in ztoc.files() {
        let spans = match (file.start_span, file.end_span) {
            (start, end) if start == end => start.to_string(),
            (start, end) => format!("{start}-{end}"),
        };
        let name = escape::terminal_bytes(file.entry.name);
        let link = match file.entry.link_name {
            [] => String::new(),
            target => format!(" -> {}", escape::terminal_bytes(target)),
        };
        let (kind, size) = (file.entry.entry_type.as_str(), file.entry.size);
        writeln!(text, "{kind:8} {size:>12} {spans:>10}  {name}{link}")
            .expect("writing to a string never fails");
    }
    text
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
