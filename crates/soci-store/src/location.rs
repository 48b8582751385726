//! The one grammar for "where an image is": every SRC and DST of every command.
//!
//! | text | place |
//! |---|---|
//! | `oci:PATH[:TAG]` | OCI image layout in a folder |
//! | `oci-archive:PATH[:TAG]` | the same layout in a tar |
//! | `docker-archive:PATH[:TAG]` | what `docker save` writes |
//! | `docker://REF` | a registry |
//! | `-` | OCI archive on standard input or output |
//! | begins with `.`, `/`, `\` or a drive letter, or ends in `.tar` | a path: `.tar` is an archive, all else a folder |
//! | `HOST/…` where HOST has a dot, a port or is `localhost` | a registry |
//!
//! Anything else is an error that names the two ways to write it: a bare word never means Docker Hub.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use soci_image::Reference;

/// A place that an image is read from or written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// An OCI image layout in a folder.
    Layout {
        /// The folder.
        path: PathBuf,
        /// Which of its images; all if there is none.
        tag: Option<String>,
    },
    /// An OCI image layout in a tar.
    Archive {
        /// The file.
        path: PathBuf,
        /// Which of its images; all if there is none.
        tag: Option<String>,
    },
    /// An archive as `docker save` writes it.
    DockerArchive {
        /// The file.
        path: PathBuf,
        /// Which of its images; all if there is none.
        tag: Option<String>,
    },
    /// An OCI archive on standard input (source) or standard output (destination).
    Stream,
    /// An image in a registry.
    Registry(Reference),
}

/// Why a text is not a location.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// Nothing at all, or nothing after a prefix.
    #[error("{0:?} names no place: give a path, - or a registry reference")]
    Empty(String),
    /// A prefix with a path, and a colon with no tag after it.
    #[error("{0:?} ends in a colon without a tag: leave the colon out to take every image")]
    EmptyTag(String),
    /// Neither a path nor a registry by its form.
    #[error("{text:?} could be a {kind} or an image in a registry: write {prefix}:{text} or docker://{text}")]
    Ambiguous {
        /// The text.
        text: String,
        /// "folder" or "file".
        kind: &'static str,
        /// The prefix for a path.
        prefix: &'static str,
    },
    /// A prefix that other tools know and this one does not.
    #[error(
        "{0:?} has a prefix that is not known here: use oci:, oci-archive:, docker-archive: or docker://"
    )]
    UnknownPrefix(String),
    /// Nearly a prefix that is known.
    #[error(
        "{text:?} has a prefix that is not known here: did you mean {meant}? A path with a colon is ./{text}"
    )]
    Typo {
        /// The text.
        text: String,
        /// The prefix that is nearest.
        meant: &'static str,
    },
    /// Meant for a registry, but no image reference.
    #[error("{text:?} is not an image reference: {problem}")]
    Reference {
        /// The text.
        text: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl Location {
    /// The tag that the location itself selects.
    pub fn tag(&self) -> Option<&str> {
        match self {
            Self::Layout { tag, .. } | Self::Archive { tag, .. } | Self::DockerArchive { tag, .. } => {
                tag.as_deref()
            }
            Self::Stream | Self::Registry(_) => None,
        }
    }

    /// The file or folder, if it is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Layout { path, .. } | Self::Archive { path, .. } | Self::DockerArchive { path, .. } => {
                Some(path)
            }
            Self::Stream | Self::Registry(_) => None,
        }
    }
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        if text.is_empty() {
            return Err(LocationError::Empty(text.into()));
        }
        if text == "-" {
            return Ok(Self::Stream);
        }
        if let Some(reference) = text.strip_prefix("docker://") {
            return registry(text, reference);
        }
        if let Some(rest) = text.strip_prefix("oci:") {
            return tagged(text, rest).map(|(path, tag)| Self::Layout { path, tag });
        }
        if let Some(rest) = text.strip_prefix("oci-archive:") {
            return tagged(text, rest).map(|(path, tag)| Self::Archive { path, tag });
        }
        if let Some(rest) = text.strip_prefix("docker-archive:") {
            return tagged(text, rest).map(|(path, tag)| Self::DockerArchive { path, tag });
        }
        if let Some(error) = wrong_prefix(text) {
            return Err(error);
        }
        if text.starts_with(['.', '/', '\\']) || has_drive_letter(text) || text.ends_with(".tar") {
            let path = PathBuf::from(text);
            return Ok(if text.ends_with(".tar") {
                Self::Archive { path, tag: None }
            } else {
                Self::Layout { path, tag: None }
            });
        }
        if let Some((host, _)) = text.split_once('/')
            && (host == "localhost" || host.contains(['.', ':']))
        {
            return registry(text, text);
        }
        let file = text.contains(".tar");
        Err(LocationError::Ambiguous {
            text: text.into(),
            kind: if file { "file" } else { "folder" },
            prefix: if file { "oci-archive" } else { "oci" },
        })
    }
}

/// A text that [`FromStr`] reads back as the same location.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (prefix, path, tag) = match self {
            Self::Stream => return f.write_str("-"),
            Self::Registry(reference) => return write!(f, "docker://{}", reference.as_written()),
            Self::Layout { path, tag } => ("oci", path, tag),
            Self::Archive { path, tag } => ("oci-archive", path, tag),
            Self::DockerArchive { path, tag } => ("docker-archive", path, tag),
        };
        let text = path.to_string_lossy();
        match tag {
            Some(tag) => write!(f, "{prefix}:{text}:{tag}"),
            None if text.parse().as_ref() == Ok(self) => f.write_str(&text),
            None => write!(f, "{prefix}:{text}"),
        }
    }
}

/// Transports of containers/image that are not read here; as the host of a registry they would be mistakes.
const OTHER_PREFIXES: [&str; 6] = [
    "containers-storage:",
    "docker-daemon:",
    "dir:",
    "ostree:",
    "sif:",
    "oci-dir:",
];

/// A word and a colon in front that are no known prefix, no host with its port, and no name with a tag: as a path
/// or a host they would be taken for a place that nobody meant.
fn wrong_prefix(text: &str) -> Option<LocationError> {
    let (word, behind) = text.split_once(':')?;
    // A single letter is a drive; a word with `.` or `/` begins a path or a host.
    let is_word = word.len() > 1
        && word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+'));
    if !is_word {
        return None;
    }
    let unknown = Some(LocationError::UnknownPrefix(text.into()));
    if OTHER_PREFIXES.iter().any(|prefix| text.starts_with(prefix)) {
        return unknown;
    }
    let port = behind.split('/').next().unwrap_or_default();
    let is_port = !port.is_empty() && port.len() < behind.len() && port.chars().all(|c| c.is_ascii_digit());
    // `docker:27` is the name of an image.
    let is_place = behind.contains(['/', '\\']) || text.ends_with(".tar");
    if is_port || (word == "docker" && !is_place) {
        return None;
    }
    if let Some(meant) = nearest_prefix(&word.to_ascii_lowercase()) {
        return Some(LocationError::Typo {
            text: text.into(),
            meant,
        });
    }
    // `app:1` is left to the rule for what is ambiguous; a path or a host behind an unknown word is neither.
    unknown.filter(|_| is_place)
}

/// The known prefix that a word nearly is.
fn nearest_prefix(word: &str) -> Option<&'static str> {
    const KNOWN: [(&str, &str); 4] = [
        ("oci", "oci:"),
        ("oci-archive", "oci-archive:"),
        ("docker-archive", "docker-archive:"),
        ("docker", "docker://"),
    ];
    KNOWN
        .into_iter()
        .map(|(known, prefix)| (distance(word, known), known, prefix))
        // A third of the letters may be wrong.
        .filter(|(distance, known, _)| *distance <= known.len() / 3)
        .min()
        .map(|(_, _, prefix)| prefix)
}

/// How many letters must be put in, taken out, replaced or swapped with their neighbour.
fn distance(left: &str, right: &str) -> usize {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for i in 0..left.len() {
        let mut next = vec![i + 1];
        for j in 0..right.len() {
            let replaced = row[j] + usize::from(left[i] != right[j]);
            let mut least = replaced.min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && left[i] == right[j - 1] && left[i - 1] == right[j] {
                least = least.min(before[j - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row[right.len()]
}

/// `PATH[:TAG]`: the first colon behind a drive letter separates, as in skopeo.
fn tagged(whole: &str, rest: &str) -> Result<(PathBuf, Option<String>), LocationError> {
    let drive = if has_drive_letter(rest) { 2 } else { 0 };
    let (path, tag) = match rest[drive..].split_once(':') {
        Some((path, tag)) => (&rest[..drive + path.len()], Some(tag)),
        None => (rest, None),
    };
    if path.is_empty() {
        return Err(LocationError::Empty(whole.into()));
    }
    if tag == Some("") {
        return Err(LocationError::EmptyTag(whole.into()));
    }
    Ok((PathBuf::from(path), tag.map(String::from)))
}

/// `C:\` or `C:/`; `C:x` is left to the other rules because it looks like an image with a tag.
fn has_drive_letter(text: &str) -> bool {
    matches!(text.as_bytes(), [letter, b':', b'\\' | b'/', ..] if letter.is_ascii_alphabetic())
}

fn registry(whole: &str, reference: &str) -> Result<Location, LocationError> {
    if reference.is_empty() {
        return Err(LocationError::Empty(whole.into()));
    }
    match reference.parse::<Reference>() {
        Ok(reference) => Ok(Location::Registry(reference)),
        Err(error) => Err(LocationError::Reference {
            text: whole.into(),
            problem: error.to_string(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `layout PATH TAG`, `archive …`, `error …`: what a text means, in one line.
    fn meaning(text: &str) -> String {
        let tagged = |kind: &str, path: &Path, tag: &Option<String>| match tag {
            Some(tag) => format!("{kind} {} tag {tag}", path.display()),
            None => format!("{kind} {}", path.display()),
        };
        match text.parse::<Location>() {
            Ok(Location::Stream) => "stream".into(),
            Ok(Location::Registry(reference)) => format!("registry {reference}"),
            Ok(Location::Layout { path, tag }) => tagged("layout", &path, &tag),
            Ok(Location::Archive { path, tag }) => tagged("archive", &path, &tag),
            Ok(Location::DockerArchive { path, tag }) => tagged("docker-archive", &path, &tag),
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn every_form_of_the_grammar() {
        let table = [
            ("-", "stream"),
            ("oci:dir", "layout dir"),
            ("oci:dir/sub:v1.2", "layout dir/sub tag v1.2"),
            ("oci:/abs:localhost/app:1", "layout /abs tag localhost/app:1"),
            (r"oci:C:\images\app", r"layout C:\images\app"),
            (r"oci:C:\images\app:v1", r"layout C:\images\app tag v1"),
            ("oci:C:/images:v1", "layout C:/images tag v1"),
            ("oci-archive:image.tar", "archive image.tar"),
            ("oci-archive:image:latest", "archive image tag latest"),
            ("docker-archive:d:/x.tar", "docker-archive d:/x.tar"),
            ("docker-archive:x.tar:app:2", "docker-archive x.tar tag app:2"),
            ("image.tar", "archive image.tar"),
            ("dir/image.tar", "archive dir/image.tar"),
            ("localhost/image.tar", "archive localhost/image.tar"),
            ("./image", "layout ./image"),
            ("./a:b", "layout ./a:b"),
            ("..", "layout .."),
            ("/srv/layout", "layout /srv/layout"),
            ("/srv/x.tar", "archive /srv/x.tar"),
            (r"\\server\share\x.tar", r"archive \\server\share\x.tar"),
            (r"C:\layout", r"layout C:\layout"),
            ("c:/layout/x.tar", "archive c:/layout/x.tar"),
            ("localhost/app", "registry localhost/app"),
            ("localhost:5000/app:1", "registry localhost:5000/app:1"),
            ("ghcr.io/owner/app", "registry ghcr.io/owner/app"),
            (
                "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.4",
                "registry 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.4",
            ),
            (
                "docker://registry.example/a/b@sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
                "registry registry.example/a/b@sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
            ),
            (
                "docker://registry.example/x.tar",
                "registry registry.example/x.tar",
            ),
            (
                "",
                r#"error: "" names no place: give a path, - or a registry reference"#,
            ),
            (
                "oci:",
                r#"error: "oci:" names no place: give a path, - or a registry reference"#,
            ),
            (
                "docker://",
                r#"error: "docker://" names no place: give a path, - or a registry reference"#,
            ),
            (
                "oci:dir:",
                r#"error: "oci:dir:" ends in a colon without a tag: leave the colon out to take every image"#,
            ),
            (
                "app",
                r#"error: "app" could be a folder or an image in a registry: write oci:app or docker://app"#,
            ),
            (
                "app:1",
                r#"error: "app:1" could be a folder or an image in a registry: write oci:app:1 or docker://app:1"#,
            ),
            (
                "library/app",
                r#"error: "library/app" could be a folder or an image in a registry: write oci:library/app or docker://library/app"#,
            ),
            (
                "image.tar:1",
                r#"error: "image.tar:1" could be a file or an image in a registry: write oci-archive:image.tar:1 or docker://image.tar:1"#,
            ),
            (
                "build.d",
                r#"error: "build.d" could be a folder or an image in a registry: write oci:build.d or docker://build.d"#,
            ),
            (
                "docker-daemon:app:1",
                r#"error: "docker-daemon:app:1" has a prefix that is not known here: use oci:, oci-archive:, docker-archive: or docker://"#,
            ),
            (
                "dir:/x",
                r#"error: "dir:/x" has a prefix that is not known here: use oci:, oci-archive:, docker-archive: or docker://"#,
            ),
            (
                "oci_archive:x",
                r#"error: "oci_archive:x" has a prefix that is not known here: did you mean oci-archive:? A path with a colon is ./oci_archive:x"#,
            ),
            (
                "oci-archve:x",
                r#"error: "oci-archve:x" has a prefix that is not known here: did you mean oci-archive:? A path with a colon is ./oci-archve:x"#,
            ),
            (
                "oci-archve:dir/x.tar",
                r#"error: "oci-archve:dir/x.tar" has a prefix that is not known here: did you mean oci-archive:? A path with a colon is ./oci-archve:dir/x.tar"#,
            ),
            (
                "OCI:x",
                r#"error: "OCI:x" has a prefix that is not known here: did you mean oci:? A path with a colon is ./OCI:x"#,
            ),
            (
                "docker-archiv:./x.tar",
                r#"error: "docker-archiv:./x.tar" has a prefix that is not known here: did you mean docker-archive:? A path with a colon is ./docker-archiv:./x.tar"#,
            ),
            (
                "dokcer://ghcr.io/x",
                r#"error: "dokcer://ghcr.io/x" has a prefix that is not known here: did you mean docker://? A path with a colon is ./dokcer://ghcr.io/x"#,
            ),
            (
                "docker:ghcr.io/x",
                r#"error: "docker:ghcr.io/x" has a prefix that is not known here: did you mean docker://? A path with a colon is ./docker:ghcr.io/x"#,
            ),
            (
                "file:dir/x.tar",
                r#"error: "file:dir/x.tar" has a prefix that is not known here: use oci:, oci-archive:, docker-archive: or docker://"#,
            ),
            ("./oci-archve:x.tar", "archive ./oci-archve:x.tar"),
            ("myhost:5000/app:1", "registry myhost:5000/app:1"),
            ("C:x.tar", "archive C:x.tar"),
            (
                "https://ghcr.io/x",
                r#"error: "https://ghcr.io/x" has a prefix that is not known here: use oci:, oci-archive:, docker-archive: or docker://"#,
            ),
        ];
        for (text, expected) in table {
            assert_eq!(meaning(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_meant_for_a_registry_but_is_no_reference_says_so() {
        for text in [
            "docker://registry.example/UPPER",
            "ghcr.io/App",
            "localhost:5000/app:bad tag",
        ] {
            let error = text.parse::<Location>().expect_err(text);
            assert!(
                matches!(error, LocationError::Reference { .. }),
                "{text}: {error}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_text_is_judged_without_panic_and_prints_as_what_it_is(
            text in "(oci:|oci-archive:|docker-archive:|docker://|)[a-cA-Z0-9:/\\\\.@ é_-]{0,24}(\\.tar)?"
        ) {
            if let Ok(location) = text.parse::<Location>() {
                let printed = location.to_string();
                prop_assert_eq!(printed.parse::<Location>(), Ok(location), "{} -> {}", text, printed);
            }
        }

        #[test]
        fn one_bare_word_is_never_a_registry(word in "[a-z0-9_.-]{1,12}(:[a-z0-9.]{1,6})?") {
            prop_assert!(!matches!(word.parse::<Location>(), Ok(Location::Registry(_))));
        }
    }
}
