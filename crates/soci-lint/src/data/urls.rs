//! Pages that rules refer to. Checked 2026-11-23.

/// The rules' own pages.
pub(crate) const RULES: &str = "https://github.com/cargo-soci/cargo-soci/blob/main/docs/rules";
