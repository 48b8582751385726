//! `ztoc extract LAYER ZTOC PATH`: one file of a layer, read through its spans only.

use std::path::PathBuf;

use soci_ztoc::ztoc::{self, EntryType, LookupFault, Ztoc};

use super::layer_file::LayerFile;
use super::read_ztoc;
use crate::commands::Outcome;
use crate::context::{Context, Format};
use crate::error::CommandError;
use crate::escape;
use crate::exit::Exit;
use crate::output::OutputFile;

/// Flags of `ztoc extract`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Layer that the zTOC was built of
    #[arg(value_name = "LAYER")]
    pub layer: PathBuf,
    /// The zTOC
    #[arg(value_name = "ZTOC")]
    pub ztoc: PathBuf,
    /// File in the layer; links are followed
    #[arg(value_name = "PATH")]
    pub path: String,
    /// Where the file goes; default: stdout
    #[arg(short, long, value_name = "OUT", default_value = "-")]
    pub output: PathBuf,
}

/// Extracts the file.
pub fn run(args: Args, context: &Context) -> Outcome {
    context.format(&[Format::Human])?;
    let (ztoc, _) = read_ztoc(&args.ztoc)?;
    let index = ztoc
        .toc
        .paths()
        .resolve(args.path.as_bytes())
        .map_err(|fault| not_found(&ztoc, &args.path, &fault))?;
    let entry = ztoc.toc.get(index).expect("resolve gives indexes of this table");
    if entry.entry_type != EntryType::Regular {
        let kind = entry.entry_type.as_str();
        return Err(
            CommandError::failed(format!("{} is no file but of type {kind}", args.path))
                .help("`cargo soci ztoc ls` lists the files"),
        );
    }
    let mut layer = LayerFile::open(&args.layer)?;
    let mut output = OutputFile::create_checked(&args.output)?;
    let mut failed = None;
    let extracted = ztoc::extract(&ztoc, &entry, &mut layer, &mut |bytes: &[u8]| {
        let wrote = context.cancel.check().and_then(|()| output.write(bytes));
        wrote.map_err(|error| {
            failed = Some(error);
            "stopped".into()
        })
    });
    if let Some(error) = failed {
        return Err(error);
    }
    extracted.map_err(|error| {
        CommandError::failed(format!(
            "cannot extract {} from {}",
            args.path,
            args.layer.display()
        ))
        .because(&error)
        .help("is this the layer that the zTOC was built of? `cargo soci ztoc verify` says more")
    })?;
    output.commit()?;
    context.detail(&format!(
        "read {} of {} bytes of the layer",
        layer.bytes_read(),
        ztoc.compressed_size
    ));
    Ok(Exit::Done)
}

/// Says what is near: the usual mistake is a missing or a surplus folder.
fn not_found(ztoc: &Ztoc, path: &str, fault: &LookupFault) -> CommandError {
    let error = CommandError::failed(fault.to_string());
    let wanted = path.rsplit('/').next().unwrap_or(path).as_bytes();
    let same_name: Vec<String> = ztoc
        .toc
        .iter()
        .filter(|entry| entry.name.rsplit(|byte| *byte == b'/').next() == Some(wanted))
        .take(3)
        .map(|entry| escape::terminal_bytes(entry.name))
        .collect();
    if same_name.is_empty() {
        error.help("`cargo soci ztoc ls` lists the files")
    } else {
        error.help(format!("files of that name: {}", same_name.join(", ")))
    }
}
