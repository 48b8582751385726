//! From a group and what its images are to verdicts: by the linter's rules, on a definition that says how it runs.

use std::time::Instant;

use soci_image::facts::{ImageFacts, PlatformFacts};
use soci_image::media_type::LayerCompression;
use soci_image::{Digest, Reference};
use soci_lint::{ImageFactsEntry, Input, LaunchType, Options, Verdict};

use super::commands;
use super::definition::definition;
use super::groups::{Group, GroupContainer};
use super::pull::Pull;
use super::report::{ContainerReport, GroupReport, Outlook, Reason, Remedy, Step, Subject};
use super::steps::{group_chain, in_registry, moved, platform_of, taken};
use super::version_one::{self, Places};
use crate::context::Context;
use crate::error::CommandError;
use crate::images::{CheckImages, Depth, Images, Looked};

/// Rules that say that lazy loading cannot be had where the task runs: changing the image would bring nothing.
const ELSEWHERE: [&str; 3] = ["SOCI101", "SOCI102", "SOCI104"];

/// AWS recommends SOCI for images above 250 MiB.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-soci-images> (2026-08-14)
const WORTH_IT: u64 = 250 << 20;

/// Judges groups.
pub struct Judge<'a> {
    /// What the linter is told beside the task: accepted containers.
    pub options: &'a Options,
    /// What registries said.
    pub images: &'a Images,
    /// Where indexes of version 1 are known to count.
    pub places: Places,
}

/// Asks the registries what has to be known: first what the tags name, then what runs and is not among that.
pub fn ask(
    groups: &[Group],
    check: CheckImages,
    options: &Options,
    context: &Context,
    until: Instant,
) -> Result<Images, CommandError> {
    let mut images = Images::default();
    if check == CheckImages::Off {
        return Ok(images);
    }
    let mut wanted: Vec<(&GroupContainer, Reference)> = Vec::new();
    for group in groups {
        let judge = Judge {
            options,
            images: &images,
            places: Places::default(),
        };
        let verdicts = judge.lint(group, |_| None);
        for (container, verdict) in group.containers.iter().zip(verdicts) {
            let Some(reference) = container.reference() else {
                continue;
            };
            let verdict = verdict.map_or(Verdict::Unknown, |found| found.verdict);
            if soci_lint::CheckImages::from(check).wants(&reference, verdict) {
                wanted.push((container, reference));
            }
        }
    }
    let names: Vec<Reference> = wanted.iter().map(|(_, reference)| reference.clone()).collect();
    images.ask(&names, Depth::Read, context, until)?;
    let mut running = Vec::new();
    for (container, reference) in &wanted {
        let Some(digest) = container.running_digest() else {
            continue;
        };
        let is_named = match images.about(reference) {
            Some(Looked::Known(facts)) => holds(facts, &digest),
            Some(Looked::Unasked) => true,
            _ => false,
        };
        if !is_named {
            running.push(reference.with_digest(&digest));
        }
    }
    images.ask(&running, Depth::Read, context, until)?;
    Ok(images)
}

/// What is known about the image of a container.
struct Known<'i> {
    /// What runs; what would run, where nothing was seen.
    running: Option<&'i ImageFacts>,
    /// What a registry said about the image that runs, where that is no facts.
    otherwise: Option<&'i Looked>,
    /// What the tag names now.
    tag: Option<&'i ImageFacts>,
    /// Whether that is what runs; `None` if it cannot be told.
    is_same: Option<bool>,
}

impl<'a> Judge<'a> {
    /// Takes what is known of images and from tasks.
    pub fn new(options: &'a Options, images: &'a Images, groups: &[Group]) -> Self {
        let mut judge = Self {
            options,
            images,
            places: Places::default(),
        };
        judge.places = Places::of(groups, |group, container| judge.known(group, container).running);
        judge
    }

    /// The report on a group.
    pub fn group(&self, group: &Group) -> GroupReport {
        let known: Vec<Known<'_>> = group
            .containers
            .iter()
            .map(|container| self.known(group, container))
            .collect();
        let at = |container: &GroupContainer| group.containers.iter().position(|other| other == container);
        let now = self.lint(group, |container| known[at(container)?].running);
        let next = self.lint(group, |container| known[at(container)?].tag);
        let containers: Vec<ContainerReport> = group
            .containers
            .iter()
            .zip(&known)
            .zip(now.into_iter().zip(next))
            .map(|((container, known), (now, next))| {
                let next = next.map_or(Verdict::Unknown, |next| next.verdict);
                self.container(group, container, known, now, next)
            })
            .collect();
        let sizes: Option<u64> = images_once(group)
            .map(|at| containers[at].bytes)
            .try_fold(0_u64, |sum, size| Some(sum.saturating_add(size?)));
        let pull = Pull::of(group, sizes.filter(|sum| *sum > 0));
        let gain = containers
            .iter()
            .filter(|container| container.outlook == Outlook::CouldBe)
            .filter_map(|container| container.bytes)
            .fold(0_u64, u64::saturating_add);
        // A service whose definition is not known.
        let remedies = match containers.is_empty() {
            true => commands::see_tasks(group).into_iter().collect(),
            false => Vec::new(),
        };
        GroupReport {
            subject: match (group.is_seen(), &group.service) {
                (true, _) => Subject::Tasks,
                (false, Some(_)) => Subject::Service,
                (false, None) => Subject::Definition,
            },
            name: group.name(),
            cluster: group.cluster.clone(),
            service: group.service.clone(),
            definition: group.definition.clone(),
            region: group.region.clone(),
            tasks: group.starts.len(),
            chain: group_chain(group, pull.as_ref()),
            pull,
            containers,
            remedies,
            gain_bytes: gain.saturating_mul(group.starts.len() as u64),
        }
    }

    fn known(&self, group: &Group, container: &GroupContainer) -> Known<'a> {
        let mut known = Known {
            running: None,
            otherwise: None,
            tag: None,
            is_same: None,
        };
        let Some(reference) = container.reference() else {
            return known;
        };
        let of_tag = self.images.about(&reference);
        known.tag = facts(of_tag);
        let Some(digest) = container.running_digest() else {
            if !group.is_seen() {
                known.running = known.tag;
                known.otherwise = of_tag.filter(|_| known.tag.is_none());
            }
            return known;
        };
        known.is_same = known.tag.map(|facts| holds(facts, &digest));
        let of_digest = match known.is_same {
            Some(true) => of_tag,
            _ => self
                .images
                .about(&reference.with_digest(&digest))
                .or(of_tag.filter(|looked| {
                    // Nobody went on asking a registry that cannot be asked.
                    matches!(looked, Looked::Unasked)
                })),
        };
        known.running = facts(of_digest);
        known.otherwise = of_digest.filter(|_| known.running.is_none());
        known
    }

    /// The linter's verdicts on the containers, in their order, with what is known about each image.
    fn lint<'i>(
        &self,
        group: &Group,
        facts_of: impl Fn(&GroupContainer) -> Option<&'i ImageFacts>,
    ) -> Vec<Option<soci_lint::ContainerReport>> {
        let mut options = self.options.clone();
        options.launch_type = group.launch_type.as_deref().and_then(launch_type);
        options.platform_version = group.platform_version.clone().or(options.platform_version);
        options.region = group.region.clone().or(options.region);
        options.image_facts = group
            .containers
            .iter()
            .filter_map(|container| {
                Some(ImageFactsEntry {
                    image: container.image.clone()?,
                    facts: facts_of(container)?.clone(),
                })
            })
            .collect();
        let document = definition(group);
        let input = Input {
            path: "task".to_owned(),
            bytes: document.to_string().into_bytes(),
        };
        let report = soci_lint::lint(&[input], &options);
        let mut found = report
            .files
            .into_iter()
            .flat_map(|file| file.tasks)
            .flat_map(|task| task.containers);
        group.containers.iter().map(|_| found.next()).collect()
    }

    fn container(
        &self,
        group: &Group,
        container: &GroupContainer,
        known: &Known<'_>,
        now: Option<soci_lint::ContainerReport>,
        next: Verdict,
    ) -> ContainerReport {
        let chosen = known.running.and_then(|facts| platform_of(group, facts));
        let size = chosen.map(|platform| platform.totals.layer_bytes);
        let (mut verdict, mut headline, accepted, words, reasons) = match now {
            Some(now) => (now.verdict, now.headline, now.accepted, now.next, now.reasons),
            None => (Verdict::Unknown, NOTHING.to_owned(), None, None, Vec::new()),
        };
        let codes: Vec<&str> = reasons.iter().map(|reason| reason.code.as_str()).collect();
        let by_rules = verdict;
        if verdict == Verdict::Unknown && codes.iter().all(|code| *code == "SOCI301") {
            headline = self.open(group, container, known);
        }
        if let Some(snapshotter) = &container.snapshotter {
            (verdict, headline) = match (snapshotter.as_str(), by_rules) {
                ("soci", _) => (
                    Verdict::Lazy,
                    "the task itself says so: its snapshotter is soci".to_owned(),
                ),
                (other, Verdict::NotLazy) => (
                    Verdict::NotLazy,
                    format!("{headline} (the task itself says so: its snapshotter is {other})"),
                ),
                (other, Verdict::Lazy) => (
                    Verdict::NotLazy,
                    format!(
                        "the task itself says so: its snapshotter is {other}, for a reason that its image and its platform do not show"
                    ),
                ),
                (other, Verdict::Unknown) => (
                    Verdict::NotLazy,
                    format!("the task itself says so: its snapshotter is {other}; why is open: {headline}"),
                ),
            };
        }
        let outlook = match verdict {
            Verdict::Lazy => Outlook::Lazy,
            Verdict::Unknown => Outlook::Unknown,
            Verdict::NotLazy => {
                let is_small = size.is_some_and(|size| size < WORTH_IT);
                match is_small || codes.iter().any(|code| ELSEWHERE.contains(code)) {
                    true => Outlook::GainsNothing,
                    false => Outlook::CouldBe,
                }
            }
        };
        let accepted = accepted.filter(|_| verdict != Verdict::Lazy);
        let mut remedies = Vec::new();
        if accepted.is_none() {
            // What the rules say can be mended; a lazy start needs nothing, whatever they say.
            let mended = match verdict {
                Verdict::Lazy => Verdict::Lazy,
                _ => by_rules,
            };
            remedies = self.remedies(group, container, known, &codes, mended, next, words);
        }
        ContainerReport {
            name: container.name.clone(),
            image: container.image.clone(),
            digest: container.running_digest().map(|digest| digest.to_string()),
            verdict,
            accepted,
            outlook,
            headline,
            chain: self.chain(group, container, known, chosen),
            reasons: reasons
                .into_iter()
                .map(|reason| Reason {
                    code: reason.code,
                    name: reason.name,
                    message: reason.message,
                })
                .collect(),
            remedies,
            bytes: size,
        }
    }

    /// Why nothing is known about the image that runs.
    fn open(&self, group: &Group, container: &GroupContainer, known: &Known<'_>) -> String {
        let registry = || {
            container
                .reference()
                .map(|reference| reference.registry().to_owned())
        };
        if known.running.is_some() {
            return "which platform of the image runs is not known".to_owned();
        }
        match known.otherwise {
            Some(Looked::Missing) => "the image that runs is not in the registry any more".to_owned(),
            Some(Looked::Odd(problem)) => format!("the image that runs cannot be looked at: {problem}"),
            Some(Looked::Unasked) => {
                format!(
                    "{} could not be asked about the image",
                    registry().unwrap_or_default()
                )
            }
            _ if group.is_seen() && container.running_digest().is_none() => {
                "ECS does not say which digest runs".to_owned()
            }
            _ => "nobody looked at the image that runs".to_owned(),
        }
    }

    fn chain(
        &self,
        group: &Group,
        container: &GroupContainer,
        known: &Known<'_>,
        chosen: Option<&PlatformFacts>,
    ) -> Vec<Step> {
        let mut chain = Vec::new();
        let mut step = |what, found: String| chain.push(Step { what, found });
        step(
            "image",
            container
                .image
                .clone()
                .unwrap_or_else(|| "ECS does not say which".to_owned()),
        );
        if group.is_seen() {
            step(
                "runs",
                match container.running_digest() {
                    Some(digest) => digest.to_string(),
                    None => "ECS does not say which digest".to_owned(),
                },
            );
        }
        match (known.running, known.otherwise) {
            (Some(facts), _) => step("in the registry", taken(facts, chosen)),
            (None, Some(_)) => step("in the registry", self.open(group, container, known)),
            (None, None) => {}
        }
        if chosen.is_some_and(version_one::is_all) {
            step("index v1", self.places.step(group));
        }
        if group.is_seen()
            && let Some(reference) = container.reference()
        {
            match (reference.digest(), known.tag, known.is_same) {
                (Some(_), ..) => step("tag", "none: the digest is pinned".to_owned()),
                (None, Some(_), Some(true)) => step("tag", "names the same image now".to_owned()),
                (None, Some(tag), Some(false)) => step("tag", moved(group, tag, chosen)),
                (None, Some(tag), None) => {
                    let found = in_registry(tag, platform_of(group, tag));
                    step("tag", format!("names {} now: {found}", tag.root.digest));
                }
                (None, None, _) => {}
            }
        }
        if group.is_seen() {
            step(
                "snapshotter",
                match &container.snapshotter {
                    Some(word) => format!("{word}, which the task itself says"),
                    None => "unknown: only the task's own metadata says it".to_owned(),
                },
            );
        }
        chain
    }

    #[allow(clippy::too_many_arguments, reason = "what a remedy hangs on")]
    fn remedies(
        &self,
        group: &Group,
        container: &GroupContainer,
        known: &Known<'_>,
        codes: &[&str],
        verdict: Verdict,
        next: Verdict,
        words: Option<String>,
    ) -> Vec<Remedy> {
        let has = |code: &str| codes.contains(&code);
        let mut remedies = Vec::new();
        let say = |words: Option<String>| {
            words.map(|why| Remedy {
                why,
                commands: Vec::new(),
            })
        };
        let reference = container.reference();
        let is_about_image = ["SOCI302", "SOCI303", "SOCI304", "SOCI309", "SOCI305"]
            .iter()
            .any(|code| has(code));
        match verdict {
            Verdict::Lazy => {}
            Verdict::NotLazy if ELSEWHERE.iter().any(|code| has(code)) => remedies.extend(say(words)),
            Verdict::NotLazy if known.is_same == Some(false) && next == Verdict::Lazy => {
                remedies.push(commands::start_anew(group));
            }
            Verdict::NotLazy if has("SOCI105") || has("SOCI106") => {
                remedies.push(commands::newer_platform_version(group));
            }
            Verdict::NotLazy if has("SOCI201") => {
                let copied = reference.map(|image| commands::copy_into_ecr(group, &image));
                match copied.filter(|remedies| !remedies.is_empty()) {
                    Some(copied) => remedies.extend(copied),
                    None => remedies.extend(say(words)),
                }
            }
            Verdict::NotLazy | Verdict::Unknown if is_about_image => {
                let chosen = known.running.and_then(|facts| platform_of(group, facts));
                let zstd = chosen.is_some_and(|platform| {
                    platform
                        .layers
                        .iter()
                        .any(|layer| layer.compression == LayerCompression::Zstd)
                });
                let small = chosen.is_some_and(|platform| {
                    // As `convert` has it by default.
                    platform.layers.iter().all(|layer| layer.size < 10 << 20)
                });
                match (small, reference) {
                    (false, Some(image)) => remedies.extend(commands::convert(group, &image, zstd)),
                    _ => remedies.extend(say(words)),
                }
            }
            Verdict::NotLazy => remedies.extend(say(words)),
            // What to do about a registry that cannot be asked is said with the registry.
            Verdict::Unknown if !group.is_seen() && known.running.is_none() && known.otherwise.is_none() => {
                remedies.extend(commands::see_tasks(group));
            }
            Verdict::Unknown => {}
        }
        // Where it runs and where its image lies leave nothing to prove.
        if verdict != Verdict::NotLazy || is_about_image {
            remedies.extend(commands::proof(group, container));
        }
        remedies
    }
}

const NOTHING: &str = "nothing is known that decides";

fn facts(looked: Option<&Looked>) -> Option<&ImageFacts> {
    match looked {
        Some(Looked::Known(facts)) => Some(facts),
        _ => None,
    }
}

/// Whether an image is this digest, or one of its platforms is.
fn holds(facts: &ImageFacts, digest: &Digest) -> bool {
    facts.root.digest == *digest
        || facts
            .platforms
            .iter()
            .any(|platform| platform.manifest.digest == *digest)
}

/// The containers whose image no earlier one has: ECS pulls each once.
fn images_once(group: &Group) -> impl Iterator<Item = usize> + '_ {
    (0..group.containers.len()).filter(|at| {
        let image = |at: usize| (&group.containers[at].image, &group.containers[at].digest);
        (0..*at).all(|earlier| image(earlier) != image(*at))
    })
}

fn launch_type(word: &str) -> Option<LaunchType> {
    use LaunchType::{Ec2, External, Fargate, FargateSpot, ManagedInstances};
    [Fargate, FargateSpot, Ec2, External, ManagedInstances]
        .into_iter()
        .find(|launch| launch.as_str() == word)
}
