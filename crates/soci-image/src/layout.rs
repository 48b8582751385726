//! The `index.json` of an OCI layout: which images it holds and what they are called.

use std::collections::BTreeMap;

use crate::annotation;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::index::Index;
use crate::media_type::OCI_INDEX;
use crate::reference::Reference;
use crate::soci_index::SociVersion;

/// What an `index.json` lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The images, each once, in the order of their first entry.
    pub images: Vec<LayoutImage>,
    /// SOCI indexes listed beside them, as a local store of the reference does.
    pub soci_indexes: Vec<Descriptor>,
    /// Whether `index.json` is itself the index of one image: several entries without names, told
    /// apart by their platforms. `images` then has one item, the document itself.
    pub is_image_index: bool,
}

/// An image in a layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutImage {
    /// Its first entry, with that entry's annotations.
    pub descriptor: Descriptor,
    /// All entries for it; two names for one image are two entries.
    pub entries: Vec<Descriptor>,
}

impl LayoutImage {
    /// Its names: what `org.opencontainers.image.ref.name` and `io.containerd.image.name` say, each
    /// text once.
    pub fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for entry in &self.entries {
            for key in [annotation::CONTAINERD_NAME, annotation::REF_NAME] {
                if let Some(name) = entry.annotation(key)
                    && !names.contains(&name)
                {
                    names.push(name);
                }
            }
        }
        names
    }

    /// Whether `wanted` (a tag, or a whole reference) is one of its names.
    fn is_called(&self, wanted: &str) -> bool {
        let tag_of = |name: &str| {
            let reference = Reference::parse(name).ok()?;
            reference.tag_or_latest().map(str::to_owned)
        };
        let normal = Reference::parse(wanted)
            .ok()
            .map(|reference| reference.to_string());
        self.entries.iter().any(|entry| {
            let full = entry.annotation(annotation::CONTAINERD_NAME);
            let short = entry.annotation(annotation::REF_NAME);
            short == Some(wanted)
                || full == Some(wanted)
                || (full.is_some() && full.map(str::to_owned) == normal)
                || (short.is_none() && full.and_then(tag_of).as_deref() == Some(wanted))
        })
    }
}

impl Layout {
    /// Reads an `index.json`.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let index = Index::parse(bytes)?;
        let is_soci = |d: &&Descriptor| SociVersion::of(&d.artifact_type).is_some();
        let named = |d: &Descriptor| {
            d.annotations.contains_key(annotation::REF_NAME)
                || d.annotations.contains_key(annotation::CONTAINERD_NAME)
        };
        let others: Vec<&Descriptor> = index.manifests.iter().filter(|d| !is_soci(d)).collect();
        let first = others.first().map(|d| &d.digest);
        let several = others.iter().any(|d| Some(&d.digest) != first);
        if several && others.iter().all(|d| !named(d) && d.platform.is_some()) {
            let descriptor = Descriptor {
                annotations: BTreeMap::new(),
                ..Descriptor::of(OCI_INDEX, bytes)
            };
            return Ok(Self {
                images: vec![LayoutImage {
                    entries: vec![descriptor.clone()],
                    descriptor,
                }],
                soci_indexes: Vec::new(),
                is_image_index: true,
            });
        }
        let mut images: Vec<LayoutImage> = Vec::new();
        let mut known: BTreeMap<&Digest, usize> = BTreeMap::new();
        for descriptor in others {
            match known.get(&descriptor.digest) {
                Some(position) => images[*position].entries.push(descriptor.clone()),
                None => {
                    known.insert(&descriptor.digest, images.len());
                    images.push(LayoutImage {
                        descriptor: descriptor.clone(),
                        entries: vec![descriptor.clone()],
                    });
                }
            }
        }
        Ok(Self {
            images,
            soci_indexes: index.manifests.iter().filter(is_soci).cloned().collect(),
            is_image_index: false,
        })
    }

    /// The image of this tag, reference or digest; without one, the only image there is.
    pub fn pick(&self, wanted: Option<&str>) -> Result<&LayoutImage> {
        let none = |reason: String| Err(Error::field("index.json", reason));
        let Some(wanted) = wanted else {
            return match &self.images[..] {
                [only] => Ok(only),
                [] => none("it lists no image".to_owned()),
                _ => none(format!("it lists several images; name one of {}", self.list())),
            };
        };
        let digest = Digest::parse(wanted).ok();
        let found = self
            .images
            .iter()
            .find(|image| digest.as_ref() == Some(&image.descriptor.digest) || image.is_called(wanted));
        match found {
            Some(image) => Ok(image),
            None => none(format!("no image is called `{wanted}`; there is {}", self.list())),
        }
    }

    fn list(&self) -> String {
        let name = |image: &LayoutImage| match &image.names()[..] {
            [] => image.descriptor.digest.to_string(),
            names => names.join(" = "),
        };
        let names: Vec<String> = self.images.iter().map(name).collect();
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media_type::{OCI_MANIFEST, SOCI_INDEX_V1};
    use crate::platform::Platform;

    fn entry(content: &str, names: &[(&str, &str)]) -> Descriptor {
        Descriptor {
            annotations: names
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
            ..Descriptor::of(OCI_MANIFEST, content.as_bytes())
        }
    }

    fn layout(entries: Vec<Descriptor>) -> Layout {
        Layout::parse(&Index::of(OCI_INDEX, entries).to_vec()).unwrap()
    }

    #[test]
    fn two_names_for_one_image_are_one_image() {
        let full = annotation::CONTAINERD_NAME;
        let layout = layout(vec![
            entry(
                "a",
                &[(full, "docker.io/library/app:1"), (annotation::REF_NAME, "1")],
            ),
            entry("a", &[(full, "example.com/app:2")]),
            entry("b", &[(annotation::REF_NAME, "dev")]),
        ]);
        assert_eq!(layout.images.len(), 2);
        assert_eq!(
            layout.images[0].names(),
            ["docker.io/library/app:1", "1", "example.com/app:2"]
        );
        for wanted in ["1", "2", "app:1", "docker.io/library/app:1", "example.com/app:2"] {
            assert_eq!(layout.pick(Some(wanted)).unwrap(), &layout.images[0], "{wanted}");
        }
        assert_eq!(layout.pick(Some("dev")).unwrap(), &layout.images[1]);
        let by_digest = Digest::sha256(b"b");
        assert_eq!(layout.pick(Some(by_digest.as_str())).unwrap(), &layout.images[1]);
        let error = layout.pick(None).unwrap_err().to_string();
        assert!(
            error.contains("name one of docker.io/library/app:1 = 1"),
            "{error}"
        );
        assert!(
            layout
                .pick(Some("3"))
                .unwrap_err()
                .to_string()
                .contains("no image is called `3`")
        );
    }

    #[test]
    fn an_index_json_may_be_the_image_index() {
        let with = |content, arch| Descriptor {
            platform: Some(Platform::new("linux", arch)),
            ..entry(content, &[])
        };
        let flat = layout(vec![with("a", "amd64"), with("b", "arm64")]);
        assert!(flat.is_image_index);
        assert_eq!(flat.pick(None).unwrap().descriptor.media_type, OCI_INDEX);
        let mut tagged = vec![with("a", "amd64"), with("b", "arm64")];
        tagged[0]
            .annotations
            .insert(annotation::REF_NAME.into(), "1".into());
        assert!(!layout(tagged).is_image_index);
        assert!(
            layout(vec![])
                .pick(None)
                .unwrap_err()
                .to_string()
                .contains("no image")
        );
    }

    #[test]
    fn soci_indexes_are_no_images() {
        let soci = Descriptor {
            artifact_type: SOCI_INDEX_V1.to_owned(),
            ..entry("soci", &[])
        };
        let layout = layout(vec![soci.clone(), entry("a", &[])]);
        assert_eq!(layout.pick(None).unwrap().descriptor, entry("a", &[]));
        assert_eq!(layout.soci_indexes, [soci]);
    }
}
