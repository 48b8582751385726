//! Which services run which task definitions.

use super::build::Document;
use super::service::{Cluster, TaskLink};
use crate::expression::value::{ResourceId, compatible};
use crate::kind::Kind;
use crate::table::Table;

/// Gives each task the services that run it: by the resource they name, by family, and a service that
/// names none to the only task definition in its folder.
pub(super) fn connect(documents: &mut [Document]) {
    ask_clusters(documents);
    let mut links = Vec::new();
    let mut by_resource = Table::<&ResourceId, Vec<(usize, usize)>>::default();
    let mut by_family = Table::<&str, Vec<(usize, usize)>>::default();
    let mut by_folder = Table::<&str, Vec<(usize, usize)>>::default();
    for (at, document) in documents.iter().enumerate() {
        for (index, task) in document.tasks.iter().enumerate() {
            by_folder
                .or_insert(&document.folder, Vec::new())
                .push((at, index));
            if let Some(resource) = &task.resource {
                by_resource.or_insert(resource, Vec::new()).push((at, index));
            }
            if let Some(family) = &task.family {
                by_family.or_insert(family, Vec::new()).push((at, index));
            }
        }
    }
    for (at, document) in documents.iter().enumerate() {
        for (index, service) in document.services.iter().enumerate() {
            for link in &service.links {
                let found = match link {
                    TaskLink::Resource(resource) => by_resource.get(resource).map(Vec::as_slice),
                    TaskLink::Family(family) => by_family.get(family.as_str()).map(Vec::as_slice),
                    TaskLink::Absent | TaskLink::Open if document.kind == Kind::Service => {
                        let tasks = by_folder.get(document.folder.as_str()).map(Vec::as_slice);
                        tasks.filter(|tasks| tasks.len() == 1)
                    }
                    TaskLink::Absent | TaskLink::Open => None,
                };
                let both =
                    |task: &&(usize, usize)| compatible(&documents[task.0].tasks[task.1].when, &service.when);
                let tasks = found.into_iter().flatten().filter(both);
                links.extend(tasks.map(|task| (*task, (at, index))));
            }
        }
    }
    for ((document, task), service) in links {
        let decides = documents[service.0].services[service.1].pipeline_decides;
        let task = &mut documents[document].tasks[task];
        task.pipeline_decides = task.pipeline_decides.or(decides);
        if !task.services.contains(&service) {
            task.services.push(service);
        }
    }
}

/// A service that names neither a launch type nor providers has those of its cluster.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html> (2026-11-29)
fn ask_clusters(documents: &mut [Document]) {
    let clusters: Vec<&Cluster> = documents.iter().flat_map(|document| &document.clusters).collect();
    if clusters.iter().all(|cluster| cluster.providers.is_empty()) {
        return;
    }
    let is_named = |link: &TaskLink| matches!(link, TaskLink::Resource(_) | TaskLink::Family(_));
    let mut found = Vec::new();
    for (at, document) in documents.iter().enumerate() {
        for (index, service) in document.services.iter().enumerate() {
            if !service.launch_type.cases.is_empty() || !service.providers.is_empty() {
                continue;
            }
            // A cluster and its providers may be two resources, one called by what it is and one by name.
            let mut names: Vec<&TaskLink> = service.clusters.iter().filter(|link| is_named(link)).collect();
            for _ in 0..2 {
                let same = |cluster: &&&Cluster| cluster.names.iter().any(|name| names.contains(&name));
                let more: Vec<&TaskLink> = clusters
                    .iter()
                    .filter(same)
                    .flat_map(|cluster| &cluster.names)
                    .filter(|name| is_named(name))
                    .collect();
                names.extend(more);
            }
            let of_cluster = clusters
                .iter()
                .filter(|cluster| cluster.names.iter().any(|name| names.contains(&name)))
                .flat_map(|cluster| cluster.providers.clone());
            found.push((at, index, of_cluster.collect::<Vec<_>>()));
        }
    }
    for (at, index, providers) in found {
        documents[at].services[index].providers = providers;
    }
}
