//! Who does not load lazily by an index, and what to say to those who ask.

/// Words that name such a consumer, and why there is no verdict to give.
///
/// EKS: `FastImagePull` of the Amazon Linux 2023 nodes, `snapshotter = "soci"` of Bottlerocket and EKS Auto Mode
/// pull in parallel and unpack, without any index: <https://github.com/awslabs/amazon-eks-ami> at 81fec2e8
/// (2026-07-23), <https://github.com/bottlerocket-os/bottlerocket/issues/4785> (2026-03-10).
/// Lambda: <https://github.com/aws/aws-lambda-roadmap/issues/82> (2026-11-28).
/// ECS outside Fargate: <https://github.com/aws/containers-roadmap/issues/1832>, the open request (2026-11-23).
pub(crate) const WITHOUT_INDEX: &[(&[&str], &str)] = &[
    (
        &[
            "eks",
            "eks-auto-mode",
            "eks-auto",
            "bottlerocket",
            "al2023",
            "kubernetes",
        ],
        "EKS nodes and Bottlerocket pull images in parallel and use no SOCI index, so that an index changes nothing; \
         where you installed the SOCI snapshotter on the nodes yourself, use containerd",
    ),
    (
        &["lambda"],
        "Lambda takes no image index, which a SOCI image is: give functions a tag of their own, and SOCI209 finds \
         those that share one",
    ),
    (
        &["ec2", "ecs-ec2", "managed-instances", "external", "ecs-anywhere"],
        "ECS loads images lazily on Fargate only, so that an index changes nothing elsewhere; fargate says so of \
         each task",
    ),
    (
        &["batch", "app-runner", "codebuild", "agentcore"],
        "nothing is documented about SOCI there",
    ),
];
