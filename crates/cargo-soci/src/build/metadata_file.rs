//! `FILE[#TARGET]`, as `--from-metadata` takes it; what is in the file is read by [`soci_image::built`].

use std::path::{Path, PathBuf};

pub use soci_image::built::{BuiltImage, MetadataError, read};

/// `meta.json` or `meta.json#target`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataArgument {
    /// The file.
    pub path: PathBuf,
    /// One target of a bake file.
    pub target: Option<String>,
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

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::Value;
    use soci_image::Reference;

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
