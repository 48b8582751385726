//! What several rules need.

pub(super) mod changes;
pub(super) mod known;
pub(super) mod versions;
