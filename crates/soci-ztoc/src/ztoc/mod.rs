//! zTOCs: build, write, read, verify, extract (`docs/ztoc.md`).
//!
//! | module | story |
//! |---|---|
//! | `build_options`, `builder`, `contents`, `halves`, `digests`, `shape` | one pass over a layer, on one thread or two |
//! | `value`, `zinfo`, `toc`, `paths` | what a zTOC is, and asking it |
//! | `encode`, `decode`, `checkpoint`, `flatbuffer` | the file format |
//! | `skip` | why a layer has no zTOC, or a client would not take it |
//! | `extract`, `verify`, `span_reader`, `source` | a layer through its zTOC |
//!
//! ```
//! use soci_ztoc::ztoc::{BuildOptions, BuildOutcome, Compression, Ztoc, ZtocBuilder, extract, verify};
//!
//! // A plain tar with one file: header, data, the end.
//! let mut layer = [0; 2048];
//! layer[..5].copy_from_slice(b"hello");
//! layer[124..135].copy_from_slice(b"00000000002");
//! layer[156] = b'0';
//! layer[512..514].copy_from_slice(b"hi");
//! let sum: u32 = layer[..512].iter().map(|&byte| u32::from(byte)).sum::<u32>() + 8 * 32;
//! layer[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
//!
//! let mut builder = ZtocBuilder::new(BuildOptions::new(Compression::Uncompressed, "example"))?;
//! builder.push(&layer)?;
//! let BuildOutcome::Indexed(built) = builder.finish()? else { panic!("nothing odd is in this layer") };
//! let file = built.encoded().to_bytes();
//!
//! let ztoc = Ztoc::from_bytes(&file)?;
//! assert!(verify(&ztoc, &mut &layer[..])?.faults.is_empty());
//! let index = ztoc.toc().paths().find(b"/hello").expect("it is there");
//! let entry = ztoc.toc().get(index).expect("it was just found");
//! let mut contents = Vec::new();
//! extract(&ztoc, &entry, &mut &layer[..], &mut |bytes: &[u8]| {
//!     contents.extend_from_slice(bytes);
//!     Ok(())
//! })?;
//! assert_eq!(contents, b"hi");
//! # Ok::<(), soci_ztoc::Error>(())
//! ```

mod build_options;
mod builder;
mod checkpoint;
mod contents;
mod decode;
mod digests;
mod encode;
mod extract;
mod flatbuffer;
mod halves;
mod limits;
mod paths;
mod shape;
mod skip;
mod source;
mod span_reader;
mod toc;
mod value;
mod verify;
mod zinfo;

pub use build_options::BuildOptions;
pub use builder::{BuildOutcome, Built, Skipped, ZtocBuilder};
pub use encode::EncodedZtoc;
pub use extract::{Extractor, extract};
pub use halves::{DecodeHalf, Decoded, Handover, HashHalf};
pub use limits::Limits;
pub use paths::{LookupFault, Paths};
pub use shape::{BlockEnd, Need, Shape, SpanCost};
pub use skip::{Refusal, Unindexable};
pub use source::{BoxError, ReadAt};
pub use span_reader::SpanReader;
pub use toc::{EntryType, Toc, TocEntry, Xattrs};
pub use value::{Compression, FileFacts, Span, VERSION, Ztoc, ZtocParts};
pub use verify::{Fault, Verification, Verifier, verify};
pub use zinfo::{Checkpoint, GzipZinfo, TarZinfo, Window, Zinfo};
