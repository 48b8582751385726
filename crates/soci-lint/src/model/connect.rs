//! Which services run which task definitions.

use std::collections::BTreeMap;

use super::build::{Document, Root};
use super::service::TaskLink;
use crate::kind::Kind;

/// Gives each task the services that run it: by logical id in a template, by family anywhere, and a
/// service that names none to the only task definition in its folder.
pub(super) fn connect(documents: &mut [Document<'_>], roots: &[Root<'_>]) {
    let folder = |at: usize| {
        let path = roots[at].path;
        path.rfind(['/', '\\']).map_or("", |slash| &path[..slash])
    };
    let mut links = Vec::new();
    let mut by_family = BTreeMap::<&str, Vec<(usize, usize)>>::new();
    let mut by_folder = BTreeMap::<&str, Vec<(usize, usize)>>::new();
    for (at, document) in documents.iter().enumerate() {
        for (index, task) in document.tasks.iter().enumerate() {
            by_folder.entry(folder(at)).or_default().push((at, index));
            if document.kind != Kind::Cloudformation {
                by_family.entry(&task.id).or_default().push((at, index));
            }
        }
    }
    for (at, document) in documents.iter().enumerate() {
        let names = document.tasks.iter().enumerate();
        let by_name: BTreeMap<&str, usize> = names.map(|(index, task)| (task.id.as_str(), index)).collect();
        for (index, service) in document.services.iter().enumerate() {
            let service_at = (at, index);
            match &service.task {
                TaskLink::Logical(name) => {
                    let task = by_name.get(name.as_str());
                    links.extend(task.map(|task| ((at, *task), service_at)));
                }
                TaskLink::Family(family) => {
                    let tasks = by_family.get(family.as_str()).into_iter().flatten();
                    links.extend(tasks.map(|task| (*task, service_at)));
                }
                TaskLink::Absent | TaskLink::Open if document.kind == Kind::Service => {
                    if let Some([task]) = by_folder.get(folder(at)).map(Vec::as_slice) {
                        links.push((*task, service_at));
                    }
                }
                TaskLink::Absent | TaskLink::Open => {}
            }
        }
    }
    for ((document, task), service) in links {
        documents[document].tasks[task].services.push(service);
    }
}
