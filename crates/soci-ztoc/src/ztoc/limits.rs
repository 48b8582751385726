//! What is accepted from outside, checked before anything is allocated.

/// Limits for building and reading zTOCs; the defaults are far above what real layers need.
///
/// ```
/// use soci_ztoc::ztoc::Limits;
///
/// let small = Limits::DEFAULT.with_entries(10_000).with_text_bytes(1 << 20);
/// assert_eq!(small.entries(), 10_000);
/// ```
///
/// What the format itself cannot hold is not a limit that can be set: a larger one counts as the largest
/// possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    checkpoints: usize,
    spans: usize,
    entries: usize,
    pax_records: usize,
    text_bytes: usize,
}

impl Limits {
    /// The default limits.
    pub const DEFAULT: Limits = Limits {
        checkpoints: MOST_CHECKPOINTS,
        spans: 1 << 20,
        entries: 1 << 21,
        pax_records: 1 << 23,
        text_bytes: 1 << 29,
    };

    /// Checkpoints of a gzip layer; at most 65,501.
    #[must_use]
    pub const fn with_checkpoints(mut self, checkpoints: usize) -> Self {
        self.checkpoints = at_most(checkpoints, MOST_CHECKPOINTS);
        self
    }

    /// Spans of a plain tar.
    #[must_use]
    pub const fn with_spans(mut self, spans: usize) -> Self {
        self.spans = at_most(spans, MOST);
        self
    }

    /// Entries of a layer.
    #[must_use]
    pub const fn with_entries(mut self, entries: usize) -> Self {
        self.entries = at_most(entries, MOST);
        self
    }

    /// PAX records of all entries together.
    #[must_use]
    pub const fn with_pax_records(mut self, pax_records: usize) -> Self {
        self.pax_records = at_most(pax_records, MOST);
        self
    }

    /// Bytes of all names, targets, times and records together.
    #[must_use]
    pub const fn with_text_bytes(mut self, text_bytes: usize) -> Self {
        self.text_bytes = at_most(text_bytes, MOST);
        self
    }

    /// Checkpoints of a gzip layer.
    pub const fn checkpoints(&self) -> usize {
        self.checkpoints
    }

    /// Spans of a plain tar.
    pub const fn spans(&self) -> usize {
        self.spans
    }

    /// Entries of a layer.
    pub const fn entries(&self) -> usize {
        self.entries
    }

    /// PAX records of all entries together.
    pub const fn pax_records(&self) -> usize {
        self.pax_records
    }

    /// Bytes of all names, targets, times and records together.
    pub const fn text_bytes(&self) -> usize {
        self.text_bytes
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits::DEFAULT
    }
}

/// The reference's own limit: more do not fit into the 2 GiB that it can write.
pub(super) const MOST_CHECKPOINTS: usize = 65_501;

/// Numbers and offsets in the file have 31 bits.
const MOST: usize = i32::MAX as usize;

const fn at_most(wanted: usize, most: usize) -> usize {
    if wanted < most { wanted } else { most }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_format_cannot_hold_is_no_limit() {
        let limits = Limits::DEFAULT
            .with_checkpoints(usize::MAX)
            .with_spans(usize::MAX)
            .with_entries(usize::MAX)
            .with_pax_records(usize::MAX)
            .with_text_bytes(usize::MAX);
        assert_eq!(limits.checkpoints(), 65_501);
        for limit in [
            limits.spans(),
            limits.entries(),
            limits.pax_records(),
            limits.text_bytes(),
        ] {
            assert_eq!(limit, i32::MAX as usize);
        }
        assert_eq!(limits.with_spans(7).spans(), 7);
    }
}
