//! Images in a registry: converted there against the way over the disk, and one connection against three.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::measure::{Contestant, compare};
use super::{Bench, inputs};
use crate::oci;
use crate::run::{Outcome, must};

/// Uncompressed sizes of the layers and where in the material each begins.
const LAYERS: &[(u64, u64)] = &[(0, 300_000_000), (300_000_000, 300_000_000), (600_000_000, 60_000_000)];

/// Registry to registry on loopback, against skopeo to a layout, our conversion there, and skopeo back.
pub(super) fn convert(bench: &Bench) -> Outcome {
    let registry = Registry::start(&bench.folder)?;
    let image = upload(bench, &registry, LAYERS)?;
    let ours = bench.binary.display().to_string();
    // Other zTOCs in each round, so that each round stores them.
    let direct = "exec \"$1\" convert --quiet --reuse none --build-tool-identifier round-$$ \"$2\" \"$2-direct\"";
    let rival = "set -e; rm -rf \"$3\"; mkdir \"$3\"; \
                 skopeo copy --quiet --src-tls-verify=false \"docker://$2\" \"oci:$3/plain:1\"; \
                 \"$1\" convert --quiet --build-tool-identifier round-$$ \"$3/plain\" \"$3/soci\"; \
                 skopeo copy --quiet --all --dest-tls-verify=false \"oci:$3/soci:1\" \"docker://$2-rival\"";
    let scratch = bench.folder.join("registry-scratch").display().to_string();
    let script = |script: &str| {
        ["bash", "-c", script, "bash", &ours, &image, &scratch]
            .map(str::to_owned)
            .to_vec()
    };
    let contestants = [
        Contestant::new("skopeo, layout, skopeo", script(rival)),
        Contestant::new("registry to registry", script(direct)),
    ];
    compare("image of three layers in a registry on loopback", &contestants, bench.rounds, &bench.folder)
}

/// One layer behind a link of 200 Mbit/s and 20 ms: of the whole link, and of each connection.
pub(super) fn link(bench: &Bench) -> Outcome {
    let registry = Registry::start(&bench.folder)?;
    let image = upload(bench, &registry, &LAYERS[..1])?;
    let repository = image.split_once('/').map_or("", |(_, name)| name).to_owned();
    for (title, shared) in [("for all connections together", true), ("for each connection", false)] {
        let link = Link { rate: 25_000_000.0, delay: Duration::from_millis(20), shared };
        let address = link.start(registry.address)?;
        let convert = |connections: &str| {
            let script = "exec \"$1\" convert --quiet --reuse none --connections-per-layer \"$3\" \
                          --build-tool-identifier round-$$ \"$2\" \"$2-link\"";
            let ours = bench.binary.display().to_string();
            ["bash", "-c", script, "bash", &ours, &format!("{address}/{repository}"), connections]
                .map(str::to_owned)
                .to_vec()
        };
        let contestants = [
            Contestant::new("one connection", convert("1")),
            Contestant::new("three connections", convert("3")),
        ];
        let title = format!("layer of 300 MB, 200 Mbit/s {title}, 20 ms");
        compare(&title, &contestants, bench.rounds.min(3), &bench.folder)?;
    }
    Ok(())
}

/// Makes the image and brings it into the registry; gives its name.
fn upload(bench: &Bench, registry: &Registry, layers: &[(u64, u64)]) -> Result<String, String> {
    let mut files = Vec::new();
    for (number, (skip, bytes)) in layers.iter().enumerate() {
        files.push(inputs::layer(&bench.folder, &format!("registry-{number}"), *skip, *bytes)?);
    }
    let layout = bench.folder.join(format!("registry-image-{}", layers.len()));
    if !layout.join("index.json").exists() {
        oci::write_layout(&layout, &files, "1")
            .map_err(|error| format!("cannot write {}: {error}", layout.display()))?;
    }
    let name = format!("{}/bench/app:1", registry.address);
    // Without SOCI there is nothing to remove: a copy.
    must(Command::new(&bench.binary).args(["remove", "--quiet"]).arg(&layout).arg(&name))?;
    Ok(name)
}

/// Debian's docker-registry with its store in a temporary folder.
struct Registry {
    process: Child,
    address: SocketAddr,
    folder: PathBuf,
}

impl Registry {
    fn start(folder: &Path) -> Result<Self, String> {
        let folder = folder.join("registry-store");
        let _ = fs::remove_dir_all(&folder);
        let failed = |error: std::io::Error| format!("cannot start docker-registry: {error}");
        fs::create_dir_all(&folder).map_err(failed)?;
        let address = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).map_err(failed)?;
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
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let registry = Self { process, address, folder };
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            if begun.elapsed() > Duration::from_secs(20) {
                return Err("docker-registry does not listen".into());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(registry)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A slow link in front of a server.
#[derive(Clone, Copy)]
struct Link {
    /// Bytes per second towards the client.
    rate: f64,
    /// There and back: added to each connection and each request.
    delay: Duration,
    /// Whether all connections share the rate.
    shared: bool,
}

/// When a link is free again.
type Free = Arc<Mutex<Instant>>;

impl Link {
    /// Listens on a free port; ends with the process.
    fn start(self, server: SocketAddr) -> Result<SocketAddr, String> {
        let failed = |error: std::io::Error| format!("cannot make a slow link: {error}");
        let listener = TcpListener::bind("127.0.0.1:0").map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        thread::spawn(move || {
            let all: Free = Arc::new(Mutex::new(Instant::now()));
            for client in listener.incoming().flatten() {
                let free = if self.shared { Arc::clone(&all) } else { Arc::new(Mutex::new(Instant::now())) };
                thread::spawn(move || self.connect(client, server, &free));
            }
        });
        Ok(address)
    }

    fn connect(self, mut client: TcpStream, server: SocketAddr, free: &Free) {
        thread::sleep(self.delay);
        let Ok(mut upstream) = TcpStream::connect(server) else { return };
        let (Ok(mut from_client), Ok(mut to_server)) = (client.try_clone(), upstream.try_clone()) else { return };
        thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(count @ 1..) = from_client.read(&mut buffer) {
                thread::sleep(self.delay);
                if to_server.write_all(&buffer[..count]).is_err() {
                    return;
                }
            }
            let _ = to_server.shutdown(std::net::Shutdown::Write);
        });
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(count @ 1..) = upstream.read(&mut buffer) {
            let until = {
                let mut free = free.lock().unwrap_or_else(PoisonError::into_inner);
                *free = (*free).max(Instant::now()) + Duration::from_secs_f64(count as f64 / self.rate);
                *free
            };
            thread::sleep(until.saturating_duration_since(Instant::now()));
            if client.write_all(&buffer[..count]).is_err() {
                return;
            }
        }
        let _ = client.shutdown(std::net::Shutdown::Both);
    }
}
