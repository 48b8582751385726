//! `cat REF PATH`: one file of a SOCI-enabled image, read through its spans only.

use std::path::PathBuf;

use soci_image::{Descriptor, SociIndex};
use soci_rootfs::{FileType, Found, LookupFault, Rootfs};
use soci_store::store::AnySource;
use soci_ztoc::ztoc::{Extractor, TocEntry, Ztoc};

use crate::commands::CommandResult;
use crate::context::{Context, Format};
use crate::error::CommandError;
use crate::escape;
use crate::exit::Exit;
use crate::lazy_image::{Bytes, LayerView, Which, choose, open_layer, the_image};
use crate::output::OutputFile;
use crate::places;

/// Flags of `cat`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
PATH leads where it leads in a container: through symbolic and hard links, and through all layers with what they
delete. From a registry only the zTOCs that this needs and the spans that hold the file are fetched; a layer without
a zTOC on the way is read whole. If such a layer cannot be read, where PATH leads is unknown, and the layer is named.

  cargo soci cat 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.4 /etc/os-release")]
pub struct Args {
    /// Where the image is
    #[arg(value_name = "SRC")]
    pub source: String,
    /// File in the image; links are followed
    #[arg(value_name = "PATH")]
    pub path: String,
    /// The image, if SRC has several.
    #[command(flatten)]
    pub which: Which,
    /// Where the file goes; `-` is stdout
    #[arg(short, long, value_name = "OUT", default_value = "-")]
    pub output: PathBuf,
}

/// Prints the file; `ztoc extract SRC PATH` is this as well.
pub fn run(args: Args, context: &Context) -> CommandResult {
    context.format(&[Format::Human])?;
    let location = places::source(&args.source, context)?;
    let source = places::open(&location, context)?;
    let image = the_image(&source, &location, &args.which)?;
    let (layers, index) = choose(&image, args.which.platform.as_ref())?;
    let (view, found) = find(&source, layers, &index, &args.path, context)?;
    let entry = entry_of(&view.ztoc, &found).ok_or_else(|| {
        not_a_file(&args.path, &found).help("`cargo soci ztoc ls` lists the files of a zTOC")
    })?;
    print(&view, &entry, &args.output, &args.path, context)?;
    Ok(Exit::Done)
}

/// Looks where a path leads, and reads no more layers for it than it takes to know: it begins with none, and the
/// answer names the next one.
fn find<'a>(
    source: &'a AnySource,
    layers: &'a [Descriptor],
    index: &SociIndex,
    path: &str,
    context: &Context,
) -> Result<(LayerView<'a>, Found), CommandError> {
    let mut views: Vec<Option<LayerView<'a>>> = layers.iter().map(|_| None).collect();
    loop {
        context.cancel.check()?;
        let tocs: Vec<_> = views
            .iter()
            .map(|view| view.as_ref().map(|view| view.ztoc.toc()))
            .collect();
        let rootfs = Rootfs::new(&tocs);
        let found = match rootfs.find(path.as_bytes()) {
            Err(LookupFault::Unknown { path, layer }) => {
                let digest = &layers[layer].digest;
                let view = open_layer(source, &layers[layer], index, context).map_err(|error| {
                    let path = escape::terminal_bytes(&path);
                    error.after(&format!(
                        "where {path} leads is unknown, because layer {digest} is not known"
                    ))
                })?;
                views[layer] = Some(view);
                continue;
            }
            other => other,
        };
        for (layer, fault) in (0..layers.len()).filter_map(|index| Some((index, rootfs.fault(index)?))) {
            let digest = &layers[layer].digest;
            context.warn(&format!(
                "layer {digest} cannot be unpacked, so no container starts from this image: {fault}"
            ));
        }
        let found = found.map_err(|fault| {
            CommandError::failed(fault.to_string())
                .help("`cargo soci inspect` shows the layers, `cargo soci ztoc ls` the files of a zTOC")
        })?;
        let view = views.swap_remove(found.layer);
        return Ok((view.expect("what was found is in a layer that is known"), found));
    }
}

/// The entry with the contents of what was found; none if it is not a file.
pub(super) fn entry_of<'a>(ztoc: &'a Ztoc, found: &Found) -> Option<TocEntry<'a>> {
    ztoc.toc()
        .get(found.entry.filter(|_| found.file_type == FileType::Regular)?)
}

/// The error where [`entry_of`] has nothing.
pub(super) fn not_a_file(path: &str, found: &Found) -> CommandError {
    CommandError::failed(format!("{path} is not a file but {}", found.file_type))
}

fn print(
    view: &LayerView<'_>,
    entry: &TocEntry<'_>,
    output: &std::path::Path,
    path: &str,
    context: &Context,
) -> Result<(), CommandError> {
    let LayerView { layer, ztoc, .. } = view;
    let mut output = OutputFile::create_checked(output)?;
    let wrong = |error: &(dyn std::error::Error + 'static)| {
        CommandError::failed(format!("cannot read {path} from layer {}", layer.digest))
            .because(error)
            .help("`cargo soci verify` says more")
    };
    let mut extractor = Extractor::new(ztoc, entry).map_err(|error| wrong(&error))?;
    let mut read = 0;
    let mut buffer = Vec::new();
    while let Some(range) = extractor.wanted() {
        context.cancel.check()?;
        // One request per span; a span of a huge member comes in pieces.
        let length = usize::try_from(range.end - range.start)
            .unwrap_or(PIECE)
            .min(PIECE);
        buffer.resize(length, 0);
        view.read_at(range.start, &mut buffer)?;
        read += length as u64;
        extractor
            .push(&buffer, &mut |bytes: &[u8]| {
                output.write(bytes).map_err(Stopped::Output)
            })
            .map_err(|stopped| match stopped {
                Stopped::Output(error) => error,
                Stopped::Layer(error) => wrong(&error),
            })?;
    }
    output.commit()?;
    if let Bytes::Stored(_) = view.bytes {
        context.detail(&format!(
            "read {} of {} bytes of layer {}",
            read, layer.size, layer.digest
        ));
    }
    Ok(())
}

/// Why a file was not printed to its end.
enum Stopped {
    Layer(soci_ztoc::Error),
    Output(CommandError),
}

impl From<soci_ztoc::Error> for Stopped {
    fn from(error: soci_ztoc::Error) -> Self {
        Self::Layer(error)
    }
}

/// Bytes that are read at once.
const PIECE: usize = 16 << 20;
