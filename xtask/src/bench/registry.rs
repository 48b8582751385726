//! Images in a registry: converted there against the way over the disk, and one connection against three.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::link::Link;
use super::measure::{Contestant, compare};
use super::{Bench, inputs};
use crate::oci;
use crate::run::{Outcome, must};

/// Name and uncompressed size of the layers, 1.2 GB together, and where in the material each begins.
const LAYERS: &[(&str, u64, u64)] = &[
    ("registry-0", 0, 700_000_000),
    ("registry-1", 700_000_000, 400_000_000),
    ("registry-2", 300_000_000, 100_000_000),
];

/// The image as a layout, below the folder of the benchmark.
const LAYOUT: &str = "registry-image-1200";

/// 200 Mbit/s in bytes per second.
const RATE: f64 = 25e6;
const DELAY: Duration = Duration::from_millis(20);

/// Registry to registry on loopback, against skopeo to a layout, our conversion there, and skopeo back.
pub(super) fn convert(bench: &Bench) -> Outcome {
    let registry = Registry::start(bench)?;
    let image = upload(bench, &registry)?;
    let scratch = bench.folder.join("registry-scratch");
    // Other zTOCs in each round, so that each round stores them.
    let direct =
        "exec \"$1\" convert --quiet --reuse none --build-tool-identifier round-$$ \"$2\" \"DESTINATION\"";
    let rival = "set -e; mkdir \"$3\"; \
                 skopeo copy --quiet --src-tls-verify=false \"docker://$2\" \"oci:$3/plain:1\"; \
                 \"$1\" convert --quiet --build-tool-identifier round-$$ \"$3/plain\" \"$3/soci\"; \
                 skopeo copy --quiet --all --dest-tls-verify=false \"oci:$3/soci:1\" \"docker://DESTINATION\"";
    let indexing = "exec \"$1\" convert --quiet \"$4\" \"$3\"";
    let words = [
        bench.binary.display().to_string(),
        image,
        scratch.display().to_string(),
        bench.folder.join(LAYOUT).display().to_string(),
    ];
    let script = |script: &str, destination: &str| {
        let script = script.replace("DESTINATION", destination);
        let mut command = vec!["bash".to_owned(), "-c".to_owned(), script, "bash".to_owned()];
        command.extend(words.clone());
        command
    };
    for (title, direct_to, rival_to) in [
        ("to another tag", "$2-direct", "$2-rival"),
        // A new repository in each round.
        (
            "to another repository",
            "${2%:1}-$$-direct:1",
            "${2%:1}-$$-rival:1",
        ),
    ] {
        let contestants = [
            Contestant::new("skopeo, convert in a layout, skopeo", script(rival, rival_to)).without(&scratch),
            Contestant::new("convert, registry to registry", script(direct, direct_to)).goal(0.5),
            Contestant::new(
                "the same, three connections per layer",
                script(
                    &direct.replace("--quiet", "--quiet --connections-per-layer 3"),
                    direct_to,
                ),
            ),
            Contestant::new("the conversion in a layout alone", script(indexing, "")).without(&scratch),
        ];
        let title = format!(
            "Image of three layers, 1.2 GB uncompressed, in a registry on loopback, {title} (`registry`)"
        );
        compare(bench, &title, &contestants, bench.rounds)?;
    }
    let _ = fs::remove_dir_all(scratch);
    Ok(())
}

/// The same image behind a link: its rate for each connection, and for all of them together.
pub(super) fn link(bench: &Bench) -> Outcome {
    let registry = Registry::start(bench)?;
    let image = upload(bench, &registry)?;
    let repository = image.split_once('/').map_or("", |(_, name)| name).to_owned();
    for (title, shared) in [("each connection", false), ("all connections together", true)] {
        let link = Link {
            rate: RATE,
            delay: DELAY,
            shared,
        };
        let image = format!("{}/{repository}", link.start(registry.address)?);
        let convert = |connections: &str| {
            let script = "exec \"$1\" convert --quiet --reuse none $3 \
                          --build-tool-identifier round-$$ \"$2\" \"$2-link\"";
            let ours = bench.binary.display().to_string();
            ["bash", "-c", script, "bash", &ours, &image, connections]
                .map(str::to_owned)
                .to_vec()
        };
        let contestants = [
            Contestant::new("one connection per layer", convert("--connections-per-layer 1")),
            Contestant::new(
                "three connections per layer",
                convert("--connections-per-layer 3"),
            ),
            Contestant::new("as it comes: one, then more", convert("")),
        ];
        let title = format!("The same image, 20 ms away, 200 Mbit/s for {title} (`registry-link`)");
        compare(bench, &title, &contestants, bench.rounds.min(3))?;
    }
    Ok(())
}

/// Makes the image and brings it into the registry; gives its name.
pub(super) fn upload(bench: &Bench, registry: &Registry) -> Result<String, String> {
    let mut files = Vec::new();
    for (name, skip, bytes) in LAYERS {
        files.push(inputs::layer(&bench.folder, name, *skip, *bytes)?);
    }
    let layout = bench.folder.join(LAYOUT);
    if !layout.join("index.json").exists() {
        oci::write_layout(&layout, &files, "1")
            .map_err(|error| format!("cannot write {}: {error}", layout.display()))?;
    }
    let name = format!("{}/bench/app:1", registry.address);
    must(
        Command::new("skopeo")
            .args(["copy", "--quiet", "--dest-tls-verify=false"])
            .arg(format!("oci:{}:1", layout.display()))
            .arg(format!("docker://{name}"))
            .stdout(Stdio::null()),
    )?;
    Ok(name)
}

/// Debian's docker-registry; its store goes with it.
pub(super) struct Registry {
    process: Child,
    address: SocketAddr,
    folder: PathBuf,
}

impl Registry {
    pub(super) fn start(bench: &Bench) -> Result<Self, String> {
        let folder = bench.folder.join("registry-store");
        let _ = fs::remove_dir_all(&folder);
        let failed = |error: std::io::Error| format!("cannot start docker-registry: {error}");
        fs::create_dir_all(&folder).map_err(failed)?;
        let address = TcpListener::bind("127.0.0.1:0")
            .and_then(|socket| socket.local_addr())
            .map_err(failed)?;
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\n\
             http: {{addr: \"{address}\"}}\n",
            folder.join("data").display()
        );
        let file = folder.join("config.yml");
        fs::write(&file, config).map_err(failed)?;
        let process = Command::new("docker-registry")
            .arg("serve")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let registry = Self {
            process,
            address,
            folder,
        };
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            if begun.elapsed() > Duration::from_secs(20) {
                return Err("docker-registry does not listen".into());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(registry)
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
