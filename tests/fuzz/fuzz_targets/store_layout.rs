//! Any texts as the files of a layout.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../bodies/store.rs"]
#[expect(dead_code, reason = "each target has one of the bodies")]
mod bodies;

fuzz_target!(|text: &str| bodies::layout(text));
