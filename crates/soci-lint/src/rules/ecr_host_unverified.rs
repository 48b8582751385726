//! ECR hosts of which the documentation does not speak.

use soci_image::ecr::Partition;

use super::{Sink, rule};
use crate::model::{Container, Task};

rule! {
    /// The image is named by an ECR host for which lazy loading is not documented.
    ///
    /// ## Why
    ///
    /// ECR has FIPS and dual-stack hosts, and partitions of their own for China, GovCloud, the European Sovereign Cloud and the isolated regions. The
    /// images behind them are in private ECR repositories, and nothing says that Fargate does not load them lazily. Nothing says that it does,
    /// either (for China there is a copy of the documentation), so check one task: the task metadata endpoint shows `Snapshotter: soci`.
    ///
    /// ## Example
    ///
    /// ```json
    /// {
    ///   "family": "web",
    ///   "requiresCompatibilities": ["FARGATE"],
    ///   "networkMode": "awsvpc",
    ///   "cpu": "256",
    ///   "memory": "512",
    ///   "containerDefinitions": [
    ///     { "name": "web", "image": "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com/web:1.4.2" }
    ///   ]
    /// }
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```json
    /// {
    ///   "family": "web",
    ///   "requiresCompatibilities": ["FARGATE"],
    ///   "networkMode": "awsvpc",
    ///   "cpu": "256",
    ///   "memory": "512",
    ///   "containerDefinitions": [
    ///     { "name": "web", "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/web:1.4.2" }
    ///   ]
    /// }
    /// ```
    ///
    /// ## References
    ///
    /// * <https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-requests.html>, dual-stack hosts (2026-11-23)
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate.html> (2026-11-23)
    RULE = {
        code: "SOCI205",
        name: "ecr-host-unverified",
        severity: Info,
        effect: None,
        check: Container(check),
        consumers: super::ECS,
    }
}

fn check(task: &Task, container: &Container, sink: &mut Sink<'_>) {
    if !container.is_eligible(task) {
        return;
    }
    for (at, ecr, _, case) in container.in_ecr() {
        let Some(host) = &ecr.host else {
            continue;
        };
        let partition = match host.partition {
            Partition::Aws => None,
            Partition::AwsCn => Some("in China"),
            Partition::AwsUsGov => Some("in GovCloud"),
            Partition::AwsEusc => Some("in the European Sovereign Cloud"),
            Partition::AwsIso | Partition::AwsIsoB | Partition::AwsIsoE | Partition::AwsIsoF => {
                Some("in an isolated partition")
            }
        };
        let what = match (host.fips, host.dual_stack, partition) {
            (true, _, _) => "at a FIPS host",
            (_, true, _) => "at a dual-stack host",
            (_, _, Some(partition)) => partition,
            _ => continue,
        };
        sink.report(
            container.place(),
            format!("it is not documented whether Fargate loads lazily from ECR {what}"),
        )
        .help("look for `Snapshotter: soci` in the metadata of one task")
        .case(at, case);
    }
}
