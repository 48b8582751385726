#![doc = include_str!("../README.md")]
//!
//! # How
//! | module | story |
//! |---|---|
//! | `trace` | what was opened and read until ready, in four foreign forms and one of its own |
//! | `touch` | a trace on an image: spans of layers, and what leads nowhere |
//! | `reads` | a trace on an image: bytes of its layers, and what spans that hold them cost |
//! | `link` | bandwidth and round trip, as people write them |
//! | `hot` | the files of starts, in the order of their first use |
//! | `carried` | what an image carries for nothing |
//! | `estimate` | seconds to ready for a link and a client |
//! | `timeline` | the same second by second: when which span is on its way, and for which file |
//! | `directories` | the image as a tree of directories: what the start reads of each |
//! | `top` | the same image with a start layer on top |
//!
//! Nothing here reads a file: bytes and tables of contents in, values out.
#![forbid(unsafe_code)]

mod carried;
mod directories;
mod estimate;
mod hot;
mod link;
mod reads;
mod timeline;
mod top;
mod touch;
mod trace;
mod weights;

pub use carried::{Carried, Kind, Share, carried};
pub use directories::{Directory, Parts, directories};
pub use estimate::{Client, Estimate, Fetched, Image, Layer, Way, estimate, estimate_fetched};
pub use hot::hot;
pub use link::{Link, LinkError};
pub use reads::{Reads, reads, span_cost};
pub use soci_ztoc::ztoc::{BlockEnd, Need, Shape, SpanCost};
pub use timeline::{FileTime, SpanTime, Timeline, timeline};
pub use top::with_start_layer;
pub use touch::{LayerTouch, Touched, TouchedFile, TouchedSpan, touch};
pub use trace::{Form, Opened, Trace, TraceError};
