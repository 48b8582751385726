//! Annotation keys.

/// On an image manifest (and copied to its descriptor): digest of its SOCI index manifest v2.
pub const INDEX_DIGEST: &str = "com.amazon.soci.index-digest";
/// On the descriptor of a SOCI index manifest v2 in an image index: digest of its image manifest.
pub const IMAGE_MANIFEST_DIGEST: &str = "com.amazon.soci.image-manifest-digest";
/// On a zTOC or prefetch descriptor: digest of the layer it belongs to.
pub const LAYER_DIGEST: &str = "com.amazon.soci.image-layer-digest";
/// On a zTOC descriptor: media type of the layer.
pub const LAYER_MEDIA_TYPE: &str = "com.amazon.soci.image-layer-mediaType";
/// On a zTOC descriptor: span size that was asked for, in bytes.
pub const SPAN_SIZE: &str = "com.amazon.soci.span-size";
/// On a zTOC descriptor: `true` when no file of the layer has extended attributes.
pub const DISABLE_XATTRS: &str = "com.amazon.soci.disable-xattrs";
/// On a zTOC descriptor, ours: the spans are cut for a start; digest of its trace.
pub const START_TRACE: &str = "io.github.cargo-soci.start-trace";
/// On a zTOC descriptor, ours: digest of what decided where the spans are cut (what the start reads of the layer, and
/// the cost). Two zTOCs of one layer with the same value have the same spans.
pub const SHAPE: &str = "io.github.cargo-soci.shape";
/// On the descriptor of a layer on top of an image, ours: it repeats the files of a start; digest of its trace.
pub const START_LAYER: &str = "io.github.cargo-soci.start-layer";
/// On the descriptor of a layer on top of an image, ours: `true` if it repeats directories whose attributes a lazy client
/// would lose.
pub const RESTATED_DIRECTORIES: &str = "io.github.cargo-soci.restated-directories";
/// On the descriptor of a layer on top of an image, ours: digest of the image's config without it.
pub const CONFIG_BEFORE: &str = "io.github.cargo-soci.config-before";
/// On a SOCI index manifest: the tool that made it.
pub const BUILD_TOOL: &str = "com.amazon.soci.build-tool-identifier";
/// On an attestation's descriptor: `attestation-manifest`.
pub const REFERENCE_TYPE: &str = "vnd.docker.reference.type";
/// On an attestation's descriptor: digest of the image manifest that it is about.
pub const REFERENCE_DIGEST: &str = "vnd.docker.reference.digest";
/// On an in-toto layer: the kind of statement.
pub const PREDICATE_TYPE: &str = "in-toto.io/predicate-type";
/// On a descriptor in a layout's `index.json`: the tag.
pub const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// On a descriptor in a layout's `index.json`: the whole reference, as containerd and BuildKit put it.
pub const CONTAINERD_NAME: &str = "io.containerd.image.name";
