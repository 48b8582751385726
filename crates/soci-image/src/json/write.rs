//! The writer: compact, with the escapes of Go's `json.Marshal`.

use super::Json;

pub(super) fn value(value: &Json, out: &mut Vec<u8>) {
    match value {
        Json::Null => out.extend(b"null"),
        Json::Bool(true) => out.extend(b"true"),
        Json::Bool(false) => out.extend(b"false"),
        Json::Number(text) => out.extend(text.bytes()),
        Json::String(text) => string(text, out),
        Json::Array(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                self::value(item, out);
            }
            out.push(b']');
        }
        Json::Object(entries) => {
            out.push(b'{');
            for (i, (key, item)) in entries.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                string(key, out);
                out.push(b':');
                self::value(item, out);
            }
            out.push(b'}');
        }
    }
}

/// As Go's `json.MarshalIndent` with two blanks: what BuildKit writes.
pub(super) fn indented(value: &Json, depth: usize, out: &mut Vec<u8>) {
    let line = |depth: usize, out: &mut Vec<u8>| {
        out.push(b'\n');
        out.resize(out.len() + 2 * depth, b' ');
    };
    match value {
        Json::Array(items) if !items.is_empty() => {
            for (i, item) in items.iter().enumerate() {
                out.push(if i == 0 { b'[' } else { b',' });
                line(depth + 1, out);
                indented(item, depth + 1, out);
            }
            line(depth, out);
            out.push(b']');
        }
        Json::Object(entries) if !entries.is_empty() => {
            for (i, (key, item)) in entries.iter().enumerate() {
                out.push(if i == 0 { b'{' } else { b',' });
                line(depth + 1, out);
                string(key, out);
                out.extend(b": ");
                indented(item, depth + 1, out);
            }
            line(depth, out);
            out.push(b'}');
        }
        flat => self::value(flat, out),
    }
}

/// Go escapes, beyond what JSON demands, `<`, `>`, `&` (for HTML) and U+2028, U+2029 (for
/// JavaScript); DEL and the C1 controls stay as they are.
fn string(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' => out.extend(b"\\\""),
            '\\' => out.extend(b"\\\\"),
            '\u{8}' => out.extend(b"\\b"),
            '\u{c}' => out.extend(b"\\f"),
            '\n' => out.extend(b"\\n"),
            '\r' => out.extend(b"\\r"),
            '\t' => out.extend(b"\\t"),
            '\0'..='\u{1f}' | '<' | '>' | '&' => {
                let byte = u32::from(c) as usize;
                out.extend(b"\\u00");
                out.push(HEX[byte >> 4]);
                out.push(HEX[byte & 15]);
            }
            '\u{2028}' => out.extend(b"\\u2028"),
            '\u{2029}' => out.extend(b"\\u2029"),
            _ => out.extend(c.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_are_those_of_go() {
        let text = Json::from("\0\u{8}\t\n\u{b}\u{c}\r\u{1f}\"\\/<>&\u{7f}\u{85}\u{2028}\u{2029}\u{2030}é😀");
        assert_eq!(
            String::from_utf8(text.to_vec()).unwrap(),
            "\"\\u0000\\b\\t\\n\\u000b\\f\\r\\u001f\\\"\\\\/\\u003c\\u003e\\u0026\u{7f}\u{85}\\u2028\\u2029\u{2030}é😀\""
        );
    }

    #[test]
    fn indentation_is_that_of_go() {
        let value = Json::parse(br#"{"a":[1,{"b":[]}],"c":{}}"#).unwrap();
        let text = "{\n  \"a\": [\n    1,\n    {\n      \"b\": []\n    }\n  ],\n  \"c\": {}\n}";
        assert_eq!(String::from_utf8(value.to_indented()).unwrap(), text);
    }

    fn values() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::Bool),
            "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,4})?"
                .prop_map(|n| Json::Number(n.into())),
            any::<String>().prop_map(Json::String),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Json::Array),
                proptest::collection::vec((any::<String>(), inner), 0..6).prop_map(Json::Object),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_the_same(value in values()) {
            let bytes = value.to_vec();
            prop_assert_eq!(&Json::parse(&bytes).unwrap(), &value);
            prop_assert_eq!(Json::parse(&value.to_indented()).unwrap(), value);
        }
    }
}
