//! Documents of images, of all kinds.
#![no_main]

#[path = "../bodies/image.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|input: &[u8]| bodies::documents(input));
