//! Traces of starts, in all forms.
#![no_main]

#[path = "../bodies/start.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::trace(bytes));
