//! The places there are, dispatched statically. Folders and what is written to files are natively alone.

use soci_image::{Descriptor, Digest};

use super::{Blob, Destination, Published, Root, Sink, Source};
use crate::registry::{RegistryBlob, RegistryDestination, RegistrySink, RegistrySource};
use crate::workflow::RepeatedLayer;
use crate::{Error, Result};
#[cfg(feature = "files")]
use crate::{archive::ArchiveSource, blob::FileBlob, memory::MemoryDestination};
#[cfg(feature = "native")]
use crate::{
    archive::{ArchiveDestination, ArchiveSink},
    layout::{LayoutDestination, LayoutSink, LayoutSource},
    overlay::Overlay,
    told::ToldSource,
};

/// Any place that images are read from.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one or two per run, never in a list")]
pub enum AnySource {
    /// An OCI image layout in a folder.
    #[cfg(feature = "native")]
    Layout(LayoutSource),
    /// An OCI image layout in a tar, or in files that somebody else has listed.
    #[cfg(feature = "files")]
    Archive(ArchiveSource),
    /// An image of a registry.
    Registry(RegistrySource),
    /// A source with some layers rewritten.
    #[cfg(feature = "native")]
    Overlay(Box<Overlay>),
    /// An image of a registry, told by another API.
    #[cfg(feature = "native")]
    Told(ToldSource),
}

impl AnySource {
    /// The image that the place itself lists, for one whose layers were rewritten on the way.
    pub(crate) fn listed<'a>(&'a self, root: &'a Descriptor) -> &'a Descriptor {
        match self {
            #[cfg(feature = "native")]
            Self::Overlay(overlay) => {
                let below = overlay.originals.get(&root.digest).unwrap_or(root);
                overlay.base.listed(below)
            }
            _ => root,
        }
    }

    /// Layers that were put on top on the way here.
    pub(crate) fn repeated(&self) -> &[RepeatedLayer] {
        match self {
            #[cfg(feature = "native")]
            Self::Overlay(overlay) => &overlay.repeated,
            _ => &[],
        }
    }

    /// Whether a blob is there, and how large it is, without reading it.
    pub(crate) async fn stored(&self, descriptor: &Descriptor) -> Result<Stored> {
        match self.holder(descriptor) {
            Self::Registry(registry) => registry.stored(descriptor).await,
            #[cfg(feature = "native")]
            Self::Told(told) => Ok(told.stored(descriptor)),
            #[cfg(feature = "files")]
            _ => self.stored_in_file(descriptor).await,
        }
    }

    #[cfg(feature = "files")]
    async fn stored_in_file(&self, descriptor: &Descriptor) -> Result<Stored> {
        if !self.contains(descriptor).await? {
            return Ok(Stored::Missing);
        }
        let AnyBlob::File(blob) = self.open(descriptor).await? else {
            return Ok(Stored::There(None));
        };
        Ok(Stored::There(Some(blob.remaining())))
    }

    /// Whether the place sends all of a blob when a part of it is asked for; `None` where nobody asks for parts
    /// over a network, or the blob is too small for a part of it.
    pub(crate) async fn ignores_ranges(&self, blob: &Descriptor) -> Result<Option<bool>> {
        match self.registry() {
            Some(registry) if blob.size > 2 => registry.ignores_ranges(blob).await.map(Some),
            _ => Ok(None),
        }
    }

    /// What refers to a manifest, for whom nothing depends on it: a place that does not tell has no referrers for them.
    pub(crate) async fn referrers_told(
        &self,
        subject: &Descriptor,
        artifact_type: &str,
    ) -> Result<Vec<Descriptor>> {
        match self.referrers(subject, artifact_type).await {
            Err(Error::Interrupted) => Err(Error::Interrupted),
            Err(error) => {
                if let Some(registry) = self.registry() {
                    let note = format!("{error}; going on as if there were none");
                    registry.repository().client().note(&note);
                }
                Ok(Vec::new())
            }
            told => told,
        }
    }

    /// Where a blob lies: below an overlay, unless it is one of its own.
    #[cfg_attr(
        not(feature = "native"),
        allow(unused_variables, reason = "there are no overlays")
    )]
    fn holder(&self, descriptor: &Descriptor) -> &AnySource {
        match self {
            #[cfg(feature = "native")]
            Self::Overlay(overlay) => overlay
                .base_of(&descriptor.digest)
                .map_or(self, |base| base.holder(descriptor)),
            _ => self,
        }
    }
}

/// What a place says about a blob without sending it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored {
    /// It is not there.
    Missing,
    /// It is there, in so many bytes where the place says it.
    There(Option<u64>),
}

impl Stored {
    /// Whether it is there in its size.
    pub(crate) fn fits(self, descriptor: &Descriptor) -> bool {
        match self {
            Self::Missing => false,
            Self::There(size) => size.is_none_or(|size| size == descriptor.size),
        }
    }
}

/// A blob of any place, being read.
pub enum AnyBlob {
    /// A stretch of a file.
    #[cfg(feature = "files")]
    File(FileBlob),
    /// Of a registry.
    Registry(RegistryBlob),
}

/// Any place that images are written to.
#[allow(clippy::large_enum_variant, reason = "one or two per run, never in a list")]
pub enum AnyDestination {
    /// An OCI image layout in a folder.
    #[cfg(feature = "native")]
    Layout(LayoutDestination),
    /// An OCI image layout in a tar.
    #[cfg(feature = "native")]
    Archive(ArchiveDestination),
    /// Memory, beside a source that keeps what it has.
    #[cfg(feature = "files")]
    Memory(MemoryDestination),
    /// A repository of a registry.
    Registry(RegistryDestination),
}

#[cfg(feature = "native")]
impl AnyDestination {
    /// Tells the place what will be read, before anything is written: it may be the place itself.
    pub(crate) fn read_from(&mut self, source: &AnySource) -> Result<()> {
        match (self, source) {
            (place, AnySource::Overlay(overlay)) => place.read_from(&overlay.base),
            (Self::Layout(place), AnySource::Layout(source)) => {
                place.read_from(source);
                Ok(())
            }
            (Self::Archive(place), AnySource::Archive(source)) => place.read_from(source),
            _ => Ok(()),
        }
    }

    /// Tells the place that the bytes of a blob of the source were compared with its digest.
    pub(crate) fn was_hashed(&self, descriptor: &Descriptor) {
        if let Self::Layout(place) = self {
            place.was_hashed(descriptor);
        }
    }
}

/// A blob of any place, being written.
pub enum AnySink {
    /// Into a layout.
    #[cfg(feature = "native")]
    Layout(LayoutSink),
    /// Into an archive.
    #[cfg(feature = "native")]
    Archive(ArchiveSink),
    /// Into a registry.
    Registry(RegistrySink),
}

/// Calls the same method on whatever place it is: those that are there natively, those that are with files, registries.
macro_rules! each {
    ($place:expr, $kind:ident { $($native:ident),*; $($files:ident),* }, $inner:ident => $call:expr) => {
        match $place {
            $(
                #[cfg(feature = "native")]
                $kind::$native($inner) => $call,
            )*
            $(
                #[cfg(feature = "files")]
                $kind::$files($inner) => $call,
            )*
            $kind::Registry($inner) => $call,
        }
    };
}

impl Source for AnySource {
    type Blob = AnyBlob;

    async fn roots(&self) -> Result<Vec<Root>> {
        each!(self, AnySource { Layout, Overlay, Told; Archive }, source => source.roots().await)
    }

    async fn document(&self, descriptor: &Descriptor) -> Result<Vec<u8>> {
        each!(self, AnySource { Layout, Overlay, Told; Archive }, source => source.document(descriptor).await)
    }

    async fn manifest(&self, digest: &Digest) -> Result<Option<Vec<u8>>> {
        each!(self, AnySource { Layout, Overlay, Told; Archive }, source => source.manifest(digest).await)
    }

    async fn contains(&self, descriptor: &Descriptor) -> Result<bool> {
        each!(self, AnySource { Layout, Overlay, Told; Archive }, source => source.contains(descriptor).await)
    }

    async fn open(&self, descriptor: &Descriptor) -> Result<AnyBlob> {
        match self {
            #[cfg(feature = "native")]
            Self::Layout(source) => source.open(descriptor).await.map(AnyBlob::File),
            #[cfg(feature = "files")]
            Self::Archive(source) => source.open(descriptor).await.map(AnyBlob::File),
            Self::Registry(source) => source.open(descriptor).await.map(AnyBlob::Registry),
            #[cfg(feature = "native")]
            Self::Overlay(source) => source.open(descriptor).await,
            #[cfg(feature = "native")]
            Self::Told(source) => source.open(descriptor).await.map(AnyBlob::File),
        }
    }

    async fn read_at(&self, descriptor: &Descriptor, offset: u64, buffer: &mut [u8]) -> Result<()> {
        each!(self, AnySource { Layout, Overlay, Told; Archive }, source => source.read_at(descriptor, offset, buffer).await)
    }

    async fn referrers(&self, subject: &Descriptor, artifact_type: &str) -> Result<Vec<Descriptor>> {
        each!(self, AnySource { Layout, Overlay, Told; Archive }, source => source.referrers(subject, artifact_type).await)
    }

    fn is_remote(&self) -> bool {
        each!(self, AnySource { Layout, Overlay, Told; Archive }, source => source.is_remote())
    }
}

impl Blob for AnyBlob {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        match self {
            #[cfg(feature = "files")]
            Self::File(blob) => blob.read(buffer).await,
            Self::Registry(blob) => blob.read(buffer).await,
        }
    }
}

impl Destination for AnyDestination {
    type Sink = AnySink;

    async fn ready(&self) -> Result<()> {
        each!(self, AnyDestination { Layout, Archive; Memory }, place => place.ready().await)
    }

    async fn contains(&self, descriptor: &Descriptor) -> Result<bool> {
        each!(self, AnyDestination { Layout, Archive; Memory }, place => place.contains(descriptor).await)
    }

    async fn put_blob(&self, descriptor: &Descriptor, bytes: &[u8]) -> Result<()> {
        each!(self, AnyDestination { Layout, Archive; Memory }, place => place.put_blob(descriptor, bytes).await)
    }

    async fn put_manifest(&self, descriptor: &Descriptor, bytes: &[u8]) -> Result<()> {
        each!(self, AnyDestination { Layout, Archive; Memory }, place => place.put_manifest(descriptor, bytes).await)
    }

    async fn copy_blob(&self, descriptor: &Descriptor, source: &AnySource, verified: bool) -> Result<()> {
        let source = source.holder(descriptor);
        each!(self, AnyDestination { Layout, Archive; Memory }, place => place.copy_blob(descriptor, source, verified).await)
    }

    async fn begin_blob(&self, descriptor: &Descriptor) -> Result<Option<AnySink>> {
        Ok(match self {
            #[cfg(feature = "native")]
            Self::Layout(place) => place.begin_blob(descriptor).await?.map(AnySink::Layout),
            #[cfg(feature = "native")]
            Self::Archive(place) => place.begin_blob(descriptor).await?.map(AnySink::Archive),
            #[cfg(feature = "files")]
            Self::Memory(_) => None,
            Self::Registry(place) => place.begin_blob(descriptor).await?.map(AnySink::Registry),
        })
    }

    async fn publish(self, images: &[Published]) -> Result<()> {
        each!(self, AnyDestination { Layout, Archive; Memory }, place => place.publish(images).await)
    }

    async fn abort(self) {
        each!(self, AnyDestination { Layout, Archive; Memory }, place => place.abort().await)
    }

    fn is_sequential(&self) -> bool {
        each!(self, AnyDestination { Layout, Archive; Memory }, place => place.is_sequential())
    }
}

impl Sink for AnySink {
    async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        each!(self, AnySink { Layout, Archive; }, sink => sink.write(bytes).await)
    }

    async fn commit(self) -> Result<()> {
        each!(self, AnySink { Layout, Archive; }, sink => sink.commit().await)
    }
}
