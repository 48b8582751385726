//! When a run counts as failed: one meaning for the exit code, the Action and the configuration.

use std::str::FromStr;

use crate::Error;
use crate::report::Summary;

/// What makes a run fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FailOn {
    /// A finding of severity error.
    #[default]
    Error,
    /// A finding of severity error or warning.
    Warning,
    /// A container that is not loaded lazily, or a finding of severity error.
    NotLazy,
    /// Nothing.
    Never,
}

impl FailOn {
    /// Whether a run with this summary failed.
    pub fn is_met_by(self, summary: &Summary) -> bool {
        match self {
            Self::Error => summary.errors > 0,
            Self::Warning => summary.errors > 0 || summary.warnings > 0,
            Self::NotLazy => summary.errors > 0 || summary.not_lazy > 0,
            Self::Never => false,
        }
    }
}

impl FromStr for FailOn {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "error" => Ok(Self::Error),
            "warning" => Ok(Self::Warning),
            "not-lazy" => Ok(Self::NotLazy),
            "never" => Ok(Self::Never),
            _ => Err(Error::FailOn {
                word: text.to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_has_its_threshold() {
        let summary = |errors, warnings, not_lazy| Summary {
            errors,
            warnings,
            not_lazy,
            ..Summary::default()
        };
        let words = ["error", "warning", "not-lazy", "never"];
        let fails = |summary: &Summary| {
            words.map(|word| word.parse::<FailOn>().expect("a known word").is_met_by(summary))
        };
        assert_eq!(fails(&summary(0, 0, 0)), [false, false, false, false]);
        assert_eq!(fails(&summary(1, 0, 0)), [true, true, true, false]);
        assert_eq!(fails(&summary(0, 1, 0)), [false, true, false, false]);
        assert_eq!(fails(&summary(0, 0, 1)), [false, false, true, false]);
        assert!("always".parse::<FailOn>().is_err());
    }
}
