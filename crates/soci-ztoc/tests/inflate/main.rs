//! The inflater against zlib and flate2.

mod bitwriter;
mod causes;
mod chunking;
#[path = "../../../../tests/fuzz/bodies/inflate.rs"]
mod fuzz_bodies;
mod ours;
mod points;
mod replay;
mod same;
mod zlib;
