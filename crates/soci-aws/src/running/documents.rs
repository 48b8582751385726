//! What each kind of document says.

use serde_json::Value;
use soci_image::Digest;

use super::read::{At, ReadError, kind};
use super::{Container, Definition, Running, Service, Task};
use crate::arn::short;

/// Adds a document, of the kind that its keys say.
pub(super) fn add(running: &mut Running, value: Value, place: &str) -> Result<(), ReadError> {
    let unknown = |what: String, help| ReadError::Unknown {
        place: place.to_owned(),
        what,
        help,
    };
    let Value::Object(map) = &value else {
        let what = format!("{} is no document of ECS", kind(&value));
        return Err(unknown(what, DOCUMENTS));
    };
    let root = At::new(map, place);
    let mut is_known = false;
    if root.has("detail-type") && root.has("detail") {
        return event(running, &root);
    }
    for (key, noun) in [("tasks", "task"), ("services", "service")] {
        if !root.has(key) {
            continue;
        }
        is_known = true;
        for entry in root.objects(key)? {
            match noun {
                "task" => running.add_task(task(&entry)?),
                _ => running.add_service(service(&entry)?),
            }
        }
    }
    if is_known {
        failures(running, &root)?;
    }
    if let Some(wrapped) = root.get_task_definition()? {
        is_known = true;
        running.add_definition(definition(&wrapped)?);
    } else if root.has("containerDefinitions") {
        is_known = true;
        running.add_definition(definition(&root)?);
    }
    if root.has("TaskARN") || root.has("Containers") {
        is_known = true;
        running.add_task(task_metadata(&root)?);
    } else if root.has("DockerId") || root.has("DockerName") {
        is_known = true;
        running.add_task(container_metadata(&root)?);
    } else if root.has("taskArn") || root.has("containers") && root.has("taskDefinitionArn") {
        is_known = true;
        running.add_task(task(&root)?);
    } else if root.has("serviceArn") || root.has("serviceName") {
        is_known = true;
        running.add_service(service(&root)?);
    }
    if is_known {
        return Ok(());
    }
    for (key, list, describe) in LISTS {
        if root.has(key) {
            return Err(unknown(
                format!("the answer of {list} holds names only"),
                describe,
            ));
        }
    }
    let keys: Vec<&str> = root.keys().take(5).collect();
    let what = match keys.is_empty() {
        true => "an empty object says nothing about tasks".to_owned(),
        false => format!(
            "an object with the keys {} says nothing about tasks",
            keys.join(", ")
        ),
    };
    Err(unknown(what, DOCUMENTS))
}

const DOCUMENTS: &str = "pass what `aws ecs describe-tasks`, `describe-services` or `describe-task-definition` prints, an \
     ECS Task State Change event, or the task's metadata; `cargo soci lint` reads templates";

/// Answers that only name things: their key, the command, and the one that describes.
const LISTS: [(&str, &str, &str); 4] = [
    (
        "taskArns",
        "list-tasks",
        "pass them on: aws ecs describe-tasks --cluster CLUSTER --tasks ARN …",
    ),
    (
        "serviceArns",
        "list-services",
        "pass them on: aws ecs describe-services --cluster CLUSTER --services ARN …",
    ),
    (
        "taskDefinitionArns",
        "list-task-definitions",
        "pass one on: aws ecs describe-task-definition --task-definition ARN",
    ),
    (
        "clusterArns",
        "list-clusters",
        "list the tasks of one: aws ecs list-tasks --cluster ARN",
    ),
];

impl<'v> At<'v> {
    /// `taskDefinition` is an object in the answer of describe-task-definition, a name in a service.
    fn get_task_definition(&self) -> Result<Option<Self>, ReadError> {
        match self.object("taskDefinition") {
            Ok(found) => Ok(found),
            Err(_) if self.text("taskDefinition").is_ok() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// An event of EventBridge; others than those of tasks are passed over with a note.
fn event(running: &mut Running, root: &At<'_>) -> Result<(), ReadError> {
    let kind = root.text("detail-type")?.unwrap_or_default();
    if kind != "ECS Task State Change" {
        running
            .notes
            .push(format!("an event of the type {kind:?} was passed over"));
        return Ok(());
    }
    if let Some(detail) = root.object("detail")? {
        running.add_task(task(&detail)?);
    }
    Ok(())
}

/// What ECS could not describe: `{"arn": …, "reason": "MISSING"}`.
fn failures(running: &mut Running, root: &At<'_>) -> Result<(), ReadError> {
    for failure in root.objects("failures")? {
        running.add_failure(failure.text("arn")?, failure.text("reason")?);
    }
    Ok(())
}

fn task(at: &At<'_>) -> Result<Task, ReadError> {
    let mut architecture = None;
    for attribute in at.objects("attributes")? {
        if attribute.text("name")? == Some("ecs.cpu-architecture") {
            architecture = attribute.owned("value")?;
        }
    }
    let mut containers = Vec::new();
    for entry in at.containers("containers")? {
        containers.push(Container {
            name: entry.owned("name")?.unwrap_or_default(),
            image: entry.owned("image")?,
            digest: digest(&entry, "imageDigest")?,
            snapshotter: None,
        });
    }
    Ok(Task {
        arn: at.owned("taskArn")?.unwrap_or_default(),
        cluster: at.owned("clusterArn")?,
        definition: at.owned("taskDefinitionArn")?,
        group: at.owned("group")?,
        launch_type: at.owned("launchType")?,
        capacity_provider: at.owned("capacityProviderName")?,
        platform_version: at.owned("platformVersion")?,
        platform_family: at.owned("platformFamily")?,
        architecture,
        status: at.owned("lastStatus")?,
        takes_commands: at.flag("enableExecuteCommand")?,
        created: at.moment("createdAt")?,
        pull_started: at.moment("pullStartedAt")?,
        pull_stopped: at.moment("pullStoppedAt")?,
        started: at.moment("startedAt")?,
        version: at.number("version")?.unwrap_or_default(),
        containers,
    })
}

fn digest(at: &At<'_>, key: &str) -> Result<Option<Digest>, ReadError> {
    match at.text(key)? {
        None => Ok(None),
        Some(text) => Digest::parse(text)
            .map(Some)
            .map_err(|_| at.form(key, "digest", text)),
    }
}

fn service(at: &At<'_>) -> Result<Service, ReadError> {
    let mut capacity_providers = Vec::new();
    for entry in at.objects("capacityProviderStrategy")? {
        capacity_providers.extend(entry.owned("capacityProvider")?);
    }
    let arn = at.owned("serviceArn")?.unwrap_or_default();
    Ok(Service {
        name: at.owned("serviceName")?.unwrap_or_else(|| short(&arn).to_owned()),
        arn,
        cluster: at.owned("clusterArn")?,
        definition: at.owned("taskDefinition")?,
        launch_type: at.owned("launchType")?,
        capacity_providers,
        platform_version: at.owned("platformVersion")?,
        platform_family: at.owned("platformFamily")?,
        running: at.number("runningCount")?,
    })
}

fn definition(at: &At<'_>) -> Result<Definition, ReadError> {
    // The rest of it is the linter's to read.
    at.containers("containerDefinitions")?;
    let arn = match (at.owned("taskDefinitionArn")?, at.text("family")?) {
        (Some(arn), _) => arn,
        (None, Some(family)) => match at.number("revision")? {
            Some(revision) => format!("{family}:{revision}"),
            None => family.to_owned(),
        },
        (None, None) => String::new(),
    };
    Ok(Definition {
        arn,
        document: at.value(),
    })
}

/// `$ECS_CONTAINER_METADATA_URI_V4/task`
fn task_metadata(at: &At<'_>) -> Result<Task, ReadError> {
    let mut containers = Vec::new();
    for entry in at.containers("Containers")? {
        containers.push(container_of_metadata(&entry)?);
    }
    let family = at.text("Family")?;
    let revision = at.text("Revision")?;
    Ok(Task {
        arn: at.owned("TaskARN")?.unwrap_or_default(),
        cluster: at.owned("Cluster")?,
        definition: family
            .zip(revision)
            .map(|(family, revision)| format!("{family}:{revision}")),
        group: at.text("ServiceName")?.map(|name| format!("service:{name}")),
        launch_type: at.owned("LaunchType")?,
        status: at.owned("KnownStatus")?,
        pull_started: at.moment("PullStartedAt")?,
        pull_stopped: at.moment("PullStoppedAt")?,
        containers,
        ..Task::default()
    })
}

/// `$ECS_CONTAINER_METADATA_URI_V4`: one container, which names its task in labels.
fn container_metadata(at: &At<'_>) -> Result<Task, ReadError> {
    let mut task = Task {
        containers: vec![container_of_metadata(at)?],
        ..Task::default()
    };
    if let Some(labels) = at.object("Labels")? {
        task.arn = labels.owned("com.amazonaws.ecs.task-arn")?.unwrap_or_default();
        task.cluster = labels.owned("com.amazonaws.ecs.cluster")?;
        let family = labels.text("com.amazonaws.ecs.task-definition-family")?;
        let revision = labels.text("com.amazonaws.ecs.task-definition-version")?;
        task.definition = family
            .zip(revision)
            .map(|(family, revision)| format!("{family}:{revision}"));
    }
    Ok(task)
}

/// Its `ImageID` is a digest too, but not said to be that of the manifest.
fn container_of_metadata(at: &At<'_>) -> Result<Container, ReadError> {
    Ok(Container {
        name: at.owned("Name")?.unwrap_or_default(),
        image: at.owned("Image")?,
        digest: None,
        snapshotter: at.owned("Snapshotter")?,
    })
}
