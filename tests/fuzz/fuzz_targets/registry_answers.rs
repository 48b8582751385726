//! A registry that answers anything.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../bodies/registry.rs"]
mod bodies;

fuzz_target!(|bytes: &[u8]| bodies::answers(bytes));
