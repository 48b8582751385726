//! Template words inside a value: `{{ env "TAG" }}`, `${TAG}`, `$TAG`, `<IMAGE1_NAME>`, `%s`, `{{resolve:ssm:…}}`.

use std::collections::BTreeMap;

use super::value::{Piece, Symbolic};

/// Splits a value into literal text and template words; words named in `params` are filled in.
pub(crate) fn lex(text: &str, params: &BTreeMap<String, String>) -> Symbolic {
    let mut out = Symbolic::default();
    if text.len() > LONGEST {
        return Symbolic::text(text);
    }
    let mut rest = text;
    while let Some(at) = rest.find(['{', '$', '<', '%', '@', '_']) {
        let (before, tail) = rest.split_at(at);
        out.append(&Symbolic::text(before));
        match word(tail) {
            Some(word) => {
                out.append(&fill(&tail[..word.len], word, params));
                rest = &tail[word.len..];
            }
            None => {
                let step = tail.chars().next().map_or(1, char::len_utf8);
                out.append(&Symbolic::text(&tail[..step]));
                rest = &tail[step..];
            }
        }
    }
    out.append(&Symbolic::text(rest));
    out
}

/// ECS takes images of 255 characters; longer values are not looked into.
const LONGEST: usize = 1024;

#[derive(Clone, Copy)]
struct Word<'t> {
    len: usize,
    /// The name inside, where the word is just a name.
    name: Option<&'t str>,
    kind: WordKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum WordKind {
    Rendered,
    Resolve,
}

fn word(text: &str) -> Option<Word<'_>> {
    if text.starts_with("{{resolve:") {
        let (_, len) = between(text, "{{", "}}")?;
        return Some(Word {
            len,
            name: None,
            kind: WordKind::Resolve,
        });
    }
    if text.starts_with("{{") {
        return between(text, "{{", "}}").map(rendered);
    }
    if text.starts_with("${") {
        return between(text, "${", "}").map(rendered);
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
            kind: WordKind::Rendered,
        });
    }
    if text.starts_with("%s") {
        return Some(Word {
            len: 2,
            name: None,
            kind: WordKind::Rendered,
        });
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
    // Only double braces go over lines.
    (open == "{{" || !inner.contains('\n')).then_some((inner, open.len() + end + close.len()))
}

fn rendered((inner, len): (&str, usize)) -> Word<'_> {
    let name = inner.trim().trim_start_matches('.');
    Word {
        len,
        name: is_name(name).then_some(name),
        kind: WordKind::Rendered,
    }
}

fn fill(written: &str, word: Word<'_>, params: &BTreeMap<String, String>) -> Symbolic {
    if let Some(value) = word.name.and_then(|name| params.get(name)) {
        return Symbolic::text(value.clone());
    }
    if word.kind == WordKind::Resolve {
        return Symbolic::hole(
            written,
            format!("`{written}` is looked up when the stack is deployed"),
            "pass the image through a parameter to have it judged here",
        );
    }
    let shown = written.split_whitespace().collect::<Vec<_>>().join(" ");
    let help = match word.name {
        Some(name) => format!("lint the rendered file, or pass `--param {name}=…`"),
        None => "lint the rendered file".to_owned(),
    };
    Symbolic::hole(written, format!("`{shown}` is filled in by a template"), help)
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

/// Whether any piece is open.
pub(crate) fn has_words(text: &str) -> bool {
    lex(text, &BTreeMap::new())
        .pieces
        .iter()
        .any(|piece| !matches!(piece, Piece::Text(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> Vec<String> {
        lex(text, &BTreeMap::new())
            .pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Hole(hole) => format!("?{}", hole.written),
                Piece::Pseudo(_) => unreachable!("words are no pseudo parameters"),
            })
            .collect()
    }

    #[test]
    fn words_of_every_template_language_are_found() {
        assert_eq!(shown("nginx:{{ env `V` }}"), ["nginx:", "?{{ env `V` }}"]);
        assert_eq!(shown("$A/$B:${C}"), ["?$A", "/", "?$B", ":", "?${C}"]);
        assert_eq!(shown("<IMAGE1_NAME>"), ["?<IMAGE1_NAME>"]);
        assert_eq!(shown("%s.dkr.ecr.%s.x"), ["?%s", ".dkr.ecr.", "?%s", ".x"]);
        assert_eq!(shown("__IMAGE__:1"), ["?__IMAGE__", ":1"]);
        assert_eq!(shown("a/b__c:1"), ["a/b__c:1"]);
        assert_eq!(shown("{{resolve:ssm:/x}}"), ["?{{resolve:ssm:/x}}"]);
    }

    #[test]
    fn named_words_are_filled_in() {
        let params = BTreeMap::from([("TAG".to_owned(), "7".to_owned())]);
        assert_eq!(lex("app:${TAG}", &params).known().as_deref(), Some("app:7"));
        assert_eq!(lex("app:{{ .TAG }}", &params).known().as_deref(), Some("app:7"));
    }

    proptest! {
        #[test]
        fn nothing_is_lost(text in "[a-z{}$<>%_@()/: A-Z]{0,40}") {
            prop_assert_eq!(lex(&text, &BTreeMap::new()).display(), text);
        }
    }
}
