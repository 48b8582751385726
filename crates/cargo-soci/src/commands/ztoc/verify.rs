//! `ztoc verify LAYER ZTOC`: every span's digest, every span from its checkpoint, every entry.

use std::fmt::Write as _;
use std::io::Read;
use std::path::PathBuf;

use serde::Serialize;
use soci_ztoc::ztoc::{Verification, Verifier};

use super::layer_file::LayerFile;
use super::{hex_digest, read_ztoc};
use crate::causes::AtPath;
use crate::commands::CommandResult;
use crate::context::{Context, Format};
use crate::error::OrFail;
use crate::escape;
use crate::exit::Exit;
use crate::plural::count;

/// Flags of `ztoc verify`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Layer that the zTOC was built of
    #[arg(value_name = "LAYER")]
    pub layer: PathBuf,
    /// The zTOC
    #[arg(value_name = "ZTOC")]
    pub ztoc: PathBuf,
}

/// What `--format json` prints.
#[derive(Serialize)]
struct Report {
    ok: bool,
    ztoc: String,
    layer: String,
    spans: usize,
    files: usize,
    fault_count: usize,
    faults: Vec<String>,
}

/// Checks the zTOC; findings are exit code 1.
pub fn run(args: Args, context: &Context) -> CommandResult {
    let format = context.format(&[Format::Human, Format::Json])?;
    let (ztoc, bytes) = read_ztoc(&args.ztoc)?;
    let name = args.layer.display().to_string();
    let mut layer = LayerFile::open(&args.layer)?.into_file();
    let total = layer.metadata().ok().map(|metadata| metadata.len());
    let task = context.progress.begin(&name, total);
    let mut verifier = Verifier::new(&ztoc);
    let mut buffer = vec![0; 256 << 10];
    loop {
        context.cancel.check()?;
        let count = layer.read(&mut buffer).at("read", &args.layer)?;
        if count == 0 {
            break;
        }
        verifier
            .push(&buffer[..count])
            .or_fail(|| format!("{name} is damaged"))?;
        task.advance(count as u64);
    }
    task.end("");
    let found = verifier.finish().or_fail(|| format!("{name} is damaged"))?;
    let report = Report {
        ok: found.fault_count == 0,
        ztoc: soci_image::Digest::sha256(&bytes).to_string(),
        layer: hex_digest(found.layer_digest),
        spans: found.spans,
        files: found.files,
        fault_count: found.fault_count,
        faults: found.faults.iter().map(ToString::to_string).collect(),
    };
    match format {
        Format::Json => context.report_json(&report)?,
        _ if context.is_quiet() => context.report(&report.ztoc)?,
        _ => context.report(&human(&report, &found))?,
    }
    Ok(if report.ok { Exit::Done } else { Exit::Findings })
}

fn human(report: &Report, found: &Verification) -> String {
    if report.ok {
        return format!(
            "{}: {} and {} agree with layer {}",
            report.ztoc,
            count(report.spans, "span"),
            count(report.files, "file"),
            report.layer
        );
    }
    let mut text = format!("{}: {}\n", report.ztoc, count(found.fault_count, "fault"));
    for fault in report.faults.iter().take(SHOWN) {
        writeln!(text, "  {}", escape::terminal(fault)).expect("writing to a string never fails");
    }
    if found.fault_count > SHOWN {
        writeln!(text, "  and {} more", found.fault_count - SHOWN).expect("writing to a string never fails");
    }
    text
}

/// Faults that a person wants to read; `--format json` has more.
const SHOWN: usize = 20;
