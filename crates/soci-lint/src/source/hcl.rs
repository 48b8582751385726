//! HCL with exact byte ranges, by `hcl-edit`.

use hcl_edit::structure::Body;

use super::{Problem, ProblemKind, TextRange};

/// Larger files are no configuration that somebody wrote.
const MAX_HCL: usize = 4 << 20;

/// Reads a whole file; all ranges are those of `text` from byte `base` on.
pub(super) fn read(text: &str, base: usize) -> Result<Body, Problem> {
    let body = &text[base..];
    if body.len() > MAX_HCL {
        return Err(Problem {
            kind: ProblemKind::Unreadable,
            range: TextRange::default(),
            message: format!(
                "{} bytes of HCL are more than the {} MiB that are read",
                body.len(),
                MAX_HCL >> 20
            ),
        });
    }
    let mut error = match hcl_edit::parser::parse_body(body) {
        Ok(body) => return Ok(body),
        Err(error) => error,
    };
    // Terraform takes an object with the same key twice, the parser does not: such a key gets another name.
    let mut renamed = body.to_owned();
    for number in 0..MOST_RENAMED {
        let Some(next) = rename(&renamed, &error, number) else {
            break;
        };
        renamed = next;
        match hcl_edit::parser::parse_body(&renamed) {
            Ok(body) => return Ok(body),
            Err(next) => error = next,
        }
    }
    let at = base + error.location().offset().min(body.len());
    let rest = text.get(at..).unwrap_or("");
    let end = at + rest.chars().next().map_or(0, char::len_utf8);
    Err(Problem {
        kind: ProblemKind::Syntax,
        range: TextRange::new(at, end),
        message: format!("this is no HCL: {}", error.message().replace('\n', "; ")),
    })
}

/// Keys that are set twice in a file, at most.
const MOST_RENAMED: usize = 16;

/// The text with another key of the same length in the place of one that is set twice.
fn rename(text: &str, error: &hcl_edit::parser::Error, number: usize) -> Option<String> {
    if !error.message().contains("unique object key") {
        return None;
    }
    let at = error.location().offset();
    let rest = text.get(at..)?;
    let start = at + usize::from(rest.starts_with('"'));
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let length = text.get(start..)?.find(|c: char| !is_word(c))?;
    let name = format!("k{number}");
    if length < name.len() {
        return None;
    }
    let padded = format!("{name:_<length$}");
    Some(format!("{}{padded}{}", &text[..start], &text[start + length..]))
}

/// Whether a file with this path is HCL, whatever is in it.
pub(crate) fn is_hcl_path(path: &str) -> bool {
    [".tf", ".tofu", ".tfvars", ".hcl"]
        .iter()
        .any(|ending| path.ends_with(ending))
}
