//! Helpers that AWS publishes, small and pulled beside the application. A full pull of one is
//! harmless: since November 2023 each container of a task is judged alone.
//!
//! <https://github.com/aws/aws-for-fluent-bit>, <https://github.com/aws-observability/aws-otel-collector>,
//! <https://docs.aws.amazon.com/xray/latest/devguide/xray-daemon-ecs.html>,
//! <https://docs.aws.amazon.com/app-mesh/latest/userguide/envoy.html>,
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/deploy-container-insights-ECS-instancelevel.html> (2026-11-24).

static REPOSITORIES: [&str; 9] = [
    "aws-observability/aws-for-fluent-bit",
    "aws-observability/aws-otel-collector",
    "xray/aws-xray-daemon",
    "appmesh/aws-appmesh-envoy",
    "cloudwatch-agent/cloudwatch-agent",
    "amazon/aws-for-fluent-bit",
    "amazon/aws-xray-daemon",
    "amazon/aws-otel-collector",
    "amazon/cloudwatch-agent",
];

/// Whether a repository on ECR Public or Docker Hub is one of them.
pub(crate) fn is_known_sidecar(repository: &str) -> bool {
    REPOSITORIES.contains(&repository)
}

/// Accounts of AWS whose private repositories anyone may pull: nobody but AWS can put an index there.
/// Deep Learning Containers: <https://docs.aws.amazon.com/deep-learning-containers/latest/devguide/dlc-release-notes.html>;
/// App Mesh: <https://docs.aws.amazon.com/app-mesh/latest/userguide/envoy.html>;
/// FireLens: <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/firelens-using-fluentbit.html> (2026-11-24).
static AWS_ACCOUNTS: [(&str, &str); 3] = [
    ("763104351884", "AWS Deep Learning Containers"),
    ("840364872350", "AWS App Mesh"),
    ("906394416424", "AWS for Fluent Bit"),
];

/// Whose images an account of AWS publishes.
pub(crate) fn aws_account(account: &str) -> Option<&'static str> {
    AWS_ACCOUNTS.iter().find(|row| row.0 == account).map(|row| row.1)
}
