//! `cargo soci`, `docker soci`, `cargo-soci`: one binary.
fn main() {}
