//! From trees to services.

use super::build::{Builder, opening};
use super::service::{Service, TaskLink};
use super::{Style, View};
use crate::source::{Node, TextRange};

impl<'a> Builder<'a> {
    /// A service document, or the services of `describe-services`.
    pub(super) fn plain_services(&mut self, root: Node<'a>) -> Vec<Service<'a>> {
        let root = root
            .get("service")
            .filter(|node| node.is_mapping())
            .unwrap_or(root);
        let nodes: Vec<Node<'a>> = match root.get("services") {
            Some(list) if list.is_sequence() => list.items().collect(),
            _ => vec![root],
        };
        nodes
            .into_iter()
            .filter(|node| node.is_mapping())
            .map(|node| {
                let view = View {
                    node,
                    style: Style::Camel,
                };
                let name = view.member("serviceName");
                let named = name.and_then(|name| Some((name.value.scalar()?, name.value.range())));
                let (name, range) = named.unwrap_or(("(no name)", opening(node)));
                self.service(view, "service", (name.to_owned(), range))
            })
            .collect()
    }

    pub(super) fn service(
        &mut self,
        view: View<'a>,
        noun: &'static str,
        (name, name_range): (String, TextRange),
    ) -> Service<'a> {
        let mut providers = Vec::new();
        for list in view
            .get("capacityProviderStrategy")
            .map(|node| self.evaluator.nodes(node))
            .into_iter()
            .flatten()
        {
            for item in list.node.items() {
                for entry in self.evaluator.nodes(item) {
                    let entry_view = View {
                        node: entry.node,
                        style: view.style,
                    };
                    if let Some(provider) = entry_view.get("capacityProvider") {
                        let mut cases = self.evaluator.text(provider);
                        for case in &mut cases {
                            case.when.extend(list.when.iter().chain(&entry.when).cloned());
                        }
                        providers.extend(cases);
                    }
                }
            }
        }
        Service {
            name,
            name_range,
            view,
            noun,
            task: self.task_link(view),
            launch_type: self.setting(view, "launchType"),
            providers,
            platform_version: self.setting(view, "platformVersion"),
        }
    }

    fn task_link(&self, view: View<'a>) -> TaskLink {
        let named = view
            .get("taskDefinition")
            .or_else(|| view.get("taskDefinitionArn"));
        let Some(node) = named else {
            return TaskLink::Absent;
        };
        let logical = match (node.tag(), node.scalar()) {
            (Some("Ref" | "GetAtt"), Some(name)) => Some(name),
            (Some("Sub"), Some(text)) => text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')),
            (Some("GetAtt"), None) => node.items().next().and_then(Node::scalar),
            _ if view.style == Style::Pascal => node
                .get("Ref")
                .and_then(Node::scalar)
                .or_else(|| node.get("Fn::GetAtt")?.items().next()?.scalar()),
            _ => None,
        };
        if let Some(name) = logical {
            let name = name.split('.').next().unwrap_or(name);
            return TaskLink::Logical(name.to_owned());
        }
        match self.evaluator.text(node).as_slice() {
            [case] => case.value.known().map_or(TaskLink::Open, |text| {
                let tail = text.rsplit('/').next().unwrap_or(&text);
                TaskLink::Family(tail.split(':').next().unwrap_or(tail).to_owned())
            }),
            _ => TaskLink::Open,
        }
    }
}
