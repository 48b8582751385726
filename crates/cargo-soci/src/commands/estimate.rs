//! `estimate [TRACE] SRC`: how long a start takes over a link, by how the image comes to its host; and what the image
//! carries for nothing.

mod html;
mod human;

use std::path::PathBuf;

use serde::Serialize;
use soci_image::{Descriptor, SociIndex, TopLayer};
use soci_rootfs::Rootfs;
use soci_start::{
    Carried, Client, Estimate, Fetched, Image, Layer, Link, Share, Touched, Trace, Way, carried, directories,
    estimate, estimate_fetched, timeline, touch, with_start_layer,
};
use soci_store::store::AnySource;
use soci_store::workflow::{Options, WHOLE};

use crate::commands::CommandResult;
use crate::context::{Context, Format};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::lazy_image::{LayerView, Which, choose, open_layer, the_image};
use crate::places;
use crate::start;

/// Flags of `estimate`.
#[derive(Debug, clap::Args)]
#[command(allow_missing_positional = true)]
#[command(after_help = "\
TRACE says what a start opens, until the program is ready: the output of strace or fatrace, the debug log of the
soci-snapshotter, a list of paths, or JSON lines. Without one only what the image carries for nothing is told. SRC is
the image with its SOCI index. zTOCs are read, and small layers without one; of the others only how large they are.

  strace -f -y -ttt -e trace=open,openat,openat2,execve,chroot,chdir -o app.trace chroot rootfs ./app
  cargo soci estimate app.trace 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.4-soci
  cargo soci estimate app.trace ./app-soci --link 1Gbit/1ms
  cargo soci estimate app.trace ./app-soci --format html > start.html")]
pub struct Args {
    /// What the start opens; `-` is stdin
    #[arg(value_name = "TRACE")]
    pub trace: Option<PathBuf>,
    /// Where the image is
    #[arg(value_name = "SRC")]
    pub source: String,
    /// The image, if SRC has several.
    #[command(flatten)]
    pub which: Which,
    /// Another start of the same image, counted together with TRACE; can be repeated
    #[arg(long, value_name = "TRACE", requires = "trace")]
    pub and: Vec<PathBuf>,
    /// Bandwidth and round trip between host and registry; can be repeated
    #[arg(long, value_name = "LINK", default_values = ["200Mbit/2ms", "1Gbit/1ms"])]
    pub link: Vec<Link>,
}

/// Prints the estimate.
pub fn run(args: Args, context: &Context) -> CommandResult {
    let format = context.format(&[Format::Human, Format::Json, Format::Html])?;
    let mut trace: Option<Trace> = None;
    for path in args.trace.iter().chain(&args.and) {
        let next = start::read(path, context)?;
        trace = Some(match trace {
            Some(trace) => trace.merge(next),
            None => next,
        });
    }
    let location = places::source(&args.source, context)?;
    let source = places::open(&location, context)?;
    let image = the_image(&source, &location, &args.which)?;
    let (layers, index) = choose(&image, args.which.platform.as_ref())?;
    let views = open(&source, layers, &index, context)?;
    let tocs: Vec<_> = views
        .iter()
        .map(|view| view.as_ref().map(|view| view.ztoc.toc()))
        .collect();
    let rootfs = Rootfs::new(&tocs);
    let mounted: Vec<_> = views
        .iter()
        .zip(layers)
        .map(|(view, layer)| {
            index
                .ztoc_of(&layer.digest)
                .and(view.as_ref())
                .map(|view| &view.ztoc)
        })
        .collect();
    let touched = trace.as_ref().map(|trace| touch(trace, &rootfs, &mounted));
    if let (Some(trace), Some(touched)) = (&trace, &touched) {
        tell(trace, touched, context)?;
    }
    let known: Vec<_> = views
        .iter()
        .zip(layers)
        .map(|(view, layer)| view.as_ref().map(|view| (&view.ztoc, layer.size)))
        .collect();
    let carried = carried(&rootfs, &known, touched.as_ref());
    let has_start_layer = layers
        .last()
        .and_then(TopLayer::of_descriptor)
        .is_some_and(|top| top.start.is_some());
    let layers = layer_reports(layers, &index, &views, touched.as_ref());
    let image = model(&layers);
    // Of an image that has a start layer all lines tell of that.
    let topped = trace.as_ref().filter(|_| !has_start_layer);
    let topped = topped.and_then(|trace| with_start_layer(&image, &rootfs, &known, trace, WHOLE));
    let names = Names {
        shaped: is_shaped(&index),
        has_start_layer,
    };
    let report = Report {
        start: touched.as_ref().map(|touched| Start::of(touched, &layers)),
        links: touched.as_ref().map_or_else(Vec::new, |touched| {
            links(&args.link, &image, touched, topped.as_ref(), names)
        }),
        carried: CarriedReport::of(&carried),
        layers,
    };
    match format {
        Format::Json => context.report_json(&report)?,
        Format::Html => {
            let lines = |touched| {
                let line = |link| timeline(&image, touched, link, &Client::MEASURED);
                (touched, args.link.iter().map(line).collect())
            };
            let pictures = html::Pictures {
                image: &args.source,
                tree: directories(&rootfs, &known, touched.as_ref()),
                start: touched.as_ref().map(lines),
            };
            context.report(&html::render(&report, &pictures))?;
        }
        _ => context.report(&human::report(&report, context.columns()))?,
    }
    Ok(Exit::Done)
}

/// Each layer as far as it is cheap to know: through its zTOC, or read whole where it is small.
fn open<'a>(
    source: &'a AnySource,
    layers: &'a [Descriptor],
    index: &SociIndex,
    context: &Context,
) -> Result<Vec<Option<LayerView<'a>>>, CommandError> {
    let mut views = Vec::with_capacity(layers.len());
    for layer in layers {
        context.cancel.check()?;
        let is_lazy = index.ztoc_of(&layer.digest).is_some();
        if !is_lazy && layer.size > Options::MIN_LAYER_SIZE {
            views.push(None);
            continue;
        }
        match open_layer(source, layer, index, context) {
            Ok(view) => views.push(Some(view)),
            // Without it the rest can be told all the same; without a zTOC the layer is not lazy.
            Err(error) if !is_lazy => {
                context.warn(&format!(
                    "layer {} is left out: {}",
                    layer.digest,
                    error.message()
                ));
                views.push(None);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(views)
}

/// What of a trace leads nowhere; an error if all of it does.
fn tell(trace: &Trace, touched: &Touched, context: &Context) -> Result<(), CommandError> {
    if touched.files.is_empty() && touched.unknown.is_empty() {
        return Err(CommandError::failed(format!(
            "none of the {} files of the trace is in the image",
            trace.files.len()
        ))
        .help("is it a trace of this image, with the paths inside the container?"));
    }
    for path in &touched.missing {
        context.detail(&format!(
            "not in the image: {}",
            crate::escape::terminal_bytes(path)
        ));
    }
    Ok(())
}

/// What `--format json` prints.
#[derive(Serialize)]
struct Report {
    /// None without a trace.
    start: Option<Start>,
    layers: Vec<LayerReport>,
    /// Empty without a trace.
    links: Vec<LinkReport>,
    carried: CarriedReport,
}

/// What the image carries for nothing.
#[derive(Serialize)]
struct CarriedReport {
    /// Replaced or deleted by later layers.
    hidden: ShareReport,
    /// Files that no program needs to run, by kind.
    kinds: Vec<Named>,
    /// What no traced start opened.
    unopened: Option<ShareReport>,
    /// The largest directories of it.
    directories: Vec<Named>,
}

#[derive(Serialize)]
struct Named {
    name: String,
    #[serde(flatten)]
    share: ShareReport,
}

#[derive(Clone, Copy, Serialize)]
struct ShareReport {
    files: u64,
    bytes: u64,
    /// About how many bytes of the compressed layers.
    compressed_bytes: u64,
}

/// What the start touches.
#[derive(Serialize)]
struct Start {
    /// Files of the image that it opens.
    files: usize,
    /// Their bytes.
    bytes: u64,
    /// Of these, what it reads; all, where the trace does not tell.
    read_bytes: u64,
    /// Spans that hold them.
    spans: usize,
    /// Bytes of these spans, compressed.
    span_bytes: u64,
    /// Paths of the trace that are not in the image.
    missing: Vec<String>,
    /// Paths that only a layer could tell of that was not read.
    unknown: Vec<String>,
    /// The files with the most bytes read, at most ten.
    largest: Vec<FileReport>,
}

#[derive(Serialize)]
struct FileReport {
    path: String,
    layer: usize,
    read_bytes: u64,
}

#[derive(Serialize)]
struct LayerReport {
    digest: String,
    size: u64,
    /// Bytes of its tar; none if it was not read.
    uncompressed_size: Option<u64>,
    /// Bytes of its zTOC; none if it is not lazy.
    ztoc_size: Option<u64>,
    /// All spans.
    spans: Option<usize>,
    touched_files: usize,
    touched_spans: usize,
    touched_bytes: u64,
}

#[derive(Serialize)]
struct LinkReport {
    link: String,
    ways: Vec<WayReport>,
}

/// Seconds until ready, by what takes them.
#[derive(Serialize)]
struct WayReport {
    way: &'static str,
    seconds: f64,
    documents: f64,
    ztocs: f64,
    layers: f64,
    spans: f64,
    bytes: u64,
}

impl CarriedReport {
    fn of(carried: &Carried) -> Self {
        let share = |share: Share| ShareReport {
            files: share.files,
            bytes: share.bytes,
            compressed_bytes: share.compressed,
        };
        let named = |name: String, of: Share| Named {
            name,
            share: share(of),
        };
        Self {
            hidden: share(carried.hidden),
            kinds: carried
                .kinds
                .iter()
                .map(|(kind, of)| named(kind.as_str().to_owned(), *of))
                .collect(),
            unopened: carried.unopened.map(share),
            directories: carried
                .directories
                .iter()
                .map(|(path, of)| named(text(path), *of))
                .collect(),
        }
    }
}

impl Start {
    fn of(touched: &Touched, layers: &[LayerReport]) -> Self {
        let mut largest: Vec<_> = touched.files.iter().collect();
        largest.sort_by(|one, two| two.read.cmp(&one.read).then_with(|| one.path.cmp(&two.path)));
        Self {
            files: touched.files.len(),
            bytes: touched.files.iter().map(|file| file.size).sum(),
            read_bytes: touched.files.iter().map(|file| file.read).sum(),
            spans: layers.iter().map(|layer| layer.touched_spans).sum(),
            span_bytes: layers.iter().map(|layer| layer.touched_bytes).sum(),
            missing: touched.missing.iter().map(|path| text(path)).collect(),
            unknown: touched.unknown.iter().map(|path| text(path)).collect(),
            largest: largest
                .into_iter()
                .take(10)
                .map(|file| FileReport {
                    path: text(&file.path),
                    layer: file.layer,
                    read_bytes: file.read,
                })
                .collect(),
        }
    }
}

fn text(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

fn layer_reports(
    layers: &[Descriptor],
    index: &SociIndex,
    views: &[Option<LayerView<'_>>],
    touched: Option<&Touched>,
) -> Vec<LayerReport> {
    let reports = layers
        .iter()
        .zip(views)
        .enumerate()
        .map(|(number, (layer, view))| {
            let touched = touched.and_then(|touched| touched.layers.get(number));
            let ztoc = index.ztoc_of(&layer.digest);
            let view = view.as_ref().map(|view| &view.ztoc);
            LayerReport {
                digest: layer.digest.to_string(),
                size: layer.size,
                uncompressed_size: view.map(|view| view.uncompressed_size()),
                ztoc_size: ztoc.map(|ztoc| ztoc.size),
                spans: ztoc.and(view).map(|view| view.span_count()),
                touched_files: touched.map_or(0, |touched| touched.files),
                touched_spans: touched.map_or(0, |touched| touched.spans.len()),
                touched_bytes: touched.map_or(0, |touched| {
                    touched.spans.iter().map(|span| span.compressed).sum()
                }),
            }
        });
    reports.collect()
}

/// Whether spans of the image are cut for a start.
fn is_shaped(index: &SociIndex) -> bool {
    index.ztocs.iter().any(|ztoc| ztoc.shaped.is_some())
}

/// The image, as far as an estimate needs it.
fn model(layers: &[LayerReport]) -> Image {
    let layer = |layer: &LayerReport| Layer {
        compressed: layer.size,
        // Where it is not known its download alone counts, which the report says.
        uncompressed: layer.uncompressed_size.unwrap_or(0),
        ztoc: layer.ztoc_size,
    };
    Image {
        layers: layers.iter().map(layer).collect(),
    }
}

/// What decides how the ways are called.
#[derive(Clone, Copy)]
struct Names {
    shaped: bool,
    has_start_layer: bool,
}

impl Names {
    fn of(self, way: Way) -> &'static str {
        match way {
            Way::Lazy if self.has_start_layer => "start layer",
            Way::Prefetched if self.has_start_layer => "start layer, prefetched",
            Way::Lazy if self.shaped => "shaped spans",
            Way::Prefetched if self.shaped => "shaped, prefetched",
            _ => way.as_str(),
        }
    }
}

fn links(
    links: &[Link],
    image: &Image,
    touched: &Touched,
    topped: Option<&(Image, Vec<Fetched>)>,
    names: Names,
) -> Vec<LinkReport> {
    let client = &Client::MEASURED;
    let row = |way, made: Estimate| WayReport {
        way,
        seconds: round(made.seconds()),
        documents: round(made.documents),
        ztocs: round(made.ztocs),
        layers: round(made.layers),
        spans: round(made.spans),
        bytes: made.bytes,
    };
    let of_link = |link: &Link| {
        let ways = Way::ALL.iter();
        let mut ways: Vec<WayReport> = ways
            .map(|way| row(names.of(*way), estimate(*way, image, touched, link, client)))
            .collect();
        if let Some((image, fetched)) = topped {
            let made = estimate_fetched(Way::Lazy, image, fetched, link, client);
            ways.push(row("with a start layer", made));
        }
        LinkReport {
            link: link.to_string(),
            ways,
        }
    };
    links.iter().map(of_link).collect()
}

/// Milliseconds: the model knows no more.
fn round(seconds: f64) -> f64 {
    (seconds * 1e3).round() / 1e3
}
