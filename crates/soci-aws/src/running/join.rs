//! Several documents about one thing.

use std::collections::HashMap;

use crate::arn::short;

use super::{Container, Definition, Running, Service, Task};

/// The lists. Nothing keeps a document from naming a task as another names a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Noun {
    Task,
    Service,
    Definition,
}

/// Where each ARN is in its list.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct ByArn(HashMap<(Noun, String), usize>);

impl ByArn {
    fn of(running: &Running) -> Self {
        let tasks = running.tasks.iter().map(|task| (Noun::Task, &task.arn));
        let services = running
            .services
            .iter()
            .map(|service| (Noun::Service, &service.arn));
        let definitions = running
            .definitions
            .iter()
            .map(|known| (Noun::Definition, &known.arn));
        let mut places = HashMap::new();
        let places_of = tasks
            .enumerate()
            .chain(services.enumerate())
            .chain(definitions.enumerate());
        for (at, (noun, arn)) in places_of.filter(|(_, (_, arn))| !arn.is_empty()) {
            places.insert((noun, arn.clone()), at);
        }
        Self(places)
    }

    /// The place of what has this ARN, or that it is new and comes at the end.
    fn place(&mut self, noun: Noun, arn: &str, end: usize) -> Option<usize> {
        if arn.is_empty() {
            return None;
        }
        let at = *self.0.entry((noun, arn.to_owned())).or_insert(end);
        (at != end).then_some(at)
    }
}

impl Running {
    /// Adds what is known about a task to what was known before.
    pub fn add_task(&mut self, task: Task) {
        match self.by_arn.place(Noun::Task, &task.arn, self.tasks.len()) {
            Some(at) => self.tasks[at].join(task),
            None => self.tasks.push(task),
        }
    }

    /// Adds that ECS does not know something.
    pub fn add_failure(&mut self, arn: Option<&str>, reason: Option<&str>) {
        let name = short(arn.unwrap_or("something without a name"));
        let reason = reason.unwrap_or("no reason given");
        self.notes.push(format!("ECS does not describe {name}: {reason}"));
    }

    /// Puts everything into the order of its names: calls end in any order.
    pub fn sort(&mut self) {
        self.tasks
            .sort_by(|a, b| (&a.cluster, &a.group, &a.arn).cmp(&(&b.cluster, &b.group, &b.arn)));
        self.services
            .sort_by(|a, b| (&a.cluster, &a.name).cmp(&(&b.cluster, &b.name)));
        self.definitions.sort_by(|a, b| a.arn.cmp(&b.arn));
        self.notes.sort();
        self.by_arn = ByArn::of(self);
    }

    /// Adds all that another one knows.
    pub fn join(&mut self, other: Self) {
        let Self {
            tasks,
            services,
            definitions,
            notes,
            by_arn: _,
        } = other;
        tasks.into_iter().for_each(|task| self.add_task(task));
        services.into_iter().for_each(|service| self.add_service(service));
        definitions
            .into_iter()
            .for_each(|definition| self.add_definition(definition));
        self.notes.extend(notes);
    }

    /// Adds a service; the last word about one counts.
    pub fn add_service(&mut self, service: Service) {
        match self
            .by_arn
            .place(Noun::Service, &service.arn, self.services.len())
        {
            Some(at) => self.services[at] = service,
            None => self.services.push(service),
        }
    }

    /// Adds a definition; the last word about one counts.
    pub fn add_definition(&mut self, definition: Definition) {
        match self
            .by_arn
            .place(Noun::Definition, &definition.arn, self.definitions.len())
        {
            Some(at) => self.definitions[at] = definition,
            None => self.definitions.push(definition),
        }
    }
}

impl Task {
    /// Fills in from another word about the same task; where both say something, the later one counts.
    fn join(&mut self, other: Task) {
        let before = if other.version >= self.version {
            std::mem::replace(self, other)
        } else {
            other
        };
        let Task {
            arn: _,
            cluster,
            definition,
            group,
            launch_type,
            capacity_provider,
            platform_version,
            platform_family,
            architecture,
            status,
            takes_commands,
            created,
            pull_started,
            pull_stopped,
            started,
            version: _,
            containers,
        } = before;
        fill(&mut self.cluster, cluster);
        fill(&mut self.definition, definition);
        fill(&mut self.group, group);
        fill(&mut self.launch_type, launch_type);
        fill(&mut self.capacity_provider, capacity_provider);
        fill(&mut self.platform_version, platform_version);
        fill(&mut self.platform_family, platform_family);
        fill(&mut self.architecture, architecture);
        fill(&mut self.status, status);
        fill(&mut self.takes_commands, takes_commands);
        fill(&mut self.created, created);
        fill(&mut self.pull_started, pull_started);
        fill(&mut self.pull_stopped, pull_stopped);
        fill(&mut self.started, started);
        for container in containers {
            match self
                .containers
                .iter_mut()
                .find(|known| known.name == container.name)
            {
                Some(known) => {
                    let Container {
                        name: _,
                        image,
                        digest,
                        snapshotter,
                    } = container;
                    fill(&mut known.image, image);
                    fill(&mut known.digest, digest);
                    fill(&mut known.snapshotter, snapshotter);
                }
                None => self.containers.push(container),
            }
        }
    }
}

fn fill<T>(known: &mut Option<T>, other: Option<T>) {
    if known.is_none() {
        *known = other;
    }
}
