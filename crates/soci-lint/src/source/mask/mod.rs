//! Makes unrendered templates readable: template words outside strings become strings of the same
//! length, template blocks become white space. Every byte offset stays what it was.

mod conditions;
mod masker;

use super::TextRange;
use super::tree::{Arm, LoopRange};
use masker::Masker;

/// The masked text and where template words stood; both as long and where they were in the original.
#[derive(Default)]
pub(crate) struct Masked {
    pub(crate) text: String,
    pub(crate) holes: Vec<TextRange>,
    /// What stands between the tags of conditions.
    pub(crate) arms: Vec<Arm>,
    /// What stands between the tags of Terraform's loops.
    pub(crate) loops: Vec<LoopRange>,
}

impl Masked {
    /// The places in a text with `base` bytes in front.
    pub(super) fn shifted(mut self, base: usize) -> Self {
        let arms = self.arms.iter_mut().map(|arm| &mut arm.range);
        let loops = self.loops.iter_mut();
        let loops = loops.flat_map(|around| [&mut around.range, &mut around.head]);
        for range in self.holes.iter_mut().chain(arms).chain(loops) {
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
