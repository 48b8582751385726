//! Makes unrendered templates readable: template words outside strings become strings of the same
//! length, template blocks become white space. Every byte offset stays what it was.

use super::TextRange;

/// The masked text and where template words stood; both as long and where they were in the original.
pub(crate) struct Masked {
    pub(crate) text: String,
    pub(crate) holes: Vec<TextRange>,
}

/// Masks JSON: `{{command}}`, `${cpu}`, `$PORT`, `<NAME>`, `FAMILY` where a value should stand.
pub(crate) fn mask_json(text: &str) -> Masked {
    let mut masker = Masker::new(text);
    while let Some(byte) = masker.peek() {
        match byte {
            b'"' => masker.skip_string(),
            b'/' if masker.starts_with("//") => masker.skip_line(),
            b'/' if masker.starts_with("/*") => masker.skip_to("*/"),
            b'{' if masker.template_block() => {}
            b'{' if masker.starts_with("{{") && masker.template_end().is_some() => masker.word(),
            b'%' if masker.starts_with("%{") => masker.blank_to("}"),
            b'{' | b'}' | b'[' | b']' | b',' | b':' | b'-' | b'+' | b'\'' | b'.' => masker.at += 1,
            b'0'..=b'9' => masker.skip_plain_word(),
            _ if byte.is_ascii_whitespace() => masker.at += 1,
            _ => masker.word(),
        }
    }
    masker.finish()
}

/// Masks YAML: `{{ name }}` where a plain value begins, `{% if %}` blocks anywhere.
pub(crate) fn mask_yaml(text: &str) -> Masked {
    let mut masker = Masker::new(text);
    let mut line_start = 0;
    let mut looked_at = 0;
    while let Some(found) = masker.find_brace() {
        masker.at = found;
        if let Some(at) = text[looked_at..found].rfind('\n') {
            line_start = looked_at + at + 1;
        }
        looked_at = found;
        let before = text[line_start..found].trim_end_matches([' ', '\t']);
        let value_begins = before.is_empty() || before.ends_with([':', '-', ',', '[']);
        if masker.template_block() {
            continue;
        }
        match masker.template_end() {
            Some(end) if value_begins && masker.starts_with("{{") => masker.plain_word(end),
            _ => masker.at += 1,
        }
    }
    masker.finish()
}

/// A template expression longer than this is none.
const LONGEST_EXPRESSION: usize = 4096;

struct Masker<'t> {
    text: &'t str,
    bytes: &'t [u8],
    out: Vec<u8>,
    at: usize,
    holes: Vec<TextRange>,
    /// Where each closing mark comes next, as far as it was looked for: a text of opening marks only
    /// is searched once, not once for each of them.
    closes: [(&'static str, usize); 6],
}

impl<'t> Masker<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            out: text.as_bytes().to_vec(),
            at: 0,
            holes: Vec::new(),
            closes: ["}}", "%}", "#}", "}", ")", ">"].map(|close| (close, 0)),
        }
    }

    fn finish(self) -> Masked {
        Masked {
            text: String::from_utf8(self.out)
                .expect("whole characters were replaced by ASCII of the same length"),
            holes: self.holes,
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn starts_with(&self, prefix: &str) -> bool {
        self.bytes[self.at..].starts_with(prefix.as_bytes())
    }

    fn find_brace(&self) -> Option<usize> {
        let rest = self.bytes.get(self.at..)?;
        let found = rest
            .windows(2)
            .position(|pair| pair[0] == b'{' && matches!(pair[1], b'{' | b'%' | b'#'))?;
        Some(self.at + found)
    }

    fn skip_string(&mut self) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'\\' => self.at += 1,
                b'"' | b'\n' => break,
                _ => {}
            }
        }
        self.at = self.at.min(self.bytes.len());
    }

    fn skip_line(&mut self) {
        while self.peek().is_some_and(|byte| byte != b'\n') {
            self.at += 1;
        }
    }

    fn skip_to(&mut self, end: &str) {
        self.at = match self.text[self.at..].find(end) {
            Some(found) => self.at + found + end.len(),
            None => self.bytes.len(),
        };
    }

    /// `true`, `12`, `null`: what JSON knows without quotes.
    fn skip_plain_word(&mut self) {
        while self
            .peek()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-'))
        {
            self.at += 1;
        }
    }

    /// Blanks `{% … %}`, `{# … #}` and the mustache and Go blocks (`{{#if}}`, `{{ end }}`). Says whether one stood here.
    fn template_block(&mut self) -> bool {
        if self.starts_with("{%") {
            return self.blank_short("%}");
        }
        if self.starts_with("{#") {
            return self.blank_short("#}");
        }
        if !self.starts_with("{{") {
            return false;
        }
        let Some(end) = self.template_end() else {
            return false;
        };
        let inner = self.text[self.at + 2..end - 2]
            .trim_start_matches('-')
            .trim_start();
        let word = inner
            .split(|c: char| !c.is_ascii_alphabetic())
            .next()
            .unwrap_or("");
        let block = inner.starts_with(['#', '/', '^', '!', '>'])
            || matches!(word, "if" | "else" | "end" | "range" | "with" | "define");
        if block {
            self.blank(end);
        }
        block
    }

    fn blank_short(&mut self, end: &str) -> bool {
        match self.next_close(end, self.at + 2) {
            Some(found) => {
                self.blank(found + end.len());
                true
            }
            None => false,
        }
    }

    /// Where `close` comes next, if it comes soon.
    fn next_close(&mut self, close: &str, from: usize) -> Option<usize> {
        let known = self.closes.iter_mut().find(|(known, _)| *known == close)?;
        if known.1 < from {
            let rest = self.text.get(from..)?;
            known.1 = rest.find(close).map_or(usize::MAX, |found| from + found);
        }
        (known.1 < from + LONGEST_EXPRESSION).then_some(known.1)
    }

    fn blank_to(&mut self, end: &str) {
        if !self.blank_short(end) {
            self.at += 1;
        }
    }

    fn blank(&mut self, end: usize) {
        self.holes.push(TextRange::new(self.at, end));
        for byte in &mut self.out[self.at..end] {
            if !matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
        self.at = end;
    }

    /// Where the `{{ … }}` or `${ … }` that begins here ends.
    fn template_end(&mut self) -> Option<usize> {
        let (open, close) = [("{{", "}}"), ("${", "}"), ("$(", ")"), ("<", ">")]
            .into_iter()
            .find(|(open, _)| self.starts_with(open))?;
        let found = self.next_close(close, self.at + open.len())?;
        Some(found + close.len())
    }

    /// Turns the run of template text that begins here into a JSON string of the same length.
    fn word(&mut self) {
        let start = self.at;
        while let Some(byte) = self.peek() {
            if let Some(end) = self.template_end() {
                self.at = end;
            } else if byte.is_ascii_whitespace()
                || matches!(byte, b',' | b']' | b'}' | b'"' | b'[')
                || byte == b':' && self.at > start
            {
                break;
            } else {
                self.at += 1;
            }
        }
        let written = &self.text[start..self.at];
        let key = self.text[self.at..].trim_start().starts_with(':');
        if matches!(written, "true" | "false" | "null") || key && !written.contains(['{', '$', '<']) {
            return;
        }
        if written.len() < 2 {
            self.at = self.at.max(start + 1);
            return;
        }
        self.fill(start, self.at, b'_');
        self.out[start] = b'"';
        self.out[self.at - 1] = b'"';
        self.holes.push(TextRange::new(start, self.at));
    }

    /// Turns `{{ name }}` into plain YAML of the same length.
    fn plain_word(&mut self, end: usize) {
        self.holes.push(TextRange::new(self.at, end));
        self.fill(self.at, end, b'_');
        self.at = end;
    }

    fn fill(&mut self, start: usize, end: usize, with: u8) {
        self.out[start..end].fill(with);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn json(text: &str) -> String {
        mask_json(text).text
    }

    #[test]
    fn words_become_strings_of_the_same_length() {
        assert_eq!(json("[$PORT, {{cmd}}]"), "[\"___\", \"_____\"]");
        assert_eq!(json("{\"a\": ${a.b},}"), "{\"a\": \"____\",}");
        assert_eq!(json("{\"a\": FAMILY\n}"), "{\"a\": \"____\"\n}");
    }

    #[test]
    fn blocks_become_white_space() {
        assert_eq!(json("[{{#if x}}1{{/if}}]"), "[         1       ]");
        assert_eq!(json("[{% for %}\n1]"), "[         \n1]");
    }

    #[test]
    fn json_without_templates_stays() {
        let text = "{\"a{{b}}\": [true, null, -1.5e+3, \"\\\"${x}\"]} // $c";
        assert_eq!(json(text), text);
    }

    #[test]
    fn yaml_values_become_plain_and_quoted_ones_stay() {
        let text = "a: {{ x }}:latest\nb: \"{{ y }}\"\n{% if z %}\nc: 1\n";
        let masked = mask_yaml(text).text;
        assert_eq!(masked, "a: _______:latest\nb: \"{{ y }}\"\n          \nc: 1\n");
    }

    proptest! {
        #[test]
        fn lengths_and_line_ends_stay(text in "[{}%#<>$:,\"\\[\\]a-zé \n\\\\/*-]{0,200}") {
            for masked in [mask_json(&text), mask_yaml(&text)] {
                prop_assert_eq!(masked.text.len(), text.len());
                for hole in masked.holes {
                    prop_assert!(text.get(hole.start..hole.end).is_some());
                }
            }
        }
    }
}
