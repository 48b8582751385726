//! Services: what they say about where their tasks run.

use crate::expression::Case;
use crate::expression::Setting;
use crate::expression::value::{Branch, ResourceId, missing_way};
use crate::source::Place;

/// An ECS service, a task set, an EventBridge rule or schedule: what runs tasks.
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) name_place: Place,
    /// What it is: `service`, `task set`, `rule` or `schedule`.
    pub(crate) noun: &'static str,
    /// Conditions under which it exists.
    pub(crate) when: Vec<Branch>,
    pub(crate) links: Vec<TaskLink>,
    /// The cluster it runs in.
    pub(super) clusters: Vec<TaskLink>,
    /// Where it says that another task definition is put in its place elsewhere.
    pub(super) pipeline_decides: Option<Place>,
    /// `launchType`.
    pub(crate) launch_type: Setting,
    /// The providers of `capacityProviderStrategy`.
    pub(crate) providers: Vec<Case>,
    pub(crate) platform_version: Setting,
    /// Whether a load balancer asks it whether it is well.
    pub(crate) is_balanced: bool,
    /// `healthCheckGracePeriodSeconds`.
    pub(crate) grace_period: Setting,
}

/// A cluster, or what gives one its capacity providers.
pub(crate) struct Cluster {
    /// The resource that it is, its name, or the cluster that it speaks of.
    pub(super) names: Vec<TaskLink>,
    /// The providers of `defaultCapacityProviderStrategy`.
    pub(super) providers: Vec<Case>,
}

/// Which task definition a service runs, or in which cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TaskLink {
    /// A resource of a template or of a module.
    Resource(ResourceId),
    /// A family, of `family:revision` or an ARN.
    Family(String),
    /// It does not say.
    Absent,
    /// It says something that is not known here.
    Open,
}

/// What a service says about Fargate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Says {
    Fargate {
        word: String,
        place: Place,
    },
    Elsewhere {
        word: String,
        place: Place,
    },
    /// It depends on something that is not known.
    Open {
        why: String,
        help: String,
        place: Place,
    },
    Nothing,
}

impl Service {
    /// `launchType`, or else the capacity providers.
    pub(crate) fn says(&self) -> Says {
        let launch_type = self.launch_type.known();
        if let (None, Some(hole), Some(place)) =
            (&launch_type, self.launch_type.hole(), self.launch_type.place)
        {
            return Says::Open {
                why: hole.why.clone(),
                help: hole.help.clone(),
                place,
            };
        }
        if let (Some(word), Some(place)) = (launch_type, self.launch_type.place) {
            return match word.as_str() {
                "FARGATE" => Says::Fargate { word, place },
                "EC2" | "EXTERNAL" => Says::Elsewhere { word, place },
                _ => Says::Nothing,
            };
        }
        let providers = || self.providers.iter().filter(|case| !case.is_against_default());
        let known: Vec<(String, Place)> = providers()
            .filter_map(|case| Some((case.value.known()?, case.place)))
            .collect();
        let chosen = known.iter().find(|(word, _)| is_fargate_provider(word));
        let of_fargate = |case: &&Case| case.value.known().is_some_and(|word| is_fargate_provider(&word));
        let of_fargate: Vec<&[Branch]> = providers()
            .filter(of_fargate)
            .map(|case| case.when.as_slice())
            .collect();
        if let (Some(branch), Some((_, place))) = (missing_way(&of_fargate), chosen) {
            return Says::Open {
                why: format!("its capacity providers depend on `{}`", branch.condition),
                help: branch.help.to_string(),
                place: *place,
            };
        }
        let all_are_known =
            known.len() == providers().count() && providers().all(|case| case.when.is_empty());
        match (chosen, known.first()) {
            (Some((word, place)), _) => Says::Fargate {
                word: word.clone(),
                place: *place,
            },
            (None, Some((word, place))) if all_are_known => Says::Elsewhere {
                word: word.clone(),
                place: *place,
            },
            _ => Says::Nothing,
        }
    }
}

/// The two providers that are always there. All others are names that users chose, of groups of instances or of managed
/// instances; they may not begin with `fargate`.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html> (2026-11-23),
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateCapacityProvider.html> (2026-11-23)
fn is_fargate_provider(word: &str) -> bool {
    matches!(word, "FARGATE" | "FARGATE_SPOT")
}
