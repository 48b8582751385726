//! What is accepted from outside, checked before anything is allocated.

/// Limits for building and reading zTOCs; the defaults are far above what real layers need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Checkpoints of a gzip layer. The reference's own limit is 65,501: more do not fit into the
    /// 2 GiB that it can write.
    pub checkpoints: usize,
    /// Spans of a plain tar.
    pub spans: usize,
    /// Entries of a layer.
    pub entries: usize,
    /// PAX records of all entries together.
    pub pax_records: usize,
    /// Bytes of all names, targets, times and records together.
    pub text_bytes: usize,
}

impl Limits {
    /// The default limits.
    pub const DEFAULT: Limits = Limits {
        checkpoints: 65_501,
        spans: 1 << 20,
        entries: 1 << 21,
        pax_records: 1 << 23,
        text_bytes: 1 << 29,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Limits::DEFAULT
    }
}
