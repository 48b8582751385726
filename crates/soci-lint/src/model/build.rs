//! From what documents declare to task definitions.

use super::connect::connect;
use super::image::classify;
use super::placement::{self, Placement};
use super::service::{Cluster, Service};
use super::task::{Compatibilities, Container, Dependency, HealthCheck, ImageCase, ImageField, Task};
use crate::Options;
use crate::documents::{Declared, Document as Declaring, Role, Unread};
use crate::expression::value::Branch;
use crate::expression::{
    Case, Evaluator, Field, Hole, Setting, Symbolic, Value, field, items, setting, texts_under,
};
use crate::kind::Kind;
use crate::source::Place;
use crate::terms::Consumer;

/// One document: what it is and what it defines.
pub(crate) struct Document {
    pub(crate) kind: Kind,
    /// Where services without a name for their task look for one.
    pub(crate) folder: String,
    pub(crate) tasks: Vec<Task>,
    pub(crate) services: Vec<Service>,
    pub(crate) functions: Vec<Function>,
    pub(super) clusters: Vec<Cluster>,
    /// Values of the wrong type.
    pub(crate) wrong_types: Vec<WrongType>,
    /// Resources with containers in them that are not read.
    pub(crate) unread: Vec<Unread>,
}

impl Document {
    /// Whether nothing in it runs containers, or would if it were read.
    pub(crate) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
            && self.services.is_empty()
            && self.functions.is_empty()
            && self.unread.is_empty()
    }
}

/// A Lambda function out of an image.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) image: Vec<ImageCase>,
}

pub(crate) struct WrongType {
    pub(crate) key: String,
    pub(crate) wanted: &'static str,
    pub(crate) found: &'static str,
    pub(crate) place: Place,
}

/// Builds the documents and connects services with the tasks they run.
pub(crate) fn documents<'a>(
    evaluator: &Evaluator<'a>,
    declaring: &[Declaring<'a>],
    options: &Options,
) -> Vec<Document> {
    let mut documents: Vec<Document> = declaring.iter().map(|found| document(evaluator, found)).collect();
    connect(&mut documents);
    for at in 0..documents.len() {
        let placements: Vec<Placement> = documents[at]
            .tasks
            .iter()
            .map(|task| placement::decide(&documents, task, options))
            .collect();
        for (task, placement) in documents[at].tasks.iter_mut().zip(placements) {
            task.placement = placement;
            task.consumer = options.consumer;
        }
    }
    documents
}

fn document<'a>(evaluator: &Evaluator<'a>, declaring: &Declaring<'a>) -> Document {
    evaluator.begin_document(declaring.size);
    let mut builder = Builder {
        evaluator,
        wrong_types: Vec::new(),
        containers: 0,
    };
    let mut document = Document {
        kind: declaring.kind,
        folder: declaring.folder.clone(),
        tasks: Vec::new(),
        services: Vec::new(),
        functions: Vec::new(),
        clusters: Vec::new(),
        wrong_types: Vec::new(),
        unread: declaring.unread.clone(),
    };
    for declared in &declaring.declared {
        match declared.role {
            Role::Task | Role::Module | Role::Call | Role::Job => document.tasks.push(builder.task(declared)),
            Role::Containers => document.tasks.push(builder.fragment(declared)),
            Role::Function => document.functions.extend(builder.function(declared)),
            Role::Cluster => document.clusters.push(builder.cluster(declared)),
            Role::Service(noun) => document.services.push(builder.service(declared, noun)),
        }
    }
    document.wrong_types = builder.wrong_types;
    document
}

/// An object in the place of a list is no container: what it is, is not known.
fn listed(mut list: Field<'_>) -> Field<'_> {
    for case in &mut list.cases {
        if matches!(case.value, Value::Object(_)) {
            let hole = Hole::new(
                "(…)",
                "an object stands in its place",
                "write a list of containers",
            );
            case.value = hole.into();
        }
    }
    list
}

/// Whether it is there as far as defaults say.
fn possible(found: &Field<'_>) -> bool {
    let there = |case: &Case<Value<'_>>| !case.value.is_absent() && !case.is_against_default();
    found.cases.iter().any(there)
}

pub(super) struct Builder<'e, 'a> {
    pub(super) evaluator: &'e Evaluator<'a>,
    wrong_types: Vec<WrongType>,
    containers: usize,
}

/// ECS allows 10 containers in a task; a document with more than this in all is no real one.
const MAX_CONTAINERS: usize = 20_000;

impl<'a> Builder<'_, 'a> {
    fn task(&mut self, declared: &Declared<'a>) -> Task {
        let body = &declared.body.value;
        self.expect(body, "family", "a string", |value| {
            matches!(value, Value::Scalar { .. })
        });
        self.expect(body, "containerDefinitions", "a list", |value| {
            matches!(value, Value::List(_))
        });
        self.expect(body, "runtimePlatform", "an object", |value| {
            matches!(value, Value::Object(_))
        });
        self.expect(body, "ephemeralStorage", "an object", |value| {
            matches!(value, Value::Object(_))
        });
        self.expect(body, "networkMode", "a string", |value| {
            value.type_name() == "a string"
        });
        self.expect(body, "requiresCompatibilities", "a list", |value| {
            matches!(value, Value::List(_))
        });
        let family = field(self.evaluator, body, "family").map(|field| (field.place, field.setting()));
        let (id, id_place) = match (&declared.id, &family) {
            (Some((id, place)), _) => (id.clone(), *place),
            (None, Some((place, family))) => {
                let id = family.cases.first().map(|case| case.value.display());
                (id.unwrap_or_else(|| "(no family)".to_owned()), *place)
            }
            (None, None) => ("(no family)".to_owned(), declared.opening),
        };
        let of = |outer: &str, name: &str| {
            let outer = field(self.evaluator, body, outer);
            outer.map_or_else(Setting::default, |field| field.inner(self.evaluator, name))
        };
        let os = of("runtimePlatform", "operatingSystemFamily");
        let architecture = of("runtimePlatform", "cpuArchitecture");
        let ephemeral_storage = of("ephemeralStorage", "sizeInGiB");
        let plain = |name: &str| setting(self.evaluator, body, name);
        let (network_mode, cpu, memory) = (plain("networkMode"), plain("cpu"), plain("memory"));
        let platform_version = match declared.role {
            Role::Job | Role::Module => plain("platformVersion"),
            _ => Setting::default(),
        };
        let compatibilities = self.compatibilities(body);
        let definitions = field(self.evaluator, body, "containerDefinitions");
        let has_containers_key = definitions.is_some();
        let when = declared.body.when.clone();
        let containers = match definitions {
            Some(list) => self.containers(&listed(list), &when),
            None => Vec::new(),
        };
        let region = self.region(body).or_else(|| {
            containers
                .iter()
                .find_map(|container| container.log_region.clone())
        });
        Task {
            id,
            id_place,
            role: declared.role,
            resource: declared.resource.clone(),
            family: family.and_then(|(_, family)| family.known()),
            is_whole: declared.role != Role::Call,
            when,
            compatibilities,
            network_mode,
            cpu,
            memory,
            os,
            architecture,
            ephemeral_storage,
            platform_version,
            containers,
            has_containers_key,
            pipeline_decides: declared.ignores_containers,
            consumer: Consumer::default(),
            placement: Placement::open(id_place),
            services: Vec::new(),
            region,
        }
    }

    /// A function that is made of an image; most are made of a file.
    fn function(&self, declared: &Declared<'a>) -> Option<Function> {
        let found = field(self.evaluator, &declared.body.value, "imageUri")?;
        let cases = texts_under(&found.cases, &declared.body.when);
        let image = cases.into_iter().map(|case| ImageCase {
            image: classify(&case.value),
            case,
        });
        Some(Function {
            name: declared.id.as_ref().map(|(id, _)| id.clone())?,
            image: image.collect(),
        })
    }

    /// A list of container definitions, or one.
    fn fragment(&mut self, declared: &Declared<'a>) -> Task {
        let list = Field {
            key: "".into(),
            key_place: declared.opening,
            place: declared.body.place,
            cases: vec![declared.body.clone()],
        };
        let containers = self.containers(&list, &[]);
        let (id, _) = declared.id.clone().unwrap_or_default();
        Task {
            id,
            is_whole: false,
            containers,
            has_containers_key: true,
            ..Task::empty(declared.opening)
        }
    }

    fn containers(&mut self, list: &Field<'a>, when: &[Branch]) -> Vec<Container> {
        let mut out: Vec<Container> = Vec::new();
        let mut seen = crate::table::Table::<Place, usize>::default();
        for mut item in items(self.evaluator, &list.cases) {
            if self.containers >= MAX_CONTAINERS {
                break;
            }
            if !item.under_branches(when) {
                continue;
            }
            let container = self.container(&item);
            // What stands in both ways of a condition is one container.
            if let Some(&before) = seen.get(&container.place)
                && out[before].is_like(&container)
            {
                out[before].when.retain(|branch| container.when.contains(branch));
                continue;
            }
            self.containers += 1;
            seen.insert(container.place, out.len());
            out.push(container);
        }
        out
    }

    fn container(&mut self, item: &Case<Value<'a>>) -> Container {
        let Value::Object(object) = &item.value else {
            return self.unresolved(item);
        };
        let body = &item.value;
        self.expect(body, "name", "a string", |value| {
            matches!(value, Value::Scalar { .. })
        });
        self.expect(body, "healthCheck", "an object", |value| {
            matches!(value, Value::Object(_))
        });
        self.expect(body, "dependsOn", "a list", |value| {
            matches!(value, Value::List(_))
        });
        self.expect(body, "repositoryCredentials", "an object", |value| {
            matches!(value, Value::Object(_))
        });
        let evaluator = self.evaluator;
        let name = field(evaluator, body, "name");
        let shown = name
            .as_ref()
            .and_then(|name| Some(name.setting().cases.first()?.value.display()));
        let opening = object
            .members
            .first()
            .map_or(item.place, |member| member.key_place);
        let opening = crate::documents::opening(evaluator, item.place, opening);
        Container {
            name: shown
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| "(no name)".to_owned()),
            is_known: true,
            place: item.place,
            name_place: name.map_or(opening, |name| name.place),
            image: self.image(item),
            when: item.when.clone(),
            credentials: field(evaluator, body, "repositoryCredentials")
                .filter(|field| possible(field))
                .map(|field| field.key_place),
            health_check: field(evaluator, body, "healthCheck").and_then(|found| self.health_check(&found)),
            start_timeout: setting(evaluator, body, "startTimeout"),
            depends_on: field(evaluator, body, "dependsOn")
                .map(|found| self.dependencies(&found))
                .unwrap_or_default(),
            log_region: self.log_region(body),
        }
    }

    fn image(&self, item: &Case<Value<'a>>) -> ImageField {
        let Some(found) = field(self.evaluator, &item.value, "image") else {
            return match &item.value {
                Value::Object(object) => match &object.more {
                    Some(hole) => ImageField::Unresolved(hole.clone()),
                    None => ImageField::Missing,
                },
                _ => ImageField::Missing,
            };
        };
        let wrong = found.cases.iter().find(|case| {
            !case.value.is_open() && !case.value.is_absent() && case.value.type_name() != "a string"
        });
        if let Some(wrong) = wrong {
            return ImageField::WrongType(wrong.place, wrong.value.type_name());
        }
        let cases: Vec<ImageCase> = texts_under(&found.cases, &item.when)
            .into_iter()
            .map(|mut case| {
                // What the container itself depends on is said of the container.
                case.when.retain(|branch| !item.when.contains(branch));
                ImageCase {
                    image: classify(&case.value),
                    case,
                }
            })
            .collect();
        match cases.is_empty() {
            true => ImageField::Missing,
            false => ImageField::Cases(found.place, cases),
        }
    }

    fn health_check(&self, found: &Field<'a>) -> Option<HealthCheck> {
        let is_object = found
            .cases
            .iter()
            .any(|case| matches!(case.value, Value::Object(_)));
        (is_object && possible(found)).then(|| HealthCheck {
            key_place: found.key_place,
            has_command: found
                .cases
                .iter()
                .any(|case| field(self.evaluator, &case.value, "command").is_some()),
            start_period: found.inner(self.evaluator, "startPeriod"),
        })
    }

    fn dependencies(&self, found: &Field<'a>) -> Vec<Dependency> {
        items(self.evaluator, &found.cases)
            .iter()
            .map(|entry| {
                let known = |name: &str| setting(self.evaluator, &entry.value, name).known();
                Dependency {
                    container: known("containerName").unwrap_or_default(),
                    condition: known("condition").unwrap_or_default(),
                    place: entry.place,
                }
            })
            .collect()
    }

    /// Something in the place of a container that cannot be looked into.
    fn unresolved(&mut self, item: &Case<Value<'a>>) -> Container {
        let written = || crate::documents::written(self.evaluator, item.place);
        let hole = match &item.value {
            Value::Unknown(hole) => hole.clone(),
            value => {
                let text = value.to_text().unwrap_or_else(|| Symbolic::text(written()));
                text.expanded().holes().next().cloned().unwrap_or_else(|| {
                    let why = format!("{} stands in the place of a container", value.type_name());
                    Hole::new(text.display(), why, "lint the rendered file")
                })
            }
        };
        Container {
            name: "(not known)".to_owned(),
            is_known: false,
            place: item.place,
            name_place: item.place,
            when: item.when.clone(),
            image: ImageField::Unresolved(hole),
            credentials: None,
            health_check: None,
            start_timeout: Setting::default(),
            depends_on: Vec::new(),
            log_region: None,
        }
    }

    fn compatibilities(&mut self, body: &Value<'a>) -> Compatibilities {
        let Some(found) = field(self.evaluator, body, "requiresCompatibilities") else {
            return Compatibilities::default();
        };
        let mut values = Vec::new();
        for item in items(self.evaluator, &found.cases) {
            if let Some(text) = item.value.to_text().filter(|text| *text != Symbolic::default()) {
                values.push(item.with(text));
            }
        }
        // Terraform and CDK leave an empty list behind for "nothing said".
        let place = values.iter().map(|case: &Case| case.place).reduce(Place::cover);
        Compatibilities { place, values }
    }

    /// The region that is part of the definition's ARN.
    fn region(&self, body: &Value<'a>) -> Option<(String, Place)> {
        let arn = setting(self.evaluator, body, "taskDefinitionArn");
        let region = arn.known()?.split(':').nth(3)?.to_owned();
        (!region.is_empty()).then(|| (region, arn.place.unwrap_or_default()))
    }

    /// The region that logs go to.
    fn log_region(&self, body: &Value<'a>) -> Option<(String, Place)> {
        let logs = field(self.evaluator, body, "logConfiguration")?;
        let options = logs
            .cases
            .iter()
            .find_map(|case| field(self.evaluator, &case.value, "options"))?;
        let region = options.cases.iter().find_map(|case| match &case.value {
            Value::Object(object) => object
                .exact("awslogs-region")
                .map(|member| self.evaluator.eval(&member.value)),
            _ => None,
        })?;
        let [case] = region.as_slice() else {
            return None;
        };
        let text = case.value.known()?;
        let plain = text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        (plain && text.contains('-')).then_some((text, case.place))
    }

    fn expect(
        &mut self,
        body: &Value<'a>,
        name: &str,
        wanted: &'static str,
        fits: impl Fn(&Value<'a>) -> bool,
    ) {
        let Some(found) = field(self.evaluator, body, name) else {
            return;
        };
        for case in &found.cases {
            if case.value.is_absent() || case.value.is_open() || fits(&case.value) {
                continue;
            }
            self.wrong_types.push(WrongType {
                key: found.key.to_string(),
                wanted,
                found: case.value.type_name(),
                place: case.place,
            });
        }
    }
}
