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
    hcl_edit::parser::parse_body(body).map_err(|error| {
        let at = base + error.location().offset().min(body.len());
        let rest = text.get(at..).unwrap_or("");
        let end = at + rest.chars().next().map_or(0, char::len_utf8);
        Problem {
            kind: ProblemKind::Syntax,
            range: TextRange::new(at, end),
            message: format!("this is no HCL: {}", error.message().replace('\n', "; ")),
        }
    })
}

/// Whether a file with this path is HCL, whatever is in it.
pub(crate) fn is_hcl_path(path: &str) -> bool {
    [".tf", ".tofu", ".tfvars", ".hcl"]
        .iter()
        .any(|ending| path.ends_with(ending))
}
