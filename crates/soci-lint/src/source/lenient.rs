//! What makes YAML readable that its parser refuses, and what need not be made readable.

use super::TextRange;
use super::json::Read;
use super::tree::Content;
use super::yaml::quoted_length;
use crate::table::sorted;

/// Whether each template word stands in a value that is read as it is, or in a comment.
pub(super) fn words_are_in_values(text: &str, base: usize, read: &Read<'_>) -> bool {
    let Some(tree) = &read.tree else {
        return false;
    };
    let scalars = tree.nodes.iter().filter(|node| {
        matches!(
            node.content,
            Content::String(_) | Content::Number(_) | Content::Bool(_)
        )
    });
    let ranges: Vec<TextRange> = scalars.map(|node| node.range).collect();
    let ranges = sorted(ranges, Ord::cmp);
    let mut at = 0;
    while let Some(found) = text[at..].find(['{', '%']) {
        at += found;
        let marked = ["{{", "{%", "{#", "%{"]
            .iter()
            .any(|mark| text[at..].starts_with(mark));
        let offset = at + base;
        let before = ranges.partition_point(|range| range.start <= offset);
        let inside = before > 0 && ranges[before - 1].end > offset;
        if marked && !inside {
            let line = text[..at].rfind('\n').map_or(0, |line| line + 1);
            if !text[line..at].contains('#') {
                return false;
            }
        }
        at += 1;
    }
    true
}

/// The text with what stands in brackets on one line: every byte where it was, line ends and comments as
/// spaces. The parser takes no line in brackets that is indented less than what is around it.
pub(super) fn join_brackets(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut depth = 0usize;
    let mut at = 0;
    // Whether a value may begin here, so that a bracket or a quote opens one.
    let mut begins = true;
    while at < bytes.len() {
        let byte = bytes[at];
        let after_space = at == 0 || bytes[at - 1].is_ascii_whitespace();
        match byte {
            b'#' if after_space => {
                let end = text[at..].find('\n').map_or(bytes.len(), |end| at + end);
                if depth > 0 {
                    out[at..end].fill(b' ');
                }
                at = end;
                continue;
            }
            b'"' | b'\'' if begins => {
                let end = at + quoted_length(&text[at..]);
                if depth > 0 {
                    for byte in &mut out[at..end] {
                        if matches!(byte, b'\n' | b'\r') {
                            *byte = b' ';
                        }
                    }
                }
                at = end.max(at + 1);
                begins = false;
                continue;
            }
            b'[' | b'{' if begins || depth > 0 => depth += 1,
            b']' | b'}' if depth > 0 => depth -= 1,
            b'\n' | b'\r' if depth > 0 => out[at] = b' ',
            _ => {}
        }
        begins = match byte {
            b'\n' | b'[' | b'{' | b',' => true,
            b':' | b'-' => true,
            b' ' | b'\t' | b'\r' => begins,
            // A tag or an anchor goes before a value.
            b'!' | b'&' => {
                while bytes.get(at + 1).is_some_and(|next| !next.is_ascii_whitespace()) {
                    at += 1;
                }
                true
            }
            _ => false,
        };
        at += 1;
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}
