//! Containers whose verdict somebody accepted, with a reason: by an entry of the options, by a comment in the
//! file, or because the container is a known small helper. The verdict stays what it is and stops failing.

use crate::facts;
use crate::model::{Container, Document, Image};
use crate::options::{Acceptance, Options, Sidecars};
use crate::rules::{Emitted, by_task};
use crate::source::{LineIndex, Place, Suppressions, TextRange};
use crate::terms::Verdict;
use crate::verdict::judge;

/// A container, by document and task.
pub(crate) type At = (usize, usize, usize);

/// What is accepted, and which acceptances accept nothing.
#[derive(Default)]
pub(crate) struct Accepted {
    /// In the order of the containers.
    reasons: Vec<(At, String)>,
    /// Entries of the options, and comments by file, that did not accept anything; whether they met a container.
    pub(crate) idle_entries: Vec<(usize, bool)>,
    pub(crate) idle_comments: Vec<(Place, bool)>,
}

/// Why one container is accepted.
enum Source {
    Entry(usize),
    Comment(usize, TextRange),
    Shipped,
}

/// The reason for helpers on the shipped list.
const SHIPPED: &str =
    "a small helper that AWS publishes; it does not keep the other containers from being loaded lazily";

impl Accepted {
    /// Looks at every container, and judges those that somebody accepts.
    pub(crate) fn of(
        options: &Options,
        documents: &[Document],
        emitted: &[Emitted],
        comments: &[Suppressions],
        lines: &[LineIndex<'_>],
    ) -> Self {
        let mut accepted = Self::default();
        let mut met = Vec::new();
        let mut used = Vec::new();
        let mut of_tasks = None;
        for (at, document) in documents.iter().enumerate() {
            for (task_at, task) in document.tasks.iter().enumerate() {
                for (container_at, container) in task.containers.iter().enumerate() {
                    let sources = sources(options, container, comments, lines);
                    if sources.is_empty() {
                        continue;
                    }
                    let found = of_tasks.get_or_insert_with(|| by_task(documents, emitted));
                    let found: Vec<&Emitted> = found[at][task_at]
                        .iter()
                        .copied()
                        .filter(|found| found.container.is_none_or(|container| container == container_at))
                        .collect();
                    let needed = judge(task, container, &found).verdict != Verdict::Lazy;
                    for source in sources {
                        let (key, reason) = match source {
                            Source::Entry(entry) => ((None, entry), options.accept[entry].reason.clone()),
                            Source::Comment(file, range) => {
                                let reason = comments[file].accepts.values();
                                let reason = reason.filter(|accept| accept.range == range);
                                let reason = reason.map(|accept| accept.reason.clone()).next();
                                ((Some(file), range.start), reason.unwrap_or_default())
                            }
                            Source::Shipped => ((None, usize::MAX), SHIPPED.to_owned()),
                        };
                        add(&mut met, key);
                        if needed {
                            add(&mut used, key);
                            let at = (at, task_at, container_at);
                            if accepted.reasons.last().is_none_or(|(last, _)| *last != at) {
                                accepted.reasons.push((at, reason.trim().to_owned()));
                            }
                        }
                    }
                }
            }
        }
        for entry in 0..options.accept.len() {
            if !used.contains(&(None, entry)) {
                accepted.idle_entries.push((entry, met.contains(&(None, entry))));
            }
        }
        for (file, comments) in comments.iter().enumerate() {
            for accept in comments.accepts.values() {
                let key = (Some(file), accept.range.start);
                if !used.contains(&key) {
                    let place = Place::new(file, accept.range);
                    accepted.idle_comments.push((place, met.contains(&key)));
                }
            }
        }
        accepted
    }

    /// Why a container is accepted.
    pub(crate) fn reason(&self, at: At) -> Option<&str> {
        let found = self.reasons.binary_search_by(|(known, _)| known.cmp(&at)).ok()?;
        Some(&self.reasons[found].1)
    }

    /// Why a finding does not fail: all that it is about is accepted.
    pub(crate) fn covers(&self, documents: &[Document], found: &Emitted) -> Option<&str> {
        if self.reasons.is_empty() || !found.decides() {
            return None;
        }
        let (document, task) = found.task?;
        match found.container {
            Some(container) => self.reason((document, task, container)),
            None => {
                let containers = documents[document].tasks[task].containers.len();
                let mut reasons = (0..containers).map(|at| self.reason((document, task, at)));
                let first = reasons.next()??;
                reasons.all(|reason| reason.is_some()).then_some(first)
            }
        }
    }
}

/// Adds what is not there yet. There are few: entries of the options, and comments that were met.
fn add<T: PartialEq>(list: &mut Vec<T>, item: T) -> bool {
    let is_new = !list.contains(&item);
    if is_new {
        list.push(item);
    }
    is_new
}

/// All that accept a container, the most exact first.
fn sources(
    options: &Options,
    container: &Container,
    comments: &[Suppressions],
    lines: &[LineIndex<'_>],
) -> Vec<Source> {
    let mut sources = Vec::new();
    let mut places = vec![container.place, container.name_place, container.place()];
    places.dedup();
    let mut seen = Vec::new();
    for place in places {
        let comments = &comments[place.file];
        if comments.accepts.is_empty() {
            continue;
        }
        let lines = &lines[place.file];
        let first = lines.line_of(place.range.start);
        let last = lines.line_of(place.range.end).max(first);
        for accept in comments.accepts.range(first..=last) {
            if add(&mut seen, (place.file, accept.range.start)) {
                sources.push(Source::Comment(place.file, accept.range));
            }
        }
    }
    for (at, entry) in options.accept.iter().enumerate() {
        if accepts(entry, container) {
            sources.push(Source::Entry(at));
        }
    }
    if options.sidecars == Sidecars::Accept && is_known_sidecar(container) {
        sources.push(Source::Shipped);
    }
    sources
}

/// Whether both patterns fit; that of the image in each of its cases.
fn accepts(entry: &Acceptance, container: &Container) -> bool {
    let by_name = entry
        .container
        .as_ref()
        .is_none_or(|pattern| facts::fits(pattern, &container.name));
    let by_image = entry.image.as_ref().is_none_or(|pattern| {
        let mut cases = container.cases().iter().peekable();
        cases.peek().is_some() && cases.all(|case| facts::names(pattern, &case.case.value.display()))
    });
    by_name && by_image
}

fn is_known_sidecar(container: &Container) -> bool {
    let mut cases = container.cases().iter().peekable();
    cases.peek().is_some()
        && cases.all(|case| matches!(&case.image, Image::At(located) if located.is_known_sidecar()))
}
