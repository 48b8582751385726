//! Whether a SOCI index of version 1 counts: what is known of the account and the region, and what would answer it.
//!
//! Fargate takes version 1 only where it was used before version 2 appeared, by account and region
//! (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-soci-images>, 2026-08-14;
//! <https://github.com/awslabs/soci-snapshotter/issues/1575>, 2025-05-28). No call of AWS tells it. A task tells it of
//! itself, and so something about its neighbours in the same account and region; that is a hint and decides no verdict.

use std::collections::BTreeMap;

use soci_image::SociVersion;
use soci_image::facts::{ImageFacts, PlatformFacts};

use super::groups::{Group, GroupContainer};
use super::steps::platform_of;

/// What tasks with such images say, by account and region.
#[derive(Debug, Default)]
pub struct Places(BTreeMap<(String, String), Vec<Said>>);

/// What one task says.
#[derive(Debug)]
struct Said {
    /// `shop/web, task 0f5d`
    who: String,
    snapshotter: String,
}

/// Whether an index of version 1 is all that an image has for a platform.
pub(super) fn is_all(platform: &PlatformFacts) -> bool {
    let soci = platform.soci.as_ref();
    soci.is_some_and(|soci| soci.usable && soci.version == SociVersion::V1)
}

impl Places {
    /// What the tasks of the groups say, given the facts of what they run.
    pub fn of<'i>(
        groups: &[Group],
        facts: impl Fn(&Group, &GroupContainer) -> Option<&'i ImageFacts>,
    ) -> Self {
        let mut places = Self::default();
        for group in groups {
            let Some(place) = place(group) else { continue };
            for container in &group.containers {
                let of_platform = facts(group, container).and_then(|facts| platform_of(group, facts));
                let (Some(word), Some(platform)) = (&container.snapshotter, of_platform) else {
                    continue;
                };
                if is_all(platform) && may_be_lazy(group) {
                    let task = group.starts.first().map_or("", |start| start.task.as_str());
                    places.0.entry(place.clone()).or_default().push(Said {
                        who: format!("{}, task {task}", group.name()),
                        snapshotter: word.clone(),
                    });
                }
            }
        }
        places
    }

    /// What is known for a group, and what is not.
    pub(super) fn step(&self, group: &Group) -> String {
        let rule = "Fargate takes it only where the account used v1 in the region before";
        let Some(place) = place(group) else {
            return format!("{rule}; which account and region start it is not known here");
        };
        let (account, region) = (&place.0, &place.1);
        let said = self.0.get(&place).map_or(&[][..], Vec::as_slice);
        let of = |lazy: bool| said.iter().find(|said| (said.snapshotter == "soci") == lazy);
        match (of(true), of(false)) {
            (None, None) => format!(
                "{rule}: whether {account} did in {region} no call of AWS tells; a task with such an image does (Snapshotter \
                 in its metadata)"
            ),
            (Some(one), None) => format!("{rule}: {account} in {region} did, says {} (soci)", one.who),
            (None, Some(one)) => format!(
                "{rule}: {account} in {region} did not, as far as one can tell from {} ({})",
                one.who, one.snapshotter
            ),
            (Some(one), Some(other)) => format!(
                "{rule}: in {account}, {region} the tasks differ: {} says soci, {} says {}",
                one.who, other.who, other.snapshotter
            ),
        }
    }
}

/// Where nothing but the index decides: what runs elsewhere says nothing about it.
fn may_be_lazy(group: &Group) -> bool {
    let launch = group.launch_type.as_deref();
    let system = group.operating_system.as_deref().unwrap_or("LINUX");
    let version = group.platform_version.as_deref().unwrap_or("1.4.0");
    matches!(launch, Some("FARGATE" | "FARGATE_SPOT")) && system == "LINUX" && version == "1.4.0"
}

fn place(group: &Group) -> Option<(String, String)> {
    Some((group.account.clone()?, group.region.clone()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::why::groups::Start;

    fn group(account: &str, region: &str) -> Group {
        Group {
            service: Some("web".to_owned()),
            account: Some(account.to_owned()),
            region: Some(region.to_owned()),
            launch_type: Some("FARGATE".to_owned()),
            ..Group::default()
        }
    }

    fn places(words: &[&str]) -> Places {
        let said = words.iter().map(|word| Said {
            who: "web, task 1".to_owned(),
            snapshotter: (*word).to_owned(),
        });
        let place = ("1".to_owned(), "eu-west-1".to_owned());
        Places(BTreeMap::from([(place, said.collect())]))
    }

    #[test]
    fn a_place_is_known_by_its_own_tasks_alone() {
        let here = group("1", "eu-west-1");
        assert!(
            places(&["soci"])
                .step(&here)
                .ends_with("1 in eu-west-1 did, says web, task 1 (soci)")
        );
        assert!(
            places(&["overlayfs"])
                .step(&here)
                .contains("did not, as far as one can tell")
        );
        assert!(
            places(&["overlayfs", "soci"])
                .step(&here)
                .contains("the tasks differ")
        );
        for elsewhere in [group("1", "us-east-1"), group("2", "eu-west-1")] {
            assert!(
                places(&["soci"])
                    .step(&elsewhere)
                    .contains("no call of AWS tells")
            );
        }
        assert!(
            places(&["soci"])
                .step(&Group::default())
                .contains("is not known here")
        );
    }

    #[test]
    fn what_cannot_be_lazy_anyway_says_nothing() {
        assert!(may_be_lazy(&group("1", "eu-west-1")));
        for other in [
            Group {
                launch_type: Some("EC2".to_owned()),
                ..group("1", "eu-west-1")
            },
            Group {
                platform_version: Some("1.3.0".to_owned()),
                ..group("1", "eu-west-1")
            },
            Group {
                operating_system: Some("WINDOWS_SERVER_2022_CORE".to_owned()),
                starts: vec![Start::default()],
                ..group("1", "eu-west-1")
            },
        ] {
            assert!(!may_be_lazy(&other));
        }
    }
}
