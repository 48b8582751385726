//! What the API takes and prints: task definitions, lists of containers, services.

use super::{Declared, Document, Role, Root, opening_of};
use crate::detect::wrapped_task;
use crate::expression::{Dialect, Evaluator, Expr, Scope, Thunk};
use crate::kind::Kind;
use crate::source::Node;

pub(super) fn declare<'a>(evaluator: &Evaluator<'a>, root: &Root<'a>, path: &str, out: &mut Document<'a>) {
    let mut add = |node: Node<'a>, role: Role| {
        let thunk = Thunk::new(Expr::node(root.file, node, Dialect::Plain), &Scope::Plain);
        for body in evaluator.eval(&thunk) {
            let opening = opening_of(evaluator, &body);
            let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
            out.declared.push(Declared {
                role,
                id: (role == Role::Containers).then(|| (name.to_owned(), opening)),
                resource: None,
                body,
                opening,
                ignores_containers: None,
            });
        }
    };
    match root.kind {
        Kind::ContainerDefinitions => add(root.node, Role::Containers),
        Kind::Service => {
            for node in services(root.node) {
                add(node, Role::Service("service"));
            }
        }
        _ => add(wrapped_task(root.node).unwrap_or(root.node), Role::Task),
    }
}

/// A service document, or the services of `describe-services`.
fn services(root: Node<'_>) -> Vec<Node<'_>> {
    let root = root
        .get("service")
        .filter(|node| node.is_mapping())
        .unwrap_or(root);
    let nodes: Vec<Node<'_>> = match root.get("services") {
        Some(list) if list.is_sequence() => list.items().collect(),
        _ => vec![root],
    };
    nodes.into_iter().filter(|node| node.is_mapping()).collect()
}
