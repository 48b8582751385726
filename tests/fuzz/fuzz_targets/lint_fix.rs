//! Any text as a document whose findings are mended.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../bodies/lint.rs"]
#[expect(dead_code, reason = "each target has one of the bodies")]
mod bodies;

fuzz_target!(|text: &str| bodies::fix(text));
