//! Registries by host, and which of them ECR can cache.
//!
//! Pull-through cache upstreams: <https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache.html>
//! and the ECR API's `UpstreamRegistry` (ecr, ecr-public, quay, k8s, docker-hub, github-container-registry,
//! azure-container-registry, gitlab-container-registry, chainguard), 2026-11-23.

/// A registry that is no private ECR registry.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct KnownRegistry {
    /// The host, or with a leading dot the end of the host.
    host: &'static str,
    pub(crate) name: &'static str,
    /// Whether an ECR pull-through cache rule can stand before it.
    pub(crate) cacheable: bool,
}

const fn registry(host: &'static str, name: &'static str, cacheable: bool) -> KnownRegistry {
    KnownRegistry {
        host,
        name,
        cacheable,
    }
}

pub(crate) static DOCKER_HUB: KnownRegistry = registry("docker.io", "Docker Hub", true);
pub(crate) static ECR_PUBLIC: KnownRegistry = registry("public.ecr.aws", "Amazon ECR Public", true);

static KNOWN: [KnownRegistry; 18] = [
    registry("index.docker.io", "Docker Hub", true),
    registry("registry-1.docker.io", "Docker Hub", true),
    registry("registry.hub.docker.com", "Docker Hub", true),
    registry("ecr-public.aws.com", "Amazon ECR Public", true),
    registry("ghcr.io", "the GitHub Container Registry", true),
    registry("quay.io", "Quay", true),
    registry("mcr.microsoft.com", "the Microsoft Artifact Registry", false),
    registry(".azurecr.io", "an Azure Container Registry", true),
    registry("registry.k8s.io", "the Kubernetes registry", true),
    registry("k8s.gcr.io", "the former Kubernetes registry", false),
    registry("registry.gitlab.com", "the GitLab Container Registry", true),
    registry("cgr.dev", "Chainguard", true),
    registry("gcr.io", "the Google Container Registry", false),
    registry(".gcr.io", "the Google Container Registry", false),
    registry(".pkg.dev", "the Google Artifact Registry", false),
    registry("nvcr.io", "the NVIDIA registry", false),
    registry("docker.elastic.co", "the Elastic registry", false),
    registry("lscr.io", "LinuxServer.io", false),
];

/// What is known about a host (without port, any case).
pub(crate) fn known(host: &str) -> Option<&'static KnownRegistry> {
    let host = host.to_ascii_lowercase();
    [&DOCKER_HUB, &ECR_PUBLIC]
        .into_iter()
        .chain(&KNOWN)
        .find(|known| {
            if known.host.starts_with('.') {
                host.ends_with(known.host)
            } else {
                host == known.host
            }
        })
}

/// Prefixes that the console proposes for cache rules, with the registry behind them.
/// <https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache-creating-rule.html> (2026-11-23).
pub(crate) static CACHE_PREFIXES: [(&str, &str); 8] = [
    ("ecr-public", "Amazon ECR Public"),
    ("docker-hub", "Docker Hub"),
    ("quay", "Quay"),
    ("kubernetes", "the Kubernetes registry"),
    ("github", "the GitHub Container Registry"),
    ("ghcr", "the GitHub Container Registry"),
    ("gitlab", "the GitLab Container Registry"),
    ("chainguard", "Chainguard"),
];
