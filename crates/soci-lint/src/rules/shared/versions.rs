//! The platform versions that a task is run with, for the rules that judge them.

use crate::model::Task;
use crate::rules::Sink;
use crate::source::Place as At;
use crate::terms::Fargate;

/// The Linux platform version that loads lazily.
pub(in crate::rules) const LAZY: &str = "1.4.0";

/// All Linux versions that AWS retired, `platform-versions-retired.html` (2026-11-23).
pub(in crate::rules) const RETIRED: [&str; 4] = ["1.0.0", "1.1.0", "1.2.0", "1.3.0"];

pub(in crate::rules) enum Version {
    Known(String),
    Open { why: String, help: String },
}

pub(in crate::rules) type Place = (At, Version, &'static str);

/// The platform versions that a Linux task on Fargate is run with. Windows has versions of its own.
pub(in crate::rules) fn versions(task: &Task, sink: &Sink<'_>) -> Vec<Place> {
    if task.placement.fargate == Fargate::No || task.is_windows() {
        return Vec::new();
    }
    if let Some(version) = &sink.options.platform_version {
        let known = Version::Known(version.clone());
        return vec![(task.id_place, known, "")];
    }
    let mut found = Vec::new();
    let services = task.services.iter();
    let settings =
        services.map(|&(document, service)| &sink.run.documents[document].services[service].platform_version);
    for setting in std::iter::once(&task.platform_version).chain(settings) {
        let Some(range) = setting.place.filter(|_| !setting.is_absent()) else {
            continue;
        };
        let by_default = match setting.case().is_some_and(|case| case.uses_default()) {
            true => " (by default)",
            false => "",
        };
        // Whichever of them it is, it loads lazily.
        let possible = setting.cases.iter().filter(|case| !case.is_against_default());
        let all_lazy = possible
            .filter_map(|case| case.value.known())
            .all(|version| version == LAZY || version == "LATEST");
        if setting.hole().is_none() && all_lazy {
            continue;
        }
        let version = match (setting.known(), setting.hole()) {
            (Some(version), _) => Version::Known(version),
            (None, Some(hole)) => Version::Open {
                why: hole.why.clone(),
                help: hole.help.clone(),
            },
            (None, None) => Version::Open {
                why: format!("it is {}", setting.display()),
                help: String::new(),
            },
        };
        found.push((range, version, by_default));
    }
    found
}
