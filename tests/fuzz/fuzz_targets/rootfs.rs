//! Any bytes as a stack of layers: the crate and a simple model find the same differences.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../bodies/rootfs.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod bodies;

fuzz_target!(|bytes: &[u8]| bodies::rootfs(bytes));
