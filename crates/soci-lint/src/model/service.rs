//! Services: what they say about where their tasks run.

use super::View;
use super::task::Setting;
use super::value::Case;
use crate::source::TextRange;

/// An ECS service, a task set, an EventBridge rule or schedule: what runs tasks.
pub(crate) struct Service<'a> {
    pub(crate) name: String,
    pub(crate) name_range: TextRange,
    pub(crate) view: View<'a>,
    /// What it is: `service`, `task set`, `rule` or `schedule`.
    pub(crate) noun: &'static str,
    pub(crate) task: TaskLink,
    /// `launchType`.
    pub(crate) launch_type: Setting,
    /// The providers of `capacityProviderStrategy`.
    pub(crate) providers: Vec<Case>,
    pub(crate) platform_version: Setting,
}

/// Which task definition a service runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TaskLink {
    /// The resource of this name in the same template.
    Logical(String),
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
    Fargate { word: String, range: TextRange },
    Elsewhere { word: String, range: TextRange },
    Nothing,
}

impl Service<'_> {
    /// `launchType`, or else the capacity providers.
    pub(crate) fn says(&self) -> Says {
        let launch_type = self.launch_type.known();
        if let (Some(word), Some(range)) = (launch_type, self.launch_type.range()) {
            return match word.as_str() {
                "FARGATE" => Says::Fargate { word, range },
                "EC2" | "EXTERNAL" => Says::Elsewhere { word, range },
                _ => Says::Nothing,
            };
        }
        let known: Vec<(String, TextRange)> = self
            .providers
            .iter()
            .filter(|case| !case.is_against_default())
            .filter_map(|case| Some((case.value.known()?, case.range)))
            .collect();
        match known.iter().find(|(word, _)| is_fargate_provider(word)) {
            Some((word, range)) => Says::Fargate {
                word: word.clone(),
                range: *range,
            },
            None => Says::Nothing,
        }
    }
}

/// The two providers that are always there. All others are names that users chose.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html> (2026-11-23)
fn is_fargate_provider(word: &str) -> bool {
    matches!(word, "FARGATE" | "FARGATE_SPOT")
}
