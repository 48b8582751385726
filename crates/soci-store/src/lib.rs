//! Where images live, and the one workflow over them.
#![forbid(unsafe_code)]
