//! Names of images and their parts.
#![no_main]

#[path = "../bodies/image.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|input: &str| bodies::names(input));
