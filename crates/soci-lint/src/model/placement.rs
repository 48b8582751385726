//! Does a task definition run on Fargate? The strongest word first: the caller, the task definition,
//! the services beside it, and what is left is decided by defaults.

use super::Document;
use super::service::{Says, Service};
use super::task::{Compatibilities, Task};
use crate::Options;
use crate::documents::Role;
use crate::expression::value::{Branch, against_default, missing_way};
use crate::source::Place;
use crate::terms::Fargate;

/// Where a task runs, and how that is known.
#[derive(Debug, Clone)]
pub(crate) struct Placement {
    pub(crate) fargate: Fargate,
    /// A sentence without final dot.
    pub(crate) reason: String,
    pub(crate) help: String,
    /// Where it is decided.
    pub(crate) place: Place,
    /// Whether something absent decides.
    pub(crate) by_default: bool,
}

impl Placement {
    /// What stands until the services are known.
    pub(crate) fn open(place: Place) -> Self {
        Self {
            fargate: Fargate::Undecided,
            reason: String::new(),
            help: String::new(),
            place,
            by_default: false,
        }
    }
}

/// Decides for a task.
pub(crate) fn decide(documents: &[Document], task: &Task, options: &Options) -> Placement {
    let place = |fargate, at, reason: String, help: &str| Placement {
        fargate,
        reason,
        help: help.to_owned(),
        place: at,
        by_default: false,
    };
    if let Some(launch) = options.launch_type {
        let fargate = if launch.is_fargate() {
            Fargate::Yes
        } else {
            Fargate::No
        };
        let reason = format!("the task is run with the launch type {}", launch.as_str());
        return place(fargate, task.id_place, reason, ELSEWHERE);
    }
    let range = task.compatibilities.place;
    match (word(&task.compatibilities), range) {
        (Word::Fargate { by_default }, Some(range)) => Placement {
            by_default,
            ..place(
                Fargate::Yes,
                range,
                match by_default {
                    true => "the task requires FARGATE by default".to_owned(),
                    false => "the task requires FARGATE".to_owned(),
                },
                "",
            )
        },
        (Word::Elsewhere(names), Some(range)) => place(
            Fargate::No,
            range,
            format!("the task requires {names}, not Fargate"),
            ELSEWHERE,
        ),
        (Word::Both(names), Some(range)) => of_services(documents, task).unwrap_or_else(|| {
            let reason = format!("the task requires {names}: where it runs is decided when it is run");
            place(Fargate::Undecided, range, reason, DECIDE)
        }),
        (Word::Open(why, help), Some(range)) => {
            of_services(documents, task).unwrap_or_else(|| place(Fargate::Undecided, range, why, &help))
        }
        _ => without_compatibilities(documents, task),
    }
}

/// What to do about a task that does not run on Fargate.
const ELSEWHERE: &str = "SOCI lazy loading is Fargate's; outside it, a warm image cache on the instances \
     (ECS_IMAGE_PULL_BEHAVIOR=prefer-cached) or a smaller image shortens the start";
const DECIDE: &str =
    "say `requiresCompatibilities: [FARGATE]`, lint the service with it, or pass `--launch-type`";

enum Word {
    Fargate { by_default: bool },
    Elsewhere(String),
    Both(String),
    Open(String, String),
    Nothing,
}

/// What `requiresCompatibilities` says.
fn word(compatibilities: &Compatibilities) -> Word {
    let possible: Vec<_> = compatibilities
        .values
        .iter()
        .filter(|case| !case.is_against_default())
        .collect();
    if compatibilities.place.is_none() || possible.is_empty() {
        return Word::Nothing;
    }
    if let Some(hole) = possible.iter().find_map(|case| case.value.holes().next()) {
        return Word::Open(hole.why.clone(), hole.help.clone());
    }
    let names: Vec<String> = possible.iter().map(|case| case.value.display()).collect();
    let fargate = |name: &String| name == "FARGATE";
    let by_default = possible
        .iter()
        .any(|case| !case.when.is_empty() || case.uses_default());
    let (all, any) = (names.iter().all(fargate), names.iter().any(fargate));
    let whens: Vec<&[Branch]> = possible.iter().map(|case| case.when.as_slice()).collect();
    let mut branches = possible.iter().flat_map(|case| &case.when);
    let open = match any && !all {
        true => branches.find(|branch| branch.by_default.is_none()),
        // Where the list is absent in one way of a condition, nothing is required there.
        false => missing_way(&whens),
    };
    match (all, any) {
        _ if let Some(branch) = open => Word::Open(
            format!("what the task requires depends on `{}`", branch.condition),
            branch.help.to_string(),
        ),
        (true, _) => Word::Fargate { by_default },
        (_, true) => Word::Both(names.join(" and ")),
        _ => Word::Elsewhere(names.join(" and ")),
    }
}

/// Without `requiresCompatibilities` the task can run on Fargate only if all that Fargate asks for is there.
/// Network mode: absent is `bridge` on Linux; Fargate takes `awsvpc` only, and asks for task-level cpu and memory.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html> (2026-11-23)
fn without_compatibilities(documents: &[Document], task: &Task) -> Placement {
    let place = |fargate, at, reason: String, help: &str, by_default| Placement {
        fargate,
        reason,
        help: help.to_owned(),
        place: at,
        by_default,
    };
    if !task.is_whole {
        return of_services(documents, task).unwrap_or_else(|| {
            let reason = "container definitions alone do not say where they run".to_owned();
            place(Fargate::Undecided, task.id_place, reason, DECIDE, true)
        });
    }
    if task.role == Role::Job {
        let reason = "the job names no platform capabilities, which is EC2 by default".to_owned();
        let help = "for Fargate set `platformCapabilities: [FARGATE]`";
        return place(Fargate::No, task.id_place, reason, help, true);
    }
    let missing = match (&task.network_mode, task.network_mode.known()) {
        (mode, _) if mode.is_absent() => Some((
            "`networkMode` is absent, which is bridge by default".to_owned(),
            task.id_place,
        )),
        (mode, Some(known)) if known != "awsvpc" => {
            let range = mode.place.unwrap_or(task.id_place);
            Some((format!("`networkMode` is {known}"), range))
        }
        _ if task.cpu.is_absent() => Some(("there is no task-level `cpu`".to_owned(), task.id_place)),
        _ if task.memory.is_absent() => Some(("there is no task-level `memory`".to_owned(), task.id_place)),
        _ => None,
    };
    if let Some((missing, range)) = missing {
        let reason = format!("the task names no launch type and {missing}, so it cannot run on Fargate");
        let help = "for Fargate set `requiresCompatibilities: [FARGATE]`, `networkMode: awsvpc` and task-level cpu and memory";
        return place(Fargate::No, range, reason, help, true);
    }
    of_services(documents, task).unwrap_or_else(|| {
        let reason = "the task names no launch type: where it runs is decided when it is run".to_owned();
        place(Fargate::Undecided, task.id_place, reason, DECIDE, true)
    })
}

/// What the services that run the task say: Fargate if any of them is on it, elsewhere if all are. Services that are
/// there only against the defaults count where there are no others.
fn of_services(documents: &[Document], task: &Task) -> Option<Placement> {
    let mut elsewhere = None;
    let mut open = None;
    let mut silent = false;
    // A service on Fargate that is there under an open condition.
    let mut sometimes = None;
    let services = || {
        task.services
            .iter()
            .map(|&(at, service)| &documents[at].services[service])
    };
    let is_there = |service: &&Service| !against_default(&service.when);
    let counts = |service: &&Service| is_there(service) || !services().any(|other| is_there(&other));
    for service in services().filter(counts) {
        let place = |fargate, at, reason, help: &str| Placement {
            fargate,
            reason,
            help: help.to_owned(),
            place: at,
            by_default: false,
        };
        match service.says() {
            Says::Fargate { word, place: at } => {
                let reason = format!(
                    "the {} `{}` runs the task with {word}",
                    service.noun, service.name
                );
                let found = place(Fargate::Yes, at, reason, "");
                match service.when.iter().find(|branch| branch.by_default.is_none()) {
                    None => return Some(found),
                    Some(branch) => sometimes = Some((found, branch)),
                }
            }
            Says::Elsewhere { word, place: at } => {
                let reason = format!(
                    "the {} `{}` runs the task with {word}, not on Fargate",
                    service.noun, service.name
                );
                elsewhere = Some(place(Fargate::No, at, reason, ELSEWHERE));
            }
            Says::Open { why, help, place: at } => {
                let reason = format!(
                    "where the {} `{}` runs the task is not known: {why}",
                    service.noun, service.name
                );
                open = Some(place(Fargate::Undecided, at, reason, &help));
            }
            Says::Nothing => silent = true,
        }
    }
    if let Some((found, branch)) = sometimes {
        return Some(match elsewhere {
            Some(_) => Placement {
                fargate: Fargate::Undecided,
                reason: format!("which service runs the task depends on `{}`", branch.condition),
                help: branch.help.to_string(),
                ..found
            },
            None => found,
        });
    }
    open.or(elsewhere.filter(|_| !silent))
}
