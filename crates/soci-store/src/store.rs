//! What the workflow asks of a place where images live, and the places there are.
//!
//! A place is read through [`Source`] and written through [`Destination`]. The traits are `async` without `Send`
//! bounds and are dispatched statically: in a browser or a Worker the host's `fetch` stands below them. Natively
//! every call does its I/O before it returns, so each future is ready when it is first polled and
//! [`block_on`](crate::block_on) needs no runtime; several threads use one `&AnySource` at the same time.
//!
//! Order of calls on a destination, which is what makes a conversion safe to interrupt:
//!
//! ```text
//! contains · begin_blob → Sink::write … Sink::commit · copy_blob · put_blob      blobs, in any order
//! put_manifest                                                                   children before parents
//! publish                                                                        names last, makes the result visible
//! abort                                                                          instead of publish: leaves nothing behind
//! ```

use soci_image::{Descriptor, Digest};

use crate::Result;

mod any;

pub(crate) use any::Stored;
pub use any::{AnyBlob, AnyDestination, AnySink, AnySource};

pub use soci_registry::DOCUMENT_LIMIT;

/// One image of a place: what its names point at.
#[derive(Debug, Clone, PartialEq)]
pub struct Root {
    /// Manifest or index of the image: media type, digest and size are right, the rest is as found.
    pub descriptor: Descriptor,
    /// The names under which the place lists the image, in its order; the same digest under two names is one root.
    pub names: Vec<RootName>,
}

/// One listing of an image: an entry of `index.json`, or a tag of a repository.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RootName {
    /// Short name: `org.opencontainers.image.ref.name` in a layout, the tag in a registry.
    pub tag: Option<String>,
    /// Full name: `io.containerd.image.name` in a layout, `host/repository:tag` for a registry.
    pub full: Option<String>,
    /// The whole descriptor of the entry, whose annotations and unknown fields go over to the result.
    pub entry: Option<Descriptor>,
}

/// A root of the source and what replaces it.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// The image as the source lists it; its names and annotations go over to the new one.
    pub root: Root,
    /// The new manifest or index: media type, digest, size.
    pub descriptor: Descriptor,
}

/// A place that images are read from.
pub trait Source {
    /// One blob, read once from front to back.
    type Blob: Blob;

    /// Every image of the place in its own order; a registry reference gives the one image it names.
    async fn roots(&self) -> Result<Vec<Root>>;

    /// A manifest, index or config: at most [`DOCUMENT_LIMIT`] bytes, compared with the descriptor's digest and size.
    async fn document(&self, descriptor: &Descriptor) -> Result<Vec<u8>>;

    /// A manifest or index of which only the digest is known, as an annotation names a SOCI index; `None` if it is
    /// not there. Limit and digest as for [`document`](Source::document).
    async fn manifest(&self, digest: &Digest) -> Result<Option<Vec<u8>>>;

    /// Whether the blob is there (a descriptor may name what was never stored).
    async fn contains(&self, descriptor: &Descriptor) -> Result<bool>;

    /// Opens a blob. The bytes are *not* compared with the digest: whoever reads them hashes them.
    /// The blob may turn out shorter or longer than the descriptor says.
    async fn open(&self, descriptor: &Descriptor) -> Result<Self::Blob>;

    /// Fills `buffer` from a place inside a blob; an end of the blob before that is an error.
    async fn read_at(&self, descriptor: &Descriptor, offset: u64, buffer: &mut [u8]) -> Result<()>;

    /// Manifests of the place whose `subject` is this one and whose artifact type is the given one; an error where the
    /// place does not tell.
    async fn referrers(&self, subject: &Descriptor, artifact_type: &str) -> Result<Vec<Descriptor>>;

    /// Whether opening a blob a second time costs a transfer (a registry) or nothing to speak of (files).
    fn is_remote(&self) -> bool;
}

/// A blob being read.
pub trait Blob {
    /// Reads at most `buffer.len()` bytes and says how many; 0 is the end. Short reads mean nothing.
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize>;
}

/// A place that images are written to. Methods take `&self`: zTOCs and layers arrive from several threads.
pub trait Destination {
    /// A blob being written.
    type Sink: Sink;

    /// Fails if nothing can be written here; asked before the first layer is read, which may take minutes. Places in
    /// the file system have found out when they were created.
    async fn ready(&self) -> Result<()> {
        Ok(())
    }

    /// Whether the blob is there already and need not be sent.
    async fn contains(&self, descriptor: &Descriptor) -> Result<bool>;

    /// Stores a small blob (zTOC, config, SOCI prefetch artifact) from memory.
    async fn put_blob(&self, descriptor: &Descriptor, bytes: &[u8]) -> Result<()>;

    /// Stores a manifest or index under its digest. What it points at has been stored before.
    async fn put_manifest(&self, descriptor: &Descriptor, bytes: &[u8]) -> Result<()>;

    /// Brings a blob over from a source by the cheapest way there is (link, mount, copy). Bytes that pass through
    /// here are compared with digest and size; for a link or mount that is done first if they pass nowhere, unless
    /// they were `verified` by the caller.
    async fn copy_blob(&self, descriptor: &Descriptor, source: &AnySource, verified: bool) -> Result<()>;

    /// Opens a blob for bytes that are being read anyway, so that a remote layer crosses the network once.
    /// `None` if the blob is there already or the place cannot take it now: then `copy_blob` brings it later.
    async fn begin_blob(&self, descriptor: &Descriptor) -> Result<Option<Self::Sink>>;

    /// Lists the new images under the old ones' names and makes the result visible, all at once where the place can.
    async fn publish(self, images: &[Published]) -> Result<()>;

    /// Takes back what can be taken back.
    async fn abort(self);

    /// Whether blobs can only be written one after another, in the order of the calls (an archive).
    fn is_sequential(&self) -> bool;
}

/// A blob being written; dropped without `commit`, it never was.
pub trait Sink {
    /// Takes the next bytes.
    async fn write(&mut self, bytes: &[u8]) -> Result<()>;

    /// Stores the blob. The caller has compared digest and size.
    async fn commit(self) -> Result<()>;
}
