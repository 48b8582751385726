//! Files that cannot be parsed.

use super::{Check, rule};

rule! {
    /// The file is neither JSON nor YAML.
    ///
    /// ## Why
    ///
    /// The reader stopped at this place. Where a comma is all that is missing, the rest is read and judged nevertheless; otherwise there is no verdict.
    ///
    /// ## Example
    ///
    /// ```json
    /// { "family": "web" "containerDefinitions": [] }
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```json
    /// {
    ///   "family": "web",
    ///   "requiresCompatibilities": ["FARGATE"],
    ///   "networkMode": "awsvpc",
    ///   "cpu": "256",
    ///   "memory": "512",
    ///   "containerDefinitions": [
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2" }
    ///   ]
    /// }
    /// ```
    ///
    /// ## References
    ///
    /// * <https://www.rfc-editor.org/rfc/rfc8259> (2026-11-24)
    /// * <https://yaml.org/spec/1.2.2/> (2026-11-24)
    SYNTAX_ERROR, "SOCI904", "syntax-error", Error, None, Check::Reader
}
