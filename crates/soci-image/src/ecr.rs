//! Hosts of Amazon ECR's private registries.
//!
//! `123456789012.dkr.ecr.eu-west-1.amazonaws.com` names account and region; other partitions have
//! other suffixes, FIPS and dual-stack endpoints other labels. The forms are those of the Kubernetes
//! credential provider
//! (<https://github.com/kubernetes/cloud-provider-aws/tree/master/cmd/ecr-credential-provider>) and of
//! <https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-requests.html> (2026-11-23).

use std::fmt;

/// A private ECR registry, read from its host name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EcrHost {
    /// The account that owns the registry: twelve digits.
    pub account: String,
    /// The region, as in `eu-west-1`.
    pub region: String,
    /// The partition that the suffix (and the region) belongs to.
    pub partition: Partition,
    /// Whether it is a FIPS 140 endpoint.
    pub fips: bool,
    /// Whether it is a dual-stack (IPv4 and IPv6) endpoint.
    pub dual_stack: bool,
    /// The port, where one is named.
    pub port: Option<u16>,
}

/// An AWS partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Partition {
    /// The commercial regions.
    Aws,
    /// China.
    AwsCn,
    /// GovCloud (US).
    AwsUsGov,
    /// The European Sovereign Cloud.
    AwsEusc,
    /// ISO (c2s.ic.gov).
    AwsIso,
    /// ISOB (sc2s.sgov.gov).
    AwsIsoB,
    /// ISOE (cloud.adc-e.uk).
    AwsIsoE,
    /// ISOF (csp.hci.ic.gov).
    AwsIsoF,
}

impl EcrHost {
    /// Reads `HOST` or `HOST:PORT`, in any case; `None` for everything that is not a private ECR host.
    pub fn parse(host: &str) -> Option<Self> {
        let (host, port) = match host.split_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => {
                (host, Some(port.parse().ok()?))
            }
            Some(_) => return None,
            None => (host, None),
        };
        let host = host.to_ascii_lowercase();
        let (account, rest) = host.split_once('.')?;
        if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let (service, rest) = SERVICES
            .iter()
            .find_map(|service| Some((service, rest.strip_prefix(service.labels)?)))?;
        let (region, suffix) = rest.split_once('.')?;
        if !is_region(region) {
            return None;
        }
        let (_, _, partition) = SUFFIXES
            .iter()
            .find(|(name, dual_stack, _)| *name == suffix && *dual_stack == service.dual_stack)?;
        let partition = match partition {
            Partition::Aws if region.starts_with("us-gov-") => Partition::AwsUsGov,
            other => *other,
        };
        Some(Self {
            account: account.to_owned(),
            region: region.to_owned(),
            partition,
            fips: service.fips,
            dual_stack: service.dual_stack,
            port,
        })
    }

    /// The registry of an account in a region, as events name them; `None` if they are no account or region.
    pub fn of(account: &str, region: &str) -> Option<Self> {
        let suffix = Partition::of_region(region).dns_suffix();
        Self::parse(&format!("{account}.dkr.ecr.{region}.{suffix}"))
            .filter(|host| host.account == account && host.region == region && host.port.is_none())
    }

    /// The host of the ECR API of the same region, partition and kind, where `GetAuthorizationToken`
    /// is asked; from the endpoint rules of botocore's ECR model (1.44.5).
    pub fn api_host(&self) -> String {
        let region = &self.region;
        match (self.dual_stack, self.fips) {
            (true, fips) => {
                let service = if fips { "ecr-fips" } else { "ecr" };
                let suffix = match self.partition {
                    Partition::AwsCn => "api.amazonwebservices.com.cn",
                    Partition::AwsEusc => "api.amazonwebservices.eu",
                    _ => "api.aws",
                };
                format!("{service}.{region}.{suffix}")
            }
            (false, true) => format!("api.ecr-fips.{region}.{}", self.partition.dns_suffix()),
            (false, false) => format!("api.ecr.{region}.{}", self.partition.dns_suffix()),
        }
    }
}

/// The host in its canonical (lower-case) form, with the port.
impl fmt::Display for EcrHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels = SERVICES
            .iter()
            .find(|s| s.fips == self.fips && s.dual_stack == self.dual_stack)
            .map_or("", |s| s.labels);
        let base = match self.partition {
            Partition::AwsUsGov => Partition::Aws,
            other => other,
        };
        let suffix = SUFFIXES
            .iter()
            .find(|(_, dual_stack, partition)| *dual_stack == self.dual_stack && *partition == base)
            .map_or("", |(suffix, _, _)| suffix);
        write!(f, "{}.{labels}{}.{suffix}", self.account, self.region)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

impl Partition {
    /// The partition that a region's name belongs to, by the patterns in botocore's `endpoints.json` (1.44.5).
    pub fn of_region(region: &str) -> Self {
        let prefixes = [
            ("cn-", Self::AwsCn),
            ("us-gov-", Self::AwsUsGov),
            ("eusc-", Self::AwsEusc),
            ("us-iso-", Self::AwsIso),
            ("us-isob-", Self::AwsIsoB),
            ("eu-isoe-", Self::AwsIsoE),
            ("us-isof-", Self::AwsIsoF),
        ];
        let known = prefixes.iter().find(|(prefix, _)| region.starts_with(prefix));
        known.map_or(Self::Aws, |(_, partition)| *partition)
    }

    /// The name in ARNs, as in `aws-us-gov`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::AwsCn => "aws-cn",
            Self::AwsUsGov => "aws-us-gov",
            Self::AwsEusc => "aws-eusc",
            Self::AwsIso => "aws-iso",
            Self::AwsIsoB => "aws-iso-b",
            Self::AwsIsoE => "aws-iso-e",
            Self::AwsIsoF => "aws-iso-f",
        }
    }

    /// The suffix of its IPv4 host names.
    pub fn dns_suffix(self) -> &'static str {
        match self {
            Self::Aws | Self::AwsUsGov => "amazonaws.com",
            Self::AwsCn => "amazonaws.com.cn",
            Self::AwsEusc => "amazonaws.eu",
            Self::AwsIso => "c2s.ic.gov",
            Self::AwsIsoB => "sc2s.sgov.gov",
            Self::AwsIsoE => "cloud.adc-e.uk",
            Self::AwsIsoF => "csp.hci.ic.gov",
        }
    }
}

struct Service {
    labels: &'static str,
    fips: bool,
    dual_stack: bool,
}

const SERVICES: [Service; 4] = [
    Service {
        labels: "dkr.ecr.",
        fips: false,
        dual_stack: false,
    },
    Service {
        labels: "dkr.ecr-fips.",
        fips: true,
        dual_stack: false,
    },
    Service {
        labels: "dkr-ecr.",
        fips: false,
        dual_stack: true,
    },
    Service {
        labels: "dkr-ecr-fips.",
        fips: true,
        dual_stack: true,
    },
];

/// Suffix, whether it belongs to the dual-stack labels, partition. That of dual-stack hosts in the
/// European Sovereign Cloud follows the pattern of the others and was seen in no document.
const SUFFIXES: [(&str, bool, Partition); 10] = [
    ("amazonaws.com", false, Partition::Aws),
    ("amazonaws.com.cn", false, Partition::AwsCn),
    ("amazonaws.eu", false, Partition::AwsEusc),
    ("c2s.ic.gov", false, Partition::AwsIso),
    ("sc2s.sgov.gov", false, Partition::AwsIsoB),
    ("cloud.adc-e.uk", false, Partition::AwsIsoE),
    ("csp.hci.ic.gov", false, Partition::AwsIsoF),
    ("on.aws", true, Partition::Aws),
    ("on.amazonwebservices.com.cn", true, Partition::AwsCn),
    ("on.amazonwebservices.eu", true, Partition::AwsEusc),
];

fn is_region(label: &str) -> bool {
    label.starts_with(|c: char| c.is_ascii_alphanumeric())
        && label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn accounts_and_regions_give_their_registry() {
        for (region, host) in [
            ("eu-west-1", "123456789012.dkr.ecr.eu-west-1.amazonaws.com"),
            ("cn-north-1", "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"),
            (
                "us-gov-west-1",
                "123456789012.dkr.ecr.us-gov-west-1.amazonaws.com",
            ),
            (
                "eusc-de-east-1",
                "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu",
            ),
            (
                "us-isob-east-1",
                "123456789012.dkr.ecr.us-isob-east-1.sc2s.sgov.gov",
            ),
        ] {
            let of = EcrHost::of("123456789012", region).map(|host| host.to_string());
            assert_eq!(of.as_deref(), Some(host));
        }
        for (account, region) in [
            ("12345678901", "eu-west-1"),
            ("123456789012", ""),
            ("123456789012", "eu-west-1.evil.example/"),
            ("123456789012", "eu-west-1:80"),
            ("123456789012", "EU-west-1"),
        ] {
            assert_eq!(EcrHost::of(account, region), None, "{account} {region}");
        }
    }

    #[test]
    fn every_private_form_is_known() {
        use Partition::*;
        for (host, region, partition, fips, dual_stack, api) in [
            (
                "dkr.ecr.us-east-1.amazonaws.com",
                "us-east-1",
                Aws,
                false,
                false,
                "api.ecr.us-east-1.amazonaws.com",
            ),
            (
                "dkr.ecr-fips.us-east-1.amazonaws.com",
                "us-east-1",
                Aws,
                true,
                false,
                "api.ecr-fips.us-east-1.amazonaws.com",
            ),
            (
                "dkr.ecr.us-gov-west-1.amazonaws.com",
                "us-gov-west-1",
                AwsUsGov,
                false,
                false,
                "api.ecr.us-gov-west-1.amazonaws.com",
            ),
            (
                "dkr.ecr-fips.us-gov-west-1.amazonaws.com",
                "us-gov-west-1",
                AwsUsGov,
                true,
                false,
                "api.ecr-fips.us-gov-west-1.amazonaws.com",
            ),
            (
                "dkr-ecr.eu-west-1.on.aws",
                "eu-west-1",
                Aws,
                false,
                true,
                "ecr.eu-west-1.api.aws",
            ),
            (
                "dkr-ecr-fips.us-gov-east-1.on.aws",
                "us-gov-east-1",
                AwsUsGov,
                true,
                true,
                "ecr-fips.us-gov-east-1.api.aws",
            ),
            (
                "dkr.ecr.cn-north-1.amazonaws.com.cn",
                "cn-north-1",
                AwsCn,
                false,
                false,
                "api.ecr.cn-north-1.amazonaws.com.cn",
            ),
            (
                "dkr.ecr-fips.cn-north-1.amazonaws.com.cn",
                "cn-north-1",
                AwsCn,
                true,
                false,
                "api.ecr-fips.cn-north-1.amazonaws.com.cn",
            ),
            (
                "dkr-ecr.cn-north-1.on.amazonwebservices.com.cn",
                "cn-north-1",
                AwsCn,
                false,
                true,
                "ecr.cn-north-1.api.amazonwebservices.com.cn",
            ),
            (
                "dkr.ecr.eusc-de-east-1.amazonaws.eu",
                "eusc-de-east-1",
                AwsEusc,
                false,
                false,
                "api.ecr.eusc-de-east-1.amazonaws.eu",
            ),
            (
                "dkr.ecr.us-iso-east-1.c2s.ic.gov",
                "us-iso-east-1",
                AwsIso,
                false,
                false,
                "api.ecr.us-iso-east-1.c2s.ic.gov",
            ),
            (
                "dkr.ecr.us-isob-east-1.sc2s.sgov.gov",
                "us-isob-east-1",
                AwsIsoB,
                false,
                false,
                "api.ecr.us-isob-east-1.sc2s.sgov.gov",
            ),
            (
                "dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk",
                "eu-isoe-west-1",
                AwsIsoE,
                false,
                false,
                "api.ecr.eu-isoe-west-1.cloud.adc-e.uk",
            ),
            (
                "dkr.ecr.us-isof-south-1.csp.hci.ic.gov",
                "us-isof-south-1",
                AwsIsoF,
                false,
                false,
                "api.ecr.us-isof-south-1.csp.hci.ic.gov",
            ),
        ] {
            let host = format!("123456789012.{host}");
            let parsed = EcrHost::parse(&host).unwrap_or_else(|| panic!("{host} is not recognised"));
            assert_eq!(parsed.account, "123456789012");
            assert_eq!(
                (
                    &*parsed.region,
                    parsed.partition,
                    parsed.fips,
                    parsed.dual_stack,
                    parsed.port
                ),
                (region, partition, fips, dual_stack, None),
                "{host}"
            );
            assert_eq!(parsed.api_host(), api);
            assert_eq!(parsed.to_string(), host);
            let shouting = EcrHost::parse(&format!("{}:443", host.to_uppercase())).unwrap();
            assert_eq!(shouting.port, Some(443));
            assert_eq!(shouting.to_string(), format!("{host}:443"));
        }
    }

    #[test]
    fn other_hosts_are_not() {
        for host in [
            "",
            "public.ecr.aws",
            "ecr-public.aws.com",
            "docker.io",
            "12345678901.dkr.ecr.us-east-1.amazonaws.com",
            "1234567890123.dkr.ecr.us-east-1.amazonaws.com",
            "123456789012.dkr.ecr.us-east-1.amazonaws.com.evil.example",
            "123456789012.dkr.ecr.us-east-1.amazonaws.org",
            "123456789012.dkr.ecr..amazonaws.com",
            "123456789012.dkr.ecr.us-east-1.on.aws",
            "123456789012.dkr-ecr.us-east-1.amazonaws.com",
            "123456789012.dkr.ecr.us-east-1.amazonaws.com:x",
            "123456789012.dkr.ecr.us-east-1.amazonaws.com:99999",
            "123456789012.ecr.us-east-1.amazonaws.com",
            "evil.123456789012.dkr.ecr.us-east-1.amazonaws.com",
        ] {
            assert_eq!(EcrHost::parse(host), None, "{host}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text: String) {
            let _ = EcrHost::parse(&text);
        }
    }
}
