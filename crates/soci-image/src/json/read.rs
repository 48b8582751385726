//! The reader: strict JSON (RFC 8259) with the offset of the first wrong byte.

use super::{Json, MAX_DEPTH, MAX_DOCUMENT, MAX_VALUES};
use crate::error::{Error, Result};

pub(super) fn parse(bytes: &[u8]) -> Result<Json> {
    if bytes.len() > MAX_DOCUMENT {
        return Err(Error::TooLarge {
            size: bytes.len() as u64,
            limit: MAX_DOCUMENT as u64,
        });
    }
    let mut reader = Reader {
        bytes,
        at: 0,
        values: 0,
    };
    let value = reader.value(0)?;
    reader.blanks();
    if reader.at < bytes.len() {
        return reader.fail("there is something after the end of the value");
    }
    Ok(value)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    values: usize,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Result<Json> {
        self.blanks();
        self.values += 1;
        if self.values > MAX_VALUES {
            return self.fail("the document has too many values");
        }
        match self.peek() {
            None => self.fail("the document ends where a value should be"),
            Some(b'{' | b'[') if depth == MAX_DEPTH => self.fail("arrays and objects nest too deep"),
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.array(depth + 1),
            Some(b'"') => self.string().map(Json::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal(b"true", Json::Bool(true)),
            Some(b'f') => self.literal(b"false", Json::Bool(false)),
            Some(b'n') => self.literal(b"null", Json::Null),
            Some(_) => self.fail("no value begins like this"),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json> {
        self.at += 1;
        let mut entries = Vec::new();
        self.blanks();
        if self.take(b'}') {
            return Ok(Json::Object(entries));
        }
        loop {
            self.blanks();
            if self.peek() != Some(b'"') {
                return self.fail("a key in quotes should be here");
            }
            let key = self.string()?;
            self.blanks();
            if !self.take(b':') {
                return self.fail("a `:` should be here");
            }
            let value = self.value(depth)?;
            entries.push((key, value));
            self.blanks();
            if self.take(b'}') {
                return Ok(Json::Object(entries));
            }
            if !self.take(b',') {
                return self.fail("a `,` or `}` should be here");
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json> {
        self.at += 1;
        let mut items = Vec::new();
        self.blanks();
        if self.take(b']') {
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth)?);
            self.blanks();
            if self.take(b']') {
                return Ok(Json::Array(items));
            }
            if !self.take(b',') {
                return self.fail("a `,` or `]` should be here");
            }
        }
    }

    fn string(&mut self) -> Result<String> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let rest = &self.bytes[self.at..];
            let run = rest
                .iter()
                .position(|b| matches!(b, b'"' | b'\\' | 0..=0x1f))
                .unwrap_or(rest.len());
            push_utf8(&mut text, &rest[..run]);
            self.at += run;
            match self.peek() {
                None => return self.fail("the document ends inside a string"),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => self.escape(&mut text)?,
                Some(_) => return self.fail("a control character stands in a string unescaped"),
            }
        }
    }

    fn escape(&mut self, text: &mut String) -> Result<()> {
        let plain = match self.bytes.get(self.at + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let Some(unit) = self.unit(self.at) else {
                    return self.fail("`\\u` needs four hex digits");
                };
                self.at += 6;
                if let Some(c) = char::from_u32(unit) {
                    text.push(c);
                    return Ok(());
                }
                // A pair makes one character; half of one, alone or before another unit, is U+FFFD.
                let low = if unit < 0xdc00 { self.unit(self.at) } else { None };
                match low {
                    Some(low @ 0xdc00..=0xdfff) => {
                        let code = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                        text.push(char::from_u32(code).unwrap_or('\u{fffd}'));
                        self.at += 6;
                    }
                    _ => text.push('\u{fffd}'),
                }
                return Ok(());
            }
            _ => return self.fail("no escape begins like this"),
        };
        text.push(plain);
        self.at += 2;
        Ok(())
    }

    /// The code unit of a `\uXXXX` at `at`, if one is there.
    fn unit(&self, at: usize) -> Option<u32> {
        let [b'\\', b'u', hex @ ..] = self.bytes.get(at..at + 6)? else {
            return None;
        };
        hex.iter()
            .try_fold(0, |unit, b| Some(unit << 4 | char::from(*b).to_digit(16)?))
    }

    fn number(&mut self) -> Result<Json> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        let text =
            std::str::from_utf8(&self.bytes[start..self.at]).expect("a number was checked to be ASCII");
        Ok(Json::Number(text.into()))
    }

    fn digits(&mut self) -> Result<()> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return self.fail("a digit should be here");
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        Ok(())
    }

    fn literal(&mut self, word: &[u8], value: Json) -> Result<Json> {
        if !self.bytes[self.at..].starts_with(word) {
            return self.fail("no value begins like this");
        }
        self.at += word.len();
        Ok(value)
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn fail<T>(&self, reason: &'static str) -> Result<T> {
        Err(Error::Json {
            offset: self.at,
            reason,
        })
    }
}

/// Appends bytes; every byte that is part of no character becomes one U+FFFD (Go's count, which
/// differs from `String::from_utf8_lossy` for sequences that are cut short).
fn push_utf8(text: &mut String, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for _ in chunk.invalid() {
            text.push('\u{fffd}');
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn error(text: &[u8]) -> (usize, &'static str) {
        match Json::parse(text) {
            Err(Error::Json { offset, reason }) => (offset, reason),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn errors_point_at_the_first_wrong_byte() {
        assert_eq!(error(b"").0, 0);
        assert_eq!(error(b"{} x").0, 3);
        assert_eq!(error(b"{\"a\" 1}").0, 5);
        assert_eq!(error(b"{\"a\":01}").0, 6);
        assert_eq!(error(b"[1,]").0, 3);
        assert_eq!(error(b"\"a\x01\"").0, 2);
        assert_eq!(error(b"\"\\x\"").0, 1);
        assert_eq!(error(b"\"\\u12\"").0, 1);
        assert_eq!(error(b"-").0, 1);
        assert_eq!(error(b"1.").0, 2);
        assert_eq!(error(b"\xef\xbb\xbf{}").0, 0);
        assert_eq!(error(b"{1:2}").1, "a key in quotes should be here");
    }

    #[test]
    fn depth_size_and_number_of_values_are_limited() {
        let deep = |n: usize| [vec![b'['; n], vec![b']'; n]].concat();
        assert!(Json::parse(&deep(MAX_DEPTH)).is_ok());
        assert_eq!(error(&deep(MAX_DEPTH + 1)).1, "arrays and objects nest too deep");
        let many = format!("[{}0]", "0,".repeat(MAX_VALUES));
        assert_eq!(error(many.as_bytes()).1, "the document has too many values");
        assert!(matches!(
            Json::parse(&vec![b'['; MAX_DOCUMENT + 1]),
            Err(Error::TooLarge { .. })
        ));
    }

    #[test]
    fn strings_become_what_go_makes_of_them() {
        let text = |bytes: &[u8]| Json::parse(bytes).unwrap().as_str().unwrap().to_owned();
        assert_eq!(text(br#""\ud83d\ude00\/\u00e9""#), "😀/é");
        assert_eq!(text(br#""\ud800""#), "\u{fffd}");
        assert_eq!(text(br#""\ud800\u0041""#), "\u{fffd}A");
        assert_eq!(
            text(br#""\udc00\ud800\ud800\udc00""#),
            "\u{fffd}\u{fffd}\u{10000}"
        );
        assert_eq!(text(b"\"\xff\xe2\x82x\""), "\u{fffd}\u{fffd}\u{fffd}x");
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json(text in "[-+.eE0-9\\[\\]{}:,\"\\\\a-u \\n]{0,40}") {
            let ours = Json::parse(text.as_bytes());
            let theirs: std::result::Result<serde_json::Value, _> = serde_json::from_str(&text);
            // serde_json refuses numbers beyond f64 and lone surrogates, Go and we do not.
            if theirs.is_ok() {
                prop_assert!(ours.is_ok(), "{:?}", ours);
            }
            if let Err(error) = theirs && ours.is_ok() {
                let text = error.to_string();
                prop_assert!(text.contains("out of range") || text.contains("surrogate"), "{}", text);
            }
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = Json::parse(&bytes);
        }
    }
}
