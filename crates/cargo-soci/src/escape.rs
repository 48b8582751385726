//! Text from outside (tar names, image references, server messages) made safe for a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Makes foreign text printable: control characters, line breaks and characters that change the
/// direction of text appear as `\u{…}`; all else stays as it is.
pub fn terminal(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_unsafe(character) {
            write!(escaped, "\\u{{{:x}}}", character as u32).expect("writing to a string never fails");
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
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

fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            // Line and paragraph separators; marks, embeddings, overrides and isolates of direction
            // (Unicode UAX #9); invisible tag characters.
            '\u{2028}' | '\u{2029}' | '\u{61c}' | '\u{200e}' | '\u{200f}'
                | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}'
        )
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
    fn bytes_that_are_not_utf8_are_shown_as_bytes() {
        assert_eq!(terminal_bytes(b"a\xff\xfeb\x07"), "a\\xff\\xfeb\\u{7}");
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_steers_a_terminal_comes_out(bytes: Vec<u8>) {
            let shown = terminal_bytes(&bytes);
            proptest::prop_assert!(!shown.chars().any(is_unsafe));
            let text = String::from_utf8_lossy(&bytes);
            proptest::prop_assert!(!terminal(&text).chars().any(is_unsafe));
        }
    }
}
