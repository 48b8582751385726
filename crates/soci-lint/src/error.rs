//! What is wrong with a call, as opposed to what is wrong with a file.

/// A call that cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The options are no JSON of the known shape.
    #[error("options: {reason}")]
    Options {
        /// What the reader objected to, with line and column.
        reason: String,
    },
    /// A rule was named that does not exist.
    #[error("{place}: there is no rule `{rule}` (`cargo soci rules` lists them)")]
    UnknownRule {
        /// The option it stands in.
        place: String,
        /// What was written.
        rule: String,
    },
    /// A format was named that does not exist.
    #[error("there is no format `{format}`: use human, short, json, github, markdown or sarif")]
    Format {
        /// What was written.
        format: String,
    },
    /// A kind was named that does not exist or cannot be read.
    #[error("there is no kind `{kind}` to read: use one of {}", crate::kind::readable())]
    Kind {
        /// What was written.
        kind: String,
    },
    /// A severity was named that does not exist.
    #[error("there is no severity `{severity}`: use error, warning, info or off")]
    Severity {
        /// What was written.
        severity: String,
    },
    /// A threshold for failing was named that does not exist.
    #[error("there is no threshold `{word}`: use error, warning, not-lazy, unknown or never")]
    FailOn {
        /// What was written.
        word: String,
    },
    /// A consumer of images that there is no verdict for.
    #[error(
        "there is no verdict for `{word}`: {}",
        why.unwrap_or("use fargate, sagemaker or containerd")
    )]
    Consumer {
        /// What was written.
        word: String,
        /// Why there is none, where that is known.
        why: Option<&'static str>,
    },
    /// An entry of `accept` that accepts nothing or says no reason.
    #[error("accept: {reason}")]
    Accept {
        /// Why.
        reason: String,
    },
    /// A platform version that cannot be one.
    #[error("`{version}` is no platform version: use LATEST or a number such as 1.4.0")]
    PlatformVersion {
        /// What was written.
        version: String,
    },
    /// The same image was given two different sets of facts.
    #[error("image facts: `{image}` is there twice")]
    FactsTwice {
        /// The image's name.
        image: String,
    },
    /// A name of an image in the facts that is none.
    #[error("image facts: {reason}")]
    FactsImage {
        /// Why.
        reason: String,
    },
}
