//! Kinds of files that are neither JSON nor YAML, told by their first lines.

use crate::kind::Kind;

/// Kinds that are neither JSON nor YAML, by their first lines.
pub(crate) fn of_text(text: &str) -> Option<Kind> {
    let mut lines = text.lines().map(str::trim_end).filter(|line| {
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with('#') && !line.starts_with("//")
    });
    let mut seen = 0;
    let mut terragrunt = false;
    let first = lines.next()?;
    if is_markdown(text) {
        return Some(Kind::Markdown);
    }
    for line in std::iter::once(first).chain(lines) {
        seen += 1;
        if seen > 400 {
            break;
        }
        if is_block(line, &["include", "dependency"]) {
            terragrunt = true;
        }
        if is_block(
            line,
            &[
                "resource",
                "data",
                "module",
                "variable",
                "output",
                "provider",
                "locals",
                "terraform",
            ],
        ) {
            return Some(match terragrunt || text.contains("\ninputs = {") {
                true => Kind::Terragrunt,
                false => Kind::Terraform,
            });
        }
        if line.starts_with("local ") && line.contains('=') || line.contains("std.extVar(") {
            return Some(Kind::Jsonnet);
        }
    }
    terragrunt.then_some(Kind::Terragrunt)
}

/// `resource "a" "b" {` and `locals {` at the beginning of a line.
fn is_block(line: &str, words: &[&str]) -> bool {
    let Some(word) = words.iter().find_map(|word| line.strip_prefix(word)) else {
        return false;
    };
    let rest = word.trim_start();
    rest.starts_with('{') && line.contains(' ') || rest.starts_with('"') && line.contains('{')
}

/// A heading on the first line and a fence somewhere: YAML comments have no fences.
fn is_markdown(text: &str) -> bool {
    let first = text.trim_start().lines().next().unwrap_or("");
    (first.starts_with("# ") || first.starts_with("## ")) && text.contains("\n```")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_no_data_is_named() {
        assert_eq!(of_text("resource \"aws_x\" \"y\" {\n}\n"), Some(Kind::Terraform));
        assert_eq!(of_text("locals {\n a = 1\n}\n"), Some(Kind::Terraform));
        assert_eq!(
            of_text("include \"root\" {\n}\ninputs = {\n}"),
            Some(Kind::Terragrunt)
        );
        assert_eq!(of_text("local a = 1;\n{}"), Some(Kind::Jsonnet));
        assert_eq!(of_text("# Title\n\n```json\n{}\n```\n"), Some(Kind::Markdown));
        assert_eq!(of_text("Resources:\n  locals: {}\n"), None);
        assert_eq!(of_text("{\"module\": 1}"), None);
    }
}
