//! The image vectors in memory.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::OnceLock;

use serde_json::Value;
use soci_image::convert::{self, Conversion, LayerIndex, PlatformIndex};
use soci_image::image::{Choice, Image};
use soci_image::{Descriptor, Digest, Documents, Layout, Platform, SkipReason, annotation, media_type};

/// The identifier that the reference writes.
pub(crate) const TOOL: &str = "AWS SOCI CLI v0.2";

/// One case of `cases.json`.
pub(crate) struct Case(Value);

/// A case's input: the root and every JSON document of the layout.
pub(crate) struct Source {
    pub(crate) root: Descriptor,
    pub(crate) documents: Documents,
    pub(crate) layout: Layout,
}

pub(crate) fn cases() -> Vec<Case> {
    static CASES: OnceLock<Vec<Value>> = OnceLock::new();
    let cases = CASES.get_or_init(|| {
        let file = soci_tests::image_vectors().join("cases.json");
        let text = std::fs::read(file).expect("the vectors have cases.json");
        let value: Value = serde_json::from_slice(&text).expect("cases.json is JSON");
        value["cases"].as_array().expect("cases is a list").clone()
    });
    cases.iter().cloned().map(Case).collect()
}

pub(crate) fn case(name: &str) -> Case {
    cases()
        .into_iter()
        .find(|case| case.name() == name)
        .unwrap_or_else(|| panic!("no case {name}"))
}

impl Case {
    pub(crate) fn name(&self) -> &str {
        self.0["name"].as_str().unwrap()
    }

    pub(crate) fn exit(&self) -> i64 {
        self.0["expected"]["exit"].as_i64().unwrap()
    }

    fn argv(&self) -> Vec<&str> {
        let argv = self.0["argv"].as_array().unwrap();
        argv.iter().map(|arg| arg.as_str().unwrap()).collect()
    }

    pub(crate) fn command(&self) -> &str {
        self.argv()[0]
    }

    /// The platforms that the arguments name; none for all of them.
    fn platforms(&self) -> Vec<Platform> {
        let argv = self.argv();
        let mut platforms: Vec<Platform> = argv
            .windows(2)
            .filter(|pair| matches!(pair[0], "-p" | "--platform"))
            .map(|pair| pair[1].parse().unwrap())
            .collect();
        if platforms.is_empty()
            && let Some(host) = self.0["host_platform"].as_str()
        {
            platforms.push(host.parse().unwrap());
        }
        platforms
    }

    /// Reads the input archive; layers are left out, everything that begins like JSON is a document.
    pub(crate) fn source(&self) -> Source {
        let archive = soci_tests::image_vectors().join(self.0["input"]["tar"].as_str().unwrap());
        let mut documents = Documents::new();
        let mut index_json = Vec::new();
        let mut archive = tar::Archive::new(std::fs::File::open(archive).unwrap());
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry
                .path()
                .unwrap()
                .to_str()
                .unwrap()
                .trim_start_matches("./")
                .to_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            if path == "index.json" {
                index_json = bytes;
            } else if bytes.first() == Some(&b'{') && path.starts_with("blobs/sha256/") {
                documents.add(bytes);
            }
        }
        let layout = Layout::parse(&index_json).unwrap();
        let root = layout.pick(None).unwrap().descriptor.clone();
        if layout.is_image_index {
            documents.add(index_json);
        }
        Source {
            root,
            documents,
            layout,
        }
    }

    /// The zTOC and prefetch blobs of the expected output, by layer and media type.
    fn artifacts(&self, media_type: &str) -> BTreeMap<Digest, Value> {
        let mut found = BTreeMap::new();
        for blob in self.0["expected"]["blobs"].as_array().into_iter().flatten() {
            let uses = std::iter::once(blob).chain(blob["other_uses"].as_array().into_iter().flatten());
            for one in uses {
                let kind = one["mediaType"].as_str().or(blob["mediaType"].as_str());
                if kind == Some(media_type)
                    && let Some(layer) = one["annotations"][annotation::LAYER_DIGEST].as_str()
                {
                    let mut value = blob.clone();
                    value["annotations"] = one["annotations"].clone();
                    found.insert(layer.parse().unwrap(), value);
                }
            }
        }
        found
    }

    fn document(&self, blob: &Value) -> Vec<u8> {
        let folder = soci_tests::image_vectors().join("outputs").join(self.name());
        std::fs::read(folder.join(blob["document"].as_str().unwrap())).unwrap()
    }

    /// What indexing gives for each chosen image, taken from the expected zTOCs.
    pub(crate) fn platform_indexes(&self, image: &Image, choices: Vec<Choice>) -> Vec<PlatformIndex> {
        let ztocs = self.artifacts(media_type::ZTOC);
        let prefetch = self.artifacts(media_type::PREFETCH);
        let images = image.images();
        let one = |choice: Choice| {
            let layers = &images[choice.id].manifest.layers;
            let outcome = |layer: &Descriptor| match ztocs.get(&layer.digest) {
                None => LayerIndex::Skipped(SkipReason::TooSmall {
                    size: layer.size,
                    minimum: u64::MAX,
                }),
                Some(blob) => LayerIndex::Ztoc {
                    digest: blob["digest"].as_str().unwrap().parse().unwrap(),
                    size: blob["size"].as_u64().unwrap(),
                    span_size: blob["annotations"][annotation::SPAN_SIZE]
                        .as_str()
                        .unwrap()
                        .parse()
                        .unwrap(),
                    disable_xattrs: blob["annotations"][annotation::DISABLE_XATTRS] == "true",
                    shaped: None,
                },
            };
            PlatformIndex {
                layers: layers.iter().map(outcome).collect(),
                prefetch: layers
                    .iter()
                    .enumerate()
                    .filter_map(|(i, layer)| Some((i, self.document(prefetch.get(&layer.digest)?))))
                    .collect(),
                choice,
            }
        };
        choices.into_iter().map(one).collect()
    }

    pub(crate) fn convert(&self, source: &Source) -> Conversion {
        let image = Image::read(&source.root, &source.documents).unwrap();
        let choices = image.select(&self.platforms()).unwrap();
        let platforms = self.platform_indexes(&image, choices);
        convert::convert(&image, &source.documents, &platforms, TOOL).unwrap()
    }

    /// Kind and bytes of each document that the reference wrote or kept.
    pub(crate) fn expected_documents(&self) -> Vec<(&'static str, Vec<u8>)> {
        let mut found = Vec::new();
        for blob in self.0["expected"]["blobs"].as_array().unwrap() {
            let Some(file) = blob["document"].as_str() else {
                continue;
            };
            if blob["unreferenced"] == true {
                continue;
            }
            let kind = ["index", "manifest", "soci-index", "prefetch"]
                .into_iter()
                .find(|kind| file.starts_with(&format!("{kind}-")))
                .unwrap_or_else(|| panic!("{file} is of no known kind"));
            found.push((kind, self.document(blob)));
        }
        assert!(!found.is_empty(), "{} has no documents", self.name());
        found
    }

    pub(crate) fn top(&self) -> Vec<Descriptor> {
        let top = self.0["expected"]["top"].as_array().unwrap();
        top.iter()
            .map(|d| Descriptor::parse(d.to_string().as_bytes()).unwrap())
            .collect()
    }
}
