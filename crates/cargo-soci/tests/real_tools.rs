//! Images that other people's tools made, and our results in the hands of those tools: buildah, umoci, containerd's
//! ctr and skopeo, each started here in a temporary folder. The test command installs them; without one of them these
//! tests fail.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Runs a tool and gives what it wrote; a tool that is not there or fails is a failed test.
fn tool(folder: &Path, words: &[&str]) -> Vec<u8> {
    let output = Command::new(words[0])
        .args(&words[1..])
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| {
            panic!(
                "{} cannot be started ({error}): `cargo xtask test` installs it",
                words[0]
            )
        });
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", words.join(" "));
    output.stdout
}

fn soci(folder: &Path, words: &[&str]) -> Vec<u8> {
    tool(
        folder,
        &[
            &[env!("CARGO_BIN_EXE_cargo-soci")],
            words,
            &["--progress", "none"],
        ]
        .concat(),
    )
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}

/// A build context of a few hundred KB: our own binary's first bytes and numbers.
fn context(folder: &Path) -> PathBuf {
    let context = folder.join("context");
    fs::create_dir(&context).expect("temporary folder");
    let binary = fs::read(env!("CARGO_BIN_EXE_cargo-soci")).expect("our binary");
    fs::write(context.join("program"), &binary[..binary.len().min(3 << 20)]).expect("temporary folder");
    let numbers: String = (0..20_000).map(|number| format!("{number}\n")).collect();
    fs::write(context.join("numbers"), numbers).expect("temporary folder");
    fs::write(
        context.join("Dockerfile"),
        "FROM scratch\nCOPY program /app/program\nCOPY numbers /app/numbers\n",
    )
    .expect("temporary folder");
    context
}

fn buildah(folder: &Path, words: &[&str]) {
    let root = folder.join("storage").display().to_string();
    let run = folder.join("run").display().to_string();
    let fixed = [
        "buildah",
        "--storage-driver",
        "vfs",
        "--root",
        &root,
        "--runroot",
        &run,
    ];
    tool(folder, &[&fixed, words].concat());
}

/// A containerd of our own; stopped and gone with the value.
struct Containerd {
    process: Child,
    socket: String,
    folder: tempfile::TempDir,
}

impl Containerd {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().display().to_string();
        let socket = format!("{path}/c.sock");
        let config = format!(
            "version = 2\nroot = \"{path}/root\"\nstate = \"{path}/state\"\n\
             disabled_plugins = [\"io.containerd.grpc.v1.cri\", \"io.containerd.snapshotter.v1.btrfs\", \
             \"io.containerd.snapshotter.v1.zfs\", \"io.containerd.snapshotter.v1.devmapper\", \
             \"io.containerd.internal.v1.opt\", \"io.containerd.snapshotter.v1.aufs\"]\n\
             [grpc]\n  address = \"{socket}\"\n[ttrpc]\n  address = \"{socket}.ttrpc\"\n"
        );
        fs::write(folder.path().join("config.toml"), config).expect("temporary folder");
        let log = fs::File::create(folder.path().join("log")).expect("temporary folder");
        let process = Command::new("containerd")
            .args(["--config", "config.toml"])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| {
                panic!("containerd cannot be started ({error}): `cargo xtask test` installs it")
            });
        let this = Self {
            process,
            socket,
            folder,
        };
        let started = Instant::now();
        while !Command::new("ctr")
            .args(["--address", &this.socket, "version"])
            .output()
            .is_ok_and(|output| output.status.success())
        {
            let log = fs::read_to_string(this.folder.path().join("log")).unwrap_or_default();
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "containerd does not answer: {log}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        this
    }

    fn ctr(&self, words: &[&str]) -> Vec<u8> {
        tool(
            self.folder.path(),
            &[&["ctr", "--address", &self.socket], words].concat(),
        )
    }

    /// Imports an archive and gives the digest that the name points at.
    fn import(&self, archive: &Path, name: &str) -> String {
        let archive = archive.to_str().expect("UTF-8");
        self.ctr(&["image", "import", "--no-unpack", "--all-platforms", archive]);
        let list = String::from_utf8(self.ctr(&["image", "ls"])).expect("UTF-8");
        let line = list.lines().find(|line| line.starts_with(&format!("{name} ")));
        let line = line.unwrap_or_else(|| panic!("{name} was not imported: {list}"));
        line.split_whitespace()
            .find(|word| word.starts_with("sha256:"))
            .expect("a digest")
            .to_owned()
    }
}

impl Drop for Containerd {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has noticed then.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Every blob of an archive, as the tar crate reads it.
fn blobs(archive: &Path) -> Vec<(String, Vec<u8>)> {
    let mut archive = tar::Archive::new(fs::File::open(archive).expect("an archive"));
    let entries = archive.entries().expect("a tar").map(|entry| {
        let mut entry = entry.expect("a tar");
        let name = entry.path().expect("a name").display().to_string();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).expect("a tar");
        (name, bytes)
    });
    entries
        .filter(|(name, bytes)| name.starts_with("blobs/") && !bytes.is_empty())
        .collect()
}

/// Converts, verifies, and lets skopeo read the result: the bytes that skopeo sees are ours.
fn convert_and_read(folder: &Path, from: &str, to: &str) -> Value {
    let report = json(&soci(
        folder,
        &["convert", from, to, "--min-layer-size", "0", "--format", "json"],
    ));
    soci(folder, &["verify", to]);
    let place = if to.ends_with(".tar") {
        format!("oci-archive:{to}")
    } else {
        format!("oci:{to}")
    };
    let image = &report["images"][0];
    // Of two names skopeo wants to be told one.
    let place = match &image["names"].as_array().expect("a list")[..] {
        [Value::String(tag), _, ..] => format!("{place}:{tag}"),
        _ => place,
    };
    let raw = tool(folder, &["skopeo", "inspect", "--raw", &place]);
    assert_eq!(
        soci_image::Digest::sha256(&raw).as_str(),
        image["digest"],
        "skopeo reads other bytes"
    );
    let index = json(&raw);
    assert_eq!(
        index["manifests"][1]["artifactType"],
        "application/vnd.amazon.soci.index.v2+json"
    );
    let verdict = image["platforms"][0].clone();
    assert_eq!(verdict["layers"][0]["outcome"], "indexed");
    report
}

#[test]
fn an_image_from_buildah_goes_into_containerd_and_comes_out_the_same() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path();
    let context = context(path).display().to_string();
    buildah(
        path,
        &[
            "bud",
            "--isolation",
            "chroot",
            "--layers=false",
            "-q",
            "-t",
            "example.com/app:1",
            &context,
        ],
    );
    buildah(
        path,
        &[
            "push",
            "-q",
            "example.com/app:1",
            "oci-archive:image.tar:example.com/app:1",
        ],
    );
    buildah(path, &["push", "-q", "example.com/app:1", "oci:layout:v1"]);
    let report = convert_and_read(path, "image.tar", "soci.tar");
    let of_layout = convert_and_read(path, "./layout", "./soci-layout");
    assert_eq!(report["images"][0]["digest"], of_layout["images"][0]["digest"]);
    assert_eq!(of_layout["images"][0]["names"][0], "v1");

    let containerd = Containerd::start();
    let digest = containerd.import(&path.join("soci.tar"), "example.com/app:1");
    assert_eq!(report["images"][0]["digest"], digest.as_str());
    // containerd holds every blob of ours, byte for byte: zTOCs and SOCI index too.
    for (name, bytes) in blobs(&path.join("soci.tar")) {
        let digest = name.trim_start_matches("blobs/").replace('/', ":");
        assert_eq!(containerd.ctr(&["content", "get", &digest]), bytes, "{digest}");
    }
    let export = path.join("export.tar").display().to_string();
    containerd.ctr(&["image", "export", "--all-platforms", &export, "example.com/app:1"]);
    soci(path, &["verify", "export.tar"]);
    let facts = json(&soci(path, &["inspect", "export.tar", "--format", "json"]));
    assert_eq!(facts["root"]["digest"], digest.as_str());
}

#[test]
fn an_export_of_ctr_is_converted_and_imported_back() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path();
    let context = context(path).display().to_string();
    buildah(
        path,
        &[
            "bud",
            "--isolation",
            "chroot",
            "--layers=false",
            "-q",
            "-t",
            "example.com/app:2",
            &context,
        ],
    );
    buildah(
        path,
        &[
            "push",
            "-q",
            "example.com/app:2",
            "oci-archive:image.tar:example.com/app:2",
        ],
    );
    let containerd = Containerd::start();
    let plain = containerd.import(&path.join("image.tar"), "example.com/app:2");
    let export = path.join("export.tar").display().to_string();
    containerd.ctr(&["image", "export", "--all-platforms", &export, "example.com/app:2"]);
    let report = convert_and_read(path, "export.tar", "soci.tar");
    let image = &report["images"][0];
    assert_eq!(image["names"][0], "example.com/app:2");
    assert_eq!(image["platforms"][0]["sourceManifest"], plain.as_str());
    let digest = containerd.import(&path.join("soci.tar"), "example.com/app:2");
    assert_eq!(image["digest"], digest.as_str());
}

#[test]
fn layers_from_umoci_are_converted_and_keep_their_tags() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path();
    let context = context(path).display().to_string();
    tool(path, &["umoci", "init", "--layout", "layout"]);
    tool(path, &["umoci", "new", "--image", "layout:v1"]);
    tool(
        path,
        &[
            "umoci",
            "insert",
            "--rootless",
            "--image",
            "layout:v1",
            &context,
            "/app",
        ],
    );
    tool(path, &["umoci", "tag", "--image", "layout:v1", "stable"]);
    let report = convert_and_read(path, "./layout", "soci.tar");
    assert_eq!(report["images"][0]["names"], serde_json::json!(["v1", "stable"]));
    // In place: umoci still lists both tags.
    soci(path, &["convert", "./layout", "--min-layer-size", "0"]);
    soci(path, &["verify", "./layout"]);
    let tags = String::from_utf8(tool(path, &["umoci", "ls", "--layout", "layout"])).expect("UTF-8");
    let mut tags: Vec<&str> = tags.split_whitespace().collect();
    tags.sort_unstable();
    assert_eq!(tags, ["stable", "v1"]);
    let containerd = Containerd::start();
    let archive = path.join("soci.tar").display().to_string();
    containerd.ctr(&[
        "image",
        "import",
        "--no-unpack",
        "--all-platforms",
        "--base-name",
        "example.com/app",
        &archive,
    ]);
    let list = String::from_utf8(containerd.ctr(&["image", "ls", "-q"])).expect("UTF-8");
    assert!(
        list.contains("example.com/app:v1") && list.contains("example.com/app:stable"),
        "{list}"
    );
}

#[test]
fn a_file_read_through_its_spans_has_the_bytes_that_went_into_the_image() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path();
    let context = context(path);
    let context_text = context.display().to_string();
    buildah(
        path,
        &[
            "bud",
            "--isolation",
            "chroot",
            "--layers=false",
            "-q",
            "-t",
            "example.com/app:3",
            &context_text,
        ],
    );
    buildah(path, &["push", "-q", "example.com/app:3", "oci:layout:v3"]);
    let words = [
        "convert",
        "./layout",
        "./soci",
        "--min-layer-size",
        "0",
        "--span-size",
        "65536",
        "--format",
        "json",
    ];
    let report = json(&soci(path, &words));
    let layer = &report["images"][0]["platforms"][0]["layers"][0];
    let blob = |digest: &Value| format!("soci/blobs/{}", digest.as_str().expect("text").replace(':', "/"));
    assert!(layer["spans"].as_u64() > Some(10), "{layer}");
    for name in ["program", "numbers"] {
        let file = format!("app/{name}");
        let read = soci(
            path,
            &[
                "ztoc",
                "extract",
                &blob(&layer["digest"]),
                &blob(&layer["ztoc"]),
                &file,
            ],
        );
        assert_eq!(read, fs::read(context.join(name)).expect("the context"), "{name}");
    }
}
