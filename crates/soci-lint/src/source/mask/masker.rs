//! A text on its way to being masked: what is behind is done.

use super::Masked;
use super::conditions::OpenBlock;
use crate::source::TextRange;
use crate::source::blocks::{LONGEST_EXPRESSION, balanced_end};
use crate::source::tree::{Arm, LoopRange};

pub(super) struct Masker<'t> {
    pub(super) text: &'t str,
    pub(super) bytes: &'t [u8],
    pub(super) out: Vec<u8>,
    pub(super) at: usize,
    pub(super) holes: Vec<TextRange>,
    pub(super) arms: Vec<Arm>,
    pub(super) loops: Vec<LoopRange>,
    pub(super) open: Vec<OpenBlock>,
    /// Where each closing mark comes next, as far as it was looked for: a text of opening marks only
    /// is searched once, not once for each of them.
    closes: [(&'static str, usize); 6],
}

impl<'t> Masker<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            out: text.as_bytes().to_vec(),
            at: 0,
            holes: Vec::new(),
            arms: Vec::new(),
            loops: Vec::new(),
            open: Vec::new(),
            closes: [("}}", 0), ("%}", 0), ("#}", 0), ("}", 0), (")", 0), (">", 0)],
        }
    }

    pub(super) fn finish(self) -> Masked {
        Masked {
            text: String::from_utf8(self.out)
                .expect("whole characters were replaced by ASCII of the same length"),
            holes: self.holes,
            arms: self.arms,
            loops: self.loops,
        }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) fn starts_with(&self, prefix: &str) -> bool {
        self.bytes[self.at..].starts_with(prefix.as_bytes())
    }

    pub(super) fn find_brace(&self) -> Option<usize> {
        let rest = self.bytes.get(self.at..)?;
        let found = rest
            .windows(2)
            .position(|pair| pair[0] == b'{' && matches!(pair[1], b'{' | b'%' | b'#'))?;
        Some(self.at + found)
    }

    /// A string in double quotes; the quotes of expressions in it do not end it.
    pub(super) fn string(&mut self) {
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
    pub(super) fn member_word(&mut self) -> bool {
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
    pub(super) fn quiet(&mut self, end: usize) {
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

    pub(super) fn skip_line(&mut self) {
        while self.peek().is_some_and(|byte| byte != b'\n') {
            self.at += 1;
        }
    }

    pub(super) fn skip_to(&mut self, end: &str) {
        self.at = match self.text[self.at..].find(end) {
            Some(found) => self.at + found + end.len(),
            None => self.bytes.len(),
        };
    }

    /// `true`, `12`, `null`: what JSON knows without quotes.
    pub(super) fn skip_plain_word(&mut self) {
        while self
            .peek()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-'))
        {
            self.at += 1;
        }
    }

    /// Where `close` comes next, if it comes soon.
    pub(super) fn next_close(&mut self, close: &str, from: usize) -> Option<usize> {
        let known = self.closes.iter_mut().find(|(known, _)| *known == close)?;
        if known.1 < from {
            let rest = self.text.get(from..)?;
            known.1 = rest.find(close).map_or(usize::MAX, |found| from + found);
        }
        (known.1 < from + LONGEST_EXPRESSION).then_some(known.1)
    }

    pub(super) fn blank(&mut self, end: usize) {
        self.holes.push(TextRange::new(self.at, end));
        for byte in &mut self.out[self.at..end] {
            if !matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
        self.at = end;
    }

    /// Where the template word that begins here ends.
    pub(super) fn template_end(&mut self) -> Option<usize> {
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
    pub(super) fn word(&mut self) {
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
    pub(super) fn plain_word(&mut self, end: usize) {
        self.holes.push(TextRange::new(self.at, end));
        self.fill(self.at, end, b'_');
        self.at = end;
    }

    pub(super) fn fill(&mut self, start: usize, end: usize, with: u8) {
        self.out[start..end].fill(with);
    }
}
