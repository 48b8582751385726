//! The words that options, rules and reports share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::data::consumers::WITHOUT_INDEX;

/// Whether Fargate loads a container lazily.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Yes.
    Lazy,
    /// It may: something is not known.
    #[default]
    Unknown,
    /// No.
    NotLazy,
}

impl Verdict {
    /// As in the report: `lazy`, `not-lazy`, `unknown`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lazy => "lazy",
            Self::Unknown => "unknown",
            Self::NotLazy => "not-lazy",
        }
    }
}

/// Whether a task definition runs on Fargate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fargate {
    /// Yes.
    Yes,
    /// No.
    No,
    /// Decided where the task is run.
    Undecided,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It will not work, or not lazily.
    Error,
    /// It probably is not what was meant.
    Warning,
    /// Good to know.
    Info,
    /// Not listed.
    Off,
}

impl Severity {
    /// As in the report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Off => "off",
        }
    }
}

impl std::str::FromStr for Severity {
    type Err = crate::Error;

    fn from_str(text: &str) -> Result<Self, crate::Error> {
        [Self::Error, Self::Warning, Self::Info, Self::Off]
            .into_iter()
            .find(|severity| severity.as_str() == text)
            .ok_or_else(|| crate::Error::Severity {
                severity: text.to_owned(),
            })
    }
}

/// What runs the images that are judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Consumer {
    /// ECS on Fargate, as the documents describe it.
    #[default]
    Fargate,
    /// SageMaker: Studio, processing and training jobs.
    SageMaker,
    /// containerd with the SOCI snapshotter, installed by whoever runs the nodes.
    Containerd,
}

impl Consumer {
    /// All that there is a verdict for.
    pub const ALL: [Self; 3] = [Self::Fargate, Self::SageMaker, Self::Containerd];

    /// As in the options.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fargate => "fargate",
            Self::SageMaker => "sagemaker",
            Self::Containerd => "containerd",
        }
    }

    /// As in a sentence.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Fargate => "Fargate",
            Self::SageMaker => "SageMaker",
            Self::Containerd => "the SOCI snapshotter",
        }
    }

    pub(crate) fn is_fargate(&self) -> bool {
        *self == Self::Fargate
    }

    /// Whether it loads images lazily from private ECR repositories only. The snapshotter takes any registry
    /// that answers range requests.
    pub(crate) fn wants_ecr(self) -> bool {
        self != Self::Containerd
    }
}

impl std::str::FromStr for Consumer {
    type Err = crate::Error;

    fn from_str(text: &str) -> Result<Self, crate::Error> {
        let known = Self::ALL.into_iter().find(|known| known.as_str() == text);
        known.ok_or_else(|| {
            let word = text.to_ascii_lowercase();
            let why = WITHOUT_INDEX
                .iter()
                .find(|(words, _)| words.contains(&word.as_str()));
            crate::Error::Consumer {
                word: text.to_owned(),
                why: why.map(|(_, why)| *why),
            }
        })
    }
}

/// Where tasks run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LaunchType {
    /// Fargate.
    Fargate,
    /// Fargate at spot prices; the same for lazy loading.
    FargateSpot,
    /// Instances of the user.
    Ec2,
    /// Machines outside AWS (ECS Anywhere).
    External,
    /// Instances that ECS manages.
    ManagedInstances,
}

impl LaunchType {
    /// The name ECS uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fargate => "FARGATE",
            Self::FargateSpot => "FARGATE_SPOT",
            Self::Ec2 => "EC2",
            Self::External => "EXTERNAL",
            Self::ManagedInstances => "MANAGED_INSTANCES",
        }
    }

    /// Whether it is Fargate.
    pub fn is_fargate(self) -> bool {
        matches!(self, Self::Fargate | Self::FargateSpot)
    }
}
