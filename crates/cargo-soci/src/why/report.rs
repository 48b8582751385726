//! What comes out: one shape for people, programs, job summaries and browsers.

use serde::Serialize;
use soci_lint::{FailOn, Verdict};

use super::pull::Pull;
use crate::plural::count;

/// The version of the report's shape; grows when a field changes its meaning or goes away.
pub const VERSION: u32 = 1;

/// Everything that one call found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// [`VERSION`].
    pub version: u32,
    /// Counts over all groups.
    pub summary: Summary,
    /// Tasks that run the same, what gains most first.
    pub groups: Vec<GroupReport>,
    /// Registries that could not be asked, each once.
    pub registries: Vec<RegistryReport>,
    /// What AWS did not say; each counts as unknown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
    /// What else there is to say.
    pub notes: Vec<String>,
}

/// Counts over all groups; containers of equal tasks count once.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Summary {
    /// One word for all containers that are not accepted: `not-lazy` if any is, else `unknown` if any is or there is
    /// none, else `lazy`.
    pub verdict: Verdict,
    /// Tasks seen.
    pub tasks: usize,
    /// Containers judged.
    pub containers: u32,
    /// Those that are loaded lazily.
    pub lazy: u32,
    /// Those that are not.
    pub not_lazy: u32,
    /// Those of which it is not known.
    pub unknown: u32,
    /// Those that are not lazy or unknown, and accepted; in none of the three counts above.
    pub accepted: u32,
    /// Those that are not lazy and could be.
    pub could_be: u32,
    /// Those that are not lazy and would gain nothing.
    pub gains_nothing: u32,
    /// Bytes of images that the tasks seen pulled whole and that could be loaded lazily, as far as sizes are known.
    pub gain_bytes: u64,
}

/// What a group is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// Tasks that were seen.
    Tasks,
    /// A service of which no task was seen.
    Service,
    /// A task definition of which no task was seen.
    Definition,
    /// An image by itself, as if Fargate started it now.
    Image,
}

/// Tasks that run the same.
#[derive(Debug, Clone, Serialize)]
pub struct GroupReport {
    /// What it is.
    pub subject: Subject,
    /// `shop/web`.
    pub name: String,
    /// The cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// `web:42`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub definition: Option<String>,
    /// The region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Tasks seen; 0 for what would run.
    pub tasks: usize,
    /// What holds for all its containers.
    pub chain: Vec<Step>,
    /// The pull as measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull: Option<Pull>,
    /// Its containers.
    pub containers: Vec<ContainerReport>,
    /// What to do to know its containers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remedies: Vec<Remedy>,
    /// Bytes of images that its tasks pulled whole and that could be loaded lazily.
    pub gain_bytes: u64,
}

/// One container.
#[derive(Debug, Clone, Serialize)]
pub struct ContainerReport {
    /// Its name.
    pub name: String,
    /// The image as the task definition names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The digest that runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Whether it is loaded lazily.
    pub verdict: Verdict,
    /// Why a verdict other than `lazy` is accepted, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<String>,
    /// What can become of it.
    pub outlook: Outlook,
    /// The verdict in a sentence.
    pub headline: String,
    /// What decides, in the order in which a person would look.
    pub chain: Vec<Step>,
    /// The linter's rules that decided.
    pub reasons: Vec<Reason>,
    /// What to do.
    pub remedies: Vec<Remedy>,
    /// Bytes of the layers of the image that runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// What can become of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outlook {
    /// It is loaded lazily.
    Lazy,
    /// It could be.
    CouldBe,
    /// Lazy loading would bring nothing, or cannot be had where it runs.
    GainsNothing,
    /// Not enough is known.
    Unknown,
}

/// One link of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What was looked at, as in `runs on`.
    pub what: &'static str,
    /// What was found.
    pub found: String,
}

/// A rule of the linter that decided.
#[derive(Debug, Clone, Serialize)]
pub struct Reason {
    /// Its code, as in `SOCI302`.
    pub code: String,
    /// Its name.
    pub name: String,
    /// What is so.
    pub message: String,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remedy {
    /// What for.
    pub why: String,
    /// The commands, in their order; none where words have to do.
    pub commands: Vec<String>,
}

/// A registry that could not be asked, or not about all images.
#[derive(Debug, Clone, Serialize)]
pub struct RegistryReport {
    /// Its host.
    pub registry: String,
    /// Why not.
    pub problem: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// What told about its images instead: `ecr-api`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told_by: Option<&'static str>,
    /// The same for people.
    #[serde(skip)]
    pub sentence: String,
}

/// Something that AWS did not say.
#[derive(Debug, Clone, Serialize)]
pub struct Gap {
    /// As in `the tasks of shop`.
    pub what: String,
    /// The permission that is missing, where that is the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
    /// AWS' words.
    pub problem: String,
}

impl Gap {
    /// `the tasks of shop are unknown: the permission ecs:ListTasks is missing (…)`.
    pub fn sentence(&self) -> String {
        match &self.permission {
            Some(permission) => format!(
                "{} are unknown: the permission {permission} is missing ({})",
                self.what, self.problem
            ),
            None => format!("{} are unknown: {}", self.what, self.problem),
        }
    }
}

impl Report {
    /// Counts, and puts what gains most first; of equal gain, in the order of the documents.
    pub fn new(
        mut groups: Vec<GroupReport>,
        registries: Vec<RegistryReport>,
        gaps: Vec<Gap>,
        notes: Vec<String>,
    ) -> Self {
        groups.sort_by_key(|group| std::cmp::Reverse(group.gain_bytes));
        let mut summary = Summary::default();
        let mut accepted_verdicts = Vec::new();
        for group in &groups {
            summary.tasks += group.tasks;
            summary.gain_bytes = summary.gain_bytes.saturating_add(group.gain_bytes);
            for container in &group.containers {
                summary.containers += 1;
                match container.outlook {
                    _ if container.accepted.is_some() => {}
                    Outlook::CouldBe => summary.could_be += 1,
                    Outlook::GainsNothing => summary.gains_nothing += 1,
                    Outlook::Lazy | Outlook::Unknown => {}
                }
                if container.accepted.is_some() {
                    summary.accepted += 1;
                    accepted_verdicts.push(container.verdict);
                    continue;
                }
                match container.verdict {
                    Verdict::Lazy => summary.lazy += 1,
                    Verdict::NotLazy => summary.not_lazy += 1,
                    Verdict::Unknown => summary.unknown += 1,
                }
            }
        }
        let counted = summary.lazy + summary.not_lazy + summary.unknown;
        let among = |verdict| match counted {
            0 => accepted_verdicts.contains(&verdict),
            _ => match verdict {
                Verdict::Lazy => summary.lazy > 0,
                Verdict::NotLazy => summary.not_lazy > 0,
                Verdict::Unknown => summary.unknown > 0,
            },
        };
        summary.verdict = if among(Verdict::NotLazy) {
            Verdict::NotLazy
        } else if among(Verdict::Unknown) || summary.containers == 0 || !gaps.is_empty() {
            Verdict::Unknown
        } else {
            Verdict::Lazy
        };
        Self {
            version: VERSION,
            summary,
            groups,
            registries,
            gaps,
            notes,
        }
    }

    /// Whether it fails the run, by the linter's meaning of the words.
    pub fn fails(&self, fail_on: FailOn) -> bool {
        let summary = soci_lint::Summary {
            files: 1,
            containers: self.summary.containers,
            not_lazy: self.summary.not_lazy,
            unknown: self.summary.unknown + u32::try_from(self.gaps.len()).unwrap_or(u32::MAX / 2),
            ..soci_lint::Summary::default()
        };
        fail_on.is_met_by(&summary)
    }
}

impl Summary {
    /// `3 containers: 1 lazy, 1 not lazy, 1 unknown; 2 accepted`.
    pub fn sentence(&self) -> String {
        let mut text = count(self.containers, "container");
        if self.tasks > 0 {
            text += &format!(" of {}", count(self.tasks, "task"));
        }
        text += &format!(
            ": {} lazy, {} not lazy, {} unknown",
            self.lazy, self.not_lazy, self.unknown
        );
        if self.accepted > 0 {
            text += &format!(", {} accepted", self.accepted);
        }
        text
    }

    /// What could be gained, where something could.
    pub fn gain(&self) -> Option<String> {
        if self.could_be + self.gains_nothing == 0 {
            return None;
        }
        let mut text = format!(
            "of those not lazy {} could be, {} would gain little or nothing",
            self.could_be, self.gains_nothing
        );
        if self.gain_bytes > 0 {
            text += &format!(
                "; the tasks seen waited for {} that could be loaded lazily",
                super::pull::bytes(self.gain_bytes)
            );
        }
        Some(text)
    }
}

impl ContainerReport {
    /// The verdict as people read it.
    pub fn verdict_text(&self) -> String {
        match self.accepted {
            Some(_) => format!("{}, accepted", self.verdict.as_str()),
            None => self.verdict.as_str().to_owned(),
        }
    }
}
