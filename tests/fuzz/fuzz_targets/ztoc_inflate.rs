//! Any bytes as a gzip stream, compared with zlib.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../bodies/inflate.rs"]
mod bodies;
#[path = "../../../crates/soci-ztoc/tests/inflate/ours.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod ours;
#[path = "../../../crates/soci-ztoc/tests/inflate/same.rs"]
mod same;
#[path = "../../../crates/soci-ztoc/tests/inflate/zlib.rs"]
mod zlib;

fuzz_target!(|bytes: &[u8]| bodies::inflate(bytes));
