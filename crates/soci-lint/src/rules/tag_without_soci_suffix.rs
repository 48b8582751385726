//! The tags of the AWS index builder.

use super::shared::changes::converted_tag;
use super::{Sink, rule};
use crate::model::{Container, Tag, Task};

rule! {
    /// The tag lacks the `-soci` that the AWS index builder adds.
    ///
    /// ## Why
    ///
    /// The SOCI index builder of AWS (version 2) watches a repository and pushes each converted image under the tag with `-soci` behind it. The tag that was
    /// pushed stays what it was, so a task definition that names it never loads lazily. Who converts in the build itself needs no
    /// suffix; this rule is therefore off until it is selected.
    ///
    /// ## Example
    ///
    /// ```json select:SOCI407
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
    /// ## Use instead
    ///
    /// ```json select:SOCI407
    /// {
    ///   "family": "web",
    ///   "requiresCompatibilities": ["FARGATE"],
    ///   "networkMode": "awsvpc",
    ///   "cpu": "256",
    ///   "memory": "512",
    ///   "containerDefinitions": [
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2-soci" }
    ///   ]
    /// }
    /// ```
    ///
    /// ## References
    ///
    /// * <https://github.com/awslabs/cfn-ecr-aws-soci-index-builder> (2026-11-23)
    RULE = {
        code: "SOCI407",
        name: "tag-without-soci-suffix",
        severity: Off,
        effect: None,
        check: Container(check),
        opt_in: true,
    }
}

fn check(task: &Task, container: &Container, sink: &mut Sink<'_>) {
    if !container.is_eligible(task) {
        return;
    }
    for (at, _, located, case) in container.in_ecr() {
        let tag = match &located.tag {
            Tag::Named(tag) if !located.tag.is_soci() => tag.as_str(),
            Tag::Latest { .. } => "latest",
            _ => continue,
        };
        let change = converted_tag(sink.run, task, located, case);
        sink.report(
            container.place(),
            format!("`{tag}` is the tag before the conversion"),
        )
        .help(format!("name `{tag}-soci`, which the index builder pushes"))
        .fix(change)
        .case(at, case);
    }
}
