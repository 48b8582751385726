//! The inflater against zlib and flate2.

mod bitwriter;
mod causes;
mod chunking;
mod ours;
mod points;
mod zlib;
