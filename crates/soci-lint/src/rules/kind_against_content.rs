//! Files that are said to be what they are not.

use super::{File, Sink, rule};

rule! {
    /// The file is not of the kind that was said.
    ///
    /// ## Why
    ///
    /// `--kind` says what a file is where its content does not. This file's content says something else, or nothing in it is what the kind promises: read as that kind it
    /// has no containers, and a run without containers proves nothing.
    ///
    /// ## Example
    ///
    /// ```yaml kind:task-definition
    /// AWSTemplateFormatVersion: "2010-09-09"
    /// Resources:
    ///   Topic:
    ///     Type: AWS::SNS::Topic
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml kind:task-definition
    /// family: web
    /// requiresCompatibilities: [FARGATE]
    /// networkMode: awsvpc
    /// cpu: "256"
    /// memory: "512"
    /// containerDefinitions:
    ///   - name: web
    ///     image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2
    /// ```
    ///
    /// ## References
    ///
    /// * [docs/lint.md](../lint.md)
    RULE = {
        code: "SOCI919",
        name: "kind-against-content",
        severity: Error,
        effect: None,
        check: File(check),
        is_gate: true,
    }
}

fn check(file: &File<'_>, sink: &mut Sink<'_>) {
    let (Some(found), Some(said)) = (file.contradicts, sink.options.kind) else {
        return;
    };
    let message = match found {
        crate::kind::Kind::Unknown => {
            format!("this is not {}, as the kind `{}` says", said.phrase(), said.as_str())
        }
        found => format!(
            "this is {}, not {} as the kind `{}` says",
            found.phrase(),
            said.phrase(),
            said.as_str()
        ),
    };
    sink.report_file(file.first_token(), message)
        .help("leave out the kind: the content says what a file is");
}
