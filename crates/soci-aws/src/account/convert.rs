//! From the SDK's types to ours.

use aws_sdk_ecs::types;
use aws_smithy_types::DateTime;
use serde_json::{Map, Value, json};
use soci_image::Digest;

use crate::moment::Moment;
use crate::running::{Container, Definition, Service, Task};

fn moment(at: Option<&DateTime>) -> Option<Moment> {
    Moment::from_millis(at?.to_millis().ok()?)
}

fn owned(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

pub(super) fn task(task: &types::Task) -> Task {
    let architecture = task
        .attributes()
        .iter()
        .find(|attribute| attribute.name() == "ecs.cpu-architecture");
    Task {
        arn: task.task_arn().unwrap_or_default().to_owned(),
        cluster: owned(task.cluster_arn()),
        definition: owned(task.task_definition_arn()),
        group: owned(task.group()),
        launch_type: task.launch_type().map(|launch| launch.as_str().to_owned()),
        capacity_provider: owned(task.capacity_provider_name()),
        platform_version: owned(task.platform_version()),
        platform_family: owned(task.platform_family()),
        architecture: architecture.and_then(|attribute| owned(attribute.value())),
        status: owned(task.last_status()),
        takes_commands: Some(task.enable_execute_command()),
        created: moment(task.created_at()),
        pull_started: moment(task.pull_started_at()),
        pull_stopped: moment(task.pull_stopped_at()),
        started: moment(task.started_at()),
        version: u64::try_from(task.version()).unwrap_or_default(),
        containers: task.containers().iter().map(container).collect(),
    }
}

fn container(container: &types::Container) -> Container {
    Container {
        name: container.name().unwrap_or_default().to_owned(),
        image: owned(container.image()),
        digest: container
            .image_digest()
            .and_then(|digest| Digest::parse(digest).ok()),
        snapshotter: None,
    }
}

pub(super) fn service(service: &types::Service) -> Service {
    Service {
        name: service.service_name().unwrap_or_default().to_owned(),
        arn: service.service_arn().unwrap_or_default().to_owned(),
        cluster: owned(service.cluster_arn()),
        definition: owned(service.task_definition()),
        launch_type: service.launch_type().map(|launch| launch.as_str().to_owned()),
        capacity_providers: service
            .capacity_provider_strategy()
            .iter()
            .map(|item| item.capacity_provider().to_owned())
            .collect(),
        platform_version: owned(service.platform_version()),
        platform_family: owned(service.platform_family()),
        running: u64::try_from(service.running_count()).ok(),
    }
}

/// What a verdict hangs on, by the API's names; the rest of a definition says nothing about images.
pub(super) fn definition(definition: &types::TaskDefinition) -> Definition {
    let mut document = Map::new();
    let mut put = |key: &str, value: Value| {
        document.insert(key.to_owned(), value);
    };
    let texts = [
        ("taskDefinitionArn", definition.task_definition_arn()),
        ("family", definition.family()),
        (
            "networkMode",
            definition.network_mode().map(types::NetworkMode::as_str),
        ),
        ("cpu", definition.cpu()),
        ("memory", definition.memory()),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            put(key, json!(text));
        }
    }
    let names = |list: &[types::Compatibility]| -> Vec<String> {
        list.iter().map(|entry| entry.as_str().to_owned()).collect()
    };
    if !definition.requires_compatibilities().is_empty() {
        put(
            "requiresCompatibilities",
            json!(names(definition.requires_compatibilities())),
        );
    }
    if let Some(platform) = definition.runtime_platform() {
        let mut said = Map::new();
        if let Some(architecture) = platform.cpu_architecture() {
            said.insert("cpuArchitecture".to_owned(), json!(architecture.as_str()));
        }
        if let Some(system) = platform.operating_system_family() {
            said.insert("operatingSystemFamily".to_owned(), json!(system.as_str()));
        }
        put("runtimePlatform", Value::Object(said));
    }
    let containers: Vec<Value> = definition
        .container_definitions()
        .iter()
        .map(|container| json!({"name": container.name(), "image": container.image()}))
        .collect();
    put("containerDefinitions", json!(containers));
    Definition {
        arn: definition.task_definition_arn().unwrap_or_default().to_owned(),
        document: Value::Object(document),
    }
}
