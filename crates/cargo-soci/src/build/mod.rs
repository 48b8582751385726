//! From a Dockerfile to a SOCI-enabled image: running the builder and reading what it made.

pub mod buildx;
pub mod child;
pub mod metadata_file;
