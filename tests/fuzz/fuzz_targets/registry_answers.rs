//! A registry that answers anything.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../bodies/registry.rs"]
#[expect(dead_code, reason = "each target has one of the bodies")]
mod bodies;

fuzz_target!(|bytes: &[u8]| bodies::answers(bytes));
