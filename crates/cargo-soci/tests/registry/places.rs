//! Registries, layouts and archives as source and destination in every combination.

use std::process::Command;

use soci_tests::registry::Behaviour;

use crate::{convert, converts_to, expected, good, run, tag, with_image};

#[test]
fn every_way_gives_the_same_image() {
    let expected = expected();
    let registry = with_image(Behaviour::default());
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let image = registry.name("app:1");
    let layout = path("plain");
    // An unconverted copy to start from: what `remove` writes of an image without SOCI.
    good(&run(&["remove", &image, &layout, "-q"]));
    good(&run(&["remove", &image, &path("plain.tar"), "-q"]));

    let sources = [
        image.clone(),
        format!("docker://{image}"),
        layout,
        path("plain.tar"),
    ];
    for (number, source) in sources.iter().enumerate() {
        let to_registry = registry.name(&format!("copy{number}:2"));
        let to_layout = path(&format!("layout{number}"));
        let to_archive = path(&format!("archive{number}.tar"));
        for destination in [&to_registry, &to_layout, &to_archive] {
            converts_to(&expected, source, destination);
        }
        assert_eq!(
            tag(&registry, &format!("copy{number}"), "2"),
            Some(expected.clone())
        );
    }
    assert_eq!(registry.broken_tags(), Vec::<String>::new());
    // The same bytes, whatever way they came.
    let archives: Vec<Vec<u8>> = (0..4)
        .map(|number| std::fs::read(path(&format!("archive{number}.tar"))).unwrap())
        .collect();
    assert!(archives[2] == archives[3]);
    assert!(archives[0] == archives[1]);
    let layouts = Command::new("diff")
        .args(["-r", &path("layout2"), &path("layout3")])
        .status();
    assert!(layouts.expect("diff is there").success());
}

#[test]
fn the_metadata_file_says_what_buildx_says() {
    let registry = with_image(Behaviour::default());
    let folder = tempfile::tempdir().expect("temporary folder");
    let file = folder.path().join("meta.json").display().to_string();
    let digest = good(&convert(&[
        &registry.name("app:1"),
        "-q",
        "--metadata-file",
        &file,
    ]));
    let document: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(document["containerimage.digest"], digest.as_str());
    assert_eq!(document["containerimage.descriptor"]["digest"], digest.as_str());
    assert_eq!(document["image.name"], registry.name("app:1"));
    let index = document["soci.index.digests"]["linux/amd64"].as_str().unwrap();
    assert!(registry.with("app", |content| content.manifests.contains_key(index)));
}
