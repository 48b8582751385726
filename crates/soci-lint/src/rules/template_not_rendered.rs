//! Templates that nobody has rendered.

use super::{Check, rule};

rule! {
    /// The file is a template that is no JSON or YAML until it is rendered.
    ///
    /// ## Why
    ///
    /// Words such as `$PORT`, `{{ command }}` or `FAMILY` stand where a value should be. They are taken for texts, so that the rest can be judged; what they
    /// become decides more. Lint the rendered file to be certain.
    ///
    /// ## Example
    ///
    /// ```json
    /// {
    ///   "family": "web",
    ///   "requiresCompatibilities": ["FARGATE"],
    ///   "networkMode": "awsvpc",
    ///   "cpu": "256",
    ///   "memory": "512",
    ///   "containerDefinitions": [
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2", "cpu": ${cpu} }
    ///   ]
    /// }
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
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2", "cpu": 128 }
    ///   ]
    /// }
    /// ```
    ///
    /// ## References
    ///
    /// * <https://www.rfc-editor.org/rfc/rfc8259> (2026-11-24)
    TEMPLATE_NOT_RENDERED, "SOCI906", "template-not-rendered", Warning, None, Check::Reader
}
