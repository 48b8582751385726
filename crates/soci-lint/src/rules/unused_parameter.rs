//! Parameters that nothing asks for.

use super::{Check, rule};

rule! {
    /// A parameter was given that no file asks for.
    ///
    /// ## Why
    ///
    /// The name in `--param` is neither a parameter of a template nor a template word in any of the files. It may be misspelt.
    ///
    /// ## Example
    ///
    /// ```json param:ImageUri:nginx
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
    /// * [docs/lint.md](../lint.md)
    UNUSED_PARAMETER, "SOCI918", "unused-parameter", Warning, None, Check::Reader
}
