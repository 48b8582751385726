//! All rules, by code.

use super::Rule;
use super::{
    depends_on_start_timeout, document, ecr_host_unverified, ephemeral_storage, every_image_needs_an_index,
    health_check_start_period, image_facts_missing, image_in_another_region, image_not_in_ecr_private,
    image_of_aws, image_size, image_value, latest_tag, launch_type_undecided, malformed_ecr_host,
    no_soci_index, not_fargate, not_fargate_by_default, platform_version, pull_through_cache,
    repository_credentials, service_grace_period, soci_index_damaged, soci_tag_suffix, tag_not_pinned,
    windows_task,
};

/// All rules, by code.
pub(crate) static RULES: &[&Rule] = &[
    &not_fargate::NOT_FARGATE,
    &not_fargate_by_default::NOT_FARGATE_BY_DEFAULT,
    &launch_type_undecided::LAUNCH_TYPE_UNDECIDED,
    &windows_task::WINDOWS_TASK,
    &platform_version::PLATFORM_VERSION,
    &platform_version::PLATFORM_VERSION_RETIRED,
    &platform_version::PLATFORM_VERSION_UNDECIDED,
    &no_soci_index::ARCHITECTURE_NOT_IN_IMAGE,
    &image_not_in_ecr_private::IMAGE_NOT_IN_ECR_PRIVATE,
    &repository_credentials::REPOSITORY_CREDENTIALS,
    &image_in_another_region::IMAGE_IN_ANOTHER_REGION,
    &pull_through_cache::PULL_THROUGH_CACHE,
    &ecr_host_unverified::ECR_HOST_UNVERIFIED,
    &malformed_ecr_host::MALFORMED_ECR_HOST,
    &image_of_aws::IMAGE_OF_AWS,
    &image_facts_missing::IMAGE_FACTS_MISSING,
    &no_soci_index::NO_SOCI_INDEX,
    &no_soci_index::SOCI_INDEX_V1_ONLY,
    &no_soci_index::NO_SOCI_INDEX_FOR_PLATFORM,
    &image_size::ZSTD_LAYERS,
    &image_size::IMAGE_TOO_SMALL,
    &image_size::LAYERS_BELOW_MINIMUM,
    &image_size::LITTLE_IS_LAZY,
    &soci_index_damaged::SOCI_INDEX_DAMAGED,
    &no_soci_index::HAS_SOCI_INDEX,
    &latest_tag::LATEST_TAG,
    &tag_not_pinned::TAG_NOT_PINNED,
    &health_check_start_period::HEALTH_CHECK_START_PERIOD,
    &depends_on_start_timeout::DEPENDS_ON_START_TIMEOUT,
    &service_grace_period::SERVICE_GRACE_PERIOD,
    &ephemeral_storage::EPHEMERAL_STORAGE,
    &soci_tag_suffix::SOCI_TAG_SUFFIX,
    &every_image_needs_an_index::EVERY_IMAGE_NEEDS_AN_INDEX,
    &document::NOT_A_TASK_DEFINITION,
    &document::KIND_NOT_READ,
    &document::DOCKERRUN,
    &document::SYNTAX_ERROR,
    &document::NOT_PLAIN_JSON,
    &document::TEMPLATE_NOT_RENDERED,
    &document::DUPLICATE_KEY,
    &document::WRONG_TYPE,
    &image_value::IMAGE_SYNTAX,
    &image_value::EMPTY_IMAGE,
    &image_value::MISSING_IMAGE,
    &image_value::PLACEHOLDER_IMAGE,
    &image_value::UNRESOLVED_IMAGE,
    &image_value::UNRESOLVED_CONTAINER,
    &document::NO_CONTAINERS,
    &document::ODD_SUPPRESSION,
    &document::UNREADABLE,
    &document::UNUSED_PARAMETER,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_unique_and_in_order() {
        for pair in RULES.windows(2) {
            assert!(pair[0].code < pair[1].code, "{}", pair[1].code);
        }
        let names: std::collections::BTreeSet<_> = RULES.iter().map(|rule| rule.name).collect();
        assert_eq!(names.len(), RULES.len());
    }
}
