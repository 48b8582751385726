//! What a conversion is asked for, and what it tells while it runs.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use soci_image::{Digest, Platform};
use soci_ztoc::ztoc::BuildOptions;

use super::indexed::Indexed;
use super::progress::Progress;
use super::reuse::{Reuse, ReusePlace};
use super::start::Start;
use super::tables::Tables;

/// What a conversion is asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// The platforms to convert; every one that is there if the list is empty.
    pub platforms: Vec<Platform>,
    /// Which of several images, by tag or full name; all of them if there is none.
    pub tag: Option<String>,
    /// Least uncompressed bytes of a span.
    pub span_size: u64,
    /// Layers with fewer compressed bytes stay without a zTOC.
    pub min_layer_size: u64,
    /// Tells clients of layers without extended attributes not to look for any.
    pub optimize_xattrs: bool,
    /// Files whose spans a client should fetch at once.
    pub prefetch: Vec<String>,
    /// A start that spans are cut for, instead of after every `span_size` bytes.
    pub start: Option<Start>,
    /// Who builds; part of every zTOC and SOCI index.
    pub build_tool_identifier: String,
    /// How many layers are indexed at the same time.
    pub jobs: NonZeroUsize,
    /// Which zTOCs that are there already serve again, for a source in a registry or if there are places below.
    pub reuse: Reuse,
    /// Places that may have zTOCs besides the source: the destination before others.
    pub reuse_from: Vec<ReusePlace>,
    /// Whether SOCI indexes v1 of the source count, which its digest does not cover: where the result goes there too.
    pub reuse_referrers: bool,
    /// A SOCI index that an earlier run left in the source's repository ([`Progress::leave`]).
    pub earlier: Option<Digest>,
    /// Told of each zTOC as soon as it is at the destination, which is then as soon as it is made: none waits in memory or
    /// in a file for the layers above its own. Not for archives.
    pub progress: Option<Arc<Progress>>,
    /// A layer that cannot be indexed is an error, unless it is only too small.
    pub strict: bool,
    /// Layers that a container would see differently, or that the snapshotter would refuse, are indexed all the same.
    pub allow_differences: bool,
    /// Only for checking an image: so many spans of each layer instead of all.
    pub sample: Option<super::sample::Sample>,
    /// Memory for tables of contents: of all images that share it, over all layers.
    pub tables: Tables,
    /// Layers that were read before, each for the conversion that comes to it first.
    pub indexed: Arc<Indexed>,
    /// Raised by whoever wants the work to stop.
    pub cancel: Arc<AtomicBool>,
}

impl Options {
    /// The identifier that is written unless another one is asked for. The version of the tool is not part of it:
    /// an upgrade must not change an index.
    pub const BUILD_TOOL: &str = "cargo-soci";

    /// Layers below 10 MiB stay without a zTOC, as in the reference.
    pub const MIN_LAYER_SIZE: u64 = 10 << 20;
}

impl Default for Options {
    fn default() -> Self {
        Self {
            platforms: Vec::new(),
            tag: None,
            span_size: BuildOptions::DEFAULT_SPAN_SIZE,
            min_layer_size: Self::MIN_LAYER_SIZE,
            optimize_xattrs: false,
            prefetch: Vec::new(),
            start: None,
            build_tool_identifier: Self::BUILD_TOOL.into(),
            jobs: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            reuse: Reuse::default(),
            reuse_from: Vec::new(),
            reuse_referrers: false,
            earlier: None,
            progress: None,
            strict: false,
            allow_differences: false,
            sample: None,
            tables: Tables::default(),
            indexed: Arc::default(),
            cancel: Arc::default(),
        }
    }
}

/// Something that happened to a layer, for progress displays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A layer is being read.
    LayerStarted {
        /// The layer.
        digest: Digest,
        /// Its compressed bytes.
        size: u64,
    },
    /// So many more bytes of it were read.
    LayerAdvanced {
        /// The layer.
        digest: Digest,
        /// Compressed bytes since the last event.
        bytes: u64,
    },
    /// The layer is done.
    LayerFinished {
        /// The layer.
        digest: Digest,
        /// Whether it has a zTOC now.
        indexed: bool,
    },
}

/// Takes events; called from several threads.
pub type Observer<'a> = &'a (dyn Fn(Event) + Sync);
