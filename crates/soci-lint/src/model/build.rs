//! From trees to task definitions.

use super::connect::connect;
use super::image::classify;
use super::placement::{self, Placement};
use super::service::Service;
use super::task::{Compatibilities, Container, ImageCase, ImageField, Setting, Task};
use super::value::{Branch, Case, Hole, Symbolic};
use super::{Style, View};
use crate::Options;
use crate::cfn::{Evaluator, Template};
use crate::kind::{self, Kind};
use crate::source::{Node, TextRange};

/// One root of a file: what it is and what it defines.
pub(crate) struct Document<'a> {
    pub(crate) file: usize,
    pub(crate) kind: Kind,
    pub(crate) tasks: Vec<Task<'a>>,
    pub(crate) services: Vec<Service<'a>>,
    /// Values of the wrong type: what the key is, what it should be, what it is, where.
    pub(crate) wrong_types: Vec<WrongType>,
}

pub(crate) struct WrongType {
    pub(crate) key: String,
    pub(crate) wanted: &'static str,
    pub(crate) found: &'static str,
    pub(crate) range: TextRange,
}

/// A root with what must outlive its document.
pub(crate) struct Root<'a> {
    pub(crate) file: usize,
    pub(crate) path: &'a str,
    pub(crate) kind: Kind,
    pub(crate) node: Node<'a>,
    pub(crate) template: Option<Template<'a>>,
}

/// Builds the documents of all roots and connects services with the tasks they run.
pub(crate) fn documents<'a>(roots: &'a [Root<'a>], options: &'a Options) -> Vec<Document<'a>> {
    let mut documents: Vec<Document<'a>> = roots.iter().map(|root| document(root, options)).collect();
    connect(&mut documents, roots);
    for at in 0..documents.len() {
        let placements: Vec<Placement> = documents[at]
            .tasks
            .iter()
            .map(|task| placement::decide(&documents, at, task, options))
            .collect();
        for (task, placement) in documents[at].tasks.iter_mut().zip(placements) {
            task.placement = placement;
        }
    }
    documents
}

fn document<'a>(root: &'a Root<'a>, options: &'a Options) -> Document<'a> {
    let evaluator = Evaluator::new(root.template.as_ref(), &options.params);
    let mut builder = Builder {
        evaluator,
        wrong_types: Vec::new(),
        containers: 0,
    };
    let mut tasks = Vec::new();
    let mut services = Vec::new();
    let camel = |node| View {
        node,
        style: Style::Camel,
    };
    match root.kind {
        Kind::TaskDefinition | Kind::DescribeOutput => {
            let node = kind::wrapped_task(root.node).unwrap_or(root.node);
            tasks.push(builder.task(camel(node), None));
        }
        Kind::ContainerDefinitions => tasks.push(builder.fragment(root)),
        Kind::Service => services.extend(builder.plain_services(root.node)),
        Kind::Cloudformation => {
            if let Some(template) = &root.template {
                builder.template(template, &mut tasks, &mut services);
            }
        }
        _ => {}
    }
    Document {
        file: root.file,
        kind: root.kind,
        tasks,
        services,
        wrong_types: builder.wrong_types,
    }
}

pub(super) struct Builder<'a> {
    pub(super) evaluator: Evaluator<'a>,
    wrong_types: Vec<WrongType>,
    containers: usize,
}

/// ECS allows 10 containers in a task; a document with more than this in all is no real one.
const MAX_CONTAINERS: usize = 20_000;

impl<'a> Builder<'a> {
    fn template(
        &mut self,
        template: &'a Template<'a>,
        tasks: &mut Vec<Task<'a>>,
        services: &mut Vec<Service<'a>>,
    ) {
        let pascal = |node| View {
            node,
            style: Style::Pascal,
        };
        for (name, resource) in template.of_type("AWS::ECS::TaskDefinition") {
            if let Some(properties) = resource.properties {
                tasks.push(self.task(pascal(properties), Some((name, resource.name_range))));
            }
        }
        for (name, resource) in template
            .order
            .iter()
            .map(|name| (*name, template.resources[name]))
        {
            let Some(properties) = resource.properties else {
                continue;
            };
            let by_default = resource.condition.map(|name| self.evaluator.condition(name));
            if by_default.is_some_and(|truth| truth.is_false()) {
                continue;
            }
            let views = runners(resource.kind, pascal(properties));
            for (noun, view) in views {
                services.push(self.service(view, noun, (name.to_owned(), resource.name_range)));
            }
        }
    }

    fn task(&mut self, view: View<'a>, named: Option<(&str, TextRange)>) -> Task<'a> {
        let family = view.member("family");
        let (id, id_range) = match (named, family) {
            (Some((name, range)), _) => (name.to_owned(), range),
            (None, Some(family)) => {
                let cases = self.evaluator.text(family.value);
                let id = cases.first().map(|case| case.value.display());
                let id = id.filter(|id| !id.is_empty());
                (
                    id.unwrap_or_else(|| "(no family)".to_owned()),
                    family.value.range(),
                )
            }
            (None, None) => ("(no family)".to_owned(), opening(view.node)),
        };
        self.expect(view, "family", "a string", |node| node.scalar().is_some());
        self.expect(view, "containerDefinitions", "a list", Node::is_sequence);
        self.expect(view, "runtimePlatform", "an object", Node::is_mapping);
        self.expect(view, "ephemeralStorage", "an object", Node::is_mapping);
        self.expect(view, "networkMode", "a string", |node| node.as_str().is_some());
        self.expect(view, "requiresCompatibilities", "a list", Node::is_sequence);
        let platform = view.view("runtimePlatform");
        let platform_setting = |key: &str| match platform {
            Some(platform) => self.setting(platform, key),
            None => Setting::Absent,
        };
        let os = platform_setting("operatingSystemFamily");
        let architecture = platform_setting("cpuArchitecture");
        let ephemeral_storage = match view.view("ephemeralStorage") {
            Some(storage) => self.setting(storage, "sizeInGiB"),
            None => Setting::Absent,
        };
        let compatibilities = self.compatibilities(view);
        let network_mode = self.setting(view, "networkMode");
        let cpu = self.setting(view, "cpu");
        let memory = self.setting(view, "memory");
        let definitions = view.get("containerDefinitions");
        let containers = match definitions {
            Some(list) => self.containers(list, view.style),
            None => Vec::new(),
        };
        let region = self.region(view, &containers);
        Task {
            id,
            id_range,
            view: Some(view),
            compatibilities,
            network_mode,
            cpu,
            memory,
            os,
            architecture,
            ephemeral_storage,
            containers,
            has_containers_key: definitions.is_some(),
            placement: Placement::open(id_range),
            services: Vec::new(),
            region,
        }
    }

    /// A list of container definitions, or one.
    fn fragment(&mut self, root: &Root<'a>) -> Task<'a> {
        let containers = match root.node.is_mapping() {
            true => vec![self.container(root.node, Style::Camel, Vec::new())],
            false => self.containers(root.node, Style::Camel),
        };
        let name = root.path.rsplit(['/', '\\']).next().unwrap_or(root.path);
        let id_range = opening(root.node);
        Task {
            id: name.to_owned(),
            id_range,
            view: None,
            compatibilities: Compatibilities::default(),
            network_mode: Setting::Absent,
            cpu: Setting::Absent,
            memory: Setting::Absent,
            os: Setting::Absent,
            architecture: Setting::Absent,
            ephemeral_storage: Setting::Absent,
            containers,
            has_containers_key: true,
            placement: Placement::open(id_range),
            services: Vec::new(),
            region: None,
        }
    }

    fn containers(&mut self, list: Node<'a>, style: Style) -> Vec<Container<'a>> {
        let mut out = Vec::new();
        for list in self.evaluator.nodes(list) {
            if !list.node.is_sequence() || list.node.tag().is_some() {
                if !list.node.is_sequence() {
                    out.push(self.unresolved(list.node, list.when));
                }
                continue;
            }
            for item in list.node.items() {
                for found in self.evaluator.nodes(item) {
                    if self.containers >= MAX_CONTAINERS {
                        return out;
                    }
                    self.containers += 1;
                    let mut when = list.when.clone();
                    when.extend(found.when);
                    out.push(self.container(found.node, style, when));
                }
            }
        }
        out
    }

    fn container(&mut self, node: Node<'a>, style: Style, when: Vec<Branch>) -> Container<'a> {
        let is_call = style == Style::Pascal && (node.tag().is_some() || is_function(node));
        if !node.is_mapping() || is_call {
            return self.unresolved(node, when);
        }
        let view = View { node, style };
        self.expect(view, "name", "a string", |node| node.scalar().is_some());
        self.expect(view, "healthCheck", "an object", Node::is_mapping);
        self.expect(view, "dependsOn", "a list", Node::is_sequence);
        self.expect(view, "repositoryCredentials", "an object", Node::is_mapping);
        let name = view.member("name");
        let shown = name.map(|name| self.evaluator.text(name.value));
        let shown = shown
            .as_deref()
            .and_then(<[Case]>::first)
            .map(|case| case.value.display());
        Container {
            name: shown
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| "(no name)".to_owned()),
            view: Some(view),
            range: node.range(),
            name_range: name.map_or_else(|| opening(node), |name| name.value.range()),
            image: self.image(view, &when),
            when,
        }
    }

    fn image(&self, view: View<'a>, when: &[Branch]) -> ImageField {
        let Some(member) = view.member("image") else {
            return ImageField::Missing;
        };
        let node = member.value;
        let is_text = node.as_str().is_some();
        let is_call = view.style == Style::Pascal && (node.tag().is_some() || is_function(node));
        if !is_text && !is_call {
            return ImageField::WrongType(node.range(), node.type_name());
        }
        let cases = self.evaluator.text(node).into_iter();
        let cases: Vec<ImageCase> = cases
            .filter(|case| super::value::compatible(&case.when, when))
            .map(|case| ImageCase {
                image: classify(&case.value),
                case,
            })
            .collect();
        match cases.is_empty() {
            true => ImageField::Missing,
            false => ImageField::Cases(node.range(), cases),
        }
    }

    /// Something in the place of a container that cannot be looked into.
    fn unresolved(&mut self, node: Node<'a>, when: Vec<Branch>) -> Container<'a> {
        let cases = self.evaluator.text(node);
        let value = cases.first().map(|case| case.value.clone());
        let value = value.unwrap_or_else(|| Symbolic::text(node.written()));
        let hole = value.holes().next().cloned().unwrap_or_else(|| Hole {
            written: value.display(),
            why: format!("{} stands in the place of a container", node.type_name()),
            help: "lint the rendered file".to_owned(),
        });
        Container {
            name: "(not known)".to_owned(),
            view: None,
            range: node.range(),
            name_range: node.range(),
            when,
            image: ImageField::Unresolved(hole),
        }
    }

    fn compatibilities(&mut self, view: View<'a>) -> Compatibilities {
        let Some(member) = view.member("requiresCompatibilities") else {
            return Compatibilities::default();
        };
        let mut values = Vec::new();
        for list in self.evaluator.nodes(member.value) {
            let plain_list = list.node.is_sequence() && list.node.tag().is_none();
            let items: Vec<Node<'a>> = match plain_list {
                true => list.node.items().collect(),
                false => vec![list.node],
            };
            for item in items {
                for mut case in self.evaluator.text(item) {
                    let inner = std::mem::replace(&mut case.when, list.when.clone());
                    case.when.extend(inner);
                    values.push(case);
                }
            }
        }
        // Terraform and CDK leave an empty list behind for "nothing said".
        let range = (!values.is_empty()).then(|| {
            values
                .iter()
                .map(|case| case.range)
                .reduce(TextRange::cover)
                .unwrap_or(member.value.range())
        });
        Compatibilities { range, values }
    }

    pub(super) fn setting(&self, view: View<'a>, key: &str) -> Setting {
        let Some(member) = view.member(key) else {
            return Setting::Absent;
        };
        let cases = self.evaluator.text(member.value);
        let empty = member.value.as_str() == Some("");
        match cases.is_empty() || empty {
            true => Setting::Absent,
            false => Setting::Set {
                cases,
                range: member.value.range(),
            },
        }
    }

    /// The region that logs go to, or that is part of the definition's ARN.
    fn region(&self, view: View<'a>, containers: &[Container<'a>]) -> Option<(String, TextRange)> {
        if let Some(arn) = view.get("taskDefinitionArn")
            && let Some(region) = arn.as_str().and_then(|arn| arn.split(':').nth(3))
            && !region.is_empty()
        {
            return Some((region.to_owned(), arn.range()));
        }
        containers.iter().find_map(|container| {
            let options = container.view?.view("logConfiguration")?.get("options")?;
            let region = options.get("awslogs-region")?;
            let text = region.as_str().filter(|_| region.tag().is_none())?;
            let plain = text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            (plain && text.contains('-')).then(|| (text.to_owned(), region.range()))
        })
    }

    fn expect(&mut self, view: View<'a>, key: &str, wanted: &'static str, fits: impl Fn(Node<'a>) -> bool) {
        let Some(member) = view.member(key) else {
            return;
        };
        let node = member.value;
        let is_call = view.style == Style::Pascal && (node.tag().is_some() || is_function(node));
        let is_template = node.as_str().is_some_and(super::template_words::has_words);
        if fits(node) || is_call || is_template {
            return;
        }
        self.wrong_types.push(WrongType {
            key: member.key.to_owned(),
            wanted,
            found: node.type_name(),
            range: node.range(),
        });
    }
}

/// The parts of a resource that run tasks: what to call it, and where launch type and platform version stand.
fn runners<'a>(kind: &str, properties: View<'a>) -> Vec<(&'static str, View<'a>)> {
    match kind {
        "AWS::ECS::Service" => vec![("service", properties)],
        "AWS::ECS::TaskSet" => vec![("task set", properties)],
        "AWS::Events::Rule" => properties
            .items("targets")
            .filter_map(|target| Some(("rule", target.view("ecsParameters")?)))
            .collect(),
        "AWS::Scheduler::Schedule" => properties
            .view("target")
            .and_then(|target| Some(("schedule", target.view("ecsParameters")?)))
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

/// An object with one key that is an intrinsic function's.
fn is_function(node: Node<'_>) -> bool {
    node.len() == 1
        && node
            .members()
            .next()
            .is_some_and(|member| member.key == "Ref" || member.key.starts_with("Fn::"))
}

/// The first byte of a value: where an object or a list begins.
pub(super) fn opening(node: Node<'_>) -> TextRange {
    let range = node.range();
    let written = node.written();
    if written.starts_with(['{', '[']) {
        return TextRange::new(range.start, range.start + 1);
    }
    match node.members().next() {
        Some(member) => member.key_range,
        None => {
            let line = written.lines().next().unwrap_or("").trim_end();
            TextRange::new(range.start, range.start + line.len())
        }
    }
}
