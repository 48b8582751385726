//! When a run counts as failed: one meaning for the exit code, the Action and the configuration.

use std::str::FromStr;

use crate::Error;
use crate::report::{Summary, count};

/// What makes a run fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FailOn {
    /// A finding of severity error.
    #[default]
    Error,
    /// A finding of severity error or warning.
    Warning,
    /// A container that is not loaded lazily, no container at all, or a finding of severity error.
    NotLazy,
    /// A container that is not known to be loaded lazily, no container at all, or a finding of severity error.
    Unknown,
    /// Nothing.
    Never,
}

impl FailOn {
    /// As on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::NotLazy => "not-lazy",
            Self::Unknown => "unknown",
            Self::Never => "never",
        }
    }

    /// Whether a run with this summary failed.
    pub fn is_met_by(self, summary: &Summary) -> bool {
        !self.causes(summary).is_empty()
    }

    /// The sentence that says what made the run fail; `None` if it did not.
    pub fn reason(self, summary: &Summary) -> Option<String> {
        let causes = self.causes(summary);
        (!causes.is_empty()).then(|| format!("failed (fail-on {}): {}", self.as_str(), causes.join(", ")))
    }

    fn causes(self, summary: &Summary) -> Vec<String> {
        let mut causes = Vec::new();
        if self == Self::Never {
            return causes;
        }
        if summary.errors > 0 {
            causes.push(count(summary.errors, "error"));
        }
        if self == Self::Warning && summary.warnings > 0 {
            causes.push(count(summary.warnings, "warning"));
        }
        if matches!(self, Self::NotLazy | Self::Unknown) {
            if summary.not_lazy > 0 {
                causes.push(format!(
                    "{} not loaded lazily",
                    count(summary.not_lazy, "container")
                ));
            }
            if self == Self::Unknown && summary.unknown > 0 {
                causes.push(format!("{} unknown", count(summary.unknown, "container")));
            }
            if summary.containers == 0 {
                let why = match summary.files {
                    0 => "no file to check".to_owned(),
                    1 => "the file holds none".to_owned(),
                    files => format!("the {files} files hold none"),
                };
                causes.push(format!("no container was judged: {why}"));
            }
        }
        causes
    }
}

impl FromStr for FailOn {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        [
            Self::Error,
            Self::Warning,
            Self::NotLazy,
            Self::Unknown,
            Self::Never,
        ]
        .into_iter()
        .find(|known| known.as_str() == text)
        .ok_or_else(|| Error::FailOn {
            word: text.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(errors: u32, warnings: u32, not_lazy: u32, unknown: u32) -> Summary {
        Summary {
            files: 1,
            containers: 4,
            errors,
            warnings,
            not_lazy,
            unknown,
            ..Summary::default()
        }
    }

    #[test]
    fn each_word_has_its_threshold() {
        let words = ["error", "warning", "not-lazy", "unknown", "never"];
        let fails = |summary: &Summary| {
            words.map(|word| word.parse::<FailOn>().expect("a known word").is_met_by(summary))
        };
        assert_eq!(fails(&summary(0, 0, 0, 0)), [false; 5]);
        assert_eq!(fails(&summary(1, 0, 0, 0)), [true, true, true, true, false]);
        assert_eq!(fails(&summary(0, 1, 0, 0)), [false, true, false, false, false]);
        assert_eq!(fails(&summary(0, 0, 1, 0)), [false, false, true, true, false]);
        assert_eq!(fails(&summary(0, 0, 0, 1)), [false, false, false, true, false]);
        let nothing = Summary::default();
        assert_eq!(fails(&nothing), [false, false, true, true, false]);
        assert!("always".parse::<FailOn>().is_err());
    }

    #[test]
    fn what_failed_is_said() {
        let said = |fail_on: FailOn, summary| fail_on.reason(&summary).unwrap_or_default();
        assert_eq!(
            said(FailOn::Unknown, summary(1, 2, 1, 2)),
            "failed (fail-on unknown): 1 error, 1 container not loaded lazily, 2 containers unknown"
        );
        assert_eq!(
            said(FailOn::Warning, summary(2, 1, 0, 0)),
            "failed (fail-on warning): 2 errors, 1 warning"
        );
        let nothing = |files| Summary {
            files,
            ..Summary::default()
        };
        assert_eq!(
            [0, 1, 2].map(|files| said(FailOn::NotLazy, nothing(files))),
            [
                "failed (fail-on not-lazy): no container was judged: no file to check",
                "failed (fail-on not-lazy): no container was judged: the file holds none",
                "failed (fail-on not-lazy): no container was judged: the 2 files hold none",
            ]
        );
        assert_eq!(said(FailOn::Never, summary(1, 1, 1, 1)), "");
    }
}
