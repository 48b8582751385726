//! `cat REF PATH`: one file of a SOCI-enabled image, read through its spans only.

use std::path::PathBuf;

use soci_image::media_type::ZTOC;
use soci_image::{Descriptor, Platform, SociIndex};
use soci_store::workflow::{self, Examined, Options, UnpackedLayer};
use soci_store::{
    block_on,
    store::{AnySource, Source},
};
use soci_ztoc::ztoc::{EntryType, Extractor, LookupFault, Ztoc};

use crate::commands::CommandResult;
use crate::context::{Context, Format};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::output::OutputFile;
use crate::places;

/// Flags of `cat`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The file is looked for from the uppermost layer down, as a container would see it. From a registry only the zTOCs
and the spans that hold the file are fetched; a layer without a zTOC on the way is read whole.

  cargo soci cat 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.4 /etc/os-release")]
pub struct Args {
    /// Where the image is
    #[arg(value_name = "SRC")]
    pub source: String,
    /// File in the image; links inside a layer are followed
    #[arg(value_name = "PATH")]
    pub path: String,
    /// The image, if SRC has several.
    #[command(flatten)]
    pub which: Which,
    /// Where the file goes; `-` is stdout
    #[arg(short, long, value_name = "OUT", default_value = "-")]
    pub output: PathBuf,
}

/// Flags that choose an image of a place.
#[derive(Debug, clap::Args)]
pub struct Which {
    /// Which of several images, by tag, full name or digest
    #[arg(long, value_name = "TAG")]
    pub tag: Option<String>,
    /// Platform to read from; needed if there are several
    #[arg(short, long, value_name = "PLATFORM")]
    pub platform: Option<Platform>,
}

/// Prints the file; `ztoc extract SRC PATH` is this as well.
pub fn run(args: Args, context: &Context) -> CommandResult {
    context.format(&[Format::Human])?;
    let location = places::source(&args.source, context)?;
    let tag = places::wanted_tag(&location, args.which.tag.as_deref())?;
    let source = places::open(&location, context)?;
    let failed = |error| places::failed(&error);
    let images = block_on(workflow::examine_documents(&source, tag.as_deref())).map_err(failed)?;
    let [image] = &images[..] else {
        return Err(
            CommandError::usage(format!("{location} has {} images", images.len()))
                .help("choose one with --tag"),
        );
    };
    let (layers, index) = choose(image, args.which.platform.as_ref())?;
    let mut output = Some(args.output);
    for layer in layers.iter().rev() {
        context.cancel.check()?;
        let view = open_layer(&source, layer, &index, context)?;
        match find(&view.ztoc, &args.path)? {
            Found::Nothing => continue,
            Found::Deleted => break,
            Found::File(position) => {
                let output = output.take().expect("a file is printed once");
                print(&view, position, &output, &args.path, context)?;
                return Ok(Exit::Done);
            }
        }
    }
    Err(CommandError::failed(format!("{} is not in the image", args.path))
        .help("`cargo soci inspect` shows the layers, `cargo soci ztoc ls` the files of a zTOC"))
}

/// The layers of the platform meant, and its SOCI index.
fn choose<'a>(
    image: &'a Examined,
    platform: Option<&Platform>,
) -> Result<(&'a [Descriptor], SociIndex), CommandError> {
    let wanted: Vec<Platform> = platform.cloned().into_iter().collect();
    let choices = image
        .image
        .select(&wanted)
        .map_err(|error| CommandError::failed(error.to_string()))?;
    let [choice] = &choices[..] else {
        let names: Vec<String> = choices.iter().map(|choice| choice.platform.to_string()).collect();
        return Err(
            CommandError::usage(format!("the image is there for {}", names.join(", ")))
                .help("choose one with --platform"),
        );
    };
    let entry = image
        .image
        .images()
        .into_iter()
        .find(|entry| entry.id == choice.id)
        .ok_or_else(|| CommandError::failed("the image has no manifest for this platform"))?;
    let annotated = entry.manifest.soci_index_digest();
    let of_subject = || {
        image.documents.iter().find_map(|(_, bytes)| {
            let index = SociIndex::parse(bytes).ok()?;
            (index.subject.as_ref()?.digest == entry.descriptor.digest).then_some(index)
        })
    };
    let index = match annotated {
        Some(digest) => image
            .documents
            .get(&digest)
            .and_then(|bytes| SociIndex::parse(bytes).ok()),
        None => of_subject(),
    };
    let index = index.ok_or_else(|| {
        CommandError::failed("the image has no SOCI index").help("convert it: cargo soci convert SRC DST")
    })?;
    Ok((&entry.manifest.layers, index))
}

/// A layer whose files can be found and read.
struct LayerView<'a> {
    layer: &'a Descriptor,
    ztoc: Ztoc,
    bytes: Bytes<'a>,
}

/// Where the bytes of a layer come from.
enum Bytes<'a> {
    /// The layer as it is stored: its spans are fetched.
    Stored(&'a AnySource),
    /// It was read whole.
    Unpacked(UnpackedLayer),
}

/// Through its zTOC; a layer without one is read whole.
fn open_layer<'a>(
    source: &'a AnySource,
    layer: &'a Descriptor,
    index: &SociIndex,
    context: &Context,
) -> Result<LayerView<'a>, CommandError> {
    let failed = |error| places::failed(&error);
    let Some(entry) = index.ztoc_of(&layer.digest) else {
        context.detail(&format!(
            "layer {} has no zTOC: reading all of its {} bytes",
            layer.digest, layer.size
        ));
        let options = Options {
            cancel: context.cancel.flag(),
            ..Options::default()
        };
        let (ztoc, unpacked) = workflow::unpack(source, layer, &options, &|_| {}).map_err(failed)?;
        return Ok(LayerView {
            layer,
            ztoc,
            bytes: Bytes::Unpacked(unpacked),
        });
    };
    let descriptor = Descriptor::new(ZTOC, entry.digest.clone(), entry.size);
    let ztoc = block_on(workflow::read_ztoc(source, &descriptor))
        .map_err(failed)?
        .ok_or_else(|| {
            CommandError::failed(format!(
                "the zTOC {} of layer {} is damaged",
                entry.digest, layer.digest
            ))
            .help("convert the image again")
        })?;
    Ok(LayerView {
        layer,
        ztoc,
        bytes: Bytes::Stored(source),
    })
}

impl LayerView<'_> {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), CommandError> {
        match &self.bytes {
            Bytes::Stored(source) => block_on(source.read_at(self.layer, offset, buffer)),
            Bytes::Unpacked(unpacked) => unpacked.read_at(offset, buffer),
        }
        .map_err(|error| places::failed(&error))
    }
}

/// What a layer says about a path.
enum Found {
    File(usize),
    /// Something below hides what lower layers have.
    Deleted,
    Nothing,
}

fn find(ztoc: &Ztoc, path: &str) -> Result<Found, CommandError> {
    let paths = ztoc.toc().paths();
    match paths.resolve(path.as_bytes()) {
        Ok(index) => {
            let entry = ztoc
                .toc()
                .get(index)
                .expect("resolve gives indexes of this table");
            if entry.entry_type == EntryType::Regular {
                return Ok(Found::File(index));
            }
            Err(CommandError::failed(format!(
                "{path} is not a file: its type is {}",
                entry.entry_type.as_str()
            )))
        }
        Err(LookupFault::Missing { path }) => {
            // A file `.wh.NAME` takes NAME out, `.wh..wh..opq` all that lower layers have in its folder.
            let path = String::from_utf8_lossy(&path).into_owned();
            let mut rest = path.as_str();
            while !rest.is_empty() {
                let (folder, name) = rest
                    .rsplit_once('/')
                    .map_or(("", rest), |(folder, name)| (folder, name));
                let slash = if folder.is_empty() { "" } else { "/" };
                for whiteout in [format!(".wh.{name}"), ".wh..wh..opq".to_owned()] {
                    if paths
                        .find(format!("{folder}{slash}{whiteout}").as_bytes())
                        .is_some()
                    {
                        return Ok(Found::Deleted);
                    }
                }
                rest = folder;
            }
            Ok(Found::Nothing)
        }
        Err(fault) => Err(CommandError::failed(fault.to_string())),
    }
}

fn print(
    view: &LayerView<'_>,
    position: usize,
    output: &std::path::Path,
    path: &str,
    context: &Context,
) -> Result<(), CommandError> {
    let LayerView { layer, ztoc, .. } = view;
    let entry = ztoc
        .toc()
        .get(position)
        .expect("the position comes from this table");
    let mut output = OutputFile::create_checked(output)?;
    let wrong = |error: &(dyn std::error::Error + 'static)| {
        CommandError::failed(format!("cannot read {path} from layer {}", layer.digest))
            .because(error)
            .help("`cargo soci verify` says more")
    };
    let mut extractor = Extractor::new(ztoc, &entry).map_err(|error| wrong(&error))?;
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
