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

/// Why a text is no location.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// Nothing at all, or nothing behind a prefix.
    #[error("{0:?} names no place: write a path, - or a registry reference behind it")]
    Empty(String),
    /// A prefix with a path, and a colon with no tag behind it.
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
    /// Meant for a registry, but no image reference.
    #[error("{text:?} is no image reference: {problem}")]
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
            if text.contains("://") || OTHER_PREFIXES.iter().any(|prefix| text.starts_with(prefix)) {
                return Err(LocationError::UnknownPrefix(text.into()));
            }
            return registry(text, text);
        }
        if OTHER_PREFIXES.iter().any(|prefix| text.starts_with(prefix)) {
            return Err(LocationError::UnknownPrefix(text.into()));
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
            Self::Registry(reference) => return write!(f, "docker://{reference}"),
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
