//! Makes unrendered templates readable: template words outside strings become strings of the same
//! length, template blocks become white space. Every byte offset stays what it was.

use super::TextRange;
use super::blocks::{Block, BlockKind, LONGEST_EXPRESSION, balanced_end, block};
use super::tree::Arm;

/// The masked text and where template words stood; both as long and where they were in the original.
#[derive(Default)]
pub(crate) struct Masked {
    pub(crate) text: String,
    pub(crate) holes: Vec<TextRange>,
    /// What stands between the tags of conditions.
    pub(crate) arms: Vec<Arm>,
}

impl Masked {
    /// The places in a text with `base` bytes in front.
    pub(super) fn shifted(mut self, base: usize) -> Self {
        let arms = self.arms.iter_mut().map(|arm| &mut arm.range);
        for range in self.holes.iter_mut().chain(arms) {
            *range = TextRange::new(range.start + base, range.end + base);
        }
        self
    }
}

/// Whether a range has a byte of a hole in it; holes come in the order of the text.
pub(super) fn touches(holes: &[TextRange], range: TextRange) -> bool {
    let next = holes.partition_point(|hole| hole.end <= range.start);
    holes.get(next).is_some_and(|hole| hole.start < range.end)
}

/// Masks JSON: `{{command}}`, `${cpu}`, `$PORT`, `<NAME>`, `FAMILY` where a value should stand.
pub(crate) fn mask_json(text: &str) -> Masked {
    mask_json_words(text, false)
}

/// The same where words on a line of their own stand for members of an object, and so for nothing here.
pub(crate) fn mask_json_members(text: &str) -> Masked {
    mask_json_words(text, true)
}

fn mask_json_words(text: &str, members: bool) -> Masked {
    let mut masker = Masker::new(text);
    let mut around = Vec::new();
    while let Some(byte) = masker.peek() {
        if members && matches!(byte, b'{' | b'$') && around.last() == Some(&b'{') && masker.member_word() {
            continue;
        }
        match byte {
            b'{' | b'[' if members && !masker.starts_with("{{") && !masker.starts_with("{%") => {
                around.push(byte);
                masker.at += 1;
            }
            b'}' | b']' if members => {
                around.pop();
                masker.at += 1;
            }
            b'"' => masker.string(),
            b'/' if masker.starts_with("//") => masker.skip_line(),
            b'/' if masker.starts_with("/*") => masker.skip_to("*/"),
            b'{' | b'%' if masker.choice_of_values() => {}
            b'{' | b'%' if masker.template_block() => {}
            b'{' if masker.starts_with("{{") && masker.template_end().is_some() => masker.word(),
            b'{' | b'}' | b'[' | b']' | b',' | b':' | b'-' | b'+' | b'\'' | b'.' => masker.at += 1,
            b'0'..=b'9' => masker.skip_plain_word(),
            _ if byte.is_ascii_whitespace() => masker.at += 1,
            _ => masker.word(),
        }
    }
    masker.finish()
}

/// Masks YAML: `{{ name }}` where a plain value begins, quotes in other expressions, `{% if %}` blocks anywhere.
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
        if before.ends_with(':') && masker.choice_of_values() || masker.template_block() {
            continue;
        }
        let Some(end) = masker.template_end().filter(|_| masker.starts_with("{{")) else {
            masker.at += 1;
            continue;
        };
        let alone = before.is_empty()
            && text[end..]
                .lines()
                .next()
                .is_none_or(|rest| rest.trim().is_empty());
        let a_value_is_due = || text[..line_start].trim_end().ends_with([':', '-']);
        if alone && !a_value_is_due() {
            masker.blank(end);
        } else if value_begins {
            masker.plain_word(end);
        } else {
            masker.quiet(end);
        }
    }
    masker.finish()
}

struct Masker<'t> {
    text: &'t str,
    bytes: &'t [u8],
    out: Vec<u8>,
    at: usize,
    holes: Vec<TextRange>,
    arms: Vec<Arm>,
    open: Vec<OpenBlock>,
    /// Where each closing mark comes next, as far as it was looked for: a text of opening marks only
    /// is searched once, not once for each of them.
    closes: [(&'static str, usize); 6],
}

/// A condition whose end has not come yet, or a loop.
struct OpenBlock {
    /// Conditions of the arms before this one, which do not hold in it.
    before: Vec<(String, bool)>,
    /// The arm's own condition; `None` after `else`.
    own: Option<String>,
    start: usize,
    is_condition: bool,
}

impl<'t> Masker<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            out: text.as_bytes().to_vec(),
            at: 0,
            holes: Vec::new(),
            arms: Vec::new(),
            open: Vec::new(),
            closes: [("}}", 0), ("%}", 0), ("#}", 0), ("}", 0), (")", 0), (">", 0)],
        }
    }

    fn finish(self) -> Masked {
        Masked {
            text: String::from_utf8(self.out)
                .expect("whole characters were replaced by ASCII of the same length"),
            holes: self.holes,
            arms: self.arms,
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

    /// A string in double quotes; the quotes of expressions in it do not end it.
    fn string(&mut self) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            match byte {
                b'\\' => self.at += 2,
                b'"' | b'\n' => {
                    self.at += 1;
                    break;
                }
                b'{' | b'$' | b'%' => match self.expression_end() {
                    Some(end) => self.quiet(end),
                    None => self.at += 1,
                },
                _ => self.at += 1,
            }
        }
        self.at = self.at.min(self.bytes.len());
    }

    /// Where the `{{ … }}`, `${ … }`, `{% … %}` or `%{ … }` that begins here ends.
    fn expression_end(&mut self) -> Option<usize> {
        let (open, close) = [("{{", "}}"), ("${", "}"), ("{%", "%}"), ("%{", "}")]
            .into_iter()
            .find(|(open, _)| self.starts_with(open))?;
        self.next_close(close, self.at + open.len())?;
        Some(self.at + balanced_end(&self.text[self.at..], open, close)?)
    }

    /// Blanks a word that stands on a line of its own, with its comma, unless it is a value. Says whether one
    /// stood here.
    fn member_word(&mut self) -> bool {
        let before = self.text[..self.at].trim_end();
        let line = self.text[..self.at].rfind('\n').map_or(0, |line| line + 1);
        if before.len() > line || before.ends_with(':') {
            return false;
        }
        let Some(end) = self.expression_end() else {
            return false;
        };
        let rest = self.text[end..].lines().next().unwrap_or("");
        let comma = match rest.trim() {
            "" => 0,
            "," => rest.find(',').map_or(0, |at| at + 1),
            _ => return false,
        };
        self.blank(end + comma);
        true
    }

    /// Goes behind an expression inside a text and hides what would end the text.
    fn quiet(&mut self, end: usize) {
        let mut hidden = false;
        for byte in &mut self.out[self.at..end] {
            if matches!(byte, b'"' | b'\'' | b'\\' | b'#' | b':' | b'\n' | b'\r') {
                *byte = b'_';
                hidden = true;
            }
        }
        if hidden {
            self.holes.push(TextRange::new(self.at, end));
        }
        self.at = end;
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

    /// Blanks `{% … %}`, `{# … #}`, `%{ … }` and the mustache and Go blocks (`{{#if}}`, `{{ end }}`). Says
    /// whether one stood here.
    fn template_block(&mut self) -> bool {
        let Some(found) = self.block_here() else {
            return false;
        };
        let start = self.at;
        self.blank(start + found.len);
        self.nest(found, start);
        true
    }

    fn block_here(&mut self) -> Option<Block<'t>> {
        let close = match self.bytes.get(self.at..self.at + 2)? {
            b"{%" => "%}",
            b"{#" => "#}",
            b"%{" => "}",
            b"{{" => "}}",
            _ => return None,
        };
        self.next_close(close, self.at + 2)?;
        block(&self.text[self.at..])
    }

    /// Keeps account of what stands between the tags of a condition.
    fn nest(&mut self, block: Block<'t>, start: usize) {
        let end = start + block.len;
        match block.kind {
            BlockKind::Alone => {}
            BlockKind::If(condition) if self.open.len() < MOST_NESTED => self.open.push(OpenBlock {
                before: Vec::new(),
                own: Some(shorten(condition)),
                start: end,
                is_condition: true,
            }),
            BlockKind::If(_) | BlockKind::Opens => self.open.push(OpenBlock {
                before: Vec::new(),
                own: None,
                start: end,
                is_condition: false,
            }),
            BlockKind::ElseIf(_) | BlockKind::Else => {
                let Some(mut open) = self.open.pop() else {
                    return;
                };
                self.close(&open, start);
                if let Some(own) = open.own.take()
                    && open.before.len() < MOST_ARMS
                {
                    open.before.push((own, false));
                }
                if let BlockKind::ElseIf(condition) = block.kind {
                    open.own = Some(shorten(condition));
                }
                open.start = end;
                self.open.push(open);
            }
            BlockKind::End => {
                if let Some(open) = self.open.pop() {
                    self.close(&open, start);
                }
            }
        }
    }

    fn close(&mut self, open: &OpenBlock, end: usize) {
        if open.is_condition && self.arms.len() < MOST_CONDITIONS {
            let own = open.own.iter().map(|own| (own.clone(), true));
            self.arms.push(Arm {
                range: TextRange::new(open.start, end),
                when: open.before.iter().cloned().chain(own).collect(),
            });
        }
    }

    /// Turns `{% if x %}"a"{% else %}"b"{% endif %}` in the place of one value into a JSON string of the same
    /// length. Says whether one stood here.
    fn choice_of_values(&mut self) -> bool {
        let start = self.at;
        if !self.text[..start].trim_end().ends_with(':') {
            return false;
        }
        let Some(Block {
            kind: BlockKind::If(_),
            ..
        }) = self.block_here()
        else {
            return false;
        };
        let mut depth = 0usize;
        let mut at = start;
        while at < start + LONGEST_EXPRESSION {
            let Some(found) = self.text[at..].find(['{', '%']) else {
                return false;
            };
            at += found;
            let Some(found) = block(&self.text[at..]) else {
                at += 1;
                continue;
            };
            at += found.len;
            match found.kind {
                BlockKind::If(_) | BlockKind::Opens => depth += 1,
                BlockKind::End => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        if depth > 0 || self.text[start..at].contains('\n') {
            return false;
        }
        self.fill(start, at, b'_');
        self.out[start] = b'"';
        self.out[at - 1] = b'"';
        self.holes.push(TextRange::new(start, at));
        self.at = at;
        true
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

    fn blank(&mut self, end: usize) {
        self.holes.push(TextRange::new(self.at, end));
        for byte in &mut self.out[self.at..end] {
            if !matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
        self.at = end;
    }

    /// Where the template word that begins here ends.
    fn template_end(&mut self) -> Option<usize> {
        if self.starts_with("{{") || self.starts_with("${") {
            return self.expression_end();
        }
        let (open, close) = [("$(", ")"), ("<", ">")]
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

/// Conditions nested deeper than this, and arms of one condition beyond this, are not told apart.
const MOST_NESTED: usize = 64;
const MOST_ARMS: usize = 16;
const MOST_CONDITIONS: usize = 1000;

/// A condition as it may be quoted.
fn shorten(condition: &str) -> String {
    super::json::shorten(condition)
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
    fn words_in_the_place_of_members_become_white_space() {
        let masked = |text: &str| mask_json_members(text).text;
        let text = "{\"a\": ${b},\n ${c}\n \"d\": [\n ${e}\n ]\n {{ f }},\n}";
        let wanted = "{\"a\": \"__\",\n     \n \"d\": [\n \"__\"\n ]\n         \n}";
        assert_eq!(masked(text), wanted);
        assert_eq!(masked("{\"a\":\n ${b}\n}"), "{\"a\":\n \"__\"\n}");
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
            for masked in [mask_json(&text), mask_json_members(&text), mask_yaml(&text)] {
                prop_assert_eq!(masked.text.len(), text.len());
                for hole in masked.holes {
                    prop_assert!(text.get(hole.start..hole.end).is_some());
                }
            }
        }
    }
}
