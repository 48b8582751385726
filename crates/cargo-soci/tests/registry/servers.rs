//! Debian's docker-registry, and images that skopeo and buildah push there.

use std::fs;
use std::path::Path;
use std::process::Command;

use soci_tests::images::MadeImage;
use soci_tests::registry::Behaviour;
use soci_tests::servers::{Authority, ConnectProxy, Containerd, Server, TEST_USER};

use crate::{conversion, convert, converts_to, expected, failed, good, run, soci, text, with_image};

fn tool(words: &[&str]) -> String {
    let output = Command::new(words[0])
        .args(&words[1..])
        .output()
        .unwrap_or_else(|error| {
            panic!(
                "{} cannot be started ({error}): `cargo xtask test` installs it",
                words[0]
            )
        });
    assert!(
        output.status.success(),
        "{words:?}: {}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// The test image as a layout in a folder.
fn layout(folder: &Path) -> String {
    let registry = with_image(Behaviour::default());
    let path = folder.join("image").display().to_string();
    good(&run(&[
        "remove",
        &registry.name("app:1"),
        &format!("oci:{path}:1"),
        "-q",
    ]));
    path
}

#[test]
fn the_images_of_a_repository_are_converted_there_too() {
    let expected = expected();
    let server = Server::docker_registry(None, None);
    let folder = tempfile::tempdir().unwrap();
    let plain = layout(folder.path());
    let name = |name: &str| format!("{}/{name}", server.host());
    for tag in ["1", "2", "3"] {
        good(&run(&["remove", &plain, &name(&format!("app:{tag}")), "-q"]));
    }
    let flags = ["--min-layer-size", "50KiB", "--span-size", "256KiB"];
    let repository = name("app");
    let words = [&["backfill", &repository, "--except", "3"], &flags[..]].concat();
    let table = good(&run(&words));
    assert!(table.contains("3 tags, left out: 1 not asked for"), "{table}");
    assert!(
        table.contains("       2  converted\n3 layers indexed, 3 zTOCs taken"),
        "{table}"
    );
    let digest = |tag: &str| good(&run(&["inspect", &name(tag), "-q"]));
    assert_eq!(
        (digest("app:1"), digest("app:2")),
        (expected.clone(), expected.clone())
    );
    assert_ne!(digest("app:3"), expected);
    let again = good(&run(&words));
    assert!(again.contains("       2  converted before\n"), "{again}");
}

#[test]
fn every_way_gives_the_same_image_there_too() {
    let expected = expected();
    let server = Server::docker_registry(None, None);
    let folder = tempfile::tempdir().unwrap();
    let plain = layout(folder.path());
    let path = |name: &str| folder.path().join(name).display().to_string();
    let name = |name: &str| format!("{}/{name}", server.host());
    // As it is, into the registry.
    good(&run(&["remove", &plain, &name("app:1"), "-q"]));
    let sources = [plain, name("app:1")];
    for (number, source) in sources.iter().enumerate() {
        let destinations = [
            name(&format!("app:soci{number}")),
            name(&format!("other/app{number}:1")),
            path(&format!("l{number}")),
            path(&format!("{number}.tar")),
        ];
        for destination in &destinations {
            converts_to(&expected, source, destination);
        }
    }
    // Bytes as curl would get them.
    let raw = tool(&[
        "skopeo",
        "inspect",
        "--raw",
        "--tls-verify=false",
        &format!("docker://{}", name("app:soci1")),
    ]);
    assert_eq!(soci_tests::registry::digest_of(raw.as_bytes()), expected);
    // And back.
    good(&run(&["remove", &name("app:soci1"), &name("app:back"), "-q"]));
    let digest = |tag: &str| good(&run(&["inspect", &name(tag), "-q"]));
    assert_eq!(digest("app:back"), digest("app:1"));
}

#[test]
fn v1_goes_through_the_tag_that_lists_referrers() {
    let server = Server::docker_registry(None, None);
    let folder = tempfile::tempdir().unwrap();
    let plain = layout(folder.path());
    let name = format!("{}/app:1", server.host());
    let made = good(&run(&[
        "create",
        &plain,
        &name,
        "--min-layer-size",
        "50KiB",
        "-q",
    ]));
    let image = good(&run(&["inspect", &name, "-q"]));
    let tags = tool(&[
        "skopeo",
        "list-tags",
        "--tls-verify=false",
        &format!("docker://{}/app", server.host()),
    ]);
    assert!(tags.contains(&image.replace(':', "-")), "{tags}");
    let shown = crate::in_one_line(&good(&run(&["inspect", &name])));
    assert!(shown.contains(&format!("SOCI index v1 {made}")), "{shown}");
    // All of it is right, and nobody who starts containers reads it.
    let verified = run(&["verify", &name]);
    let text = String::from_utf8_lossy(&verified.stdout);
    assert_eq!(verified.status.code(), Some(1), "{text}");
    assert!(text.contains("soci-index-v1"), "{text}");
}

#[test]
fn images_of_skopeo_and_buildah_are_converted_in_place() {
    let server = Server::docker_registry(None, None);
    let folder = tempfile::tempdir().unwrap();
    let plain = layout(folder.path());
    let by_skopeo = format!("{}/skopeo:1", server.host());
    tool(&[
        "skopeo",
        "copy",
        "-q",
        "--dest-tls-verify=false",
        &format!("oci:{plain}:1"),
        &format!("docker://{by_skopeo}"),
    ]);
    let by_format = format!("{}/skopeo:docker", server.host());
    tool(&[
        "skopeo",
        "copy",
        "-q",
        "--format",
        "v2s2",
        "--dest-tls-verify=false",
        &format!("oci:{plain}:1"),
        &format!("docker://{by_format}"),
    ]);

    let context = folder.path().join("context");
    fs::create_dir(&context).unwrap();
    fs::write(context.join("data"), soci_tests::images::noise(7, 1_500_000)).unwrap();
    fs::write(context.join("Containerfile"), "FROM scratch\nCOPY data /data\n").unwrap();
    let by_buildah = format!("{}/buildah:1", server.host());
    let (root, state) = (
        folder.path().join("root").display().to_string(),
        folder.path().join("run").display().to_string(),
    );
    let storage = [
        "buildah",
        "--storage-driver",
        "vfs",
        "--root",
        &root,
        "--runroot",
        &state,
    ];
    let build = [
        "bud",
        "-q",
        "--isolation",
        "chroot",
        "-t",
        "made",
        "-f",
        "Containerfile",
        &context.display().to_string(),
    ];
    tool(&[&storage[..], &build].concat());
    tool(
        &[
            &storage[..],
            &[
                "push",
                "-q",
                "--tls-verify=false",
                "made",
                &format!("docker://{by_buildah}"),
            ],
        ]
        .concat(),
    );

    for name in [&by_skopeo, &by_format, &by_buildah] {
        let before = good(&run(&["inspect", name, "-q"]));
        let after = good(&convert(&[name, "-q"]));
        assert_ne!(before, after);
        assert_eq!(good(&run(&["inspect", name, "-q"])), after);
        good(&run(&["verify", name]));
        assert_eq!(good(&convert(&[name, "-q"])), after);
    }
}

#[test]
fn a_login_and_a_certificate_of_ones_own() {
    let authority = Authority::new();
    let certificate = authority.issue("IP:127.0.0.1");
    let server = Server::docker_registry(Some(TEST_USER), Some(&certificate));
    let folder = tempfile::tempdir().unwrap();
    let plain = layout(folder.path());
    let name = format!("{}/app:1", server.host());
    let ca = authority.file().display().to_string();
    let command = || conversion(&[&plain, &name]);

    let untrusted = failed(
        &command()
            .env("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
            .output()
            .unwrap(),
    );
    assert!(untrusted.contains("--ca-file"), "{untrusted}");
    let nobody = failed(&command().args(["--ca-file", &ca]).output().unwrap());
    assert!(
        nobody.contains("without a login: refused") && nobody.contains("docker login"),
        "{nobody}"
    );
    let wrong = command()
        .args(["--ca-file", &ca])
        .envs([
            ("CARGO_SOCI_USERNAME", "tester"),
            ("CARGO_SOCI_PASSWORD", "other"),
        ])
        .output()
        .unwrap();
    assert!(failed(&wrong).contains("CARGO_SOCI_USERNAME: refused by the registry"));

    // "tester:test-password"
    let auths = format!(
        r#"{{"auths": {{"{}": {{"auth": "dGVzdGVyOnRlc3QtcGFzc3dvcmQ="}}}}}}"#,
        server.host()
    );
    fs::write(folder.path().join("config.json"), &auths).unwrap();
    let docker = command()
        .args(["--ca-file", &ca])
        .env("DOCKER_CONFIG", folder.path())
        .output()
        .unwrap();
    good(&docker);
    fs::write(folder.path().join("auth.json"), &auths).unwrap();
    let containers = command()
        .env("SSL_CERT_FILE", &ca)
        .env("REGISTRY_AUTH_FILE", folder.path().join("auth.json"))
        .output()
        .unwrap();
    assert!(good(&containers).contains("zTOC"));
    let script = "#!/bin/sh\nread -r server\nprintf '{\"ServerURL\":\"%s\",\"Username\":\"tester\",\"Secret\":\"test-password\"}' \"$server\"\n";
    let helper = folder.path().join("docker-credential-fake");
    fs::write(&helper, script).unwrap();
    tool(&["chmod", "755", &helper.display().to_string()]);
    fs::write(
        folder.path().join("config.json"),
        format!(r#"{{"credHelpers": {{"{}": "fake"}}}}"#, server.host()),
    )
    .unwrap();
    let by_helper = soci(&["inspect", &name, "-q", "--ca-file", &ca])
        .env("DOCKER_CONFIG", folder.path())
        .env("PATH", format!("{}:/usr/bin:/bin", folder.path().display()))
        .output()
        .unwrap();
    good(&by_helper);
}

#[test]
fn proxies_of_the_environment_are_used() {
    let expected = expected();
    let folder = tempfile::tempdir().unwrap();
    let plain = layout(folder.path());
    // tinyproxy and a name that is loopback to the system and not to us.
    let server = Server::docker_registry(None, None);
    let proxy = Server::tinyproxy();
    let name = format!("127.1:{}/app:1", server.address().port());
    let host = format!("127.1:{}", server.address().port());
    let command = || conversion(&[&plain, &name, "--plain-http", &host, "-q"]);
    let through = command()
        .env("http_proxy", format!("http://{}", proxy.host()))
        .output()
        .unwrap();
    assert_eq!(good(&through), expected);
    assert!(proxy.log().contains("127.1"), "{}", proxy.log());
    let nowhere = command()
        .env("http_proxy", "http://127.0.0.1:1")
        .output()
        .unwrap();
    assert!(failed(&nowhere).contains("cannot"), "the proxy is not there");
    let around = command()
        .env("http_proxy", "http://127.0.0.1:1")
        .env("NO_PROXY", "127.1")
        .output()
        .unwrap();
    good(&around);

    // https to a real name, through a tunnel.
    let authority = Authority::new();
    let certificate = authority.issue("DNS:registry.example");
    let server = Server::docker_registry(None, Some(&certificate));
    let proxy = ConnectProxy::start(server.address());
    let ca = authority.file().display().to_string();
    let secure = conversion(&[&plain, "registry.example/app:1", "--ca-file", &ca, "-q"])
        .env("HTTPS_PROXY", proxy.url())
        .output()
        .unwrap();
    assert_eq!(good(&secure), expected);
    assert!(proxy.hosts().iter().all(|host| host == "registry.example:443"));
}

#[test]
fn one_large_layer_comes_over_as_many_connections_as_are_asked_for() {
    let image = MadeImage::new(&[(1, 70 << 20)]);
    let registry = soci_tests::registry::TestRegistry::start(Behaviour {
        redirects: true,
        ..Behaviour::default()
    });
    registry.with("app", |content| image.store(content, "1"));
    let parts = || {
        let log = registry.take_log();
        log.iter()
            .filter(|one| one.elsewhere && one.range.is_some())
            .count()
    };
    let one = good(&run(&[
        "convert",
        &registry.name("app:1"),
        &registry.name("app:one"),
        "-q",
        "--connections-per-layer",
        "1",
    ]));
    assert_eq!(parts(), 0);
    registry.behave(|behaviour| behaviour.cuts = 4);
    let three = good(&run(&[
        "convert",
        &registry.name("app:1"),
        &registry.name("app:three"),
        "-q",
        "--reuse",
        "none",
        "--connections-per-layer",
        "3",
    ]));
    assert_eq!(one, three);
    let parts = parts();
    assert!(parts > 15, "{parts} parts");
}

#[test]
fn containerd_pulls_the_result_with_the_same_digests() {
    let expected = expected();
    let server = Server::docker_registry(None, None);
    let folder = tempfile::tempdir().unwrap();
    let plain = layout(folder.path());
    let name = format!("{}/app:1", server.host());
    assert_eq!(good(&convert(&[&plain, &name, "-q"])), expected);
    let containerd = Containerd::start();
    containerd.ctr(&["content", "fetch", "--plain-http", "--all-platforms", &name]);
    let listed = containerd.ctr(&["images", "ls"]);
    assert!(listed.contains(&expected), "{listed}");
    let content = containerd.ctr(&["content", "ls", "-q"]);
    let shown = good(&run(&["inspect", &name, "--format", "json"]));
    let facts: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let layers = facts["platforms"][0]["layers"].as_array().unwrap();
    let mut wanted: Vec<&str> = layers
        .iter()
        .filter_map(|layer| layer["digest"].as_str())
        .collect();
    wanted.extend(layers.iter().filter_map(|layer| layer["ztoc"]["digest"].as_str()));
    assert_eq!(wanted.len(), 7);
    for digest in wanted {
        assert!(content.contains(digest), "{digest} is not among\n{content}");
    }
}
