//! Image references, by the grammar of the distribution project:
//! `[HOST[:PORT]/]PATH[/PATH…][:TAG][@DIGEST]`.
//!
//! `app` reads as repository `library/app` at `docker.io`, the way every Docker client completes it;
//! what was written stays available, so that a linter can say "no registry named".
//! Grammar: <https://github.com/distribution/reference/blob/main/reference.go> (2026-11-24).

use std::fmt;
use std::str::FromStr;

use crate::digest::Digest;
use crate::error::{Error, Result, shorten};

/// The registry that a reference without one means.
pub const DOCKER_HUB: &str = "docker.io";

/// The longest repository name, in bytes.
pub const MAX_REPOSITORY: usize = 255;

/// The longest tag, in bytes.
pub const MAX_TAG: usize = 128;

/// A parsed image reference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    registry: String,
    explicit_registry: bool,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
    written: String,
}

impl Reference {
    /// Reads a reference; an error says at which byte.
    pub fn parse(text: &str) -> Result<Self> {
        Parser { text }.reference()
    }

    /// The registry, `docker.io` where none was named; with the port, as in `localhost:5000`.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Whether the text names a registry.
    pub fn has_explicit_registry(&self) -> bool {
        self.explicit_registry
    }

    /// The registry without its port; IPv6 addresses keep their brackets.
    pub fn host(&self) -> &str {
        split_port(&self.registry).0
    }

    /// The port, where one is named.
    pub fn port(&self) -> Option<u16> {
        split_port(&self.registry).1.and_then(|port| port.parse().ok())
    }

    /// The repository, `library/app` for Docker Hub's `app`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, where one is named.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, where one is named.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The tag that a client asks for: the one named, `latest` if there is neither tag nor digest.
    pub fn tag_or_latest(&self) -> Option<&str> {
        match (&self.tag, &self.digest) {
            (Some(tag), _) => Some(tag),
            (None, None) => Some("latest"),
            (None, Some(_)) => None,
        }
    }

    /// The text that was parsed.
    pub fn as_written(&self) -> &str {
        &self.written
    }

    /// `registry/repository` without tag and digest.
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// The same repository under another tag, without digest.
    pub fn with_tag(&self, tag: &str) -> Result<Self> {
        Self::parse(&format!("{}:{tag}", self.name()))
    }

    /// The same repository at a digest, without tag.
    pub fn with_digest(&self, digest: &Digest) -> Self {
        let mut reference = self.clone();
        reference.tag = None;
        reference.digest = Some(digest.clone());
        reference.written = reference.to_string();
        reference
    }
}

/// The normalised form: registry, repository, and of tag and digest what there is.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

struct Parser<'a> {
    text: &'a str,
}

impl Parser<'_> {
    fn reference(&self) -> Result<Reference> {
        let text = self.text;
        if text.is_empty() {
            return self.fail(0, "it is empty");
        }
        let (rest, digest) = match text.find('@') {
            None => (text, None),
            Some(at) => match Digest::parse(&text[at + 1..]) {
                Ok(digest) => (&text[..at], Some(digest)),
                Err(_) => return self.fail(at + 1, "a digest (sha256: and 64 hex digits) should be here"),
            },
        };
        // A colon after the last slash begins the tag, one before it a port.
        let last = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match rest[last..].find(':') {
            None => (rest, None),
            Some(colon) => {
                self.tag(&rest[last + colon + 1..], last + colon + 1)?;
                (&rest[..last + colon], Some(rest[last + colon + 1..].to_owned()))
            }
        };
        let (host, path) = split_registry(name);
        if let Some(host) = host {
            self.host(host)?;
        }
        self.path(path, name.len() - path.len())?;
        if host.is_none() && digest.is_none() && tag.is_none() && is_hex_id(path) {
            return self.fail(0, "64 hex digits are an image ID and no name");
        }
        let registry = match host {
            None | Some("index.docker.io") => DOCKER_HUB,
            Some(host) => host,
        };
        let repository = if registry == DOCKER_HUB && !path.contains('/') {
            format!("library/{path}")
        } else {
            path.to_owned()
        };
        if repository.len() > MAX_REPOSITORY {
            return self.fail(
                name.len() - path.len(),
                "the repository has more than 255 characters",
            );
        }
        Ok(Reference {
            registry: registry.to_owned(),
            explicit_registry: host.is_some(),
            repository,
            tag,
            digest,
            written: text.to_owned(),
        })
    }

    fn host(&self, host: &str) -> Result<()> {
        let (name, port) = split_port(host);
        if let Some(address) = name.strip_prefix('[') {
            let inner = address.strip_suffix(']').unwrap_or("");
            if inner.is_empty() || !inner.bytes().all(|b| b.is_ascii_hexdigit() || b == b':') {
                return self.fail(0, "an IPv6 address in brackets should be here");
            }
        } else {
            let mut at = 0;
            for label in name.split('.') {
                let bytes = label.as_bytes();
                if let Some(bad) = bytes
                    .iter()
                    .position(|b| !b.is_ascii_alphanumeric() && *b != b'-')
                {
                    return self.fail(at + bad, "a host name has letters, digits, `-` and `.` only");
                }
                let ends = [bytes.first(), bytes.last()];
                if !ends.iter().all(|b| b.is_some_and(u8::is_ascii_alphanumeric)) {
                    return self.fail(at, "a part of a host name begins and ends with a letter or digit");
                }
                at += label.len() + 1;
            }
        }
        if let Some(port) = port
            && (!port.bytes().all(|b| b.is_ascii_digit()) || port.parse::<u16>().is_err())
        {
            return self.fail(name.len() + 1, "a port is a number up to 65535");
        }
        Ok(())
    }

    /// Components of lower-case letters and digits, joined inside by `.`, `_`, `__` or dashes.
    fn path(&self, path: &str, start: usize) -> Result<()> {
        let mut at = start;
        for component in path.split('/') {
            let bytes = component.as_bytes();
            if bytes.is_empty() {
                return self.fail(at, "a part of the repository is empty");
            }
            let alphanumeric = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
            let mut i = 0;
            while i < bytes.len() {
                let run = bytes[i..].iter().take_while(|b| alphanumeric(b)).count();
                if run == 0 {
                    return self.fail(
                        at + i,
                        match bytes[i] {
                            b'A'..=b'Z' => "a repository is written in lower case",
                            b'.' | b'_' | b'-' => {
                                "a part of a repository begins and ends with a letter or digit"
                            }
                            _ => "a repository has a-z, 0-9, `.`, `_`, `-` and `/` only",
                        },
                    );
                }
                i += run;
                if i == bytes.len() {
                    break;
                }
                let dashes = bytes[i..].iter().take_while(|b| **b == b'-').count();
                let separator = match bytes[i] {
                    b'.' => 1,
                    b'_' => 1 + usize::from(bytes.get(i + 1) == Some(&b'_')),
                    _ => dashes,
                };
                if separator > 0 && i + separator == bytes.len() {
                    return self.fail(
                        at + i,
                        "a part of a repository begins and ends with a letter or digit",
                    );
                }
                i += separator;
            }
            at += component.len() + 1;
        }
        Ok(())
    }

    fn tag(&self, tag: &str, start: usize) -> Result<()> {
        let bytes = tag.as_bytes();
        let word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
        match bytes.first() {
            None => return self.fail(start, "the tag is empty"),
            Some(first) if !word(first) => {
                return self.fail(start, "a tag begins with a letter, a digit or `_`");
            }
            Some(_) => {}
        }
        if let Some(bad) = bytes.iter().position(|b| !word(b) && !matches!(b, b'.' | b'-')) {
            return self.fail(start + bad, "a tag has letters, digits, `_`, `.` and `-` only");
        }
        if bytes.len() > MAX_TAG {
            return self.fail(start + MAX_TAG, "the tag has more than 128 characters");
        }
        Ok(())
    }

    fn fail<T>(&self, offset: usize, reason: &'static str) -> Result<T> {
        Err(Error::Reference {
            value: shorten(self.text),
            offset,
            reason,
        })
    }
}

/// What stands before the first slash is a registry if it has a dot, a colon or an upper-case
/// letter, or is `localhost`.
fn split_registry(name: &str) -> (Option<&str>, &str) {
    match name.split_once('/') {
        Some((first, rest))
            if first.contains(['.', ':'])
                || first == "localhost"
                || first.bytes().any(|b| b.is_ascii_uppercase()) =>
        {
            (Some(first), rest)
        }
        _ => (None, name),
    }
}

fn split_port(host: &str) -> (&str, Option<&str>) {
    let after_brackets = host.rfind(']').map_or(0, |bracket| bracket + 1);
    match host[after_brackets..].find(':') {
        Some(colon) => {
            let colon = after_brackets + colon;
            (&host[..colon], Some(&host[colon + 1..]))
        }
        None => (host, None),
    }
}

fn is_hex_id(path: &str) -> bool {
    path.len() == 64 && path.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEX: &str = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    #[test]
    fn names_are_completed_as_docker_does() {
        for (text, full, explicit) in [
            ("app", "docker.io/library/app", false),
            ("app:1", "docker.io/library/app:1", false),
            ("me/app", "docker.io/me/app", false),
            ("docker.io/app", "docker.io/library/app", true),
            ("index.docker.io/me/app", "docker.io/me/app", true),
            ("localhost/app", "localhost/app", true),
            ("localhost:5000/app:x", "localhost:5000/app:x", true),
            ("A/app", "A/app", true),
            ("[::1]:5000/a/b", "[::1]:5000/a/b", true),
            ("r.io/a__b/c---d.e_f:T_.-", "r.io/a__b/c---d.e_f:T_.-", true),
            ("public.ecr.aws/x/y", "public.ecr.aws/x/y", true),
        ] {
            let reference = Reference::parse(text).unwrap();
            assert_eq!(reference.to_string(), full);
            assert_eq!(reference.has_explicit_registry(), explicit, "{text}");
            assert_eq!(reference.as_written(), text);
        }
        let pinned = Reference::parse(&format!("h:5/a:t@sha256:{HEX}")).unwrap();
        assert_eq!((pinned.host(), pinned.port()), ("h", Some(5)));
        assert_eq!(pinned.tag_or_latest(), Some("t"));
        assert_eq!(pinned.digest().unwrap().hex(), HEX);
        assert_eq!(pinned.with_tag("u").unwrap().to_string(), "h:5/a:u");
        let digest = Digest::sha256(b"{}");
        assert_eq!(pinned.with_digest(&digest).to_string(), format!("h:5/a@{digest}"));
        assert_eq!(Reference::parse("a").unwrap().tag_or_latest(), Some("latest"));
    }

    #[test]
    fn errors_say_where() {
        for (text, at, reason) in [
            ("", 0, "empty"),
            ("App", 0, "lower case"),
            ("r.io/App", 5, "lower case"),
            ("r.io/a//b", 7, "empty"),
            ("r.io/", 5, "empty"),
            ("/a", 0, "empty"),
            ("a:", 2, "tag is empty"),
            ("a:-", 2, "tag begins"),
            ("a:b/c", 2, "port"),
            ("a:b c", 3, "tag has"),
            ("a@sha256:00", 2, "digest"),
            ("a@", 2, "digest"),
            ("a-", 1, "begins and ends"),
            ("-a", 0, "begins and ends"),
            ("a___b", 3, "begins and ends"),
            ("a..b", 2, "begins and ends"),
            ("a b", 1, "only"),
            ("https://r.io/a", 6, "port"),
            ("r..io/a", 2, "host name begins"),
            ("r_.io/a", 1, "host name"),
            ("r.io:70000/a", 5, "65535"),
            ("[::1/a", 0, "IPv6"),
            (HEX, 0, "image ID"),
            ("é", 0, "only"),
        ] {
            match Reference::parse(text) {
                Err(Error::Reference {
                    offset,
                    reason: found,
                    ..
                }) => {
                    assert!(found.contains(reason), "{text}: {found}");
                    assert_eq!(offset, at, "{text}: {found}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
        assert!(Reference::parse(&"a".repeat(248)).is_err());
        assert!(Reference::parse(&"a".repeat(247)).is_ok());
        assert!(Reference::parse(&format!("a:{}", "t".repeat(129))).is_err());
    }

    proptest! {
        // No upper-case hosts: theirs takes them for a part of the repository.
        #[test]
        fn agrees_with_oci_spec(text in "([a-z0-9.-]{1,8}(:[0-9]{1,4})?/)?[a-z0-9._/-]{1,12}(:[a-zA-Z0-9_.-]{0,6})?") {
            let theirs = text.parse::<oci_spec::distribution::Reference>();
            match (Reference::parse(&text), theirs) {
                (Ok(ours), Ok(theirs)) => {
                    prop_assert_eq!(ours.repository(), theirs.repository());
                    prop_assert_eq!(ours.registry(), theirs.registry());
                    prop_assert_eq!(ours.tag_or_latest(), theirs.tag());
                }
                (Err(_), Err(_)) => {}
                // A host name has no underscore; theirs takes any first component with a dot or port for a host.
                (Err(_), Ok(theirs)) if theirs.registry().contains('_') => {}
                (ours, theirs) => prop_assert!(false, "{}: {:?} {:?}", text, ours, theirs),
            }
        }

        #[test]
        fn the_normalised_form_reads_back_the_same(text in "([a-z]{1,4}\\.io/)?[a-z0-9]{1,6}(/[a-z]{1,3})?(:[a-z]{1,3})?") {
            let reference = Reference::parse(&text).unwrap();
            let again = Reference::parse(&reference.to_string()).unwrap();
            prop_assert_eq!(reference.to_string(), again.to_string());
        }

        #[test]
        fn any_text_is_read_without_panic(text: String) {
            let _ = Reference::parse(&text);
        }
    }
}
