//! Which services run which task definitions.

use super::build::Document;
use super::service::TaskLink;
use crate::expression::value::{ResourceId, compatible};
use crate::kind::Kind;
use crate::table::Table;

/// Gives each task the services that run it: by the resource they name, by family, and a service that
/// names none to the only task definition in its folder.
pub(super) fn connect(documents: &mut [Document]) {
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
        let services = &mut documents[document].tasks[task].services;
        if !services.contains(&service) {
            services.push(service);
        }
    }
}
