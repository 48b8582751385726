//! Files that are no text, or too much of it.

use super::{Check, rule};

rule! {
    /// The file is not UTF-8, or too large.
    ///
    /// ## Why
    ///
    /// JSON and YAML are read as UTF-8, with or without a byte order mark. Files of more than 64 MiB are not read: CloudFormation takes 1 MB at most, the ECS API 64 KiB.
    ///
    /// ## References
    ///
    /// * <https://www.rfc-editor.org/rfc/rfc8259#section-8.1> (2026-11-24)
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html>, task definition size (2026-11-24)
    UNREADABLE, "SOCI917", "unreadable-file", Error, None, Check::Reader
}
