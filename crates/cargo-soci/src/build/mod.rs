//! From a Dockerfile to a SOCI-enabled image: running the builder and reading what it made.

pub mod child;
pub mod metadata_file;
