//! Numbers of things, as people read them.

use std::fmt::Display;

/// `1 layer`, `3 layers`: for nouns that take an `s`.
pub fn count<N: Display + PartialEq + From<u8>>(number: N, noun: &str) -> String {
    match number == N::from(1) {
        true => format!("1 {noun}"),
        false => format!("{number} {noun}s"),
    }
}
