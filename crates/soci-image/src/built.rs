//! The files that `docker buildx build`, `docker buildx bake`, `docker buildx imagetools create` and
//! `buildctl` write with `--metadata-file`: which image came out of a build, and under which names.
//!
//! A build's file is one object; bake's holds one such object per target, beside keys of buildx itself
//! (<https://docs.docker.com/reference/cli/docker/buildx/build/#metadata-file>, read 2026-11-24). Some
//! builds leave parts out: a builder of several nodes writes only the digest, `imagetools create`
//! only the descriptor, and a build without an image (cache only, local files) neither.

use serde_json::{Map, Value};

use crate::{Digest, Reference};

/// One image that a build made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltImage {
    /// The bake target, for a bake file.
    pub target: Option<String>,
    /// Digest of its manifest or index.
    pub digest: Digest,
    /// Its names; without tag where it was pushed by digest, none where the builder names none.
    pub names: Vec<Reference>,
}

/// Why a metadata file is of no use.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// Not JSON, or not an object.
    #[error("not a metadata file of a build: {0}")]
    NotJson(String),
    /// A key whose value is not what builders write.
    #[error("{key}: {problem}")]
    Key {
        /// The key with its target.
        key: String,
        /// What is wrong.
        problem: String,
    },
    /// No image came out of the build.
    #[error("names no image: the build wrote no image, or only a cache or local files")]
    NoImage,
    /// A target that the file does not have.
    #[error("has no target {target:?}; there is {known}")]
    NoTarget {
        /// What was asked for.
        target: String,
        /// What there is.
        known: String,
    },
    /// A target was named, but the file is of one build.
    #[error("is of a single build and has no targets: leave `#{0}` out")]
    NotBake(String),
}

/// Reads a metadata file: the image of a build, or the images of all targets (or of the one asked
/// for) in the order of their names.
pub fn read(bytes: &[u8], target: Option<&str>) -> Result<Vec<BuiltImage>, MetadataError> {
    let document: Map<String, Value> =
        serde_json::from_slice(bytes).map_err(|error| MetadataError::NotJson(error.to_string()))?;
    if is_build(&document) {
        return match target {
            Some(target) => Err(MetadataError::NotBake(target.to_owned())),
            None => Ok(vec![image(None, &document)?.ok_or(MetadataError::NoImage)?]),
        };
    }
    let mut targets: Vec<(&str, &Map<String, Value>)> = document
        .iter()
        .filter(|(name, _)| !name.starts_with("buildx."))
        .filter_map(|(name, value)| Some((name.as_str(), value.as_object()?)))
        .collect();
    targets.sort_unstable_by_key(|(name, _)| *name);
    if let Some(wanted) = target {
        let known: Vec<&str> = targets.iter().map(|(name, _)| *name).collect();
        let known = if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        };
        targets.retain(|(name, _)| *name == wanted);
        if targets.is_empty() {
            return Err(MetadataError::NoTarget {
                target: wanted.to_owned(),
                known,
            });
        }
    }
    let mut images = Vec::new();
    for (name, object) in targets {
        images.extend(image(Some(name), object)?);
    }
    if images.is_empty() {
        Err(MetadataError::NoImage)
    } else {
        Ok(images)
    }
}

/// A file of one build has these keys at the top; a bake file has targets there.
fn is_build(document: &Map<String, Value>) -> bool {
    document
        .keys()
        .any(|key| key.starts_with("containerimage.") || key == "image.name" || key == "buildx.build.ref")
}

fn image(target: Option<&str>, object: &Map<String, Value>) -> Result<Option<BuiltImage>, MetadataError> {
    let wrong = |key: &str, problem: String| MetadataError::Key {
        key: target.map_or_else(|| key.to_owned(), |target| format!("{target}: {key}")),
        problem,
    };
    let text = |key: &str, value: &Value| -> Result<String, MetadataError> {
        value
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| wrong(key, "must be a text".to_owned()))
    };
    let (key, digest) = match (object.get(DIGEST), object.get(DESCRIPTOR)) {
        (Some(digest), _) => (DIGEST, text(DIGEST, digest)?),
        (None, Some(descriptor)) => {
            let digest = descriptor
                .get("digest")
                .ok_or_else(|| wrong(DESCRIPTOR, "has no digest".to_owned()))?;
            (DESCRIPTOR, text(DESCRIPTOR, digest)?)
        }
        (None, None) => return Ok(None),
    };
    let digest = Digest::parse(&digest).map_err(|error| wrong(key, error.to_string()))?;
    let mut names = Vec::new();
    if let Some(list) = object.get(NAMES) {
        for name in text(NAMES, list)?
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            names.push(Reference::parse(name).map_err(|error| wrong(NAMES, error.to_string()))?);
        }
    }
    Ok(Some(BuiltImage {
        target: target.map(str::to_owned),
        digest,
        names,
    }))
}

const DIGEST: &str = "containerimage.digest";
const DESCRIPTOR: &str = "containerimage.descriptor";
const NAMES: &str = "image.name";
