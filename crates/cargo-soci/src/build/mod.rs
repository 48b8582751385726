//! From a Dockerfile to a SOCI-enabled image: running the builder, reading what it made, publishing it.
//!
//! ```text
//! plan ──► child (docker buildx build, or any command) ──► metadata_file ──► publish
//! ```

pub mod buildx;
pub mod child;
pub mod command;
pub mod lint;
pub mod metadata_file;
pub mod plan;
pub mod publish;
pub mod run;
pub mod stand_in;
