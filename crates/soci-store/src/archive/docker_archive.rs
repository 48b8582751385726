//! An archive as `docker save` writes it, seen as an OCI layout.
//!
//! ```text
//! manifest.json     [{"Config": NAME, "RepoTags": ["app:1"], "Layers": [NAME, …]}, …]
//! NAME              the image config, byte for byte; its digest is the image id
//! NAME              a layer, as a rule an uncompressed tar: its digest is the diff_id in the config
//! ```
//!
//! `docker save` before version 25, `podman save` and skopeo write this form; docker 25 and later write an OCI
//! layout with a `manifest.json` beside it, and then the layout is read. Old docker stores a layer that occurs
//! twice as a link. The manifests that such an archive lacks are made here, so nothing above knows the difference.
//! Format: <https://github.com/moby/docker-image-spec> (read 2026-11-24).

use std::collections::HashMap;
use std::sync::Arc;

use soci_image::{Descriptor, Digest, Json, Reference, media_type};

use super::table::Table;
use crate::blob::FileBlob;
use crate::budget::Budget;
use crate::layout::check_size;
use crate::{Error, Result};

/// The list of images of such an archive.
pub(super) const MANIFEST_FILE: &str = "manifest.json";

/// What is missing to a layout.
#[derive(Debug, Clone, Default)]
pub(super) struct DockerArchive {
    /// The `index.json` that it would have.
    pub(super) index: Vec<u8>,
    /// Image manifests by digest.
    pub(super) documents: HashMap<Digest, Vec<u8>>,
    /// Where configs and layers lie in the archive.
    pub(super) blobs: HashMap<Digest, FileBlob>,
}

impl DockerArchive {
    /// Reads `manifest.json` and the configs; layers are looked into only as far as to know their compression.
    pub(super) fn read(table: &Table, manifest: &[u8], budget: &Budget) -> Result<Self> {
        let mut reader = Reader {
            table,
            budget,
            configs: HashMap::new(),
            layers: HashMap::new(),
        };
        let list = Json::parse(manifest).map_err(|error| reader.wrong(error.to_string()))?;
        let images = list
            .as_array()
            .ok_or_else(|| reader.wrong("it is not a list".into()))?;
        let mut archive = Self::default();
        let mut entries = Vec::new();
        for (position, image) in images.iter().enumerate() {
            let descriptor = reader.image(position, image, &mut archive)?;
            let names = strings(image.get("RepoTags")).ok_or_else(|| {
                reader.wrong(format!("RepoTags of image {position} is not a list of texts"))
            })?;
            if names.is_empty() {
                entries.push(descriptor.clone());
            }
            for name in names {
                entries.push(named(&descriptor, name).map_err(|error| reader.wrong(error.to_string()))?);
            }
        }
        archive.index = soci_image::index::Index::of(media_type::OCI_INDEX, entries).to_vec();
        Ok(archive)
    }
}

struct Reader<'a> {
    table: &'a Table,
    budget: &'a Budget,
    /// What is known by name: a list may name one file many times.
    configs: HashMap<String, Config>,
    layers: HashMap<String, Layer>,
}

/// A config and the digests of the layers that it promises.
#[derive(Clone)]
struct Config {
    descriptor: Descriptor,
    diff_ids: Arc<[Digest]>,
}

/// A layer; its own digest if it is compressed, otherwise it has that which the config promises.
#[derive(Clone)]
struct Layer {
    blob: FileBlob,
    media_type: &'static str,
    digest: Option<Digest>,
}

impl Reader<'_> {
    /// Makes the manifest of one image.
    fn image(&mut self, position: usize, image: &Json, archive: &mut DockerArchive) -> Result<Descriptor> {
        let config_name = image
            .get("Config")
            .and_then(Json::as_str)
            .ok_or_else(|| self.wrong(format!("image {position} names no Config")))?;
        let layer_names = strings(image.get("Layers"))
            .ok_or_else(|| self.wrong(format!("Layers of image {position} is not a list of texts")))?;
        let config = self.config(config_name, archive)?;
        let (config_descriptor, diff_ids) = (config.descriptor, config.diff_ids);
        if diff_ids.len() != layer_names.len() {
            return Err(self.place(format!(
                "{config_name} has {} diff_ids, but {MANIFEST_FILE} lists {} layers",
                diff_ids.len(),
                layer_names.len()
            )));
        }
        let mut layers = Vec::new();
        for (name, diff_id) in layer_names.into_iter().zip(diff_ids.iter()) {
            let layer = self.layer(name)?;
            let digest = layer.digest.unwrap_or_else(|| diff_id.clone());
            let descriptor = Descriptor::new(layer.media_type, digest, layer.blob.remaining());
            archive.blobs.insert(descriptor.digest.clone(), layer.blob);
            layers.push(json(&descriptor));
        }
        let manifest = Json::Object(vec![
            ("schemaVersion".to_owned(), Json::from(2)),
            ("mediaType".to_owned(), Json::from(media_type::OCI_MANIFEST)),
            ("config".to_owned(), json(&config_descriptor)),
            ("layers".to_owned(), Json::Array(layers)),
        ])
        .to_vec();
        let descriptor = Descriptor::of(media_type::OCI_MANIFEST, &manifest);
        self.budget.charge(&descriptor.digest, &manifest)?;
        archive.documents.insert(descriptor.digest.clone(), manifest);
        Ok(descriptor)
    }

    fn config(&mut self, name: &str, archive: &mut DockerArchive) -> Result<Config> {
        if let Some(known) = self.configs.get(name) {
            return Ok(known.clone());
        }
        let blob = self.file(name)?;
        let bytes = self.small(name, blob.clone())?;
        let diff_ids = diff_ids(&bytes).map_err(|problem| self.place(format!("{name}: {problem}")))?;
        let descriptor = Descriptor::of(media_type::OCI_CONFIG, &bytes);
        self.budget.charge(&descriptor.digest, &bytes)?;
        archive.blobs.insert(descriptor.digest.clone(), blob);
        let config = Config {
            descriptor,
            diff_ids: diff_ids.into(),
        };
        self.configs.insert(name.to_owned(), config.clone());
        Ok(config)
    }

    fn layer(&mut self, name: &str) -> Result<Layer> {
        if let Some(known) = self.layers.get(name) {
            return Ok(known.clone());
        }
        let layer = layer(self.file(name)?)?;
        self.layers.insert(name.to_owned(), layer.clone());
        Ok(layer)
    }

    fn small(&self, name: &str, mut blob: FileBlob) -> Result<Vec<u8>> {
        check_size(self.table.place(), name, blob.remaining())?;
        let mut bytes = vec![0; usize::try_from(blob.remaining()).expect("checked")];
        let mut filled = 0;
        while filled < bytes.len() {
            filled += blob.read_now(&mut bytes[filled..])?;
        }
        Ok(bytes)
    }

    /// A file of the archive; links are followed as long as they stay in it.
    fn file(&self, name: &str) -> Result<FileBlob> {
        let resolved = self.table.resolve(name).map_err(|problem| self.place(problem))?;
        self.table.find(&resolved.name)?.ok_or_else(|| {
            self.place(match resolved.link {
                Some((link, target)) => format!(
                    "its link {link} leads to {target}, and {} is not in the archive",
                    resolved.name
                ),
                None => format!("{name}, which {MANIFEST_FILE} names, is missing"),
            })
        })
    }

    fn wrong(&self, problem: String) -> Error {
        self.place(format!("its {MANIFEST_FILE} cannot be read: {problem}"))
    }

    fn place(&self, problem: String) -> Error {
        Error::Place {
            place: self.table.place().to_owned(),
            problem,
        }
    }
}

/// An uncompressed layer has the digest that the config promises, which whoever reads it compares. A compressed
/// one is in no document, so its digest takes a pass of its own.
fn layer(blob: FileBlob) -> Result<Layer> {
    let mut magic = [0; 4];
    let mut seen = 0;
    let mut head = blob.clone();
    while seen < magic.len() && head.remaining() > 0 {
        seen += head.read_now(&mut magic[seen..])?;
    }
    let media_type = media_type_of(&magic);
    if media_type.ends_with(".tar") {
        return Ok(Layer {
            blob,
            media_type,
            digest: None,
        });
    }
    let mut rest = blob.clone();
    let mut hasher = Digest::hasher();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match rest.read_now(&mut buffer)? {
            0 => break,
            count => hasher.update(&buffer[..count]),
        }
    }
    Ok(Layer {
        blob,
        media_type,
        digest: Some(hasher.finish()),
    })
}

/// The media type of a layer that begins with these bytes.
pub(super) fn media_type_of(head: &[u8; 4]) -> &'static str {
    match head {
        [0x1f, 0x8b, ..] => "application/vnd.oci.image.layer.v1.tar+gzip",
        [0x28, 0xb5, 0x2f, 0xfd] => "application/vnd.oci.image.layer.v1.tar+zstd",
        _ => "application/vnd.oci.image.layer.v1.tar",
    }
}

fn diff_ids(config: &[u8]) -> Result<Vec<Digest>, String> {
    let config = Json::parse(config).map_err(|error| error.to_string())?;
    let list = config.get("rootfs").and_then(|rootfs| rootfs.get("diff_ids"));
    strings(list)
        .ok_or("rootfs.diff_ids is not a list of texts")?
        .into_iter()
        .map(|text| Digest::parse(text).map_err(|error| format!("rootfs.diff_ids: {error}")))
        .collect()
}

/// The texts of a list; an absent one is empty, as Go writes it.
fn strings(list: Option<&Json>) -> Option<Vec<&str>> {
    match list {
        None | Some(Json::Null) => Some(Vec::new()),
        Some(list) => list.as_array()?.iter().map(Json::as_str).collect(),
    }
}

/// The entry of `index.json` for one name: `app:1` is `docker.io/library/app:1` in full.
fn named(descriptor: &Descriptor, name: &str) -> Result<Descriptor, soci_image::Error> {
    let reference = Reference::parse(name)?;
    let mut entry = descriptor.clone();
    let tag = reference.tag_or_latest().unwrap_or("latest");
    entry.annotations.insert(
        "io.containerd.image.name".to_owned(),
        format!("{}:{tag}", reference.name()),
    );
    entry
        .annotations
        .insert("org.opencontainers.image.ref.name".to_owned(), tag.to_owned());
    Ok(entry)
}

pub(super) fn json(descriptor: &Descriptor) -> Json {
    Json::parse(&descriptor.to_vec()).expect("a descriptor is written as JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::io::Read as _;
    use std::path::Path;
    use std::sync::atomic::AtomicBool;

    use crate::archive::ArchiveSource;
    use crate::store::{Blob as _, Source as _};
    use crate::{Location, block_on};

    /// What goes into an archive: a file with its bytes, or a link with its target.
    enum Item<'a> {
        File(&'a str, &'a [u8]),
        Link(&'a str, &'a str),
        HardLink(&'a str, &'a str),
    }

    fn archive(items: &[Item<'_>]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        let mut builder = tar::Builder::new(&mut file);
        for item in items {
            let mut header = tar::Header::new_gnu();
            match item {
                Item::File(name, bytes) => {
                    header.set_size(bytes.len() as u64);
                    builder.append_data(&mut header, name, *bytes).expect("writes");
                }
                Item::Link(name, target) | Item::HardLink(name, target) => {
                    header.set_entry_type(match item {
                        Item::HardLink(..) => tar::EntryType::Link,
                        _ => tar::EntryType::Symlink,
                    });
                    header.set_size(0);
                    builder.append_link(&mut header, name, target).expect("writes");
                }
            }
        }
        builder.finish().expect("writes");
        drop(builder);
        file
    }

    fn config(layers: &[&[u8]]) -> Vec<u8> {
        let ids: Vec<String> = layers
            .iter()
            .map(|layer| format!("\"{}\"", Digest::sha256(layer)))
            .collect();
        format!(
            r#"{{"architecture":"amd64","os":"linux","rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
            ids.join(",")
        )
        .into_bytes()
    }

    fn open(file: &Path) -> Result<ArchiveSource> {
        ArchiveSource::open(file, &AtomicBool::new(false))
    }

    /// Every layer of every image, read to its end.
    fn layers(source: &ArchiveSource) -> Vec<(String, Vec<u8>)> {
        let mut found = Vec::new();
        for root in block_on(source.roots()).expect("roots") {
            let manifest = block_on(source.document(&root.descriptor)).expect("a manifest");
            let manifest = soci_image::manifest::Manifest::parse(&manifest).expect("a good manifest");
            assert!(block_on(source.document(&manifest.config)).is_ok());
            for layer in manifest.layers {
                let mut blob = block_on(source.open(&layer)).expect("a layer");
                let mut bytes = vec![0; usize::try_from(layer.size).expect("small")];
                let mut filled = 0;
                while filled < bytes.len() {
                    filled += block_on(blob.read(&mut bytes[filled..])).expect("reads");
                }
                assert!(layer.digest.matches(&bytes));
                found.push((layer.media_type, bytes));
            }
        }
        found
    }

    #[test]
    fn the_form_of_old_docker_with_a_layer_that_is_a_link() {
        let (one, two) = (b"layer one".as_slice(), b"layer two".as_slice());
        let config = config(&[one, two, one, two]);
        let manifest = br#"[{"Config":"c.json","RepoTags":["app:1","r.example:5000/team/app:2"],
            "Layers":["a/layer.tar","b/layer.tar","c/layer.tar","d/layer.tar"]}]"#;
        let file = archive(&[
            Item::File("a/layer.tar", one),
            Item::File("b/layer.tar", two),
            Item::Link("c/layer.tar", "../a/layer.tar"),
            Item::HardLink("d/layer.tar", "b/layer.tar"),
            Item::File("c.json", &config),
            Item::File("manifest.json", manifest),
            Item::File("repositories", b"{}"),
        ]);
        let source = open(file.path()).expect("a good archive");
        assert!(source.is_docker_archive());
        let roots = block_on(source.roots()).expect("roots");
        assert_eq!(roots.len(), 1);
        let names: Vec<_> = roots[0]
            .names
            .iter()
            .filter_map(|name| name.full.as_deref())
            .collect();
        assert_eq!(names, ["docker.io/library/app:1", "r.example:5000/team/app:2"]);
        let contents: Vec<_> = layers(&source).into_iter().map(|(_, bytes)| bytes).collect();
        assert_eq!(contents, [one, two, one, two]);
    }

    #[test]
    fn compressed_layers_are_told_by_their_content() {
        let tar = vec![7_u8; 3000];
        let mut gzip = Vec::new();
        flate2::read::GzEncoder::new(&tar[..], flate2::Compression::fast())
            .read_to_end(&mut gzip)
            .expect("compresses");
        let config = config(&[&tar]);
        let manifest = br#"[{"Config":"c.json","RepoTags":null,"Layers":["l.tar"]}]"#;
        let file = archive(&[
            Item::File("manifest.json", manifest),
            Item::File("c.json", &config),
            Item::File("l.tar", &gzip),
        ]);
        let found = layers(&open(file.path()).expect("a good archive"));
        assert_eq!(
            found,
            [("application/vnd.oci.image.layer.v1.tar+gzip".to_owned(), gzip)]
        );
    }

    #[test]
    fn an_index_without_images_gives_way_to_manifest_json() {
        let config = config(&[]);
        let file = archive(&[
            Item::File("index.json", br#"{"schemaVersion":2,"manifests":null}"#),
            Item::File("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#),
            Item::File("c.json", &config),
            Item::File(
                "manifest.json",
                br#"[{"Config":"c.json","RepoTags":["app"],"Layers":null}]"#,
            ),
        ]);
        let roots = block_on(open(file.path()).expect("a good archive").roots()).expect("roots");
        assert_eq!(roots[0].names[0].tag.as_deref(), Some("latest"));
    }

    #[test]
    fn archives_that_lie_are_refused_with_a_reason() {
        let good = config(&[b"x"]);
        for (manifest, problem) in [
            ("", "manifest.json cannot be read"),
            ("{}", "it is not a list"),
            ("[{}]", "image 0 names no Config"),
            (
                r#"[{"Config":"none.json"}]"#,
                "none.json, which manifest.json names, is missing",
            ),
            (
                r#"[{"Config":"c.json","Layers":[]}]"#,
                "has 1 diff_ids, but manifest.json lists 0 layers",
            ),
            (
                r#"[{"Config":"c.json","Layers":["../../etc/passwd"]}]"#,
                "leads out of the archive",
            ),
            (
                r#"[{"Config":"c.json","Layers":["loop"]}]"#,
                "its link loop leads to loop, in a circle",
            ),
            (
                r#"[{"Config":"c.json","Layers":["out"]}]"#,
                "its link out leads to ../secret, out of the archive",
            ),
            (
                r#"[{"Config":"c.json","Layers":["folder/layer.tar"]}]"#,
                "its link folder/layer.tar leads to .x, and folder/.x is not in the archive",
            ),
            (r#"[{"Config":"x","Layers":["x"]}]"#, "x: "),
            (
                r#"[{"Config":"c.json","Layers":["x"],"RepoTags":["app:a:b"]}]"#,
                "manifest.json cannot be read",
            ),
        ] {
            let file = archive(&[
                Item::File("manifest.json", manifest.as_bytes()),
                Item::File("c.json", &good),
                Item::File("x", b"x"),
                Item::Link("loop", "loop"),
                Item::Link("out", "../secret"),
                // A file of this name lies at the top, but that is not where the link leads.
                Item::Link("folder/layer.tar", ".x"),
                Item::File(".x", b"x"),
            ]);
            let error = open(file.path()).map(|_| ()).expect_err(manifest).to_string();
            assert!(error.contains(problem), "{manifest}: {error}");
        }
    }

    #[test]
    fn the_location_may_name_it_either_way() {
        for text in ["docker-archive:x.tar", "x.tar", "docker-archive:x.tar:app:1"] {
            assert!(text.parse::<Location>().is_ok(), "{text}");
        }
    }
}
