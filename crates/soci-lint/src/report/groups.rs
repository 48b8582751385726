//! Containers that have something in common, together.

use super::{ContainerReport, Report, TaskReport};
use crate::table::Table;

/// A container and its task.
pub(super) type Member<'r> = (&'r TaskReport, &'r ContainerReport);

/// All containers of the report.
pub(super) fn members(report: &Report) -> Vec<Member<'_>> {
    let tasks = report.files.iter().flat_map(|file| &file.tasks);
    tasks
        .flat_map(|task| task.containers.iter().map(move |container| (task, container)))
        .collect()
}

/// Those with the same key together, in the order in which each key comes first; those without a key are left out.
pub(super) fn grouped<'r>(
    members: &[Member<'r>],
    key: &dyn Fn(&Member<'r>) -> Option<String>,
) -> Vec<Vec<Member<'r>>> {
    let mut places = Table::<String, Option<usize>>::default();
    let mut groups: Vec<Vec<Member<'r>>> = Vec::new();
    for member in members {
        let Some(key) = key(member) else { continue };
        let at = *places.or_insert(key, None).get_or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => group.push(*member),
            None => groups.push(vec![*member]),
        }
    }
    groups
}

/// Verdict and reason: who has the same need not be told apart.
pub(super) fn outcome(member: &Member<'_>) -> Option<String> {
    Some(format!("{} {}", member.1.verdict_text(), member.1.why()))
}

/// Who is in a group, as `task/container`.
pub(super) fn names(group: &[Member<'_>]) -> String {
    let names = group
        .iter()
        .map(|(task, container)| format!("{}/{}", task.id, name(container)));
    list(names.collect())
}

/// What would answer the open verdicts and for whom, equal answers once.
pub(super) fn answers(members: &[Member<'_>]) -> Vec<String> {
    let groups = grouped(members, &|(_, container)| container.answer().map(str::to_owned));
    let line = |group: &Vec<Member<'_>>| {
        let answer = group[0].1.answer().unwrap_or_default();
        format!("{}: {answer}", names(group))
    };
    let mut answers: Vec<String> = groups.iter().take(MOST_ANSWERS).map(line).collect();
    if let more @ 1.. = groups.len().saturating_sub(MOST_ANSWERS) {
        answers.push(format!(
            "{more} more answers: `--format short` and `json` have each"
        ));
    }
    answers
}

/// Its name, with the condition under which it exists.
pub(super) fn name(container: &ContainerReport) -> String {
    match &container.condition {
        Some(condition) => format!("{} (if {condition})", container.name),
        None => container.name.clone(),
    }
}

/// The names of a group as tasks and containers: containers of one task together, and tasks with the same containers;
/// where that leaves many rows, all in one.
#[cfg(feature = "snippets")]
pub(super) fn by_task(group: &[Member<'_>]) -> Vec<(String, String)> {
    let mut places = Table::<String, Option<usize>>::default();
    let mut rows: Vec<(Vec<String>, String)> = Vec::new();
    for task in group.chunk_by(|one, next| std::ptr::eq(one.0, next.0)) {
        let id = task[0].0.id.clone();
        let containers = list(task.iter().map(|(_, container)| name(container)).collect());
        let at = *places
            .or_insert(containers.clone(), None)
            .get_or_insert(rows.len());
        match rows.get_mut(at) {
            Some((tasks, _)) => tasks.push(id),
            None => rows.push((vec![id], containers)),
        }
    }
    if rows.len() > MOST_NAMES {
        let containers = group.iter().map(|(_, container)| name(container)).collect();
        let tasks = rows.into_iter().flat_map(|(tasks, _)| tasks).collect();
        return vec![(list(tasks), list(containers))];
    }
    rows.into_iter()
        .map(|(tasks, containers)| (list(tasks), containers))
        .collect()
}

/// The first names, and how many there are beside them.
fn list(mut names: Vec<String>) -> String {
    let all = names.len();
    names.truncate(MOST_NAMES);
    let mut text = names.join(", ");
    if all > MOST_NAMES {
        text += &format!(" and {} more", all - MOST_NAMES);
    }
    text
}

/// More names with one reason are counted; the JSON form has them all.
pub(super) const MOST_NAMES: usize = 8;
/// More answers than this are left to other forms.
const MOST_ANSWERS: usize = 10;
