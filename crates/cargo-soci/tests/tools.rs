//! Whole runs with real tools: buildah as the builder, skopeo, Debian's docker-registry, cargo.
#![cfg(all(unix, feature = "real-tools"))]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use soci_tests::servers::Server;
use support::{Place, Run};

/// A copy of `examples/cargo-app`, its program built.
fn example() -> Place {
    let place = Place::new();
    copy(&soci_tests::repository().join("examples/cargo-app"), place.path());
    let status = Command::new(env!("CARGO"))
        .args(["build", "--release", "--quiet", "--offline"])
        .env("CARGO_TARGET_DIR", place.join("target"))
        .current_dir(place.path())
        .status();
    assert!(status.is_ok_and(|status| status.success()), "the example builds");
    place
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("writable");
    for entry in fs::read_dir(from).expect("readable").flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        if name == "target" {
            continue;
        }
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            fs::copy(path, to.join(name)).expect("writable");
        }
    }
}

/// Builds the example into its registry.
fn build(place: &Place, builder: &str, image: &str, more: &[&str]) -> Run {
    let words = ["build", "--offline", "--builder", builder, "--image", image];
    place.run(&[&words, more].concat())
}

/// A builder that is one line of shell.
fn shell(script: &str) -> String {
    json!(["sh", "-c", script]).to_string()
}

/// The document under a name, as skopeo gets it.
fn raw(place: &Place, name: &str) -> Vec<u8> {
    let name = format!("docker://{name}");
    place.tool(&["skopeo", "inspect", "--raw", "--tls-verify=false", &name])
}

/// Builds `FROM scratch`, which needs no network.
const BUILDAH_TO_ARCHIVE: &str = r#"["buildah", "bud", "--quiet", "--isolation", "chroot", "--platform", "{platforms}",
    "--build-arg", "BASE=scratch", "--tag", "oci-archive:{output}", "{context}"]"#;

#[test]
fn the_sample_package_from_cargo_to_the_registry_and_its_task_definition() {
    let registry = Server::docker_registry(None, None);
    let place = example();
    let image = format!("{}/hello-fargate:{{version}}", registry.host());
    // As a user types it: cargo finds `cargo-soci` on PATH.
    let folder = Path::new(env!("CARGO_BIN_EXE_cargo-soci"))
        .parent()
        .expect("a folder");
    let path = format!(
        "{}:{}",
        folder.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let words = [
        "soci",
        "build",
        "--offline",
        "--builder",
        BUILDAH_TO_ARCHIVE,
        "--image",
        &image,
        "--format",
        "json",
    ];
    let home = std::env::var("HOME").unwrap_or_default();
    let cargo_home = std::env::var("CARGO_HOME").unwrap_or_else(|_| format!("{home}/.cargo"));
    let rustup_home = std::env::var("RUSTUP_HOME").unwrap_or_else(|_| format!("{home}/.rustup"));
    let run = place
        .program(Path::new(env!("CARGO")), &words)
        .env("PATH", path)
        .env("CARGO_HOME", cargo_home)
        .env("RUSTUP_HOME", rustup_home)
        .output()
        .expect("cargo runs");
    let run = Run::of(run).ended(0);
    // The task definition names the same repository in another registry, which is another image.
    assert!(
        run.stderr.contains("nothing in them was judged by it"),
        "{}",
        run.stderr
    );
    let report = run.json();
    let report = &report["images"][0];
    let name = format!("{}/hello-fargate:1.4.0", registry.host());
    assert_eq!(report["names"], json!([name]));
    assert_eq!(
        report["lint"]["files"][0]["tasks"][0]["containers"][0]["verdict"],
        "unknown"
    );
    // buildah's archive holds plain layers; nobody should push those.
    assert_eq!(report["conversion"]["recompressed"][0]["reason"], "uncompressed");

    let raw = raw(&place, &name);
    let index: Value = serde_json::from_slice(&raw).expect("JSON");
    assert_eq!(
        index["manifests"].as_array().map(Vec::len),
        Some(2),
        "image and SOCI index: {index}"
    );
    assert_eq!(soci_image::Digest::sha256(&raw).as_str(), report["digest"]);
    place.run(&["verify", &name]).ended(0);
    // Again: the same digest.
    let again = build(&place, BUILDAH_TO_ARCHIVE, &image, &["-q"]).ended(0);
    assert_eq!(again.stdout.trim().len(), 71);
    assert_eq!(place.leftovers(), [""; 0]);
}

#[test]
fn a_builder_that_pushes_and_tells_the_digest() {
    let registry = Server::docker_registry(None, None);
    let place = example();
    let script = "buildah bud --quiet --isolation chroot --platform {platforms} --build-arg BASE=scratch --tag hello-test \"$SOCI_CONTEXT\" && \
                  buildah push --quiet --tls-verify=false --digestfile \"$SOCI_DIGEST_FILE\" hello-test \"docker://$SOCI_IMAGE\"";
    let name = format!("{}/team/hello:1", registry.host());
    let more = ["--tag-model", "sibling", "--format", "json"];
    let report = build(&place, &shell(script), &name, &more).ended(0).json();
    let source = &report["images"][0]["conversion"]["images"][0]["sourceDigest"];
    let original = raw(&place, &name);
    assert_eq!(
        soci_image::Digest::sha256(&original).as_str(),
        source,
        "the tag stays"
    );
    place.run(&["verify", &format!("{name}-soci")]).ended(0);
}

#[test]
fn a_builder_that_only_pushes() {
    let registry = Server::docker_registry(None, None);
    let place = example();
    let script = "buildah bud --quiet --isolation chroot --platform {platforms} --build-arg BASE=scratch --tag hello-plain {context} && \
                  buildah push --quiet --tls-verify=false hello-plain docker://{image}";
    let name = format!("{}/team/hello:1", registry.host());
    build(&place, &shell(script), &name, &[]).ended(0);
    place.run(&["verify", &name]).ended(0);
}

#[test]
fn podman_builds_pushes_and_saves() {
    let registry = Server::docker_registry(None, None);
    let place = example();
    let script = "podman build --quiet --isolation chroot --platform {platforms} --build-arg BASE=scratch --tag \"$SOCI_IMAGE\" \"$SOCI_CONTEXT\" && \
                  podman push --quiet --tls-verify=false --digestfile \"$SOCI_DIGEST_FILE\" \"$SOCI_IMAGE\"";
    let name = format!("{}/team/hello:1", registry.host());
    build(&place, &shell(script), &name, &[]).ended(0);
    place.run(&["verify", &name]).ended(0);

    let saved = place.join("saved.tar").display().to_string();
    place.tool(&["podman", "save", "--quiet", "--output", &saved, &name]);
    let run = place
        .run(&[
            "convert",
            "saved.tar",
            "out.tar",
            "--min-layer-size=0",
            "--format",
            "json",
        ])
        .ended(0);
    assert_eq!(run.json()["recompressed"][0]["reason"], "uncompressed");
    place.run(&["verify", "out.tar"]).ended(0);
}

/// The example of `docs/workflows/builders.md` whose builder mentions this program.
fn documented(program: &str) -> String {
    let page = soci_tests::repository().join("docs/workflows/builders.md");
    let page = fs::read_to_string(page).expect("the page");
    let blocks = page
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    let mut found = blocks
        .filter(|block| block.contains(&format!("{program} b")) || block.contains(&format!("\"{program}\"")));
    let block = found.next().unwrap_or_else(|| panic!("no example for {program}"));
    assert!(found.next().is_none(), "one example for {program}");
    block.to_owned()
}

#[test]
fn the_documented_builders_work_with_and_without_platforms() {
    let registry = Server::docker_registry(None, None);
    for (number, (program, more)) in [
        ("buildah", &[][..]),
        ("podman", &[]),
        ("podman", &["--platform", "linux/amd64"]),
        ("podman", &["--platform", "linux/arm64"]),
    ]
    .into_iter()
    .enumerate()
    {
        let mut place = Place::new();
        place.write("Dockerfile", "FROM scratch\nCOPY file /\n");
        // Another file for each: podman's cache of `FROM scratch` does not tell platforms apart.
        place.write("file", &format!("of image {number}"));
        let host = registry.host();
        place.write(
            "registries.conf",
            &format!("[[registry]]\nlocation = \"{host}\"\ninsecure = true\n"),
        );
        let settings = place.join("registries.conf").display().to_string();
        place.set("CONTAINERS_REGISTRIES_CONF", &settings);
        // No namespaces in a container of a CI.
        place.set("BUILDAH_ISOLATION", "chroot");
        let name = format!("{host}/team/documented:{number}");
        place.write(
            "soci.toml",
            &format!("image = \"{name}\"\nmin-layer-size = 0\n{}", documented(program)),
        );
        place.run(&[&["build"][..], more].concat()).ended(0);
        place.run(&["verify", &name]).ended(0);
        let wanted = more.last().copied().unwrap_or("linux/");
        let run = place.run(&["inspect", &name]).ended(0);
        assert!(run.stdout.contains(wanted), "{program}: {}", run.stdout);
    }
}

#[test]
fn a_real_builder_that_fails_leaves_no_tag() {
    let registry = Server::docker_registry(None, None);
    let place = example();
    place.write("Dockerfile", "FROM scratch\nCOPY no-such-file /\n");
    let name = format!("{}/team/hello:1", registry.host());
    let run = build(&place, BUILDAH_TO_ARCHIVE, &name, &[]).ended(3);
    assert!(
        run.stderr.contains("no-such-file"),
        "the builder's own words are shown: {}",
        run.stderr
    );
    assert!(
        run.stderr.contains("the builder failed: `buildah bud"),
        "{}",
        run.stderr
    );
    let run = place.run(&["inspect", &name]).ended(3);
    assert!(run.stderr.contains("error: "), "{}", run.stderr);
    assert_eq!(place.leftovers(), [""; 0]);
}

#[test]
fn archives_that_skopeo_writes_for_docker() {
    let place = Place::new();
    let image = soci_tests::buildx_vectors().join("oci-single/image.tar");
    let saved = place.join("saved.tar");
    place.tool(&[
        "skopeo",
        "copy",
        "--quiet",
        &format!("oci-archive:{}", image.display()),
        &format!("docker-archive:{}:registry.example/team/app:1", saved.display()),
    ]);
    // Found by content, and by its prefix.
    for source in [
        "saved.tar",
        "docker-archive:saved.tar",
        "docker-archive:saved.tar:1",
    ] {
        let run = place
            .run(&[
                "convert",
                source,
                "out.tar",
                "--min-layer-size=0",
                "--format",
                "json",
            ])
            .ended(0);
        let report = run.json();
        assert!(
            !report["recompressed"]
                .as_array()
                .expect("plain layers are written as gzip")
                .is_empty()
        );
        place.run(&["verify", "out.tar"]).ended(0);
    }
    // The config, and with it every diff_id, is the one that skopeo wrote.
    let saved = format!("docker-archive:{}", saved.display());
    let before = place.tool(&["skopeo", "inspect", "--config", "--raw", &saved]);
    let before: Value = serde_json::from_slice(&before).expect("JSON");
    place
        .run(&["convert", "saved.tar", "./layout", "--min-layer-size=0"])
        .ended(0);
    let document = |digest: &Value| -> Value {
        let hex = digest
            .as_str()
            .and_then(|digest| digest.strip_prefix("sha256:"))
            .expect("a digest");
        serde_json::from_str(&place.read(&format!("layout/blobs/sha256/{hex}"))).expect("JSON")
    };
    let list: Value = serde_json::from_str(&place.read("layout/index.json")).expect("JSON");
    let index = document(&list["manifests"][0]["digest"]);
    let manifest = document(&index["manifests"][0]["digest"]);
    assert_eq!(document(&manifest["config"]["digest"]), before);

    let run = place
        .run(&[
            "convert",
            "saved.tar",
            "kept.tar",
            "--min-layer-size=0",
            "--keep-uncompressed",
            "--format",
            "json",
        ])
        .ended(0);
    assert!(run.json().get("recompressed").is_none());
    place.run(&["verify", "kept.tar"]).ended(0);
}
