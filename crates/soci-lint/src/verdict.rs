//! From what the rules found to one word a container.

use std::collections::BTreeSet;

use crate::model::{Container, Task};
use crate::report::Verdict;
use crate::rules::image_facts_missing::IMAGE_FACTS_MISSING;
use crate::rules::launch_type_undecided::LAUNCH_TYPE_UNDECIDED;
use crate::rules::platform_version_undecided::PLATFORM_VERSION_UNDECIDED;
use crate::rules::windows_task::WINDOWS_TASK;
use crate::rules::{Effect, Emitted};

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
pub(crate) fn judge<'e>(task: &Task<'_>, container: &Container<'_>, found: &[&'e Emitted]) -> Judgement<'e> {
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
    let mut reasons: Vec<&'e Emitted> = effective
        .into_iter()
        .filter(|emitted| {
            let counts = emitted.case.is_none() || considered.contains(&emitted.case);
            counts && (emitted.effect == wanted || !agreed)
        })
        .collect();
    // Within one effect the lower code is the more general reason: where it runs before where the image lives.
    reasons.sort_by_key(|emitted| (emitted.effect != wanted, rank(emitted), emitted.rule.code));
    let headline = headline(verdict, agreed, &reasons, task, container);
    Judgement {
        verdict,
        headline,
        next: match agreed {
            true => reasons.first().and_then(|reason| reason.help.clone()),
            false => Some("pass the parameters that decide it, by `--param NAME=VALUE`".to_owned()),
        },
        reasons,
    }
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
    task: &Task<'_>,
    container: &Container<'_>,
) -> String {
    let by_default = match task.os.is_absent() && container.view.is_some() {
        true => " (on Linux by default)",
        false => "",
    };
    match (verdict, reasons.first()) {
        (_, None) => "nothing is known that decides".to_owned(),
        (Verdict::Lazy | Verdict::NotLazy, Some(first)) => first.message.clone(),
        (Verdict::Unknown, Some(_)) if !agreed => {
            format!("which image runs depends on {}", open_conditions(container))
        }
        (Verdict::Unknown, Some(first)) => match conditions(reasons) {
            Some(conditions) => format!("eligible, if {conditions}{by_default}"),
            None => first.message.clone(),
        },
    }
}

/// The conditions that the image depends on and that nothing decides.
fn open_conditions(container: &Container<'_>) -> String {
    let names: BTreeSet<String> = container
        .cases()
        .iter()
        .flat_map(|case| &case.case.when)
        .filter(|branch| branch.by_default.is_none())
        .map(|branch| format!("`{}`", branch.condition))
        .collect();
    names.into_iter().collect::<Vec<_>>().join(" and ")
}

/// What has to be so for the image to be loaded lazily; `None` if something about the image itself is open.
fn conditions(reasons: &[&Emitted]) -> Option<String> {
    let mut words = Vec::new();
    for reason in reasons {
        let word = match reason.rule.code {
            code if code == LAUNCH_TYPE_UNDECIDED.code => "it runs on Fargate",
            code if code == WINDOWS_TASK.code => "it runs Linux containers",
            code if code == PLATFORM_VERSION_UNDECIDED.code => "the platform version is 1.4.0 or LATEST",
            code if code == IMAGE_FACTS_MISSING.code => "the image has a SOCI v2 index",
            _ => return None,
        };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    Some(words.join(" and "))
}

/// What is open about the image comes before what is open about the place, and that before facts that are missing.
fn rank(emitted: &Emitted) -> u8 {
    match emitted.rule.code {
        code if code == IMAGE_FACTS_MISSING.code => 2,
        code if emitted.effect == Effect::Unknown && code < "SOCI2" => 1,
        _ => 0,
    }
}
