//! CloudFormation templates: what they declare, and what their expressions come to.

mod attribute;
mod condition;
mod eval;
mod intrinsic;

use std::collections::BTreeMap;

use crate::source::{Node, TextRange};

pub(crate) use eval::Evaluator;

/// A template's declarations by name.
pub(crate) struct Template<'a> {
    pub(crate) parameters: BTreeMap<&'a str, Parameter<'a>>,
    pub(crate) mappings: Option<Node<'a>>,
    pub(crate) conditions: BTreeMap<&'a str, Node<'a>>,
    pub(crate) resources: BTreeMap<&'a str, Resource<'a>>,
    /// Resource names in the order of the file.
    pub(crate) order: Vec<&'a str>,
}

/// A parameter of the template.
pub(crate) struct Parameter<'a> {
    pub(crate) kind: &'a str,
    pub(crate) default: Option<Node<'a>>,
}

/// A resource of the template.
#[derive(Clone, Copy)]
pub(crate) struct Resource<'a> {
    pub(crate) name_range: TextRange,
    pub(crate) kind: &'a str,
    pub(crate) properties: Option<Node<'a>>,
    pub(crate) condition: Option<&'a str>,
}

impl<'a> Template<'a> {
    pub(crate) fn read(root: Node<'a>) -> Self {
        let section = |name: &str| root.get(name).filter(|node| node.is_mapping());
        let mut parameters = BTreeMap::new();
        for member in section("Parameters").into_iter().flat_map(Node::members) {
            let kind = member.value.get("Type").and_then(Node::as_str);
            let parameter = Parameter {
                kind: kind.unwrap_or("String"),
                default: member.value.get("Default"),
            };
            parameters.insert(member.key, parameter);
        }
        let mut conditions = BTreeMap::new();
        for member in section("Conditions").into_iter().flat_map(Node::members) {
            conditions.insert(member.key, member.value);
        }
        let mut resources = BTreeMap::new();
        let mut order = Vec::new();
        for member in section("Resources").into_iter().flat_map(Node::members) {
            let Some(kind) = member.value.get("Type").and_then(Node::as_str) else {
                continue;
            };
            let resource = Resource {
                name_range: member.key_range,
                kind,
                properties: member.value.get_set("Properties"),
                condition: member.value.get("Condition").and_then(Node::as_str),
            };
            if resources.insert(member.key, resource).is_none() {
                order.push(member.key);
            }
        }
        Self {
            parameters,
            mappings: section("Mappings"),
            conditions,
            resources,
            order,
        }
    }

    /// Resources of a type, in the order of the file.
    pub(crate) fn of_type(&self, kind: &str) -> impl Iterator<Item = (&'a str, Resource<'a>)> {
        self.order
            .iter()
            .map(|name| (*name, self.resources[name]))
            .filter(move |(_, resource)| resource.kind == kind)
    }
}
