//! The one workflow over every place: `plan` → `index_layer` → `publish`.
//!
//! ```text
//! plan         read index and manifests, choose platforms, decide per layer: index, or skip and why
//! survey       only if spans are cut for a start: what is in the layers, and what of them it reads
//! index_layer  one layer through the zTOC builder, independent of the others
//! publish      SOCI index per platform, new manifests and index; children before parents, names last
//! ```
//!
//! [`convert`] runs it with a thread per job. Whatever finishes first, the destination sees the same calls in the
//! same order: layer, its zTOC, the next layer …, in manifest order; so an archive has the same bytes each time.

#[cfg(feature = "native")]
mod above;
#[cfg(feature = "native")]
mod ahead;
mod answer;
#[cfg(feature = "files")]
mod apart;
mod copy;
mod create;
mod created;
mod examine;
mod held;
mod index_layer;
mod indexed;
mod layers;
#[cfg(test)]
mod made;
mod meter;
mod names;
#[cfg(feature = "native")]
mod on_top;
mod options;
#[cfg(feature = "native")]
mod pipeline;
#[cfg(not(feature = "native"))]
#[path = "pipeline_alone.rs"]
mod pipeline;
mod plan;
mod progress;
mod publish;
#[cfg(feature = "native")]
mod queue;
mod read;
#[cfg(feature = "native")]
mod recompress;
#[cfg(feature = "native")]
mod remove;
mod report;
mod reuse;
mod run;
mod sample;
#[cfg_attr(
    not(feature = "native"),
    allow(dead_code, reason = "spans are cut for a start natively alone")
)]
mod start;
mod summary;
#[cfg(feature = "native")]
mod survey;
mod tables;
mod uncompress;
#[cfg(feature = "native")]
mod unpack;
#[cfg(feature = "native")]
mod verify;
mod views;
#[cfg(feature = "native")]
mod written;

pub use answer::Answer;
#[cfg(feature = "files")]
pub use apart::{Apart, LayerApart, contents_apart};
pub use copy::copy;
pub use created::created;
pub use examine::{Examined, ZTOC_READ, ZTOCS_READ, examine, examine_documents, examine_presence};
#[cfg(feature = "native")]
pub(crate) use index_layer::IndexedLayer;
pub use indexed::Indexed;
pub use names::{Named, Over, SIBLING_SUFFIX, TagModel, named_now, spread, stands_for_another};
#[cfg(feature = "native")]
pub use on_top::{Repeat, put_on_top};
pub use options::{Event, Observer, Options};
pub use pipeline::Pipeline;
pub use plan::{Decision, Plan, PlannedImage, PlannedLayer, PlannedPlatform, WHOLE, plan};
pub use progress::Progress;
pub use read::select;
#[cfg(feature = "native")]
pub use recompress::{Recompress, RecompressedLayer, recompress};
#[cfg(feature = "native")]
pub use remove::remove;
pub use report::{
    ImageReport, LayerOutcome, LayerReport, LeftFile, PlatformReport, Remark, RepeatedLayer, Report,
    TrafficReport,
};
pub use reuse::{Reuse, ReusePlace, Reused, read as read_ztoc};
pub use run::{convert, create};
pub use sample::{Consequence, Sample};
pub use start::{LayerStart, Needed, Needs, SpanSums, Start, StartFiles, StartReport};
pub use tables::Tables;
#[cfg(feature = "native")]
pub use unpack::{UnpackedLayer, unpack};
#[cfg(feature = "native")]
pub use verify::{Finding, Unknown, VerifiedImage, verify};
