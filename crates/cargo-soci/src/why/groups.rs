//! Tasks that run the same images on the same platform, with what is known about them.

use std::collections::HashMap;

use serde_json::Value;
use soci_aws::arn::{Arn, short};
use soci_aws::moment::Moment;
use soci_aws::running::{Definition, Running, Service, Task};
use soci_image::{Digest, Reference};

/// Tasks that run the same, or what would run.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// The cluster's name.
    pub cluster: Option<String>,
    /// The service's name.
    pub service: Option<String>,
    /// `web:42`.
    pub definition: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// The account that runs it.
    pub account: Option<String>,
    /// `FARGATE`, `EC2` …
    pub launch_type: Option<String>,
    /// `1.4.0`, or what the service asks for where no task is known.
    pub platform_version: Option<String>,
    /// As ECS writes it in task definitions: `LINUX`, `WINDOWS_SERVER_2022_CORE`.
    pub operating_system: Option<String>,
    /// As ECS writes it in task definitions: `X86_64`, `ARM64`.
    pub architecture: Option<String>,
    /// The containers.
    pub containers: Vec<GroupContainer>,
    /// The definition's document, where it is known.
    pub document: Option<Value>,
    /// The tasks seen.
    pub starts: Vec<Start>,
}

/// A container of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct GroupContainer {
    /// Its name.
    pub name: String,
    /// The image as the task definition names it.
    pub image: Option<String>,
    /// The digest that runs.
    pub digest: Option<Digest>,
    /// What the task itself says.
    pub snapshotter: Option<String>,
}

/// One task of a group.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// The task's id.
    pub task: String,
    /// Whether it runs now.
    pub is_running: bool,
    /// Whether ECS Exec works in it.
    pub takes_commands: Option<bool>,
    /// When it was made.
    pub created: Option<Moment>,
    /// When its containers had started.
    pub started: Option<Moment>,
    /// How long all its images were pulled, in milliseconds.
    pub pull_millis: Option<u64>,
}

impl GroupContainer {
    /// The name of the image, if it is one.
    pub fn reference(&self) -> Option<Reference> {
        Reference::parse(self.image.as_deref()?).ok()
    }

    /// The digest that runs: as ECS says it, or as the name pins it.
    pub fn running_digest(&self) -> Option<Digest> {
        let pinned = || self.reference()?.digest().cloned();
        self.digest.clone().or_else(pinned)
    }
}

impl Group {
    /// `shop/web`, `shop/report:7`, `web:42`.
    pub fn name(&self) -> String {
        let own = self.service.as_deref().or(self.definition.as_deref());
        let own = own.or(self.starts.first().map(|start| start.task.as_str()));
        let own = own.filter(|own| !own.is_empty()).unwrap_or("(no name)");
        match &self.cluster {
            Some(cluster) => format!("{cluster}/{own}"),
            None => own.to_owned(),
        }
    }

    /// Whether a task was seen, rather than what would start one.
    pub fn is_seen(&self) -> bool {
        !self.starts.is_empty()
    }

    /// `linux/amd64`, as far as it is known.
    pub fn platform(&self) -> Option<String> {
        let architecture = match self.architecture.as_deref()? {
            "X86_64" => "amd64",
            "ARM64" => "arm64",
            other => other,
        };
        let system = self.operating_system.as_deref().unwrap_or("LINUX");
        Some(format!("{}/{architecture}", system.to_ascii_lowercase()))
    }
}

/// What tells two groups apart.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    texts: [Option<String>; 8],
    containers: Vec<GroupContainer>,
}

/// The groups, in the order in which they were met: tasks, then services and definitions that no task was seen of.
pub fn of(running: &Running) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut places: HashMap<Key, usize> = HashMap::new();
    for task in running.tasks() {
        let group = of_task(running, task);
        let start = start(task);
        let key = Key {
            texts: [
                group.cluster.clone(),
                group.service.clone(),
                group.definition.clone(),
                group.region.clone(),
                group.launch_type.clone(),
                group.platform_version.clone(),
                group.operating_system.clone(),
                group.architecture.clone(),
            ],
            containers: group.containers.clone(),
        };
        let at = *places.entry(key).or_insert(groups.len());
        if at == groups.len() {
            groups.push(group);
        }
        groups[at].starts.push(start);
    }
    let mut named: Vec<String> = groups
        .iter()
        .filter_map(|group| group.definition.clone())
        .collect();
    for service in running.services() {
        let is_seen = running
            .tasks()
            .iter()
            .any(|task| running.service_of(task) == Some(service));
        if !is_seen {
            let group = of_service(running, service);
            named.extend(group.definition.clone());
            groups.push(group);
        }
    }
    for definition in running.definitions() {
        if !named.iter().any(|name| name == definition.name()) {
            let mut group = Group {
                region: Arn::parse(&definition.arn).map(|arn| arn.region.to_owned()),
                account: Arn::parse(&definition.arn).map(|arn| arn.account.to_owned()),
                ..Group::default()
            };
            group.define(definition);
            groups.push(group);
        }
    }
    groups
}

fn of_task(running: &Running, task: &Task) -> Group {
    let provider = task.capacity_provider.clone();
    let of_provider = provider.filter(|name| name == "FARGATE" || name == "FARGATE_SPOT");
    let mut group = Group {
        cluster: task.cluster_name().map(str::to_owned),
        service: task.service().map(str::to_owned),
        definition: task.definition.as_deref().map(|name| short(name).to_owned()),
        region: task.region().map(str::to_owned),
        account: task.account().map(str::to_owned),
        launch_type: task.launch_type.clone().or(of_provider),
        platform_version: task.platform_version.clone(),
        operating_system: task.platform_family.as_deref().map(str::to_ascii_uppercase),
        architecture: task.architecture.as_deref().map(str::to_ascii_uppercase),
        containers: task
            .containers
            .iter()
            .map(|container| GroupContainer {
                name: container.name.clone(),
                image: container.image.clone(),
                digest: container.digest.clone(),
                snapshotter: container.snapshotter.clone(),
            })
            .collect(),
        ..Group::default()
    };
    // ECS does not promise an order.
    group.containers.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(definition) = running.definition(task.definition.as_deref()) {
        group.define(definition);
    }
    group
}

fn start(task: &Task) -> Start {
    Start {
        task: short(&task.arn).to_owned(),
        is_running: task.status.as_deref() == Some("RUNNING"),
        takes_commands: task.takes_commands,
        created: task.created,
        started: task.started,
        pull_millis: task.pull_millis(),
    }
}

fn of_service(running: &Running, service: &Service) -> Group {
    let mut providers = service.capacity_providers.iter();
    let fargate = |name: &&String| *name == "FARGATE" || *name == "FARGATE_SPOT";
    let mut group = Group {
        cluster: service.cluster.as_deref().map(|name| short(name).to_owned()),
        service: Some(service.name.clone()),
        definition: service.definition.as_deref().map(|name| short(name).to_owned()),
        region: Arn::parse(&service.arn).map(|arn| arn.region.to_owned()),
        account: Arn::parse(&service.arn).map(|arn| arn.account.to_owned()),
        launch_type: service.launch_type.clone().or(providers.find(fargate).cloned()),
        platform_version: service.platform_version.clone(),
        operating_system: service.platform_family.as_deref().map(str::to_ascii_uppercase),
        ..Group::default()
    };
    if let Some(definition) = running.definition(service.definition.as_deref()) {
        group.define(definition);
    }
    group
}

impl Group {
    /// Adds what the definition says and the tasks do not.
    fn define(&mut self, definition: &Definition) {
        let document = &definition.document;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        if self.definition.is_none() && !definition.name().is_empty() {
            self.definition = Some(definition.name().to_owned());
        }
        let platform = &document["runtimePlatform"];
        if self.operating_system.is_none() {
            self.operating_system = text(&platform["operatingSystemFamily"]);
        }
        if self.architecture.is_none() {
            // Fargate's default, which a definition has that says nothing.
            self.architecture = text(&platform["cpuArchitecture"]).or_else(|| Some("X86_64".to_owned()));
        }
        // A task lists all its containers; its definition alone may say their images.
        let is_of_task = !self.containers.is_empty();
        let entries = document["containerDefinitions"].as_array();
        for entry in entries.into_iter().flatten() {
            let name = text(&entry["name"]).unwrap_or_default();
            let image = text(&entry["image"]);
            match self.containers.iter_mut().find(|known| known.name == name) {
                Some(known) if known.image.is_none() => known.image = image,
                Some(_) => {}
                None if !is_of_task => self.containers.push(GroupContainer {
                    name,
                    image,
                    ..GroupContainer::default()
                }),
                None => {}
            }
        }
        self.document = Some(document.clone());
    }
}
