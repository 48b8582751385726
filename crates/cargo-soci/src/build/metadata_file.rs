//! The files that `docker buildx build`, `docker buildx bake`, `docker buildx imagetools create` and
//! `buildctl` write with `--metadata-file`: which image came out of a build, and under which names.
//!
//! A build's file is one object; bake's holds one such object per target, beside keys of buildx itself
//! (<https://docs.docker.com/reference/cli/docker/buildx/build/#metadata-file>, read 2026-11-24). Some
//! builds leave parts out: a builder of several nodes writes only the digest, `imagetools create`
//! only the descriptor, and a build without an image (cache only, local files) neither.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use soci_image::{Digest, Reference};

/// `meta.json` or `meta.json#target`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataArgument {
    /// The file.
    pub path: PathBuf,
    /// One target of a bake file.
    pub target: Option<String>,
}

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

impl std::str::FromStr for MetadataArgument {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A file whose own name holds `#` is taken as it is.
        let split = if Path::new(text).exists() {
            None
        } else {
            text.rsplit_once('#')
        };
        Ok(match split {
            Some((path, target)) if !target.is_empty() => Self {
                path: path.into(),
                target: Some(target.to_owned()),
            },
            _ => Self {
                path: text.into(),
                target: None,
            },
        })
    }
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn recorded(path: &str) -> Vec<u8> {
        fs::read(soci_tests::buildx_vectors().join(path)).expect("a recorded file")
    }

    fn names(image: &BuiltImage) -> Vec<&str> {
        image.names.iter().map(Reference::as_written).collect()
    }

    #[test]
    fn a_pushed_build() {
        let images = read(&recorded("push-multi-two-tags/metadata.json"), None).expect("a good file");
        assert_eq!(images.len(), 1);
        assert_eq!(images[0].names.len(), 2);
        assert!(images[0].names.iter().all(|name| name.tag().is_some()));
    }

    #[test]
    fn every_target_of_a_bake_file_or_one() {
        let file = recorded("bake-groups-matrix/metadata.json");
        let images = read(&file, None).expect("a good file");
        let targets: Vec<_> = images
            .iter()
            .filter_map(|image| image.target.as_deref())
            .collect();
        assert_eq!(targets, ["batch", "web", "worker-amd64-1-0", "worker-arm64-1-1"]);
        assert_eq!(
            names(&images[1]),
            ["localhost:5055/bake/web:1.0", "localhost:5055/bake/web:latest"]
        );
        let web = read(&file, Some("web")).expect("a good file");
        assert_eq!(web, images[1..2]);
        let error = read(&file, Some("wep")).expect_err("no such target");
        assert_eq!(
            error.to_string(),
            "has no target \"wep\"; there is batch, web, worker-amd64-1-0, worker-arm64-1-1"
        );
    }

    #[test]
    fn parts_that_builders_leave_out() {
        let multi_node = read(&recorded("push-multi-node/metadata.json"), None).expect("only a digest");
        assert_eq!(names(&multi_node[0]), [""; 0]);
        let created =
            read(&recorded("push-by-digest-merge/metadata-create.json"), None).expect("a descriptor");
        assert_eq!(names(&created[0]), ["localhost:5055/team/merged"]);
        let pushed = read(&recorded("buildctl-push/metadata.json"), None).expect("buildctl's");
        assert_eq!(pushed.len(), 1);
    }

    #[test]
    fn every_recorded_metadata_file_agrees_with_the_recorded_facts() {
        let cases: Value = serde_json::from_slice(&recorded("cases.json")).expect("JSON");
        let mut seen = 0;
        for case in cases["cases"].as_array().expect("a list") {
            let Some(files) = case["metadata"].as_object() else {
                continue;
            };
            for (file, facts) in files {
                let Some(digest) = facts.get("digest").or(facts.get("descriptor_digest")) else {
                    continue;
                };
                let Some(digest) = digest.as_str() else { continue };
                let name = case["name"].as_str().expect("a name");
                let images = read(&recorded(&format!("{name}/{file}")), None)
                    .unwrap_or_else(|error| panic!("{name}/{file}: {error}"));
                assert_eq!(images[0].digest.as_str(), digest, "{name}/{file}");
                seen += 1;
            }
        }
        assert!(seen > 20, "only {seen} files were seen");
    }

    #[test]
    fn files_that_serve_for_nothing_say_why() {
        for (text, problem) in [
            ("", "not a metadata file of a build: EOF"),
            ("[]", "not a metadata file of a build: invalid type"),
            ("{}", "names no image"),
            (r#"{"buildx.build.ref":"a/b/c"}"#, "names no image"),
            (
                r#"{"containerimage.digest":7}"#,
                "containerimage.digest: must be a text",
            ),
            (
                r#"{"containerimage.digest":"sha256:x"}"#,
                "containerimage.digest: ",
            ),
            (
                r#"{"containerimage.descriptor":{}}"#,
                "containerimage.descriptor: has no digest",
            ),
            (
                r#"{"web":{"containerimage.digest":"x"}}"#,
                "web: containerimage.digest: ",
            ),
        ] {
            let error = read(text.as_bytes(), None).expect_err(text);
            assert!(error.to_string().starts_with(problem), "{text}: {error}");
        }
        let single = recorded("push-single-default/metadata.json");
        assert!(matches!(
            read(&single, Some("web")),
            Err(MetadataError::NotBake(_))
        ));
    }

    #[test]
    fn the_argument_splits_at_the_last_hash() {
        let split = |text: &str| text.parse::<MetadataArgument>().expect("never fails");
        assert_eq!(split("m.json").target, None);
        assert_eq!(split("m.json#web").target.as_deref(), Some("web"));
        assert_eq!(split("m.json#web").path, Path::new("m.json"));
        assert_eq!(split("m.json#").path, Path::new("m.json#"));
    }
}
