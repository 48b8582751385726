//! Every range slices exactly the token it names: documents are written here token by token, in every
//! style of JSON and YAML, and read back.

use proptest::prelude::*;

use super::{Node, Source, read};

#[derive(Debug, Clone)]
enum Value {
    Null,
    Bool(bool),
    Number(i32),
    Text(String),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
}

fn value() -> impl Strategy<Value = Value> {
    let text = "[a-z é😀ß/:.#'\"\\\\-]{0,12}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i32>().prop_map(Value::Number),
        text.prop_map(Value::Text),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
            prop::collection::btree_map("[a-zé😀]{1,6}", inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Writes a document and remembers each scalar, key and bracketed collection as it was written.
struct Writer<'c> {
    out: String,
    tokens: Vec<String>,
    choices: std::iter::Cycle<std::slice::Iter<'c, u8>>,
    line_end: &'static str,
}

impl<'c> Writer<'c> {
    fn new(choices: &'c [u8], line_end: &'static str) -> Self {
        Self {
            out: String::new(),
            tokens: Vec::new(),
            choices: choices.iter().cycle(),
            line_end,
        }
    }

    fn choose(&mut self, of: u8) -> u8 {
        self.choices.next().map_or(0, |choice| choice % of)
    }

    fn token(&mut self, text: &str) {
        self.out.push_str(text);
        self.tokens.push(text.to_owned());
    }

    /// White space and comments between JSON tokens.
    fn json_gap(&mut self) {
        match self.choose(8) {
            0 => self.out.push(' '),
            1 => self.out.push_str(self.line_end),
            2 => self.out.push_str("/* é😀 */"),
            3 => {
                self.out.push_str("// {ß \"");
                self.out.push_str(self.line_end);
            }
            4 => self.out.push('\t'),
            _ => {}
        }
    }

    fn json(&mut self, value: &Value) {
        self.json_gap();
        match value {
            Value::Null => self.token("null"),
            Value::Bool(value) => self.token(if *value { "true" } else { "false" }),
            Value::Number(value) => self.token(&value.to_string()),
            Value::Text(text) => {
                let quoted = serde_json::Value::from(text.as_str()).to_string();
                self.token(&quoted);
            }
            Value::List(items) => self.bracketed('[', ']', items, Self::json),
            Value::Object(entries) => self.bracketed('{', '}', entries, |writer, (key, value)| {
                writer.json_gap();
                writer.token(&serde_json::Value::from(key.as_str()).to_string());
                writer.json_gap();
                writer.out.push(':');
                writer.json(value);
            }),
        }
        self.json_gap();
    }

    /// The collection's own token stands before those in it.
    fn bracketed<T>(&mut self, open: char, close: char, items: &[T], mut item: impl FnMut(&mut Self, &T)) {
        let slot = self.tokens.len();
        let start = self.out.len();
        self.tokens.push(String::new());
        self.out.push(open);
        for (at, one) in items.iter().enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            item(self, one);
        }
        self.out.push(close);
        self.tokens[slot] = self.out[start..].to_owned();
    }

    fn yaml_flow(&mut self, value: &Value) {
        match value {
            Value::List(items) => self.bracketed('[', ']', items, |writer, item| {
                writer.out.push(' ');
                writer.yaml_flow(item);
                writer.out.push(' ');
            }),
            Value::Object(entries) => self.bracketed('{', '}', entries, |writer, (key, value)| {
                writer.out.push(' ');
                writer.token(key);
                writer.out.push_str(": ");
                writer.yaml_flow(value);
                writer.out.push(' ');
            }),
            scalar => self.yaml_scalar(scalar),
        }
    }

    fn yaml_scalar(&mut self, value: &Value) {
        match value {
            Value::Null => self.token("null"),
            Value::Bool(value) => self.token(if *value { "true" } else { "false" }),
            Value::Number(value) => self.token(&value.to_string()),
            Value::Text(text) => {
                if self.choose(4) == 0 {
                    self.out.push_str("&anchor ");
                }
                let tag = if self.choose(4) == 0 { "!Sub " } else { "" };
                let plain = text.chars().all(|c| c.is_alphanumeric() || c == '/')
                    && text.starts_with(|c: char| c.is_alphabetic())
                    && !matches!(text.as_str(), "null" | "true" | "false");
                let written = match self.choose(3) {
                    0 if plain => text.clone(),
                    1 => format!("'{}'", text.replace('\'', "''")),
                    _ => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
                };
                self.token(&format!("{tag}{written}"));
            }
            _ => unreachable!("collections are written elsewhere"),
        }
    }

    /// A value behind a key or a dash: on the same line, or below with more indent.
    fn yaml_block(&mut self, value: &Value, indent: usize) {
        match value {
            Value::List(items) if !items.is_empty() && self.choose(3) > 0 => {
                for item in items {
                    self.new_line(indent);
                    self.out.push_str("- ");
                    self.yaml_block(item, indent + 2);
                }
            }
            Value::Object(entries) if !entries.is_empty() && self.choose(3) > 0 => {
                for (key, value) in entries {
                    self.new_line(indent);
                    self.token(key);
                    self.out.push_str(": ");
                    self.yaml_block(value, indent + 2);
                }
            }
            other => {
                self.yaml_flow(other);
                if self.choose(4) == 0 {
                    self.out.push_str(" # 😀 comment");
                }
            }
        }
    }

    fn new_line(&mut self, indent: usize) {
        self.out.push_str(self.line_end);
        if self.choose(6) == 0 {
            self.out.push_str("# é: {");
            self.out.push_str(self.line_end);
        }
        self.out.push_str(&" ".repeat(indent));
    }
}

/// What the reader gives for the same tokens, in the same order.
fn tokens_of(text: &str, node: Node<'_>, out: &mut Vec<String>) {
    let written = node.written();
    if node.is_mapping() {
        if written.starts_with('{') {
            out.push(written.to_owned());
        }
        for member in node.members() {
            out.push(member.key_range.of(text).to_owned());
            tokens_of(text, member.value, out);
            let inside = node.range().cover(member.value.range()).cover(member.key_range);
            assert_eq!(inside, node.range(), "a member lies outside of its object");
        }
    } else if node.is_sequence() {
        if written.starts_with('[') {
            out.push(written.to_owned());
        }
        for item in node.items() {
            tokens_of(text, item, out);
            let inside = node.range().cover(item.range());
            assert_eq!(inside, node.range(), "an item lies outside of its list");
        }
    } else {
        out.push(written.to_owned());
    }
}

fn check(document: &str, expected: &[String]) {
    let source: Source<'_> = read("document", document.as_bytes());
    let tree = source
        .tree
        .as_ref()
        .unwrap_or_else(|| panic!("{document}\n{:?}", source.problems));
    let root = tree.root_nodes().next().unwrap();
    let mut found = Vec::new();
    tokens_of(source.text, root, &mut found);
    assert_eq!(found, expected, "{document}");
}

proptest! {
    #[test]
    fn json_ranges_slice_their_tokens(
        value in value(), choices in prop::collection::vec(any::<u8>(), 1..64),
        crlf: bool, bom: bool,
    ) {
        let mut writer = Writer::new(&choices, if crlf { "\r\n" } else { "\n" });
        if bom {
            writer.out.push('\u{FEFF}');
        }
        writer.bracketed('[', ']', &[value], Writer::json);
        check(&writer.out, &writer.tokens);
    }

    #[test]
    fn yaml_ranges_slice_their_tokens(
        value in value(), choices in prop::collection::vec(any::<u8>(), 1..64),
        crlf: bool, bom: bool,
    ) {
        let mut writer = Writer::new(&choices, if crlf { "\r\n" } else { "\n" });
        if bom {
            writer.out.push('\u{FEFF}');
        }
        writer.token("root");
        writer.out.push_str(": ");
        writer.yaml_block(&value, 2);
        writer.out.push_str(writer.line_end);
        check(&writer.out, &writer.tokens);
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
        let _ = read("document", &bytes);
    }

    #[test]
    fn any_text_of_brackets_is_read_without_panic(text in "[\\[\\]{}:,\"'#&*!|>%@`a \\n-]{0,80}") {
        let _ = read("document", text.as_bytes());
    }
}
