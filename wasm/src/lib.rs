//! The JavaScript boundary: translates, decides nothing.
