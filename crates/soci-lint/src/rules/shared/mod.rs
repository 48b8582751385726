//! What several rules need.

pub(super) mod known;
pub(super) mod versions;
