//! What a zTOC is built with: how the layer is stored, where it is cut, what is accepted.

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::limits::Limits;
use super::shape::Shape;
use super::value::Compression;

/// What a zTOC is built with.
///
/// ```
/// use soci_ztoc::ztoc::{BuildOptions, Compression};
///
/// let options = BuildOptions::new(Compression::Gzip, "my-builder").with_span_size(1 << 20);
/// assert_eq!(options.compression(), Compression::Gzip);
/// ```
#[derive(Clone, Debug)]
pub struct BuildOptions {
    pub(super) compression: Compression,
    pub(super) span_size: u64,
    pub(super) build_tool_identifier: Box<str>,
    pub(super) limits: Limits,
    pub(super) shape: Option<Arc<Shape>>,
}

impl BuildOptions {
    /// The span size of the reference: 4 MiB.
    pub const DEFAULT_SPAN_SIZE: u64 = 4 << 20;

    /// For a layer that is stored like this (its media type tells), built by this tool, whose name
    /// becomes part of the zTOC.
    pub fn new(compression: Compression, build_tool_identifier: impl Into<Box<str>>) -> Self {
        BuildOptions {
            compression,
            span_size: BuildOptions::DEFAULT_SPAN_SIZE,
            build_tool_identifier: build_tool_identifier.into(),
            limits: Limits::DEFAULT,
            shape: None,
        }
    }

    /// The least uncompressed bytes of a span but the last. gzip layers can only be cut at block
    /// ends, so their spans are larger by up to a block.
    #[must_use]
    pub fn with_span_size(mut self, span_size: u64) -> Self {
        self.span_size = span_size;
        self
    }

    /// Cuts a gzip layer where it is best for this shape, instead of after every `span_size` bytes. The spans of a
    /// plain tar are always equal: there it changes nothing.
    #[must_use]
    pub fn with_shape(mut self, shape: Arc<Shape>) -> Self {
        self.shape = Some(shape);
        self
    }

    /// What is accepted.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How the layer is stored.
    pub fn compression(&self) -> Compression {
        self.compression
    }

    /// The least uncompressed bytes of a span but the last.
    pub fn span_size(&self) -> u64 {
        self.span_size
    }
}
