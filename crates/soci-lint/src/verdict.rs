//! From what the rules found to one word a container.

use std::collections::BTreeSet;

use crate::expression::value::Branch;
use crate::model::{Container, Task};
use crate::rules::{Effect, Emitted};
use crate::table::sorted;
use crate::terms::Verdict;

/// The verdict on one container.
pub(crate) struct Judgement<'e> {
    pub(crate) verdict: Verdict,
    pub(crate) headline: String,
    pub(crate) next: Option<String>,
    /// What decided, the strongest first.
    pub(crate) reasons: Vec<&'e Emitted>,
}

/// Judges a container by the findings about it and about its task.
///
/// Each case of the image is judged alone. Cases that the parameters' defaults rule out do not count,
/// unless all are; where the rest disagree, the verdict is unknown.
pub(crate) fn judge<'e>(task: &Task, container: &Container, found: &[&'e Emitted]) -> Judgement<'e> {
    let effective: Vec<&'e Emitted> = found
        .iter()
        .copied()
        .filter(|emitted| emitted.effect != Effect::None)
        .collect();
    let cases = container.cases();
    let mut considered: Vec<Option<usize>> = cases
        .iter()
        .enumerate()
        .filter(|(_, case)| !case.case.is_against_default())
        .map(|(at, _)| Some(at))
        .collect();
    if considered.is_empty() {
        considered = (0..cases.len()).map(Some).collect();
    }
    if considered.is_empty() {
        considered.push(None);
    }
    let verdicts: Vec<Verdict> = considered.iter().map(|case| of_case(&effective, *case)).collect();
    let first = verdicts[0];
    let agreed = verdicts.iter().all(|verdict| *verdict == first);
    let verdict = if agreed { first } else { Verdict::Unknown };
    let wanted = match verdict {
        Verdict::NotLazy => Effect::NotLazy,
        Verdict::Lazy => Effect::Lazy,
        Verdict::Unknown => Effect::Unknown,
    };
    let reasons: Vec<&'e Emitted> = effective
        .into_iter()
        .filter(|emitted| {
            let counts = emitted.case.is_none() || considered.contains(&emitted.case);
            counts && (emitted.effect == wanted || !agreed)
        })
        .collect();
    // Within one effect the lower code is the more general reason: where it runs before where the image lives.
    let weight = |emitted: &Emitted| match emitted.effect {
        Effect::Unknown => emitted.rule.weight,
        _ => 0,
    };
    let key = |emitted: &Emitted| (emitted.effect != wanted, weight(emitted), emitted.rule.code);
    let reasons = sorted(reasons, |a, b| key(a).cmp(&key(b)));
    let headline = headline(verdict, agreed, &reasons, task, container);
    Judgement {
        verdict,
        headline,
        next: match (verdict, agreed) {
            (Verdict::Unknown, false) => Some(deciding(task, container)),
            (Verdict::Unknown, true) => Some(answers(task, &reasons)),
            (Verdict::Lazy | Verdict::NotLazy, _) => reasons.first().and_then(|reason| reason.help.clone()),
        },
        reasons,
    }
}

/// What would answer an open verdict: each reason's own way, in their order.
fn answers(task: &Task, reasons: &[&Emitted]) -> String {
    let mut ways: Vec<&str> = Vec::new();
    for way in reasons.iter().filter_map(|reason| reason.help.as_deref()) {
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    match ways.is_empty() {
        true => deployed(task),
        false => ways.join("; "),
    }
}

/// What always answers where the document does not.
fn deployed(task: &Task) -> String {
    let plain = |family: &&String| {
        let mut letters = family.bytes();
        letters.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let family = task
        .family
        .as_ref()
        .filter(plain)
        .map_or("FAMILY", String::as_str);
    format!(
        "lint the deployed definition: `aws ecs describe-task-definition --task-definition {family} | cargo soci lint -`"
    )
}

fn of_case(effective: &[&Emitted], case: Option<usize>) -> Verdict {
    let has = |effect| {
        effective
            .iter()
            .any(|emitted| emitted.effect == effect && (emitted.case.is_none() || emitted.case == case))
    };
    if has(Effect::NotLazy) {
        Verdict::NotLazy
    } else if has(Effect::Lazy) && !has(Effect::Unknown) {
        Verdict::Lazy
    } else {
        Verdict::Unknown
    }
}

fn headline(
    verdict: Verdict,
    agreed: bool,
    reasons: &[&Emitted],
    task: &Task,
    container: &Container,
) -> String {
    let by_default = match task.os.is_absent() && container.is_known {
        true => " (on Linux by default)",
        false => "",
    };
    match (verdict, reasons.first()) {
        (_, None) => "nothing is known that decides".to_owned(),
        (Verdict::Lazy | Verdict::NotLazy, Some(first)) => first.message(),
        (Verdict::Unknown, Some(_)) if !agreed => {
            format!("which image runs depends on {}", open_conditions(container))
        }
        (Verdict::Unknown, Some(first)) => match conditions(reasons) {
            Some(conditions) => format!("eligible, if {conditions}{by_default}"),
            None => first.message(),
        },
    }
}

/// What would decide the open conditions that the image depends on.
fn deciding(task: &Task, container: &Container) -> String {
    let mut ways: Vec<&str> = Vec::new();
    for branch in open_branches(container) {
        if !branch.help.is_empty() && !ways.contains(&&*branch.help) {
            ways.push(&branch.help);
        }
    }
    match ways.is_empty() {
        true => deployed(task),
        false => ways.join("; "),
    }
}

fn open_branches(container: &Container) -> impl Iterator<Item = &Branch> {
    let branches = container.cases().iter().flat_map(|case| &case.case.when);
    branches.filter(|branch| branch.by_default.is_none())
}

/// The conditions that the image depends on and that nothing decides.
fn open_conditions(container: &Container) -> String {
    let names = open_branches(container).map(|branch| format!("`{}`", branch.condition));
    let mut sorted = BTreeSet::new();
    sorted.extend(names);
    if sorted.is_empty() {
        let all = container.cases().iter().flat_map(|case| &case.case.when);
        sorted.extend(all.map(|branch| format!("`{}`", branch.condition)));
    }
    sorted.into_iter().collect::<Vec<_>>().join(" and ")
}

/// What has to be so for the image to be loaded lazily; `None` if something about the image itself is open.
fn conditions(reasons: &[&Emitted]) -> Option<String> {
    let mut words = Vec::new();
    for reason in reasons {
        let word = reason.rule.eligible_if?;
        if !words.contains(&word) {
            words.push(word);
        }
    }
    Some(words.join(" and "))
}
