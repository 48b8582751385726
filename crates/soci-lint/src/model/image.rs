//! Where an image lives, as far as its reference says. Holes are no obstacle where what is known decides:
//! `${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/app` is ECR private whatever the account is.

use soci_image::{EcrHost, Reference};

use crate::data::registries::{self, DOCKER_HUB, ECR_PUBLIC, KnownRegistry};
use crate::data::sidecars::is_known_sidecar;
use crate::expression::Symbolic;
use crate::expression::value::Piece;

/// What an image value comes to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Image {
    Empty,
    /// Nothing is known that decides.
    Open {
        why: String,
        help: String,
    },
    /// A word to be replaced before the file is used.
    Placeholder {
        why: String,
    },
    /// No image reference.
    Malformed {
        reason: String,
    },
    At(Box<Located>),
}

/// An image whose registry is known.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Located {
    pub(crate) registry: Registry,
    /// The repository, unless part of it is open.
    pub(crate) repository: Option<String>,
    pub(crate) tag: Tag,
    /// The whole reference, if nothing is open.
    pub(crate) reference: Option<Reference>,
    /// What is wrong with the rest of it.
    pub(crate) flaw: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Registry {
    EcrPrivate(Ecr),
    /// A registry that lazy loading does not work with.
    Known(&'static KnownRegistry),
    Other {
        host: String,
    },
}

/// A private ECR registry, as far as its host is known.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Ecr {
    pub(crate) host: Option<EcrHost>,
    pub(crate) account: Option<String>,
    pub(crate) region: Option<String>,
    /// Why no registry can have this host.
    pub(crate) malformed: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tag {
    Digest,
    Named(String),
    Latest { written: bool },
    Open,
}

impl Tag {
    /// Whether it is one that the AWS index builder makes.
    pub(crate) fn is_soci(&self) -> bool {
        matches!(self, Self::Named(tag) if tag.ends_with("-soci"))
    }
}

impl Located {
    /// Whether it is one of the small helpers that AWS publishes, where AWS publishes it.
    pub(crate) fn is_known_sidecar(&self) -> bool {
        let is_there = match &self.registry {
            Registry::Known(known) => known.name == DOCKER_HUB.name || known.name == ECR_PUBLIC.name,
            _ => false,
        };
        is_there && self.repository.as_deref().is_some_and(is_known_sidecar)
    }

    pub(crate) fn ecr(&self) -> Option<&Ecr> {
        match &self.registry {
            Registry::EcrPrivate(ecr) => Some(ecr),
            _ => None,
        }
    }
}

/// Reads an image value.
pub(crate) fn classify(value: &Symbolic) -> Image {
    let text = flatten(value);
    if text.trim().is_empty() {
        return Image::Empty;
    }
    let parts = Parts::of(&text);
    if let Some(registry) = ecr_private(&parts) {
        return Image::At(Box::new(located(registry, &parts, value)));
    }
    if parts.host_is_open() {
        return open_or_suffix(&parts, value);
    }
    if let Some(why) = placeholder(&text, &parts) {
        return Image::Placeholder { why };
    }
    let registry = match parts.host {
        Some(host) => match registries::known(without_port(host)) {
            Some(known) => Registry::Known(known),
            None => Registry::Other {
                host: host.to_ascii_lowercase(),
            },
        },
        None => Registry::Known(&DOCKER_HUB),
    };
    let at = located(registry, &parts, value);
    match (&at.flaw, parts.host) {
        // A flaw behind a known host leaves the registry certain.
        (Some(reason), None) => Image::Malformed {
            reason: reason.clone(),
        },
        (Some(reason), Some(host)) if !looks_like_host(host) => Image::Malformed {
            reason: reason.clone(),
        },
        _ => Image::At(Box::new(at)),
    }
}

/// What stands for an open piece in the flattened text; no reference may hold it.
const HOLE: char = '\u{1}';

fn flatten(value: &Symbolic) -> String {
    let mut text = String::new();
    for piece in &value.expanded().pieces {
        match piece {
            Piece::Text(literal) => text.push_str(literal),
            Piece::Pseudo(_) | Piece::Shaped(_) | Piece::Hole(_) => text.push(HOLE),
        }
    }
    text
}

/// `[host/]path[:tag][@digest]`, split without looking whether the parts are valid.
struct Parts<'t> {
    host: Option<&'t str>,
    path: &'t str,
    tag: Option<&'t str>,
    digest: Option<&'t str>,
}

impl<'t> Parts<'t> {
    fn of(text: &'t str) -> Self {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        let last = name.rfind('/').map_or(0, |at| at + 1);
        let (name, tag) = match name[last..].find(':') {
            Some(colon) => (&name[..last + colon], Some(&name[last + colon + 1..])),
            None => (name, None),
        };
        let (host, path) = match name.split_once('/') {
            Some((first, rest)) if is_registry(first) => (Some(first), rest),
            // A host with nothing behind it but a hole, which may begin with the slash.
            None if name.contains('.') && name.contains(HOLE) => (Some(name), ""),
            _ => (None, name),
        };
        Self {
            host,
            path,
            tag,
            digest,
        }
    }

    /// Whether the registry depends on a hole.
    fn host_is_open(&self) -> bool {
        match self.host {
            Some(host) => host.contains(HOLE),
            None => self
                .path
                .split('/')
                .next()
                .is_some_and(|first| first.contains(HOLE)),
        }
    }
}

/// The first component names a registry if it has a dot or a colon or is `localhost`; a hole may have either.
fn is_registry(first: &str) -> bool {
    first.contains(['.', ':', HOLE])
        || first == "localhost"
        || first.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn looks_like_host(host: &str) -> bool {
    without_port(host)
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
        && host.contains('.')
}

fn without_port(host: &str) -> &str {
    host.split(':').next().unwrap_or(host)
}

/// ECR private, if the host says so: exactly, or by the labels around what is open.
fn ecr_private(parts: &Parts<'_>) -> Option<Registry> {
    let host = parts.host?;
    if let Some(exact) = EcrHost::parse(host) {
        return Some(Registry::EcrPrivate(Ecr {
            account: Some(exact.account.clone()),
            region: Some(exact.region.clone()),
            host: Some(exact),
            malformed: None,
        }));
    }
    let lower = without_port(host).to_ascii_lowercase();
    let labels = [".dkr.ecr.", ".dkr.ecr-fips.", ".dkr-ecr.", ".dkr-ecr-fips."];
    let (at, label) = labels
        .iter()
        .find_map(|label| lower.find(label).map(|at| (at, *label)))?;
    let account = &lower[..at];
    let rest = &lower[at + label.len()..];
    let (region, suffix) = rest.split_once('.').unwrap_or((rest, ""));
    let suffix_fits = suffix.is_empty() && rest.contains(HOLE)
        || suffix.contains(HOLE)
        || [
            "amazonaws.",
            "on.aws",
            "on.amazonwebservices.",
            "c2s.ic.gov",
            "sc2s.sgov.gov",
            "cloud.adc-e.uk",
            "csp.hci.ic.gov",
        ]
        .iter()
        .any(|known| suffix.starts_with(known));
    if !suffix_fits || account.contains('.') {
        return None;
    }
    let digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let all_digits = !account.is_empty() && account.bytes().all(|byte| byte.is_ascii_digit());
    let malformed = (all_digits && !digits).then(|| {
        format!(
            "`{account}` is no account: accounts have 12 digits, this has {}",
            account.len()
        )
    });
    Some(Registry::EcrPrivate(Ecr {
        host: None,
        account: digits.then(|| account.to_owned()),
        region: (!region.contains(HOLE) && !region.is_empty()).then(|| region.to_owned()),
        malformed,
    }))
}

/// The registry is open, unless the end of the host is known and enough.
fn open_or_suffix(parts: &Parts<'_>, value: &Symbolic) -> Image {
    if let Some(host) = parts.host
        && let Some((_, suffix)) = host.rsplit_once(HOLE)
        && suffix.starts_with('.')
        && let Some(known) = registries::known(without_port(suffix))
    {
        return Image::At(Box::new(located(Registry::Known(known), parts, value)));
    }
    let hole = value.holes().next();
    Image::Open {
        why: hole.map_or_else(
            || "the registry is known when the stack is deployed".to_owned(),
            |hole| hole.why.clone(),
        ),
        help: hole.map(|hole| hole.help.clone()).unwrap_or_default(),
    }
}

fn located(registry: Registry, parts: &Parts<'_>, value: &Symbolic) -> Located {
    // Words for an account or a name, such as `ACCOUNT_ID` or `REPO:TAG`, are no slips.
    let stands_in = |ecr: &Ecr| ecr.host.is_none() && ecr.malformed.is_none() || is_constant(parts.path);
    let stand_in = matches!(&registry, Registry::EcrPrivate(ecr) if stands_in(ecr));
    let whole = value.known().filter(|_| !stand_in);
    let (reference, flaw) = match whole.as_deref().map(Reference::parse) {
        Some(Ok(reference)) => (Some(reference), None),
        Some(Err(error)) => (None, Some(error.to_string())),
        None => (None, None),
    };
    let open = parts.path.contains(HOLE) || parts.path.is_empty();
    let repository = match &reference {
        Some(reference) => Some(reference.repository().to_owned()),
        None if open => None,
        None if registry == Registry::Known(&DOCKER_HUB) && !parts.path.contains('/') => {
            Some(format!("library/{}", parts.path))
        }
        None => Some(parts.path.to_owned()),
    };
    let tag = match (parts.digest, parts.tag) {
        (Some(digest), _) if !digest.contains(HOLE) => Tag::Digest,
        (Some(_), _) => Tag::Open,
        (None, Some(tag)) if tag.contains(HOLE) => Tag::Open,
        (None, Some("latest")) => Tag::Latest { written: true },
        (None, Some(tag)) => Tag::Named(tag.to_owned()),
        (None, None) if open || parts.path.contains(HOLE) => Tag::Open,
        (None, None) => Tag::Latest { written: false },
    };
    Located {
        registry,
        repository,
        tag,
        reference,
        flaw,
    }
}

/// Words that stand for an image: `IMAGE_PLACEHOLDER`, `REPOSITORY_URI:IMAGE_TAG`, `//image url`, `TODO`.
fn placeholder(text: &str, parts: &Parts<'_>) -> Option<String> {
    let first = parts.host.or(parts.path.split('/').next()).unwrap_or("");
    if is_constant(first) {
        return Some(format!("`{first}` stands for an image, it is none"));
    }
    let words = text.contains(char::is_whitespace) || text.starts_with("//");
    words.then(|| format!("`{}` stands for an image, it is none", shorten(text)))
}

/// `IMAGE_NAME`, `REPO-1`: a word in upper case that stands for something.
fn is_constant(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_uppercase())
        && word
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-'))
}

/// A text as it may be quoted in a message.
fn shorten(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::words::lex;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn of(text: &str) -> String {
        match classify(&lex(text, &BTreeMap::new())) {
            Image::Empty => "empty".into(),
            Image::Open { .. } => "open".into(),
            Image::Placeholder { .. } => "placeholder".into(),
            Image::Malformed { .. } => "malformed".into(),
            Image::At(at) => match at.registry {
                Registry::EcrPrivate(ecr) if ecr.malformed.is_some() => "ecr, malformed".into(),
                Registry::EcrPrivate(_) => "ecr".into(),
                Registry::Known(known) => known.name.into(),
                Registry::Other { host } => host,
            },
        }
    }

    #[test]
    fn what_is_known_decides() {
        for (text, registry) in [
            ("", "empty"),
            (" ", "empty"),
            ("nginx", "Docker Hub"),
            ("nginx:{{ env `V` }}", "Docker Hub"),
            ("org/app:$TAG", "Docker Hub"),
            ("org/$APP", "Docker Hub"),
            ("docker.io/library/nginx", "Docker Hub"),
            ("public.ecr.aws/x/y", "Amazon ECR Public"),
            ("PUBLIC.ECR.AWS/x/y", "Amazon ECR Public"),
            ("ecr-public.aws.com/x/y", "Amazon ECR Public"),
            ("ghcr.io/${OWNER}/app", "the GitHub Container Registry"),
            ("me.azurecr.io/app", "an Azure Container Registry"),
            ("${NAME}.azurecr.io/app", "an Azure Container Registry"),
            ("registry.example.com:5000/app", "registry.example.com:5000"),
            ("localhost/app", "localhost"),
            ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1", "ecr"),
            ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/APP:1", "ecr"),
            ("123456789012.dkr.ecr.region.amazonaws.com/image:tag", "ecr"),
            ("123456789012.DKR.ECR.eu-west-1.amazonaws.com:443/app", "ecr"),
            ("$ACCOUNT.dkr.ecr.$REGION.amazonaws.com/app", "ecr"),
            ("<account>.dkr.ecr.<region>.amazonaws.com/app", "ecr"),
            ("ACCOUNT_ID.dkr.ecr.REGION.amazonaws.com/app", "ecr"),
            (
                "{{ must_env `A` }}.dkr.ecr.us-east-1.amazonaws.com/bash:latest",
                "ecr",
            ),
            ("%s.dkr.ecr.%s.amazonaws.com/%s:%s", "ecr"),
            ("123456789012.dkr.ecr.${R}.${SUFFIX}/app", "ecr"),
            ("${A}.dkr.ecr.${HOST_REST}", "ecr"),
            ("1234567890.dkr.ecr.us-west-2.amazonaws.com/a:b", "ecr, malformed"),
            ("a.dkr.ecr.b.example.com/x", "a.dkr.ecr.b.example.com"),
            ("$REPOSITORY_URI/$IMAGE", "open"),
            ("${image_url}:${image_tag}", "open"),
            ("$ECR_REPOSITORY", "open"),
            ("prefix-${X}/app", "open"),
            ("<IMAGE1_NAME>", "open"),
            ("IMAGE_PLACEHOLDER", "placeholder"),
            ("REPOSITORY_URI:IMAGE_TAG", "placeholder"),
            ("REPOSITORY_URI/app:1", "placeholder"),
            ("//docker image url", "placeholder"),
            ("MyOrg/app", "myorg"),
            ("Org_X/app", "malformed"),
            ("app:", "malformed"),
            ("a//b", "malformed"),
        ] {
            assert_eq!(of(text), registry, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_classified(text: String) {
            let _ = of(&text);
        }
    }
}
