//! `ztoc extract SRC PATH` and `ztoc extract LAYER ZTOC PATH`: one file, read through its spans only.

use std::path::{Path, PathBuf};

use soci_rootfs::{LookupFault, Rootfs};
use soci_ztoc::ztoc::{self, Ztoc};

use super::layer_file::LayerFile;
use super::read_ztoc;
use crate::commands::{CommandResult, cat};
use crate::context::{Context, Format};
use crate::error::CommandError;
use crate::escape;
use crate::exit::Exit;
use crate::output::OutputFile;

/// Flags of `ztoc extract`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
With two words the file is read out of an image, wherever it is, through its SOCI index, as by
`cargo soci cat SRC PATH`: from a registry only the zTOCs and the spans that hold the file are
fetched. With three words it is read out of the file of one layer.

  cargo soci ztoc extract ghcr.io/team/app:1.4 /etc/os-release -o os-release
  cargo soci ztoc extract layer.tar.gz layer.ztoc etc/os-release -o os-release")]
pub struct Args {
    /// Where the image is; or the layer that the zTOC was built of
    #[arg(value_name = "SRC|LAYER")]
    pub source: PathBuf,
    /// File in the image; or the zTOC
    #[arg(value_name = "PATH|ZTOC")]
    pub path_or_ztoc: PathBuf,
    /// File in the layer, after LAYER and ZTOC; links inside it are followed
    #[arg(value_name = "PATH")]
    pub path: Option<String>,
    /// The image, if SRC has several.
    #[command(flatten)]
    pub which: crate::lazy_image::Which,
    /// Where the file goes; `-` is stdout
    #[arg(short, long, value_name = "OUT", default_value = "-")]
    pub output: PathBuf,
}

/// Extracts the file.
pub fn run(args: Args, context: &Context) -> CommandResult {
    let Some(path) = args.path else {
        return cat::run(
            cat::Args {
                source: text(args.source)?,
                path: text(args.path_or_ztoc)?,
                which: args.which,
                output: args.output,
            },
            context,
        );
    };
    if args.which.tag.is_some() || args.which.platform.is_some() {
        return Err(
            CommandError::usage("--tag and --platform choose an image, and LAYER is a single layer")
                .help("leave them out, or give an image: ztoc extract SRC PATH"),
        );
    }
    of_layer(&args.source, &args.path_or_ztoc, &path, &args.output, context)
}

/// The name of an image or of a file in it, which are UTF-8 where paths need not be.
fn text(word: PathBuf) -> Result<String, CommandError> {
    word.into_os_string().into_string().map_err(|word| {
        CommandError::usage(format!("{} is not UTF-8", word.display()))
            .help("with LAYER ZTOC PATH the names of layer and zTOC may be of any bytes")
    })
}

fn of_layer(
    layer_path: &Path,
    ztoc_path: &Path,
    path: &str,
    output: &Path,
    context: &Context,
) -> CommandResult {
    context.format(&[Format::Human])?;
    let (ztoc, _) = read_ztoc(ztoc_path)?;
    let found = Rootfs::new(&[Some(ztoc.toc())])
        .find(path.as_bytes())
        .map_err(|fault| not_found(&ztoc, path, &fault))?;
    let entry = cat::entry_of(&ztoc, &found)
        .ok_or_else(|| cat::not_a_file(path, &found).help("`cargo soci ztoc ls` lists the files"))?;
    let mut layer = LayerFile::open(layer_path)?;
    let mut output = OutputFile::create_checked(output)?;
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
        CommandError::failed(format!("cannot extract {path} from {}", layer_path.display()))
            .because(&error)
            .help("is this the layer that the zTOC was built of? `cargo soci ztoc verify` says more")
    })?;
    output.commit()?;
    context.detail(&format!(
        "read {} of {} bytes of the layer",
        layer.bytes_read(),
        ztoc.compressed_size()
    ));
    Ok(Exit::Done)
}

/// Says what is near: the usual mistake is a missing folder or one too many.
fn not_found(ztoc: &Ztoc, path: &str, fault: &LookupFault) -> CommandError {
    let error = CommandError::failed(match fault {
        // Of an image nothing is known but this layer.
        LookupFault::Missing { path } => format!("'{}' is not in this layer", path.escape_ascii()),
        fault => fault.to_string(),
    });
    let wanted = path.rsplit('/').next().unwrap_or(path).as_bytes();
    let same_name: Vec<String> = ztoc
        .toc()
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
