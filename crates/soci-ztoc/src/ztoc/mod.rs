//! zTOCs: build, write, read, verify, extract.

mod builder;
mod checkpoint;
mod decode;
mod digests;
mod encode;
mod flatbuffer;
mod limits;
mod skip;
mod toc;
mod value;

pub use builder::{BuildOptions, Built, Outcome, Skipped, ZtocBuilder};
pub use encode::EncodedZtoc;
pub use limits::Limits;
pub use skip::{Refusal, SkipReason};
pub use toc::{EntryType, Toc, TocEntry, Xattrs};
pub use value::{Checkpoint, Compression, FileFacts, GzipZinfo, Span, TarZinfo, VERSION, Zinfo, Ztoc};
