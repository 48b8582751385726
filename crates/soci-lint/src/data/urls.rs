//! Pages that rules refer to. Checked 2026-11-23.

/// What Fargate asks of an image before it loads it lazily.
pub(crate) const FARGATE_SOCI: &str =
    "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-soci-images";
/// The rules' own pages.
pub(crate) const RULES: &str = "https://github.com/cargo-soci/cargo-soci/blob/main/docs/rules";
