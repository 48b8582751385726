//! Documents of ECS.
#![no_main]

#[path = "../bodies/aws.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|input: &[u8]| bodies::documents(input));
