//! Tags of template languages: `{% if x %}`, `{{ else }}`, `%{ endif }`, `{{#if x}}`, and where they end.

/// A tag that begins here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block<'t> {
    pub(crate) kind: BlockKind<'t>,
    pub(crate) len: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BlockKind<'t> {
    /// With its condition.
    If(&'t str),
    ElseIf(&'t str),
    Else,
    End,
    /// A loop of Terraform, with its head: `x in list`.
    For(&'t str),
    /// A loop, a definition: something that [`BlockKind::End`] closes.
    Opens,
    /// A comment, an assignment: nothing that needs closing.
    Alone,
}

/// The tag at the beginning of `text`, if one stands there.
pub(crate) fn block(text: &str) -> Option<Block<'_>> {
    let (open, close) = [("{%", "%}"), ("{#", "#}"), ("%{", "}"), ("{{", "}}")]
        .into_iter()
        .find(|(open, _)| text.starts_with(open))?;
    let len = balanced_end(text, open, close)?;
    if open == "{#" {
        let kind = BlockKind::Alone;
        return Some(Block { kind, len });
    }
    let inner = text[open.len()..len - close.len()]
        .trim_matches(['-', '~'])
        .trim();
    let sigil = inner.starts_with(['#', '/', '^', '!', '>']).then(|| &inner[..1]);
    let body = inner.trim_start_matches(['#', '/', '^', '!', '>']).trim_start();
    let word = body
        .split(|c: char| !c.is_ascii_alphabetic())
        .next()
        .unwrap_or("");
    let condition = body[word.len()..].trim();
    let kind = match (open, sigil, word) {
        ("{{", Some("!" | ">"), _) => BlockKind::Alone,
        ("{{", Some("/"), _) => BlockKind::End,
        ("{{", Some("^"), "") => BlockKind::Else,
        ("{{", Some("^"), _) => BlockKind::Opens,
        ("{{", Some("#"), "if") => BlockKind::If(condition),
        ("{{", Some("#"), _) => BlockKind::Opens,
        (_, _, "if") if !condition.is_empty() => BlockKind::If(condition),
        (_, _, "else") if condition.starts_with("if ") => BlockKind::ElseIf(condition[3..].trim()),
        (_, _, "elif" | "elsif") => BlockKind::ElseIf(condition),
        (_, _, "else") => BlockKind::Else,
        ("{{", _, "end") if condition.is_empty() => BlockKind::End,
        ("{{", _, "range" | "with" | "define" | "block") if !condition.is_empty() => BlockKind::Opens,
        ("{{", ..) => return None,
        ("%{", _, "for") => BlockKind::For(condition),
        (_, _, "for" | "block" | "macro" | "filter" | "call" | "raw" | "autoescape") => BlockKind::Opens,
        ("{%", _, _) if word.starts_with("end") => BlockKind::End,
        ("%{", _, "endif" | "endfor") => BlockKind::End,
        ("{%", ..) => BlockKind::Alone,
        _ => return None,
    };
    Some(Block { kind, len })
}

/// A template expression longer than this is none.
pub(super) const LONGEST_EXPRESSION: usize = 4096;

/// Where the expression that begins with `open` ends: behind the `close` that is in no string and in no
/// brackets of its own.
pub(crate) fn balanced_end(text: &str, open: &str, close: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let limit = bytes.len().min(LONGEST_EXPRESSION);
    let nests = matches!(open, "${" | "%{");
    let mut at = open.len();
    let mut depth = 0usize;
    let mut fallback = None;
    while at < limit {
        let byte = bytes[at];
        if depth == 0 && bytes[at..].starts_with(close.as_bytes()) {
            return Some(at + close.len());
        }
        match byte {
            b'"' | b'\'' | b'`' => match string_end(text, at) {
                Some(end) => at = end,
                // A lone apostrophe: the expression ends where it would without it.
                None => {
                    fallback =
                        fallback.or_else(|| text[at..].find(close).map(|found| at + found + close.len()));
                    return fallback.filter(|end| *end <= limit);
                }
            },
            b'\\' => at += 2,
            b'{' if nests => {
                depth += 1;
                at += 1;
            }
            b'}' if nests => {
                depth = depth.checked_sub(1)?;
                at += 1;
            }
            b'\n' if open == "${" && depth == 0 && !text[at..].contains('}') => return None,
            _ => at += 1,
        }
    }
    None
}

/// Behind the string that begins at `at`, on the same line; interpolations in it may hold quotes.
fn string_end(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let quote = *bytes.get(at)?;
    let mut at = at + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\n' => return None,
            b'\\' if quote != b'`' => at += 2,
            b'$' if quote == b'"' && bytes.get(at + 1) == Some(&b'{') => {
                at += balanced_end(&text[at..], "${", "}")?;
            }
            _ if byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}
