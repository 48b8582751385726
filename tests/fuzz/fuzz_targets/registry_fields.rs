//! Challenges, Links and Locations of a registry.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../bodies/registry.rs"]
mod bodies;

fuzz_target!(|text: &str| bodies::fields(text));
