//! What a document is, found by its content.

use crate::kind::Kind;
use crate::source::Node;

/// What a document is, by the keys of its root.
pub(crate) fn of_root(root: Node<'_>) -> Kind {
    if root.is_sequence() {
        return of_list(root);
    }
    let has = |key: &str| root.member(key).is_some();
    let mapping = |key: &str| root.get(key).is_some_and(Node::is_mapping);
    if has("AWSEBDockerrunVersion") {
        return Kind::Dockerrun;
    }
    if let Some(wrapped) = wrapped_task(root) {
        return match is_described(wrapped) {
            true => Kind::DescribeOutput,
            false => Kind::TaskDefinition,
        };
    }
    if has("containerDefinitions") {
        return match is_described(root) {
            true => Kind::DescribeOutput,
            false => Kind::TaskDefinition,
        };
    }
    if let Some(resources) = root.get("Resources") {
        if resources.is_mapping() {
            return Kind::Cloudformation;
        }
        if has("version") {
            return Kind::AppSpec;
        }
    }
    if has("AWSTemplateFormatVersion") {
        return Kind::Cloudformation;
    }
    if has("apiVersion") && has("kind") {
        return Kind::Kubernetes;
    }
    if has("planned_values") || has("resource_changes") {
        return Kind::TerraformPlan;
    }
    if has("terraform_version") {
        return Kind::TerraformState;
    }
    if mapping("resource") && (mapping("terraform") || mapping("provider") || aws_resources(root)) {
        return Kind::Terraform;
    }
    if has("task_definition") && has("version") || has("run_params") {
        return Kind::EcsParams;
    }
    if root.get("jobDefinitions").is_some_and(Node::is_sequence) {
        return Kind::Batch;
    }
    if has("jobDefinitionName") || has("platformCapabilities") && has("containerProperties") {
        return Kind::Batch;
    }
    if is_copilot(root) {
        return Kind::Copilot;
    }
    if has("tasks") || has("taskArn") || has("taskDefinitionArn") && has("containers") {
        return Kind::Tasks;
    }
    if mapping("services") {
        return Kind::Compose;
    }
    if is_service(root) {
        return Kind::Service;
    }
    if is_container(root) {
        return Kind::ContainerDefinitions;
    }
    if has("family") && (has("requiresCompatibilities") || has("networkMode") || has("cpu")) {
        return Kind::TaskDefinition;
    }
    Kind::Unknown
}

/// The task definition under `taskDefinition`, also where a recorder wrapped the whole answer in `data` or the like.
pub(crate) fn wrapped_task(root: Node<'_>) -> Option<Node<'_>> {
    let direct = |node: Node<'_>| {
        let task = node.get("taskDefinition")?;
        task.member("containerDefinitions").is_some().then_some(())
    };
    if direct(root).is_some() {
        return root.get("taskDefinition");
    }
    ["data", "body", "response", "output"]
        .iter()
        .filter_map(|key| root.get(key))
        .find(|inner| direct(*inner).is_some())
        .and_then(|inner| inner.get("taskDefinition"))
}

/// Whether ECS wrote it: registering takes none of these keys.
fn is_described(task: Node<'_>) -> bool {
    [
        "taskDefinitionArn",
        "revision",
        "status",
        "requiresAttributes",
        "registeredAt",
    ]
    .iter()
    .any(|key| task.member(key).is_some())
}

fn of_list(root: Node<'_>) -> Kind {
    let Some(first) = root.items().find(|item| item.is_mapping()) else {
        return Kind::Unknown;
    };
    if first.member("imageUri").is_some() {
        return Kind::ImageDefinitions;
    }
    let container = is_container(first) || first.member("name").is_some() && first.member("image").is_some();
    match container {
        true => Kind::ContainerDefinitions,
        false => Kind::Unknown,
    }
}

/// A container definition: an image, and at least one key that only container definitions have.
fn is_container(node: Node<'_>) -> bool {
    let marks = [
        "essential",
        "portMappings",
        "mountPoints",
        "logConfiguration",
        "memoryReservation",
        "dependsOn",
        "entryPoint",
        "volumesFrom",
        "repositoryCredentials",
    ];
    (node.member("image").is_some() || node.member("name").is_some())
        && marks.iter().any(|key| node.member(key).is_some())
}

fn is_service(root: Node<'_>) -> bool {
    let found = service_keys(root);
    found >= 2 || found == 1 && root.member("taskDefinition").is_some()
}

/// Whether it can be a service if somebody says so: it has a key that services have.
pub(crate) fn may_be_service(root: Node<'_>) -> bool {
    service_keys(root) > 0 || root.get("services").is_some() || root.get("service").is_some()
}

fn service_keys(root: Node<'_>) -> usize {
    let keys = [
        "serviceName",
        "launchType",
        "capacityProviderStrategy",
        "deploymentConfiguration",
        "desiredCount",
        "healthCheckGracePeriodSeconds",
        "platformVersion",
        "networkConfiguration",
        "schedulingStrategy",
    ];
    keys.iter().filter(|key| root.member(key).is_some()).count()
}

/// Types of <https://aws.github.io/copilot-cli/docs/manifest/overview/> (2026-11-24).
fn is_copilot(root: Node<'_>) -> bool {
    let types = [
        "Load Balanced Web Service",
        "Backend Service",
        "Request-Driven Web Service",
        "Worker Service",
        "Static Site",
        "Scheduled Job",
        "Environment",
    ];
    let written = root.get("type").and_then(Node::as_str);
    root.member("name").is_some() && written.is_some_and(|written| types.contains(&written))
}

fn aws_resources(root: Node<'_>) -> bool {
    let resources = root.get("resource");
    resources.is_some_and(|node| node.members().any(|member| member.key.starts_with("aws_")))
}
