//! Facts about images that no container has.

use super::{Run, Sink, rule};
use crate::table::sorted;
use crate::facts::all_about;

rule! {
    /// Facts were given about an image that no container uses.
    ///
    /// ## Why
    ///
    /// `--image-facts` and `--layout` name an image as the task definitions name it. No container of this run has an image of that name, so that the facts say nothing about
    /// any of them: the name may be misspelt, or its tag another one.
    ///
    /// ## Example
    ///
    /// ```json facts:no-index
    /// {
    ///   "family": "web",
    ///   "requiresCompatibilities": ["FARGATE"],
    ///   "networkMode": "awsvpc",
    ///   "cpu": "256",
    ///   "memory": "512",
    ///   "containerDefinitions": [
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/other:1.4.2" }
    ///   ]
    /// }
    /// ```
    ///
    /// ## References
    ///
    /// * [docs/lint.md](../lint.md)
    RULE = {
        code: "SOCI920",
        name: "unused-image-facts",
        severity: Warning,
        effect: None,
        check: Run(check),
    }
}

fn check(run: &Run<'_>, sink: &mut Sink<'_>) {
    let entries = &run.options.image_facts;
    if entries.is_empty() {
        return;
    }
    let containers = run
        .documents
        .iter()
        .flat_map(|document| &document.tasks)
        .flat_map(|task| &task.containers);
    let used: Vec<&str> = containers
        .flat_map(|container| container.cases())
        .flat_map(|case| all_about(run.options, &case.case))
        .map(|entry| entry.image.as_str())
        .collect();
    let used = sorted(used, Ord::cmp);
    let is_used = |image: &str| used.binary_search(&image).is_ok();
    for entry in entries {
        // Of an image and its conversion under the tag with `-soci`, a document names one.
        let image = entry.image.as_str();
        let converted = format!("{image}-soci");
        let before = image.strip_suffix("-soci");
        if !is_used(image) && !is_used(&converted) && !before.is_some_and(is_used) {
            sink.report_file(None, format!("no container has the image `{}` that facts were given about", entry.image))
                .help("name the image as the task definition does, with its tag; `*` stands for any text");
        }
    }
}
