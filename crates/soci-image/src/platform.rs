//! Platforms: the spellings that containerd accepts, its normalisation and its matching.
//! Rules: <https://github.com/containerd/platforms> (2026-11-24).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, shorten};
use crate::json::{Entries, Fields, Json};

/// An operating system and an architecture, as a descriptor or a config names them.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Platform {
    /// `amd64`, `arm64`, …
    pub architecture: String,
    /// `linux`, `windows`, …
    pub os: String,
    /// Version of the operating system, as in `10.0.17763.5122`; empty when not stated.
    #[serde(rename = "os.version", default, skip_serializing_if = "String::is_empty")]
    pub os_version: String,
    /// Features of the operating system that the image needs.
    #[serde(rename = "os.features", default, skip_serializing_if = "Vec::is_empty")]
    pub os_features: Vec<String>,
    /// `v7`, `v8`, …; empty when not stated.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub variant: String,
    /// Fields that this crate does not know, in the document's order.
    #[serde(skip)]
    pub unknown: Vec<(String, Json)>,
}

const FIELDS: [&str; 5] = ["architecture", "os", "os.version", "os.features", "variant"];

impl Platform {
    /// `OS/ARCHITECTURE` without more.
    pub fn new(os: &str, architecture: &str) -> Self {
        Self {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            ..Self::default()
        }
    }

    /// Reads a spelling such as `linux/arm64`, `arm64`, `x86_64`, `linux/arm/v7` or
    /// `windows(10.0.17763)/amd64`. An architecture alone means Linux, whatever the machine, so that
    /// the same command does the same everywhere; an operating system alone is an error.
    pub fn parse(text: &str) -> Result<Self> {
        let fail = |reason| {
            Err(Error::Platform {
                value: shorten(text),
                reason,
            })
        };
        let parts: Vec<&str> = text.split('/').collect();
        let word = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
        };
        if !parts[1..].iter().all(|part| word(part)) {
            return fail("expected OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT, as in linux/arm64");
        }
        if parts.len() == 1 {
            if !word(text) {
                return fail("expected an architecture, or OS/ARCHITECTURE, as in linux/arm64");
            }
            let (architecture, variant) = normal_architecture(text, "");
            if KNOWN_ARCHITECTURES.contains(&&*architecture) {
                return Ok(Self {
                    variant: if variant == "v7" { String::new() } else { variant },
                    ..Self::new("linux", &architecture)
                });
            }
            if KNOWN_SYSTEMS.contains(&&*normal_os(text)) {
                return fail("the architecture is missing, as in linux/amd64");
            }
            return fail("it is neither a known architecture nor OS/ARCHITECTURE");
        }
        let (os, version) = match parts[0].split_once('(') {
            None => (parts[0], ""),
            Some((os, rest)) => match rest.strip_suffix(')') {
                Some(version) if version.is_empty() || word(version) => (os, version),
                _ => return fail("the version of the operating system is not closed by `)`"),
            },
        };
        if !word(os) || os.contains('.') {
            return fail("the operating system is missing, as in linux/arm64");
        }
        let (architecture, mut variant) = match parts[..] {
            [_, architecture] => {
                let (architecture, variant) = normal_architecture(architecture, "");
                let plain_arm = architecture == "arm" && variant == "v7";
                (architecture, if plain_arm { String::new() } else { variant })
            }
            [_, architecture, variant] => normal_architecture(architecture, variant),
            _ => return fail("it has more than three parts"),
        };
        if parts.len() == 3 && architecture == "arm64" && variant.is_empty() {
            variant = "v8".to_owned();
        }
        Ok(Self {
            os_version: version.to_owned(),
            variant,
            ..Self::new(&normal_os(os), &architecture)
        })
    }

    /// The form that two spellings of one platform share: `x86_64` is `amd64`, `aarch64` and
    /// `arm64/v8` are `arm64`, `arm` is `arm/v7`, features are sorted and unique.
    pub fn normalised(&self) -> Self {
        let (architecture, variant) = normal_architecture(&self.architecture, &self.variant);
        // A handful at most; a sort of texts would be a hundredth of the page's module.
        let mut os_features: Vec<String> = Vec::new();
        for feature in &self.os_features {
            if let Err(place) = os_features.binary_search(feature) {
                os_features.insert(place, feature.clone());
            }
        }
        Self {
            architecture,
            os: normal_os(&self.os),
            os_version: self.os_version.clone(),
            os_features,
            variant,
            unknown: self.unknown.clone(),
        }
    }

    /// Whether an image of platform `other` is meant when `self` is asked for: same system,
    /// architecture and variant, and, where both state a version, one that begins with the parts
    /// asked for.
    pub fn matches(&self, other: &Platform) -> bool {
        let (want, have) = (self.normalised(), other.normalised());
        want.os == have.os
            && want.architecture == have.architecture
            && want.variant == have.variant
            && version_begins(&have.os_version, &want.os_version)
    }

    /// Text that is the same for all spellings of a platform, without the version of its system.
    pub(crate) fn key(&self) -> String {
        let normal = self.normalised();
        format!("{}/{}/{}", normal.os, normal.architecture, normal.variant)
    }

    /// Whether the descriptor belongs to no machine: `unknown/unknown`, which attestations carry.
    pub fn is_unknown(&self) -> bool {
        self.os == "unknown" && self.architecture == "unknown"
    }

    /// Reads the `platform` of a descriptor, or those fields of a config.
    pub(crate) fn from_json(value: Json, path: &str) -> Result<Self> {
        let mut fields = Fields::new(value, &FIELDS, path)?;
        Ok(Self {
            architecture: fields.string("architecture")?,
            os: fields.string("os")?,
            os_version: fields.string("os.version")?,
            os_features: fields.strings("os.features")?,
            variant: fields.string("variant")?,
            unknown: fields.unknown,
        })
    }

    /// The platform that an image config states, normalised.
    pub fn from_config(config: &[u8]) -> Result<Self> {
        let mut platform = Self::from_json(Json::parse(config)?, "config")?;
        platform.unknown.clear();
        Ok(platform.normalised())
    }

    /// The object in Go's order; unknown fields come last.
    pub(crate) fn to_json(&self) -> Json {
        Entries::default()
            .always("architecture", &*self.architecture)
            .always("os", &*self.os)
            .string("os.version", &self.os_version)
            .strings("os.features", &self.os_features)
            .string("variant", &self.variant)
            .and_unknown(&self.unknown)
    }
}

/// `os[(version)]/architecture[/variant]`, the spelling that [`Platform::parse`] reads.
impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.os)?;
        if !self.os_version.is_empty() {
            write!(f, "({})", self.os_version)?;
        }
        write!(f, "/{}", self.architecture)?;
        if !self.variant.is_empty() {
            write!(f, "/{}", self.variant)?;
        }
        Ok(())
    }
}

impl FromStr for Platform {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

fn normal_os(os: &str) -> String {
    match os.to_ascii_lowercase().as_str() {
        "macos" => "darwin".to_owned(),
        other => other.to_owned(),
    }
}

fn normal_architecture(architecture: &str, variant: &str) -> (String, String) {
    let (architecture, variant) = (architecture.to_ascii_lowercase(), variant.to_ascii_lowercase());
    let (architecture, variant) = match (&*architecture, &*variant) {
        ("i386", _) => ("386", ""),
        ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64", ""),
        ("x86_64" | "x86-64" | "amd64", variant) => ("amd64", variant),
        ("aarch64" | "arm64", "8" | "v8") => ("arm64", ""),
        ("aarch64" | "arm64", variant) => ("arm64", variant),
        ("armhf", _) => ("arm", "v7"),
        ("armel", _) => ("arm", "v6"),
        ("arm", "" | "7") => ("arm", "v7"),
        ("arm", "5") => ("arm", "v5"),
        ("arm", "6") => ("arm", "v6"),
        ("arm", "8") => ("arm", "v8"),
        (architecture, variant) => (architecture, variant),
    };
    (architecture.to_owned(), variant.to_owned())
}

/// Whether the dotted parts of `version` begin with those of `wanted`; nothing stated fits all.
fn version_begins(version: &str, wanted: &str) -> bool {
    if version.is_empty() || wanted.is_empty() {
        return true;
    }
    let mut parts = version.split('.');
    wanted.split('.').all(|part| parts.next() == Some(part))
}

/// Names that may stand alone (Go's list of ports).
const KNOWN_ARCHITECTURES: [&str; 27] = [
    "386",
    "amd64",
    "amd64p32",
    "arm",
    "armbe",
    "arm64",
    "arm64be",
    "loong64",
    "mips",
    "mipsle",
    "mips64",
    "mips64le",
    "mips64p32",
    "mips64p32le",
    "ppc",
    "ppc64",
    "ppc64le",
    "riscv",
    "riscv64",
    "s390",
    "s390x",
    "sparc",
    "sparc64",
    "wasm",
    "mipsn32",
    "mipsn32el",
    "alpha",
];

const KNOWN_SYSTEMS: [&str; 17] = [
    "aix",
    "android",
    "darwin",
    "dragonfly",
    "freebsd",
    "hurd",
    "illumos",
    "ios",
    "js",
    "linux",
    "nacl",
    "netbsd",
    "openbsd",
    "plan9",
    "solaris",
    "windows",
    "zos",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_are_those_of_containerd() {
        for (text, expected) in [
            ("linux/arm64", "linux/arm64"),
            ("arm64", "linux/arm64"),
            ("aarch64", "linux/arm64"),
            ("x86_64", "linux/amd64"),
            ("Linux/X86_64", "linux/amd64"),
            ("linux/arm/v7", "linux/arm/v7"),
            ("linux/arm/7", "linux/arm/v7"),
            ("linux/arm", "linux/arm"),
            ("arm", "linux/arm"),
            ("armhf", "linux/arm"),
            ("armel", "linux/arm/v6"),
            ("linux/armel", "linux/arm/v6"),
            ("linux/arm64/v8", "linux/arm64/v8"),
            ("linux/aarch64/8", "linux/arm64/v8"),
            ("linux/amd64/v1", "linux/amd64"),
            ("linux/amd64/v3", "linux/amd64/v3"),
            ("i386", "linux/386"),
            ("macos/arm64", "darwin/arm64"),
            ("windows(10.0.17763)/amd64", "windows(10.0.17763)/amd64"),
            ("windows()/amd64", "windows/amd64"),
            ("plan9/made-up", "plan9/made-up"),
        ] {
            let platform = Platform::parse(text).unwrap();
            assert_eq!(platform.to_string(), expected, "{text}");
            assert_eq!(Platform::parse(expected).unwrap(), platform);
        }
    }

    #[test]
    fn wrong_platforms_say_what_is_missing() {
        for (text, reason) in [
            ("", "expected an architecture"),
            ("linux", "architecture is missing"),
            ("all", "neither"),
            ("linux/*", "as in linux/arm64"),
            ("linux/", "as in linux/arm64"),
            ("/amd64", "operating system is missing"),
            ("a/b/c/d", "more than three"),
            ("windows(10/amd64", "not closed"),
            ("linux,amd64", "expected an architecture"),
        ] {
            let error = Platform::parse(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn matching_ignores_spelling_but_not_variants() {
        let matches = |want: &str, have: &str| {
            Platform::parse(want)
                .unwrap()
                .matches(&Platform::parse(have).unwrap())
        };
        assert!(matches("arm64", "linux/arm64/v8"));
        assert!(matches("linux/arm", "linux/arm/v7"));
        assert!(!matches("linux/arm", "linux/arm/v6"));
        assert!(!matches("linux/amd64", "linux/amd64/v3"));
        assert!(matches("windows/amd64", "windows(10.0.17763.1)/amd64"));
        assert!(matches(
            "windows(10.0.17763)/amd64",
            "windows(10.0.17763.1)/amd64"
        ));
        assert!(!matches(
            "windows(10.0.1776)/amd64",
            "windows(10.0.17763.1)/amd64"
        ));
        assert!(!matches("linux/amd64", "windows/amd64"));
    }

    #[test]
    fn configs_are_normalised() {
        let config = br#"{"os":"Linux","architecture":"aarch64","variant":"8","rootfs":{}}"#;
        assert_eq!(
            Platform::from_config(config).unwrap(),
            Platform::new("linux", "arm64")
        );
        let config = br#"{"os":"windows","architecture":"amd64","os.features":["b","a","b"]}"#;
        assert_eq!(Platform::from_config(config).unwrap().os_features, ["a", "b"]);
        assert!(Platform::from_config(b"[]").is_err());
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(os in "[a-zA-Z]{1,6}", arch in "(arm|aarch64|x86_64|armhf|[a-z0-9]{1,5})", variant in "(v?[0-9])?") {
            let platform = Platform { variant, ..Platform::new(&os, &arch) };
            let once = platform.normalised();
            prop_assert_eq!(once.normalised(), once);
        }

        #[test]
        fn any_text_is_read_without_panic(text: String) {
            let _ = Platform::parse(&text);
        }
    }
}
