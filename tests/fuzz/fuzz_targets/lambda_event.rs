//! Any bytes as what Lambda calls the function with.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../bodies/lambda.rs"]
mod bodies;

fuzz_target!(|bytes: &[u8]| bodies::event(bytes));
