//! Numbers of things, as people read them.

use std::fmt::Display;

/// `1 layer`, `3 layers`, `2 directories`: for nouns that take an `s`, or `ies` for a `y` behind a consonant.
pub fn count<N: Display + PartialEq + From<u8>>(number: N, noun: &str) -> String {
    match number == N::from(1) {
        true => format!("1 {noun}"),
        false => match noun
            .strip_suffix('y')
            .filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u']))
        {
            Some(stem) => format!("{number} {stem}ies"),
            None => format!("{number} {noun}s"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nouns_are_many_as_people_write_them() {
        let said = [
            (1, "layer"),
            (2, "layer"),
            (1, "directory"),
            (0, "directory"),
            (2, "day"),
        ];
        let said = said.map(|(number, noun)| count(number, noun));
        assert_eq!(
            said,
            ["1 layer", "2 layers", "1 directory", "0 directories", "2 days"]
        );
    }
}
