//! Parameters that nothing asks for.

use crate::kind::Kind;
use super::{Run, Sink, rule};

rule! {
    /// A parameter was given that no file asks for.
    ///
    /// ## Why
    ///
    /// The name in `--param` is neither a parameter of a template nor a template word in any of the files, or no module has the variable in `--var`. It may be misspelt.
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
    RULE = {
        code: "SOCI918",
        name: "unused-parameter",
        severity: Warning,
        effect: None,
        check: Run(check),
    }
}

fn check(run: &Run<'_>, sink: &mut Sink<'_>) {
    for name in run.options.params.keys() {
        let declared = run.names.contains(name);
        let written = || run.files.iter().any(|file| has_word(file.text, name));
        if !declared && !written() {
            sink.report_file(None, format!("no file asks for the parameter `{name}`"))
                .help("correct the name, or leave it out");
        }
    }
    let reads_modules = run.documents.iter().any(|document| document.kind == Kind::Terraform);
    for path in run.options.var_files.iter().filter(|_| !reads_modules) {
        sink.report_file(None, format!("no module is read that the variables of `{path}` are for"))
            .help("name the folder of the Terraform configuration, or leave the file out");
    }
    for name in run.options.vars.keys().filter(|name| !run.names.contains(name)) {
        sink.report_file(None, format!("no module has the variable `{name}`"))
            .help("correct the name, or leave it out");
    }
}

/// Whether a text has a name as a word of its own.
fn has_word(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}
