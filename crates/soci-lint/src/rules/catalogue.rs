//! All rules, by code.

use super::*;

/// All rules, by code.
pub(crate) static RULES: &[&Rule] = &[
    &not_fargate::NOT_FARGATE,
    &not_fargate_by_default::NOT_FARGATE_BY_DEFAULT,
    &launch_type_undecided::LAUNCH_TYPE_UNDECIDED,
    &windows_task::WINDOWS_TASK,
    &platform_version::PLATFORM_VERSION,
    &platform_version_retired::PLATFORM_VERSION_RETIRED,
    &platform_version_undecided::PLATFORM_VERSION_UNDECIDED,
    &architecture_not_in_image::ARCHITECTURE_NOT_IN_IMAGE,
    &image_not_in_ecr_private::IMAGE_NOT_IN_ECR_PRIVATE,
    &repository_credentials::REPOSITORY_CREDENTIALS,
    &image_in_another_region::IMAGE_IN_ANOTHER_REGION,
    &pull_through_cache::PULL_THROUGH_CACHE,
    &ecr_host_unverified::ECR_HOST_UNVERIFIED,
    &malformed_ecr_host::MALFORMED_ECR_HOST,
    &image_of_aws::IMAGE_OF_AWS,
    &image_facts_missing::IMAGE_FACTS_MISSING,
    &no_soci_index::NO_SOCI_INDEX,
    &soci_index_v1_only::SOCI_INDEX_V1_ONLY,
    &no_soci_index_for_platform::NO_SOCI_INDEX_FOR_PLATFORM,
    &zstd_layers::ZSTD_LAYERS,
    &image_too_small::IMAGE_TOO_SMALL,
    &layers_below_minimum::LAYERS_BELOW_MINIMUM,
    &little_is_lazy::LITTLE_IS_LAZY,
    &soci_index_damaged::SOCI_INDEX_DAMAGED,
    &has_soci_index::HAS_SOCI_INDEX,
    &latest_tag::LATEST_TAG,
    &tag_not_pinned::TAG_NOT_PINNED,
    &health_check_start_period::HEALTH_CHECK_START_PERIOD,
    &depends_on_start_timeout::DEPENDS_ON_START_TIMEOUT,
    &service_grace_period::SERVICE_GRACE_PERIOD,
    &ephemeral_storage::EPHEMERAL_STORAGE,
    &soci_tag_suffix::SOCI_TAG_SUFFIX,
    &every_image_needs_an_index::EVERY_IMAGE_NEEDS_AN_INDEX,
    &not_a_task_definition::NOT_A_TASK_DEFINITION,
    &kind_not_read::KIND_NOT_READ,
    &dockerrun::DOCKERRUN,
    &syntax_error::SYNTAX_ERROR,
    &not_plain_json::NOT_PLAIN_JSON,
    &template_not_rendered::TEMPLATE_NOT_RENDERED,
    &duplicate_key::DUPLICATE_KEY,
    &wrong_type::WRONG_TYPE,
    &image_syntax::IMAGE_SYNTAX,
    &empty_image::EMPTY_IMAGE,
    &missing_image::MISSING_IMAGE,
    &placeholder_image::PLACEHOLDER_IMAGE,
    &unresolved_image::UNRESOLVED_IMAGE,
    &unresolved_container::UNRESOLVED_CONTAINER,
    &no_containers::NO_CONTAINERS,
    &odd_suppression::ODD_SUPPRESSION,
    &unreadable_file::UNREADABLE,
    &unused_parameter::UNUSED_PARAMETER,
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
