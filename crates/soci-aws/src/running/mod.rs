//! Tasks, services and task definitions, out of what others have printed.
//!
//! [`Running::read`] takes the answers of `aws ecs describe-tasks`, `describe-services` and
//! `describe-task-definition`, EventBridge's *ECS Task State Change* events and the task metadata of the endpoint
//! version 4, each alone or several together. What is said of one task at several places becomes one [`Task`].
//!
//! Field names, from
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html>,
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html> and
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate-response.html> (2026-11-29).

mod documents;
mod join;
mod read;

pub use read::{MAX_BYTES, ReadError};

use soci_image::Digest;

use crate::arn::{Arn, short};
use crate::moment::Moment;

/// What runs, as far as the documents say.
///
/// ```
/// let mut running = soci_aws::running::Running::default();
/// running.read(br#"{"tasks": [{"taskArn": "arn:aws:ecs:eu-west-1:123456789012:task/shop/0123", "containers": []}]}"#)?;
/// assert_eq!(running.tasks()[0].cluster_name(), Some("shop"));
/// # Ok::<(), soci_aws::running::ReadError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Running {
    tasks: Vec<Task>,
    services: Vec<Service>,
    definitions: Vec<Definition>,
    notes: Vec<String>,
    by_arn: join::ByArn,
}

/// One task.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Task {
    /// Its ARN; empty where a container's metadata does not say it.
    pub arn: String,
    /// The cluster's name or ARN.
    pub cluster: Option<String>,
    /// `family:revision`, or the ARN of a task definition.
    pub definition: Option<String>,
    /// `service:web`, `family:job`.
    pub group: Option<String>,
    /// `FARGATE`, `EC2` …, as the task runs.
    pub launch_type: Option<String>,
    /// `FARGATE_SPOT`, or a name that a user chose.
    pub capacity_provider: Option<String>,
    /// `1.4.0`, as the task runs.
    pub platform_version: Option<String>,
    /// `Linux`, `Windows_Server_2022_Core`.
    pub platform_family: Option<String>,
    /// `x86_64`, `arm64`, as the task runs.
    pub architecture: Option<String>,
    /// `RUNNING`, `STOPPED` …
    pub status: Option<String>,
    /// Whether commands can be run in it by ECS Exec.
    pub takes_commands: Option<bool>,
    /// When it was made.
    pub created: Option<Moment>,
    /// When the pull of its images began.
    pub pull_started: Option<Moment>,
    /// When all its images were pulled.
    pub pull_stopped: Option<Moment>,
    /// When its containers had started.
    pub started: Option<Moment>,
    /// Grows with every change of the task.
    pub version: u64,
    /// Its containers.
    pub containers: Vec<Container>,
}

/// A container of a task.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Container {
    /// Its name in the task definition.
    pub name: String,
    /// The image as the task definition names it.
    pub image: Option<String>,
    /// The digest of the image that runs.
    pub digest: Option<Digest>,
    /// How its image was unpacked, which only the task's own metadata says: `soci`, `overlayfs`.
    pub snapshotter: Option<String>,
}

/// A service.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Its ARN, where that is known.
    pub arn: String,
    /// The cluster's name or ARN.
    pub cluster: Option<String>,
    /// The task definition that it starts tasks from.
    pub definition: Option<String>,
    /// `FARGATE`, `EC2` …
    pub launch_type: Option<String>,
    /// The names of its capacity providers.
    pub capacity_providers: Vec<String>,
    /// `1.4.0`, `LATEST`.
    pub platform_version: Option<String>,
    /// `Linux`, `Windows_Server_2022_Core`.
    pub platform_family: Option<String>,
    /// How many tasks run.
    pub running: Option<u64>,
}

/// A task definition as ECS knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// Its ARN, or `family:revision`, or the family.
    pub arn: String,
    /// The whole definition, by the API's names.
    pub document: serde_json::Value,
}

impl Running {
    /// Tasks, in the order in which they were met; each once.
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// Services.
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// Task definitions.
    pub fn definitions(&self) -> &[Definition] {
        &self.definitions
    }

    /// What ECS could not find, and documents that say nothing about tasks: sentences for people.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Whether nothing at all is known.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty() && self.services.is_empty() && self.definitions.is_empty()
    }

    /// The definition of a task or a service.
    pub fn definition(&self, named: Option<&str>) -> Option<&Definition> {
        let named = named?;
        self.definitions
            .iter()
            .find(|definition| short(&definition.arn) == short(named))
    }

    /// The service that a task belongs to.
    pub fn service_of(&self, task: &Task) -> Option<&Service> {
        let name = task.service()?;
        self.services.iter().find(|service| {
            let clusters = service.cluster.as_deref().zip(task.cluster.as_deref());
            service.name == name && clusters.is_none_or(|(a, b)| short(a) == short(b))
        })
    }
}

impl Task {
    /// The name of the service that started it.
    pub fn service(&self) -> Option<&str> {
        self.group.as_deref()?.strip_prefix("service:")
    }

    /// The cluster's name.
    pub fn cluster_name(&self) -> Option<&str> {
        let of_arn = || Arn::parse(&self.arn)?.cluster();
        self.cluster.as_deref().map(short).or_else(of_arn)
    }

    /// The region that it runs in.
    pub fn region(&self) -> Option<&str> {
        self.named().map(|arn| arn.region)
    }

    /// The account that it runs in.
    pub fn account(&self) -> Option<&str> {
        self.named().map(|arn| arn.account)
    }

    /// An ARN that says where it runs.
    fn named(&self) -> Option<Arn<'_>> {
        let texts = [
            Some(self.arn.as_str()),
            self.cluster.as_deref(),
            self.definition.as_deref(),
        ];
        texts.into_iter().flatten().find_map(Arn::parse)
    }

    /// How long its images were pulled, in milliseconds.
    pub fn pull_millis(&self) -> Option<u64> {
        self.pull_stopped?.since(self.pull_started?)
    }
}

impl Definition {
    /// `web:42`.
    pub fn name(&self) -> &str {
        short(&self.arn)
    }
}
