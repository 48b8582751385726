//! Text from outside (tar names, image references, server messages) made safe for a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

pub use soci_lint::escape::json_text as json;

/// Makes foreign text printable: control characters, line breaks and characters that change the
/// direction of text appear as `\u{…}`, and what a CI system would take for a command is broken up; all else
/// stays as it is. The linter's reports pass the same function.
pub fn terminal(text: &str) -> Cow<'_, str> {
    Cow::Owned(soci_lint::escape::terminal(text))
}

/// The same for a name that need not be UTF-8: other bytes appear as `\xNN`.
pub fn terminal_bytes(bytes: &[u8]) -> String {
    let mut escaped = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        escaped.push_str(&terminal(chunk.valid()));
        for byte in chunk.invalid() {
            write!(escaped, "\\x{byte:02x}").expect("writing to a string never fails");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_stays_as_it_is() {
        assert_eq!(terminal("bin/größe 日本"), "bin/größe 日本");
    }

    #[test]
    fn escape_sequences_cannot_reach_the_terminal() {
        assert_eq!(terminal("a\x1b[2Jb\nc"), "a\\u{1b}[2Jb\\u{a}c");
        assert_eq!(terminal("x\u{202e}gpj.exe"), "x\\u{202e}gpj.exe");
        assert_eq!(terminal("\u{9b}31m"), "\\u{9b}31m");
    }

    #[test]
    fn ci_systems_see_no_commands() {
        for text in [
            "::error::x",
            "  ::add-mask::y",
            "a ##[error]b",
            "##vso[task.setvariable variable=a]b",
            "####[group]",
        ] {
            let shown = terminal(text);
            assert!(!shown.trim_start().starts_with("::"), "{shown}");
            assert!(!shown.contains("##[") && !shown.contains("##vso["), "{shown}");
        }
        assert_eq!(terminal("std::vec [#1] a::b"), "std::vec [#1] a::b");
        assert_eq!(
            json("\"\u{9b}\u{2028}\u{202e}\u{e0041}\""),
            "\"\\u009b\\u2028\\u202e\\udb40\\udc41\""
        );
    }

    #[test]
    fn bytes_that_are_not_utf8_are_shown_as_bytes() {
        assert_eq!(terminal_bytes(b"a\xff\xfeb\x07"), "a\\xff\\xfeb\\u{7}");
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_steers_a_terminal_comes_out(bytes: Vec<u8>) {
            let shown = terminal_bytes(&bytes);
            proptest::prop_assert!(!shown.chars().any(soci_lint::escape::is_treacherous));
            let text = String::from_utf8_lossy(&bytes);
            proptest::prop_assert!(!terminal(&text).chars().any(soci_lint::escape::is_treacherous));
        }
    }
}
