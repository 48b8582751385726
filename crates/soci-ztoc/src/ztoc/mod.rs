//! zTOCs: build, write, read, verify, extract.

mod builder;
mod checkpoint;
mod decode;
mod digests;
mod encode;
mod extract;
mod flatbuffer;
mod halves;
mod limits;
mod paths;
mod skip;
mod source;
mod toc;
mod value;
mod verify;

pub use builder::{BuildOptions, Built, Outcome, Skipped, ZtocBuilder};
pub use encode::EncodedZtoc;
pub use extract::{Extractor, extract};
pub use halves::{DecodeHalf, Decoded, Handover, HashHalf};
pub use limits::Limits;
pub use paths::{LookupFault, Paths};
pub use skip::{Refusal, SkipReason};
pub use source::{BoxError, ReadAt};
pub use toc::{EntryType, Toc, TocEntry, Xattrs};
pub use value::{Checkpoint, Compression, FileFacts, GzipZinfo, Span, TarZinfo, VERSION, Window, Zinfo, Ztoc};
pub use verify::{Fault, Verification, Verifier, verify};
