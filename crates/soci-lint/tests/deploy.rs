//! What the repository itself deploys, read by the linter.

#![expect(
    clippy::disallowed_methods,
    reason = "the crate itself reads no files, its tests do"
)]

use std::path::Path;

use soci_lint::{Input, Options, lint};

#[test]
fn the_templates_of_the_function_are_read_and_run_no_containers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    let names = [
        "cloudformation.yaml",
        "terraform/main.tf",
        "terraform/outputs.tf",
        "terraform/variables.tf",
    ];
    let inputs = names.map(|name| Input {
        path: name.to_owned(),
        bytes: std::fs::read(folder.join(name)).expect("it is part of the repository"),
    });
    let report = lint(&inputs, &Options::default());
    let found: Vec<(&str, &str)> = report
        .findings
        .iter()
        .map(|finding| (finding.code.as_str(), finding.message.as_str()))
        .collect();
    let terraform = (
        "SOCI901",
        "this is Terraform configuration, and nothing in it runs containers",
    );
    let cloudformation = (
        "SOCI901",
        "this is a CloudFormation template, and nothing in it runs containers",
    );
    let expected = [cloudformation, terraform, terraform, terraform];
    assert_eq!(found, expected);
}
