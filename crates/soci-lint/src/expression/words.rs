//! Words of template languages inside a value: `{{ env "TAG" }}`, `${TAG}`, `$TAG`, `<IMAGE1_NAME>`, `%s`,
//! and both ways of `{% if x %}a{% else %}b{% endif %}`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::form::Part;
use super::value::{Hole, Symbolic};
use crate::source::{Block, BlockKind, balanced_end, block};

/// The parts of a value with words in it; words named in `params` are filled in. `None` without any.
///
/// `bare` says that no quotes stand around the value, so that the ways of a condition may have their own.
pub(crate) fn parts<'t>(
    text: &'t str,
    params: &BTreeMap<String, String>,
    bare: bool,
) -> Option<Vec<Part<'t>>> {
    const MARKS: [char; 7] = ['{', '$', '<', '%', '@', '_', '#'];
    if text.len() > LONGEST || !text.contains(MARKS) {
        return None;
    }
    let mut out = Vec::new();
    let mut rest = text;
    let mut literal = 0;
    while let Some(at) = rest[literal..].find(MARKS).map(|at| literal + at) {
        let tail = &rest[at..];
        let found = choice(tail, params, bare)
            .or_else(|| word(tail).map(|word| (word.len, Part::Word(fill(&tail[..word.len], word, params)))));
        let Some((len, part)) = found else {
            literal = at + tail.chars().next().map_or(1, char::len_utf8);
            continue;
        };
        if at > 0 {
            out.push(Part::Text(Cow::Borrowed(&rest[..at])));
        }
        out.push(part);
        rest = &rest[at + len..];
        literal = 0;
    }
    if out.is_empty() && !text.contains("{{") {
        return None;
    }
    out.push(Part::Text(Cow::Borrowed(rest)));
    Some(out)
}

/// ECS takes images of 255 characters; longer values are not looked into.
const LONGEST: usize = 2048;

/// `{% if c %}a{% elif d %}b{% else %}c{% endif %}` and its relatives, within one value.
fn choice<'t>(text: &'t str, params: &BTreeMap<String, String>, bare: bool) -> Option<(usize, Part<'t>)> {
    let first = block(text)?;
    let BlockKind::If(condition) = first.kind else {
        return None;
    };
    arms(text, first.len, condition, params, bare, 0)
}

/// The way that begins at `from` and the others behind it, and where the last of them is closed.
fn arms<'t>(
    text: &'t str,
    from: usize,
    condition: &'t str,
    params: &BTreeMap<String, String>,
    bare: bool,
    depth: usize,
) -> Option<(usize, Part<'t>)> {
    let inner = |from: usize, to: usize| {
        let mut arm = text[from..to].trim();
        if bare {
            arm = arm.trim_end_matches(',').trim_end();
            let unquoted = |quote| arm.strip_prefix(quote)?.strip_suffix(quote);
            arm = unquoted('"').or_else(|| unquoted('\'')).unwrap_or(arm);
        }
        parts(arm, params, bare).unwrap_or_else(|| vec![Part::Text(Cow::Borrowed(arm))])
    };
    let (at, tag) = next_arm(text, from)?;
    let behind = at + tag.len;
    let (end, no) = match tag.kind {
        BlockKind::End => (behind, Vec::new()),
        BlockKind::ElseIf(condition) if depth < MAX_ARMS => {
            let (end, part) = arms(text, behind, condition, params, bare, depth + 1)?;
            (end, vec![part])
        }
        BlockKind::Else => {
            let (end, last) = next_arm(text, behind)?;
            matches!(last.kind, BlockKind::End).then_some((end + last.len, inner(behind, end)))?
        }
        _ => return None,
    };
    let part = Part::Choice {
        label: Cow::Borrowed(condition),
        yes: inner(from, at),
        no,
    };
    Some((end, part))
}

/// Ways of one condition.
const MAX_ARMS: usize = 16;

/// The next tag that belongs to the condition whose way begins at `from`, past those of others inside it.
fn next_arm(text: &str, from: usize) -> Option<(usize, Block<'_>)> {
    let mut inside = 0usize;
    let mut at = from;
    while let Some(found) = text.get(at..)?.find(['{', '%']) {
        at += found;
        let Some(block) = block(&text[at..]) else {
            at += 1;
            continue;
        };
        match block.kind {
            BlockKind::If(_) | BlockKind::For(_) | BlockKind::Opens => inside += 1,
            BlockKind::End if inside > 0 => inside -= 1,
            BlockKind::Alone => {}
            _ if inside == 0 => return Some((at, block)),
            _ => {}
        }
        at += block.len;
    }
    None
}

#[derive(Clone, Copy)]
struct Word<'t> {
    len: usize,
    /// The name inside, where the word is just a name.
    name: Option<&'t str>,
}

fn word(text: &str) -> Option<Word<'_>> {
    // CloudFormation looks these up; what they are is seen when the parts are joined.
    if text.starts_with("{{resolve:") {
        return None;
    }
    for (open, close) in [
        ("{{", "}}"),
        ("${", "}"),
        ("#{", "}"),
        ("{%", "%}"),
        ("%{", "}"),
        ("{#", "#}"),
    ] {
        if text.starts_with(open) {
            let len = balanced_end(text, open, close)?;
            return Some(rendered((&text[open.len()..len - close.len()], len)));
        }
    }
    if text.starts_with("$(") {
        return between(text, "$(", ")").map(rendered);
    }
    if text.starts_with('<') {
        return between(text, "<", ">").map(rendered);
    }
    if text.starts_with("@@") {
        return between(text, "@@", "@@").map(rendered);
    }
    if text.starts_with("__") {
        let found = between(text, "__", "__").filter(|(inner, _)| is_constant(inner));
        return found.map(rendered);
    }
    if let Some(name) = text.strip_prefix('$') {
        let len = name
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(name.len());
        return (len > 0).then(|| Word {
            len: len + 1,
            name: Some(&name[..len]),
        });
    }
    if text.starts_with("%s") {
        return Some(Word { len: 2, name: None });
    }
    if text.starts_with('%') {
        return between(text, "%", "%")
            .filter(|(inner, _)| is_name(inner))
            .map(rendered);
    }
    if text.starts_with('{') {
        return between(text, "{", "}")
            .filter(|(inner, _)| is_name(inner))
            .map(rendered);
    }
    None
}

/// What stands between `open` and the next `close` on one line, and the length of all of it.
fn between<'t>(text: &'t str, open: &str, close: &str) -> Option<(&'t str, usize)> {
    let inner = text.strip_prefix(open)?;
    let end = inner.find(close)?;
    let inner = &inner[..end];
    (!inner.contains('\n')).then_some((inner, open.len() + end + close.len()))
}

fn rendered((inner, len): (&str, usize)) -> Word<'_> {
    let name = inner.trim().trim_start_matches('.');
    Word {
        len,
        name: is_name(name).then_some(name),
    }
}

fn fill(written: &str, word: Word<'_>, params: &BTreeMap<String, String>) -> Symbolic {
    if let Some(value) = word.name.and_then(|name| params.get(name)) {
        return Symbolic::text(value.clone());
    }
    let shown = written.split_whitespace().collect::<Vec<_>>().join(" ");
    let help = match word.name {
        Some(name) => format!("lint the rendered file, or pass `--param {name}=…`"),
        None => "lint the rendered file".to_owned(),
    };
    Hole::new(written, format!("`{shown}` is filled in by a template"), help).into()
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

fn is_constant(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase())
        && text
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// A value with its words, as one text; of a condition the first way.
#[cfg(test)]
pub(crate) fn lex(text: &str, params: &BTreeMap<String, String>) -> Symbolic {
    let Some(parts) = parts(text, params, false) else {
        return Symbolic::text(text);
    };
    let mut out = Symbolic::default();
    for part in parts {
        match part {
            Part::Text(text) => out.append(&Symbolic::text(text)),
            Part::Word(word) => out.append(&word),
            Part::Choice { label, .. } => out.append(&Symbolic::hole(&label, "", "")),
            Part::Expr(_) | Part::Reference(_) | Part::If { .. } | Part::Loop(..) => {
                unreachable!("words are none")
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::value::Piece;
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> Vec<String> {
        lex(text, &BTreeMap::new())
            .pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Hole(hole) => format!("?{}", hole.written),
                Piece::Pseudo(_) | Piece::Shaped(_) => unreachable!("words are no pseudo parameters"),
            })
            .collect()
    }

    #[test]
    fn words_of_every_template_language_are_found() {
        assert_eq!(shown("nginx:{{ env `V` }}"), ["nginx:", "?{{ env `V` }}"]);
        assert_eq!(shown("{{ a \"}}\" }}:1"), ["?{{ a \"}}\" }}", ":1"]);
        assert_eq!(shown("$A/$B:${C}"), ["?$A", "/", "?$B", ":", "?${C}"]);
        assert_eq!(shown("${a[\"}\"]}:1"), ["?${a[\"}\"]}", ":1"]);
        assert_eq!(shown("#{A}.x"), ["?#{A}", ".x"]);
        assert_eq!(shown("<IMAGE1_NAME>"), ["?<IMAGE1_NAME>"]);
        assert_eq!(shown("%s.dkr.ecr.%s.x"), ["?%s", ".dkr.ecr.", "?%s", ".x"]);
        assert_eq!(shown("__IMAGE__:1"), ["?__IMAGE__", ":1"]);
        assert_eq!(shown("a/b__c:1"), ["a/b__c:1"]);
    }

    #[test]
    fn named_words_are_filled_in() {
        let params = BTreeMap::from([("TAG".to_owned(), "7".to_owned())]);
        assert_eq!(lex("app:${TAG}", &params).known().as_deref(), Some("app:7"));
        assert_eq!(lex("app:{{ .TAG }}", &params).known().as_deref(), Some("app:7"));
    }

    #[test]
    fn both_ways_of_a_condition_are_seen() {
        for text in [
            "{% if c %}a{% else %}b{% endif %}:1",
            "{%- if c -%}a{%- else -%}b{%- endif -%}:1",
            "%{ if c }a%{ else }b%{ endif }:1",
            "%{ if c ~}a%{ else ~}b%{ endif ~}:1",
            "{{ if c }}a{{ else }}b{{ end }}:1",
            "{{#if c}}a{{else}}b{{/if}}:1",
        ] {
            let found = parts(text, &BTreeMap::new(), false).expect("a condition");
            let Part::Choice { label, yes, no } = &found[0] else {
                panic!("{text}");
            };
            assert_eq!(label, "c", "{text}");
            for (arm, wanted) in [(yes, "a"), (no, "b")] {
                assert!(matches!(&arm[0], Part::Text(text) if text == wanted), "{text}");
            }
            assert!(matches!(&found[1], Part::Text(text) if text == ":1"));
        }
    }

    #[test]
    fn every_way_of_a_chain_is_seen() {
        for text in [
            "{% if a %}x{% elif b %}y{% else %}z{% endif %}",
            "{{ if a }}x{{ else if b }}y{{ else }}z{{ end }}",
            "{% if a %}x{% else %}{% if b %}y{% else %}z{% endif %}{% endif %}",
        ] {
            let found = parts(text, &BTreeMap::new(), false).expect("a condition");
            let mut seen = Vec::new();
            let mut left: Vec<&Part<'_>> = found.iter().collect();
            while let Some(part) = left.pop() {
                match part {
                    Part::Text(text) if !text.is_empty() => seen.push(text.to_string()),
                    Part::Choice { yes, no, .. } => left.extend(yes.iter().chain(no)),
                    _ => {}
                }
            }
            seen.sort();
            assert_eq!(seen, ["x", "y", "z"], "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost(text in "[a-z{}$<>_@()/: A-Z]{0,40}") {
            prop_assert_eq!(lex(&text, &BTreeMap::new()).display(), text);
        }
    }
}
