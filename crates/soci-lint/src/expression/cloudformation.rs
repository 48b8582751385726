//! CloudFormation templates: what they declare, and their intrinsic functions in the one form.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::form::{Access, Dialect, Expr, ExprKind, Form, Operation, Part, Reference, Test};
use super::value::Hole;
use super::words;
use crate::source::{Member, Node, Place};
use crate::table::Table;

/// A template's declarations by name.
pub(crate) struct Template<'a> {
    pub(crate) document: usize,
    pub(crate) file: usize,
    pub(crate) parameters: Table<&'a str, Parameter<'a>>,
    pub(crate) mappings: Table<&'a str, Node<'a>>,
    pub(crate) conditions: Table<&'a str, Node<'a>>,
    /// In the order of the file.
    pub(crate) resources: Vec<Resource<'a>>,
    by_name: Table<String, usize>,
}

/// A parameter of the template.
pub(crate) struct Parameter<'a> {
    pub(crate) kind: &'a str,
    pub(crate) default: Option<Node<'a>>,
    pub(crate) allowed: Option<Node<'a>>,
}

/// A resource of the template.
#[derive(Clone)]
pub(crate) struct Resource<'a> {
    pub(crate) name: String,
    pub(crate) name_place: Place,
    pub(crate) kind: &'a str,
    pub(crate) properties: Option<Node<'a>>,
    pub(crate) condition: Option<&'a str>,
    /// Names of the loops it is made in, with their values here.
    pub(crate) bound: Vec<(&'a str, String)>,
}

/// Resources that loops make, at most.
const MAX_LOOPED: usize = 512;

impl<'a> Template<'a> {
    pub(crate) fn read(
        file: usize,
        document: usize,
        root: Node<'a>,
        params: &BTreeMap<String, String>,
    ) -> Self {
        let section = |name: &str| {
            let found = root.get(name).filter(|node| node.is_mapping());
            found.map(Node::merged_members).unwrap_or_default()
        };
        let parameter = |member: Member<'a>| {
            let kind = member.value.get("Type").and_then(Node::as_str);
            let parameter = Parameter {
                kind: kind.unwrap_or("String"),
                default: member.value.get("Default"),
                allowed: member.value.get("AllowedValues"),
            };
            (member.key, parameter)
        };
        let plain = |member: Member<'a>| (member.key, member.value);
        let mut template = Self {
            document,
            file,
            parameters: Table::default(),
            mappings: Table::default(),
            conditions: Table::default(),
            resources: Vec::new(),
            by_name: Table::default(),
        };
        // Collecting would sort first, which is much code for few names.
        template
            .parameters
            .extend(section("Parameters").into_iter().map(parameter));
        template
            .mappings
            .extend(section("Mappings").into_iter().map(plain));
        template
            .conditions
            .extend(section("Conditions").into_iter().map(plain));
        for member in section("Resources") {
            template.declare(member, &[], params);
        }
        template
    }

    pub(crate) fn resource(&self, name: &str) -> Option<&Resource<'a>> {
        self.by_name.get(name).map(|&at| &self.resources[at])
    }

    fn declare(
        &mut self,
        member: Member<'a>,
        bound: &[(&'a str, String)],
        params: &BTreeMap<String, String>,
    ) {
        if self.resources.len() >= MAX_LOOPED && !bound.is_empty() {
            return;
        }
        if member.key.starts_with("Fn::ForEach::") {
            self.declare_loop(member.value, bound, params);
            return;
        }
        let Some(kind) = member.value.get("Type").and_then(Node::as_str) else {
            return;
        };
        let mut name = member.key.to_owned();
        for (variable, value) in bound {
            name = name
                .replace(&format!("${{{variable}}}"), value)
                .replace(&format!("&{{{variable}}}"), &alphanumeric(value));
        }
        let resource = Resource {
            name: name.clone(),
            name_place: Place::new(self.file, member.key_range),
            kind,
            properties: member.value.get_set("Properties"),
            condition: member.value.get("Condition").and_then(Node::as_str),
            bound: bound.to_vec(),
        };
        match self.by_name.get(&name) {
            Some(&at) => self.resources[at] = resource,
            None => {
                self.by_name.insert(name, self.resources.len());
                self.resources.push(resource);
            }
        }
    }

    /// `Fn::ForEach::Name: [Variable, [values], {members}]`.
    /// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-foreach.html> (2026-11-28)
    fn declare_loop(
        &mut self,
        node: Node<'a>,
        bound: &[(&'a str, String)],
        params: &BTreeMap<String, String>,
    ) {
        let parts: Vec<Node<'a>> = node.items().take(3).collect();
        let [variable, values, members] = parts.as_slice() else {
            return;
        };
        let Some(variable) = variable.as_str().filter(|_| bound.len() < 4) else {
            return;
        };
        let values: Vec<String> = match self.looped_over(*values, params) {
            Some(values) => values,
            // The values are not known: one resource stands for all.
            None => vec![format!("${{{variable}}}")],
        };
        for value in values.into_iter().take(MAX_LOOPED) {
            let mut bound = bound.to_vec();
            bound.push((variable, value));
            for member in members.merged_members() {
                self.declare(member, &bound, params);
            }
        }
    }

    fn looped_over(&self, values: Node<'a>, params: &BTreeMap<String, String>) -> Option<Vec<String>> {
        if values.is_sequence() && values.tag().is_none() {
            return values
                .items()
                .map(|item| item.scalar().map(str::to_owned))
                .collect();
        }
        let (function, argument) = call(values, false)?;
        let name = argument.scalar().filter(|_| function == "Ref")?;
        let parameter = self.parameters.get(name)?;
        let text = params
            .get(name)
            .map(String::as_str)
            .or_else(|| parameter.default?.scalar())?;
        Some(text.split(',').map(|item| item.trim().to_owned()).collect())
    }
}

fn alphanumeric(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// The function that a node calls, without `Fn::`, and its argument. In the short form that is the node
/// itself, whose tag was looked at.
fn call(node: Node<'_>, bare: bool) -> Option<(&str, Node<'_>)> {
    if let Some(tag) = node.tag().filter(|_| !bare) {
        return Some((tag, node));
    }
    if !node.is_mapping() || node.len() != 1 {
        return None;
    }
    let member = node.members().next()?;
    let function = match member.key {
        "Ref" | "Condition" => member.key,
        key => key.strip_prefix("Fn::")?,
    };
    Some((function, member.value))
}

/// An intrinsic function in the one form; `None` if the node calls none.
pub(super) fn lower<'a>(
    file: usize,
    node: Node<'a>,
    bare: bool,
    params: &'a BTreeMap<String, String>,
) -> Option<Form<'a>> {
    let (function, argument) = call(node, bare)?;
    let expr = |node: Node<'a>| Expr::node(file, node, Dialect::Cloudformation);
    // The argument of a short form must not be taken for the call again.
    let whole = Expr {
        file,
        kind: ExprKind::Node {
            node: argument,
            dialect: Dialect::Cloudformation,
            bare: node.tag().is_some() && !bare,
        },
    };
    let arguments = || argument.items().map(expr).collect::<Vec<_>>();
    Some(match function {
        "Ref" => match argument.scalar() {
            Some("AWS::NoValue") => Form::Absent,
            Some(name) => Form::Reference(named(name)),
            // A name that is made of others, which loops allow.
            None => Form::Call("ref", vec![whole]),
        },
        "GetAtt" => match (get_att(argument), arguments().as_slice()) {
            (Some(reference), _) => Form::Reference(reference),
            (None, [name, attribute]) => Form::Call("ref", vec![*name, *attribute]),
            (None, _) => unknown("GetAtt"),
        },
        "If" => match arguments().as_slice() {
            [_, yes, no] => {
                let name = argument.items().next().and_then(Node::scalar).unwrap_or("");
                Form::Conditional {
                    label: Cow::Borrowed(name),
                    test: Test::Named(Cow::Borrowed(name)),
                    yes: Some(*yes),
                    no: Some(*no),
                }
            }
            _ => unknown("If"),
        },
        "Condition" => match argument.as_str() {
            Some(name) => Form::Conditional {
                label: Cow::Borrowed(name),
                test: Test::Named(Cow::Borrowed(name)),
                yes: None,
                no: None,
            },
            None => return None,
        },
        "Equals" => Form::Operation(Operation::Equal, arguments()),
        "Not" => Form::Operation(Operation::Not, arguments()),
        "And" => Form::Operation(Operation::And, arguments()),
        "Or" => Form::Operation(Operation::Or, arguments()),
        "Sub" => substitute(file, argument, params),
        "Join" => Form::Call("join", arguments()),
        "Select" => Form::Call("select", arguments()),
        "Split" => Form::Call("split", arguments()),
        "FindInMap" => Form::Call("find_in_map", arguments()),
        "Length" => Form::Call("length", vec![whole]),
        "ToJsonString" => Form::Call("jsonencode", vec![whole]),
        "ImportValue" => Form::Call("import_value", vec![whole]),
        "Transform" => unknown("Transform"),
        other => unknown(other),
    })
}

fn unknown<'a>(function: &str) -> Form<'a> {
    let why = format!("`Fn::{function}` is not evaluated");
    Form::Hole(Hole::new(format!("${{Fn::{function}}}"), why, ""))
}

pub(super) fn named(name: &str) -> Reference<'_> {
    Reference {
        root: Cow::Borrowed(name),
        path: Vec::new(),
        written: Cow::Borrowed(name),
    }
}

/// `A.B` or `[A, B]`; an attribute may have dots of its own.
fn get_att(argument: Node<'_>) -> Option<Reference<'_>> {
    let (name, attribute) = match argument.as_str() {
        Some(text) => text.split_once('.')?,
        None => {
            let mut items = argument.items();
            (items.next()?.as_str()?, items.next()?.as_str().unwrap_or("…"))
        }
    };
    Some(attribute_of(name, attribute))
}

fn attribute_of<'a>(name: &'a str, attribute: &'a str) -> Reference<'a> {
    Reference {
        root: Cow::Borrowed(name),
        path: vec![Access::Attribute(Cow::Borrowed(attribute))],
        written: Cow::Owned(format!("{name}.{attribute}")),
    }
}

/// `Sub` of a text, or of a list of the text and a map of names.
fn substitute<'a>(file: usize, argument: Node<'a>, params: &'a BTreeMap<String, String>) -> Form<'a> {
    let mut items = argument.items();
    let (text, map) = match argument.as_str() {
        Some(text) => (Some(text), None),
        None => (items.next().and_then(Node::as_str), items.next()),
    };
    let Some(text) = text else {
        return unknown("Sub");
    };
    let mut parts = Vec::new();
    let literal = |text: &'a str, parts: &mut Vec<Part<'a>>| match words::parts(text, params, false) {
        Some(found) => parts.extend(found),
        None if text.is_empty() => {}
        None => parts.push(Part::Text(Cow::Borrowed(text))),
    };
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let Some(end) = rest[at..].find('}') else {
            break;
        };
        literal(&rest[..at], &mut parts);
        let name = rest[at + 2..at + end].trim();
        rest = &rest[at + end + 1..];
        let given = map.and_then(|map| map.get(name));
        parts.push(match (name.strip_prefix('!'), given, name.split_once('.')) {
            (Some(kept), ..) => Part::Text(Cow::Owned(format!("${{{kept}}}"))),
            (_, Some(value), _) => Part::Expr(Expr::node(file, value, Dialect::Cloudformation)),
            (.., Some((name, attribute))) => Part::Reference(attribute_of(name, attribute)),
            _ => Part::Reference(named(name)),
        });
    }
    literal(rest, &mut parts);
    // A text of one part stays a text.
    parts.push(Part::Text(Cow::Borrowed("")));
    Form::Text(parts)
}
