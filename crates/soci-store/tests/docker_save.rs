//! What `docker save` of some versions wrote: manifests without their layers, and layers that are not in the archive.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use soci_image::Digest;
use soci_image::facts::Oddity;
use soci_store::Location;
use soci_store::store::{AnyDestination, AnySource};
use soci_store::workflow::{self, Examined, Options};
use support::made::{CONFIG, Layer, config, letters, manifest, point, tar};
use support::{Files, MANIFEST, blob_name, never};

fn location(path: &Path) -> Location {
    path.to_str().expect("UTF-8").parse().expect("a location")
}

/// The archive in a file, with a `manifest.json` beside the layout.
fn saved(folder: &Path, files: Files, config: &[u8], layers: &[Digest]) -> PathBuf {
    let Files(mut files) = files;
    let layers: Vec<String> = layers
        .iter()
        .map(|layer| format!("\"{}\"", blob_name(layer)))
        .collect();
    let text = format!(
        r#"[{{"Config":"{}","RepoTags":["app:1"],"Layers":[{}]}}]"#,
        blob_name(&Digest::sha256(config)),
        layers.join(",")
    );
    files.push(("manifest.json".into(), text.into_bytes()));
    let path = folder.join("save.tar");
    fs::write(&path, Files(files).archive()).expect("temporary folder");
    path
}

fn examined(path: &Path) -> soci_store::Result<Vec<Examined>> {
    let source = AnySource::open(&location(path), &never())?;
    soci_store::block_on(workflow::examine(&source, None))
}

fn converted(path: &Path, to: &Path) -> soci_store::Result<()> {
    let source = AnySource::open(&location(path), &never())?;
    let destination = AnyDestination::create(&location(to), &never())?;
    let options = Options {
        min_layer_size: 0,
        ..Options::default()
    };
    workflow::convert(&source, destination, None, &options, &|_| {}).map(|_| ())
}

/// As Docker 25.0.0 wrote it (<https://github.com/moby/moby/issues/47065>).
fn without_layers(config: &[u8]) -> Vec<u8> {
    let config = point(CONFIG, config);
    format!(r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{config},"layers":null}}"#).into_bytes()
}

#[test]
fn layers_that_only_manifest_json_lists_are_found() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let layer = tar(&[("app/big", &letters(300_000, 4))]);
    let config = config("amd64", &[&Digest::sha256(&layer)]);
    let manifest = without_layers(&config);
    let files = Files::layout(&[&layer, &config, &manifest], &[support::entry(&manifest, "")]);
    let path = saved(folder.path(), files, &config, &[Digest::sha256(&layer)]);
    let images = examined(&path).expect("it is read");
    assert_eq!(
        images[0].facts.platforms[0].layers[0].digest,
        Digest::sha256(&layer)
    );
    assert!(!images[0].facts.platforms[0].layers[0].missing);
    converted(&path, &folder.path().join("converted")).expect("converts");
}

#[test]
fn manifests_that_disagree_are_refused() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let layer = tar(&[("app/big", &letters(3000, 4))]);
    let config = config("amd64", &[&Digest::sha256(&layer), &Digest::sha256(b"more")]);
    let manifest = without_layers(&config);
    let files = Files::layout(&[&layer, &config, &manifest], &[support::entry(&manifest, "")]);
    let path = saved(folder.path(), files, &config, &[Digest::sha256(&layer)]);
    let message = examined(&path).expect_err("they disagree").to_string();
    assert!(
        message.contains("its index.json lists an image without layers"),
        "{message}"
    );
    assert!(message.contains("manifest.json"), "{message}");
}

#[test]
fn a_layer_that_was_not_saved_is_named() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let layer = Layer::gzip(&tar(&[("app/big", &letters(300_000, 4))]));
    let config = config("amd64", &[&layer.diff_id]);
    let manifest = manifest(&config, &[&layer.bytes]);
    let digest = Digest::sha256(&layer.bytes);
    let files = Files::layout(&[&config, &manifest], &[support::entry(&manifest, "")]);
    let path = saved(folder.path(), files, &config, std::slice::from_ref(&digest));
    let facts = &examined(&path).expect("it is read")[0].facts;
    assert!(facts.platforms[0].layers[0].missing);
    assert!(matches!(&facts.oddities[..], [Oddity::MissingLayer { layer, .. }] if *layer == digest));
    let error = converted(&path, &folder.path().join("converted")).expect_err("the layer is missing");
    assert!(error.to_string().contains(digest.as_str()), "{error}");
}
