//! One escape function for each place a report is written to. Everything that comes out of a file
//! (names, images, messages that quote them) passes one.

use std::fmt::Write;

/// For a terminal, a log and plain text: control characters, which could move the cursor or hide text, and
/// bidirectional overrides become `\u{…}`.
///
/// What CI systems take for a command comes out broken up: GitHub reads `::…` at the beginning of a line, after blanks
/// too, and `##[` anywhere in it (`ActionCommand.cs` of <https://github.com/actions/runner>), Azure Pipelines `##vso[`
/// (<https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands>, both checked 2026-11-28).
pub fn terminal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // Colons so far, as long as there is nothing else but blanks before them.
    let mut colons = Some(0);
    for c in text.chars() {
        if is_treacherous(c) {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            colons = None;
            continue;
        }
        let bracket = c == '[' && (out.ends_with("##") || out.ends_with("##vso"));
        colons = match colons {
            Some(0) if c.is_whitespace() => Some(0),
            Some(count) if c == ':' => Some(count + 1),
            _ => None,
        };
        if bracket || colons == Some(2) {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

/// A rendered snippet with its colours: the lines of the file in it are as they are there. The renderer takes out most
/// of what steers a terminal; this the rest, and what CI systems read as a command.
#[cfg(feature = "snippets")]
pub(super) fn snippet_text(rendered: &str) -> String {
    let mut out = String::with_capacity(rendered.len());
    for c in rendered.chars() {
        match c {
            '\n' | '\x1b' => out.push(c),
            c if is_treacherous(c) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            '[' if out.ends_with("##") || out.ends_with("##vso") => out.push_str(" ["),
            c => out.push(c),
        }
    }
    out
}

/// JSON as it is written: what [`terminal`] does not let through becomes `\uXXXX`, which reads back as the same.
/// Between the strings of a JSON text there is nothing of the kind but line ends.
pub fn json_text(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c != '\n' && is_treacherous(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// For the message of a GitHub workflow command.
pub fn github_data(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '%' => out.push_str("%25"),
            '\r' => out.push_str("%0D"),
            '\n' => out.push_str("%0A"),
            c if is_treacherous(c) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// For a property of a GitHub workflow command.
pub fn github_property(text: &str) -> String {
    github_data(text).replace(':', "%3A").replace(',', "%2C")
}

/// For running text and table cells of GitHub's Markdown.
pub fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // A mention or an issue link would notify people.
            '@' => out.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '+' | '-' | '!' | '|'
            | '~' | '$' => {
                out.push('\\');
                out.push(c);
            }
            '\n' | '\r' | '\t' => out.push(' '),
            c if is_treacherous(c) => {
                let _ = write!(out, "\\\\u\\{{{:x}\\}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// For HTML text and quoted attributes.
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if is_treacherous(c) && c != '\n' && c != '\t' => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// Control characters, line separators, invisible tag characters and the marks that change the direction of text
/// (CVE-2021-42574, <https://trojansource.codes>, 2026-11-24).
pub fn is_treacherous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200E}' | '\u{200F}' | '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{061C}' | '\u{FEFF}' | '\u{E0000}'..='\u{E007F}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_sink_has_its_own_dangers() {
        assert_eq!(terminal("a\x1b[2Jb\u{202E}"), "a\\u{1b}[2Jb\\u{202e}");
        assert_eq!(github_data("100%\n::error::x"), "100%25%0A::error::x");
        assert_eq!(github_property("a:b,c"), "a%3Ab%2Cc");
        assert_eq!(markdown("a|b <img> @me"), "a\\|b &lt;img&gt; &#64;me");
        assert_eq!(html("<a b='\"'>"), "&lt;a b=&#39;&quot;&#39;&gt;");
    }

    proptest! {
        #[test]
        fn nothing_dangerous_survives(text: String) {
            prop_assert!(!terminal(&text).chars().any(is_treacherous));
            prop_assert!(!github_data(&text).contains(['\n', '\r']));
            prop_assert!(!github_property(&text).contains(['\n', '\r', ':', ',']));
            prop_assert!(!markdown(&text).contains(['\n', '\r', '<', '>', '@']));
            prop_assert!(!html(&text).contains(['<', '>', '"', '\'']));
        }
    }
}
