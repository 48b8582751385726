//! Any sequence of public calls of soci-ztoc.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../bodies/calls.rs"]
mod bodies;

fuzz_target!(|bytes: &[u8]| bodies::calls(bytes));
