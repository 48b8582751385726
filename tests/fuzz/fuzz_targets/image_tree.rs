//! Whole images.
#![no_main]

#[path = "../bodies/image.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|input: &str| bodies::tree(input));
