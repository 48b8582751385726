//! Where images live, and the one workflow over them.
#![forbid(unsafe_code)]

mod block_on;

pub use block_on::block_on;
