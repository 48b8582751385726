//! What runs: lists in pages, then descriptions of many at once.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::DesiredStatus;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::convert;
use super::error::{Trouble, trouble};
use super::{Account, AccountError};
use crate::arn::{Arn, short};
use crate::running::Running;

/// What to look at.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// A cluster's name or ARN; without any, that of the tasks, or `default`.
    pub cluster: Option<String>,
    /// Every cluster of the region.
    pub all_clusters: bool,
    /// Services of the cluster; without any, all of them.
    pub services: Vec<String>,
    /// Tasks, by ARN or id, and nothing else.
    pub tasks: Vec<String>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// What runs.
    pub running: Running,
    /// What could not be found out.
    pub gaps: Vec<Gap>,
    /// How often each action was called.
    pub calls: BTreeMap<&'static str, usize>,
}

/// Something that is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// As in `the tasks of shop`.
    pub what: String,
    /// The permission that is missing, where that is the reason: `ecs:ListTasks`.
    pub permission: Option<&'static str>,
    /// AWS' words.
    pub problem: String,
}

/// How many calls are under way at once.
const AT_ONCE: usize = 8;

/// How many tasks are described, all together.
const MAX_TASKS: usize = 20_000;

/// How many the API describes in one call: tasks 100, services 10.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html>,
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html> (2026-11-29)
const TASKS_A_CALL: usize = 100;
const SERVICES_A_CALL: usize = 10;

impl Account {
    /// Lists and describes what is wanted.
    pub fn running(&self, wanted: &Wanted) -> Result<Found, AccountError> {
        if self.region().is_none() {
            return Err(AccountError::NoRegion);
        }
        let calls = Arc::new(Calls {
            client: Client::new(&self.config),
            seats: Semaphore::new(AT_ONCE),
            found: Mutex::default(),
        });
        self.wait(listing(&calls, wanted))?;
        let mut found = std::mem::take(&mut *calls.lock());
        // Calls end in any order.
        found.gaps.sort_by(|a, b| a.what.cmp(&b.what));
        found.running.sort();
        Ok(found)
    }
}

struct Calls {
    client: Client,
    seats: Semaphore,
    found: Mutex<Found>,
}

impl Calls {
    fn lock(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a call when there is a seat. What is denied or cannot be had is a gap, and `None`.
    async fn call<T, E>(
        &self,
        action: &'static str,
        what: &str,
        send: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<Option<T>, AccountError>
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let _seat = self.seats.acquire().await.expect("the semaphore is never closed");
        *self.lock().calls.entry(action).or_default() += 1;
        let (permission, problem) = match send.await {
            Ok(answer) => return Ok(Some(answer)),
            Err(error) => match trouble(&format!("ask for {what}"), &error) {
                Trouble::All(error) => return Err(error),
                Trouble::Denied(words) => (Some(action), words),
                Trouble::This(words) => (None, words),
            },
        };
        let what = what.to_owned();
        let gap = Gap {
            what,
            permission,
            problem,
        };
        let mut found = self.lock();
        if !found.gaps.contains(&gap) {
            found.gaps.push(gap);
        }
        Ok(None)
    }
}

/// Waits for all; the first error ends the others.
async fn all(mut work: JoinSet<Result<(), AccountError>>) -> Result<(), AccountError> {
    while let Some(done) = work.join_next().await {
        done.map_err(|error| AccountError::Runtime(error.to_string()))??;
    }
    Ok(())
}

async fn listing(calls: &Arc<Calls>, wanted: &Wanted) -> Result<(), AccountError> {
    if !wanted.tasks.is_empty() {
        return named_tasks(calls, wanted).await;
    }
    let clusters = match (wanted.all_clusters, &wanted.cluster) {
        (true, _) => clusters(calls).await?,
        (false, Some(cluster)) => vec![cluster.clone()],
        (false, None) => vec!["default".to_owned()],
    };
    let mut work = JoinSet::new();
    for cluster in clusters {
        match wanted.services.is_empty() {
            true => {
                work.spawn(services_of(calls.clone(), cluster.clone()));
                work.spawn(tasks_of(calls.clone(), cluster, None));
            }
            false => {
                work.spawn(describe_services(
                    calls.clone(),
                    cluster.clone(),
                    wanted.services.clone(),
                ));
                for service in &wanted.services {
                    work.spawn(tasks_of(
                        calls.clone(),
                        cluster.clone(),
                        Some(short(service).to_owned()),
                    ));
                }
            }
        }
    }
    all(work).await?;
    definitions(calls).await
}

/// Tasks that the user named, each in its own cluster.
async fn named_tasks(calls: &Arc<Calls>, wanted: &Wanted) -> Result<(), AccountError> {
    let mut by_cluster: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for task in &wanted.tasks {
        let own = Arn::parse(task).and_then(|arn| arn.cluster());
        let cluster = wanted.cluster.as_deref().or(own).unwrap_or("default");
        by_cluster
            .entry(cluster.to_owned())
            .or_default()
            .push(task.clone());
    }
    let mut work = JoinSet::new();
    for (cluster, tasks) in by_cluster {
        work.spawn(describe_tasks(calls.clone(), cluster, tasks));
    }
    all(work).await
}

async fn clusters(calls: &Arc<Calls>) -> Result<Vec<String>, AccountError> {
    let mut clusters = Vec::new();
    let mut token = None;
    loop {
        let send = calls.client.list_clusters().set_next_token(token).send();
        let Some(page) = calls.call("ecs:ListClusters", "the clusters", send).await? else {
            return Ok(clusters);
        };
        clusters.extend(page.cluster_arns().iter().cloned());
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            return Ok(clusters);
        }
    }
}

async fn services_of(calls: Arc<Calls>, cluster: String) -> Result<(), AccountError> {
    let what = format!("the services of {}", short(&cluster));
    let mut work = JoinSet::new();
    let mut token = None;
    loop {
        let list = calls.client.list_services().cluster(&cluster).max_results(100);
        let send = list.set_next_token(token).send();
        let Some(page) = calls.call("ecs:ListServices", &what, send).await? else {
            break;
        };
        let arns = page.service_arns().to_vec();
        if !arns.is_empty() {
            work.spawn(describe_services(calls.clone(), cluster.clone(), arns));
        }
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    all(work).await
}

async fn describe_services(
    calls: Arc<Calls>,
    cluster: String,
    arns: Vec<String>,
) -> Result<(), AccountError> {
    let what = format!("the services of {}", short(&cluster));
    for some in arns.chunks(SERVICES_A_CALL) {
        let describe = calls.client.describe_services().cluster(&cluster);
        let send = describe.set_services(Some(some.to_vec())).send();
        if let Some(answer) = calls.call("ecs:DescribeServices", &what, send).await? {
            let mut found = calls.lock();
            for service in answer.services() {
                found.running.add_service(convert::service(service));
            }
            for failure in answer.failures() {
                found.running.add_failure(failure.arn(), failure.reason());
            }
        }
    }
    Ok(())
}

async fn tasks_of(calls: Arc<Calls>, cluster: String, service: Option<String>) -> Result<(), AccountError> {
    let what = match &service {
        Some(service) => format!("the tasks of {service} in {}", short(&cluster)),
        None => format!("the tasks of {}", short(&cluster)),
    };
    let mut work = JoinSet::new();
    let mut token = None;
    let mut listed = 0;
    loop {
        let list = calls
            .client
            .list_tasks()
            .cluster(&cluster)
            .desired_status(DesiredStatus::Running);
        let list = list.set_service_name(service.clone()).max_results(100);
        let send = list.set_next_token(token).send();
        let Some(page) = calls.call("ecs:ListTasks", &what, send).await? else {
            break;
        };
        let arns = page.task_arns().to_vec();
        listed += arns.len();
        if !arns.is_empty() {
            work.spawn(describe_tasks(calls.clone(), cluster.clone(), arns));
        }
        token = page.next_token().map(str::to_owned);
        if token.is_some() && listed >= MAX_TASKS {
            calls.lock().gaps.push(Gap {
                what: what.clone(),
                permission: None,
                problem: format!("there are more than {MAX_TASKS}, and the others were not looked at"),
            });
            break;
        }
        if token.is_none() {
            break;
        }
    }
    all(work).await
}

async fn describe_tasks(calls: Arc<Calls>, cluster: String, arns: Vec<String>) -> Result<(), AccountError> {
    let what = format!("the tasks of {}", short(&cluster));
    for some in arns.chunks(TASKS_A_CALL) {
        let describe = calls.client.describe_tasks().cluster(&cluster);
        let send = describe.set_tasks(Some(some.to_vec())).send();
        if let Some(answer) = calls.call("ecs:DescribeTasks", &what, send).await? {
            let mut found = calls.lock();
            for task in answer.tasks() {
                found.running.add_task(convert::task(task));
            }
            for failure in answer.failures() {
                found.running.add_failure(failure.arn(), failure.reason());
            }
        }
    }
    Ok(())
}

/// The definitions of services of which no task runs: each once.
async fn definitions(calls: &Arc<Calls>) -> Result<(), AccountError> {
    let wanted: BTreeSet<String> = {
        let found = calls.lock();
        let running = &found.running;
        let seen: BTreeSet<(&str, &str)> = running
            .tasks()
            .iter()
            .filter_map(|task| Some((task.cluster_name()?, task.service()?)))
            .collect();
        running
            .services()
            .iter()
            .filter(|service| {
                let cluster = service.cluster.as_deref().map(short).unwrap_or_default();
                !seen.contains(&(cluster, service.name.as_str()))
            })
            .filter_map(|service| service.definition.clone())
            .collect()
    };
    let mut work = JoinSet::new();
    for name in wanted {
        let calls = calls.clone();
        work.spawn(async move {
            let what = format!("the task definition {}", short(&name));
            let send = calls
                .client
                .describe_task_definition()
                .task_definition(&name)
                .send();
            let answer = calls.call("ecs:DescribeTaskDefinition", &what, send).await?;
            if let Some(definition) = answer.as_ref().and_then(|answer| answer.task_definition()) {
                calls
                    .lock()
                    .running
                    .add_definition(convert::definition(definition));
            }
            Ok(())
        });
    }
    all(work).await
}
