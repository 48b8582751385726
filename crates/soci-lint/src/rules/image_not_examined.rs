//! Images that nobody has looked into.

use super::{Sink, rule};
use crate::facts::{Chosen, about, choose};
use crate::expression::Case;
use crate::model::{Container, Located, Task};

rule! {
    /// Nothing is known about the image itself.
    ///
    /// ## Why
    ///
    /// Everything that the task definition says allows lazy loading; whether it happens depends on a SOCI index in the image. This rule is the reason
    /// behind the verdict "eligible, if the image has a SOCI v2 index". It is not listed among the findings unless it is given a
    /// severity, for example to make an unexamined image an error: `--severity SOCI301=error`.
    ///
    /// Where the task's CPU architecture is not known and the image has several, it does not matter as long as all of them have an index, or none has.
    ///
    /// `--layout IMAGE=docker://IMAGE` looks into the image; `cargo soci inspect --format json IMAGE` prints the facts for `--image-facts`; `cargo soci convert` makes
    /// the index.
    ///
    /// ## Other consumers
    ///
    /// The verdict `--for sagemaker` or `--for containerd` depends on the image in the same way.
    ///
    /// ## Example
    ///
    /// ```json select:SOCI301
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
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-soci-images> (2026-08-14)
    /// * <https://docs.aws.amazon.com/sagemaker/latest/dg/soci-indexing.html>, for SageMaker Studio (2026-11-28)
    RULE = {
        code: "SOCI301",
        name: "image-not-examined",
        severity: Off,
        effect: Unknown,
        check: Container(check),
        eligible_if: Some("the image has a SOCI v2 index"),
        weight: 2,
    }
}

fn check(task: &Task, container: &Container, sink: &mut Sink<'_>) {
    for (at, located, case) in container.in_reach(task) {
        let (message, help) = match about(sink.options, case).map(|facts| choose(task, facts)) {
            None => ("nothing is known about the image itself", answer(located, case)),
            Some(Chosen::Open) => {
                let holes = task.architecture.cases.iter().flat_map(|case| case.value.holes());
                let help = holes.map(|hole| hole.help.clone()).find(|help| !help.is_empty());
                let help = help.unwrap_or_else(|| "say the architecture (`cpuArchitecture`), or convert the image for all of its platforms".to_owned());
                ("which platform of the image runs is not known here", help)
            }
            Some(_) => continue,
        };
        sink.report(container.place(), message).help(help).case(at, case);
    }
}

/// How to find out whether the image has an index, with its name where it is known.
fn answer(located: &Located, case: &Case) -> String {
    let written = case.value.display();
    if located.reference.is_some() && is_plain(&written) {
        return format!("look into the image with `--layout {written}=docker://{written}`; `cargo soci convert docker://{written}` makes the index");
    }
    if located.reference.is_some() && !written.contains(['\'', '\n', '`']) && case.value.known().is_some() {
        return format!("look into the image with `--layout '{written}=docker://{written}'`; `cargo soci convert 'docker://{written}'` makes the index");
    }
    let shown = written.replace('`', "'");
    format!("look into the image (`{shown}`, filled in) with `--layout IMAGE=docker://IMAGE`; `cargo soci convert docker://IMAGE` makes the index")
}

/// Whether a shell takes it as one word and as it is.
fn is_plain(word: &str) -> bool {
    word.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"./:@_-".contains(&byte))
}
