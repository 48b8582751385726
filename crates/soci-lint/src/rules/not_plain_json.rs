//! JSON with more than JSON in it.

use super::{Check, rule};

rule! {
    /// The file has comments, trailing commas or the like, which JSON has not.
    ///
    /// ## Why
    ///
    /// Many tools read such files, the AWS command line does not. They are read and judged here; strip them before the file is registered.
    ///
    /// ## Example
    ///
    /// ```json
    /// {
    ///   // The web server.
    ///   "family": "web",
    ///   "requiresCompatibilities": ["FARGATE"],
    ///   "networkMode": "awsvpc",
    ///   "cpu": "256",
    ///   "memory": "512",
    ///   "containerDefinitions": [
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2" },
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
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2" }
    ///   ]
    /// }
    /// ```
    ///
    /// ## References
    ///
    /// * <https://www.rfc-editor.org/rfc/rfc8259> (2026-11-24)
    NOT_PLAIN_JSON, "SOCI905", "not-plain-json", Info, None, Check::Reader
}
